"""What opened on some days or on a page: who each person is, and their views in order.

Columns only, 36 bytes a view, so that millions fit; `app/folding/raw.py` then reads the rows of a
bounded number of views at a time, in this order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from app.folding.columns import FIRST_DAY, Rows, read_columns
from app.folding.columns import day_of as day_of
from app.folding.onward import OPENING, UNSURE, Onward, note_onward
from app.folding.people import LINK, NO_REF, Hashes, People, is_among
from app.shops import live_since
from collector.sites import Site

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

_OPENED = """
    SELECT view_id, day, at, visitor, visitor_before, ref_hash, page_id FROM beacon
    WHERE site_id = $1 AND day BETWEEN $2 AND $3 AND at >= $4::timestamptz
    AND name = 'open'{of_pages}
    UNION ALL
    SELECT view_id, day, to_timestamp(opened_min * 60.0), visitor,
           nullif(visitor_before, '')::bigint, nullif(ref_hash, ''), page_id
    FROM batch WHERE site_id = $1 AND day BETWEEN $2 AND $3
    AND to_timestamp(opened_min * 60.0) >= date_trunc('minute', $4::timestamptz){of_pages}
    AND NOT EXISTS (SELECT 1 FROM batch AS earlier WHERE earlier.site_id = batch.site_id
        AND earlier.day = batch.day AND earlier.view_id = batch.view_id AND earlier.seq < batch.seq)
    AND NOT EXISTS (SELECT 1 FROM beacon AS opening WHERE opening.site_id = batch.site_id
        AND opening.day = batch.day AND opening.view_id = batch.view_id AND opening.name = 'open')
"""
"""A view is opened by its beacon `open`, else by its first batch, which tells the minute.

What was opened before the shop went live is left out: pages that were open meanwhile go on
reporting their trial.
"""

_VIEWS = f"""
    SELECT view_id, visitor, at, day, 0, 0::int2, 0::int2
    FROM ({_OPENED.format(of_pages="")}) AS opened
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

_NO_REF = rf"'\x{NO_REF.hex()}'::bytea"
_LINKS = f"""
    SELECT DISTINCT visitor, coalesce(visitor_before, visitor), coalesce(ref_hash, {_NO_REF})
    FROM ({_OPENED.format(of_pages="")}) AS opened
    WHERE visitor_before IS NOT NULL OR ref_hash IS NOT NULL
"""
_SIZES = """
    SELECT view_id, day, least(sum(1 + octet_length(trail) + octet_length(ev)), 2000000000)::int
    FROM batch WHERE site_id = $1 AND day BETWEEN $2 AND $3{of_pages} GROUP BY view_id, day
"""
"""At least one byte for a batch: where there is none there are no bytes."""

_SIZE = {"view_id": "i8", "day": "i4", "bytes": "i4"}

_OF_PAGES = " AND day = ANY($6) AND page_id = ANY($5)"
_ENDED = """
    LEFT JOIN (SELECT site_id, visit_id, day AS began, outcome, flags FROM visit
        WHERE site_id = $1 AND day BETWEEN $2 - 1 AND $3) AS visit
    ON visit.site_id = view.site_id AND visit.visit_id = view.visit_id
    AND visit.began BETWEEN view.day - 1 AND view.day
"""
"""The visit of a view after midnight began the day before."""

_TOLD_OF_PAGES = f"""
    SELECT 0::int2, page_id, view_id, day, at, visitor, coalesce(visitor_before, visitor),
           coalesce(ref_hash, {_NO_REF})
    FROM ({_OPENED.format(of_pages=_OF_PAGES)}) AS opened
    UNION ALL
    SELECT 1::int2, 0, view_id, day, to_timestamp(0), bytes, 0, {_NO_REF}
    FROM ({_SIZES.format(of_pages=_OF_PAGES)}) AS sized(view_id, day, bytes)
    UNION ALL
    SELECT 2::int2, page_id, view_id, day, at, visitor, visitor, {_NO_REF} FROM beacon
    WHERE site_id = $1 AND day BETWEEN $2 AND $3 + 1 AND at >= $4::timestamptz
    AND day = ANY($9) AND name = 'open' AND page_id = ANY($7) AND os = ANY($8)
    UNION ALL
    SELECT 3::int2, page_id, view_id, view.day, to_timestamp(0), view.visit_id, {{ended}}, {_NO_REF}
    FROM view {{of_visits}}
    WHERE view.site_id = $1 AND view.day BETWEEN $2 AND $3 AND view.day = ANY($6)
    AND page_id = ANY($5)
"""
"""Everything that is to be known of views before their rows are read: what opened, how long the
batches are, what opened next on pages that are led to, and the visits that the closing job gave
them. One statement for all pages and days: a map mostly rests on a few days here and there."""

_TOLD = {
    "what": "i2",
    "page_id": "i4",
    "view_id": "i8",
    "day": "i4",
    "at": "i8",
    "visitor": "i8",
    "before": "i8",
    "ref": LINK["ref"],
}
_OPENS, _BYTES, _NEXT, _CLOSED = range(4)

FLAGS_SHIFT = 8
"""In `ended` of a closed view, above the outcome; below it as many bits as an outcome has."""


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


Days = tuple[date, date]
"""First and last, both included."""


@dataclass(frozen=True, slots=True)
class PageOpenings:
    """What opened on a page on some days.

    views   in any order, until `put_in_order`
    closed  of those that the closing job has seen: view_id, day, visit_id, and `ended`, the outcome
            and the flags of the visit, -1 where it was not asked for or is not known
    """

    views: Rows
    closed: Rows


_CLOSED_VIEW = {"view_id": "i8", "day": "i4", "visit_id": "i8", "ended": "i4"}


async def openings_of_pages(
    connection: Any, span: Span, stays: Collection[tuple[int, Days]], *, ended: bool = False
) -> dict[tuple[int, Days], PageOpenings]:
    """Of each page on its days, which lie within the span. Persons are told apart by what those
    days alone say of them.

    ended  whether it is wanted how the visits ended
    """
    told = await _told_of_pages(connection, span, stays, ended=ended)
    return {stay: await asyncio.to_thread(_of_stay, told, span, stay) for stay in stays}


async def _told_of_pages(
    connection: Any, span: Span, stays: Collection[tuple[int, Days]], *, ended: bool
) -> Rows:
    site_id, first, last, since = span.values
    days = {
        first + timedelta(n) for _, (first, last) in stays for n in range((last - first).days + 1)
    }
    # What follows the last day's views may open after its midnight.
    following = days | {last + timedelta(days=1) for _, (_, last) in stays}
    onward = sorted(span.onward.pages)
    query = _TOLD_OF_PAGES.format(
        ended=f"coalesce(outcome + (flags::int << {FLAGS_SHIFT}), -1)::bigint" if ended else "-1",
        of_visits=_ENDED if ended else "",
    )
    pages = sorted({page_id for page_id, _ in stays})
    unsure = [int(os) for os in UNSURE]
    asked = site_id, first, last, since, pages, sorted(days), onward, unsure, sorted(following)
    return await read_columns(connection, query, asked, _TOLD)


def _days(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def _of_stay(told: Rows, span: Span, stay: tuple[int, Days]) -> PageOpenings:
    page_id, (first, last) = stay
    since, until = (n - FIRST_DAY.toordinal() for n in (first.toordinal(), last.toordinal()))
    inside = (told["day"] >= since) & (told["day"] <= until)
    own = told[inside & (told["page_id"] == page_id) & (told["what"] == _OPENS)]
    people = _people_in(own)
    views = np.zeros(len(own), list(_VIEW.items()))
    for name in ("view_id", "at", "day"):
        views[name] = own[name]
    views["person"] = people.of(own["visitor"])
    sized = told[inside & (told["what"] == _BYTES)]
    _size(views, _as(sized, _SIZE, visitor="bytes"))
    next_day = (told["day"] >= since) & (told["day"] <= until + 1)
    following = _as(told[next_day & (told["what"] == _NEXT)], OPENING, visitor="person")
    if len(following):
        following["person"] = people.of(following["person"])
        note_onward(views, following, span.onward)
    closed = told[inside & (told["page_id"] == page_id) & (told["what"] == _CLOSED)]
    return PageOpenings(views, _as(closed, _CLOSED_VIEW, visitor="visit_id", before="ended"))


def _people_in(opened: Rows) -> People:
    """By what openings say of their visitors, without those that say nothing."""
    links = np.empty(len(opened), list(LINK.items()))
    for name in LINK:
        links[name] = opened[name]
    # numpy drops trailing zeros of fixed bytes: no reference compares as none at all.
    return People(np.unique(links[(links["before"] != links["visitor"]) | (links["ref"] != b"")]))


def _as(told: Rows, columns: Mapping[str, str], **renamed: str) -> Rows:
    """The same rows with other columns."""
    found = np.zeros(len(told), list(columns.items()))
    source = {new: old for old, new in renamed.items()}
    for name in columns:
        found[name] = told[source.get(name, name)]
    return found


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


async def _people(connection: Any, span: Span) -> People:
    links = await read_columns(connection, _LINKS, span.values, LINK)
    return await asyncio.to_thread(People, links)


async def _views(connection: Any, span: Span, people: People, wanted: Hashes | None = None) -> Rows:
    """Views of the span; of the wanted persons alone, where those are given."""

    def each(block: Rows) -> Rows:
        block["person"] = people.of(block["person"])
        return block if wanted is None else block[is_among(wanted, block["person"])]

    views = await read_columns(connection, _VIEWS, span.values, _VIEW, each)
    sizes = _SIZES.format(of_pages="")
    _size(views, await read_columns(connection, sizes, span.values[:3], _SIZE))
    return views


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
