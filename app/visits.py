"""Views → visits and how they ended. Pure; the closing job stores what it answers.

A visit is one visitor's views without a gap of 30 minutes. Views that bear the same reference of
the shop are one visitor's too: a phone that leaves for its bank comes back by another network.
A visit that began the day before ends at noon: whatever never pauses (a monitor, or all visitors
at once behind a proxy that is not trusted) falls into visits whose beginning is found by looking
two days back, and a day can be closed without the days before those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from app.seen import Seen, by_opening
from app.shops import DEFAULT_WINDOW_H
from collector.codes import Outcome, OutcomeSource, Phase
from collector.sites import Page, Site

GAP = timedelta(minutes=30)
"""The field's convention for the end of a visit."""

NOON = time(12)
"""When a visit that began the day before ends, if it has not paused since."""

CHECKING_OUT = (Phase.CHECKOUT, Phase.PAYMENT)
"""Leaving from here is abandoning; who only looks at an order's confirmation again is not."""

COMPLETED, FAILED, HANDED_OVER = 1, 2, 3
"""Results of a goal row (`goal.result`)."""


@dataclass(frozen=True, slots=True)
class Goal:
    at: datetime
    visitor: int | None
    ref_hash: bytes | None
    source: int
    result: int


@dataclass(frozen=True, slots=True)
class Visit:
    visit_id: int
    day: date
    views: tuple[Seen, ...]
    outcome: Outcome
    source: OutcomeSource
    goal_at: datetime | None

    @property
    def started_at(self) -> datetime:
        return self.views[0].opened_at

    @property
    def ended_at(self) -> datetime:
        return max(view.last_at for view in self.views)


def visits_of(
    site: Site, views: Iterable[Seen], goals: Iterable[Goal], now: datetime
) -> list[Visit]:
    """Every visit among the views, with its outcome as it stands at `now`."""
    pages = {page.page_id: page for page in site.pages.values()}
    ordered = sorted(views, key=by_opening)
    people = _People(ordered)
    reached = [*goals, *_page_goals(ordered, pages)]
    by_ref = _grouped(reached, lambda goal: goal.ref_hash)
    by_person = _grouped(
        reached, lambda goal: None if goal.visitor is None else people.of(goal.visitor)
    )
    visits = []
    for group in _visits(ordered, people, site.time_zone):
        found = _goals_of(group, by_ref, by_person.get(people.of(group[0].visitor), ()))
        deadline = decided_at(site, group)
        in_time = [goal for goal in found if goal.at < deadline]
        outcome, source, goal_at = _outcome(pages, group, in_time, decided=now >= deadline)
        visits.append(Visit(group[0].view_id, group[0].day, group, outcome, source, goal_at))
    return visits


def grouped_views(views: Iterable[Seen], time_zone: tzinfo) -> list[tuple[Seen, ...]]:
    """The views of each visit, in order of opening."""
    ordered = sorted(views, key=by_opening)
    return _visits(ordered, _People(ordered), time_zone)


def _visits(ordered: list[Seen], people: _People, time_zone: tzinfo) -> list[tuple[Seen, ...]]:
    under_way: dict[Name, _Visit] = {}
    ended: list[_Visit] = []
    for view in ordered:
        person = people.of(view.visitor)
        visit = under_way.get(person)
        if visit is None or not visit.goes_on_with(view, time_zone):
            visit = under_way[person] = _Visit([], view.opened_at)
            ended.append(visit)
        visit.views.append(view)
        visit.ends_at = max(visit.ends_at, view.last_at)
    return [tuple(visit.views) for visit in ended]


@dataclass(slots=True)
class _Visit:
    """A visit while it is put together."""

    views: list[Seen]
    ends_at: datetime

    def goes_on_with(self, view: Seen, time_zone: tzinfo) -> bool:
        if view.opened_at - self.ends_at >= GAP:
            return False
        days = (view.day - self.views[0].day).days
        return days == 0 or (days == 1 and view.opened_at.astimezone(time_zone).time() < NOON)


Name = int | bytes
"""What a visitor may be known by: a day's hash, or the hash of the shop's reference."""


class _People:
    """Which visitors are one: the same hash, yesterday's hash past midnight, the same reference."""

    def __init__(self, views: Iterable[Seen]) -> None:
        self._parent: dict[Name, Name] = {}
        for view in views:
            if view.visitor_before is not None:
                self._join(view.visitor, view.visitor_before)
            if view.ref_hash is not None:
                self._join(view.visitor, view.ref_hash)

    def of(self, name: Name) -> Name:
        """The one name of everybody who is the same person."""
        while (parent := self._parent.get(name, name)) != name:
            self._parent[name] = self._parent.get(parent, parent)  # halves the way for the next
            name = parent
        return name

    def _join(self, one: Name, other: Name) -> None:
        self._parent[self.of(one)] = self.of(other)


def _goals_of(
    group: Iterable[Seen], by_ref: Mapping[Name, list[Goal]], own: Iterable[Goal]
) -> list[Goal]:
    """Goals under a reference of the visit's views, and its person's own from its opening on."""
    views = list(group)
    refs = {view.ref_hash for view in views if view.ref_hash is not None}
    found = [goal for ref in refs for goal in by_ref.get(ref, ())]
    return found + [goal for goal in own if goal.at >= views[0].opened_at]


def _page_goals(views: Iterable[Seen], pages: Mapping[int, Page]) -> list[Goal]:
    return [
        Goal(view.opened_at, view.visitor, view.ref_hash, OutcomeSource.PAGE, COMPLETED)
        for view in views
        if (page := pages.get(view.page_id)) is not None and page.goal
    ]


def _grouped(goals: Iterable[Goal], key: Callable[[Goal], Name | None]) -> dict[Name, list[Goal]]:
    found: dict[Name, list[Goal]] = {}
    for goal in goals:
        if (name := key(goal)) is not None:
            found.setdefault(name, []).append(goal)
    return found


def _outcome(
    pages: Mapping[int, Page], group: tuple[Seen, ...], goals: list[Goal], *, decided: bool
) -> tuple[Outcome, OutcomeSource, datetime | None]:
    """The best source wins: the shop's server, the image, the page."""
    done = [goal for goal in goals if goal.result == COMPLETED]
    if done:
        best = max(done, key=lambda goal: (goal.source, -goal.at.timestamp()))
        return Outcome.COMPLETED, OutcomeSource(best.source), best.at
    if not any(_phase(pages, view) in CHECKING_OUT for view in group):
        return Outcome.BROWSED, OutcomeSource.NONE, None
    if not decided:
        return Outcome.OPEN, OutcomeSource.NONE, None
    if goals:
        return Outcome.HANDED_OVER, OutcomeSource(max(goal.source for goal in goals)), None
    paid = any(pressed_pay(pages.get(view.page_id), view) for view in group)
    return (Outcome.HANDED_OVER if paid else Outcome.ABANDONED), OutcomeSource.NONE, None


def decided_at(site: Site, group: tuple[Seen, ...]) -> datetime:
    """When nothing can complete the visit any more: its window, or its visitor's day, is over."""
    ended = max(view.last_at for view in group)
    if any(view.ref_hash is not None for view in group):
        return ended + window(site)
    midnight = datetime.combine(group[-1].day + timedelta(days=1), time.min, site.time_zone)
    return max(midnight, ended) + GAP


def window(site: Site) -> timedelta:
    return timedelta(hours=site.config.get("window_h", DEFAULT_WINDOW_H))


def pressed_pay(page: Page | None, view: Seen) -> bool:
    zones = page.zones if page else ()
    return any(zone.role == "pay" and view.pressed(zone.number) for zone in zones)


def _phase(pages: Mapping[int, Page], view: Seen) -> Phase:
    page = pages.get(view.page_id)
    return page.phase if page else Phase.BROWSE
