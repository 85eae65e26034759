"""One page's map: which views it rests on, their marks on a layout, and what must be said beside.

The API and the pages ask here; `app/overlays.py` draws what this answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from app.filters import MapQuery
from app.layouts import Layout, find_layout
from app.marks import Floats, Ground, Placed, ZoneSum, place
from app.problems import NotFound, TooFewVisits
from app.raw import Span, page_views
from app.seen import Seen
from app.stalls import is_touch
from app.store import Store
from collector.codes import Device, width_band
from collector.sites import Page, Site
from heatmap.bandwidth import default_bandwidth

LIVE_THRESHOLD = 10
"""A live site shows nothing that rests on fewer visits; a trying site shows everything."""

EMPTY_PAGE_PX = (1280, 2000)
"""Size of the page drawn on when nothing tells the real one."""


@dataclass(frozen=True, slots=True)
class ZoneHeat:
    number: int
    name: str
    total: float
    visits: int
    box_px: tuple[float, float, float, float] | None


@dataclass(frozen=True, slots=True)
class PageMap:
    """Everything about one map but its picture."""

    site: Site
    page: Page
    query: MapQuery
    date_from: date
    date_to: date
    layout: Layout | None
    width_px: int
    height_px: int
    bandwidth_px: float
    views: int
    """Page views opened in the period, after the filter."""
    signalled: int
    """Of these, how many sent any signal; the share is the map's coverage."""
    visits: int
    points: Floats
    point_weights: Floats
    boxes: tuple[tuple[float, float, float, float], ...]
    box_weights: tuple[float, ...]
    depths_px: tuple[float, ...]
    unplaced: int
    zones: tuple[ZoneHeat, ...]

    @property
    def trying(self) -> bool:
        return self.site.state == "trying"

    @property
    def coverage(self) -> float | None:
        return self.signalled / self.views if self.views else None

    @property
    def unit(self) -> str:
        """What intensities count, per square CSS px."""
        return {"stall": "s/visit", "scroll": "share of views"}.get(self.query.kind, "events")


async def page_map(store: Store, site: Site, page: Page, query: MapQuery, now: datetime) -> PageMap:
    first, last = query.period(site.day_of(now))
    span = Span.of(site, first, last)
    async with store.connection() as connection:
        views = await page_views(connection, span, page.page_id)
        visit_ids = await _visit_ids(connection, span, page.page_id)
        chosen = await _chosen(connection, span, query, views)
    layout = await _layout(store, site, page, query, chosen)
    paired = [(view, visit_ids.get(view.view_id, view.visitor)) for view in chosen]
    visits = len({visit for _, visit in paired})
    if site.state == "live" and visits < LIVE_THRESHOLD:
        raise TooFewVisits(visits, LIVE_THRESHOLD)
    return _mapped(site, page, query, (first, last), layout, paired, visits)


def _mapped(
    site: Site,
    page: Page,
    query: MapQuery,
    period: tuple[date, date],
    layout: Layout | None,
    paired: list[tuple[Seen, int]],
    visits: int,
) -> PageMap:
    views = [view for view, _ in paired]
    ground = Ground(layout, query.aggregation == "unique_visits")
    placed = Placed() if query.kind == "scroll" else place(query.kind, paired, ground)
    per = visits if query.kind == "stall" and visits else 1
    width_px, height_px = _size(layout, views)
    return PageMap(
        site=site,
        page=page,
        query=query,
        date_from=period[0],
        date_to=period[1],
        layout=layout,
        width_px=width_px,
        height_px=height_px,
        bandwidth_px=_bandwidth(page, query, layout, views),
        views=len(views),
        signalled=sum(view.signals > 0 for view in views),
        visits=visits,
        points=placed.all_points(),
        point_weights=placed.all_weights() / per,
        boxes=tuple(placed.boxes),
        box_weights=tuple(weight / per for weight in placed.box_weights),
        depths_px=_depths(query, ground, views),
        unplaced=_elsewhere(ground, views) if query.kind == "scroll" else placed.unplaced,
        zones=_zones(page, ground, placed.zones, per),
    )


async def _visit_ids(connection: Any, span: Span, page_id: int) -> dict[int, int]:
    """Visits as the closing job gave them; a view of the last minute stands for itself."""
    rows = await connection.fetch(
        "SELECT view_id, visit_id FROM view "
        "WHERE site_id = $1 AND day BETWEEN $2 AND $3 AND page_id = $4",
        span.site_id,
        span.first,
        span.last,
        page_id,
    )
    return {row["view_id"]: row["visit_id"] for row in rows}


async def _chosen(connection: Any, span: Span, query: MapQuery, views: list[Seen]) -> list[Seen]:
    kept = [view for view in views if not view.quarantined and _passes(view, query)]
    if query.outcome is None:
        return kept
    rows = await connection.fetch(
        "SELECT view_id FROM view JOIN visit USING (site_id, visit_id) "
        "WHERE site_id = $1 AND view.day BETWEEN $2 AND $3 "
        "AND visit.day BETWEEN $2 - 1 AND $3 AND outcome = $4",
        span.site_id,
        span.first,
        span.last,
        int(query.outcome),
    )
    ended = {row["view_id"] for row in rows}
    return [view for view in kept if view.view_id in ended]


def _passes(view: Seen, query: MapQuery) -> bool:
    asked = (
        (query.device, view.codes.device),
        (query.browser, view.codes.browser),
        (query.os, view.codes.os),
        (query.language, view.codes.language),
    )
    if any(wanted is not None and int(wanted) != is_ for wanted, is_ in asked):
        return False
    if query.capture is not None and not view.captures & 1 << query.capture:
        return False
    low, high = query.viewport_width_min, query.viewport_width_max
    if low is None and high is None:
        return True
    width = view.width_px
    return width is not None and (low or 0) <= width <= (high or width)


async def _layout(
    store: Store, site: Site, page: Page, query: MapQuery, views: list[Seen]
) -> Layout | None:
    """The one that was asked for, else the one most of the views were seen in."""
    if query.layout is not None:
        number = int(query.layout, 16)
        layout_id = number - 2**64 if number >= 2**63 else number
        found = await find_layout(store, site, page.page_id, layout_id=layout_id)
        if found is None:
            raise NotFound(f"the page {page.slug} has no layout {query.layout}")
        return found
    band, touch = _usual(query, views)
    pointer = None if touch is None else "coarse" if touch else "fine"
    found = await find_layout(store, site, page.page_id, band=band or None, pointer=pointer)
    # A shop that captured its page for the mouse alone still has the zones' boxes, through which
    # zones are drawn for every width.
    return found or await find_layout(store, site, page.page_id, band=band or None)


def _usual(query: MapQuery, views: list[Seen]) -> tuple[int, bool | None]:
    """Width band and whether by touch, as most views; 0 and None where nothing tells."""
    seen = Counter((view.codes.band, is_touch(view)) for view in views if view.codes.band)
    seen = seen or Counter((0, is_touch(view)) for view in views)
    if seen:
        return max(seen.items(), key=lambda item: (item[1], item[0]))[0]
    asked = None if query.device is None else query.device in (Device.PHONE, Device.TABLET)
    return width_band(query.viewport_width_max), asked


def _size(layout: Layout | None, views: Iterable[Seen]) -> tuple[int, int]:
    if layout is not None:
        return layout.width_px, layout.height_px
    listed = list(views)
    widths = [view.width_px for view in listed if view.width_px]
    heights = [view.page_height_px or view.deepest_px for view in listed]
    known = [height for height in heights if height]
    width, height = EMPTY_PAGE_PX
    return (
        min(max(widths, default=width), 4_000),
        min(max(known, default=height), 32_000, 40_000_000 // 4_000),
    )


def _bandwidth(page: Page, query: MapQuery, layout: Layout | None, views: list[Seen]) -> float:
    """Explicit, else the page's own, else the rule's default for the pointer."""
    if query.bandwidth is not None:
        return query.bandwidth
    if page.bandwidth_px is not None:
        return page.bandwidth_px
    if layout is not None:
        return default_bandwidth(query.kind, layout.pointer == "coarse")
    touched = sum(map(is_touch, views))
    return default_bandwidth(query.kind, 2 * touched > len(views))


def _depths(query: MapQuery, ground: Ground, views: list[Seen]) -> tuple[float, ...]:
    if query.kind != "scroll":
        return ()
    return tuple(
        float(view.deepest_px)
        for view in views
        if view.signals and view.deepest_px is not None and ground.takes_page_px_of(view)
    )


def _elsewhere(ground: Ground, views: list[Seen]) -> int:
    """Views whose depth is known, on a page of another width."""
    return sum(
        view.signals > 0 and view.deepest_px is not None and not ground.takes_page_px_of(view)
        for view in views
    )


def _zones(page: Page, ground: Ground, sums: dict[int, ZoneSum], per: int) -> tuple[ZoneHeat, ...]:
    """Hottest first; a zone without a box is still counted."""
    names = {zone.number: zone.name for zone in page.zones}
    heats = (
        ZoneHeat(
            number,
            names.get(number, f"#{number}"),
            heat.total / per,
            heat.visits,
            ground.box(number),
        )
        for number, heat in sums.items()
    )
    return tuple(sorted(heats, key=lambda heat: (-heat.total, heat.number)))


def summary(found: PageMap) -> dict[str, Any]:
    """What stands beside every picture, in words and numbers."""
    return {
        "site": found.site.public_key,
        "page": found.page.slug,
        "kind": found.query.kind,
        "unit": found.unit,
        "state": found.site.state,
        "date_from": found.date_from.isoformat(),
        "date_to": found.date_to.isoformat(),
        "time_zone": found.site.time_zone.key,
        "page_views": found.views,
        "visits": found.visits,
        "coverage": found.coverage,
        "bandwidth_px": found.bandwidth_px,
        "width_px": found.width_px,
        "height_px": found.height_px,
        "layout": f"{found.layout.layout_id & (2**64 - 1):016x}" if found.layout else None,
        "marks": len(found.points) + len(found.boxes),
        "unplaced": found.unplaced,
        "total": float(np.sum(found.point_weights)) + float(sum(found.box_weights)),
    }
