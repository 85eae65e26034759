"""Raw rows of a day or of a page: every SELECT that feeds `app/seen.py`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.seen import Seen, fold
from app.shops import live_since
from app.visits import Goal
from collector.sites import Site
from collector.wire import Capture

_OPENS = """
    SELECT view_id, day, page_id, path_id, at, visitor, visitor_before, ref_hash, visitor_check,
           device, band, browser, os, channel, variant, capture, language
    FROM beacon WHERE site_id = $1 AND day BETWEEN $2 AND $3 AND name = 'open'
"""
_BEACONS = """
    SELECT view_id, day, name, at, visitor_check FROM beacon
    WHERE site_id = $1 AND day BETWEEN $2 AND $3
"""
_PAGE_BEACONS = """
    SELECT b.view_id, b.day, b.name, b.at, b.visitor_check
    FROM beacon AS o JOIN beacon AS b USING (site_id, day, view_id)
    WHERE o.site_id = $1 AND o.day BETWEEN $2 AND $3 AND o.name = 'open' AND o.page_id = $4
"""
_BATCHES = """
    SELECT view_id, day, seq, at, opened_min, page_id, path_id, visitor, visitor_before, ref_hash,
           page_width_px, page_height_px, viewport_width_px, viewport_height_px, enc, trail, ev,
           device, band, browser, os, channel, variant, capture, language
    FROM batch WHERE site_id = $1 AND day BETWEEN $2 AND $3
"""
_GOALS = """
    SELECT at, visitor, ref_hash, source, result FROM goal
    WHERE site_id = $1 AND day BETWEEN $2 AND $3
"""


@dataclass(frozen=True, slots=True)
class Span:
    """Days of one shop, both ends included; nothing that was opened before it went live."""

    site_id: int
    first: date
    last: date
    live_since: datetime | None = None

    @classmethod
    def of(cls, site: Site, first: date, last: date) -> Span:
        return cls(site.site_id, first, last, live_since(site))


async def page_views(connection: Any, span: Span, page_id: int) -> list[Seen]:
    """The views of one page: by the index on openings, and their beacons by the key."""
    told = (span.site_id, span.first, span.last, page_id)
    views = fold(
        await connection.fetch(_OPENS + " AND page_id = $4", *told),
        await connection.fetch(_PAGE_BEACONS, *told),
        await connection.fetch(_BATCHES + " AND page_id = $4", *told),
    )
    return _counted(views, span)


async def all_views(connection: Any, span: Span) -> list[Seen]:
    told = (span.site_id, span.first, span.last)
    views = fold(
        await connection.fetch(_OPENS, *told),
        await connection.fetch(_BEACONS, *told),
        await connection.fetch(_BATCHES, *told),
    )
    return _counted(views, span)


def _counted(views: list[Seen], span: Span) -> list[Seen]:
    """Pages that were open while the shop went live go on reporting their trial."""
    since = span.live_since
    if since is None:
        return views
    minute = since.replace(second=0, microsecond=0)  # all that a batch tells of its opening
    return [
        view
        for view in views
        if view.opened_at >= (since if view.captures & 1 << Capture.CSS else minute)
    ]


async def goals(connection: Any, span: Span) -> list[Goal]:
    rows: Iterable[Any] = await connection.fetch(_GOALS, span.site_id, span.first, span.last)
    return [Goal(*row.values()) for row in rows]
