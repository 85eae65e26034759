"""What the API says of zones: as JSON, and as rows for a spreadsheet."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel

from app.api.question_models import IntervalOut, QuestionOut, interval, known, question_out
from app.api.spreadsheets import Cell, Table, edges
from app.contrasting.zones import UpperBound, ZoneAnswer, ZoneRow
from heatmap.intervals import Interval
from heatmap.zone_tests import ZoneDifference


class SideOut(BaseModel):
    """A cohort at a zone: seconds per visit that saw it, and how many dwelt a second or longer."""

    seconds: IntervalOut | None
    exposed: int
    concerned: int


class RatesOut(BaseModel):
    all: IntervalOut | None
    a: IntervalOut | None
    b: IntervalOut | None


class ZoneOut(BaseModel):
    number: int
    name: str
    a: SideOut | None
    b: SideOut | None
    ratio: IntervalOut | None
    t: float | None
    p: float | None
    p_planned: float | None
    significant: bool
    left_from: int
    metrics: dict[str, RatesOut]


class JudgedOut(BaseModel):
    a: int
    b: int
    detectable_ratio: float | None


class BoundOut(BaseModel):
    """If the visits that dwelt there had ordered as the others did: an upper bound, and what chance
    leaves open of it."""

    orders_a_month: int
    low: int
    high: int
    visits: int


class PlannedOut(BaseModel):
    zone: int
    power_of_double: float | None


class Zones(QuestionOut):
    """Zones ranked by how surely the cohorts differ; p is of the last verdict."""

    judged: JudgedOut
    upper_bound: BoundOut | None
    planned: PlannedOut | None
    zones: list[ZoneOut]


def zones_out(answer: ZoneAnswer) -> Zones:
    return Zones(
        **question_out(answer.question).model_dump(),
        judged=JudgedOut(
            a=answer.judged_visits[0],
            b=answer.judged_visits[1],
            detectable_ratio=known(answer.detectable_ratio),
        ),
        upper_bound=_bound(answer.bound),
        planned=_planned(answer),
        zones=[_zone(row) for row in answer.zones],
    )


def _bound(bound: UpperBound | None) -> BoundOut | None:
    if bound is None:
        return None
    return BoundOut(
        orders_a_month=bound.orders, low=bound.low, high=bound.high, visits=bound.concerned
    )


def _planned(answer: ZoneAnswer) -> PlannedOut | None:
    zone = answer.question.query.planned_zone
    return None if zone is None else PlannedOut(zone=zone, power_of_double=answer.planned_power)


def _zone(row: ZoneRow) -> ZoneOut:
    a, b = _sides(row.difference)
    return ZoneOut(
        number=row.number,
        name=row.name,
        a=a,
        b=b,
        ratio=interval(row.difference.ratio) if row.difference else None,
        t=known(row.judged.t),
        p=known(row.judged.p),
        p_planned=known(row.judged.p_planned),
        significant=row.significant,
        left_from=row.left_from,
        metrics={_spelled(name): _rates(*rates) for name, rates in row.metrics.items()},
    )


def _sides(told: ZoneDifference | None) -> tuple[SideOut | None, SideOut | None]:
    if told is None:
        return None, None
    return (
        SideOut(
            seconds=interval(told.first),
            exposed=told.first_exposed,
            concerned=told.first_concerned,
        ),
        SideOut(
            seconds=interval(told.second),
            exposed=told.second_exposed,
            concerned=told.second_concerned,
        ),
    )


def _rates(everybody: Interval, first: Interval, second: Interval) -> RatesOut:
    return RatesOut(all=interval(everybody), a=interval(first), b=interval(second))


def _spelled(name: str) -> str:
    return name.replace(" ", "_")


RATES = ("exposure", "click_rate", "hover_rate", "hesitation", "field_abandon", "field_return")
ZONE_HEAD = (
    *("number", "name", "a_seconds", "a_low", "a_high", "a_exposed", "a_concerned"),
    *("b_seconds", "b_low", "b_high", "b_exposed", "b_concerned"),
    *("ratio", "ratio_low", "ratio_high", "p", "significant", "left_from"),
    *(f"{rate}{part}" for rate in RATES for part in ("", "_low", "_high")),
)


def zone_rows(answer: ZoneAnswer) -> Table:
    """Head and rows of zones.csv; rates are of all visits."""
    return ZONE_HEAD, (_zone_row(row) for row in answer.zones)


def _zone_row(row: ZoneRow) -> Sequence[Cell]:
    rates = [edge for everybody, _, _ in row.metrics.values() for edge in edges(everybody)]
    judged: list[Cell] = [row.judged.p, row.significant, row.left_from]
    return [row.number, row.name, *_difference_cells(row.difference), *judged, *rates]


def _difference_cells(told: ZoneDifference | None) -> Sequence[Cell]:
    if told is None:
        return [None] * (ZONE_HEAD.index("p") - ZONE_HEAD.index("a_seconds"))
    return [
        *(*edges(told.first), told.first_exposed, told.first_concerned),
        *(*edges(told.second), told.second_exposed, told.second_concerned),
        *edges(told.ratio),
    ]
