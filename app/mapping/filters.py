"""What may be asked of a map: every value from a closed list, every number plainly written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from enum import IntEnum
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from app.problems import BadParameters
from collector.codes import Browser, Channel, Device, Language, Outcome, System
from collector.wire import Capture
from heatmap.bandwidth import MAX_BANDWIDTH_PX, MIN_BANDWIDTH_PX
from heatmap.colours import names as palettes

DEFAULT_DAYS = 30
"""The last four weeks and a little: what a designer means by "now"."""

MAX_DAYS = 760
EARLIEST, LATEST = date(2020, 1, 1), date(2999, 12, 31)

LONGEST_NAMES = 100
"""How much of the sender's own words an answer repeats."""

AUTO = "auto"
"""Asks for a bandwidth that follows how far the map's own marks are spread."""

MAP_KINDS = ("attention", "click", "deadclick", "move", "rageclick", "scroll", "stall")
TIMED = frozenset({"attention", "stall"})
"""Kinds that count seconds; the others count how often."""

PLACELESS = frozenset({"attention", "scroll"})
"""Kinds that know rows of the page and no places in them: they have neither dots nor zones."""

ColouredBy = Literal["device", "outcome", "channel", "variant", "browser", "os", "language"]
"""Filters whose values may be told apart in one picture. A view may have been captured in two ways,
and so is in no one class of those."""

MARKS = ("contours", "folds", "zones")
"""What may be drawn over a map, in the order in which it is laid down."""

_WHOLE = re.compile(r"\d{1,9}\Z", re.ASCII)
_DECIMAL = re.compile(r"\d{1,9}(\.\d{1,20})?(e-\d{1,2})?\Z", re.ASCII)
"""Takes every number as heatmap.json writes it: the scale of one map is given to the next."""


def _plain(pattern: re.Pattern[str], example: str) -> BeforeValidator:
    """Python would also take 1_000, " 1 ", nan and digits of other scripts."""

    def check(value: Any) -> Any:
        if isinstance(value, str) and not pattern.match(value):
            raise ValueError(f"write a plain number such as {example}")
        return value

    return BeforeValidator(check)


def _plain_date(value: Any) -> Any:
    if isinstance(value, str) and not re.match(r"\d{4}-\d{2}-\d{2}\Z", value, re.ASCII):
        raise ValueError("write a date as 2026-11-22")
    return value


Whole = Annotated[int, _plain(_WHOLE, "1280")]
Decimal = Annotated[float, _plain(_DECIMAL, "24.5")]
Day = Annotated[date, BeforeValidator(_plain_date), Field(ge=EARLIEST, le=LATEST)]
Width = Annotated[Whole, Field(ge=1, le=10_000)]


def coded(kind: type[IntEnum]) -> BeforeValidator:
    """The member's name in small letters stands for its code."""
    known = {member.name.lower(): member for member in kind}

    def check(value: Any) -> Any:
        if isinstance(value, str) and value not in known:
            raise ValueError(f"must be one of {', '.join(known)}")
        return known.get(value, value)

    return BeforeValidator(check)


def _palette(value: str) -> str:
    if value not in palettes():
        raise ValueError(f"must be one of {', '.join(palettes())}")
    return value


def _bandwidth(value: Any) -> Any:
    """Of a number or a word each type would name its own fault: one sentence instead."""
    if isinstance(value, str) and value != AUTO and not _DECIMAL.match(value):
        raise ValueError(f"write a plain number such as 24.5, or {AUTO}")
    if value != AUTO and not MIN_BANDWIDTH_PX <= float(value) <= MAX_BANDWIDTH_PX:
        raise ValueError(
            f"must be {AUTO} or between {MIN_BANDWIDTH_PX:g} and {MAX_BANDWIDTH_PX:g} px"
        )
    return value


def _listed(value: Any) -> Any:
    """Names with commas between them, each once; in one order, so that a map has one name."""
    if not isinstance(value, str):
        return value
    names = value.split(",")
    if not set(names) <= set(MARKS) or len(set(names)) < len(names):
        raise ValueError(f"must be one or more of {', '.join(MARKS)}, with commas between")
    return ",".join(sorted(names))


_MARK = "|".join(MARKS)
Listed = Annotated[
    str,
    BeforeValidator(_listed),
    Field(
        json_schema_extra={"pattern": f"^({_MARK})(,({_MARK}))*$"},
        description="What is drawn over the map, with commas between: `contours`, lines where heat "
        "reaches 25, 50 and 75 % of full colour; `folds`, dashed lines where the windows of 25, 50 "
        "and 75 % of the page views end before anybody scrolls; `zones`, the zones' outlines with "
        "their numbers.",
    ),
]

DecimalMark = Annotated[
    Literal["point", "comma"],
    Field(description="How numbers on the map itself are written: `7.6 s` or `7,6 s`."),
]

Bandwidth = Annotated[
    Annotated[float, Field(ge=MIN_BANDWIDTH_PX, le=MAX_BANDWIDTH_PX)] | Literal["auto"],
    BeforeValidator(_bandwidth),
]


def check_order(
    date_from: date | None, date_to: date | None, width_min: int | None, width_max: int | None
) -> None:
    """Raises ValueError where a limit lies beyond the one that it belongs to."""
    if date_from and date_to and date_from > date_to:
        raise ValueError("date_from lies after date_to")
    if width_min and width_max and width_min > width_max:
        raise ValueError("viewport_width_min is larger than viewport_width_max")


class MapQuery(BaseModel):
    """Parameters of heatmap.png and heatmap.json; an unknown one is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["attention", "click", "deadclick", "move", "rageclick", "scroll", "stall"] = (
        "stall"
    )
    date_from: Day | None = None
    date_to: Day | None = None
    device: Annotated[Device | None, coded(Device)] = None
    browser: Annotated[Browser | None, coded(Browser)] = None
    os: Annotated[System | None, coded(System)] = None
    language: Annotated[Language | None, coded(Language)] = None
    channel: Annotated[Channel | None, coded(Channel)] = None
    variant: Annotated[Whole, Field(ge=0, le=255)] | None = None
    capture: Annotated[Capture | None, coded(Capture)] = None
    outcome: Annotated[Outcome | None, coded(Outcome)] = None
    viewport_width_min: Width | None = None
    viewport_width_max: Width | None = None
    aggregation: Literal["total_count", "unique_visits"] = "total_count"
    per: Annotated[
        Literal["visit", "period"] | None,
        Field(
            description="What amounts are told for: a visit, which compares periods and shops, or "
            "the whole period. By default stalls are told per visit and all else for the period; "
            "scroll depth is always a share of the page views."
        ),
    ] = None
    layout: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")] | None = None
    bandwidth: Bandwidth | None = None
    style: Annotated[
        Literal["heat", "confetti", "zones"],
        Field(
            description="`heat`: how densely marks lie; `confetti`: a dot for each mark, in "
            "rows where its zone alone is known; `zones`: each zone filled with what it gathered, "
            "and its number."
        ),
    ] = "heat"
    colour_by: Annotated[
        ColouredBy | None,
        Field(
            description="Of style `confetti`: dots have the colour of their page view's value of "
            "this filter. Of a live shop, values that would not be shown by themselves are joined "
            "as the rest, and so are the smallest where there are more than seven."
        ),
    ] = None
    marks: Listed | None = None
    palette: Annotated[str, BeforeValidator(_palette)] = "lajolla"
    scale: Literal["linear", "sqrt", "log"] = "linear"
    scale_max: (
        Annotated[
            Decimal,
            Field(
                gt=0,
                description="Intensity of full colour. Give the `scale.max` of another map's "
                "heatmap.json, of another page or period, to draw both on the same scale.",
            ),
        ]
        | None
    ) = None
    opacity: Annotated[Decimal, Field(gt=0, le=1)] | None = None
    picture: Literal["none", "page", "white"] = "none"
    legend: Annotated[
        Literal["none", "nl", "en"],
        Field(description="Language of a legend under the picture, which makes it taller."),
    ] = "none"
    decimal: DecimalMark = "point"
    dpr: Annotated[Whole, Field(ge=1, le=2)] = 1

    @field_validator("per", "style")
    @classmethod
    def _fits_its_kind(cls, value: str | None, info: ValidationInfo) -> str | None:
        kind, name = info.data.get("kind"), info.field_name
        lacks = kind in PLACELESS if name == "style" else kind == "scroll"
        if lacks and value not in (None, "heat"):
            raise ValueError(f"a map of {kind} has no {name}: leave it out")
        return value

    @field_validator("colour_by")
    @classmethod
    def _has_dots_to_colour(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return value
        if info.data.get("style") != "confetti":
            raise ValueError("dots have classes: ask for style confetti, or leave it out")
        if info.data.get(value) is not None:
            raise ValueError(f"all dots are of one {value}, which is chosen: leave out one of both")
        return value

    @field_validator("marks")
    @classmethod
    def _fit_their_style(cls, value: str | None, info: ValidationInfo) -> str | None:
        heat = info.data.get("kind") != "scroll" and info.data.get("style") == "heat"
        if value is not None and "contours" in value and not heat:
            raise ValueError(
                "contours are lines of heat: leave them out, or ask for style heat and for kind"
                " that is not scroll"
            )
        return value

    @property
    def drawn_over(self) -> tuple[str, ...]:
        """What is asked for in `marks`."""
        return tuple(self.marks.split(",")) if self.marks else ()

    @model_validator(mode="after")
    def _ordered(self) -> MapQuery:
        check_order(self.date_from, self.date_to, self.viewport_width_min, self.viewport_width_max)
        return self

    def period(self, today: date) -> tuple[date, date]:
        """First and last day, both included; by default the last days up to today."""
        last = self.date_to or today
        first = self.date_from or last - timedelta(days=DEFAULT_DAYS - 1)
        if first > last:
            raise BadParameters("date_from lies after today; give date_to too")
        if (last - first).days >= MAX_DAYS:
            raise BadParameters(f"a map may span {MAX_DAYS} days at the most")
        return first, last


def refuse_repeated(pairs: Iterable[tuple[str, str]]) -> None:
    """Of a parameter given twice the last would silently win."""
    twice = sorted(name for name, n in Counter(name for name, _ in pairs).items() if n > 1)
    if twice:
        raise BadParameters(f"given twice: {', '.join(twice)[:LONGEST_NAMES]}")
