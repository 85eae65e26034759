"""Layouts as visitors' browsers laid them out, from the boxes of zones that the script told.

A page without a picture of its own is drawn on these; where the shop captured or sent a layout of
that width, that one holds. No single visitor decides: a layout is what the middle one of several
saw, and a zone that most of them did not have is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.picturing.boxes import MAX_AREA_PX, MAX_HEIGHT_PX, MAX_WIDTH_PX, Box, kept_boxes
from app.picturing.layouts import Layout, layouts_of, put_layout
from app.store import Store
from collector.codes import Device, unpack_codes
from collector.packing import unpack_events
from collector.sites import Page, Site
from collector.wire import Kind

FEWEST_VIEWS = 5
"""Before that the middle may be a visitor's who zoomed, or whose page was half there."""

MOST_VIEWS = 400
"""Of a day and page: the middle of so many is not moved by more of them."""

MOVED_PX = 8.0
"""What moves less is the same layout: lines break differently from font to font."""

GROWN_PX = 200
"""Nor is it another because the page ends elsewhere: an order has more lines on one day."""

_FIRST_BATCHES = """
    SELECT viewport_width_px, page_height_px, codes, enc, ev FROM batch
    WHERE site_id = $1 AND page_id = $2 AND day = $3 AND seq = 0
    ORDER BY view_id LIMIT $4
"""
"""A view's first batch tells where everything lay. Views bear random numbers: any are as good."""

Edges = tuple[float, float, float, float]
Kinds = tuple[int, str, int]
"""Width band, pointer and variant: what a page has layouts by."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one browser laid out: its boxes by zone, and which of them stay while it scrolls."""

    width_px: int
    height_px: int
    kind: Kinds
    edges: Mapping[int, Edges]
    fixed: frozenset[int]


@dataclass(frozen=True, slots=True)
class Middle:
    """What the middle one of several told."""

    width_px: int
    height_px: int
    kind: Kinds
    boxes: tuple[Box, ...]


async def keep_told_layouts(store: Store, site: Site, day: date, now: datetime) -> int:
    """From what scripts told on `day`; how many layouts are new. Asking again changes nothing."""
    made = 0
    for page in site.pages.values():
        rows = await store.fetch(_FIRST_BATCHES, site.site_id, page.page_id, day, MOST_VIEWS)
        present = await layouts_of(store, site, page.page_id) if rows else ()
        for middle in middles(told_in(rows), {zone.number for zone in page.zones}):
            made += await _keep(store, site, page, present, middle, now)
    return made


def told_in(rows: Sequence[Mapping[str, Any]]) -> list[Told]:
    """Of the first batches of views, those that tell of boxes."""
    events = unpack_events([row["ev"] for row in rows], [row["enc"] for row in rows])
    told = (_told(row, events.of_rows(n, n + 1)) for n, row in enumerate(rows))
    return [one for one in told if one.edges]


def middles(told: Iterable[Told], zones: set[int]) -> list[Middle]:
    """One for each width band, pointer and variant that enough views told of.

    zones    the page's zones of now: what else was told is of an older paste
    """
    listed = sorted(told, key=lambda one: one.kind)
    groups = (list(of_kind) for _, of_kind in groupby(listed, key=lambda one: one.kind))
    return [_middle(group, zones) for group in groups if len(group) >= FEWEST_VIEWS]


def _told(row: Mapping[str, Any], events: NDArray[np.void]) -> Told:
    codes = unpack_codes(row["codes"])
    edges, fixed = _first_boxes(events)
    pointer = "coarse" if codes.device in (Device.PHONE, Device.TABLET) else "fine"
    return Told(
        width_px=row["viewport_width_px"],
        height_px=row["page_height_px"],
        kind=(codes.band, pointer, codes.variant),
        edges=edges,
        fixed=fixed,
    )


def _first_boxes(events: NDArray[np.void]) -> tuple[dict[int, Edges], frozenset[int]]:
    """Of each zone the largest of the boxes that it was first told with, while the page stood at
    its top: there what is fixed lies where a layout wants it. A hidden zone's box has no area."""
    boxes = events[events["kind"] == int(Kind.VIEWPORT)]
    boxes = boxes[(boxes["zone"] > 0) & (boxes["u"] > 0) & (boxes["v"] > 0)]
    scrolled = events[(events["kind"] == int(Kind.SCROLL)) & (events["y"] > 0)]["t"]
    if len(scrolled):
        boxes = boxes[(boxes["t"] < scrolled.min()) | (boxes["placement"] == 0)]
    edges: dict[int, Edges] = {}
    fixed: set[int] = set()
    names = ("zone", "t", "x", "y", "u", "v", "placement")
    # First in time, of these the largest.
    in_order = np.lexsort((-boxes["u"].astype(np.int64) * boxes["v"], boxes["t"]))
    for zone, _, x, y, width, height, placement in boxes[in_order][list(names)].tolist():
        if zone not in edges:
            edges[zone] = float(x), float(y), float(x + width), float(y + height)
            fixed.update({zone} if placement else ())
    return edges, frozenset(fixed)


def _middle(group: Sequence[Told], zones: set[int]) -> Middle:
    width_px = min(round(np.median([one.width_px for one in group])), MAX_WIDTH_PX)
    tallest_px = min(MAX_HEIGHT_PX, MAX_AREA_PX // width_px)
    height_px = min(round(np.median([one.height_px for one in group])), tallest_px)
    boxes = [_box(number, group) for number in sorted(zones)]
    return Middle(
        width_px=width_px,
        height_px=height_px,
        kind=group[0].kind,
        boxes=kept_boxes((box for box in boxes if box is not None), width_px, height_px),
    )


def _box(number: int, group: Sequence[Told]) -> Box | None:
    having = [one for one in group if number in one.edges]
    if 2 * len(having) <= len(group):
        return None
    x0, y0, x1, y1 = np.median([one.edges[number] for one in having], axis=0).tolist()
    stays = 2 * sum(number in one.fixed for one in having) > len(having)
    return Box(number, x0, y0, x1, y1, "fixed" if stays else "flow")


async def _keep(
    store: Store,
    site: Site,
    page: Page,
    present: Sequence[Layout],
    middle: Middle,
    now: datetime,
) -> bool:
    """Whether there was none like it. The newest of a kind comes first among those present."""
    of_kind = [one for one in present if (one.band, one.pointer, one.variant) == middle.kind]
    if not middle.boxes or any(one.source != "script" for one in of_kind):
        return False
    if of_kind and _alike(of_kind[0], middle):
        return False
    await put_layout(
        store,
        site,
        page,
        width_px=middle.width_px,
        height_px=middle.height_px,
        pointer=middle.kind[1],
        boxes=middle.boxes,
        picture=None,
        source="script",
        now=now,
        variant=middle.kind[2],
    )
    return True


def _alike(present: Layout, middle: Middle) -> bool:
    before = {box.number: box for box in present.boxes}
    if before.keys() != {box.number for box in middle.boxes}:
        return False
    if abs(present.height_px - middle.height_px) > GROWN_PX:
        return False
    return all(
        box.placement == before[box.number].placement
        and np.allclose(box.edges_px, before[box.number].edges_px, rtol=0, atol=MOVED_PX)
        for box in middle.boxes
    )
