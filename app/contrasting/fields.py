"""The form report: what visits did in each field of a page, in the order of the form.

It works script-free and on phones: a field's focus is a clock whose steps are known, so that its
median comes of a life table. It tells of every visit from the first day on; the cohorts beside one
another are told with what `heatmap.zone_tests` says of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from app.contrasting.question import Question
from app.contrasting.reading import Flags
from app.contrasting.tables import Floats, ZoneTable
from app.contrasting.zones import NEVER, NOT_JUDGED, Judged, is_called, visits_to_test
from app.drawing.renders import Renders
from heatmap.cohorts import Whole
from heatmap.fixations import CLOCK_STEPS_S, clock_dwell_s, clock_seconds
from heatmap.intervals import Interval
from heatmap.life_table import LifeTable, life_table
from heatmap.zone_tests import ZoneDifferences, compare_zones

FIELD_ROLES = ("field", "frame")
"""What takes input; a payment provider's frame is a field as far as the shop sees."""

MEDIAN, UPPER = 0.5, 0.75


@dataclass(frozen=True, slots=True)
class FieldCounts:
    """What some visits did in one field.

    visits    of the page
    reached   visits in whose window it was
    focused   visits that entered it
    life      how long those had it in focus
    returned  visits that entered it again, within a page view (where the script tells it) or later
    errors    visits that were shown an error there; None where nobody looks for any
    left_from visits that told of this field last, and ended on this page
    """

    visits: int
    reached: int
    focused: int
    life: LifeTable
    returned: int
    errors: int | None
    left_from: int

    @property
    def median_s(self) -> float:
        return self.life.quantile_s(MEDIAN)

    @property
    def upper_s(self) -> float:
        return self.life.quantile_s(UPPER)


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field: of all visits, and of the cohorts where they are large enough to be told.

    ratio   of the mean seconds in focus per visit that entered it, first to second cohort
    judged  of the last verdict
    """

    number: int
    name: str
    everybody: FieldCounts
    first: FieldCounts | None
    second: FieldCounts | None
    ratio: Interval | None
    judged: Judged
    significant: bool


@dataclass(frozen=True, slots=True)
class FieldAnswer:
    question: Question
    fields: tuple[FieldRow, ...]
    left_nowhere: int
    """Visits that ended on this page and told of no zone at all."""


async def field_answer(question: Question, renders: Renders) -> FieldAnswer:
    """The form report; its tests run in a drawing process."""
    places = _in_order(question)
    seconds = counted_seconds(question.told)[:, places]
    focused = question.told.acts.focuses[:, places] > 0
    ratios: Mapping[int, Interval] = {}
    judged: Mapping[int, Judged] = {}
    if question.why_not is None and places:
        both = question.first | question.second
        ratios = {
            one.zone: one.ratio
            for one in _compared(*_evidence(question, seconds, focused, both), NEVER).zones
        }
        judged = await _verdict(question, seconds, focused, renders)
    rows = tuple(
        _row(question, place, ratios.get(n), judged.get(n, NOT_JUDGED))
        for n, place in enumerate(places)
    )
    left = question.found.visits.left
    return FieldAnswer(question, rows, int((left & (question.told.last == -1)).sum()))


async def _verdict(
    question: Question, seconds: Floats, focused: Flags, renders: Renders
) -> Mapping[int, Judged]:
    evidence = _evidence(question, seconds, focused, question.judged)
    first = evidence[1]
    least = visits_to_test(question)
    if min(int(first.sum()), int((~first).sum())) < least:
        return {}
    with renders.place():
        told = await renders.run(_compared, *evidence, least)
    return {one.zone: Judged(one.t, one.p, one.p_planned) for one in told.zones}


def _compared(
    seconds: Floats, first: Flags, focused: Flags, stratum: Whole, least: int
) -> ZoneDifferences:
    """Runs in a drawing process; a visit that did not enter a field had no time in it to lose."""
    return compare_zones(seconds, first, exposed=focused, stratum=stratum, min_visits=least)


def _evidence(
    question: Question, seconds: Floats, focused: Flags, which: Flags
) -> tuple[Floats, Flags, Flags, Whole]:
    stratum = question.strata[which].astype(np.intp)
    return seconds[which], question.first[which], focused[which], stratum


def reached_s(table: ZoneTable) -> Floats:
    """The last step that a clock over the whole visit would have reached."""
    steps = np.array((0, *CLOCK_STEPS_S), np.float64)
    passed: Floats = steps[np.searchsorted(steps, table.focus_s, side="right") - 1]
    return passed


def counted_seconds(table: ZoneTable) -> Floats:
    """Seconds in focus, each in the middle of what its clock leaves open."""
    return clock_seconds(*clock_dwell_s(reached_s(table))) * (table.acts.focuses > 0)


def _in_order(question: Question) -> list[int]:
    """Places of the fields, as they stand on the page; by number where no layout has them all."""
    roles = {zone.number: zone.role for zone in question.page.zones}
    places = [
        place
        for place, number in enumerate(question.told.numbers)
        if roles.get(number) in FIELD_ROLES
    ]
    tops = _tops(question)
    numbers = [question.told.numbers[place] for place in places]
    if not set(numbers) <= set(tops):
        return places
    return sorted(places, key=lambda place: (tops[question.told.numbers[place]], place))


def _tops(question: Question) -> Mapping[int, tuple[float, float]]:
    """Top and left edge of each zone in the newest of the layouts."""
    newest = max(question.layouts, key=lambda one: one.valid_from, default=None)
    if newest is None:
        return {}
    return {box.number: (box.edges_px[1], box.edges_px[0]) for box in newest.boxes}


def _row(question: Question, place: int, ratio: Interval | None, judged: Judged) -> FieldRow:
    cohorts: Sequence[FieldCounts | None] = [
        _counts(question, place, which) if told else None
        for which, told in zip((question.first, question.second), question.alone, strict=True)
    ]
    number = question.told.numbers[place]
    return FieldRow(
        number=number,
        name=question.zone_name(number),
        everybody=_counts(question, place, np.ones(question.visits, np.bool_)),
        first=cohorts[0],
        second=cohorts[1],
        ratio=ratio,
        judged=judged,
        significant=is_called(question, number, judged),
    )


def _tells_errors(question: Question, place: int) -> bool:
    """Whether the zone is asked for errors, or was: none told of another is not none shown."""
    if bool(question.told.errors[:, place].any()):
        return True
    zones = (zone for zone in question.page.zones if zone.number == question.told.numbers[place])
    return any("error" in zone.states or "validity" in zone.watches for zone in zones)


def _counts(question: Question, place: int, which: Flags) -> FieldCounts:
    table = question.told
    focused = which & (table.acts.focuses[:, place] > 0)
    return FieldCounts(
        visits=int(which.sum()),
        reached=int((which & table.seen[:, place]).sum()),
        focused=int(focused.sum()),
        life=life_table(reached_s(table)[focused, place]),
        returned=int((which & (table.acts.focuses[:, place] > 1)).sum()),
        errors=int((which & table.errors[:, place]).sum())
        if _tells_errors(question, place)
        else None,
        left_from=int((which & (table.acts.last == place)).sum()),
    )
