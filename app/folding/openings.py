"""What opened on some days or on a page: who each person is, and their views in order.

Columns only, 36 bytes a view, so that millions fit; `app/folding/raw.py` then reads the rows of a
bounded number of views at a time, in this order.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from app.folding.columns import FIRST_DAY, Each, Rows, read_columns
from app.folding.onward import OPENING, UNSURE, Onward, note_onward
from app.folding.people import LINK, NO_REF, Hashes, People, is_among
from app.shops import live_since
from collector.sites import Site

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

_OPENED = """
    SELECT view_id, day, at, visitor, visitor_before, ref_hash FROM beacon
    WHERE site_id = $1 AND day BETWEEN $2 AND $3 AND at >= $4::timestamptz
    AND name = 'open'{of_page}
    UNION ALL
    SELECT view_id, day, to_timestamp(opened_min * 60.0), visitor, visitor_before, ref_hash
    FROM batch WHERE site_id = $1 AND day BETWEEN $2 AND $3
    AND to_timestamp(opened_min * 60.0) >= date_trunc('minute', $4::timestamptz){of_page}
    AND NOT EXISTS (SELECT 1 FROM batch AS earlier WHERE earlier.site_id = batch.site_id
        AND earlier.day = batch.day AND earlier.view_id = batch.view_id AND earlier.seq < batch.seq)
    AND NOT EXISTS (SELECT 1 FROM beacon AS opening WHERE opening.site_id = batch.site_id
        AND opening.day = batch.day AND opening.view_id = batch.view_id AND opening.name = 'open')
"""
"""A view is opened by its beacon `open`, else by its first batch, which tells the minute.

What was opened before the shop went live is left out: pages that were open meanwhile go on
reporting their trial.
"""

_VIEWS = """
    SELECT view_id, visitor, at, day, 0, 0::int2, 0::int2 FROM ({opened}) AS opened
"""
_VIEW = {
    "view_id": "i8",
    "person": "i8",
    "at": "i8",
    "day": "i4",
    "bytes": "i4",
    "next_zone": "i2",
    "next_s": "i2",
}
"""One view: its key, its opening, whose it is, how long its batches are, and which zone may have
led to the page that came next, after how long (`onward.py`)."""

_FOLLOWING = """
    SELECT visitor, at, view_id, day, page_id FROM beacon
    WHERE site_id = $1 AND day BETWEEN $2 AND $3 AND at >= $4::timestamptz
    AND name = 'open' AND page_id = ANY($5) AND os = ANY($6)
"""

_LINKS = rf"""
    SELECT DISTINCT visitor, coalesce(visitor_before, visitor),
        coalesce(ref_hash, '\x{NO_REF.hex()}'::bytea)
    FROM ({{opened}}) AS opened WHERE visitor_before IS NOT NULL OR ref_hash IS NOT NULL
"""
_SIZES = """
    SELECT view_id, day, least(sum(octet_length(trail) + octet_length(ev)), 2000000000)::int
    FROM batch
    WHERE site_id = $1 AND day BETWEEN $2 AND $3{of_page} GROUP BY view_id, day
"""
_SIZE = {"view_id": "i8", "day": "i4", "bytes": "i4"}


@dataclass(frozen=True, slots=True)
class Span:
    """Days of one shop, both ends included; nothing that was opened before it went live."""

    site_id: int
    first: date
    last: date
    live_since: datetime | None = None
    onward: Onward = field(default_factory=Onward)

    @classmethod
    def of(cls, site: Site, first: date, last: date) -> Span:
        return cls(site.site_id, first, last, live_since(site), Onward.of(site))

    @property
    def values(self) -> tuple[int, date, date, datetime]:
        return self.site_id, self.first, self.last, self.live_since or _LONG_AGO


@dataclass(frozen=True, slots=True)
class Openings:
    people: People
    persons: Hashes
    """Everybody who opened one of these views, in order."""
    views: Rows
    """In any order, until `put_in_order`."""


async def openings_of_page(connection: Any, span: Span, page_id: int) -> Openings:
    people = await _people(connection, span, page_id)
    views = await _views(connection, span, people, page_id=page_id)
    await _mark_onward(connection, span, people, views)
    return Openings(people, np.unique(views["person"]), views)


async def openings_of_day(connection: Any, span: Span, day: date) -> Openings:
    """What opened on `day`, and whatever else of the span is of the same persons."""
    people = await _people(connection, span)
    views = await _views(connection, replace(span, first=day, last=day), people)
    persons = np.unique(views["person"])
    for n in range((span.last - span.first).days + 1):
        beside = span.first + timedelta(days=n)
        if beside != day:
            of_day = replace(span, first=beside, last=beside)
            _append(views, await _views(connection, of_day, people, persons))
    await _mark_onward(connection, span, people, views)
    return Openings(people, persons, views)


async def _people(connection: Any, span: Span, page_id: int | None = None) -> People:
    return await asyncio.to_thread(
        People, await _read(connection, _LINKS, LINK, span, page_id=page_id)
    )


def day_of(opening: Any) -> date:
    return FIRST_DAY + timedelta(days=int(opening))


async def _views(
    connection: Any,
    span: Span,
    people: People,
    wanted: Hashes | None = None,
    page_id: int | None = None,
) -> Rows:
    """Views of the span; of the wanted persons alone, where those are given."""

    def each(block: Rows) -> Rows:
        block["person"] = people.of(block["person"])
        return block if wanted is None else block[is_among(wanted, block["person"])]

    views = await _read(connection, _VIEWS, _VIEW, span, each, page_id)
    _size(views, await _read_sizes(connection, span, page_id))
    return views


async def _read(
    connection: Any,
    query: str,
    columns: dict[str, str],
    span: Span,
    each: Each = lambda block: block,
    page_id: int | None = None,
) -> Rows:
    of_page = "" if page_id is None else " AND page_id = $5"
    values = span.values if page_id is None else (*span.values, page_id)
    asked = query.format(opened=_OPENED.format(of_page=of_page))
    return await read_columns(connection, asked, values, columns, each)


async def _read_sizes(connection: Any, span: Span, page_id: int | None) -> Rows:
    of_page = "" if page_id is None else " AND page_id = $4"
    values = span.values[:3] if page_id is None else (*span.values[:3], page_id)
    return await read_columns(connection, _SIZES.format(of_page=of_page), values, _SIZE)


def _size(views: Rows, sizes: Rows) -> None:
    """Give each view the length of its batches."""
    for day in np.unique(sizes["day"]):
        of_day = np.sort(sizes[sizes["day"] == day], order="view_id")
        at = np.searchsorted(of_day["view_id"], views["view_id"])
        at[at == len(of_day)] = 0
        its = (views["day"] == day) & (of_day["view_id"][at] == views["view_id"])
        views["bytes"][its] = of_day["bytes"][at[its]]


async def _mark_onward(connection: Any, span: Span, people: People, views: Rows) -> None:
    """By what opened on the pages that lead on or are led to, also where one page is read."""
    pages = sorted(span.onward.pages)
    if not pages:
        return
    site_id, first, last, since = span.values
    # What follows the last day's views may open after its midnight.
    until = last + timedelta(days=1)
    asked = site_id, first, until, since, pages, [int(os) for os in UNSURE]
    opened = await read_columns(connection, _FOLLOWING, asked, OPENING)
    opened["person"] = people.of(opened["person"])
    await asyncio.to_thread(note_onward, views, opened, span.onward)


def _append(views: Rows, more: Rows) -> None:
    """In place where the allocator can: a day of views is not held twice."""
    n = len(views)
    views.resize(n + len(more), refcheck=False)
    views[n:] = more


def put_in_order(views: Rows) -> None:
    """Person by person, each one's views as they opened.

    Persons as they first came: what arrived together lies together in the store.
    """
    order = np.lexsort((views["day"], views["view_id"], views["at"], views["person"]))
    person = views["person"][order]
    begins = np.flatnonzero(np.diff(person, prepend=person[:1] - 1))
    came = np.repeat(views["at"][order[begins]], np.diff(begins, append=len(views)))
    order = order[np.lexsort((person, came))]
    for name in _VIEW:
        views[name] = views[name][order]
