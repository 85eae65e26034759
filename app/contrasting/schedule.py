"""When a question is asked, when it gets its verdicts, and how much may be said of so many visits.

Everybody may look daily. What is drawn and counted is of the day; whether it is more than chance
is decided once for each complete week (`heatmap.planning`), of the visits up to then alone. So a
look on a Tuesday and another one on a Wednesday are one verdict, and all of them together call
a difference that is none in at most one question of twenty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from math import ceil

import numpy as np

from heatmap.planning import LOOK_DAYS, LOOKS, MIN_VISITS, look_due, look_level, visits_needed

RANKED_FROM = 30
"""Visits of both cohorts from which on zones are ranked: means of fewer turn over by the day."""

LEAST_OF_EACH = 2
"""A cohort of one has no spread."""

DOUBLE = 2.0
"""The ratio that a shop is promised to see: visits_needed(2) of each cohort."""

QUESTION_DAYS = LOOKS * LOOK_DAYS
DAY = timedelta(days=1)
FAR = timedelta(days=3 * 365)
"""A date beyond it is none: nobody plans on it."""


class Stage(StrEnum):
    """What may be said, by the number of visits."""

    PLAIN = "plain"
    RANKED = "ranked"
    TESTED = "tested"
    POWERED = "powered"


@dataclass(frozen=True, slots=True)
class Milestone:
    """A stage and its day: when it was reached, or will be at the rate so far; None: not so."""

    stage: Stage
    on: date | None
    reached: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """When it is decided whether a difference is more than chance.

    look   number of the last verdict that was passed, 0 for none
    until  the first day whose visits it leaves out, None before the first
    level  chance that it calls a difference which is none
    next   the day of the next one, None where there is none to come
    """

    look: int
    until: date | None
    level: float
    next: date | None


def asked_since(first_day: date, today: date) -> date:
    """The day from which on a question collects visits, if nobody says otherwise.

    A question stands for eight weeks; then the next one begins, of new visits. The old one's
    verdict is shown until the new one has its first.
    """
    days = max((today - first_day).days - LOOK_DAYS, 0)
    return first_day + days // QUESTION_DAYS * timedelta(days=QUESTION_DAYS)


def verdict_of(first: date, last: date, today: date) -> Verdict:
    """Of a question about visits from `first` to `last`, as it stands today."""
    complete = min(today, last + DAY)
    look = look_due((complete - first).days)
    until = first + timedelta(days=look * LOOK_DAYS)
    following = until + timedelta(days=LOOK_DAYS)
    comes = look < LOOKS and following <= last + DAY if last < today else look < LOOKS
    return Verdict(
        look=look,
        until=until if look else None,
        level=look_level(max(look, 1)),
        next=following if comes else None,
    )


def stage_of(first: int, second: int) -> Stage:
    """By the sizes of two cohorts."""
    smaller = min(first, second)
    if smaller >= visits_needed(DOUBLE):
        return Stage.POWERED
    if smaller >= MIN_VISITS:
        return Stage.TESTED
    if smaller >= LEAST_OF_EACH and first + second >= RANKED_FROM:
        return Stage.RANKED
    return Stage.PLAIN


def milestones(
    first: Sequence[date], second: Sequence[date], since: date, today: date
) -> tuple[Milestone, ...]:
    """The days of all stages.

    first, second  the days of each cohort's visits
    since          the first day of the period
    """
    both = sorted([*first, *second])

    def each(needed: int) -> list[date | None]:
        return [_nth(sorted(of_one), needed, since, today) for of_one in (first, second)]

    ranked = [_nth(both, RANKED_FROM, since, today), *each(LEAST_OF_EACH)]
    return (
        Milestone(Stage.PLAIN, both[0] if both else None, reached=bool(both)),
        _all_of(Stage.RANKED, ranked, today),
        _judged(_all_of(Stage.TESTED, each(MIN_VISITS), today), since, today),
        _judged(_all_of(Stage.POWERED, each(visits_needed(DOUBLE)), today), since, today),
    )


def _judged(milestone: Milestone, since: date, today: date) -> Milestone:
    """What is tested is told with a verdict: the first that rests on the day's whole visits."""
    if milestone.on is None:
        return milestone
    looks = (milestone.on - since).days // LOOK_DAYS + 1
    verdict = since + timedelta(days=looks * LOOK_DAYS)
    return replace(milestone, on=verdict, reached=verdict <= today)


def _all_of(stage: Stage, days: Sequence[date | None], today: date) -> Milestone:
    known = [day for day in days if day is not None]
    if len(known) < len(days):
        return Milestone(stage, None, reached=False)
    return Milestone(stage, max(known), max(known) <= today)


def _nth(days: Sequence[date], n: int, since: date, today: date) -> date | None:
    """The day of the nth visit: as it was, or, begun days counted whole, as the rate foretells."""
    if len(days) >= n:
        return days[n - 1]
    if not days:
        return None
    rate = len(days) / ((today - since).days + 1)
    wait = ceil((n - len(days)) / rate)
    return None if wait > FAR.days else today + timedelta(days=wait)


def days_of(ordinals: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[date]:
    """Days from the numbers that columns keep of them."""
    return [date.fromordinal(int(day)) for day in ordinals]
