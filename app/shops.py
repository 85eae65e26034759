"""What people set up: shops, pages and zones. Each function is one transaction."""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.joint import Part
from app.store import Store
from collector.codes import Phase
from collector.sites import SITES, Page, Site, Zone, read_sites, sites_in, zone_of
from collector.tables import RAW
from collector.wire import MAX_ZONE, SLUG
from snippets.sheet import checked_zone

DEFAULT_TIME_ZONE = "Europe/Amsterdam"
KEY_CHARS = 16
TICK = timedelta(microseconds=1)
"""The store's finest step in time."""

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
    return await read_sites(store)


async def site_by_key(store: Store, key: str) -> Site | None:
    """The shop with this public key, and none of the others read."""
    if not _may_be_key(key):
        return None
    return next(iter(await read_sites(store, key)), None)


def site_asked(key: str) -> Mapping[str, Part]:
    """The same beside something else; nothing for what is no key."""
    asked = Part(f"SELECT to_json(told) FROM ({SITES}) AS told", (key,))
    return {"site": asked} if _may_be_key(key) else {}


def site_in(told: Mapping[str, Any]) -> Site | None:
    """From the answers to `site_asked`."""
    return next(iter(sites_in(told["site"])), None) if "site" in told else None


def _may_be_key(key: str) -> bool:
    """Others the store cannot even be asked for."""
    return key.isascii() and key.isprintable()


async def find_site(store: Store, key: str) -> Site:
    """The shop with this key, else the one with this name."""
    sites = await list_sites(store)
    found = [site for site in sites if site.public_key == key]
    found = found or [site for site in sites if site.name == key]
    if len(found) > 1:
        keys = ", ".join(site.public_key for site in found)
        raise ShopError(f"{len(found)} sites are called {key!r}: give the key of one, {keys}")
    if not found:
        raise Unknown(f"there is no site {key!r}; `gloed site list` shows those there are")
    return found[0]


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
    cells: bool = False,
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
                "INSERT INTO page (site_id, page_id, slug, title, phase, goal, cells, created_at) "
                "SELECT $1, coalesce(max(page_id), 0) + 1, $2, $3, $4, $5, $6, $7 "
                "FROM page WHERE site_id = $1 RETURNING page_id",
                site.site_id,
                slug,
                title or slug,
                int(phase),
                goal,
                cells,
                now,
            )
        else:
            await connection.execute(
                "UPDATE page SET title = $3, phase = $4, goal = $5, cells = $6 "
                "WHERE site_id = $1 AND page_id = $2",
                site.site_id,
                page_id,
                title or slug,
                int(phase),
                goal,
                cells,
            )
        await touch(connection, site.site_id)
    return int(page_id)


async def put_zones(
    store: Store, site: Site, page_id: int, zones: Iterable[Zone], now: datetime
) -> tuple[Zone, ...]:
    """The page's zones from now on; known names keep their numbers, no number is used again."""
    async with store.transaction() as connection:
        await take_turn(connection, site)
        rows = await _latest_zones(connection, site, page_id)
        numbered = _numbered(zones, rows)
        await _reword(connection, site, page_id, rows, numbered, now)
    return numbered


async def put_zone(store: Store, site: Site, page_id: int, zone: Zone, now: datetime) -> Zone:
    """Put this in place of the zone of its number, which may rename it; a new one for number 0.

    The other zones stay as they are at this moment, whatever the asker last saw of them.
    """
    async with store.transaction() as connection:
        await take_turn(connection, site)
        rows = await _latest_zones(connection, site, page_id)
        present = [zone_of(row) for row in rows if row["valid_to"] is None]
        others = [other for other in present if other.number != zone.number]
        if zone.number and len(others) == len(present):
            raise ShopError(f"there is no zone {zone.number} on this page any more")
        if any(other.name == zone.name for other in others):
            raise ShopError(f"a zone is called {zone.name!r} already; names keep zones apart")
        (put,) = (checked_zone(zone),) if zone.number else _numbered([zone], rows)
        await _reword(connection, site, page_id, rows, (*others, put), now)
    return put


async def end_zone(store: Store, site: Site, page_id: int, number: int, now: datetime) -> None:
    """What it gathered stays, and its number is nobody else's."""
    async with store.transaction() as connection:
        await take_turn(connection, site)
        rows = await _latest_zones(connection, site, page_id)
        present = [zone_of(row) for row in rows if row["valid_to"] is None]
        kept = tuple(zone for zone in present if zone.number != number)
        await _reword(connection, site, page_id, rows, kept, now)


async def _latest_zones(connection: Any, site: Site, page_id: int) -> list[Any]:
    """The latest wording of each zone that the page ever had."""
    rows: list[Any] = await connection.fetch(
        "SELECT DISTINCT ON (number) * FROM zone WHERE site_id = $1 AND page_id = $2 "
        "ORDER BY number, valid_from DESC",
        site.site_id,
        page_id,
    )
    return rows


async def _reword(
    connection: Any,
    site: Site,
    page_id: int,
    rows: Sequence[Any],
    numbered: Sequence[Zone],
    now: datetime,
) -> None:
    """End what is not among these, and begin the wordings that are new."""
    # A wording has a moment of its own, whatever the clock does.
    moment = max([now, *(row["valid_from"] + TICK for row in rows)])
    present = {row["number"]: _row_wording(row) for row in rows if row["valid_to"] is None}
    wanted = {zone.number: _wording(zone) for zone in numbered}
    for number in present.keys() - wanted.keys():
        await connection.execute(_END_ZONE, site.site_id, page_id, number, moment)
    for number, wording in wanted.items():
        if present.get(number) == wording:
            continue
        await connection.execute(_END_ZONE, site.site_id, page_id, number, moment)
        await connection.execute(_BEGIN_ZONE, site.site_id, page_id, number, moment, *wording)
    if present != wanted:
        await touch(connection, site.site_id)


_END_ZONE = """
    UPDATE zone SET valid_to = $4
    WHERE site_id = $1 AND page_id = $2 AND number = $3 AND valid_to IS NULL
"""
_BEGIN_ZONE = """
    INSERT INTO zone (site_id, page_id, number, valid_from,
        name, selector, role, sensitive, states, watches, also)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""


def _numbered(zones: Iterable[Zone], rows: Sequence[Any]) -> tuple[Zone, ...]:
    """By name; of a name that an ended zone had too, the present one's number."""
    by_age = sorted(rows, key=lambda row: row["valid_to"] is None)
    taken = {row["name"]: row["number"] for row in by_age}
    numbered: dict[str, Zone] = {}
    following = max((row["number"] for row in rows), default=0) + 1
    for zone in zones:
        if zone.name in numbered:
            raise ShopError(f"two zones are called {zone.name!r}; names are what keeps them apart")
        number = taken.get(zone.name)
        if number is None:
            number, following = following, following + 1
        if number > MAX_ZONE:
            raise ShopError(f"a page may have had {MAX_ZONE} zones in its life, not more")
        numbered[zone.name] = checked_zone(replace(zone, number=number))
    return tuple(numbered.values())


def _wording(zone: Zone) -> tuple[str, str, str, bool, str, str, str]:
    lists = (dict(zone.states), sorted(zone.watches), list(zone.also))
    states, watches, also = (json.dumps(part, sort_keys=True) for part in lists)
    return zone.name, zone.selector, zone.role, zone.sensitive, states, watches, also


def _row_wording(row: Any) -> tuple[str, str, str, bool, str, str, str]:
    lists = (json.loads(row[name]) for name in ("states", "watches", "also"))
    states, watches, also = (json.dumps(part, sort_keys=True) for part in lists)
    return row["name"], row["selector"], row["role"], row["sensitive"], states, watches, also


LIVE_SINCE = "live_since"
"""Key of the configuration that going live writes, and nothing else."""

_GO_LIVE = f"""
    UPDATE site SET state = 'live', config = config || jsonb_build_object('{LIVE_SINCE}', $2::text)
    WHERE site_id = $1
"""

DERIVED = ("view", "visit", "stall_list", "tile", "daily", "dropped", "path", "job")


def trying(site: Site) -> Site:
    """The shop, if it is on trial still."""
    if site.state == "live":
        raise ShopError(f"{site.name} is live already; its data stays")
    return site


async def go_live(store: Store, site: Site, now: datetime) -> int:
    """Empty what was tried, then count for real; how many trial views were thrown away.

    Pages that are open meanwhile go on telling of views that began in the trial. What they send
    is kept, since it was acknowledged, and counted nowhere: see `live_since`.
    """
    async with store.transaction() as connection:
        # The whole row, key included: a closing day must not bring back what it has read before.
        state = await connection.fetchval(
            "SELECT state FROM site WHERE site_id = $1 FOR UPDATE", site.site_id
        )
        trying(replace(site, state=state))
        views = await connection.fetchval(
            "SELECT count(DISTINCT view_id) FROM ("
            "SELECT view_id FROM beacon WHERE site_id = $1 AND name = 'open' "
            "UNION ALL SELECT view_id FROM batch WHERE site_id = $1) AS seen",
            site.site_id,
        )
        for table in (*RAW, *DERIVED):
            await connection.execute(f"DELETE FROM {table} WHERE site_id = $1", site.site_id)
        await connection.execute(_GO_LIVE, site.site_id, now.astimezone(UTC).isoformat())
        await touch(connection, site.site_id)
    return int(views)


def live_since(site: Site) -> datetime | None:
    """Nothing that was opened before this is counted; None for a shop that never was on trial."""
    told = site.config.get(LIVE_SINCE)
    return None if told is None else datetime.fromisoformat(told)


async def take_turn(connection: Any, site: Site) -> None:
    """One change of a shop at a time: numbers are given by looking at those there are."""
    await connection.execute(
        "SELECT 1 FROM site WHERE site_id = $1 FOR NO KEY UPDATE", site.site_id
    )


async def touch(connection: Any, site_id: int) -> None:
    """Say that answers about the shop could have changed."""
    await connection.execute(
        "UPDATE site SET data_version = data_version + 1 WHERE site_id = $1", site_id
    )
