"""Zones as boxes in the colour of their heat, each with its number and its value on a badge."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from heatmap.colours import DEFAULT_PALETTE, ColourTable, rows
from heatmap.errors import MarksError
from heatmap.ink import Ink
from heatmap.layers import Layer, merged
from heatmap.lettering import font, width_of, written
from heatmap.page import Page
from heatmap.scale import TOP_LEVEL

ZONE_OPACITY = 0.5
"""A zone is filled evenly, up to its border, with whatever it holds to be read."""

FRAME_PX = 1
LETTERS_PX = 13
PAD_PX = 7
BADGE_PX = 22
"""Height of a badge."""
NEAR = 8
"""Heights of a badge within which a free place is looked for before the whole page is."""
APART_PX = 3
"""Between two badges."""
INSET_PX = 8
"""Between a badge and the corner of its zone."""

Rectangle = tuple[int, int, int, int]
"""x0, y0, x1, y1 in device pixels, x1 and y1 just outside."""


@dataclass(frozen=True, slots=True)
class ZoneBox:
    """A zone on the page.

    number  shown on its badge
    box_px  x0, y0, x1, y1 in CSS pixels of the page, x0 <= x1 and y0 <= y1
    share   of full colour, 0..1; the caller divides by what full colour stands for
    value   its heat in words ("12,4 s"), shown beside the number; empty for the number alone
    """

    number: int
    box_px: tuple[float, float, float, float]
    share: float
    value: str = ""


def zone_layer(
    zones: Iterable[ZoneBox],
    *,
    width_px: int,
    height_px: int,
    palette: str = DEFAULT_PALETTE,
    opacity: float = ZONE_OPACITY,
    dpr: int = 1,
) -> Layer:
    """Draw zones as frames filled with the colour of their heat, with badges.

    zones    in any order; parts outside the page are cut off. A zone within another one lies
             over it
    width_px, height_px, palette, opacity, dpr  as for `heatmap.overlay`
    Returns  Layer of the page's size. No two badges overlap: each stands in its zone's corner or,
             if that is taken, at the free place nearest to it; on a page too small for all, the
             coldest zones go without
    Raises   MarksError, PageSizeError, PaletteError, TextError
    """
    page = Page(width_px, height_px, dpr)
    known = [_checked(zone) for zone in zones]
    placed = [(zone, box) for zone in known if (box := _on_page(zone, page)) is not None]
    placed.sort(key=lambda one: (-_area(one[1]), one[0].number))
    levels = np.zeros((page.rows, page.columns), dtype=np.uint8)
    ink = Ink(page)
    for zone, (x0, y0, x1, y1) in placed:
        levels[y0:y1, x0:x1] = round(zone.share * TOP_LEVEL)
        ink.frame((x0, y0, x1, y1), FRAME_PX * dpr)
    for zone, badge in badges(placed, page):
        _draw_badge(ink, zone, badge, dpr)
    return merged(Layer(levels, zone_rows(palette, opacity)), ink.layer())


def zone_rows(palette: str = DEFAULT_PALETTE, opacity: float = ZONE_OPACITY) -> ColourTable:
    """Give the colours of zones: those of the palette, all equally opaque but for no heat at all.

    Returns  (256, 4) uint8; row 0 is transparent
    Raises   PaletteError as for `heatmap.colours.rows`
    """
    table = rows(palette, opacity)
    table[1:, 3] = table[-1, 3]
    return table


def badges(
    placed: Sequence[tuple[ZoneBox, Rectangle]], page: Page
) -> list[tuple[ZoneBox, Rectangle]]:
    """Find a place for each zone's badge, the hottest zone's first; none overlaps another."""
    found: list[tuple[ZoneBox, Rectangle]] = []
    for zone, box in sorted(placed, key=lambda one: (-one[0].share, one[0].number)):
        place = _free_place(_size(zone, page.dpr), box, [taken for _, taken in found], page)
        if place is not None:
            found.append((zone, place))
    return found


def _free_place(
    size: tuple[int, int], box: Rectangle, taken: Sequence[Rectangle], page: Page
) -> Rectangle | None:
    for x, y in _candidates(size, box, page):
        place = (x, y, x + size[0], y + size[1])
        inside = x >= 0 and y >= 0 and place[2] <= page.columns and place[3] <= page.rows
        if inside and not any(_overlap(place, other, APART_PX * page.dpr) for other in taken):
            return place
    return None


def _candidates(size: tuple[int, int], box: Rectangle, page: Page) -> Iterator[tuple[int, int]]:
    """Give both ends of the box's upper and lower edges, then every place, nearest first.

    A badge stands astride the edge, at its right end first: fewest letters are there.
    """
    inset, half = INSET_PX * page.dpr, size[1] // 2
    left, right = box[0] + inset, box[2] - size[0] - inset
    home = (
        min(max(right, 0), max(page.columns - size[0], 0)),
        min(max(box[1] - half, 0), max(page.rows - size[1], 0)),
    )
    yield home
    yield from ((left, home[1]), (right, box[3] - half), (left, box[3] - half))
    yield from _nearest(size, home, page, NEAR * size[1])
    yield from _nearest(size, home, page, page.rows + page.columns)


def _nearest(
    size: tuple[int, int], home: tuple[int, int], page: Page, reach: int
) -> Iterator[tuple[int, int]]:
    """Give places within reach of home along both axes, nearest first."""
    step = size[1] // 2
    columns, lines = (
        range(max(at - reach, 0) // step * step, min(at + reach, end) + 1, step)
        for at, end in zip(home, (page.columns - size[0], page.rows - size[1]), strict=True)
    )
    grid = [(x, y) for y in lines for x in columns]
    yield from sorted(grid, key=lambda at: (math.dist(at, home), at))


def _overlap(one: Rectangle, other: Rectangle, apart: int) -> bool:
    return (
        one[0] < other[2] + apart
        and other[0] < one[2] + apart
        and one[1] < other[3] + apart
        and other[1] < one[3] + apart
    )


def _draw_badge(ink: Ink, zone: ZoneBox, badge: Rectangle, dpr: int) -> None:
    ink.plate(badge, BADGE_PX * dpr // 2)
    size = float(LETTERS_PX * dpr)
    capital = -float(font(size).getbbox("H", anchor="ls")[1])
    baseline = (badge[1] + badge[3] + capital) / 2
    number, value = _texts(zone)
    ink.write((badge[0] + PAD_PX * dpr, baseline), number, size, bold=True)
    if value:
        right = badge[2] - PAD_PX * dpr - width_of(value, size)
        ink.write((right, baseline), value, size)


def _size(zone: ZoneBox, dpr: int) -> tuple[int, int]:
    number, value = _texts(zone)
    size = float(LETTERS_PX * dpr)
    wide = width_of(number, size) + (width_of(value, size) + PAD_PX * dpr if value else 0)
    return max(math.ceil(wide) + 2 * PAD_PX * dpr, BADGE_PX * dpr), BADGE_PX * dpr


def _texts(zone: ZoneBox) -> tuple[str, str]:
    return str(zone.number), written(zone.value) if zone.value else ""


def _checked(zone: ZoneBox) -> ZoneBox:
    x0, y0, x1, y1 = zone.box_px
    if not (all(map(math.isfinite, zone.box_px)) and x0 <= x1 and y0 <= y1):
        raise MarksError(
            f"the box of zone {zone.number} must be x0, y0, x1, y1 with x0 <= x1 and y0 <= y1,"
            f" got {zone.box_px}"
        )
    if not 0 <= zone.share <= 1:
        raise MarksError(f"the share of zone {zone.number} must be within 0..1, got {zone.share}")
    return zone


def _on_page(zone: ZoneBox, page: Page) -> Rectangle | None:
    x0, y0, x1, y1 = (round(edge * page.dpr) for edge in zone.box_px)
    cut = max(x0, 0), max(y0, 0), min(x1, page.columns), min(y1, page.rows)
    return cut if cut[0] < cut[2] and cut[1] < cut[3] else None


def _area(box: Rectangle) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])
