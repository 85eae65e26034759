"""Deleting what somebody did: one visit, the visits of an order, or those of who asks for it.

Nothing that is stored says who somebody is. Who asks is found by the shop's own reference while its
window lasts, or by what their browser sends while a salt lives; afterwards nobody can be.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from app.due import make_anew
from app.erasing.deleting import (
    DAY,
    OF_VIEWS,
    Erased,
    View,
    begin,
    delete,
    delete_views,
    end,
    sweep,
)
from app.shops import ShopError, Unknown
from app.store import Store
from collector.addresses import peer_of, sender_of
from collector.erased import Erasure, note
from collector.sites import Site
from collector.visitor import ref_hash, visitor_of

SWEPT = (*OF_VIEWS, "visit", "goal")

SALTED_DAYS = 2
"""Salts live no longer: of today and, in every time zone, of some of yesterday."""


@dataclass(slots=True)
class _Found:
    """What is one person's: by numbers that die with their day, and by hashes of references."""

    visitors: set[int] = field(default_factory=set)
    refs: set[bytes] = field(default_factory=set)
    views: set[View] = field(default_factory=set)
    visits: set[View] = field(default_factory=set)

    def size(self) -> int:
        return len(self.visitors) + len(self.refs) + len(self.views) + len(self.visits)


async def erase_visit(store: Store, site: Site, visit_id: int, now: datetime) -> Erased:
    """One visit with its views and its goals. Raises Unknown."""
    async with store.transaction() as connection:
        await begin(connection, site)
        visit = await connection.fetchrow(_VISIT, site.site_id, visit_id)
        if visit is None:
            raise Unknown("there is no such visit of this shop, or not any more")
        found = _Found(visits={(visit["day"], visit_id)}, visitors={visit["visitor"]})
        await _add_views_of_visits(connection, site, found)
        await _add_names(connection, site, found, refs_alone=True)
        await note(connection, _erasure(site, _Found(views=found.views), now))
        erased = await _erase(connection, site, found)
    await sweep(store, SWEPT)
    return erased


async def erase_ref(store: Store, site: Site, secret: bytes, ref: str, now: datetime) -> Erased:
    """All that is known of whoever bore the shop's own reference. Raises Unknown."""
    hashed = ref_hash(secret, site.site_id, ref)
    return await _erase_person(store, site, _Found(refs={hashed}), now, _NO_REF)


async def erase_visitor(
    store: Store, site: Site, address: str, agent: str, now: datetime
) -> Erased:
    """All that is known of who sends from this address as this browser; both are compared, and kept
    nowhere. Raises Unknown, or ShopError for what is no address."""
    sender = peer_of(address.strip(), ())
    if sender.address is None:
        raise ShopError("this is no address: give one as 203.0.113.7 or 2001:db8::7")
    address = sender_of(sender, "", ()).address  # of IPv6 as of a whole household, as it arrives
    today = site.day_of(now)
    days = [today - n * DAY for n in range(SALTED_DAYS)]
    rows = await store.fetch("SELECT secret FROM salt WHERE day = ANY($1)", days)
    numbers = {visitor_of(row["secret"], site.site_id, address, agent.strip()) for row in rows}
    return await _erase_person(store, site, _Found(visitors=numbers), now, _NO_VISITOR)


async def _erase_person(
    store: Store, site: Site, found: _Found, now: datetime, unknown: str
) -> Erased:
    async with store.transaction() as connection:
        await begin(connection, site)
        # No index leads to a person: whole days are looked through, which may take its time.
        await connection.execute("SET LOCAL statement_timeout = 0")
        await _complete(connection, site, found)
        await note(connection, _erasure(site, found, now))
        erased = await _erase(connection, site, found)
    if not erased.rows:
        # What waits in a spool elsewhere is taken all the same, once it comes.
        raise Unknown(unknown)
    await sweep(store, SWEPT)
    return erased


def _erasure(site: Site, found: _Found, now: datetime) -> Erasure:
    views = {view_id for _, view_id in found.views}
    return Erasure(now, site.site_id, None, views, None, found.visitors, found.refs)


async def _complete(connection: Any, site: Site, found: _Found) -> None:
    """Until nothing leads any further: a reference to views, these to a visitor and to visits, and
    those to further views and references."""
    known = -1
    while found.size() > known:
        known = found.size()
        rows = await connection.fetch(_VIEWS_OF, site.site_id, [*found.visitors], [*found.refs])
        found.views |= {(row["day"], row["view_id"]) for row in rows}
        await _add_visits(connection, site, found)
        await _add_views_of_visits(connection, site, found)
        await _add_names(connection, site, found)


async def _add_visits(connection: Any, site: Site, found: _Found) -> None:
    for day, numbers in _by_day(found.views):
        told = site.site_id, day, numbers
        rows = await connection.fetch(_VISITS_OF_VIEWS, *told)
        # A visit belongs to the day of its first view.
        found.visits |= {(row["day"], row["visit_id"]) for row in rows}


async def _add_views_of_visits(connection: Any, site: Site, found: _Found) -> None:
    for day, numbers in _by_day(found.visits):
        rows = await connection.fetch(_VIEWS_OF_VISITS, site.site_id, numbers, day, day + DAY)
        found.views |= {(row["day"], row["view_id"]) for row in rows}


async def _add_names(
    connection: Any, site: Site, found: _Found, *, refs_alone: bool = False
) -> None:
    """By what else the views can be told to be of one person."""
    for day, numbers in _by_day(found.views):
        for row in await connection.fetch(_NAMES_OF_VIEWS, site.site_id, day, numbers):
            found.refs |= {row["ref_hash"]} - {None}
            if not refs_alone:
                found.visitors |= {row["visitor"], row["visitor_before"]} - {None}


async def _erase(connection: Any, site: Site, found: _Found) -> Erased:
    rows = await delete_views(connection, site, found.views)
    days = {day for day, _ in (*found.views, *found.visits)}
    for day, numbers in _by_day(found.visits):
        told = "day = $2 AND visit_id = ANY($3)"
        rows += await delete(connection, "visit", told, site, day, numbers)
    goals = await connection.fetch(_GOALS, site.site_id, [*found.visitors], [*found.refs])
    rows += len(goals)
    days |= {row["day"] for row in goals}
    final = 0
    if days:
        final = await make_anew(connection, site.site_id, min(days), max(days) + DAY)
    await end(connection, site)
    return Erased(rows, final)


def _by_day(places: Collection[View]) -> Iterable[tuple[date, list[int]]]:
    for day in sorted({day for day, _ in places}):
        yield day, [number for of_day, number in places if of_day == day]


_NO_REF = (
    "nothing bears this reference: it was never told, or its window has passed, after which no "
    "record can be found by it"
)
_NO_VISITOR = (
    "nothing is of this address and browser: after two days nobody can be recognised by them any "
    "more; see whether the address is the one that reaches Gloed"
)
_VISIT = "SELECT day, visitor FROM visit WHERE site_id = $1 AND visit_id = $2 ORDER BY day LIMIT 1"
_VIEWS_OF = """
    SELECT day, view_id FROM beacon WHERE site_id = $1 AND name = 'open'
        AND (visitor = ANY($2) OR visitor_before = ANY($2) OR ref_hash = ANY($3))
    UNION SELECT day, view_id FROM batch WHERE site_id = $1
        AND (visitor = ANY($2) OR nullif(visitor_before, '')::bigint = ANY($2)
             OR ref_hash = ANY($3))
"""
_VISITS_OF_VIEWS = """
    SELECT visit.day, visit.visit_id FROM view JOIN visit USING (site_id, visit_id)
    WHERE site_id = $1 AND view.day = $2 AND view.view_id = ANY($3)
    AND visit.day BETWEEN view.day - 1 AND view.day
"""
_VIEWS_OF_VISITS = """
    SELECT day, view_id FROM view
    WHERE site_id = $1 AND visit_id = ANY($2) AND day BETWEEN $3 AND $4
"""
_NAMES_OF_VIEWS = """
    SELECT visitor, visitor_before, ref_hash FROM beacon
        WHERE site_id = $1 AND day = $2 AND view_id = ANY($3) AND name = 'open'
    UNION SELECT visitor, nullif(visitor_before, '')::bigint, nullif(ref_hash, '') FROM batch
        WHERE site_id = $1 AND day = $2 AND view_id = ANY($3)
"""
_GOALS = """
    DELETE FROM goal WHERE site_id = $1 AND (visitor = ANY($2) OR ref_hash = ANY($3)) RETURNING day
"""
