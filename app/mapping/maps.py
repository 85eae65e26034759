"""One page's map: which views it rests on, their marks on a layout, and what must be said beside.

The API and the pages ask here; `app/drawing/overlays.py` draws what this answers.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import numpy as np

from app.configuration import LEAST_VISITS
from app.folding.homes import Homes
from app.folding.ways import WaySum, WaySums
from app.mapping.audience import NOBODY, Audience
from app.mapping.beside import Beside
from app.mapping.classes import REST, Classes, DotClass
from app.mapping.classes_beside import take_days_beside
from app.mapping.filters import TIMED, MapQuery
from app.mapping.folds import fold_lines
from app.mapping.grounds import Grounds, grounds_of
from app.mapping.live import Days, answerable, refuse_few, refuse_unlisted
from app.mapping.marks import Integers
from app.mapping.placing import EMPTY, NO_CODES, Floats, Ground, Placed, ZoneSum
from app.mapping.seeing import Look, Seeing, seeing_all
from app.mapping.small_numbers import least_visits
from app.mapping.sources import coarse_enough, sources, tiles_know, within_raw
from app.picturing.layouts import Box, Layout, fitting, layout_number
from app.problems import ApiProblem, NotFound
from app.store import Store
from collector.codes import Device, width_band
from collector.sites import Page, Site
from collector.wire import HEIGHT_STEP_PX, Capture
from heatmap.bandwidth import auto_bandwidth, default_bandwidth
from heatmap.confetti import MAX_SEGMENTS, within_box
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
    classes: tuple[DotClass, ...] = ()
    """What points are told apart by, where they are coloured."""
    in_zones: int = 0
    """How many of the marks are placed through their zones' boxes; the others by px of the page."""
    dots: Floats = field(default_factory=EMPTY.points.copy)
    """Places of dots, where they are drawn: of points, then of marks known by their zone alone."""
    dots_in_zones: int = 0
    """How many of them lie somewhere in a zone or cell, on a lattice."""
    dot_colours: Integers = field(default_factory=NO_CODES.copy)
    """Of each dot the colour of its class; without classes all are of the first."""
    layouts: tuple[Layout, ...] = ()
    """Every one of the page, as `layouts_of` tells them: what else the map could be drawn on."""
    fits: bool = False
    """Of a scroll map, whether three of four windows show the whole page, as far as their steps
    can tell."""
    of_shop: Audience = NOBODY
    """How many page views of the shop were counted in the period, and why the others were not."""

    @property
    def class_dots(self) -> tuple[tuple[DotClass, int], ...]:
        """The classes of dots, each with how many dots it has."""
        dots = np.bincount(self.dot_colours, minlength=MAX_SEGMENTS)
        return tuple((told, int(dots[told.colour])) for told in self.classes)

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
    """Raises BadParameters, NotFound, TooFewVisits or TooFewApart."""
    (found,) = await page_maps(store, site, [(page, query)], now)
    if isinstance(found, ApiProblem):
        raise found
    return found


async def page_maps(
    store: Store, site: Site, asked: Sequence[tuple[Page, MapQuery]], now: datetime
) -> list[PageMap | ApiProblem]:
    """Several maps of a shop, each found or refused: what all of them rest on is read at once, of
    one state of the store."""
    drafts = [_Draft(site, page, query, site.day_of(now)) for page, query in asked]
    for draft in drafts:
        with draft.trying():
            draft.begin()
    if begun := [draft for draft in drafts if draft.problem is None]:
        async with store.snapshot() as connection:
            await _read(connection, site, begun)
        for draft in begun:
            with draft.trying():
                await draft.end(store)
    return [draft.told for draft in drafts]


async def _read(connection: Any, site: Site, drafts: Sequence[_Draft]) -> None:
    whole = min(one.period[0] for one in drafts), max(one.period[1] for one in drafts)
    pages = sorted({draft.page.page_id for draft in drafts})
    grounds = await grounds_of(connection, site, pages, whole)
    for draft in drafts:
        with draft.trying():
            await draft.settle(connection, grounds)
    settled = [draft for draft in drafts if draft.problem is None]
    if not settled:
        return
    seen = await seeing_all(connection, site, [draft.look(grounds) for draft in settled])
    await grounds.count(connection, [draft.period for draft in settled])
    for draft, seeing in zip(settled, seen, strict=True):
        await draft.see(connection, seeing, grounds)


class _Draft:
    """A map on its way."""

    def __init__(self, site: Site, page: Page, query: MapQuery, today: date) -> None:
        self.page = page
        self.found: PageMap | None = None
        self.problem: ApiProblem | None = None
        self._site, self._query, self._today = site, query, today

    @contextmanager
    def trying(self) -> Iterator[None]:
        """A refusal is the map's own, and none of the others'."""
        try:
            yield
        except ApiProblem as problem:
            self.problem = problem

    @property
    def told(self) -> PageMap | ApiProblem:
        """What it came to."""
        found = self.found or self.problem
        assert found is not None
        return found

    def begin(self) -> None:
        """What can be said before anything is read."""
        query, is_live = self._query, self._site.state == "live"
        self.period = query.period(self._today)
        self._beside = Beside(query) if is_live else None
        least = least_visits(self._site.config) if is_live else 0
        by = query.colour_by
        self._classes = Classes(query, by, least=least) if by else None
        if is_live:
            refuse_unlisted(query)

    async def settle(self, connection: Any, grounds: Grounds) -> None:
        """The period that is answered."""
        self.period = within_raw(grounds.sealed, self._query, self.period)
        if self._beside is not None:
            days = Days(connection, grounds, self.page, self._query)
            self.period = await answerable(days, self.period)

    def look(self, grounds: Grounds) -> Look:
        page, query = self.page, self._query
        answer = tiles_know(query) and coarse_enough(page, query)
        where = sources(grounds.sealed, self.period, tiles_answer=answer)
        self._layouts = grounds.layouts[page.page_id]
        return Look(
            page=page,
            query=query,
            where=where,
            homes=Homes(self._layouts, self._site.time_zone),
            ways=tuple(grounds.ways(page.page_id, where.sealed).values()),
            beside=self._beside,
            classes=self._classes,
        )

    async def see(self, connection: Any, seeing: Seeing, grounds: Grounds) -> None:
        self._seeing, self._of_shop = seeing, grounds.audience(self.period)
        if self._beside is not None and self._classes is not None:
            of = connection, self._site, self.page, self._query
            await take_days_beside(*of, self._classes, self.period)

    async def end(self, store: Store) -> None:
        """Put it on its layout, where it may be shown at all."""
        if self.problem is not None:
            return
        site, page, query = self._site, self.page, self._query
        layout = _layout(self._layouts, page, query, self._seeing.ways)
        if self._beside is not None:
            refuse_few(site, query, self._beside, layout)
        found = _mapped(site, page, query, self.period, layout, self._seeing, self._classes)
        found = replace(found, layouts=self._layouts, of_shop=self._of_shop)
        self.found = await _with_folds(store, found)


async def _with_folds(store: Store, found: PageMap) -> PageMap:
    """The map with what windows show of its page, where it is of any use."""
    drawn, is_scroll = "folds" in found.query.drawn_over, found.query.kind == "scroll"
    if not drawn and not is_scroll:
        return found
    key, period = (found.site.site_id, found.page.page_id), (found.date_from, found.date_to)
    lines_px = await fold_lines(store, key, period, found.query, found.layout)
    fits = is_scroll and bool(lines_px) and lines_px[0] + HEIGHT_STEP_PX > found.height_px
    return replace(found, folds_px=lines_px if drawn else (), fits=fits)


def _mapped(
    site: Site,
    page: Page,
    query: MapQuery,
    period: tuple[date, date],
    layout: Layout | None,
    seen: Seeing,
    classes: Classes | None,
) -> PageMap:
    ground = Ground(layout, query.aggregation == "unique_visits")
    told = seen.ways.whole
    depths_px, elsewhere = seen.depths_px(ground) if query.kind == "scroll" else ((), 0)
    placed = EMPTY if query.kind == "scroll" else seen.placed(ground)
    asked_band = layout.band if layout and query.layout else None
    told_apart = classes.told(asked_band) if classes else ()
    dots, codes = _dots(placed) if query.style == "confetti" else (EMPTY.points, NO_CODES)
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
        in_zones=placed.in_zones,
        unplaced=elsewhere if query.kind == "scroll" else placed.unplaced,
        zones=_zones(page, ground, placed.zones, per),
        scriptless=any(not way.captures & 1 << Capture.SCRIPT for way in seen.ways.by_way),
        classes=told_apart,
        dots=dots,
        dots_in_zones=max(len(dots) - len(placed.points), 0),
        dot_colours=_colours(told_apart, codes),
    )


def _dots(placed: Placed) -> tuple[Floats, Integers]:
    """Places of dots and the codes of their classes; in a zone classes lie side by side."""
    in_box: defaultdict[tuple[float, float, float, float], Counter[int]] = defaultdict(Counter)
    told = zip(placed.boxes, placed.box_counts.tolist(), placed.box_codes.tolist(), strict=True)
    for box, count, code in told:
        in_box[box][code] += count
    ordered = {box: sorted(counts.items()) for box, counts in in_box.items()}
    places = [within_box(box, sum(n for _, n in counts)) for box, counts in ordered.items()]
    codes = [code for counts in ordered.values() for code, n in counts for _ in range(n)]
    return (
        np.concatenate([placed.points, *places]),
        np.concatenate([placed.point_codes, np.array(codes, np.int64)]),
    )


def _colours(classes: Sequence[DotClass], codes: Integers) -> Integers:
    """Of each dot that of its class, or of the rest; without classes the first for all."""
    colours = np.full(len(codes), REST if classes else 0, np.int64)
    for told in classes:
        if told.code is not None:
            colours[codes == told.code] = told.colour
    return colours


def _layout(layouts: Sequence[Layout], page: Page, query: MapQuery, ways: WaySums) -> Layout | None:
    """The one that was asked for, else the one most of the views were seen in."""
    if query.layout is not None:
        asked_id = layout_number(query.layout)
        found = next((one for one in layouts if one.layout_id == asked_id), None)
        if found is None:
            raise NotFound(f"the page {page.slug} has no layout {query.layout}")
        return found
    band, touch = ways.usual() or _asked(query)
    pointer = None if touch is None else "coarse" if touch else "fine"
    # A shop that captured its page for the mouse alone still has the zones' boxes, through which
    # zones are drawn for every width.
    return fitting(layouts, band=band or None, pointer=pointer) or fitting(
        layouts, band=band or None
    )


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
        "in_zones": found.in_zones,
        "unplaced": found.unplaced,
        "total": float(np.sum(found.point_weights)) + float(sum(found.box_weights)),
    }
