"""One page's map: which views it rests on, their marks on a layout, and what must be said beside.

The API and the pages ask here; `app/drawing/overlays.py` draws what this answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import numpy as np

from app.configuration import LEAST_VISITS
from app.folding.homes import Homes
from app.folding.ways import WaySum, WaySums
from app.mapping.beside import Beside
from app.mapping.filters import TIMED, MapQuery
from app.mapping.folds import fold_lines
from app.mapping.live import Days, answerable, refuse_few, refuse_unlisted
from app.mapping.placing import EMPTY, Floats, Ground, Placed, ZoneSum
from app.mapping.seeing import Seeing, seeing
from app.mapping.sources import coarse_enough, sources, tiles_know, within_raw
from app.picturing.layouts import Box, Layout, find_layout, layouts_of
from app.problems import NotFound
from app.store import Store
from collector.codes import Device, width_band
from collector.sites import Page, Site
from collector.wire import Capture
from heatmap.bandwidth import auto_bandwidth, default_bandwidth
from heatmap.marks import clip, gather
from heatmap.page import Page as DrawnPage

LIVE_THRESHOLD = LEAST_VISITS
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
    """Of these, how many can tell what the map shows; the share is its coverage."""
    visits: int
    points: Floats
    point_weights: Floats
    boxes: tuple[tuple[float, float, float, float], ...]
    box_weights: tuple[float, ...]
    depths_px: tuple[float, ...]
    marks: int
    unplaced: int
    zones: tuple[ZoneHeat, ...]
    scriptless: bool = False
    """Whether any view was told without the script: of its seconds clocks know steps alone."""
    folds_px: tuple[float, ...] = ()
    """Where the windows of `FOLD_SHARES` of the views end, if that is asked for and known."""

    @property
    def trying(self) -> bool:
        return self.site.state == "trying"

    @property
    def frames(self) -> tuple[Box, ...]:
        """Boxes of another origin's frames, the payment provider's mostly: what happens in them no
        page can see, so that no heat in them is no calm."""
        numbers = {zone.number for zone in self.page.zones if zone.role == "frame"}
        boxes = self.layout.boxes if self.layout else ()
        return tuple(box for box in boxes if box.number in numbers)

    @property
    def coverage(self) -> float | None:
        return self.signalled / self.views if self.views else None

    @property
    def scale_unit(self) -> str:
        """Of what the colours stand for, by the style that it is drawn in."""
        if self.query.kind == "scroll":
            return self.unit
        unit_of = {
            "heat": f"{self.unit}/px²",
            "zones": f"{self.unit} in a zone",
            "confetti": "dots",
        }
        return unit_of[self.query.style]

    @property
    def unit(self) -> str:
        """What intensities count, per square CSS px."""
        if self.query.kind == "scroll":
            return "share of views"
        counted = "s" if self.query.kind in TIMED else "events"
        return f"{counted}/visit" if per_visit(self.query) else counted


def per_visit(query: MapQuery) -> bool:
    """Whether amounts are told for a visit; seconds are where nothing else is asked for."""
    return query.per == "visit" or (query.per is None and query.kind in TIMED)


async def page_map(store: Store, site: Site, page: Page, query: MapQuery, now: datetime) -> PageMap:
    period = query.period(site.day_of(now))
    homes = Homes(await layouts_of(store, site, page.page_id), site.time_zone)
    answer = tiles_know(query) and coarse_enough(page, query)
    beside = Beside(query) if site.state == "live" else None
    if beside is not None:
        refuse_unlisted(query)
    async with (
        store.connection() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        period = await within_raw(connection, site.site_id, query, period)
        if beside is not None:
            period = await answerable(Days(connection, site, page, query), period)
        where = await sources(connection, site.site_id, period, tiles_answer=answer)
        seen = await seeing(connection, site, page, query, where, homes, beside)
    layout = await _layout(store, site, page, query, seen.ways)
    if beside is not None:
        refuse_few(site, query, beside, layout)
    found = _mapped(site, page, query, period, layout, seen)
    if "folds" not in query.drawn_over:
        return found
    key = site.site_id, page.page_id
    return replace(found, folds_px=await fold_lines(store, key, period, query, layout))


def _mapped(
    site: Site,
    page: Page,
    query: MapQuery,
    period: tuple[date, date],
    layout: Layout | None,
    seen: Seeing,
) -> PageMap:
    ground = Ground(layout, query.aggregation == "unique_visits")
    told = seen.ways.whole
    depths_px, elsewhere = seen.depths_px(ground) if query.kind == "scroll" else ((), 0)
    placed = EMPTY if query.kind == "scroll" else seen.placed(ground)
    per = seen.ways.visits if per_visit(query) and seen.ways.visits else 1
    width_px, height_px = _size(layout, told)
    return PageMap(
        site=site,
        page=page,
        query=query,
        date_from=period[0],
        date_to=period[1],
        layout=layout,
        width_px=width_px,
        height_px=height_px,
        bandwidth_px=_bandwidth(page, query, layout, seen.ways, placed, (width_px, height_px)),
        views=told.views,
        signalled=told.able.get(query.kind, 0),
        visits=seen.ways.visits,
        points=placed.points,
        point_weights=placed.point_weights / per,
        boxes=tuple(placed.boxes),
        box_weights=tuple(weight / per for weight in placed.box_weights),
        depths_px=depths_px,
        marks=placed.marks,
        unplaced=elsewhere if query.kind == "scroll" else placed.unplaced,
        zones=_zones(page, ground, placed.zones, per),
        scriptless=any(not way.captures & 1 << Capture.SCRIPT for way in seen.ways.by_way),
    )


async def _layout(
    store: Store, site: Site, page: Page, query: MapQuery, ways: WaySums
) -> Layout | None:
    """The one that was asked for, else the one most of the views were seen in."""
    if query.layout is not None:
        number = int(query.layout, 16)
        layout_id = number - 2**64 if number >= 2**63 else number
        found = await find_layout(store, site, page.page_id, layout_id=layout_id)
        if found is None:
            raise NotFound(f"the page {page.slug} has no layout {query.layout}")
        return found
    band, touch = ways.usual() or _asked(query)
    pointer = None if touch is None else "coarse" if touch else "fine"
    found = await find_layout(store, site, page.page_id, band=band or None, pointer=pointer)
    # A shop that captured its page for the mouse alone still has the zones' boxes, through which
    # zones are drawn for every width.
    return found or await find_layout(store, site, page.page_id, band=band or None)


def _asked(query: MapQuery) -> tuple[int, bool | None]:
    """Width band and whether by touch, as the query hints; 0 and None where it does not."""
    touch = None if query.device is None else query.device in (Device.PHONE, Device.TABLET)
    return width_band(query.viewport_width_max), touch


def _size(layout: Layout | None, told: WaySum) -> tuple[int, int]:
    if layout is not None:
        return layout.width_px, layout.height_px
    width, height = EMPTY_PAGE_PX
    return (
        min(told.widest_px or width, 4_000),
        min(told.tallest_px or height, 32_000, 40_000_000 // 4_000),
    )


def _bandwidth(
    page: Page,
    query: MapQuery,
    layout: Layout | None,
    ways: WaySums,
    placed: Placed,
    size_px: tuple[int, int],
) -> float:
    """Explicit, else the page's own, else the rule's default for the pointer."""
    if isinstance(query.bandwidth, str):  # follow the marks
        marks = gather(placed.points, placed.point_weights, placed.boxes, placed.box_weights)
        return auto_bandwidth(clip(marks, DrawnPage(*size_px)).marks)
    if query.bandwidth is not None:
        return query.bandwidth
    if page.bandwidth_px is not None:
        return page.bandwidth_px
    if layout is not None:
        return default_bandwidth(query.kind, layout.pointer == "coarse")
    return default_bandwidth(query.kind, 2 * ways.touched > ways.whole.views)


def _zones(
    page: Page, ground: Ground, sums: Mapping[int, ZoneSum], per: int
) -> tuple[ZoneHeat, ...]:
    """Hottest first; a zone without a box is still counted."""
    names = {zone.number: zone.name for zone in page.zones}
    heats = (
        ZoneHeat(
            number,
            names.get(number, f"#{number}"),
            heat.total / per,
            heat.visits,
            ground.boxes.get(number),
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
        "marks": found.marks,
        "unplaced": found.unplaced,
        "total": float(np.sum(found.point_weights)) + float(sum(found.box_weights)),
    }
