"""What a map rests on, read in one snapshot of the store: sealed days from tiles, others from rows.

Both are put on the same ground by the same rules (`marks.py`), and their days do not overlap, so
that everything that is counted simply adds up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from app.closing.shut_out import RULES, SHUT_OUT
from app.folding.homes import Homes
from app.folding.raw import Span, page_view_chunks
from app.folding.seen import Seen
from app.folding.ways import WaySums, sum_of, way_of
from app.mapping.beside import Beside, ways_by_day
from app.mapping.choosing import Ended, passes
from app.mapping.classes import Classes
from app.mapping.filters import MapQuery
from app.mapping.marks import Gathered, Integers, gather, joined
from app.mapping.placing import Floats, Ground, Placed, merged, placed
from app.mapping.sources import Sources, wanted
from app.mapping.tile_rows import Stack, depths, placed_tiles, read_tiles
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


VisitIds = dict[tuple[date, int], int]
"""By day and number of a view."""


@dataclass(slots=True)
class _Raw:
    """Views of the days that are read from rows, as they come."""

    kind: str
    homes: Homes
    classes: Classes | None = None
    visit_ids: VisitIds = field(default_factory=dict)
    ways: WaySums = field(default_factory=WaySums)
    parts: list[Gathered] = field(default_factory=list)
    visits: set[tuple[date, int]] = field(default_factory=set)

    def take(self, views: list[Seen]) -> None:
        paired = [(view, self.visit_of(view)) for view in views]
        for view, visit in paired:
            self.ways.add(way_of(view), sum_of(view))
            self.visits.add((view.day, visit))
        code_of = self.classes.code_of if self.classes else None
        self.parts.append(gather(self.kind, paired, self.homes, code_of))

    def visit_of(self, view: Seen) -> int:
        """A view of the last minute has no visit yet, and stands for its visitor's."""
        return self.visit_ids.get((view.day, view.view_id), view.visitor)


async def seeing(
    connection: Any,
    site: Site,
    page: Page,
    query: MapQuery,
    where: Sources,
    homes: Homes,
    beside: Beside | None = None,
    classes: Classes | None = None,
) -> Seeing:
    """Everything behind a map; within one transaction that sees one state of the store.

    beside, classes   are told of every view, chosen or not
    """
    key = site.site_id, page.page_id
    tiles = await read_tiles(
        connection, key, where.sealed, query.kind, lambda way: wanted(query, way)
    )
    if beside is not None:
        beside.take_sealed(await ways_by_day(connection, key, where.sealed))
    raw = _Raw(query.kind, homes, classes)
    for first, last in where.raw:
        span = Span.of(site, first, last)
        raw.visit_ids = await visit_ids(connection, span, page.page_id)
        ended = await ended_as(connection, span, page.page_id, query.outcome)
        out = await shut_out(connection, site, span, page.page_id)
        if classes is not None:
            await classes.look_up(connection, span, page.page_id)
        async for read in page_view_chunks(connection, span, page.page_id):
            views = [view for view in read if (view.day, view.view_id) not in out]
            raw.take([view for view in views if passes(view, query, ended)])
            if beside is not None:
                beside.take(views, raw.visit_of, ended)
            if classes is not None:
                classes.take(views, raw.visit_of, ended)
    raw.ways.visits = len(raw.visits)
    tiles.ways.merge(raw.ways)
    return Seeing(query.kind, tiles.ways, tiles, joined(raw.parts))


async def visit_ids(connection: Any, span: Span, page_id: int) -> VisitIds:
    """Visits as the closing job gave them."""
    rows = await connection.fetch(
        "SELECT day, view_id, visit_id FROM view "
        "WHERE site_id = $1 AND day BETWEEN $2 AND $3 AND page_id = $4",
        span.site_id,
        span.first,
        span.last,
        page_id,
    )
    return {(row["day"], row["view_id"]): row["visit_id"] for row in rows}


async def shut_out(connection: Any, site: Site, span: Span, page_id: int) -> Ended:
    """The page's views of visits that the shop's owner took out of every answer."""
    if not site.config.get(RULES):
        return frozenset()
    rows = await connection.fetch(
        "SELECT view.day, view_id FROM view JOIN visit USING (site_id, visit_id) "
        "WHERE site_id = $1 AND view.day BETWEEN $2 AND $3 AND page_id = $4 "
        "AND visit.day BETWEEN view.day - 1 AND view.day "
        "AND visit.day BETWEEN $2 - 1 AND $3 AND visit.flags & $5 > 0",
        span.site_id,
        span.first,
        span.last,
        page_id,
        SHUT_OUT,
    )
    return {(row["day"], row["view_id"]) for row in rows}


async def ended_as(connection: Any, span: Span, page_id: int, outcome: int | None) -> Ended:
    """The views of the page whose visits ended so; of no outcome, none."""
    if outcome is None:
        return frozenset()
    # The visit of a view after midnight began the day before.
    rows = await connection.fetch(
        "SELECT view.day, view_id FROM view JOIN visit USING (site_id, visit_id) "
        "WHERE site_id = $1 AND view.day BETWEEN $2 AND $3 AND page_id = $4 "
        "AND visit.day BETWEEN view.day - 1 AND view.day "
        "AND visit.day BETWEEN $2 - 1 AND $3 AND outcome = $5",
        span.site_id,
        span.first,
        span.last,
        page_id,
        int(outcome),
    )
    return {(row["day"], row["view_id"]) for row in rows}
