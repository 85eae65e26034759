"""The closing job: views, visits, outcomes and stall lists of one day, from raw rows alone.

A day is recomputed whole, in one transaction, never incremented: running it again changes
nothing, and whatever it wrote may be deleted and is the same after the next run. What is held of
it is bounded: columns of what opened, and the rows of some views at a time.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from app.closing.derived import QUARANTINED as QUARANTINED
from app.closing.derived import Deriving
from app.closing.rewriting import KEYS, Rewriting
from app.closing.turn import take_turn
from app.closing.visits import window
from app.folding.openings import Span, openings_of_day
from app.folding.raw import CHUNK_VIEWS, goals, told
from app.folding.twins import Twins
from app.shops import touch
from app.store import Store
from collector.partitions import make_partitions
from collector.sites import Site
from collector.wire import Capture, Reason

WRITES = tuple(KEYS)

BEFORE = timedelta(days=2)
"""As far back as a visit of the day may begin (the day before), and whether that one is itself
going on from the day before it (`app/closing/visits.py`)."""

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Closed:
    views: int
    visits: int
    changed: bool
    """Whether anything is different from what the last run wrote."""


async def close_day(
    store: Store, site: Site, day: date, now: datetime, *, chunk_views: int = CHUNK_VIEWS
) -> Closed:
    """Recompute `day`, reading the days beside it: a visit belongs to the day of its first view."""
    async with store.connection() as connection:
        # By itself: a partition's making holds locks that a writer of another day would wait for.
        await make_partitions(connection, [day])
    async with store.transaction() as connection:
        await take_turn(connection, site.site_id, day)
        rows = Rewriting(connection, site.site_id, day)
        await _derive(connection, rows, site, day, now, chunk_views)
        await rows.end()
        if rows.changed:
            await touch(connection, site.site_id)
    return Closed(rows.count("view"), rows.count("visit"), rows.changed)


async def _derive(
    connection: Any, rows: Rewriting, site: Site, day: date, now: datetime, chunk_views: int
) -> None:
    """Goals are read as far as the site's window reaches from a visit that runs past midnight.

    Rows that arrive meanwhile are in or not, view by view, until the day's next run.
    """
    opened = await openings_of_day(connection, Span.of(site, day - BEFORE, day + DAY), day)
    last_goal = day + DAY + timedelta(days=-(-window(site) // DAY))
    reached = await goals(connection, site.site_id, day, last_goal, opened)
    deriving = Deriving(site, day, reached, now)
    views_opened = opened.views
    del opened  # Who is who is known by now, and takes as much again.
    twins = Twins()
    async for views in told(connection, site.site_id, views_opened, chunk_views, twins):
        for table, of_table in (await asyncio.to_thread(deriving.take, views)).items():
            await rows.put(table, of_table)
    for table, of_table in deriving.end().items():
        await rows.put(table, of_table)
    await _count_twins(connection, site, day, twins.left_out[day])


async def _count_twins(connection: Any, site: Site, day: date, n: int) -> None:
    """Among what was left out, counted anew like all else; none of them says how it came, but only
    a stylesheet is asked for twice."""
    key = site.site_id, day, int(Capture.CSS), Reason.TWIN.value
    if n:
        await connection.execute(_TWINS, *key, n)
    else:
        await connection.execute(_NO_TWINS, *key)


_TWINS = """
    INSERT INTO dropped (site_id, day, capture, reason, n) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (site_id, day, capture, reason) DO UPDATE SET n = excluded.n
"""
_NO_TWINS = """
    DELETE FROM dropped WHERE site_id = $1 AND day = $2 AND capture = $3 AND reason = $4
"""
