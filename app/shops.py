"""What people set up: shops, pages and zones. Each function is one transaction."""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.store import Store
from collector.codes import Phase
from collector.sites import Page, Site, Zone, read_sites
from collector.tables import RAW
from collector.wire import MAX_ZONE, SLUG
from snippets.selectors import check_selector

DEFAULT_TIME_ZONE = "Europe/Amsterdam"
KEY_CHARS = 16
_ALPHABET = string.ascii_lowercase + string.digits


class ShopError(Exception):
    """What was asked of a shop cannot be done; the message names the value and the remedy."""


class Unknown(ShopError):
    """No such shop or page."""


async def add_site(
    store: Store, name: str, now: datetime, *, time_zone: str = DEFAULT_TIME_ZONE
) -> str:
    """Add a shop in state `trying`; its public key."""
    if not name.strip():
        raise ShopError("a shop needs a name: gloed site add 'My shop'")
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
        raise ShopError(
            f"{time_zone!r} is no time zone; write one such as {DEFAULT_TIME_ZONE}"
        ) from problem
    key = "gs_" + "".join(secrets.choice(_ALPHABET) for _ in range(KEY_CHARS))
    await store.execute(
        "INSERT INTO site (public_key, name, time_zone, state, created_at) "
        "VALUES ($1, $2, $3, 'trying', $4)",
        key,
        name.strip(),
        time_zone,
        now,
    )
    return key


async def list_sites(store: Store) -> tuple[Site, ...]:
    async with store.connection() as connection:
        return await read_sites(connection)


async def find_site(store: Store, key: str) -> Site:
    for site in await list_sites(store):
        if key in (site.public_key, site.name):
            return site
    raise Unknown(f"there is no site {key!r}; `gloed site list` shows those there are")


def find_page(site: Site, slug: str) -> Page:
    if slug not in site.pages:
        known = ", ".join(sorted(site.pages)) or "none yet: `gloed snippet` makes the first"
        raise Unknown(f"{site.name} has no page {slug!r}; its pages: {known}")
    return site.pages[slug]


async def put_page(
    store: Store,
    site: Site,
    slug: str,
    now: datetime,
    *,
    title: str | None = None,
    phase: Phase = Phase.CHECKOUT,
    goal: bool = False,
) -> int:
    """Make the page, or change what it says of itself; its number."""
    if not SLUG.match(slug):
        raise ShopError(f"a page's name may hold a-z, 0-9 and '-', at most 64 characters: {slug!r}")
    async with store.transaction() as connection:
        await take_turn(connection, site)
        page_id = await connection.fetchval(
            "SELECT page_id FROM page WHERE site_id = $1 AND slug = $2", site.site_id, slug
        )
        if page_id is None:
            page_id = await connection.fetchval(
                "INSERT INTO page (site_id, page_id, slug, title, phase, goal, created_at) "
                "SELECT $1, coalesce(max(page_id), 0) + 1, $2, $3, $4, $5, $6 "
                "FROM page WHERE site_id = $1 RETURNING page_id",
                site.site_id,
                slug,
                title or slug,
                int(phase),
                goal,
                now,
            )
        else:
            await connection.execute(
                "UPDATE page SET title = $3, phase = $4, goal = $5 "
                "WHERE site_id = $1 AND page_id = $2",
                site.site_id,
                page_id,
                title or slug,
                int(phase),
                goal,
            )
        await touch(connection, site.site_id)
    return int(page_id)


async def put_zones(
    store: Store, site: Site, page_id: int, zones: Iterable[Zone], now: datetime
) -> tuple[Zone, ...]:
    """The page's zones from now on; known names keep their numbers, no number is used again."""
    async with store.transaction() as connection:
        await take_turn(connection, site)
        rows = await connection.fetch(
            "SELECT DISTINCT ON (number) * FROM zone WHERE site_id = $1 AND page_id = $2 "
            "ORDER BY number, valid_from DESC",
            site.site_id,
            page_id,
        )
        numbered = _numbered(zones, {row["name"]: row["number"] for row in rows})
        await _end(connection, site.site_id, page_id, rows, numbered, now)
        for zone in numbered:
            await _begin(connection, site.site_id, page_id, zone, rows, now)
        await touch(connection, site.site_id)
    return numbered


def _numbered(zones: Iterable[Zone], taken: dict[str, int]) -> tuple[Zone, ...]:
    numbered: dict[str, Zone] = {}
    following = max(taken.values(), default=0) + 1
    for zone in zones:
        if zone.name in numbered:
            raise ShopError(f"two zones are called {zone.name!r}; names are what keeps them apart")
        number = taken.get(zone.name)
        if number is None:
            number, following = following, following + 1
        if number > MAX_ZONE:
            raise ShopError(f"a page may have had {MAX_ZONE} zones in its life, not more")
        selector = check_selector(zone.selector)
        numbered[zone.name] = Zone(
            number, zone.name, selector, zone.role, zone.sensitive, dict(zone.states)
        )
    return tuple(numbered.values())


async def _end(
    connection: Any,
    site_id: int,
    page_id: int,
    rows: list[Any],
    zones: tuple[Zone, ...],
    now: datetime,
) -> None:
    kept = {zone.number: _wording(zone) for zone in zones}
    for row in rows:
        if row["valid_to"] is None and kept.get(row["number"]) != _row_wording(row):
            await connection.execute(
                "UPDATE zone SET valid_to = $4 WHERE site_id = $1 AND page_id = $2 "
                "AND number = $3 AND valid_to IS NULL",
                site_id,
                page_id,
                row["number"],
                now,
            )


async def _begin(
    connection: Any, site_id: int, page_id: int, zone: Zone, rows: list[Any], now: datetime
) -> None:
    present = {row["number"]: _row_wording(row) for row in rows if row["valid_to"] is None}
    if present.get(zone.number) == _wording(zone):
        return
    await connection.execute(
        "INSERT INTO zone (site_id, page_id, number, valid_from, name, selector, role, sensitive, "
        "states) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        site_id,
        page_id,
        zone.number,
        now,
        *_wording(zone),
    )


def _wording(zone: Zone) -> tuple[str, str, str, bool, str]:
    states = json.dumps(dict(zone.states), sort_keys=True)
    return zone.name, zone.selector, zone.role, zone.sensitive, states


def _row_wording(row: Any) -> tuple[str, str, str, bool, str]:
    states = json.dumps(json.loads(row["states"]), sort_keys=True)
    return row["name"], row["selector"], row["role"], row["sensitive"], states


async def configure(store: Store, site: Site, config: dict[str, Any]) -> None:
    async with store.transaction() as connection:
        await connection.execute(
            "UPDATE site SET config = $2 WHERE site_id = $1", site.site_id, json.dumps(config)
        )
        await touch(connection, site.site_id)


DERIVED = ("view", "visit", "stall_list", "tile", "daily", "dropped", "path", "job")


async def go_live(store: Store, site: Site) -> int:
    """Empty what was tried, then count for real; how many trial views were thrown away."""
    if site.state == "live":
        raise ShopError(f"{site.name} is live already; its data stays")
    async with store.transaction() as connection:
        await take_turn(connection, site)
        views = await connection.fetchval(
            "SELECT count(DISTINCT view_id) FROM ("
            "SELECT view_id FROM beacon WHERE site_id = $1 AND name = 'open' "
            "UNION ALL SELECT view_id FROM batch WHERE site_id = $1) AS seen",
            site.site_id,
        )
        for table in (*RAW, *DERIVED):
            await connection.execute(f"DELETE FROM {table} WHERE site_id = $1", site.site_id)
        await connection.execute("UPDATE site SET state = 'live' WHERE site_id = $1", site.site_id)
        await touch(connection, site.site_id)
    return int(views)


async def take_turn(connection: Any, site: Site) -> None:
    """One change of a shop at a time: numbers are given by looking at those there are."""
    await connection.execute("SELECT 1 FROM site WHERE site_id = $1 FOR UPDATE", site.site_id)


async def touch(connection: Any, site_id: int) -> None:
    """Say that answers about the shop could have changed."""
    await connection.execute(
        "UPDATE site SET data_version = data_version + 1 WHERE site_id = $1", site_id
    )
