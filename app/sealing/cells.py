"""The cells of a tile: which places there are, how they are numbered, and how they are packed.

A tile holds the marks of one way of seeing a page on one day, of one kind, at one anchor: page px
(anchor 0) or one zone. Of a mark that is known both in its zone's box and in page px the tile holds
both: the box decides wherever the layout that is drawn on has it.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from app.mapping.marks import Marks, Where

ENC = 1
"""Of the packing below and of the numbering of cells; another meaning is another number."""

CELL_PX = 4
"""Side of a cell of page px."""

MIN_BANDWIDTH_PX = 14.0
"""Maps of at least this bandwidth are drawn from tiles: at 3.5 cells, the variance of places within
a cell widens a mark's spot by less than 1 %."""

BOX_CELLS = 64
"""Cells along each side of a zone's box."""

ZONE_CELL = BOX_CELLS * BOX_CELLS
"""The whole box: presses and clocks of the script-free form. Numbers below are places in it."""

SUM_CELL = ZONE_CELL + 1
"""Not a place: everything of the zone, each visit once; of the views themselves, all of them."""

SIGNALLED_CELL = ZONE_CELL + 2
ABLE_CELLS = ZONE_CELL + 3
"""Of the views themselves: how many sent anything, and, from here on by the code of a kind, how
many could tell what a map of that kind shows."""

WIDEST_CELL = ZONE_CELL + 64
TALLEST_CELL = ZONE_CELL + 65
"""The largest viewport and page, px; behind all that is counted, as cells are in rising order."""

BAND_CELLS = 2 * ZONE_CELL
"""From here on bands across the page."""

PAGE_CELLS = 4 * ZONE_CELL
"""From here on cells of page px, or the px of depths."""

POINTER_CELLS = 1 << 30
"""From here on pointer cells of the script-free form, told apart by the width that they shared."""

WIDTH_SHIFT = 16
"""Of a pointer cell, the low bits are its row and column, as in a mark."""

COLUMN_BITS = 12
"""Of a cell of page px, the low bits are its column: pages are at most 10,000 px wide."""

_ANCHOR_SHIFT, _KIND_SHIFT, _WAY_SHIFT = 34, 44, 49
"""A code is way, kind, anchor and cell in one number of 57 bits: rows are sorted by it."""

SUMS = np.dtype(
    [
        ("code", "<i8"),
        ("mass", "<i8"),
        ("marks", "<i8"),
        ("visits", "<i8"),
        ("longest", "<i8"),
    ]
)
"""mass: weights in sum; visits: at most 1 per visit; longest: of each visit its heaviest mark."""

COLUMNS = ("mass", "marks", "visits", "longest")
Sums = NDArray[np.void]
Integers = NDArray[np.int64]


class TileError(ValueError):
    """These bytes are no tile of this version; the message says what is wrong with them."""


def codes(way: Integers | int, kind: int, anchor: Integers | int, cell: Integers) -> Integers:
    return cell | (anchor << _ANCHOR_SHIFT) | kind << _KIND_SHIFT | (way << _WAY_SHIFT)


def tile_number(way: int, kind: int, anchor: int) -> int:
    """The code of a tile, which is that of its cells without the cell."""
    return (way << _WAY_SHIFT | kind << _KIND_SHIFT | anchor << _ANCHOR_SHIFT) >> _ANCHOR_SHIFT


def cell_of(code: Integers) -> Integers:
    return code & (1 << _ANCHOR_SHIFT) - 1


def anchor_of(code: Integers) -> Integers:
    return code >> _ANCHOR_SHIFT & (1 << _KIND_SHIFT - _ANCHOR_SHIFT) - 1


def way_of_code(code: Integers) -> Integers:
    return code >> _WAY_SHIFT


def tile_of(code: Integers) -> Integers:
    """The number of the tile that each cell belongs to."""
    return code >> _ANCHOR_SHIFT


def without_way(tile: Integers) -> Integers:
    return tile & (1 << _WAY_SHIFT - _ANCHOR_SHIFT) - 1


def way_of_tile(tile: int) -> int:
    return tile >> _WAY_SHIFT - _ANCHOR_SHIFT


def kind_and_anchor(tile: int) -> tuple[int, int]:
    anchor_bits = _KIND_SHIFT - _ANCHOR_SHIFT
    kind = tile >> anchor_bits & (1 << _WAY_SHIFT - _KIND_SHIFT) - 1
    return kind, tile & (1 << anchor_bits) - 1


def page_cells(x_px: NDArray[np.float64], y_px: NDArray[np.float64]) -> Integers:
    column = np.minimum((x_px // CELL_PX).astype(np.int64), (1 << COLUMN_BITS) - 1)
    return PAGE_CELLS + ((y_px // CELL_PX).astype(np.int64) << COLUMN_BITS | column)


def page_corners(cell: Integers) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Left and upper edges, px."""
    place = cell - PAGE_CELLS
    column = place & (1 << COLUMN_BITS) - 1
    return (column * CELL_PX).astype(float), ((place >> COLUMN_BITS) * CELL_PX).astype(float)


def box_cells(u: NDArray[np.uint16], v: NDArray[np.uint16]) -> Integers:
    """Of places 0..65535 along each side."""
    return (v.astype(np.int64) >> 10) * BOX_CELLS + (u.astype(np.int64) >> 10)


def box_middles(cell: Integers) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places 0..1 along each side."""
    return (cell % BOX_CELLS + 0.5) / BOX_CELLS, (cell // BOX_CELLS + 0.5) / BOX_CELLS


def cells_of(marks: Marks, *, drawn_in_box: NDArray[np.bool_] | None = None) -> Integers:
    """The cell of each mark. A SPOT's is that of its box, or of page px where it is drawn so."""
    where = marks["where"]
    cell = page_cells(marks["x"], marks["y"])
    in_box = where == Where.SPOT if drawn_in_box is None else drawn_in_box
    cell[in_box] = box_cells(marks["u"][in_box], marks["v"][in_box])
    cell[where == Where.ZONE] = ZONE_CELL
    pointed = where == Where.CELL
    shared = marks["u"][pointed].astype(np.int64) << WIDTH_SHIFT
    cell[pointed] = POINTER_CELLS + (shared | marks["v"][pointed])
    bands = where == Where.BAND
    cell[bands] = BAND_CELLS + marks["u"][bands]
    return cell


class Adding:
    """Sums of cells that come in portions, without holding all portions at once."""

    def __init__(self) -> None:
        self._summed: Sums = np.zeros(0, SUMS)
        self._waiting: list[Sums] = []
        self.held = 0
        """Rows that wait to be added up."""

    def add(self, sums: Sums) -> None:
        self._waiting.append(sums)
        self.held += len(sums)
        # Not before there is as much again: each cell is then sorted a few times, however many
        # portions there are.
        if self.held > max(len(self._summed), WAIT_FOR):
            self.whole()

    def whole(self) -> Sums:
        """One row for each code, in rising order."""
        if self._waiting:
            self._summed = _added(np.concatenate([self._summed, *self._waiting]))
            self._waiting, self.held = [], 0
        return self._summed


WAIT_FOR = 1 << 18
"""Rows that may wait to be added up: 10 MB."""


def _added(sums: Sums) -> Sums:
    sums = sums[np.argsort(sums["code"], kind="stable")]
    starts = np.flatnonzero(np.diff(sums["code"], prepend=-1))
    summed = sums[starts]
    for name in COLUMNS:
        summed[name] = np.add.reduceat(sums[name], starts) if len(starts) else 0
    return summed


_HEAD = struct.Struct("<I5B")
_WIDTHS = {0: None, 1: "<u1", 2: "<u2", 4: "<u4", 8: "<u8"}


def pack(cells: Integers, sums: Sums) -> bytes:
    """Cells in rising order, and their columns, each as narrow as it can be.

    First the number of cells and the width of each column in bytes, 0 for one that is equal to the
    column before it (marks of weight 1 are their own mass; most visits mark a cell once). Cells are
    told as steps from one to the next.
    """
    columns: list[Integers] = [np.diff(cells, prepend=0), *(sums[name] for name in COLUMNS)]
    widths, parts = [], []
    for place, column in enumerate(columns):
        same = place > 1 and np.array_equal(column, columns[place - 1])
        width = 0 if same else _width(column)
        widths.append(width)
        if not same:
            parts.append(column.astype(_WIDTHS[width]).tobytes())
    return _HEAD.pack(len(cells), *widths) + b"".join(parts)


def unpack(enc: int, packed: bytes) -> tuple[Integers, Sums]:
    """Cells, and a row of SUMS for each (whose `code` is left 0)."""
    if enc != ENC:
        raise TileError(f"a tile of version {enc} cannot be read: seal its day again")
    if len(packed) < _HEAD.size:
        raise TileError(f"a tile of {len(packed)} bytes is cut short: seal its day again")
    count, *widths = _HEAD.unpack_from(packed)
    if any(width not in _WIDTHS for width in widths) or 0 in widths[:2]:
        raise TileError(f"a tile has columns of {widths} bytes: seal its day again")
    if len(packed) != _HEAD.size + count * sum(widths):
        raise TileError(f"a tile of {count} cells has {len(packed)} bytes: seal its day again")
    sums = np.zeros(count, SUMS)
    column, place, steps = np.empty(0, np.int64), _HEAD.size, np.empty(0, np.int64)
    for name, width in zip(("", *COLUMNS), widths, strict=True):
        if width:
            column = np.frombuffer(packed, _WIDTHS[width], count, place).astype(np.int64)
            place += width * count
        if name:
            sums[name] = column
        else:
            steps = column
    return np.cumsum(steps), sums


def _width(column: Integers) -> int:
    top = int(column.max(initial=0))
    return next(width for width in (1, 2, 4, 8) if top < 1 << 8 * width)


_SET = struct.Struct("<IB")


def pack_overlaps(overlaps: dict[tuple[int, ...], int]) -> bytes:
    """How many visits were seen in each set of ways, with the codes of these."""
    return b"".join(_SET.pack(n, len(ways)) + bytes(ways) for ways, n in sorted(overlaps.items()))


def unpack_overlaps(enc: int, packed: bytes) -> dict[tuple[int, ...], int]:
    if enc != ENC:
        raise TileError(f"a tile of version {enc} cannot be read: seal its day again")
    found, place = {}, 0
    while place < len(packed):
        if place + _SET.size > len(packed):
            raise TileError("sets of ways are cut short: seal the day again")
        n, many = _SET.unpack_from(packed, place)
        place += _SET.size
        if place + many > len(packed):
            raise TileError("a set of ways is cut short: seal the day again")
        found[tuple(packed[place : place + many])] = n
        place += many
    return found
