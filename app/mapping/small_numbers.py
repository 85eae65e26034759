"""The small-number rule of live shops: what may be told without telling of single people. Pure.

An answer rests on `least` visits or more. And any two requests that differ in one filter's value,
or in one day, are answered both only where they differ by no visit at all or by `least` or more:
else subtracting one answer from the other would tell of those few, and the narrower is refused.

What several answers tell together (a chain of subtractions) is not bounded: docs/threats.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, Self, TypeVar

from app.configuration import LEAST_VISITS
from collector.codes import BAND_EDGES_PX
from collector.wire import Capture

FILTERS = (
    "device",
    "browser",
    "os",
    "language",
    "channel",
    "variant",
    "capture",
    "outcome",
)
"""Filters of one value out of a closed list."""

LOWER_EDGES_PX = BAND_EDGES_PX[1:]
UPPER_EDGES_PX = tuple(edge - 1 for edge in BAND_EDGES_PX[1:])
"""Of a live shop widths are told by band: with free limits each px more would be a request of its
own, and the difference of two would be whoever has a window of just that width."""


def least_visits(config: Mapping[str, Any]) -> int:
    """The shop's own threshold."""
    return int(config.get("least_visits", LEAST_VISITS))


class Choice(Protocol):
    """What chooses among visits: a map's parameters, a contrast's, or a cohort of it."""

    @property
    def capture(self) -> Capture | None: ...
    @property
    def viewport_width_min(self) -> int | None: ...
    @property
    def viewport_width_max(self) -> int | None: ...
    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Self: ...


C = TypeVar("C", bound=Choice)


@dataclass(frozen=True, slots=True)
class Neighbour(Generic[C]):
    """A request that differs from another in one filter's value, and could hold what it lacks.

    change      in words, for whoever is refused because of it
    gives_way   whether the other is refused where neither is the narrower
    """

    change: str
    query: C
    gives_way: bool = False


@dataclass(frozen=True, slots=True)
class Apart:
    """How many visits two requests differ by: of views in one only, the other only, either."""

    change: str
    ours: int
    theirs: int
    either: int
    gives_way: bool = False

    def tells_of_few(self, least: int) -> bool:
        """Whether ours is the narrower of two that must not both be answered."""
        if not 0 < self.either < least:
            return False
        return self.ours < self.theirs or (self.ours == self.theirs and not self.gives_way)


def is_too_few(visits: int, least: int) -> bool:
    """Whether nothing may be told of so many: none at all tells of nobody."""
    return 0 < visits < least


def refusal(apart: Iterable[Apart], least: int) -> Apart | None:
    """The first that forbids an answer."""
    return next((one for one in apart if one.tells_of_few(least)), None)


def unlisted(query: Choice) -> tuple[str, ...]:
    """Filters whose values a live shop takes from a closed list, and which are none of it."""
    low, high = query.viewport_width_min, query.viewport_width_max
    wrong = (
        ("viewport_width_min", low is not None and low not in LOWER_EDGES_PX),
        ("viewport_width_max", high is not None and high not in UPPER_EDGES_PX),
    )
    return tuple(name for name, is_wrong in wrong if is_wrong)


def filters_of(query: Choice) -> dict[str, Any]:
    """What it asks for some visits of its period alone by; empty where it asks for all."""
    names = (*FILTERS, "viewport_width_min", "viewport_width_max", "layout")
    told = {name: getattr(query, name, None) for name in names}
    return {name: value for name, value in told.items() if value is not None}


def is_filtered(query: Choice) -> bool:
    return bool(filters_of(query))


def neighbours(query: C) -> tuple[Neighbour[C], ...]:
    """All requests one filter's value away that may share views with this one and hold others.

    Two values of a filter that each view has one of share none: they differ by all of both, which
    rest on enough by themselves. A view may have been captured in several ways, though.
    """
    dropped = (
        Neighbour(f"without {name}", query.model_copy(update={name: None}))
        for name in FILTERS
        if getattr(query, name, None) is not None
    )
    return (*dropped, *_other_captures(query), *_wider(query))


def _other_captures(query: C) -> Iterable[Neighbour[C]]:
    if query.capture is None:
        return
    for other in Capture:
        if other != query.capture:
            told = query.model_copy(update={"capture": other})
            change = f"with capture {other.name.lower()}"
            yield Neighbour(change, told, gives_way=other > query.capture)


def _wider(query: C) -> Iterable[Neighbour[C]]:
    low, high = query.viewport_width_min, query.viewport_width_max
    lower = [edge for edge in LOWER_EDGES_PX if low is not None and edge < low]
    higher = [edge for edge in UPPER_EDGES_PX if high is not None and edge > high]
    for name, edges, is_set in (
        ("viewport_width_min", lower, low is not None),
        ("viewport_width_max", higher, high is not None),
    ):
        for edge in edges:
            yield Neighbour(f"with {name} {edge}", query.model_copy(update={name: edge}))
        if is_set:
            yield Neighbour(f"without {name}", query.model_copy(update={name: None}))
