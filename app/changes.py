"""What a shop says of itself in time: "the page changed here", with its moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from app.shops import ShopError, take_turn
from app.store import Store
from collector.sites import Page, Site

LONGEST = 200
"""Signs of a change's text: a line beside a map."""


@dataclass(frozen=True, slots=True)
class Change:
    """page_id: None for the whole shop."""

    change_id: int
    at: datetime
    page_id: int | None
    text: str


async def add_change(
    store: Store, site: Site, page: Page | None, text: str, at: datetime, now: datetime
) -> int:
    """Write it down; its number. Raises ShopError for nothing said, and for what is to come."""
    told = " ".join(text.split())
    if not 0 < len(told) <= LONGEST or not told.isprintable():
        raise ShopError(f"say what changed, in 1 to {LONGEST} printable signs")
    if at > now:
        raise ShopError("this lies in the future: write a change down when it was made")
    async with store.transaction() as connection:
        await take_turn(connection, site)
        return await write_change(connection, site, page.page_id if page else None, told, at)


async def write_change(
    connection: Any, site: Site, page_id: int | None, text: str, at: datetime
) -> int:
    """Within a transaction that has taken its turn; the number of the change."""
    number: int = await connection.fetchval(
        "INSERT INTO change (site_id, change_id, at, page_id, text) "
        "SELECT $1, coalesce(max(change_id), 0) + 1, $2, $3, $4 "
        "FROM change WHERE site_id = $1 RETURNING change_id",
        site.site_id,
        at,
        page_id,
        text[:LONGEST],
    )
    return number


async def changes_of(
    store: Store,
    site: Site,
    page: Page | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[Change, ...]:
    """The newest first. Of a page: its own and the whole shop's, in that time if one is given."""
    rows = await store.fetch(
        "SELECT change_id, at, page_id, text FROM change WHERE site_id = $1 "
        "AND ($2::int IS NULL OR page_id IS NULL OR page_id = $2) "
        "AND ($3::timestamptz IS NULL OR at >= $3) AND ($4::timestamptz IS NULL OR at < $4) "
        "ORDER BY at DESC, change_id DESC",
        site.site_id,
        page.page_id if page else None,
        since,
        until,
    )
    return tuple(Change(**dict(row)) for row in rows)


async def changes_in(
    store: Store, site: Site, page: Page, first: date, last: date
) -> tuple[Change, ...]:
    """What changed of this page, or of the whole shop, on these days."""
    since, until = (
        datetime.combine(day, time.min, site.time_zone) for day in (first, last + timedelta(days=1))
    )
    return await changes_of(store, site, page, since, until)


async def drop_change(store: Store, site: Site, change_id: int) -> None:
    await store.execute(
        "DELETE FROM change WHERE site_id = $1 AND change_id = $2", site.site_id, change_id
    )
