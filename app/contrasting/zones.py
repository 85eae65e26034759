"""Zones ranked: where one cohort dwells longer than another, with p of the last verdict.

All devices are pooled, since zones exist in every layout; visits are relabelled within device and
week. What is counted is of the day, what is decided of the last complete week.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from app.contrasting.question import Question
from app.contrasting.reading import Flags
from app.contrasting.schedule import RANKED_FROM, Stage
from app.contrasting.tables import Floats
from app.drawing.renders import Renders
from heatmap.cohorts import Whole
from heatmap.intervals import UNKNOWN, Interval, rate_difference
from heatmap.planning import MIN_VISITS, detectable_ratio, power
from heatmap.regions import CONCERNED_S
from heatmap.zone_metrics import zone_metrics
from heatmap.zone_tests import ZoneDifference, ZoneDifferences, compare_zones

MONTH_DAYS = 30
NEVER = 10**9
"""Visits that no cohort has: asks for means and intervals without a test."""

ASKED_RATIO = 2.0
"""What a planned question's power is told for."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a verdict says of a zone: t and p, NaN where it says nothing."""

    t: float
    p: float
    p_planned: float


NOT_JUDGED = Judged(math.nan, math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class ZoneRow:
    """One zone.

    difference   seconds of both cohorts, of the day; None where there is no contrast
    judged       of the last verdict
    significant  whether it called this zone
    metrics      by name: rates of all visits, of the first and of the second cohort
    """

    number: int
    name: str
    difference: ZoneDifference | None
    judged: Judged
    significant: bool
    metrics: Mapping[str, tuple[Interval, Interval, Interval]]
    left_from: int
    """Visits that went from here without completing, whatever their cohort."""


@dataclass(frozen=True, slots=True)
class UpperBound:
    """Orders a month, if all visits that dwelt at a zone had ordered as the others did.

    low, high  around `orders`: Newcombe's interval of the difference between both rates, of as many
               visits as dwelt there
    """

    orders: int
    low: int
    high: int
    concerned: int


@dataclass(frozen=True, slots=True)
class ZoneAnswer:
    """Zones, the surest difference first.

    judged_visits     of each cohort, that the verdict rests on; (0, 0) before the first
    detectable_ratio  the least that these would have shown; inf where they show none
    planned_power     of the planned question at twice the dwell, None where none was asked
    """

    question: Question
    zones: tuple[ZoneRow, ...]
    judged_visits: tuple[int, int]
    detectable_ratio: float
    bound: UpperBound | None
    planned_power: float | None

    @property
    def tested(self) -> bool:
        """Whether a verdict was passed that two cohorts large enough stand behind."""
        return min(self.judged_visits) >= MIN_VISITS


async def zone_answer(question: Question, renders: Renders) -> ZoneAnswer:
    """Rank the zones; the relabelling runs in a drawing process."""
    differences: Mapping[int, ZoneDifference] = {}
    judged: Mapping[int, ZoneDifference] = {}
    sizes = (0, 0)
    if question.why_not is None:
        differences = _by_zone(_counted(question))
        which = question.judged
        first = question.first[which]
        sizes = int(first.sum()), int((~first).sum())
        if min(sizes) >= visits_to_test(question):
            with renders.place():
                judged = _by_zone(await renders.run(judge, *_evidence(question, which)))
    rows = _rows(question, differences, judged)
    return ZoneAnswer(
        question=question,
        zones=rows,
        judged_visits=sizes,
        detectable_ratio=detectable_ratio(*sizes),
        bound=_bound(question, rows),
        planned_power=_planned_power(question, sizes),
    )


def visits_to_test(question: Question) -> int:
    """One planned question may be tested with fewer visits: its power says what that is worth."""
    return 2 if question.query.planned_zone is not None else MIN_VISITS


def judge(
    seconds: Floats, first: Flags, seen: Flags, stratum: Whole, least: int
) -> ZoneDifferences:
    """Runs in a drawing process."""
    return compare_zones(seconds, first, exposed=seen, stratum=stratum, min_visits=least)


def _evidence(question: Question, which: Flags) -> tuple[Floats, Flags, Flags, Whole, int]:
    table = question.told
    stratum = question.strata[which]
    return (
        table.seconds[which],
        question.first[which],
        table.seen[which],
        stratum.astype(np.intp),
        visits_to_test(question),
    )


def _counted(question: Question) -> ZoneDifferences:
    """Means, ratios and intervals of the day."""
    which = question.first | question.second
    seconds, first, seen, stratum, _ = _evidence(question, which)
    return compare_zones(seconds, first, exposed=seen, stratum=stratum, min_visits=NEVER)


def _by_zone(differences: ZoneDifferences) -> dict[int, ZoneDifference]:
    """By the place of the zone among the columns, in the order of their rank."""
    return {one.zone: one for one in differences.zones}


def _rows(
    question: Question,
    differences: Mapping[int, ZoneDifference],
    judged: Mapping[int, ZoneDifference],
) -> tuple[ZoneRow, ...]:
    """As the verdict ranks them; without one, as the day does."""
    numbers = question.told.numbers
    metrics = _metrics(question)
    left = question.told.acts.last
    order = list(judged) or list(differences) or list(range(len(numbers)))
    return tuple(
        ZoneRow(
            number=numbers[place],
            name=question.zone_name(numbers[place]),
            difference=differences.get(place),
            judged=_judged(judged.get(place)),
            significant=is_called(question, numbers[place], _judged(judged.get(place))),
            metrics={name: rates[place] for name, rates in metrics.items()},
            left_from=int((left == place).sum()),
        )
        for place in order
    )


def is_called(question: Question, number: int, judged: Judged) -> bool:
    """Of a planned question the other zones are no question: they would need correction."""
    planned = question.query.planned_zone
    if planned not in (None, number):
        return False
    return (judged.p if planned is None else judged.p_planned) <= question.verdict.level


def _judged(difference: ZoneDifference | None) -> Judged:
    if difference is None:
        return NOT_JUDGED
    return Judged(difference.t, difference.p, difference.p_planned)


def _metrics(
    question: Question,
) -> Mapping[str, tuple[tuple[Interval, Interval, Interval], ...]]:
    """By name and zone: rates of all visits and of the cohorts; those too small tell nothing."""
    everybody = np.ones(question.visits, np.bool_)
    told = {}
    for metric in zone_metrics(question.told.acts):
        rates = [
            metric.of(which).rates() if may else tuple(UNKNOWN for _ in question.told.numbers)
            for which, may in (
                (everybody, True),
                (question.first, question.alone[0]),
                (question.second, question.alone[1]),
            )
        ]
        told[metric.name] = tuple(zip(*rates, strict=True))
    return told


def _bound(question: Question, rows: tuple[ZoneRow, ...]) -> UpperBound | None:
    """Of the first zone that the default question's verdict called, and where abandoners dwell
    longer; visits that dwelt there against those that did not."""
    called = next((row for row in rows if row.significant), None)
    if called is None or not question.query.is_default or not called.judged.t > 0:
        return None
    place = question.told.numbers.index(called.number)
    from_here = question.told.seconds[:, place] >= CONCERNED_S
    done, gone = question.second, question.first
    others_done, others = int((done & ~from_here).sum()), int(((done | gone) & ~from_here).sum())
    if others < RANKED_FROM:
        return None  # the rate of a handful would be carried over to hundreds
    concerned = int(((done | gone) & from_here).sum())
    if not concerned:
        return None  # they differ by less than a second: nobody counts as having dwelt there
    done_here = int((done & from_here).sum())
    apart = rate_difference(others_done, others, done_here, concerned)
    days = (min(question.period[1], question.today) - question.period[0]).days + 1
    a_month = MONTH_DAYS / days
    more = concerned * others_done / others - done_here
    return UpperBound(
        orders=math.ceil(max(more, 0) * a_month),
        low=math.floor(max(apart.low, 0) * concerned * a_month),
        high=math.ceil(max(apart.high, 0) * concerned * a_month),
        concerned=concerned,
    )


def _planned_power(question: Question, sizes: tuple[int, int]) -> float | None:
    if question.query.planned_zone is None or question.stage is Stage.PLAIN:
        return None
    return power(ASKED_RATIO, *sizes, level=question.verdict.level)
