"""The closing job: views, visits, outcomes and stall lists of one day, from raw rows alone.

A day is recomputed whole, in one transaction, never incremented: running it again changes
nothing, and whatever it wrote may be deleted and is the same after the next run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from app.raw import Span, all_views, goals
from app.seen import CODE_NAMES, Seen
from app.stalls import STALL_ENC, pack_bands, pack_dwell, pack_stalls, stalls_of
from app.store import Store
from app.visits import DEFAULT_WINDOW_H, Visit, visits_of
from collector.partitions import make_partitions
from collector.sites import Page, Site
from collector.tables import metadata

WRITES = ("stall_list", "view", "visit")
QUARANTINED = 4
"""Bit of `visit.flags`: a token of one of its views was copied."""


@dataclass(frozen=True, slots=True)
class Closed:
    views: int
    visits: int


async def close_day(store: Store, site: Site, day: date, now: datetime) -> Closed:
    """Recompute `day`, reading the days beside it: a visit belongs to the day of its first view.

    Goals are read as far as the site's window reaches, for visits that bear a reference.
    """
    window_days = -(-site.config.get("window_h", DEFAULT_WINDOW_H) // 24)
    async with store.transaction() as connection:
        await _take_turn(connection, site.site_id, day)
        await make_partitions(connection, [day])
        views = await all_views(connection, Span(site.site_id, day, day).widened(1))
        reached = await goals(
            connection, Span(site.site_id, day, day + timedelta(days=window_days))
        )
        visits = visits_of(site, views, reached, now)
        await _replace(connection, site, day, visits)
        await connection.execute(
            "UPDATE site SET data_version = data_version + 1 WHERE site_id = $1", site.site_id
        )
    opened = sum(view.day == day for visit in visits for view in visit.views)
    return Closed(opened, sum(visit.day == day for visit in visits))


async def _take_turn(connection: Any, site_id: int, day: date) -> None:
    """Once in the fleet: whoever comes second waits, and then writes the same."""
    await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", site_id, day.toordinal())


async def _replace(connection: Any, site: Site, day: date, visits: Sequence[Visit]) -> None:
    pages = {page.page_id: page for page in site.pages.values()}
    opened = [(visit, view) for visit in visits for view in visit.views if view.day == day]
    rows = {
        "visit": [_visit_row(visit, pages) for visit in visits if visit.day == day],
        "view": [_view_row(visit, view) for visit, view in opened],
        "stall_list": [_stall_row(visit, view) for visit, view in opened],
    }
    for table in WRITES:
        await connection.execute(
            f"DELETE FROM {table} WHERE site_id = $1 AND day = $2", site.site_id, day
        )
        await _write(connection, table, site.site_id, rows[table])


async def _write(connection: Any, table: str, site_id: int, rows: Iterable[dict[str, Any]]) -> None:
    columns = [column.name for column in metadata.tables[table].columns]
    records = [tuple({**row, "site_id": site_id}[name] for name in columns) for row in rows]
    await connection.copy_records_to_table(table, records=records, columns=columns)


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
        "presses": sum(view.presses.values()) + len(view.clicks()),
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
