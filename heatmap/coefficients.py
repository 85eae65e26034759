"""Mass on cells to the coefficients of cubic B-splines at nodes: smoothing in single precision.

The splines spread heat by a known variance, like the sharing out before them; the kernel between
cells and nodes is narrower by both. Cells fit into blocks of nodes, so that one small matrix serves
all blocks of an axis, and all of them are one call.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from heatmap.grid import NODES_AT_ONCE
from heatmap.heaps import Heap
from heatmap.nodes import TAPS, Nodes, Singles
from heatmap.page import FloatArray
from heatmap.room import empty, zeros

REACH = 4.3
"""The kernel ends here, in standard deviations: a mark is left out below 1/10,000 of its peak."""

ROWS_AT_ONCE = 512
"""Rows of cells made single precision together."""

KERNELS_KEPT = 16
"""Kernels of late maps, some 7 KB each."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """What is left of the Gaussian once the splines have spread heat, per CSS pixel.

    sd_px   standard deviation
    fourth  share of its fourth derivative: splines are less pointed than a Gaussian

    A B-spline is the distribution of a sum of even ones: their variances and their fourth
    cumulants add up, to be taken off the Gaussian's.
    """

    sd_px: float
    fourth: float

    @classmethod
    def less(cls, bandwidth_px: float, spread: Iterable[tuple[float, int]]) -> Kernel:
        """Narrow a Gaussian by as many even distributions of each length in CSS pixels."""
        variance, fourth = bandwidth_px**2, 0.0
        for length_px, times in spread:
            variance -= times * length_px**2 / 12
            fourth += times * length_px**4 / 120
        return cls(math.sqrt(variance), fourth / (24 * variance**2))

    def at(self, apart: FloatArray) -> FloatArray:
        """Give its values so many standard deviations from its middle."""
        square = apart**2
        correction = 1 + self.fourth * (square**2 - 6 * square + 3)
        density = np.exp(-0.5 * square) / (self.sd_px * math.sqrt(2 * math.pi))
        return np.asarray(density * correction, dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Nodes in blocks of NODES_AT_ONCE, and the cells that each block is smoothed from.

    nodes   how many are wanted; the last block may have more
    start   cell that the first block begins with; there may be none so far outside the page
    onward  cells from one block to the next
    kernel  (NODES_AT_ONCE, cells) from a block's cells to its nodes
    """

    nodes: int
    start: int
    onward: int
    kernel: Singles

    @property
    def count(self) -> int:
        """Blocks."""
        return math.ceil(self.nodes / NODES_AT_ONCE)

    @property
    def cells(self) -> int:
        """Cells that all blocks together need."""
        return (self.count - 1) * self.onward + int(self.kernel.shape[1])

    def within(self, cells: int) -> range:
        """Give which of them there are, where the page has so many."""
        stop = min(max(self.start + self.cells, 0), cells)
        return range(min(max(self.start, 0), stop), stop)


class Smoothing:
    """The way from a heap to coefficients at the nodes of a picture."""

    def __init__(self, heap: Heap, x: Nodes, y: Nodes, bandwidth_px: float) -> None:
        """Prepare it for both axes' nodes."""
        self._heap, self._x, self._y = heap, x, y
        self._kernel = Kernel.less(
            bandwidth_px, ((heap.cell_px, heap.degree + 1), (x.apart_px, TAPS))
        )

    def coefficients(self, first: int, stop: int) -> Singles:
        """Give those that the pixels of distances first..stop-1 down the page need.

        Returns  (stop - first + TAPS - 1, nodes along x), none below 0
        """
        down = self._blocks(self._heap.y_px(), self._y.at_px(first, stop))
        across = self._across(down)
        windows = sliding_window_view(across, down.kernel.shape[1], axis=0)[:: down.onward]
        values: Singles = empty((down.count, NODES_AT_ONCE, across.shape[1]), np.float32)
        np.matmul(down.kernel, windows.transpose(0, 2, 1), out=values)
        wanted = values.reshape(-1, across.shape[1])[: down.nodes]
        # What is not added up of the moments may leave a trace below nothing.
        return np.maximum(wanted, 0, out=wanted)

    def _across(self, down: Blocks) -> Singles:
        """Smooth along x the rows of cells that blocks down the page need: (cells, nodes)."""
        heap = self._heap
        blocks = self._blocks(heap.x_px(), self._x.at_px(0, self._x.count))
        rows, columns = down.within(heap.y_px().size), blocks.within(heap.columns)
        mass = heap.mass(rows.start, rows.stop)
        part = zeros((min(ROWS_AT_ONCE, len(mass)), blocks.cells), np.float32)
        inside = part[:, columns.start - blocks.start : columns.stop - blocks.start]
        windows = sliding_window_view(part, blocks.kernel.shape[1], axis=1)[:, :: blocks.onward]
        across = empty((down.cells, blocks.count, NODES_AT_ONCE), np.float32)
        filled = across[rows.start - down.start : rows.stop - down.start]
        across[: rows.start - down.start] = 0
        across[rows.stop - down.start :] = 0
        for begin in range(0, len(mass), ROWS_AT_ONCE):
            here = filled[begin : begin + ROWS_AT_ONCE]
            inside[: len(here)] = mass[begin : begin + ROWS_AT_ONCE, columns.start : columns.stop]
            np.matmul(
                windows[: len(here)].transpose(1, 0, 2),
                blocks.kernel.T,
                out=here.transpose(1, 0, 2),
            )
        return across.reshape(down.cells, -1)[:, : blocks.nodes]

    def _blocks(self, cells_px: FloatArray, nodes_px: FloatArray) -> Blocks:
        cell_px, reach_px = self._heap.cell_px, REACH * self._kernel.sd_px
        start = math.floor((nodes_px[0] - reach_px - cells_px[0]) / cell_px)
        first_px = float(cells_px[0] + start * cell_px - nodes_px[0])
        kernel = _block_kernel(self._kernel, self._x.apart_px, first_px, cell_px)
        onward = round(NODES_AT_ONCE * self._x.apart_px / cell_px)
        return Blocks(nodes_px.size, start, onward, kernel)


@functools.lru_cache(maxsize=KERNELS_KEPT)
def _block_kernel(kernel: Kernel, apart_px: float, first_px: float, cell_px: float) -> Singles:
    """From cells, the first first_px from the first node, to NODES_AT_ONCE nodes: nodes x cells."""
    nodes_px = np.arange(NODES_AT_ONCE) * apart_px
    count = math.ceil((nodes_px[-1] + 2 * REACH * kernel.sd_px) / cell_px) + 2
    cells_px = first_px + np.arange(count) * cell_px
    values: Singles = kernel.at((nodes_px[:, None] - cells_px) / kernel.sd_px).astype(np.float32)
    values.flags.writeable = False
    return values
