"""What was read of a page, put on its layout: here a map is placed, sized and counted. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from app.folding.ways import WaySum, WaySums
from app.mapping.classes import REST, DotClass
from app.mapping.drafts import Reading
from app.mapping.filters import MapQuery
from app.mapping.folds import Heights, fold_lines, wants_heights
from app.mapping.live import refuse_few
from app.mapping.marks import Integers
from app.mapping.page_map import PageMap, ZoneHeat, per_visit
from app.mapping.placing import EMPTY, Floats, Ground, Placed, ZoneSum
from app.picturing.layouts import Layout, fitting, layout_number
from app.problems import NotFound
from collector.codes import Device, width_band
from collector.sites import Page
from collector.wire import HEIGHT_STEP_PX, Capture
from heatmap.bandwidth import auto_bandwidth, default_bandwidth
from heatmap.confetti import within_box
from heatmap.marks import clip, gather
from heatmap.page import Page as DrawnPage

EMPTY_PAGE_PX = (1280, 2000)
"""Size of the page drawn on when nothing tells the real one."""


def laid(of: Reading, query: MapQuery) -> PageMap:
    """The map, on the layout that is asked for or that most of its views were seen in.

    query  of the visits and the kind that were read
    Raises NotFound, TooFewVisits or TooFewApart.
    """
    layout = _layout(of.layouts, of.page, query, of.seeing.ways)
    if of.beside is not None:
        refuse_few(of.site, query, of.beside, layout)
    ground = Ground(layout, query.aggregation == "unique_visits")
    placed = EMPTY if query.kind == "scroll" else of.seeing.placed(ground)
    found = _mapped(of, query, layout, ground, placed)
    if query.style == "confetti":
        band = layout.band if layout and query.layout else None
        found = _dotted(found, placed, of.classes.told(band) if of.classes else ())
    return _folded(found, of.heights)


def _mapped(
    of: Reading, query: MapQuery, layout: Layout | None, ground: Ground, placed: Placed
) -> PageMap:
    ways = of.seeing.ways
    told, is_scroll = ways.whole, query.kind == "scroll"
    depths_px, elsewhere = of.seeing.depths_px(ground) if is_scroll else ((), 0)
    per = ways.visits if per_visit(query) and ways.visits else 1
    width_px, height_px = _size(layout, told)
    return PageMap(
        site=of.site,
        page=of.page,
        query=query,
        date_from=of.period[0],
        date_to=of.period[1],
        layout=layout,
        width_px=width_px,
        height_px=height_px,
        bandwidth_px=_bandwidth(of.page, query, layout, ways, placed, (width_px, height_px)),
        views=told.views,
        signalled=told.able.get(query.kind, 0),
        visits=ways.visits,
        points=placed.points,
        point_weights=placed.point_weights / per,
        boxes=tuple(placed.boxes),
        box_weights=tuple(weight / per for weight in placed.box_weights),
        depths_px=depths_px,
        marks=placed.marks,
        in_zones=placed.in_zones,
        unplaced=elsewhere if is_scroll else placed.unplaced,
        zones=_zones(of.page, ground, placed.zones, per),
        scriptless=any(not way.captures & 1 << Capture.SCRIPT for way in ways.by_way),
        layouts=of.layouts,
        of_shop=of.of_shop,
        everybody=of.everybody.views,
    )


def _dotted(found: PageMap, placed: Placed, told_apart: tuple[DotClass, ...]) -> PageMap:
    dots, codes = _dots(placed)
    return replace(
        found,
        classes=told_apart,
        dots=dots,
        dots_in_zones=max(len(dots) - len(placed.points), 0),
        dot_colours=_colours(told_apart, codes),
    )


def _folded(found: PageMap, heights: Heights) -> PageMap:
    """The map with what windows show of its page, where it is of any use."""
    if not wants_heights(found.query):
        return found
    lines_px, is_scroll = fold_lines(heights, found.layout), found.query.kind == "scroll"
    fits = is_scroll and bool(lines_px) and lines_px[0] + HEIGHT_STEP_PX > found.height_px
    return replace(found, folds_px=lines_px if "folds" in found.query.drawn_over else (), fits=fits)


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
