"""Whose views the requests beside a map hold, counted while the map's own are read.

The rule that needs it is `small_numbers.py`; what asks and refuses is `live.py`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from app.folding.seen import Seen
from app.folding.ways import Way, visits_in
from app.joint import Part
from app.mapping.choosing import Ended, passes
from app.mapping.filters import MapQuery
from app.mapping.small_numbers import Apart, Neighbour, neighbours
from app.mapping.sources import wanted
from app.sealing.cells import unpack_overlaps
from app.sealing.tiles import SEEN_IN_SEVERAL, VIEWS

VisitOf = Callable[[Seen], int]

_WAYS = """
    SELECT page_id, day, band, pointer, capture, views, visits, enc,
        CASE WHEN band = 0 AND pointer = 0 THEN encode(cells, 'hex') END AS overlaps
    FROM tile WHERE site_id = $1 AND page_id = ANY($2) AND day BETWEEN $3 AND $4 AND kind = $5
"""
"""A few small rows for each day, however many views it had; also of days that are open again,
whose tiles tell nothing."""


@dataclass(slots=True)
class DayWays:
    """The visits of one sealed day by the way they were seen, and how many page views they had."""

    views: int = 0
    by_way: Counter[int] = field(default_factory=Counter)
    overlaps: Counter[tuple[int, ...]] = field(default_factory=Counter)

    def visits(self, takes: Callable[[Way], bool]) -> int:
        """Each once, in however many of the ways it was seen."""
        return visits_in(
            self.by_way, self.overlaps, {code for code in self.by_way if takes(Way.of_code(code))}
        )


def ways_asked(site_id: int, page_ids: Collection[int], first: date, last: date) -> Part:
    """What tells of the ways in which pages were seen on these days."""
    return Part.rows(_WAYS, site_id, list(page_ids), first, last, VIEWS)


def ways_in(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[int, date], DayWays]:
    """By page and day, from the answer to `ways_asked`."""
    told: defaultdict[tuple[int, date], DayWays] = defaultdict(DayWays)
    for row in rows:
        of_day = told[row["page_id"], row["day"]]
        of_day.views += row["views"]
        way = Way(row["band"], row["pointer"], row["capture"])
        if way == SEEN_IN_SEVERAL:
            cells = bytes.fromhex(row["overlaps"])
            of_day.overlaps.update(unpack_overlaps(row["enc"], cells))
        else:
            of_day.by_way[way.code] += row["visits"]
    return dict(told)


@dataclass(slots=True)
class _Side:
    """One neighbour's views and ours: visits of those in one alone."""

    neighbour: Neighbour[MapQuery]
    ours: set[int] = field(default_factory=set)
    theirs: set[int] = field(default_factory=set)
    sealed: list[int] = field(default_factory=lambda: [0, 0, 0])
    """Ours, theirs and either of sealed days."""

    def apart(self) -> Apart:
        of_rows = len(self.ours), len(self.theirs), len(self.ours | self.theirs)
        ours, theirs, either = (n + more for n, more in zip(of_rows, self.sealed, strict=True))
        return Apart(self.neighbour.change, ours, theirs, either, self.neighbour.gives_way)


class Beside:
    """Of one request: its own visits, and those by which each neighbour differs from it.

    A visit counts once; of sealed days, whose tiles name nobody, once a day.
    """

    def __init__(self, query: MapQuery) -> None:
        self._query = query
        self._sides = [_Side(neighbour) for neighbour in neighbours(query)]
        self._visits: dict[int, set[int]] = {}
        self._sealed: list[DayWays] = []

    def take(self, views: Iterable[Seen], visit_of: VisitOf, ended: Ended) -> None:
        """Views of days that are read from rows, whether they are chosen or not."""
        for view in views:
            visit, ours = visit_of(view), passes(view, self._query, ended)
            if ours:
                self._visits.setdefault(view.codes.band, set()).add(visit)
            for side in self._sides:
                if passes(view, side.neighbour.query, ended) != ours:
                    (side.ours if ours else side.theirs).add(visit)

    def take_sealed(self, days: Collection[DayWays]) -> None:
        """Days that are read from tiles."""
        self._sealed += days
        for of_day in days:
            for side in self._sides:
                for place, differs in enumerate(_differing(self._query, side.neighbour.query)):
                    side.sealed[place] += of_day.visits(differs)

    def visits(self, band: int | None = None) -> int:
        """Of the request; in one width band alone, where that is given."""
        own = (ids for told, ids in self._visits.items() if band in (None, told))

        def takes(way: Way) -> bool:
            return wanted(self._query, way) and band in (None, way.band)

        return len(set().union(*own)) + sum(day.visits(takes) for day in self._sealed)

    def apart(self) -> tuple[Apart, ...]:
        return tuple(side.apart() for side in self._sides)


def _differing(ours: MapQuery, theirs: MapQuery) -> tuple[Callable[[Way], bool], ...]:
    return (
        lambda way: wanted(ours, way) and not wanted(theirs, way),
        lambda way: wanted(theirs, way) and not wanted(ours, way),
        lambda way: wanted(theirs, way) != wanted(ours, way),
    )
