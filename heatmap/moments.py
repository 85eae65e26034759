"""Many points of weight 1 to mass per cell: what a crowd costs is a few passes, not nine.

The nine shares of the B-spline are polynomials of a point's offset in its cell, so it is enough to
add up, per cell, how many points there are and their offsets' first and second moments; the shares
follow once per cell instead of once per point. A double holds two sums side by side, so three
histograms make all six. The upper one is of whole numbers and exact; the lower one is rounded at
worst by 1/500 of its largest value, after 262,144 points in one cell. Nothing drifts.
Third and fourth moments are not added up but taken as their likeliest values, which moves one lone
point's heat by up to 1/1,840 of its peak (searched over offsets).

Tried and rejected: complex sums, which are two doubles at once (a tenth faster over millions of
cells, slower over fewer), a sparse matrix in the histograms' place (two to four times as long as
all three), `np.add.at` (up to a quarter longer than `np.bincount`), sorting the points by
rows first, so that sums stay in the cache (takes several times what it saves), sums in single
precision (they stop growing).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from heatmap.grid import PADDING, Grid
from heatmap.marks import Floats, Points
from heatmap.page import FloatArray

Singles = NDArray[np.float32]
Whole = NDArray[np.int32]

OFFSET_BITS = 8
"""An offset is one of 256 steps across its cell: half a step moves a point's heat by up to
1/1,950 of its peak, where both axes are off by that."""
STEPS = 1 << OFFSET_BITS

COUNT_BITS = 18
"""Points that one cell may hold before its sums are taken out."""
MOST = 1 << COUNT_BITS

LOWER = 2.0 ** -(2 * OFFSET_BITS + COUNT_BITS)
"""Scale of the lower number of a pair: MOST products of two offsets stay below 1."""

POINTS_PACKED = 1 << 15
"""Points packed in one go: what is made of them on the way stays in the processor's cache."""

CROWD, LARGEST_CROWD = 1 << 18, 1 << 20
"""Points added up in one go, between these: as many as there are cells, where that is possible,
because each histogram walks all cells; 32 bytes of working memory each."""

CELLS_FOLDED = 1 << 14
"""Cells whose sums are made into shares in one go, within the processor's cache."""

SPARSE = 0.3
"""Share of cells with points below which only those are made into shares: picking them out costs
as much as going through three times as many."""


def deposit_many(points: Points, grid: Grid, first: int, stop: int) -> Singles:
    """Share many points of weight 1 out over the cells of rows first..stop-1.

    points   inside the page, without weights
    Returns  (stop - first, grid.columns) mass per cell, as `heatmap.grid.deposit` gives it but for
             up to 1/1,840 of a lone point's peak; single cells may fall a little below 0
    """
    # Points one row outside still reach in.
    rows = range(first - 1, stop + 1)
    tally = Tally(len(rows), grid.columns)
    at_once = min(max(CROWD, tally.size), LARGEST_CROWD, max(len(points), 1))
    packer = Packer(grid, points.at_px.dtype, at_once)
    for at_px, _ in points.parts(at_once):
        tally.add(*packer.pack(_in_rows(at_px, grid, rows), rows.start))
    return tally.mass()


def _in_rows(at_px: Floats, grid: Grid, rows: range) -> Floats:
    if rows.start <= 0 and rows.stop >= grid.rows:
        return at_px
    row = (_scaled(at_px[:, 1], grid).astype(np.int32) >> OFFSET_BITS) + PADDING
    return at_px[(row >= rows.start) & (row < rows.stop)]


class Tally:
    """Sums per cell of some rows, and the mass that earlier sums were made into."""

    def __init__(self, rows: int, columns: int) -> None:
        """Begin with nothing."""
        self.size = rows * columns
        self._rows, self._columns, self._most = rows, columns, 0
        self._sums: list[FloatArray] = []
        # A row more on each side, and a cell before and after, for the shares that go there.
        self._mass = np.zeros(self.size + 2 * columns + 2, dtype=np.float32)

    def add(self, cell: NDArray[np.intp], packed: FloatArray) -> None:
        """Add points: (n,) the cell of each, (3, n) its packed moments."""
        counts = _histogram(cell, packed[0], self.size)
        most = int(counts.max())
        if most >= MOST:
            half = cell.size // 2
            self.add(cell[:half], packed[:, :half])
            self.add(cell[half:], packed[:, half:])
            return
        if self._most + most >= MOST:
            self._take_out()
        sums = [counts, *(_histogram(cell, moment, self.size) for moment in packed[1:])]
        for total, more in zip(self._sums, sums, strict=False):
            total += more
        self._sums = self._sums or sums
        self._most = int(self._sums[0].max())

    def mass(self) -> Singles:
        """Give the mass per cell of all inner rows."""
        self._take_out()
        return self._mass[1:-1].reshape(self._rows + 2, self._columns)[2:-2]

    def _take_out(self) -> None:
        """Make the sums into shares, and add those to the mass."""
        apart = np.empty((6, CELLS_FOLDED), dtype=np.float32)
        shares = np.empty((9, CELLS_FOLDED), dtype=np.float32)
        for first in range(0, self.size if self._sums else 0, CELLS_FOLDED):
            sums = [total[first : first + CELLS_FOLDED] for total in self._sums]
            filled = np.flatnonzero(sums[0] != 0)
            sparse = filled.size < SPARSE * sums[0].size
            if sparse:
                sums = [total[filled] for total in sums]
            count = sums[0].size
            _unpack(sums, apart[:, :count])
            np.matmul(SHARES, apart[:, :count], out=shares[:, :count])
            for share, step in zip(shares[:, :count], _steps(self._columns), strict=True):
                to = self._mass[1 + self._columns + first + step :]
                if sparse:
                    np.add.at(to, filled, share)
                else:
                    to[:count] += share
        self._sums, self._most = [], 0


def _histogram(cell: NDArray[np.intp], moment: FloatArray, size: int) -> FloatArray:
    return np.asarray(np.bincount(cell, moment, size), dtype=np.float64)


class Packer:
    """Points to their cells and packed moments, by way of buffers that stay in the cache."""

    def __init__(self, grid: Grid, dtype: np.dtype[Any], at_once: int) -> None:
        """Make room for at_once points of a grid."""
        self._grid = grid
        self._scaled = np.empty((POINTS_PACKED, 2), dtype=dtype)
        self._x, self._y, self._dx, self._dy = np.empty((4, POINTS_PACKED), dtype=np.int32)
        self._cell, self._packed = np.empty(at_once, dtype=np.intp), np.empty((3, at_once))

    def pack(self, at_px: Floats, first: int) -> tuple[NDArray[np.intp], FloatArray]:
        """Give cells (n,), counted from the grid's row first, and moments (3, n).

        They are overwritten by the next points'.
        """
        start = (PADDING - first) * self._grid.columns + PADDING
        for begin in range(0, len(at_px), POINTS_PACKED):
            part = at_px[begin : begin + POINTS_PACKED]
            count, to = len(part), slice(begin, begin + len(part))
            x, y, dx, dy = (a[:count] for a in (self._x, self._y, self._dx, self._dy))
            scaled = _scaled(part, self._grid, self._scaled[:count])
            np.copyto(x, scaled[:, 0], casting="unsafe")
            np.copyto(y, scaled[:, 1], casting="unsafe")
            np.bitwise_and(x, STEPS - 1, out=dx)
            np.bitwise_and(y, STEPS - 1, out=dy)
            _pack_moments(dx, dy, self._packed[:, to])
            x >>= OFFSET_BITS
            y >>= OFFSET_BITS
            y *= self._grid.columns
            y += x
            y += start
            self._cell[to] = y
        return self._cell[: len(at_px)], self._packed[:, : len(at_px)]


def _scaled(at_px: Floats, grid: Grid, out: Floats | None = None) -> Floats:
    """Give places in steps, STEPS to a cell, in the points' precision."""
    return np.multiply(at_px, at_px.dtype.type(STEPS / grid.cell_px), out=out)


def _pack_moments(dx: Whole, dy: Whole, packed: FloatArray) -> None:
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


def _unpack(sums: list[FloatArray], apart: Singles) -> None:
    """Separate the pairs: (6, cells) count, dx, dy, dx dy, dy^2 / STEPS, dx^2, the lower scaled."""
    for place, total in zip((0, 2, 4), sums, strict=True):
        upper = np.floor(total)
        apart[place] = upper
        np.subtract(total, upper, out=upper)
        apart[place + 1] = upper


def _share_matrix() -> Singles:
    """From `_unpacked` to the nine shares, row by row of the 3 x 3 cells: (9, 6)."""
    # Offsets in cells, from the cell's corner, as rows over the unpacked sums ...
    units = np.array([1, STEPS * LOWER, STEPS, STEPS**2 * LOWER, STEPS, STEPS**2 * LOWER])
    n, sx, sy, sxy, syy, sxx = np.diag(1 / units)
    # ... from its middle; a step stands for the points all over it.
    middle = 0.5 - 0.5 / STEPS
    x, y = sx - middle * n, sy - middle * n
    xx, yy = (s2 - 2 * middle * s1 + middle**2 * n for s2, s1 in ((sxx, sx), (syy, sy)))
    xy = sxy - middle * (sx + sy) + middle**2 * n
    # A squared offset lies between 0 and 1/4: 1/8 errs least where it is not known.
    likely = 1 / 8
    moments = np.array(
        [[n, x, xx], [y, xy, likely * y], [yy, likely * x, likely * (xx + yy) - likely**2 * n]]
    )
    spline = np.array([[1 / 8, -1 / 2, 1 / 2], [3 / 4, 0, -1], [1 / 8, 1 / 2, 1 / 2]])
    shares = np.einsum("ab,cd,bds->acs", spline, spline, moments)
    matrix: Singles = shares.reshape(9, 6).astype(np.float32)
    return matrix


SHARES = _share_matrix()


def _steps(columns: int) -> list[int]:
    """Steps from a cell to its 3 x 3 neighbours, in the order of `_share_matrix`."""
    return [row * columns + column for row in (-1, 0, 1) for column in (-1, 0, 1)]
