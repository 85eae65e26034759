"""What the API says of two cohorts; `null` stands for what the data do not tell."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import date

from pydantic import BaseModel

from app.api.spreadsheets import Cell
from app.contrasting.fields import FieldAnswer, FieldCounts
from app.contrasting.question import Question
from app.contrasting.zones import ZoneAnswer, ZoneRow
from heatmap.intervals import Interval
from heatmap.planning import LOOKS


class IntervalOut(BaseModel):
    """An estimate, and the interval of 95 % around it."""

    value: float
    low: float
    high: float | None


class CohortOut(BaseModel):
    filter: str
    visits: int


class LabelsOut(BaseModel):
    """Orders that the shop's server reported, and how many of them were matched to a visit."""

    reported: int
    matched: int
    share: float | None
    doubtful: bool


class MilestoneOut(BaseModel):
    stage: str
    on: date | None
    reached: bool


class VerdictOut(BaseModel):
    """The last decision: one for each complete week, `looks` at the most."""

    look: int
    looks: int
    until: date | None
    next: date | None
    level: float


class QuestionOut(BaseModel):
    """What the answer rests on."""

    site: str
    page: str
    state: str
    date_from: date
    date_to: date
    time_zone: str
    a: CohortOut
    b: CohortOut
    visits: int
    handed_over: int
    undecided: int
    coverage: float | None
    labels: LabelsOut
    contrast: bool
    why_not: str | None
    """`no_goal`: nothing tells which visits completed; `too_few`: see `milestones`."""
    stage: str
    milestones: list[MilestoneOut]
    verdict: VerdictOut
    kind: str
    """`cause` where variants were dealt out at random, else `association`."""


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
    """If the visits that dwelt there had ordered as the others did: an upper bound."""

    orders_a_month: int
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


class CountsOut(BaseModel):
    visits: int
    reached: int
    focused: int
    median_s: float | None
    p75_s: float | None
    returned: int
    errors: int
    left_from: int


class FieldOut(BaseModel):
    number: int
    name: str
    all: CountsOut
    a: CountsOut | None
    b: CountsOut | None
    ratio: IntervalOut | None
    p: float | None
    significant: bool


class Fields(QuestionOut):
    """The form report, in the order of the form."""

    left_nowhere: int
    fields: list[FieldOut]


def question_out(question: Question) -> QuestionOut:
    query, verdict, truth = question.query, question.verdict, question.truth
    sizes = question.sizes
    return QuestionOut(
        site=question.site.public_key,
        page=question.page.slug,
        state=question.site.state,
        date_from=question.period[0],
        date_to=question.period[1],
        time_zone=question.site.time_zone.key,
        a=CohortOut(filter=query.a, visits=sizes[0]),
        b=CohortOut(filter=query.b, visits=sizes[1]),
        visits=question.visits,
        handed_over=question.handed_over,
        undecided=question.undecided,
        coverage=question.coverage,
        labels=LabelsOut(
            reported=truth.reported,
            matched=truth.matched,
            share=truth.share,
            doubtful=truth.doubtful,
        ),
        contrast=question.why_not is None,
        why_not=question.why_not,
        stage=question.stage.value,
        milestones=[
            MilestoneOut(stage=one.stage.value, on=one.on, reached=one.reached)
            for one in question.milestones()
        ],
        verdict=VerdictOut(
            look=verdict.look,
            looks=LOOKS,
            until=verdict.until,
            next=verdict.next,
            level=verdict.level,
        ),
        kind="cause" if query.randomised else "association",
    )


def zones_out(answer: ZoneAnswer) -> Zones:
    planned = answer.question.query.planned_zone
    bound = answer.bound
    return Zones(
        **question_out(answer.question).model_dump(),
        judged=JudgedOut(
            a=answer.judged_visits[0],
            b=answer.judged_visits[1],
            detectable_ratio=known(answer.detectable_ratio),
        ),
        upper_bound=bound and BoundOut(orders_a_month=bound.orders, visits=bound.concerned),
        planned=None
        if planned is None
        else PlannedOut(zone=planned, power_of_double=answer.planned_power),
        zones=[_zone(row) for row in answer.zones],
    )


def _zone(row: ZoneRow) -> ZoneOut:
    told = row.difference
    return ZoneOut(
        number=row.number,
        name=row.name,
        a=told
        and SideOut(
            seconds=interval(told.first),
            exposed=told.first_exposed,
            concerned=told.first_concerned,
        ),
        b=told
        and SideOut(
            seconds=interval(told.second),
            exposed=told.second_exposed,
            concerned=told.second_concerned,
        ),
        ratio=interval(told.ratio) if told else None,
        t=known(row.judged.t),
        p=known(row.judged.p),
        p_planned=known(row.judged.p_planned),
        significant=row.significant,
        left_from=row.left_from,
        metrics={
            name.replace(" ", "_"): RatesOut(
                all=interval(rates[0]), a=interval(rates[1]), b=interval(rates[2])
            )
            for name, rates in row.metrics.items()
        },
    )


def fields_out(answer: FieldAnswer) -> Fields:
    return Fields(
        **question_out(answer.question).model_dump(),
        left_nowhere=answer.left_nowhere,
        fields=[
            FieldOut(
                number=row.number,
                name=row.name,
                all=_counts(row.everybody),
                a=row.first and _counts(row.first),
                b=row.second and _counts(row.second),
                ratio=interval(row.ratio) if row.ratio else None,
                p=known(row.judged.p),
                significant=row.significant,
            )
            for row in answer.fields
        ],
    )


def _counts(counts: FieldCounts) -> CountsOut:
    return CountsOut(
        visits=counts.visits,
        reached=counts.reached,
        focused=counts.focused,
        median_s=known(counts.median_s),
        p75_s=known(counts.upper_s),
        returned=counts.returned,
        errors=counts.errors,
        left_from=counts.left_from,
    )


def known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def interval(told: Interval) -> IntervalOut | None:
    if not math.isfinite(told.value):
        return None
    return IntervalOut(value=told.value, low=told.low, high=known(told.high))


Table = tuple[Sequence[str], Iterator[Sequence[Cell]]]

ZONE_HEAD = (
    *("number", "name", "a_seconds", "a_low", "a_high", "a_exposed", "a_concerned"),
    *("b_seconds", "b_low", "b_high", "b_exposed", "b_concerned"),
    *("ratio", "ratio_low", "ratio_high", "p", "significant", "left_from"),
    *("exposure", "click_rate", "hover_rate", "hesitation", "field_abandon", "field_return"),
)


def zone_rows(answer: ZoneAnswer) -> Table:
    """Head and rows of zones.csv; rates are of all visits."""
    return ZONE_HEAD, (_zone_row(row) for row in answer.zones)


def _zone_row(row: ZoneRow) -> Sequence[Cell]:
    told = row.difference
    sides: list[Cell] = [None] * 13
    if told is not None:
        sides = [
            *_edges(told.first),
            told.first_exposed,
            told.first_concerned,
            *_edges(told.second),
            told.second_exposed,
            told.second_concerned,
            *_edges(told.ratio),
        ]
    rates = [everybody.value for everybody, _, _ in row.metrics.values()]
    judged: list[Cell] = [row.judged.p, row.significant, row.left_from]
    return [row.number, row.name, *sides, *judged, *rates]


def _edges(told: Interval) -> tuple[float, float, float]:
    return told.value, told.low, told.high


COUNTS = ("visits", "reached", "focused", "median_s", "p75_s", "returned", "errors", "left_from")
FIELD_HEAD = (
    *("number", "name"),
    *(f"{cohort}_{name}" for cohort in ("all", "a", "b") for name in COUNTS),
    *("ratio", "ratio_low", "ratio_high", "p", "significant"),
)


def field_rows(answer: FieldAnswer) -> Table:
    """Head and rows of fields.csv."""
    return FIELD_HEAD, (
        [
            row.number,
            row.name,
            *(cell for side in (row.everybody, row.first, row.second) for cell in _side(side)),
            *(_edges(row.ratio) if row.ratio else (None, None, None)),
            row.judged.p,
            row.significant,
        ]
        for row in answer.fields
    )


def _side(counts: FieldCounts | None) -> Sequence[Cell]:
    if counts is None:
        return [None] * len(COUNTS)
    return list(_counts(counts).model_dump().values())
