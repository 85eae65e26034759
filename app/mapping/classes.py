"""Views by the class that their dots are coloured by, and which classes may be told apart.

A picture in the colours of a filter's values says as much as a picture for each value. So of a live
shop a class has a colour of its own only where a map of it alone would be shown; the others are
joined as the rest, and with them the smallest of those that could be told, until the rest may be
told too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum

from app.folding.seen import Seen
from app.mapping.choosing import Ended, passes
from app.mapping.filters import MapQuery
from app.mapping.small_numbers import Apart, is_too_few, neighbours
from collector.codes import Browser, Channel, Device, Language, Outcome, System
from heatmap.confetti import MAX_SEGMENTS
from heatmap.palettes import SEGMENT_RGB

CODED: Mapping[str, type[IntEnum]] = {
    "device": Device,
    "outcome": Outcome,
    "channel": Channel,
    "browser": Browser,
    "os": System,
    "language": Language,
}
"""Filters whose values are a list that a view has one of; variants are numbers beside them. How a
view was captured is none of them: many are captured in two ways."""

REST = MAX_SEGMENTS - 1
"""Colour of the classes that are joined: nearly black, which looks like no class of its own."""

UNDECIDED = -1
"""Code of a view of which nothing is known yet, as of a visit that is not closed."""

VisitOf = Callable[[Seen], int]
Visits = set[int]


@dataclass(frozen=True, slots=True)
class DotClass:
    """A class as it is drawn and told.

    code    of the filter's value; None for the rest, the classes that are joined
    colour  number of its colour, of `heatmap.confetti`
    """

    code: int | None
    colour: int
    visits: int

    def name(self, by: str) -> str | None:
        """As the filter calls the value; None for the rest."""
        if self.code is None:
            return None
        return CODED[by](self.code).name.lower() if by in CODED else str(self.code)

    @property
    def css_colour(self) -> str:
        return "#{:02x}{:02x}{:02x}".format(*SEGMENT_RGB[self.colour])


@dataclass(slots=True)
class _Gathered:
    """The visits of one class: of the map by width band, and in what stands beside it.

    sides  of each neighbouring request, visits in the map alone and in the other alone
    days   of the days before and after the period
    """

    by_band: dict[int, Visits] = field(default_factory=dict)
    sides: dict[int, tuple[Visits, Visits]] = field(default_factory=dict)
    days: dict[date, Visits] = field(default_factory=dict)


class Classes:
    """The classes of one map, told of every view, chosen or not."""

    def __init__(self, query: MapQuery, by: str, *, least: int) -> None:
        """least   visits that an answer rests on, 0 for a shop on trial"""
        self.by = by
        self._query, self._least = query, least
        self._neighbours = neighbours(query) if least else ()
        self.outcomes: Mapping[tuple[date, int], int] = {}
        """How the visits of the views ended that are told of next, by day and number of the view;
        wanted where that is what they are told apart by."""
        self._gathered: dict[int, _Gathered] = {}

    def code_of(self, view: Seen) -> int:
        if self.by == "outcome":
            return self.outcomes.get((view.day, view.view_id), UNDECIDED)
        return int(getattr(view.codes, self.by))

    def take(self, views: Iterable[Seen], visit_of: VisitOf, ended: Ended) -> None:
        """Views of the period."""
        for view in views:
            visit, ours, of = visit_of(view), passes(view, self._query, ended), self._of(view)
            if ours:
                of.by_band.setdefault(view.codes.band, set()).add(visit)
            for place, side in enumerate(self._neighbours):
                if passes(view, side.query, ended) != ours:
                    of.sides.setdefault(place, (set(), set()))[not ours].add(visit)

    def take_beside(self, views: Iterable[Seen], visit_of: VisitOf, ended: Ended) -> None:
        """Views of a day before or after it."""
        for view in views:
            if passes(view, self._query, ended):
                self._of(view).days.setdefault(view.day, set()).add(visit_of(view))

    def _of(self, view: Seen) -> _Gathered:
        return self._gathered.setdefault(self.code_of(view), _Gathered())

    def told(self, band: int | None = None) -> tuple[DotClass, ...]:
        """The classes that have a colour, in the order of their colours, the rest last.

        band   of the layout that was asked for: it shows the visits of its width alone
        """
        here = {code for code in self._gathered if self._visits({code})}
        apart = sorted(
            (code for code in here if code != UNDECIDED and self._may_tell({code}, band)),
            key=lambda code: (-len(self._visits({code})), code),
        )
        # A class that is beside the map alone would be of the rest there.
        rest = self._gathered.keys() - set(apart)
        while apart and (len(apart) > REST or self._is_too_few(rest, band)):
            rest.add(apart.pop())
        coloured = sorted(self._coloured(apart))
        own = [DotClass(code, colour, len(self._visits({code}))) for colour, code in coloured]
        joined = len(self._visits(rest))
        return (*own, *([DotClass(None, REST, joined)] if joined else ()))

    def _coloured(self, codes: Collection[int]) -> Iterator[tuple[int, int]]:
        """Colour and code. A value has the same one in every map: what is known best has the first,
        what is not known the last. Variants are told by their order."""
        for place, code in enumerate(sorted(codes)):
            yield (code - 1) % len(CODED[self.by]) if self.by in CODED else place, code

    def _may_tell(self, codes: Collection[int], band: int | None) -> bool:
        """Whether a map of these classes alone would be shown: see `small_numbers.py`."""
        if not self._least:
            return True
        own, others = self._visits(codes), self._visits(self._gathered.keys() - set(codes))
        if len(own) < self._least or is_too_few(len(others), self._least):
            return False
        if band is not None and len(self._visits(codes, band)) < self._least:
            return False
        if any(is_too_few(len(visits), self._least) for visits in self._days(codes)):
            return False
        return not any(apart.tells_of_few(self._least) for apart in self._apart(codes))

    def _is_too_few(self, rest: Collection[int], band: int | None) -> bool:
        return bool(self._visits(rest)) and not self._may_tell(rest, band)

    def _visits(self, codes: Iterable[int], band: int | None = None) -> Visits:
        bands = (self._gathered[code].by_band for code in codes)
        own = (ids for told in bands for at, ids in told.items() if band in (None, at))
        return set().union(*own)

    def _days(self, codes: Collection[int]) -> Iterator[Visits]:
        days = {day for code in codes for day in self._gathered[code].days}
        for day in days:
            yield set().union(*(self._gathered[code].days.get(day, ()) for code in codes))

    def _apart(self, codes: Collection[int]) -> Iterator[Apart]:
        for place, side in enumerate(self._neighbours):
            found = [self._gathered[code].sides.get(place, ((), ())) for code in codes]
            ours: Visits = set().union(*(told[0] for told in found))
            theirs: Visits = set().union(*(told[1] for told in found))
            counts = len(ours), len(theirs), len(ours | theirs)
            yield Apart(side.change, *counts, side.gives_way)
