"""How views of a page were seen: by width band, pointer and capture, and how many in each way.

Tiles are kept apart by it, so whatever a map of closed days may ask for is a choice of ways.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from app.folding.seen import Seen
from app.mapping.able import TELLING, is_able

FINE, COARSE = 1, 2
"""Codes of the pointer (`tile.pointer`)."""


BAND_SHIFT = 5
"""A way's code holds the band above the pointer and the four ways of capture."""


class Way(NamedTuple):
    """How a view was seen: the part of a tile's key that a filter may choose by."""

    band: int
    pointer: int
    captures: int
    """Bits, as in `view.captures`: the script-free form and the script may tell of one view."""

    @property
    def touch(self) -> bool:
        return self.pointer == COARSE

    @property
    def code(self) -> int:
        """A number of its own, in one byte."""
        return self.band << BAND_SHIFT | (self.pointer - FINE) << 4 | self.captures >> 1

    @classmethod
    def of_code(cls, code: int) -> Way:
        return cls(code >> BAND_SHIFT, (code >> 4 & 1) + FINE, (code & 15) << 1)


def way_of(view: Seen) -> Way:
    return Way(view.codes.band, COARSE if view.touch else FINE, view.captures)


@dataclass(slots=True)
class WaySum:
    """The views of one way: how many, how many of them sent anything, how large their pages."""

    views: int = 0
    signalled: int = 0
    widest_px: int = 0
    tallest_px: int = 0
    """0 where nothing tells."""
    able: dict[str, int] = field(default_factory=dict)
    """By kind of map: how many could tell what it shows."""

    def add(self, other: WaySum) -> None:
        self.views += other.views
        for kind, n in other.able.items():
            self.able[kind] = self.able.get(kind, 0) + n
        self.signalled += other.signalled
        self.widest_px = max(self.widest_px, other.widest_px)
        self.tallest_px = max(self.tallest_px, other.tallest_px)


def sum_of(view: Seen) -> WaySum:
    return WaySum(
        views=1,
        signalled=int(view.signals > 0),
        widest_px=view.width_px or 0,
        tallest_px=view.page_height_px or view.deepest_px or 0,
        able={kind: 1 for kind in TELLING if is_able(view, kind)},
    )


@dataclass(slots=True)
class WaySums:
    """The views behind a map, by the way they were seen; `visits` sees each visit once a day."""

    by_way: dict[Way, WaySum] = field(default_factory=dict)
    visits: int = 0

    def add(self, way: Way, told: WaySum) -> None:
        self.by_way.setdefault(way, WaySum()).add(told)

    def merge(self, other: WaySums) -> None:
        for way, told in other.by_way.items():
            self.add(way, told)
        self.visits += other.visits

    @property
    def whole(self) -> WaySum:
        together = WaySum()
        for told in self.by_way.values():
            together.add(told)
        return together

    def usual(self) -> tuple[int, bool] | None:
        """Band and whether by touch, as most views; of known bands where there are any."""
        known = [way for way in self.by_way if way.band] or list(self.by_way)
        seen: Counter[tuple[int, bool]] = Counter()
        for way in known:
            seen[way.band, way.touch] += self.by_way[way].views
        if not seen:
            return None
        return max(seen.items(), key=lambda item: (item[1], item[0]))[0]

    @property
    def touched(self) -> int:
        return sum(told.views for way, told in self.by_way.items() if way.touch)


Overlaps = Mapping[tuple[int, ...], int]
"""How many visits were seen in each of these several ways (codes, rising)."""


def visits_in(by_way: Mapping[int, int], overlaps: Overlaps, ways: Collection[int]) -> int:
    """Visits seen in any of `ways`, of which some were counted under several.

    by_way    visits by code of the way; one that was seen in two ways is in both
    overlaps  the visits that were seen in several, by the set of these
    """
    counted = sum(n for way, n in by_way.items() if way in ways)
    return counted - sum(n * _again(seen_in, ways) for seen_in, n in overlaps.items())


def _again(seen_in: Iterable[int], ways: Collection[int]) -> int:
    return max(sum(way in ways for way in seen_in) - 1, 0)
