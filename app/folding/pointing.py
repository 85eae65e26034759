"""Pointer cells of a view → where its mouse went, rested and pressed. Pure.

A cell speaks once, when the pointer first enters it, and there are none over what reacts to a
pointer. So the way is known to half a cell (20 px, and as much again at the right edge, because of
the width only a bucket is known), and a rest only where nothing says that the pointer was elsewhere
meanwhile: the next cell is a neighbour, no zone spoke, the page was not scrolled. Whatever is in
doubt is left out: the clocks of the zones tell it, or nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.folding.homes import ZoneBox
from app.folding.seen import Seen
from collector.wire import (
    CELL_COLUMNS,
    CELL_PX,
    HELD_MAX_S,
    WIDTH_STEP_PX,
    Capture,
)

SWAPPED_MS = 20
"""Beacons on several connections overtake each other by half of this; what comes together is one
movement."""

SCROLLED_MS = 400
"""A cell that speaks so soon after the page was scrolled came to the pointer, not the pointer to
it. Engines look again where the pointer is some frames after the scrolling. Where an engine does
not tell of scrolling, such a cell counts as entered: the pointer was there, but did not move."""

CELL = np.dtype([("row", "<u1"), ("column", "<u1"), ("t", "<i8"), ("hold_ms", "<i8")])
Cells = NDArray[np.void]

_NONE = np.empty(0, CELL)


def entered(view: Seen) -> Cells:
    """The cells that the pointer moved into, in order, and for how long it is known to have stayed.

    hold_ms is 0 where that is not known; it is capped like every hold.
    """
    told = _told(view)
    if not told or view.touch or not view.width_px:
        return _NONE
    signs = _signs(view)
    scrolls = [ms for name, ms in view.moments_ms.items() if name[0] == "y"]
    rows = []
    for cell, after in zip(told, [*told[1:], None], strict=True):
        t, row, column = cell
        if any(0 <= t - ms <= SCROLLED_MS for ms in scrolls):
            continue
        stayed = after is not None and _stayed(cell, after, [*signs, *scrolls])
        hold_ms = min(after[0] - t, HELD_MAX_S * 1000) if stayed and after else 0
        rows.append((row, column, t, hold_ms))
    return np.array(rows, CELL)


_Told = tuple[int, int, int]
"""Moment, row and column."""


def _told(view: Seen) -> list[_Told]:
    found = sorted((ms, name) for name, ms in view.moments_ms.items() if name[0] == "c")
    places = ((ms, name[1:].partition(".")) for ms, name in found)
    return [(ms, int(row), int(column)) for ms, (row, _, column) in places]


def _signs(view: Seen) -> list[int]:
    """Moments at which the pointer was in some zone."""
    return [ms for name, ms in view.moments_ms.items() if _letter(name) in ("h", "p")]


def _letter(name: str) -> str:
    return name.partition(".")[2][:1] if name[0].isdigit() else ""


def _stayed(cell: _Told, after: _Told, elsewhere: Sequence[int]) -> bool:
    begins, ends = cell[0] - SWAPPED_MS, after[0] - SWAPPED_MS
    beside = max(abs(cell[1] - after[1]), abs(cell[2] - after[2])) == 1
    return beside and not any(begins <= ms < ends for ms in elsewhere)


def pressed_in(view: Seen, zone: int, press: int, boxes: Sequence[ZoneBox]) -> _Told | None:
    """The cell in which the pointer was when it pressed a zone, where that can be told.

    Cells that lie in the zone speak only where the pointer was in the zone already: over a button
    there are none, and the last one before it is at its edge. A place that is told is wrong by half
    a cell, or, if the pointer came back over cells that had spoken, still inside the zone.
    """
    pressed_ms = view.moments_ms.get(f"{zone}.p{press}")
    came_ms = view.moments_ms.get(f"{zone}.h")
    if pressed_ms is None or came_ms is None or view.touch or not view.width_px:
        return None
    before = [cell for cell in _told(view) if cell[0] <= pressed_ms]
    if not before or before[-1][0] <= came_ms + SWAPPED_MS:
        return None
    _, row, column = cell = before[-1]
    x_px, y_px = middle_px(row, column, width_px(view))
    inside = (b for number, b in boxes if number == zone and b[0] <= x_px < b[2])
    return cell if any(b[1] <= y_px < b[3] for b in inside) else None


def width_px(view: Seen) -> float:
    """Of the page, which its cells share: the middle of the bucket that was told."""
    assert view.width_px is not None
    measured = view.captures & 1 << Capture.SCRIPT
    return float(view.width_px) if measured else view.width_px + WIDTH_STEP_PX / 2


def middle_px(row: Any, column: Any, width_px: float) -> tuple[Any, Any]:
    """Of one cell, or of many."""
    return (column + 0.5) * width_px / CELL_COLUMNS, (row + 0.5) * CELL_PX


def edges_px(row: int, column: int, width_px: float) -> tuple[float, float, float, float]:
    across = width_px / CELL_COLUMNS
    return column * across, row * CELL_PX, (column + 1) * across, (row + 1) * CELL_PX
