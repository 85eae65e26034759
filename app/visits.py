"""Views → visits and how they ended. Pure; the closing job stores what it answers.

A visit is one visitor's views without a gap of 30 minutes. Views that bear the same reference of
the shop are one visitor's too: a phone that leaves for its bank comes back by another network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.seen import Seen
from collector.codes import Outcome, OutcomeSource, Phase
from collector.sites import Page, Site

GAP = timedelta(minutes=30)
"""The field's convention for the end of a visit."""

DEFAULT_WINDOW_H = 24
"""How long a visit with a reference may still complete; a site may say up to 7 days."""

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
    reached = [*goals, *_page_goals(views := list(views), pages)]
    by_ref = _grouped(reached, lambda goal: goal.ref_hash)
    by_visitor = _grouped(reached, lambda goal: goal.visitor)
    visits = []
    for group in grouped_views(views):
        found = [goal for view in group for goal in by_ref.get(view.ref_hash, ())]
        found += [
            goal
            for visitor in {view.visitor for view in group}
            for goal in by_visitor.get(visitor, ())
            if goal.at >= group[0].opened_at
        ]
        visits.append(_visit(site, pages, group, found, now))
    return visits


def grouped_views(views: Iterable[Seen]) -> list[tuple[Seen, ...]]:
    """The views of each visit, in order of opening."""
    ordered = sorted(views, key=lambda view: (view.opened_at, view.view_id))
    people = _People(ordered)
    streams: dict[object, list[list[Seen]]] = {}
    for view in ordered:
        stream = streams.setdefault(people.of(view), [])
        if stream and view.opened_at - max(v.last_at for v in stream[-1]) < GAP:
            stream[-1].append(view)
        else:
            stream.append([view])
    return [tuple(group) for stream in streams.values() for group in stream]


class _People:
    """Which visitors are one: the same hash, yesterday's hash past midnight, the same reference."""

    def __init__(self, views: list[Seen]) -> None:
        self._parent: dict[object, object] = {}
        for view in views:
            if view.visitor_before is not None:
                self._join(view.visitor, view.visitor_before)
            if view.ref_hash is not None:
                self._join(view.visitor, view.ref_hash)

    def of(self, view: Seen) -> object:
        return self._root(view.visitor)

    def _root(self, name: object) -> object:
        while (parent := self._parent.get(name, name)) != name:
            name = parent
        return name

    def _join(self, one: object, other: object) -> None:
        first, second = self._root(one), self._root(other)
        if first != second:
            self._parent[first] = second


def _page_goals(views: Iterable[Seen], pages: Mapping[int, Page]) -> list[Goal]:
    return [
        Goal(view.opened_at, view.visitor, view.ref_hash, OutcomeSource.PAGE, COMPLETED)
        for view in views
        if (page := pages.get(view.page_id)) is not None and page.goal
    ]


def _grouped(goals: list[Goal], key: Callable[[Goal], object]) -> dict[object, list[Goal]]:
    found: dict[object, list[Goal]] = {}
    for goal in goals:
        if (name := key(goal)) is not None:
            found.setdefault(name, []).append(goal)
    return found


def _visit(
    site: Site,
    pages: Mapping[int, Page],
    group: tuple[Seen, ...],
    goals: list[Goal],
    now: datetime,
) -> Visit:
    outcome, source, goal_at = _outcome(site, pages, group, goals, now)
    return Visit(group[0].view_id, group[0].day, group, outcome, source, goal_at)


def _outcome(
    site: Site,
    pages: Mapping[int, Page],
    group: tuple[Seen, ...],
    goals: list[Goal],
    now: datetime,
) -> tuple[Outcome, OutcomeSource, datetime | None]:
    """The best source wins: the shop's server, the image, the page."""
    done = [goal for goal in goals if goal.result == COMPLETED]
    if done:
        best = max(done, key=lambda goal: (goal.source, -goal.at.timestamp()))
        return Outcome.COMPLETED, OutcomeSource(best.source), best.at
    if not any(_phase(pages, view) >= Phase.CHECKOUT for view in group):
        return Outcome.BROWSED, OutcomeSource.NONE, None
    if now < decided_at(site, group):
        return Outcome.OPEN, OutcomeSource.NONE, None
    if goals:
        return Outcome.HANDED_OVER, OutcomeSource(max(goal.source for goal in goals)), None
    paid = any(pressed_pay(pages.get(view.page_id), view) for view in group)
    return (Outcome.HANDED_OVER if paid else Outcome.ABANDONED), OutcomeSource.NONE, None


def decided_at(site: Site, group: tuple[Seen, ...]) -> datetime:
    """When nothing can complete the visit any more: its window, or its visitor's day, is over."""
    ended = max(view.last_at for view in group)
    if any(view.ref_hash is not None for view in group):
        return ended + timedelta(hours=site.config.get("window_h", DEFAULT_WINDOW_H))
    midnight = datetime.combine(
        group[-1].day + timedelta(days=1), datetime.min.time(), site.time_zone
    )
    return midnight + GAP


def pressed_pay(page: Page | None, view: Seen) -> bool:
    zones = page.zones if page else ()
    return any(zone.role == "pay" and view.pressed(zone.number) for zone in zones)


def _phase(pages: Mapping[int, Page], view: Seen) -> Phase:
    page = pages.get(view.page_id)
    return page.phase if page else Phase.BROWSE
