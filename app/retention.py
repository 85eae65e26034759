"""How long what is kept, and the job that lets go of what is over.

Partitions are shared by all shops: one is dropped when no shop keeps its day any more, and until
then a shop that keeps less has its own rows deleted. Without its raw rows a day is final: it is
never closed or sealed again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import structlog

from app.closing.forgetting import FINAL
from app.closing.visits import window
from app.configuration import MOST_RAW_DAYS, RAW_DAYS, TILE_DAYS, VIEW_DAYS, least_raw_days
from app.mapping.sources import RAW_GONE, SEAL
from app.shops import touch
from app.store import Store
from app.turns import Work, hold
from collector.erased import forget
from collector.partitions import partition_name
from collector.sites import Site, read_sites
from collector.spool import RAW_KEPT
from collector.tables import RAW

log = structlog.get_logger()

VIEWS = ("view", "visit", "stall_list")
TILES = ("tile", "daily")

LOCK_WITHIN = timedelta(milliseconds=200)
"""Detaching waits so long for whoever uses the table; a writer waits behind it no longer."""

TRIES = 5
BETWEEN_TRIES = timedelta(seconds=1)


class PartitionBusy(Exception):
    """A partition could not be detached; the next run tries again."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Days that a shop keeps; None for as long as it exists."""

    raw: int | None = RAW_DAYS
    views: int | None = VIEW_DAYS
    tiles: int | None = TILE_DAYS

    def of(self, tables: Sequence[str]) -> int | None:
        if tables == RAW:
            return self.raw
        return self.views if tables == VIEWS else self.tiles


def kept(site: Site) -> Kept:
    """What was imported is kept until it is deleted: it cannot come again."""
    told: Mapping[str, Any] = site.config
    if told.get("imported"):
        return Kept(None, None, None)
    least = least_raw_days(window(site) // timedelta(hours=1))
    raw = min(max(told.get("raw_days", RAW_DAYS), least), MOST_RAW_DAYS)
    return Kept(raw, told.get("view_days", VIEW_DAYS), told.get("tile_days", TILE_DAYS))


@dataclass(frozen=True, slots=True)
class Over:
    """The first day that each shop keeps of some tables, None for all of them."""

    first_kept: Mapping[int, date | None]
    without_shops: date

    def for_all(self, day: date) -> bool:
        firsts = self.first_kept.values() or (self.without_shops,)
        return all(first is not None and day < first for first in firsts)

    def shops(self) -> Iterable[tuple[int, date]]:
        return ((site, first) for site, first in self.first_kept.items() if first is not None)


async def let_go(work: Work) -> None:
    """Drop and delete what is over. Raises PartitionBusy after everything else is done."""
    async with work.store.connection() as connection:
        sites = await read_sites(connection)
    raw = _over(sites, RAW, work.now)
    for site_id, first in raw.shops():
        await _make_final(work.store, site_id, first, work.now)
    busy = []
    for tables in (RAW, VIEWS, TILES):
        busy += await _let_go(work.store, tables, _over(sites, tables, work.now))
    for site_id, first in _over(sites, TILES, work.now).shops():
        await _forget_days(work.store, site_id, first)
    ends = {site.site_id: work.now - window(site) for site in sites}
    await forget(work.store, work.now - RAW_KEPT, ends)
    if busy:
        raise PartitionBusy(", ".join(busy))


def _over(sites: Sequence[Site], tables: Sequence[str], now: datetime) -> Over:
    """A store without shops keeps what a shop would."""
    days = Kept().of(tables)
    assert days is not None
    return Over(
        {site.site_id: _first_kept(site, tables, now) for site in sites},
        now.astimezone(UTC).date() - timedelta(days=days),
    )


def _first_kept(site: Site, tables: Sequence[str], now: datetime) -> date | None:
    days = kept(site).of(tables)
    return None if days is None else site.day_of(now) - timedelta(days=days)


_ENDING = """
    SELECT DISTINCT period FROM job WHERE site_id = $1 AND period < $2 AND name = ANY($3)
    ORDER BY period
"""
_PER_DAY = ("close", "layouts", "forget_refs", FINAL)


async def _make_final(store: Store, site_id: int, first: date, now: datetime) -> None:
    """Before a day's raw rows go: from then on nobody closes or seals it again."""
    for row in await store.fetch(_ENDING, site_id, first, list(_PER_DAY)):
        day = row["period"]
        async with store.transaction() as connection:
            for name in ("close", SEAL):
                await hold(connection, (name, site_id, day))
            await connection.execute(
                "INSERT INTO job (name, site_id, period, state, last_run_at) "
                "VALUES ($1, $2, $3, 'done', $4) ON CONFLICT (name, site_id, period) DO NOTHING",
                RAW_GONE,
                site_id,
                day,
                now,
            )
            await connection.execute(
                "DELETE FROM job WHERE site_id = $1 AND period = $2 AND name = ANY($3)",
                site_id,
                day,
                list(_PER_DAY),
            )
            # What reads raw rows finds fewer of them from now on.
            await touch(connection, site_id)


async def raw_is_gone(store: Store, site_id: int, day: date) -> bool:
    found = await store.fetchval(
        "SELECT count(*) FROM job WHERE name = $1 AND site_id = $2 AND period = $3",
        RAW_GONE,
        site_id,
        day,
    )
    return bool(found)


async def _let_go(store: Store, tables: Sequence[str], over: Over) -> list[str]:
    """Partitions that were in use."""
    busy = []
    for table in tables:
        for day in await _partition_days(store, table):
            if over.for_all(day) and not await _dropped(store, table, day):
                busy.append(partition_name(table, day))
        for site_id, first in over.shops():
            await _delete(store, table, site_id, first)
    return busy


async def _partition_days(store: Store, table: str) -> list[date]:
    rows = await store.fetch(
        "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid "
        "WHERE inhparent = $1::text::regclass ORDER BY relname",
        table,
    )
    return [datetime.strptime(row["relname"][-8:], "%Y%m%d").date() for row in rows]


async def _dropped(store: Store, table: str, day: date) -> bool:
    """Whether the partition is gone now.

    DETACH … CONCURRENTLY was weighed: it waits for every reader instead of stepping back, cannot
    be undone halfway and leaves a state behind that somebody has to finish. A short wait that is
    given up and tried again never holds up a writer, and is one transaction.
    """
    name = partition_name(table, day)
    for left in range(TRIES - 1, -1, -1):
        try:
            async with store.transaction() as connection:
                wait_ms = round(LOCK_WITHIN.total_seconds() * 1000)
                await connection.execute(f"SET LOCAL lock_timeout = {wait_ms}")
                await connection.execute(f"ALTER TABLE {table} DETACH PARTITION {name}")
                await connection.execute(f"DROP TABLE {name}")
        except asyncpg.LockNotAvailableError:
            if left:
                await asyncio.sleep(BETWEEN_TRIES.total_seconds())
        else:
            log.info("partition_dropped", partition=name)
            return True
    return False


async def _delete(store: Store, table: str, site_id: int, first: date) -> None:
    """Days of a shop that keeps less than others, the oldest first, each by itself."""
    oldest = f"SELECT day FROM {table} WHERE site_id = $1 AND day < $2 ORDER BY day LIMIT 1"
    while (day := await store.fetchval(oldest, site_id, first)) is not None:
        await store.execute(f"DELETE FROM {table} WHERE site_id = $1 AND day = $2", site_id, day)
        log.info("day_deleted", table=table, site=site_id, day=str(day))


async def _forget_days(store: Store, site_id: int, first: date) -> None:
    """Of days of which nothing is left: what was dropped on purpose, and what the jobs noted."""
    for statement in (
        "DELETE FROM dropped WHERE site_id = $1 AND day < $2",
        "DELETE FROM job WHERE site_id = $1 AND period < $2",
    ):
        await store.execute(statement, site_id, first)
