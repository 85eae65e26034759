"""Raw rows of days or of a page, a bounded number of views at a time: a day of any size fits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np

from app.closing.visits import Goal, Goals
from app.folding.batches import Batches, read_batches
from app.folding.columns import Rows
from app.folding.openings import (
    FLAGS_SHIFT,
    Days,
    Openings,
    PageOpenings,
    day_of,
    openings_of_pages,
    put_in_order,
)
from app.folding.openings import Span as Span
from app.folding.people import Hashes, is_among
from app.folding.seen import CODE_NAMES, Seen, by_opening, fold
from app.folding.twins import Twins

CHUNK_VIEWS = 2_000
"""So many views are folded at a time: about 20 MB of rows and of what they become."""

CHUNK_BYTES = 2_000_000
"""Of batches folded at a time; unpacked they take several times as much."""

GOALS_AT_A_TIME = 1_000

_TYPES = {
    "view_id": "bigint",
    "day": "date",
    "at": "timestamptz",
    "page_id": "int",
    "path_id": "bigint",
    "visitor": "bigint",
    "visitor_before": "bigint",
    "ref_hash": "bytea",
    "visitor_check": "int2",
    **dict.fromkeys(CODE_NAMES, "int2"),
    "names": "text[]",
    "times": "float8[]",
    "checks": "int2[]",
}
"""Columns of what the stylesheet tells; a row of one kind has no value in the other's."""

_OF_VIEWS = "WHERE site_id = $1 AND day = ${day} AND view_id = ANY(${ids})"
"""By the keys of the tables, a day at a time: all of it is found by their indexes."""


def _kind(number: int, columns: Mapping[str, str], source: str) -> str:
    told = (f"{columns.get(name, f'NULL::{of}')} AS {name}" for name, of in _TYPES.items())
    return f"SELECT {number} AS kind, {', '.join(told)} FROM {source}"


def _plain(*names: str) -> dict[str, str]:
    return {name: name for name in names}


_KEY = _plain("view_id", "day")
_OPENING = _KEY | _plain("page_id", "path_id", "at", "visitor", "visitor_before", "ref_hash")
_OPENED = _OPENING | _plain("visitor_check", *CODE_NAMES)
_TOLD = {
    "at": "max(at)",
    "names": "array_agg(name)",
    "times": "array_agg(date_part('epoch', at))",
    "checks": "array_agg(DISTINCT visitor_check)",
}
_KINDS = (
    _kind(
        0, _OPENING | _plain("visitor_check", *CODE_NAMES), f"beacon {_OF_VIEWS} AND name = 'open'"
    ),
    # One row for all of a view: a row for each costs more than all that is done with it.
    _kind(1, _KEY | _TOLD, f"beacon {_OF_VIEWS} AND name <> 'open' GROUP BY view_id, day"),
)
"""Openings and beacons."""

_GOALS = """
    SELECT at, visitor, ref_hash, source, result FROM goal
    WHERE site_id = $1 AND day BETWEEN $2 AND $3
"""


Stay = tuple[int, Days]
"""A page, and the first and the last of some days."""

VisitIds = dict[tuple[date, int], int]
"""By day and number of a view."""


@dataclass(frozen=True, slots=True)
class Closed:
    """What the closing job knows of views: their visits, and how those ended, where it was asked.

    outcomes, flags   of the visits, by day and number of the view
    """

    visit_ids: VisitIds
    outcomes: Mapping[tuple[date, int], int]
    flags: Mapping[tuple[date, int], int]


async def page_views(connection: Any, span: Span, page_id: int) -> list[Seen]:
    """All views of one page, in order of opening."""
    views = [view async for chunk in page_view_chunks(connection, span, page_id) for view in chunk]
    return sorted(views, key=by_opening)


async def page_view_chunks(
    connection: Any, span: Span, page_id: int, chunk_views: int = CHUNK_VIEWS
) -> AsyncIterator[list[Seen]]:
    """The views of one page, a bounded number at a time, each with all that is known of it.

    A view's page is the one that it was opened on. Chunks are in no order that means anything.
    """
    stay = page_id, (span.first, span.last)
    async for _, _, views in views_of_pages(connection, span, [stay], chunk_views=chunk_views):
        yield views


async def views_of_pages(
    connection: Any,
    span: Span,
    stays: Collection[Stay],
    *,
    ended: bool = False,
    chunk_views: int = CHUNK_VIEWS,
    is_wanted: Callable[[Stay], bool] = lambda _stay: True,
) -> AsyncIterator[tuple[Stay, Closed, list[Seen]]]:
    """Likewise of several pages, each on its own days of the span, and what is known of their
    visits. What is read at once may be of several of them.

    ended      whether it is wanted how visits ended
    is_wanted  asked before more is read of a page's days
    """
    found = await openings_of_pages(connection, span, stays, ended=ended)
    for together in _together(found, chunk_views):
        part = {stay: one for stay, one in together.items() if is_wanted(stay)}
        whole = None
        if len(part) > 1:
            opened = np.concatenate([one.views for one in part.values()])
            whole = await _rows(connection, span.site_id, opened)
        for stay, one in part.items():
            closed = _closed(one.closed)
            reading = told(connection, span.site_id, one.views, chunk_views, rows=whole)
            async with aclosing(reading):
                async for views in reading:
                    yield stay, closed, views
                    if not is_wanted(stay):
                        break


def _together(
    found: Mapping[Stay, PageOpenings], chunk_views: int
) -> Iterator[dict[Stay, PageOpenings]]:
    """As many of them at a time as are one chunk; a larger one alone."""
    part: dict[Stay, PageOpenings] = {}
    full = 0.0
    for stay, one in found.items():
        own = len(one.views) / chunk_views + int(one.views["bytes"].sum()) / CHUNK_BYTES
        if part and full + own > 1:
            yield part
            part, full = {}, 0.0
        part[stay] = one
        full += own
    if part:
        yield part


def _closed(views: Rows) -> Closed:
    keys = [
        (day_of(day), view_id)
        for day, view_id in zip(views["day"], views["view_id"].tolist(), strict=True)
    ]
    ended = views["ended"].tolist()
    known = [(key, told) for key, told in zip(keys, ended, strict=True) if told >= 0]
    return Closed(
        visit_ids=dict(zip(keys, views["visit_id"].tolist(), strict=True)),
        outcomes={key: told & (1 << FLAGS_SHIFT) - 1 for key, told in known},
        flags={key: told >> FLAGS_SHIFT for key, told in known},
    )


async def told(
    connection: Any,
    site_id: int,
    opened: Rows,
    chunk_views: int = CHUNK_VIEWS,
    twins: Twins | None = None,
    rows: Told | None = None,
) -> AsyncGenerator[list[Seen]]:
    """Views as `Openings` has them, with all that they told: person by person, without twins.
    Whoever brings `twins` learns from it how many those were.

    rows  what these views and perhaps others told, where it was read already
    """
    await asyncio.to_thread(put_in_order, opened)
    twins = twins or Twins()
    for part in _parts(opened, chunk_views):
        read = rows or await _rows(connection, site_id, opened[part])
        of_others = rows is not None
        yield twins.take(await asyncio.to_thread(_folded, opened[part], read, of_others))
    yield twins.end()


Told = tuple[list[Any], list[Any], Batches]
"""Openings, beacons and batches of some views, as `fold` takes them."""


async def rows_of(connection: Any, site_id: int, day: date, view_ids: list[int]) -> Told:
    """What these views told."""
    return await rows_of_days(connection, site_id, {day: view_ids})


async def rows_of_days(
    connection: Any,
    site_id: int,
    view_ids: Mapping[date, list[int]],
    sent: Mapping[date, list[int]] | None = None,
) -> Told:
    """The same of views of several days, by two statements.

    sent  those that have batches, where that is known: where none has, there is one statement less
    """
    values: list[Any] = [site_id]
    parts: list[str] = []
    for day, ids in view_ids.items():
        parts += (kind.format(day=len(values) + 1, ids=len(values) + 2) for kind in _KINDS)
        values += [day, ids]
    if not parts:
        return [], [], Batches.none()
    rows: tuple[list[Any], list[Any]] = [], []
    for row in await connection.fetch(" UNION ALL ".join(parts), *values):
        rows[row["kind"]].append(row)
    sent = view_ids if sent is None else sent
    return *rows, await read_batches(connection, site_id, sent) if sent else Batches.none()


async def goals(connection: Any, site_id: int, first: date, last: date, opened: Openings) -> Goals:
    """The goals of those who opened something, reached from `first` to `last`."""
    found = Goals()
    cursor = await connection.cursor(_GOALS, site_id, first, last)
    while rows := await cursor.fetch(GOALS_AT_A_TIME):
        reached = [Goal(*row.values()) for row in rows]
        persons = _persons(opened, [goal.visitor for goal in reached])
        refs = np.array([goal.ref_hash or b"" for goal in reached], "S16")
        borne = opened.people.bear(opened.persons, refs)
        for goal, person, is_borne in zip(reached, persons, borne, strict=True):
            if person is not None or is_borne:
                found.add(goal, person)
    return found


def _persons(opened: Openings, visitors: list[int | None]) -> list[int | None]:
    """Who each visitor is, None for nobody who opened anything."""
    named: Hashes = np.array([visitor or 0 for visitor in visitors], np.int64)
    persons = opened.people.of(named)
    here = is_among(opened.persons, persons)
    return [
        int(person) if visitor is not None and is_here else None
        for visitor, person, is_here in zip(visitors, persons, here, strict=True)
    ]


def _parts(views: Rows, chunk_views: int) -> list[slice]:
    """Cut before either measure is full; a view is never divided."""
    full = np.arange(len(views)) / chunk_views + np.cumsum(views["bytes"]) / CHUNK_BYTES
    cuts = np.flatnonzero(np.diff(full.astype(np.int64))) + 1
    edges: list[int] = [0, *cuts.tolist(), len(views)]
    return [slice(begin, end) for begin, end in pairwise(edges)]


async def _rows(connection: Any, site_id: int, opened: Rows) -> Told:
    sent = opened[opened["bytes"] > 0]
    return await rows_of_days(connection, site_id, _by_day(opened), _by_day(sent))


def _by_day(opened: Rows) -> dict[date, list[int]]:
    by_day: dict[date, list[int]] = {}
    for view_id, day in zip(opened["view_id"].tolist(), opened["day"].tolist(), strict=True):
        by_day.setdefault(day_of(day), []).append(view_id)
    return dict(sorted(by_day.items()))


def _folded(part: Rows, rows: Told, of_others: bool) -> list[Seen]:
    """These views as the rows tell them, in the order of `part`. In a thread: a beacon that arrives
    meanwhile is answered between two instructions."""
    place = {
        (day_of(day), view_id): n
        for n, (view_id, day) in enumerate(zip(part["view_id"].tolist(), part["day"], strict=True))
    }
    if of_others:
        opens, beacons = (
            [row for row in kind if (row["day"], row["view_id"]) in place] for kind in rows[:2]
        )
        rows = opens, beacons, rows[2].only(place)
    views = fold(*rows)
    views.sort(key=lambda view: place[view.day, view.view_id])
    for view in views:
        its = part[place[view.day, view.view_id]]
        view.person = int(its["person"])
        view.next_zone, view.next_s = int(its["next_zone"]), int(its["next_s"])
    return views
