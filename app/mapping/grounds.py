"""What maps of a shop rest on beside rows of single views, read for all of them by one statement.

Which days are sealed, and the tiles of these; in which ways pages were seen on the days beside,
what their layouts are, how large windows were, and how many page views of the shop were counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from app.joint import NO_PARTS, Part, dated, joint, renumbered
from app.mapping.audience import SHOP_DAYS, Audience, audience_of, shop_days_asked
from app.mapping.beside import DayWays, ways_asked, ways_in
from app.mapping.filters import MapQuery
from app.mapping.folds import heights_asked, wants_heights
from app.mapping.sources import SEALED_DAYS, sealed_asked, tiles_answer, tiles_know, wanted
from app.mapping.tile_rows import AT_ONCE, TILE_COLUMNS, Stack, Wanted, tiles_asked
from app.picturing.layouts import Layout, layouts_asked, layouts_in
from collector.sites import Page, Site

DAY = timedelta(days=1)
Period = tuple[date, date]

LOOK_BACK = timedelta(days=31)
"""So many days before a period are looked up with it: what its edge borders on is mostly told by
the first. Where that is not enough, it is twice as many each time."""

_HEARD = """
    SELECT page.page_id, edge.day
    FROM unnest($2::int[]) AS page(page_id) CROSS JOIN unnest($3::date[]) AS edge(day)
    WHERE EXISTS (SELECT FROM beacon WHERE site_id = $1 AND beacon.page_id = page.page_id
        AND beacon.day = edge.day AND beacon.day = ANY($3) AND name = 'open')
    OR EXISTS (SELECT FROM batch WHERE site_id = $1 AND batch.page_id = page.page_id
        AND batch.day = edge.day AND batch.day = ANY($3))
"""
"""Pages and days of which anything at all arrived."""

_NO_TILE = ", ".join(f"NULL::{kind} AS {name}" for name, kind in TILE_COLUMNS.items())
_TOLD = f"SELECT {{told}} AS told, NULL::bool AS raw_gone, {_NO_TILE}"
_TILES = f"""
    UNION ALL
    SELECT NULL, day = ANY(ARRAY(SELECT day FROM {SEALED_DAYS} WHERE raw_gone)), tile.*
    FROM ({{tiles}} AND day = ANY(ARRAY(SELECT day FROM {SEALED_DAYS} {{which}}))) AS tile
"""
"""Tiles come as they lie in the store, and a few at a time: the largest have a few hundred KB."""


@dataclass(slots=True)
class Want:
    """What is read for a map before rows of single views are.

    period   the days that were read
    heights  of windows, rows by band and height, where the map needs them
    """

    page: Page
    query: MapQuery
    period: Period
    tiles: Wanted = field(init=False)
    heights: list[Mapping[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        query = self.query
        self.tiles = Wanted(
            self.page.page_id,
            *self.period,
            kind=query.kind,
            takes=lambda way: wanted(query, way),
            all_days=tiles_answer(self.page, query),
        )

    @property
    def stack(self) -> Stack:
        return self.tiles.stack

    def begin_at(self, first: date) -> None:
        """Take what is read next of the days before the period, which grows by them."""
        self.tiles.first, self.tiles.last = first, self.period[0] - DAY
        self.period = first, self.period[1]

    @property
    def reading(self) -> Period:
        """The days that are read, or were read last."""
        return self.tiles.first, self.tiles.last


@dataclass(slots=True)
class Grounds:
    """Of some pages of a shop; what is looked up later comes from the same state of the store.

    sealed   of the sealed days since `first`, whether they have nothing but their tiles left
    heard    of the days beside the periods, those with rows of a page
    beside   answers to what else was asked along with it
    """

    site: Site
    wants: Sequence[Want]
    first: date
    edges: frozenset[date]
    sealed: dict[date, bool] = field(default_factory=dict)
    heard: set[tuple[int, date]] = field(default_factory=set)
    layouts: dict[int, tuple[Layout, ...]] = field(default_factory=dict)
    beside: Mapping[str, Any] = field(default_factory=dict)
    _ways: dict[tuple[int, date], DayWays] = field(default_factory=dict)
    _shop_days: list[dict[str, Any]] = field(default_factory=list)
    _reached: timedelta = LOOK_BACK

    def ways(self, page_id: int, days: Iterable[date]) -> dict[date, DayWays]:
        """Of sealed days."""
        return {day: self._ways.get((page_id, day)) or DayWays() for day in days}

    def is_silent(self, page_id: int, day: date) -> bool:
        """Whether it is known that nothing at all arrived of a page on a day."""
        return day in self.edges and (page_id, day) not in self.heard

    def audience(self, period: Period) -> Audience:
        return audience_of(self._shop_days, self.site.site_id, period)

    async def begin(self, connection: Any, beside: Mapping[str, Part]) -> None:
        """Read the periods, and what may lie next to them; and what else is asked."""
        pages = self._pages
        parts = {
            **beside,
            "ways": ways_asked(self.site.site_id, pages, self.first, max(self.edges)),
            "heard": Part.rows(_HEARD, self.site.site_id, pages, sorted(self.edges)),
            "layouts": layouts_asked([(self.site.site_id, page_id) for page_id in pages]),
        }
        await self._read(connection, self.wants, (self.first, max(self.edges)), parts)

    async def reach(self, connection: Any, day: date) -> None:
        """Look up the days from this one on too, which lies before `first`."""
        self._reached *= 2
        days = min(day, self.first - self._reached), self.first - DAY
        parts = {"ways": ways_asked(self.site.site_id, self._pages, *days)}
        await self._ask(connection, days, parts, ())
        self.first = days[0]

    async def extend(self, connection: Any, begins: Mapping[int, date]) -> None:
        """Read earlier days too, of maps whose period begins before what was read.

        begins  by place among `wants`, the first day
        """
        more = [self.wants[place] for place in begins]
        for one, first in zip(more, begins.values(), strict=True):
            one.begin_at(first)
        if more:
            await self._read(connection, more, _whole(more), {})

    @property
    def _pages(self) -> list[int]:
        return sorted({one.page.page_id for one in self.wants})

    async def _read(
        self, connection: Any, wants: Sequence[Want], around: Period, parts: Mapping[str, Part]
    ) -> None:
        """around   the days whose seals are to be known"""
        site_id = self.site.site_id
        parts = {
            **parts,
            **_heights_parts(site_id, wants),
            "shop_days": Part.rows(SHOP_DAYS, *shop_days_asked([site_id], _whole(wants))),
        }
        await self._ask(connection, around, parts, wants)

    async def _ask(
        self, connection: Any, around: Period, parts: Mapping[str, Part], wants: Sequence[Want]
    ) -> None:
        statement, values = _statement(self.site.site_id, around, parts, wants)
        async for row in connection.cursor(statement, *values, prefetch=AT_ONCE):
            if row["told"] is not None:
                self._note(json.loads(row["told"]), wants)
                continue
            for one in wants:
                one.tiles.take(row, raw_gone=row["raw_gone"])

    def _note(self, told: Mapping[str, Any], wants: Sequence[Want]) -> None:
        self.sealed |= {row["day"]: row["raw_gone"] for row in dated(told["sealed"], "day")}
        self._ways |= ways_in(dated(told.get("ways"), "day"))
        self._shop_days += dated(told.get("shop_days"), "day", "viewed")
        self.heard |= {(row["page_id"], row["day"]) for row in dated(told.get("heard"), "day")}
        self.beside = self.beside or told
        found = layouts_in(told.get("layouts"))
        self.layouts |= {page_id: layouts for (_, page_id), layouts in found.items()}
        for place, one in enumerate(wants):
            one.heights += told.get(f"heights {place}") or ()


async def grounds_of(
    connection: Any, site: Site, wants: Sequence[Want], beside: Mapping[str, Part] = NO_PARTS
) -> Grounds:
    """What these maps rest on; within one transaction that sees one state of the store."""
    edges = {day for one in wants for day in (one.period[0] - DAY, one.period[1] + DAY)}
    grounds = Grounds(site, wants, min(edges) - LOOK_BACK, frozenset(edges))
    await grounds.begin(connection, beside)
    return grounds


def _whole(wants: Iterable[Want]) -> Period:
    reading = [one.reading for one in wants]
    return min(first for first, _ in reading), max(last for _, last in reading)


def _heights_parts(site_id: int, wants: Sequence[Want]) -> Mapping[str, Part]:
    return {
        f"heights {place}": heights_asked(site_id, one.page.page_id, one.reading, one.query)
        for place, one in enumerate(wants)
        if wants_heights(one.query)
    }


def _statement(
    site_id: int, around: Period, parts: Mapping[str, Part], wants: Sequence[Want]
) -> tuple[str, list[Any]]:
    """One row of everything that is small, and one for each tile."""
    sealed = sealed_asked(site_id, *around)
    values = list(sealed.values)
    days = Part.rows(f"SELECT day, raw_gone FROM {SEALED_DAYS}")
    told, more = joint({"sealed": days, **parts}, known=len(values))
    values += more
    statement = f"WITH {SEALED_DAYS} AS MATERIALIZED ({sealed.statement}) {_TOLD.format(told=told)}"
    # Who asks for what tiles do not know is told of no day that has nothing else left.
    if tiled := [one for one in wants if tiles_know(one.query)]:
        tiles = tiles_asked(site_id, [one.tiles for one in tiled])
        every = any(one.tiles.all_days for one in tiled)
        statement += _TILES.format(
            tiles=renumbered(tiles.statement, len(values)),
            which="" if every else "WHERE raw_gone",
        )
        values += tiles.values
    return statement, values
