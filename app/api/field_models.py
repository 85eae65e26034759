"""What the API says of fields, the form report: as JSON, and as rows for a spreadsheet."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel

from app.api.question_models import IntervalOut, QuestionOut, interval, known, question_out
from app.api.spreadsheets import Cell, Table, edges
from app.contrasting.fields import FieldAnswer, FieldCounts, FieldRow


class CountsOut(BaseModel):
    visits: int
    reached: int
    focused: int
    median_s: float | None
    p75_s: float | None
    returned: int
    errors: int | None
    left_from: int


class FieldOut(BaseModel):
    number: int
    name: str
    all: CountsOut
    a: CountsOut | None
    b: CountsOut | None
    ratio: IntervalOut | None
    p: float | None
    p_planned: float | None
    significant: bool


class Fields(QuestionOut):
    """The form report, in the order of the form."""

    left_nowhere: int
    fields: list[FieldOut]


def fields_out(answer: FieldAnswer) -> Fields:
    return Fields(
        **question_out(answer.question).model_dump(),
        left_nowhere=answer.left_nowhere,
        fields=[_field(row) for row in answer.fields],
    )


def _field(row: FieldRow) -> FieldOut:
    return FieldOut(
        number=row.number,
        name=row.name,
        all=_counts(row.everybody),
        a=row.first and _counts(row.first),
        b=row.second and _counts(row.second),
        ratio=interval(row.ratio) if row.ratio else None,
        p=known(row.judged.p),
        p_planned=known(row.judged.p_planned),
        significant=row.significant,
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
            *(edges(row.ratio) if row.ratio else (None, None, None)),
            row.judged.p,
            row.significant,
        ]
        for row in answer.fields
    )


def _side(counts: FieldCounts | None) -> Sequence[Cell]:
    if counts is None:
        return [None] * len(COUNTS)
    return list(_counts(counts).model_dump().values())
