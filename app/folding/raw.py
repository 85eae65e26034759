"""Raw rows of days or of a page, a bounded number of views at a time: a day of any size fits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np

from app.closing.visits import Goal, Goals
from app.folding.columns import Rows
from app.folding.openings import Openings, day_of, openings_of_page, put_in_order
from app.folding.openings import Span as Span
from app.folding.people import Hashes, is_among
from app.folding.seen import Seen, by_opening, fold
from app.folding.twins import Twins

CHUNK_VIEWS = 2_000
"""So many views are folded at a time: about 20 MB of rows and of what they become."""

CHUNK_BYTES = 2_000_000
"""Of batches folded at a time; unpacked they take several times as much."""

GOALS_AT_A_TIME = 1_000

_OF_VIEWS = "WHERE site_id = $1 AND day = $2 AND view_id = ANY($3)"
"""By the keys of the tables, a day at a time: all of it is found by their indexes."""

_OPENS = f"""
    SELECT view_id, day, page_id, path_id, at, visitor, visitor_before, ref_hash, visitor_check,
           device, band, browser, os, channel, variant, capture, language
    FROM beacon {_OF_VIEWS} AND name = 'open'
"""
_BEACONS = f"""
    SELECT view_id, day, array_agg(name) AS names, max(at) AS at,
           array_agg(date_part('epoch', at)) AS times,
           array_agg(DISTINCT visitor_check) AS checks
    FROM beacon {_OF_VIEWS} AND name <> 'open' GROUP BY view_id, day
"""
"""One row for all of a view: a row for each costs more than all that is done with it."""
_BATCHES = f"""
    SELECT view_id, day, seq, at, opened_min, page_id, path_id, visitor, visitor_before, ref_hash,
           page_width_px, page_height_px, viewport_width_px, viewport_height_px, codes, enc,
           trail, ev
    FROM batch {_OF_VIEWS}
"""
_GOALS = """
    SELECT at, visitor, ref_hash, source, result FROM goal
    WHERE site_id = $1 AND day BETWEEN $2 AND $3
"""


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
    opened = await openings_of_page(connection, span, page_id)
    async for views in told(connection, span.site_id, opened.views, chunk_views):
        yield views


async def told(
    connection: Any,
    site_id: int,
    opened: Rows,
    chunk_views: int = CHUNK_VIEWS,
    twins: Twins | None = None,
) -> AsyncIterator[list[Seen]]:
    """Views as `Openings` has them, with all that they told: person by person, without twins.
    Whoever brings `twins` learns from it how many those were."""
    await asyncio.to_thread(put_in_order, opened)
    twins = twins or Twins()
    for part in _parts(opened, chunk_views):
        yield twins.take(await _read(connection, site_id, opened[part]))
    yield twins.end()


async def rows_of(
    connection: Any, site_id: int, day: date, view_ids: list[int]
) -> tuple[list[Any], list[Any], list[Any]]:
    """Openings, beacons and batches of these views, as `fold` takes them."""
    asked = site_id, day, view_ids
    return (
        await connection.fetch(_OPENS, *asked),
        await connection.fetch(_BEACONS, *asked),
        await connection.fetch(_BATCHES, *asked),
    )


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


async def _read(connection: Any, site_id: int, part: Rows) -> list[Seen]:
    """These views as their rows tell them now, in the order of `part`."""
    place = {
        (day_of(day), view_id): n
        for n, (view_id, day) in enumerate(zip(part["view_id"].tolist(), part["day"], strict=True))
    }
    views: list[Seen] = []
    for day in sorted({day for day, _ in place}):
        asked = site_id, day, [view_id for of_day, view_id in place if of_day == day]
        # In a thread: a beacon that arrives meanwhile is answered between two instructions.
        views += await asyncio.to_thread(fold, *await rows_of(connection, *asked))
    views.sort(key=lambda view: place[view.day, view.view_id])
    for view in views:
        its = part[place[view.day, view.view_id]]
        view.person = int(its["person"])
        view.next_zone, view.next_s = int(its["next_zone"]), int(its["next_s"])
    return views
