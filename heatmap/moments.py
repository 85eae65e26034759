"""Many points of weight 1 to mass per cell: what a crowd costs is a few passes, not nine.

The nine shares of the B-spline are polynomials of a point's offset in its cell, so it is enough to
add up, per cell, how many points there are and their offsets' first and second moments; the shares
follow once per cell instead of once per point. `heatmap.packing` puts two or three sums side by
side in a double, so three histograms make all six, or one of complex numbers. Counts are exact;
other sums are rounded at worst by 1/500 of their largest value, after 262,144 points in one cell.
Nothing drifts.
Third and fourth moments are not added up but taken as their likeliest values, which moves one lone
point's heat by up to 1/1,840 of its peak (searched over offsets).

Tried and rejected: a sparse matrix in the histograms' place (two to four times as long as
all three), `np.add.at` in theirs (up to a quarter longer than `np.bincount`), sorting the points by
rows first, so that sums stay in the cache (takes what it saves), sums in single precision (they
stop growing).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from heatmap.grid import PADDING, Grid
from heatmap.marks import Floats, Points
from heatmap.packing import (
    FEW,
    MOST,
    OFFSET_BITS,
    PAIR_UNITS,
    STEPS,
    TRIPLE_UNITS,
    Cells,
    Packer,
    Singles,
    Triples,
    in_steps,
    unpack_pairs,
    unpack_triples,
)
from heatmap.page import FloatArray
from heatmap.room import empty, zeros

CROWD = 1 << 20
"""Points added up in one go, each of 32 bytes of working memory: every histogram walks all cells
once more, so a quarter as many take a tenth longer."""

MANY_CELLS = 1 << 20
"""Cells from which on their memory is waited for, each holds few points, and triples are faster:
at two million cells by a third. They walk all cells for every CROWD points."""

CELLS_FOLDED = 1 << 14
"""Cells whose sums are made into shares in one go, within the processor's cache."""

CELLS_WALKED = 1 << 16
"""Cells of which those with points are picked out in one go."""

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
    at_once = min(CROWD, max(len(points), 1))
    packer = Packer(grid, points.at_px.dtype, at_once)
    few = tally.size >= MANY_CELLS
    for at_px, _ in points.parts(at_once):
        near = _in_rows(at_px, grid, rows)
        # Where one crowd has too many points in a cell, so will the next.
        few = few and tally.add_few(packer.triples(near, rows.start))
        if not few:
            tally.add(*packer.pairs(near, rows.start))
    return tally.mass()


def _in_rows(at_px: Floats, grid: Grid, rows: range) -> Floats:
    if rows.start <= 0 and rows.stop >= grid.rows:
        return at_px
    row = (in_steps(at_px[:, 1], grid).astype(np.int32) >> OFFSET_BITS) + PADDING
    return at_px[(row >= rows.start) & (row < rows.stop)]


class Tally:
    """Sums per cell of some rows, and the mass that earlier sums were made into."""

    def __init__(self, rows: int, columns: int) -> None:
        """Begin with nothing."""
        self.size = rows * columns
        self._rows, self._columns, self._most = rows, columns, 0
        self._sums: list[FloatArray] = []
        # A row more on each side, and a cell before and after, for the shares that go there.
        self._mass: Singles = zeros(self.size + 2 * columns + 2, np.float32)

    def add(self, cell: Cells, packed: FloatArray) -> None:
        """Add points: (n,) the cell of each, (3, n) its moments in pairs."""
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

    def add_few(self, parts: Iterable[tuple[Cells, Triples]]) -> bool:
        """Add points, unless a cell holds more than FEW of them; say whether it was done.

        parts    cells (n,) and moments in triples (n,), some points at a time
        """
        sums = zeros(self.size, np.complex128)
        for cell, packed in parts:
            np.add.at(sums, cell, packed)
        walk = [slice(at, at + CELLS_WALKED) for at in range(0, self.size, CELLS_WALKED)]
        # The count is the uppermost field: where others run over, it reads still more than FEW.
        if any(sums[part].real.max() >= FEW + 1 for part in walk):
            return False
        for part in walk:
            filled = np.flatnonzero(sums[part].real != 0)
            apart = unpack_triples(sums[part][filled])
            self._add_shares(part.start, filled, apart.T @ TRIPLE_SHARES.T)
        return True

    def mass(self) -> Singles:
        """Give the mass per cell of all inner rows."""
        self._take_out()
        return self._mass[1:-1].reshape(self._rows + 2, self._columns)[2:-2]

    def _take_out(self) -> None:
        """Make the sums into shares, and add those to the mass."""
        shares = empty((9, CELLS_FOLDED), np.float32)
        for first in range(0, self.size if self._sums else 0, CELLS_FOLDED):
            sums = [total[first : first + CELLS_FOLDED] for total in self._sums]
            filled = np.flatnonzero(sums[0] != 0)
            if filled.size < SPARSE * sums[0].size:
                apart = unpack_pairs([total[filled] for total in sums])
                self._add_shares(first, filled, apart.T @ PAIR_SHARES.T)
                continue
            count = sums[0].size
            np.matmul(PAIR_SHARES, unpack_pairs(sums), out=shares[:, :count])
            for place, share in enumerate(shares[:, :count]):
                down, across = divmod(place, 3)
                self._mass[first + down * self._columns + across :][:count] += share
        self._sums, self._most = [], 0

    def _add_shares(self, first: int, filled: Cells, shares: Singles) -> None:
        """Add the nine shares (n, 9) of cells filled, counted from the cell first."""
        for down in range(3):
            before = self._mass[first + down * self._columns :]
            # Two neighbours at once, as the halves of a complex number: see `heatmap.grid`.
            pairs = np.ndarray((before.size - 1,), np.complex64, before.data, 0, before.strides)
            pair = shares[:, 3 * down : 3 * down + 2].view(np.complex64)[:, 0]
            np.add.at(pairs, filled, pair)
            np.add.at(before[2:], filled, shares[:, 3 * down + 2])


def _histogram(cell: Cells, moment: FloatArray, size: int) -> FloatArray:
    return np.asarray(np.bincount(cell, moment, size), dtype=np.float64)


def _share_matrix(units: Sequence[float]) -> Singles:
    """From six sums in units to the nine shares, row by row of the 3 x 3 cells: (9, 6)."""
    # Offsets in cells, from the cell's corner, as rows over the sums ...
    n, sx, sy, sxy, sxx, syy = np.diag(1 / np.array(units))
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


PAIR_SHARES, TRIPLE_SHARES = _share_matrix(PAIR_UNITS), _share_matrix(TRIPLE_UNITS)
