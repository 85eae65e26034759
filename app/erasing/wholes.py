"""Deleting days, a page's records, or a whole shop."""

from __future__ import annotations

from datetime import date, datetime

from app.due import make_anew
from app.erasing.deleting import DAY, OF_VIEWS, Erased, begin, delete, delete_views, end, sweep
from app.shops import ShopError
from app.store import Store
from collector.erased import Erasure, note
from collector.sites import Page, Site
from collector.tables import metadata

OF_DAYS = ("beacon", "batch", "goal", "view", "visit", "stall_list", "tile", "daily", "dropped")
OF_PAGES = ("tile", "daily")


async def erase_days(store: Store, site: Site, first: date, last: date, now: datetime) -> Erased:
    """All that arrived on these days, both included, and all that was made of it."""
    if first > last:
        raise ShopError("the last day lies before the first: give them in order")
    async with store.transaction() as connection:
        await begin(connection, site)
        await note(connection, Erasure(now, site.site_id, days=(first, last)))
        rows = 0
        for table in OF_DAYS:
            rows += await delete(connection, table, "day BETWEEN $2 AND $3", site, first, last)
        await connection.execute(
            "DELETE FROM job WHERE site_id = $1 AND period BETWEEN $2 AND $3",
            site.site_id,
            first,
            last,
        )
        # A visit or a view at the edge goes on in the days beside it.
        await make_anew(connection, site.site_id, first - DAY, last + DAY)
        await end(connection, site)
    await sweep(store, OF_DAYS)
    return Erased(rows)


async def erase_page(store: Store, site: Site, page: Page, now: datetime) -> Erased:
    """What was recorded on a page; the page itself, its zones and pictures stay."""
    async with store.transaction() as connection:
        await begin(connection, site)
        found = await connection.fetch(_VIEWS_OF_PAGE, site.site_id, page.page_id)
        views = [(row["day"], row["view_id"]) for row in found]
        # Without the views, which may be millions: what they still send belongs to no view.
        await note(connection, Erasure(now, site.site_id, views=set(), page_id=page.page_id))
        rows = await delete_views(connection, site, views)
        for table in OF_PAGES:
            rows += await delete(connection, table, "page_id = $2", site, page.page_id)
        days = [day for day, _ in views]
        if days:
            await make_anew(connection, site.site_id, min(days), max(days) + DAY)
        await end(connection, site)
    await sweep(store, (*OF_VIEWS, *OF_PAGES))
    return Erased(rows)


async def erase_site(store: Store, site: Site, now: datetime) -> Erased:
    """The shop with everything: data, pages, pictures, keys, shares and roles."""
    named = [
        table.name
        for table in reversed(metadata.sorted_tables)
        if "site_id" in table.columns and table.name != "erasure"
    ]
    async with store.transaction() as connection:
        await begin(connection, site)
        await note(connection, Erasure(now, site.site_id))
        rows = 0
        for table in named:
            rows += await delete(connection, table, "true", site)
    await sweep(store, named)
    return Erased(rows)


_VIEWS_OF_PAGE = """
    SELECT day, view_id FROM beacon WHERE site_id = $1 AND page_id = $2 AND name = 'open'
    UNION SELECT day, view_id FROM batch WHERE site_id = $1 AND page_id = $2
    UNION SELECT day, view_id FROM view WHERE site_id = $1 AND page_id = $2
"""
