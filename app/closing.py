"""The closing job: views, visits, outcomes and stall lists of one day, from raw rows alone.

A day is recomputed whole, in one transaction, never incremented: running it again changes
nothing, and whatever it wrote may be deleted and is the same after the next run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from app.raw import Span, all_views, goals
from app.seen import CODE_NAMES, Seen
from app.shops import touch
from app.stalls import STALL_ENC, pack_bands, pack_dwell, pack_stalls, stalls_of
from app.store import Store
from app.visits import Visit, visits_of, window
from collector.partitions import make_partitions
from collector.sites import Page, Site
from collector.tables import metadata

WRITES = ("stall_list", "view", "visit")
COLUMNS = {name: tuple(c.name for c in metadata.tables[name].columns) for name in WRITES}
QUARANTINED = 4
"""Bit of `visit.flags`: a token of one of its views was copied."""

BEFORE = timedelta(days=2)
"""As far back as a visit of the day may begin (the day before), and whether that one is itself
going on from the day before it (`app/visits.py`)."""

DAY = timedelta(days=1)
Record = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Closed:
    views: int
    visits: int
    changed: bool
    """Whether anything is different from what the last run wrote."""


async def close_day(store: Store, site: Site, day: date, now: datetime) -> Closed:
    """Recompute `day`, reading the days beside it: a visit belongs to the day of its first view.

    Goals are read as far as the site's window reaches from a visit that runs past midnight.
    """
    async with store.connection() as connection:
        # By itself: a partition's making holds locks that a writer of another day would wait for.
        await make_partitions(connection, [day])
    last_goal = day + DAY + timedelta(days=-(-window(site) // DAY))
    async with store.transaction() as connection:
        await _take_turn(connection, site.site_id, day)
        views = await all_views(connection, Span.of(site, day - BEFORE, day + DAY))
        reached = await goals(connection, Span.of(site, day, last_goal))
        visits = visits_of(site, views, reached, now)
        changed = await _replace(connection, site, day, visits)
        if changed:
            await touch(connection, site.site_id)
    opened = sum(view.day == day for visit in visits for view in visit.views)
    return Closed(opened, sum(visit.day == day for visit in visits), changed)


async def _take_turn(connection: Any, site_id: int, day: date) -> None:
    """Once in the fleet: whoever comes second waits, and then finds nothing to change.

    The shop's row is held against going live, which would leave what the trial derived behind.
    """
    await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", site_id, day.toordinal())
    await connection.execute("SELECT 1 FROM site WHERE site_id = $1 FOR KEY SHARE", site_id)


async def _replace(connection: Any, site: Site, day: date, visits: Sequence[Visit]) -> bool:
    pages = {page.page_id: page for page in site.pages.values()}
    opened = [(visit, view) for visit in visits for view in visit.views if view.day == day]
    rows = {
        "visit": [_visit_row(visit, pages) for visit in visits if visit.day == day],
        "view": [_view_row(visit, view) for visit, view in opened],
        "stall_list": [_stall_row(visit, view) for visit, view in opened],
    }
    changed = False
    for table in WRITES:
        records = [_record(table, site.site_id, row) for row in rows[table]]
        changed |= await _rewrite(connection, table, (site.site_id, day), records)
    return changed


def _record(table: str, site_id: int, row: dict[str, Any]) -> Record:
    row["site_id"] = site_id
    return tuple(row[name] for name in COLUMNS[table])


async def _rewrite(
    connection: Any, table: str, of_day: tuple[int, date], records: list[Record]
) -> bool:
    """Put the day's rows in place of those there are; False where they are the same.

    Most runs find a day as it was, and a table rewritten by the minute would be mostly dead rows.
    """
    columns = ", ".join(COLUMNS[table])
    present = await connection.fetch(
        f"SELECT {columns} FROM {table} WHERE site_id = $1 AND day = $2", *of_day
    )
    if len(present) == len(records) and {tuple(row) for row in present} == set(records):
        return False
    await connection.execute(f"DELETE FROM {table} WHERE site_id = $1 AND day = $2", *of_day)
    await connection.copy_records_to_table(table, records=records, columns=COLUMNS[table])
    return True


def _codes(view: Seen) -> dict[str, int]:
    return {name: getattr(view.codes, name) for name in CODE_NAMES}


def _visit_row(visit: Visit, pages: dict[int, Page]) -> dict[str, Any]:
    first, last = visit.views[0], visit.views[-1]
    phases = {pages[view.page_id].phase for view in visit.views if view.page_id in pages}
    copied = any(view.quarantined for view in visit.views)
    return {
        "started_at": visit.started_at,
        "ended_at": visit.ended_at,
        "goal_at": visit.goal_at,
        "visit_id": visit.visit_id,
        "visitor": first.visitor,
        "day": visit.day,
        "entry_page_id": first.page_id,
        "exit_page_id": last.page_id,
        "views": len(visit.views),
        "phases": sum(1 << phase for phase in phases),
        "outcome": int(visit.outcome),
        "outcome_source": int(visit.source),
        "flags": QUARANTINED if copied else 0,
        **_codes(last if last.codes.band else first),
    }


def _view_row(visit: Visit, view: Seen) -> dict[str, Any]:
    return {
        "opened_at": view.opened_at,
        "view_id": view.view_id,
        "visit_id": visit.visit_id,
        "path_id": view.path_id,
        "day": view.day,
        "page_id": view.page_id,
        "config_version": 1,
        "duration_ms": view.duration_ms,
        "scroll_px": view.deepest_px,
        "page_height_px": view.page_height_px,
        "presses": view.press_count,
        "signals": view.signals,
        "captures": view.captures,
        "viewport_width_px": view.width_px,
        "viewport_height_px": view.height_px,
        **_codes(view),
    }


def _stall_row(visit: Visit, view: Seen) -> dict[str, Any]:
    stalls = stalls_of(view)
    return {
        "view_id": view.view_id,
        "visit_id": visit.visit_id,
        "day": view.day,
        "page_id": view.page_id,
        "deepest_px": view.deepest_px,
        "enc": STALL_ENC,
        "bands": pack_bands(view),
        "stalls": pack_stalls(stalls),
        "dwell": pack_dwell(stalls),
    }
