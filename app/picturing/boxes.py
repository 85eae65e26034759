"""Boxes of zones on a page, and how large a page may be."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from app.shops import ShopError

MAX_WIDTH_PX = 4_000
MAX_HEIGHT_PX = 32_000
MAX_AREA_PX = 40_000_000
"""What the density core draws; a layout beyond it could not be shown."""

FARTHEST_PX = 1_000_000
"""Shops park elements far off the page; farther than this is a mistake in the measuring."""

STEPS_PER_PX = 64
"""The browsers' own unit of layout; exact in the store's four-byte floats, so equal stays equal."""

Placement = Literal["flow", "fixed", "inner"]
PLACEMENTS: tuple[Placement, ...] = ("flow", "fixed", "inner")


class LayoutError(ShopError):
    """This cannot be a page's layout; the message names the value and the remedy."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where a zone lies, in page px; a `fixed` one as it lies while the page is unscrolled."""

    number: int
    x0_px: float
    y0_px: float
    x1_px: float
    y1_px: float
    placement: Placement = "flow"

    @property
    def edges_px(self) -> tuple[float, float, float, float]:
        return self.x0_px, self.y0_px, self.x1_px, self.y1_px


def check_size(width_px: int, height_px: int) -> None:
    if not (1 <= width_px <= MAX_WIDTH_PX and 1 <= height_px <= MAX_HEIGHT_PX):
        raise LayoutError(
            f"a layout may be 1 to {MAX_WIDTH_PX} px wide and 1 to {MAX_HEIGHT_PX} px high, got "
            f"{width_px} x {height_px}: give the part of the page within that"
        )
    if width_px * height_px > MAX_AREA_PX:
        raise LayoutError(
            f"a layout may cover {MAX_AREA_PX // 10**6} million px, got {width_px} x {height_px}: "
            f"give at most {MAX_AREA_PX // width_px} px of its height"
        )


def kept_boxes(boxes: Iterable[Box], width_px: int, height_px: int) -> tuple[Box, ...]:
    """The boxes by number, cut to the page; without those of which nothing lies on it."""
    kept: dict[int, Box] = {}
    for box in boxes:
        _check(box)
        if box.number in kept:
            raise LayoutError(f"zone {box.number} has two boxes: give the visible one")
        kept[box.number] = box
    cut = (clipped(box, width_px, height_px) for _, box in sorted(kept.items()))
    return tuple(box for box in cut if box is not None)


def clipped(box: Box, width_px: int, height_px: int) -> Box | None:
    """The part of the box that lies on the page, None where there is no such part."""
    x0_px, x1_px = (_within(x_px, width_px) for x_px in (box.x0_px, box.x1_px))
    y0_px, y1_px = (_within(y_px, height_px) for y_px in (box.y0_px, box.y1_px))
    if x0_px >= x1_px or y0_px >= y1_px:
        return None
    return replace(box, x0_px=x0_px, y0_px=y0_px, x1_px=x1_px, y1_px=y1_px)


def _within(edge_px: float, end_px: int) -> float:
    return round(min(max(edge_px, 0.0), float(end_px)) * STEPS_PER_PX) / STEPS_PER_PX


def _check(box: Box) -> None:
    if box.placement not in PLACEMENTS:
        raise LayoutError(
            f"placement must be one of {', '.join(PLACEMENTS)}, got {box.placement!r}"
        )
    if not all(math.isfinite(edge) and abs(edge) <= FARTHEST_PX for edge in box.edges_px):
        raise LayoutError(
            f"the edges of zone {box.number}'s box must be finite and within {FARTHEST_PX} px of "
            f"the page, got {box.edges_px}: measure it again"
        )
    if box.x0_px > box.x1_px or box.y0_px > box.y1_px:
        raise LayoutError(
            f"the box of zone {box.number} ends before it begins, got {box.edges_px}: give left, "
            "top, right and bottom"
        )
