"""What a shop says of itself in time: "the page changed here", with its moment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.joint import Part
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


_CHANGES = """
    SELECT change_id, at, page_id, text FROM change
    WHERE site_id = $1 AND ($2::int IS NULL OR page_id IS NULL OR page_id = $2)
    ORDER BY at DESC, change_id DESC
"""


async def changes_of(store: Store, site: Site, page: Page | None = None) -> tuple[Change, ...]:
    """Everything that the shop wrote down, the newest first. Of a page: its own and the whole
    shop's."""
    asked = changes_asked(site, page)
    return changes_in(json.loads(await store.fetchval(asked.statement, *asked.values) or "[]"))


def changes_asked(site: Site, page: Page | None) -> Part:
    """What tells of it beside something else; people wrote it, so that it is never much."""
    return Part.rows(_CHANGES, site.site_id, page.page_id if page else None)


def changes_in(told: Iterable[Mapping[str, Any]] | None) -> tuple[Change, ...]:
    """From the answer to `changes_asked`, as `changes_of` tells them."""
    return tuple(Change(**{**row, "at": datetime.fromisoformat(row["at"])}) for row in told or ())


def changes_on(
    changes: Iterable[Change], site: Site, first: date, last: date
) -> tuple[Change, ...]:
    """Those of these days."""
    return tuple(change for change in changes if first <= site.day_of(change.at) <= last)


async def drop_change(store: Store, site: Site, change_id: int) -> None:
    await store.execute(
        "DELETE FROM change WHERE site_id = $1 AND change_id = $2", site.site_id, change_id
    )
