"""What maps rest on, read in one snapshot of the store: sealed days from tiles, others from rows.

Both are put on the same ground by the same rules (`marks.py`), and their days do not overlap, so
that everything that is counted simply adds up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from app.folding.homes import Homes
from app.folding.raw import Closed, Span, Stay, views_of_pages
from app.folding.seen import Seen
from app.folding.ways import Way, WaySums, sum_of, way_of
from app.mapping.beside import Beside, DayWays
from app.mapping.choosing import passes
from app.mapping.classes import Classes
from app.mapping.ends import Ends, needs_ends
from app.mapping.filters import MapQuery
from app.mapping.marks import Gathered, Integers, gather, joined
from app.mapping.placing import Floats, Ground, Placed, merged, placed
from app.mapping.sources import Sources, wanted
from app.mapping.tile_rows import Stack, Wanted, depths, placed_tiles, read_stacks
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
    ways             in which its page was seen on those that are sealed
    beside, classes  are told of every view, chosen or not
    """

    page: Page
    query: MapQuery
    where: Sources
    homes: Homes
    ways: Sequence[DayWays] = ()
    beside: Beside | None = None
    classes: Classes | None = None

    @property
    def stays(self) -> Iterator[Stay]:
        """The days that are read from rows."""
        return ((self.page.page_id, days) for days in self.where.raw)


class _Raw:
    """Views of the days that are read from rows, as they come."""

    def __init__(self, site: Site, look: Look) -> None:
        self.look, self._site = look, site
        self._ends: Ends | None = None
        self.ways = WaySums()
        self.parts: list[Gathered] = []
        self._visits: set[tuple[date, int]] = set()

    def hear(self, read: Sequence[Seen], closed: Closed) -> None:
        look = self.look
        if self._ends is None or self._ends.closed is not closed:
            self._ends = Ends(self._site, look.query, closed)
            if look.classes is not None:
                look.classes.outcomes = closed.outcomes
        ends = self._ends
        views = ends.taken(read)
        self._take([view for view in views if passes(view, look.query, ends.ended)], ends)
        if look.beside is not None:
            look.beside.take(views, ends.visit_of, ends.ended)
        if look.classes is not None:
            look.classes.take(views, ends.visit_of, ends.ended)

    def _take(self, views: list[Seen], ends: Ends) -> None:
        paired = [(view, ends.visit_of(view)) for view in views]
        for view, visit in paired:
            self.ways.add(way_of(view), sum_of(view))
            self._visits.add((view.day, visit))
        code_of = self.look.classes.code_of if self.look.classes else None
        self.parts.append(gather(self.look.query.kind, paired, self.look.homes, code_of))

    def seeing(self, tiles: Stack) -> Seeing:
        self.ways.visits = len(self._visits)
        tiles.ways.merge(self.ways)
        return Seeing(self.look.query.kind, tiles.ways, tiles, joined(self.parts))


async def seeing_all(connection: Any, site: Site, looks: Sequence[Look]) -> list[Seeing]:
    """Everything behind these maps, in their order; within one transaction that sees one state of
    the store. What several of them rest on is read once."""
    wanted = [_wanted(look) for look in looks]
    stacks = await read_stacks(connection, site.site_id, wanted)
    for look in looks:
        if look.beside is not None:
            look.beside.take_sealed(look.ways)
    raws = [_Raw(site, look) for look in looks]
    takers: dict[Stay, list[_Raw]] = {}
    for raw in raws:
        for stay in raw.look.stays:
            takers.setdefault(stay, []).append(raw)
    if takers:
        span = Span.of(site, min(days[0] for _, days in takers), max(days[1] for _, days in takers))
        ended = any(needs_ends(site, look.query) for look in looks)
        async for stay, closed, views in views_of_pages(connection, span, takers, ended=ended):
            for raw in takers[stay]:
                raw.hear(views, closed)
    return [raw.seeing(stack) for raw, stack in zip(raws, stacks, strict=True)]


def _wanted(look: Look) -> Wanted:
    def takes(way: Way) -> bool:
        return wanted(look.query, way)

    return Wanted(look.page.page_id, frozenset(look.where.sealed), look.query.kind, takes)
