"""What all deleting shares: rows go in one transaction, and what was made of them is made anew."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.shops import take_turn, touch
from app.store import Store
from collector.erased import hold
from collector.sites import Site

DAY = timedelta(days=1)

OF_VIEWS = ("beacon", "batch", "view", "stall_list")

View = tuple[date, int]
"""Day and number."""


@dataclass(frozen=True, slots=True)
class Erased:
    """rows: deleted ones; final_days: days whose tiles still hold sums of what was deleted."""

    rows: int
    final_days: int = 0


async def begin(connection: Any, site: Site) -> None:
    """The first of a deletion: neither a change of the shop nor a spool comes in between."""
    await take_turn(connection, site)
    await hold(connection)


async def delete_views(connection: Any, site: Site, views: Collection[View]) -> int:
    rows = 0
    for day in sorted({day for day, _ in views}):
        numbers = [view_id for of_day, view_id in views if of_day == day]
        for table in OF_VIEWS:
            told = "day = $2 AND view_id = ANY($3)"
            rows += await delete(connection, table, told, site, day, numbers)
    return rows


async def delete(connection: Any, table: str, told: str, site: Site, *values: Any) -> int:
    done = await connection.execute(
        f"DELETE FROM {table} WHERE site_id = $1 AND {told}", site.site_id, *values
    )
    return int(done.rpartition(" ")[2])


async def end(connection: Any, site: Site) -> None:
    """The last of a deletion: every picture and answer gets another name."""
    await connection.execute(_NAMELESS, site.site_id)
    await touch(connection, site.site_id)


_NAMELESS = """
    DELETE FROM path WHERE site_id = $1
    AND NOT EXISTS (SELECT FROM view WHERE view.site_id = $1 AND view.path_id = path.path_id)
    AND NOT EXISTS (SELECT FROM batch WHERE batch.site_id = $1 AND batch.path_id = path.path_id)
    AND NOT EXISTS (SELECT FROM beacon WHERE beacon.site_id = $1 AND beacon.path_id = path.path_id)
"""
"""The words of an address stay as long as a view was there."""


async def sweep(store: Store, tables: Iterable[str]) -> None:
    """Let the space be used again at once: until then the deleted bytes lie where they lay."""
    async with store.connection() as connection:
        # For this connection until it goes back: a large table takes longer than a page may.
        await connection.execute("SET statement_timeout = 0")
        for table in tables:
            await connection.execute(f"VACUUM (SKIP_LOCKED) {table}")
