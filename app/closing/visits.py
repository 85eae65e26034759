"""Views → visits and how they ended. Pure; the closing job stores what it answers.

A visit is one person's views without a gap of 30 minutes. Views that bear the same reference of
the shop are one person's too: a phone that leaves for its bank comes back by another network.
A visit that began the day before ends at noon: whatever never pauses (a monitor, or all visitors
at once behind a proxy that is not trusted) falls into visits whose beginning is found by looking
two days back, and a day can be closed without the days before those.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo

from app.configuration import DEFAULT_WINDOW_H
from app.folding.seen import Seen
from collector.codes import Codes, Outcome, OutcomeSource, Phase
from collector.sites import Page, Site

GAP = timedelta(minutes=30)
"""The field's convention for the end of a visit."""

NOON = time(12)
"""When a visit that began the day before ends, if it has not paused since."""

CHECKING_OUT = 1 << Phase.CHECKOUT | 1 << Phase.PAYMENT
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


@dataclass(slots=True)
class Goals:
    """Whose each goal is: of the visits that bear its reference, and of the person it came from."""

    by_ref: dict[bytes, list[Goal]] = field(default_factory=dict)
    by_person: dict[int, list[Goal]] = field(default_factory=dict)

    def add(self, goal: Goal, person: int | None) -> None:
        if goal.ref_hash is not None:
            self.by_ref.setdefault(goal.ref_hash, []).append(goal)
        if person is not None:
            self.by_person.setdefault(person, []).append(goal)


@dataclass(frozen=True, slots=True)
class Edge:
    """What is kept of a visit's first and last view: a day of one person has many visits."""

    view_id: int
    day: date
    page_id: int
    opened_at: datetime
    visitor: int
    codes: Codes

    @classmethod
    def of(cls, view: Seen) -> Edge:
        return cls(view.view_id, view.day, view.page_id, view.opened_at, view.visitor, view.codes)


@dataclass(slots=True)
class Visit:
    """One visit, put together view by view; what it holds does not grow with them."""

    first: Edge
    last: Edge
    ended_at: datetime
    views: int = 0
    phases: int = 0
    """Bits of the phases of the pages that were opened."""
    refs: set[bytes] = field(default_factory=set)
    pressed_pay: bool = False
    quarantined: bool = False

    @property
    def visit_id(self) -> int:
        return self.first.view_id

    @property
    def day(self) -> date:
        return self.first.day

    def goes_on_with(self, view: Seen, time_zone: tzinfo) -> bool:
        if view.opened_at - self.ended_at >= GAP:
            return False
        days = (view.day - self.day).days
        return days == 0 or (days == 1 and view.opened_at.astimezone(time_zone).time() < NOON)

    def add(self, view: Seen, page: Page | None) -> None:
        self.last = Edge.of(view)
        self.ended_at = max(self.ended_at, view.last_at)
        self.views += 1
        self.quarantined |= view.quarantined
        if view.ref_hash is not None:
            self.refs.add(view.ref_hash)
        if page is not None:
            self.phases |= 1 << page.phase
            self.pressed_pay |= pressed_pay(page, view)


@dataclass(frozen=True, slots=True)
class Ending:
    outcome: Outcome
    source: OutcomeSource = OutcomeSource.NONE
    goal_at: datetime | None = None


class Journey:
    """What one person did: takes their views in order of opening, then says how visits ended."""

    def __init__(self, site: Site, pages: Mapping[int, Page], person: int) -> None:
        self.person = person
        self._site = site
        self._pages = pages
        self._visits: list[Visit] = []
        self._page_goals: list[Goal] = []

    def add(self, view: Seen) -> Visit:
        """The visit that the view belongs to."""
        if not self._visits or not self._visits[-1].goes_on_with(view, self._site.time_zone):
            edge = Edge.of(view)
            self._visits.append(Visit(edge, edge, view.opened_at))
        visit = self._visits[-1]
        page = self._pages.get(view.page_id)
        visit.add(view, page)
        if page is not None and page.goal:
            source = OutcomeSource.PAGE
            told = Goal(view.opened_at, view.visitor, view.ref_hash, source, COMPLETED)
            self._page_goals.append(told)
        return visit

    def endings(self, goals: Goals, now: datetime) -> list[tuple[Visit, Ending]]:
        """Every visit with its outcome as it stands at `now`."""
        own = [*goals.by_person.get(self.person, ()), *self._page_goals]
        by_page: dict[bytes, list[Goal]] = {}
        for goal in self._page_goals:
            if goal.ref_hash is not None:
                by_page.setdefault(goal.ref_hash, []).append(goal)
        return [
            (visit, _ending(self._site, visit, _goals_of(visit, own, goals.by_ref, by_page), now))
            for visit in self._visits
        ]


def _goals_of(
    visit: Visit, own: Iterable[Goal], *by_ref: Mapping[bytes, Sequence[Goal]]
) -> list[Goal]:
    """Goals under a reference of the visit's views, and its person's own from its opening on."""
    found = [goal for known in by_ref for ref in visit.refs for goal in known.get(ref, ())]
    return found + [goal for goal in own if goal.at >= visit.first.opened_at]


def _ending(site: Site, visit: Visit, goals: Iterable[Goal], now: datetime) -> Ending:
    """The best source wins: the shop's server, the image, the page."""
    deadline = decided_at(site, visit)
    in_time = [goal for goal in goals if goal.at < deadline]
    done = [goal for goal in in_time if goal.result == COMPLETED]
    if done:
        best = max(done, key=lambda goal: (goal.source, -goal.at.timestamp()))
        return Ending(Outcome.COMPLETED, OutcomeSource(best.source), best.at)
    if not visit.phases & CHECKING_OUT:
        return Ending(Outcome.BROWSED)
    if now < deadline:
        return Ending(Outcome.OPEN)
    if in_time:
        return Ending(Outcome.HANDED_OVER, OutcomeSource(max(goal.source for goal in in_time)))
    return Ending(Outcome.HANDED_OVER if visit.pressed_pay else Outcome.ABANDONED)


def decided_at(site: Site, visit: Visit) -> datetime:
    """When nothing can complete the visit any more: its window, or its visitor's day, is over."""
    if visit.refs:
        return visit.ended_at + window(site)
    midnight = datetime.combine(visit.last.day + timedelta(days=1), time.min, site.time_zone)
    return max(midnight, visit.ended_at) + GAP


def window(site: Site) -> timedelta:
    return timedelta(hours=site.config.get("window_h", DEFAULT_WINDOW_H))


def pressed_pay(page: Page, view: Seen) -> bool:
    return any(zone.role == "pay" and view.pressed(zone.number) for zone in page.zones)
