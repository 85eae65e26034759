"""What maps rest on, read in one snapshot of the store: sealed days from tiles, others from rows.

Both are put on the same ground by the same rules (`marks.py`), and their days do not overlap, so
that everything that is counted simply adds up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import numpy as np

from app.folding.homes import Homes
from app.folding.raw import Closed, Span, Stay, views_of_pages
from app.folding.seen import Seen
from app.folding.ways import WaySums, sum_of, way_of
from app.mapping.beside import Beside
from app.mapping.choosing import passes
from app.mapping.classes import Classes
from app.mapping.ends import Ends
from app.mapping.filters import MapQuery
from app.mapping.marks import Gathered, Integers, gather, joined
from app.mapping.placing import Floats, Ground, Placed, merged, placed
from app.mapping.sources import Sources
from app.mapping.tile_rows import Stack, depths, placed_tiles
from app.sealing.tiles import VIEWS
from collector.sites import Page, Site

MOST_DEPTHS = 1 << 14
"""Depths are handed on as so many even parts of the views: a share is then off by 1/30,000."""


@dataclass(slots=True)
class Seeing:
    """Views and marks of one kind, not yet placed."""

    kind: str
    ways: WaySums
    """Of all views, whichever source told them."""
    tiles: Stack
    marks: Gathered

    def placed(self, ground: Ground) -> Placed:
        return merged([placed_tiles(self.tiles, ground), placed(self.kind, self.marks, ground)])

    def depths_px(self, ground: Ground) -> tuple[tuple[float, ...], int]:
        """Deepest rows of views of the ground's width, and how many views were of another."""
        px, band, n = depths(self.tiles)
        own = np.array([seer.way.band for seer in self.marks.seers], np.int64)
        px = np.concatenate([px, self.marks.marks["y"]])
        band = np.concatenate([band, own[self.marks.mark_seers]])
        n = np.concatenate([n, np.ones(len(self.marks.marks), np.int64)])
        takes = ground.takes_page_px(band)
        return _spread(px[takes], n[takes]), int(n[~takes].sum())


def _spread(px: Floats, n: Integers) -> tuple[float, ...]:
    """Each depth as often as there are views; of many views, an even choice of them."""
    order = np.argsort(px, kind="stable")
    px, upto = px[order], np.cumsum(n[order])
    views = int(upto[-1]) if len(upto) else 0
    ranks = (np.arange(min(views, MOST_DEPTHS)) + 0.5) * max(views / MOST_DEPTHS, 1)
    return tuple(px[np.searchsorted(upto, ranks, side="right")].tolist())


@dataclass(frozen=True, slots=True)
class Look:
    """A map that is to be read.

    where            its days
    beside, classes  are told of every view, chosen or not
    """

    page: Page
    query: MapQuery
    where: Sources
    homes: Homes
    beside: Beside | None = None
    classes: Classes | None = None

    @property
    def stays(self) -> Iterator[Stay]:
        """The days that are read from rows."""
        return ((self.page.page_id, days) for days in self.where.raw)


class Taker(Protocol):
    """Takes the views of a page's day or days as they are read."""

    @property
    def wants(self) -> bool:
        """Whether it takes more of them."""
        ...

    def hear(self, read: Sequence[Seen], closed: Closed) -> None: ...


@dataclass(slots=True)
class Everybody:
    """All page views of a map's days, chosen or not; since: the first of these days with any."""

    views: int = 0
    since: date | None = None

    def take(self, day: date, views: int) -> None:
        self.views += views
        if views and (self.since is None or day < self.since):
            self.since = day


class RawViews:
    """Views of the days of a map that are read from rows.

    may_be_told  whether, as far as is known by then, the map is told of these days
    """

    def __init__(self, site: Site, look: Look, may_be_told: Callable[[], bool]) -> None:
        self.look, self._site = look, site
        self._may_be_told = may_be_told
        self.everybody = Everybody()
        self._ends: Ends | None = None
        self._ways = WaySums()
        self._parts: list[Gathered] = []
        self._visits: set[tuple[date, int]] = set()

    @property
    def wants(self) -> bool:
        return self._may_be_told()

    def hear(self, read: Sequence[Seen], closed: Closed) -> None:
        look = self.look
        if self._ends is None or self._ends.closed is not closed:
            self._ends = Ends(self._site, look.query, closed)
            if look.classes is not None:
                look.classes.outcomes = closed.outcomes
        ends = self._ends
        views = ends.taken(read)
        for view in views:
            self.everybody.take(view.day, 1)
        self._take([view for view in views if passes(view, look.query, ends.ended)], ends)
        if look.beside is not None:
            look.beside.take(views, ends.visit_of, ends.ended)
        if look.classes is not None:
            look.classes.take(views, ends.visit_of, ends.ended)

    def _take(self, views: list[Seen], ends: Ends) -> None:
        paired = [(view, ends.visit_of(view)) for view in views]
        for view, visit in paired:
            self._ways.add(way_of(view), sum_of(view))
            self._visits.add((view.day, visit))
        code_of = self.look.classes.code_of if self.look.classes else None
        self._parts.append(gather(self.look.query.kind, paired, self.look.homes, code_of))

    def seeing(self, tiles: Stack) -> Seeing:
        """Together with the days that are read from tiles."""
        tiles.ways.visits = tiles.visits(VIEWS, 0)
        self._ways.visits = len(self._visits)
        whole = WaySums()
        whole.merge(tiles.ways)
        whole.merge(self._ways)
        return Seeing(self.look.query.kind, whole, tiles, joined(self._parts))


async def read_rows(
    connection: Any, site: Site, takers: Mapping[Stay, Sequence[Taker]], *, ended: bool
) -> None:
    """Hand on the views of these pages and days, of the first ones first, as long as anybody wants
    more; within a transaction. What several want is read once.

    ended  whether it is wanted how visits ended
    """
    if not takers:
        return

    def is_wanted(stay: Stay) -> bool:
        return any(taker.wants for taker in takers[stay])

    span = Span.of(site, min(days[0] for _, days in takers), max(days[1] for _, days in takers))
    reading = views_of_pages(connection, span, takers, ended=ended, is_wanted=is_wanted)
    async for stay, closed, views in reading:
        for taker in takers[stay]:
            if taker.wants:
                taker.hear(views, closed)
