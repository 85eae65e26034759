"""Points of weight 1 to the moments of their offsets in their cells, several to one number.

Adding up is what a crowd costs, and most of that is waiting for the memory of the cells. So the six
moments of a point (1, dx, dy, dx dy, dx^2, dy^2) travel together: in three doubles of two each
where cells may hold many points, in one complex number of three and three where they hold few.
Fields are whole numbers side by side in a double's 53 bits: their sums stay exact for as long as
none runs into the next one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heatmap.grid import PADDING, Grid
from heatmap.marks import Floats
from heatmap.page import FloatArray
from heatmap.room import empty

Singles = NDArray[np.float32]
Whole = NDArray[np.int32]
Cells = NDArray[np.intp]
Triples = NDArray[np.complex128]

OFFSET_BITS = 8
"""An offset is one of 256 steps across its cell: half a step moves a point's heat by up to
1/1,950 of its peak, where both axes are off by that."""
STEPS = 1 << OFFSET_BITS

POINTS_PACKED = 1 << 15
"""Points packed in one go: what is made of them on the way stays in the processor's cache."""

COUNT_BITS = 18
"""Of pairs."""
MOST = 1 << COUNT_BITS
"""Points that one cell may hold before its pairs are taken out."""

LOWER = 2.0 ** -(2 * OFFSET_BITS + COUNT_BITS)
"""Scale of the lower number of a pair: MOST products of two offsets stay below 1."""

FEW_BITS = 10
"""Of triples: as many as leave seven bits for a square."""
FEW = (1 << FEW_BITS) - 1
"""Points that one cell may hold as triples."""

SQUARE_BITS = 7
"""A square of a triple is rounded to 128 steps: half a step moves heat by 1/5,700 of its peak."""
CUT_BITS = 2 * OFFSET_BITS - SQUARE_BITS
HALF_CUT = 1 << (CUT_BITS - 1)

OFFSET_FIELD, SQUARE_FIELD = FEW_BITS + OFFSET_BITS, FEW_BITS + SQUARE_BITS
"""Bits that the sum of FEW offsets, and of FEW squares, stays within."""

PAIR_UNITS = (1.0, STEPS * LOWER, STEPS, STEPS**2 * LOWER, STEPS**2 * LOWER, STEPS)
TRIPLE_UNITS = (1.0, STEPS, STEPS, *3 * (float(1 << SQUARE_BITS),))
"""What 1, dx, dy, dx dy, dx^2, dy^2 in cells are multiplied by, once taken apart."""


class Packer:
    """Points to their cells and packed moments, by way of buffers that stay in the cache."""

    def __init__(self, grid: Grid, dtype: np.dtype[Any], at_once: int) -> None:
        """Make room for at_once points of a grid."""
        self._grid, self._at_once = grid, at_once
        self._scaled = np.empty((POINTS_PACKED, 2), dtype=dtype)
        self._x, self._y, self._dx, self._dy = np.empty((4, POINTS_PACKED), dtype=np.int32)
        self._pairs: tuple[Cells, FloatArray] | None = None

    def pairs(self, at_px: Floats, first: int) -> tuple[Cells, FloatArray]:
        """Give cells (n,), counted from the grid's row first, and moments (3, n).

        They are overwritten by the next points'.
        """
        if self._pairs is None:
            cells, packed = empty(self._at_once, np.intp), empty((3, self._at_once), np.float64)
            self._pairs = cells, packed
        cells, packed = self._pairs
        for part, cell, dx, dy in self._parts(at_px, first):
            cells[part] = cell
            _pack_pairs(dx, dy, packed[:, part])
        return cells[: len(at_px)], packed[:, : len(at_px)]

    def triples(self, at_px: Floats, first: int) -> Iterator[tuple[Cells, Triples]]:
        """Walk cells (n,), counted from the grid's row first, and moments (n,).

        They are overwritten by the next ones.
        """
        cells = np.empty(POINTS_PACKED, dtype=np.intp)
        packed = np.empty(POINTS_PACKED, dtype=np.complex128)
        for _, cell, dx, dy in self._parts(at_px, first):
            cells[: cell.size] = cell
            _pack_triples(dx, dy, packed[: cell.size])
            yield cells[: cell.size], packed[: cell.size]

    def _parts(self, at_px: Floats, first: int) -> Iterator[tuple[slice, Whole, Whole, Whole]]:
        """Walk some points at a time: which, their cells, their offsets along x and along y."""
        start = (PADDING - first) * self._grid.columns + PADDING
        for begin in range(0, len(at_px), POINTS_PACKED):
            part = at_px[begin : begin + POINTS_PACKED]
            x, y, dx, dy = (a[: len(part)] for a in (self._x, self._y, self._dx, self._dy))
            scaled = in_steps(part, self._grid, self._scaled[: len(part)])
            np.copyto(x, scaled[:, 0], casting="unsafe")
            np.copyto(y, scaled[:, 1], casting="unsafe")
            np.bitwise_and(x, STEPS - 1, out=dx)
            np.bitwise_and(y, STEPS - 1, out=dy)
            x >>= OFFSET_BITS
            y >>= OFFSET_BITS
            y *= self._grid.columns
            y += x
            y += start
            yield slice(begin, begin + len(part)), y, dx, dy


def in_steps(at_px: Floats, grid: Grid, out: Floats | None = None) -> Floats:
    """Give places in steps, STEPS to a cell, in the points' precision."""
    return np.multiply(at_px, at_px.dtype.type(STEPS / grid.cell_px), out=out)


def _pack_pairs(dx: Whole, dy: Whole, packed: FloatArray) -> None:
    """Pack 1 and dx, dy and dx dy, dy^2 / STEPS and dx^2; dx and dy are used up."""
    one, mixed, squares = packed
    np.copyto(one, dx)
    one *= LOWER
    one += 1
    np.copyto(mixed, dy)
    mixed *= one
    dx *= dx
    np.copyto(squares, dx)
    squares *= LOWER
    dy *= dy
    dy += STEPS // 2
    dy >>= OFFSET_BITS
    squares += dy


def unpack_pairs(sums: list[FloatArray]) -> Singles:
    """Take pairs apart: (6, cells) in PAIR_UNITS."""
    apart = np.empty((6, sums[0].size), dtype=np.float32)
    for (above, below), total in zip(((0, 1), (2, 3), (5, 4)), sums, strict=True):
        upper = np.floor(total)
        apart[above] = upper
        np.subtract(total, upper, out=upper)
        apart[below] = upper
    return apart


def _pack_triples(dx: Whole, dy: Whole, packed: Triples) -> None:
    """Pack 1, dx and dy, then dx dy, dx^2 and dy^2; dx and dy are used up."""
    offsets = dx << OFFSET_FIELD
    offsets += dy
    np.multiply(offsets, 0.5 ** (2 * OFFSET_FIELD), out=packed.real)
    packed.real += 1
    mixed = _cut(np.multiply(dx, dy, out=offsets))
    mixed <<= SQUARE_FIELD
    dx *= dx
    mixed += _cut(dx)
    np.multiply(mixed, 0.5**SQUARE_FIELD, out=packed.imag)
    dy *= dy
    packed.imag += _cut(dy) * 0.5 ** (2 * SQUARE_FIELD)


def _cut(squares: Whole) -> Whole:
    """Round squares to SQUARE_BITS, in place."""
    squares += HALF_CUT
    squares >>= CUT_BITS
    return squares


def unpack_triples(sums: Triples) -> Singles:
    """Take triples apart: (6, cells) in TRIPLE_UNITS."""
    apart = np.empty((6, sums.size), dtype=np.float32)
    rest = np.empty(sums.size)
    for half, bits, first in ((sums.real, OFFSET_FIELD, 0), (sums.imag, SQUARE_FIELD, 3)):
        upper = np.floor(half)
        apart[first] = upper
        np.subtract(half, upper, out=rest)
        rest *= 1 << bits
        np.floor(rest, out=upper)
        apart[first + 1] = upper
        rest -= upper
        rest *= 1 << bits
        apart[first + 2] = rest
    return apart
