"""The sealing job: tiles and daily sums of closed days, from their views and raw rows.

A page of a day is recomputed whole, in one transaction, never incremented: running it again changes
nothing, and what it wrote may be deleted and is the same after the next run. A run that was broken
off is begun again; pages that it had done are found as they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.closing.shut_out import SHUT_OUT
from app.closing.turn import take_turn
from app.folding.homes import Homes
from app.folding.raw import Told, rows_of
from app.folding.seen import CODE_NAMES, Seen, fold
from app.mapping.marks import KINDS, gather
from app.picturing.layouts import layouts_of
from app.sealing.daily import Daily
from app.sealing.tiles import Tally
from app.shops import touch
from app.store import Store
from collector.codes import Outcome
from collector.partitions import make_partitions
from collector.sites import Site
from collector.tables import metadata

WRITES = ("tile", "daily")
COLUMNS = {name: tuple(c.name for c in metadata.tables[name].columns) for name in WRITES}

CHUNK_VIEWS = 500
"""So many views are counted at a time: a few MB of rows and twenty of marks."""

CHUNK_BYTES = 2_000_000
"""Of batches counted at a time; unpacked and told as marks they take twenty times as much."""

LISTED_AT_A_TIME = 10_000
_PAGES = """
    SELECT DISTINCT page_id FROM view WHERE site_id = $1 AND day = $2
    UNION SELECT page_id FROM tile WHERE site_id = $1 AND day = $2
    UNION SELECT page_id FROM daily WHERE site_id = $1 AND day = $2
    ORDER BY page_id
"""
_VIEWS = """
    SELECT view_id, visit_id, EXISTS (SELECT FROM visit WHERE visit.site_id = view.site_id
        AND visit.visit_id = view.visit_id AND visit.day BETWEEN view.day - 1 AND view.day
        AND visit.outcome = $4) AS completed,
    (SELECT coalesce(sum(octet_length(trail) + octet_length(ev)), 0)::bigint FROM batch
        WHERE batch.site_id = view.site_id AND batch.day = view.day
        AND batch.view_id = view.view_id) AS bytes
    FROM view WHERE site_id = $1 AND day = $2 AND page_id = $3
    AND NOT EXISTS (SELECT FROM visit WHERE visit.site_id = view.site_id
        AND visit.visit_id = view.visit_id AND visit.day BETWEEN view.day - 1 AND view.day
        AND visit.flags & $5 > 0)
    ORDER BY visit_id, opened_at, view_id
"""
"""The day's visits may have begun the day before; those that the owner took out are left out."""


@dataclass(frozen=True, slots=True)
class Sealed:
    pages: int
    views: int
    changed: bool
    """Whether anything is different from what the last run wrote."""


Record = tuple[Any, ...]


async def seal_day(
    store: Store, site: Site, day: date, *, chunk_views: int = CHUNK_VIEWS
) -> Sealed:
    """Make the tiles and daily sums of every page that was seen on `day`, which is closed."""
    async with store.connection() as connection:
        await make_partitions(connection, [day])
    pages = [row["page_id"] for row in await store.fetch(_PAGES, site.site_id, day)]
    views, changed = 0, False
    for page_id in pages:
        counted, differs = await _seal_page(store, site, page_id, day, chunk_views)
        views, changed = views + counted, changed or differs
    return Sealed(len(pages), views, changed)


async def _seal_page(
    store: Store, site: Site, page_id: int, day: date, chunk_views: int
) -> tuple[int, bool]:
    homes = Homes(await layouts_of(store, site, page_id), site.time_zone)
    counting = _Counting(homes)
    async with store.transaction() as connection:
        await take_turn(connection, site.site_id, day)
        async for listed in _listed(connection, (site.site_id, day, page_id), chunk_views):
            view_ids = [row["view_id"] for row in listed]
            told = await rows_of(connection, site.site_id, day, view_ids)
            # In a thread: a beacon that arrives meanwhile is answered between two instructions.
            await asyncio.to_thread(counting.take, listed, told)
        rows = await asyncio.to_thread(counting.rows, (site.site_id, page_id, day))
        changed = False
        for table in WRITES:
            changed |= await _rewrite(connection, table, (site.site_id, page_id, day), rows[table])
        if changed:
            await touch(connection, site.site_id)
    return counting.views, changed


async def _listed(
    connection: Any, key: tuple[int, date, int], chunk_views: int
) -> AsyncIterator[list[Any]]:
    """The page's views by visit, as many at a time as may be held with all that they told."""
    chunk: list[Any] = []
    held = 0
    asked = *key, int(Outcome.COMPLETED), SHUT_OUT
    rows = connection.cursor(_VIEWS, *asked, prefetch=LISTED_AT_A_TIME)
    async for row in rows:
        chunk.append(row)
        held += row["bytes"]
        if len(chunk) >= chunk_views or held >= CHUNK_BYTES:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk


class _Counting:
    """One page of one day while its views come by."""

    def __init__(self, homes: Homes) -> None:
        self.views = 0
        self._homes = homes
        self._tally = Tally()
        self._daily = Daily()

    def take(self, listed: list[Any], told: Told) -> None:
        views = {view.view_id: view for view in fold(*told) if not view.quarantined}
        known = [row for row in listed if row["view_id"] in views]
        paired: list[tuple[Seen, int]] = [(views[row["view_id"]], row["visit_id"]) for row in known]
        gathered = {kind: gather(kind, paired, self._homes) for kind in KINDS}
        self._tally.add(paired, gathered)
        self._daily.add(paired, [row["completed"] for row in known], gathered["stall"])
        self.views += len(paired)

    def rows(self, key: tuple[int, int, date]) -> dict[str, list[Record]]:
        site_id, page_id, day = key
        same = {"site_id": site_id, "page_id": page_id, "day": day}
        tiles = [
            {
                **same,
                "band": tile.way.band,
                "pointer": tile.way.pointer,
                "kind": tile.kind,
                "capture": tile.way.captures,
                "anchor": tile.anchor,
                "views": tile.views,
                "visits": tile.visits,
                "enc": tile.enc,
                "cells": tile.cells,
            }
            for tile in self._tally.tiles()
        ]
        sums = [
            {
                **same,
                **dict(zip(CODE_NAMES, codes, strict=True)),
                "views": told.views,
                "visits": told.visits,
                "goals": told.goals,
                "dwell_ms": told.dwell_ms,
            }
            for codes, told in self._daily.rows()
        ]
        return {
            "tile": [tuple(row[name] for name in COLUMNS["tile"]) for row in tiles],
            "daily": [tuple(row[name] for name in COLUMNS["daily"]) for row in sums],
        }


async def _rewrite(
    connection: Any, table: str, key: tuple[int, int, date], records: list[Record]
) -> bool:
    """Put these in place of the rows there are; False where they are the same."""
    of_page = "WHERE site_id = $1 AND page_id = $2 AND day = $3"
    columns = ", ".join(COLUMNS[table])
    present = await connection.fetch(f"SELECT {columns} FROM {table} {of_page}", *key)
    if {tuple(row) for row in present} == set(records):
        return False
    await connection.execute(f"DELETE FROM {table} {of_page}", *key)
    await connection.copy_records_to_table(table, records=records, columns=COLUMNS[table])
    return True
