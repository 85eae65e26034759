"""Visits the slow way: every view of every day at hand at once, as the definition says it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from app.closing.visits import CHECKING_OUT, COMPLETED, GAP, NOON, Goal, window
from app.folding.seen import Seen, by_opening
from collector.codes import Outcome, OutcomeSource
from collector.sites import Site

Name = int | bytes


@dataclass(frozen=True, slots=True)
class Visit:
    visit_id: int
    day: date
    views: tuple[int, ...]
    outcome: Outcome
    source: OutcomeSource
    goal_at: datetime | None


class People:
    """Of every opening, a twin's too; one set for each person, joined again and again."""

    def __init__(self, views: Iterable[Seen]) -> None:
        self._sets: list[set[Name]] = []
        for view in views:
            names: set[Name] = {view.visitor}
            names |= {name for name in (view.visitor_before, view.ref_hash) if name is not None}
            met = [known for known in self._sets if known & names]
            self._sets = [known for known in self._sets if not known & names]
            self._sets.append(names.union(*met))

    def of(self, visitor: int) -> int:
        """The smallest hash of all that are the visitor's."""
        known = next((known for known in self._sets if visitor in known), {visitor})
        return min(name for name in known if isinstance(name, int))


def visits_of(
    site: Site, opened: Iterable[Seen], kept: Iterable[Seen], goals: Iterable[Goal], now: datetime
) -> list[Visit]:
    """Of the views that are `kept` of those that were opened, twins being left out."""
    people = People(opened)
    pages = {page.page_id: page for page in site.pages.values()}
    ordered = sorted(kept, key=by_opening)
    groups: list[list[Seen]] = []
    last: dict[int, list[Seen]] = {}
    for view in ordered:
        person = people.of(view.visitor)
        if person not in last or not _goes_on(last[person], view, site):
            groups.append(last.setdefault(person, []))
            if groups[-1]:
                groups[-1] = last[person] = []
        last[person].append(view)
    reached = [*goals]
    for view in ordered:
        if (page := pages.get(view.page_id)) is not None and page.goal:
            told = view.opened_at, view.visitor, view.ref_hash, OutcomeSource.PAGE, COMPLETED
            reached.append(Goal(*told))
    return [_ended(site, group, people, reached, now) for group in groups]


def _goes_on(group: list[Seen], view: Seen, site: Site) -> bool:
    pause = view.opened_at - max(seen.last_at for seen in group)
    morning = view.opened_at.astimezone(site.time_zone).time() < NOON
    days = (view.day - group[0].day).days
    return pause < GAP and (days == 0 or (days == 1 and morning))


def _ended(
    site: Site, group: list[Seen], people: People, goals: list[Goal], now: datetime
) -> Visit:
    pages = {page.page_id: page for page in site.pages.values()}
    refs = {view.ref_hash for view in group} - {None}
    person = people.of(group[0].visitor)
    ended = max(view.last_at for view in group)
    midnight = datetime.combine(group[-1].day + timedelta(days=1), time(), site.time_zone)
    deadline = ended + window(site) if refs else max(midnight, ended) + GAP
    mine = [
        goal
        for goal in goals
        if goal.at < deadline
        and (
            goal.ref_hash in refs
            or (
                goal.visitor is not None
                and people.of(goal.visitor) == person
                and goal.at >= group[0].opened_at
            )
        )
    ]
    done = sorted(
        (goal for goal in mine if goal.result == COMPLETED),
        key=lambda goal: (-goal.source, goal.at),
    )
    seen = [pages[view.page_id] for view in group if view.page_id in pages]
    paid = any(
        zone.role == "pay" and view.pressed(zone.number)
        for view in group
        if view.page_id in pages
        for zone in pages[view.page_id].zones
    )
    outcome, source, at = Outcome.ABANDONED, OutcomeSource.NONE, None
    if done:
        outcome, source, at = Outcome.COMPLETED, OutcomeSource(done[0].source), done[0].at
    elif not any(1 << page.phase & CHECKING_OUT for page in seen):
        outcome = Outcome.BROWSED
    elif now < deadline:
        outcome = Outcome.OPEN
    elif mine:
        outcome = Outcome.HANDED_OVER
        source = OutcomeSource(max(goal.source for goal in mine))
    elif paid:
        outcome = Outcome.HANDED_OVER
    ids = tuple(view.view_id for view in group)
    return Visit(group[0].view_id, group[0].day, ids, outcome, source, at)
