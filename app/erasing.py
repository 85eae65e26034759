"""Deleting what was recorded: a visit, days, a page, or a whole shop, wherever it lies.

Rows go from what arrived and from all that was made of it, in one transaction; tiles of the days
are made anew of what is left; every picture and answer gets another name (the data version). The
spool of this machine must be empty first, or what waits there would come back. What the disk held
is overwritten as the space is used again: Postgres promises no more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from app.due import make_anew
from app.shops import ShopError, Unknown, take_turn, touch
from app.store import Store
from collector.nests import BAD
from collector.sites import Page, Site
from collector.spool import waiting_since
from collector.tables import metadata

DAY = timedelta(days=1)

OF_DAYS = ("beacon", "batch", "goal", "view", "visit", "stall_list", "tile", "daily", "dropped")
OF_VIEWS = ("beacon", "batch", "view", "stall_list")
OF_PAGES = ("tile", "daily")


@dataclass(frozen=True, slots=True)
class Erased:
    """rows: deleted ones; final_days: days whose tiles still hold sums of what was deleted."""

    rows: int
    final_days: int = 0


class SpoolWaits(ShopError):
    """Rows wait on this machine, and what is to be deleted may be among them."""


def check_spool(folder: Path) -> None:
    """Raises SpoolWaits; what could not be read is deleted, as nobody can say what is in it."""
    if waiting_since(folder) is not None:
        raise SpoolWaits(
            "rows wait in the spool of this machine: let the store take them, and delete then; "
            "`gloed jobs` says how many"
        )
    for path in (folder / BAD).glob("*"):
        path.unlink(missing_ok=True)


async def erase_days(store: Store, site: Site, first: date, last: date) -> Erased:
    """All that arrived on these days, both included, and all that was made of it."""
    if first > last:
        raise ShopError("the last day lies before the first: give them in order")
    async with store.transaction() as connection:
        await take_turn(connection, site)
        rows = 0
        for table in OF_DAYS:
            rows += await _deleted(connection, table, "day BETWEEN $2 AND $3", site, first, last)
        await connection.execute(
            "DELETE FROM job WHERE site_id = $1 AND period BETWEEN $2 AND $3",
            site.site_id,
            first,
            last,
        )
        # A visit or a view at the edge goes on in the days beside it.
        await make_anew(connection, site.site_id, first - DAY, last + DAY)
        await _end(connection, site)
    await _sweep(store, OF_DAYS)
    return Erased(rows)


async def erase_visit(store: Store, site: Site, visit_id: int) -> Erased:
    """One visit with its views and its goal."""
    async with store.transaction() as connection:
        await take_turn(connection, site)
        visit = await connection.fetchrow(_VISIT, site.site_id, visit_id)
        if visit is None:
            raise Unknown("there is no such visit of this shop, or not any more")
        day = visit["day"]
        views = await connection.fetch(_VIEWS_OF_VISIT, site.site_id, visit_id, day, day + DAY)
        rows = await _erase_views(connection, site, [(r["day"], r["view_id"]) for r in views])
        rows += await _deleted(
            connection, "visit", "day = $2 AND visit_id = $3", site, day, visit_id
        )
        rows += await _deleted(
            connection,
            "goal",
            "day BETWEEN $2 AND $2 + 1 AND visitor = $3",
            site,
            day,
            visit["visitor"],
        )
        final = await make_anew(connection, site.site_id, day, day + DAY)
        await _end(connection, site)
    await _sweep(store, (*OF_VIEWS, "visit", "goal"))
    return Erased(rows, final)


async def erase_page(store: Store, site: Site, page: Page) -> Erased:
    """What was recorded on a page; the page itself, its zones and pictures stay."""
    async with store.transaction() as connection:
        await take_turn(connection, site)
        views = await connection.fetch(_VIEWS_OF_PAGE, site.site_id, page.page_id)
        rows = await _erase_views(connection, site, [(r["day"], r["view_id"]) for r in views])
        for table in OF_PAGES:
            rows += await _deleted(connection, table, "page_id = $2", site, page.page_id)
        days = [row["day"] for row in views]
        if days:
            await make_anew(connection, site.site_id, min(days), max(days) + DAY)
        await _end(connection, site)
    await _sweep(store, (*OF_VIEWS, *OF_PAGES))
    return Erased(rows)


async def erase_site(store: Store, site: Site) -> Erased:
    """The shop with everything: data, pages, pictures, keys, shares and roles."""
    named = [table.name for table in reversed(metadata.sorted_tables) if "site_id" in table.columns]
    async with store.transaction() as connection:
        await take_turn(connection, site)
        rows = 0
        for table in named:
            rows += await _deleted(connection, table, "true", site)
    await _sweep(store, named)
    return Erased(rows)


_VISIT = "SELECT day, visitor FROM visit WHERE site_id = $1 AND visit_id = $2 ORDER BY day LIMIT 1"
_VIEWS_OF_VISIT = """
    SELECT day, view_id FROM view
    WHERE site_id = $1 AND visit_id = $2 AND day BETWEEN $3 AND $4
"""
_VIEWS_OF_PAGE = """
    SELECT day, view_id FROM beacon WHERE site_id = $1 AND page_id = $2 AND name = 'open'
    UNION SELECT day, view_id FROM batch WHERE site_id = $1 AND page_id = $2
    UNION SELECT day, view_id FROM view WHERE site_id = $1 AND page_id = $2
"""
_NAMELESS = """
    DELETE FROM path WHERE site_id = $1
    AND NOT EXISTS (SELECT FROM view WHERE view.site_id = $1 AND view.path_id = path.path_id)
    AND NOT EXISTS (SELECT FROM batch WHERE batch.site_id = $1 AND batch.path_id = path.path_id)
    AND NOT EXISTS (SELECT FROM beacon WHERE beacon.site_id = $1 AND beacon.path_id = path.path_id)
"""
"""The words of an address stay as long as a view was there."""


async def _erase_views(connection: Any, site: Site, views: list[tuple[date, int]]) -> int:
    rows = 0
    for day in sorted({day for day, _ in views}):
        numbers = [view_id for of_day, view_id in views if of_day == day]
        for table in OF_VIEWS:
            told = "day = $2 AND view_id = ANY($3)"
            rows += await _deleted(connection, table, told, site, day, numbers)
    return rows


async def _deleted(connection: Any, table: str, told: str, site: Site, *values: Any) -> int:
    done = await connection.execute(
        f"DELETE FROM {table} WHERE site_id = $1 AND {told}", site.site_id, *values
    )
    return int(done.rpartition(" ")[2])


async def _end(connection: Any, site: Site) -> None:
    await connection.execute(_NAMELESS, site.site_id)
    await touch(connection, site.site_id)


async def _sweep(store: Store, tables: Iterable[str]) -> None:
    """Let the space be used again at once: until then the deleted bytes lie where they lay."""
    async with store.connection() as connection:
        # For this connection until it goes back: a large table takes longer than a page may.
        await connection.execute("SET statement_timeout = 0")
        for table in tables:
            await connection.execute(f"VACUUM (SKIP_LOCKED) {table}")
