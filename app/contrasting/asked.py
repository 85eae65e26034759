"""What may be asked of a contrast: which visits, which two cohorts of them, of which period."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from app.mapping.filters import (
    MAX_DAYS,
    Day,
    Decimal,
    DecimalMark,
    Whole,
    Width,
    check_order,
    coded,
)
from app.problems import BadParameters
from app.refused import said
from collector.codes import Browser, Channel, Device, Language, Outcome, System
from collector.wire import Capture
from heatmap.bandwidth import MAX_BANDWIDTH_PX, MIN_BANDWIDTH_PX

ABANDONED, COMPLETED = "outcome:abandoned", "outcome:completed"

LONGEST_COHORT = 200
"""Of an expression; all filters together are shorter."""


class VisitFilter(BaseModel):
    """A choice among visits; what is left out chooses nothing away."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    date_from: Day | None = None
    date_to: Day | None = None
    device: Annotated[Device | None, coded(Device)] = None
    browser: Annotated[Browser | None, coded(Browser)] = None
    os: Annotated[System | None, coded(System)] = None
    language: Annotated[Language | None, coded(Language)] = None
    channel: Annotated[Channel | None, coded(Channel)] = None
    variant: Annotated[Whole, Field(ge=0, le=255)] | None = None
    capture: Annotated[Capture | None, coded(Capture)] = None
    viewport_width_min: Width | None = None
    viewport_width_max: Width | None = None

    @model_validator(mode="after")
    def _ordered(self) -> VisitFilter:
        check_order(self.date_from, self.date_to, self.viewport_width_min, self.viewport_width_max)
        return self

    def is_over(self, today: date) -> bool:
        """Whether the period that is asked for has ended."""
        return self.date_to is not None and self.date_to < today

    def undated(self) -> VisitFilter:
        """The choice among visits alone: of a period the days of their views decide."""
        names = set(VisitFilter.model_fields) - {"date_from", "date_to"}
        return VisitFilter(**self.model_dump(include=names))


class CohortFilter(VisitFilter):
    """One of two cohorts: a filter that may also say how the visit ended."""

    outcome: Annotated[Outcome | None, coded(Outcome)] = None


def read_cohort(expression: str) -> CohortFilter:
    """`outcome:abandoned,device:phone`. Raises ValueError in words that say what may be written."""
    given: dict[str, str] = {}
    for part in expression.split(","):
        name, colon, value = part.partition(":")
        if not colon or name not in CohortFilter.model_fields:
            raise ValueError(
                "a cohort is filter:value, with commas between; a filter is one of "
                + ", ".join(CohortFilter.model_fields)
            )
        if name in given:
            raise ValueError(f"{name} is given twice in one cohort")
        given[name] = value
    try:
        return CohortFilter.model_validate(given)
    except ValidationError as problem:
        first = problem.errors()[0]
        place = str(first["loc"][0]) if first["loc"] else "cohort"
        raise ValueError(f"{place}: {said(first)}") from None


def _readable(value: Any) -> Any:
    if isinstance(value, str):
        read_cohort(value)
    return value


_EXPRESSION = (
    "Filters with commas between, such as `outcome:abandoned,device:phone`, `variant:1` or "
    "`date_to:2026-11-01`."
)
Expression = Annotated[
    str,
    BeforeValidator(_readable),
    Field(max_length=LONGEST_COHORT, description=_EXPRESSION),
]


class CohortsQuery(VisitFilter):
    """Which visits, and which two cohorts of them."""

    a: Expression = ABANDONED
    b: Expression = COMPLETED

    @model_validator(mode="after")
    def _two(self) -> CohortsQuery:
        if self.a == self.b:
            raise ValueError("a and b are the same cohort")
        return self

    @property
    def cohorts(self) -> tuple[CohortFilter, CohortFilter]:
        return read_cohort(self.a), read_cohort(self.b)

    @property
    def planned_zone(self) -> int | None:
        """The one zone that was asked about in advance, if one was."""
        return None

    @property
    def by_outcome(self) -> bool:
        """Whether the cohorts need to know how visits ended."""
        return any(cohort.outcome is not None for cohort in self.cohorts)

    @property
    def is_default(self) -> bool:
        """Whether it is asked where those who abandon lose time that those who complete do not."""
        return (self.a, self.b) == (ABANDONED, COMPLETED)

    @property
    def randomised(self) -> bool:
        """Whether variants are compared, which were dealt out: then a difference has its cause."""
        first, second = (cohort.model_dump(exclude_none=True) for cohort in self.cohorts)
        differing = {n for n in {*first, *second} if first.get(n) != second.get(n)}
        return differing == {"variant"}


class ZonesQuery(CohortsQuery):
    """Parameters of zones and fields."""

    planned: (
        Annotated[
            Whole,
            Field(
                ge=1,
                le=999,
                description="Number of the one zone that was asked about before any visit came. "
                "Its test needs no correction for the others.",
            ),
        ]
        | None
    ) = None

    @property
    def planned_zone(self) -> int | None:
        return self.planned


class DrawnQuery(BaseModel):
    """How a contrast is drawn."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    layout: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")] | None = None
    bandwidth: Annotated[Decimal, Field(ge=MIN_BANDWIDTH_PX, le=MAX_BANDWIDTH_PX)] | None = None
    mode: Annotated[
        Literal["seconds", "share"],
        Field(description="`seconds` of dwell per visit, or the `share` of each visit's dwell."),
    ] = "seconds"
    opacity: Annotated[Decimal, Field(gt=0, le=1)] | None = None
    picture: Literal["none", "page", "white"] = "none"
    decimal: DecimalMark = "point"
    dpr: Annotated[Whole, Field(ge=1, le=2)] = 1


class StallsQuery(VisitFilter, DrawnQuery):
    """Parameters of stalls.png and stalls.json: those who abandon against those who complete."""


class PixelsQuery(CohortsQuery, DrawnQuery):
    """Parameters of compare.png and compare.json."""

    def of_numbers(self) -> PixelsQuery:
        """The same question, whatever its picture looks like."""
        plain = {"opacity": None, "picture": "none", "decimal": "point", "dpr": 1}
        return self.model_copy(update=plain)


class CompareQuery(PixelsQuery):
    """Any two cohorts: both must be named."""

    a: Expression
    b: Expression


def period_of(query: VisitFilter, today: date, since: date) -> tuple[date, date]:
    """First and last day, both included; by default from when the question is asked up to today."""
    last = query.date_to or today
    first = query.date_from or min(since, last)
    if first > last:
        raise BadParameters("date_from lies after today; give date_to too")
    if last - first >= timedelta(days=MAX_DAYS):
        raise BadParameters(f"a contrast may span {MAX_DAYS} days at the most")
    return first, last
