"""Marks to a picture's levels: the surface as cubic B-splines, in single precision.

Between the cells of the grid and the pixels lie nodes, half a bandwidth apart: smoothing gives the
splines' coefficients there, and the splines give the pixels. So the matrices of the kernel are
small, and a pixel costs four multiplications. The splines spread heat by a known variance, like the
sharing out before them; the kernel is narrower by both.

A spline never exceeds its coefficients. That finds the peak without making every pixel, and leaves
out the bands that stay below the first level.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from heatmap.deflate import lines_for
from heatmap.grid import NODES_AT_ONCE, node_step
from heatmap.heaps import Heap
from heatmap.page import FloatArray, Page
from heatmap.room import empty
from heatmap.scale import TOP_LEVEL, Curve, Levels, bend, gain, least_gained
from heatmap.smoothing import Edge, mass_inside

Singles = NDArray[np.float32]

TAPS = 4
"""Nodes that a pixel's heat comes from along one axis."""

REACH = 4.3
"""The kernel ends here, in standard deviations: a mark is left out below 1/10,000 of its peak."""

DISTANCES_AT_ONCE, PIXELS_AT_ONCE = 8, 48
"""Node distances along x whose pixels are made together, or more until they are so many pixels:
fewer pixels are slow to multiply, more distances multiply by more zeros."""

VALUES_AT_ONCE = 1 << 18
"""Pixels made together: a megabyte. Half as many are begun with twice as often, twice as many leave
the processor's cache before they are compressed; a tenth of the time either way."""

BANDED = 2
"""Times as many are compressed together: deflate takes a twentieth less for each byte of them, and
half a megabyte of bytes is still at hand."""

ROWS_AT_ONCE = 512
"""Rows of cells made single precision together."""

STRIP_BYTES = 70_000_000
"""Memory that marks' mass may take while it is made: all of it for pages of the usual size."""

STRIP_VALUES = 4_200_000
"""Coefficients times pixels of a row that are held at once: 17 MB."""

AXES_KEPT, KERNELS_KEPT = 16, 16
"""Axes and kernels of late maps: what a shop looks at are a few pages, over and over. At most
64,000 factors (256 KB) to an axis; kernels are smaller."""


@dataclass(frozen=True, slots=True)
class Peak:
    """The hottest pixel of a surface: its intensity, row and column."""

    intensity: float = 0.0
    row: int = 0
    column: int = 0


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
class Nodes:
    """Nodes along one axis of the picture, and what becomes of them.

    step       device pixels from one node to the next
    count      node distances it takes to cover the picture
    apart_px   distance of the nodes, CSS pixels
    lift       (count * step,) factors for the pixels' heat
    inside     (count + TAPS - 1,) share of the kernel inside the page at each node: 1 / lift there
    """

    step: int
    count: int
    apart_px: float
    lift: Singles
    inside: Singles

    def at_px(self, first: int, stop: int) -> FloatArray:
        """Nodes that the pixels of distances first..stop-1 need, CSS pixels."""
        return np.arange(first - 1.0, stop + TAPS - 2) * self.apart_px


@functools.lru_cache(maxsize=AXES_KEPT)
def nodes_for(length_px: int, dpr: int, bandwidth_px: float, edge: Edge) -> Nodes:
    """Lay nodes along an axis."""
    step = node_step(bandwidth_px, dpr)
    count = math.ceil(length_px * dpr / step)
    centres_px = (np.arange(count * step) + 0.5) / dpr
    lift, inside = np.ones(count * step), np.ones(count + TAPS - 1)
    if edge == "uniform":
        lift /= mass_inside(np.minimum(centres_px, length_px), bandwidth_px, length_px)
        nodes_px = np.arange(-1.0, count + TAPS - 2) * (step / dpr)
        inside = mass_inside(nodes_px, bandwidth_px, length_px)
    return Nodes(
        step,
        count,
        step / dpr,
        _kept(lift.astype(np.float32)),
        _kept(inside.astype(np.float32)),
    )


def _kept(values: Singles) -> Singles:
    """Lock what several maps share."""
    values.flags.writeable = False
    return values


@functools.lru_cache(maxsize=KERNELS_KEPT)
def taps(step: int) -> Singles:
    """Share of each of TAPS nodes in each pixel of one distance: (step, TAPS)."""
    u = ((np.arange(step) + 0.5) / step)[:, None]
    pieces = ((1 - u) ** 3, 4 - 6 * u**2 + 3 * u**3, 1 + 3 * u + 3 * u**2 - 3 * u**3, u**3)
    shares: Singles = (np.concatenate(pieces, axis=1) / 6).astype(np.float32)
    return _kept(shares)


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """Coefficients of node distances first..stop-1 down the page, at the columns of its lines.

    A line is what a PNG has for a row: a column of nothing, then the picture's columns.

    lines    (stop - first + TAPS - 1, 1 + columns) coefficients
    windows  (stop - first, TAPS, 1 + columns) of these, those that each distance's pixels need
    bounds   upper limits of the heat in each so many distances that are made at once
    """

    first: int
    stop: int
    lines: Singles
    windows: Singles
    bounds: Singles


class Sheet:
    """The surface of a page's marks, ready to be looked at and painted."""

    def __init__(self, heap: Heap, page: Page, bandwidth_px: float, edge: Edge) -> None:
        """Prepare the map of what lies in heap."""
        self._heap, self._page = heap, page
        self._x = nodes_for(page.width_px, page.dpr, bandwidth_px, edge)
        self._y = nodes_for(page.height_px, page.dpr, bandwidth_px, edge)
        self._kernel = Kernel.less(
            bandwidth_px, ((heap.cell_px, heap.degree + 1), (self._x.apart_px, TAPS))
        )
        lift = self._y.lift.reshape(-1, self._y.step, 1)
        self._weights: Singles = taps(self._y.step) * lift
        self._width = 1 + page.columns
        self._at_once = max(VALUES_AT_ONCE // (self._y.step * self._width), 1)
        self._values: Singles = empty((self._at_once, self._y.step, self._width), np.float32)
        # A picture is walked twice, for its peak and its levels; most are one strip.
        self._late: Strip | None = None

    def peak(self) -> Peak:
        """Find the hottest pixel; of equal ones the topmost, then the leftmost."""
        best = Peak()
        for strip in self._strips():
            for block in np.argsort(-strip.bounds, kind="stable"):
                if strip.bounds[block] < best.intensity or strip.bounds[block] <= 0:
                    break
                row, lines = self._lines(strip, int(block), 1.0)
                down, column = divmod(int(np.argmax(lines)), self._width)
                here = Peak(float(lines[down, column]), row + down, max(column - 1, 0))
                best = max(best, here, key=_rank)
        return best

    def paint(self, scale_max: float, curve: Curve) -> Levels:
        """Give the levels of all pixels, (rows, columns) of the page's picture."""
        picture = lines_for(self._page.rows, self._page.columns)
        row = 0
        for lines in self.painted(scale_max, curve):
            picture[row : row + len(lines)] = lines
            row += len(lines)
        return picture[:, 1:]

    def painted(self, scale_max: float, curve: Curve) -> Iterator[Levels]:
        """Walk the picture's lines from the top, (rows, 1 + columns): a zero, then the levels.

        They are overwritten by the next ones.
        """
        factor = gain(curve) / scale_max if scale_max > 0 else 0.0
        band: Levels = empty((BANDED * self._at_once * self._y.step, self._width), np.uint8)
        for strip in self._strips():
            if curve == "linear" and factor > 0:
                self._add_half(strip, factor)
            for first in range(0, strip.bounds.size, BANDED):
                rows = 0
                for block in range(first, min(first + BANDED, strip.bounds.size)):
                    rows += self._paint(strip, block, factor, curve, band[rows:])
                yield band[:rows]

    def _paint(self, strip: Strip, block: int, factor: float, curve: Curve, band: Levels) -> int:
        """Write the levels of a block at the head of a band, and count its lines."""
        rows = self._block_rows(strip, block)
        levels = band[: rows.stop - rows.start]
        bound = float(strip.bounds[block] * factor)
        if bound < least_gained(curve):
            levels.fill(0)
        else:
            _level(self._lines(strip, block, factor)[1], curve, bound, levels)
        return len(levels)

    def _add_half(self, strip: Strip, factor: float) -> None:
        """Lift a strip by half a level, so that cutting off after the point rounds its pixels.

        A twentieth of the additions that the pixels themselves would take. Their own lift is taken
        off again: between nodes it is met to 1/100 of a level.
        """
        inside = self._y.inside[strip.first : strip.stop + TAPS - 1]
        np.add(strip.lines, (0.5 / factor) * inside[:, None], out=strip.lines)
        # It is no longer what peaks and surfaces are read from.
        self._late = None

    def bands(self) -> Iterator[tuple[int, Singles]]:
        """Walk the surface down the page: a first row, and (rows, columns) mass per square pixel.

        Bands are overwritten by the next one.
        """
        for strip in self._strips():
            for block in range(strip.bounds.size):
                row, lines = self._lines(strip, block, 1.0)
                yield row, lines[:, 1:]

    def _lines(self, strip: Strip, block: int, factor: float) -> tuple[int, Singles]:
        """Make the pixels of a block: their first row, and their lines of heat times a factor.

        They are overwritten by the next block's.
        """
        first = block * self._at_once
        stop = min(first + self._at_once, strip.stop - strip.first)
        weights = self._weights[strip.first + first : strip.first + stop] * np.float32(factor)
        values = self._values[: stop - first]
        np.matmul(weights, strip.windows[first:stop], out=values)
        rows = self._block_rows(strip, block)
        return rows.start, values.reshape(-1, self._width)[: rows.stop - rows.start]

    def _block_rows(self, strip: Strip, block: int) -> slice:
        """Rows of the picture that a block makes."""
        first = strip.first + block * self._at_once
        stop = min(first + self._at_once, strip.stop)
        return slice(first * self._y.step, min(stop * self._y.step, self._page.rows))

    def _strips(self) -> Iterator[Strip]:
        """Walk down the page, as many node distances at a time as may be held."""
        per_distance = self._y.apart_px / self._heap.cell_px * self._heap.columns
        cells = STRIP_BYTES / self._heap.cell_bytes
        most = min(cells / per_distance, STRIP_VALUES / self._page.columns)
        step = max(int(most), 1)
        for first in range(0, self._y.count, step):
            if self._late is None or self._late.first != first:
                self._late = None  # two at a time would be twice the memory
                self._late = self._strip(first, min(first + step, self._y.count))
            yield self._late

    def _strip(self, first: int, stop: int) -> Strip:
        lines = self._spread(self._smoothed(self._y.at_px(first, stop)))
        windows = sliding_window_view(lines, TAPS, axis=0).transpose(0, 2, 1)
        rows = lines.max(axis=1)
        hottest = np.maximum.reduce([rows[tap : tap + stop - first] for tap in range(TAPS)])
        lift = self._y.lift.reshape(-1, self._y.step).max(axis=1)[first:stop]
        blocks = np.arange(0, stop - first, self._at_once)
        return Strip(first, stop, lines, windows, np.maximum.reduceat(hottest * lift, blocks))

    def _smoothed(self, nodes_y: FloatArray) -> Singles:
        """Coefficients at nodes along y and all nodes along x."""
        heap = self._heap
        nodes_x = self._x.at_px(0, self._x.count)
        near = self._near(heap.y_px(), nodes_y)
        mass = heap.mass(near.start, near.stop)
        across = empty((len(mass), nodes_x.size), np.float32)
        kernels = list(self._kernels(heap.x_px(), nodes_x))
        for first in range(0, len(mass), ROWS_AT_ONCE):
            part = slice(first, first + ROWS_AT_ONCE)
            rows = mass[part].astype(np.float32, copy=False)
            for nodes, cells, kernel in kernels:
                np.matmul(rows[:, cells], kernel.T, out=across[part, nodes])
        down: Singles = empty((nodes_y.size, nodes_x.size), np.float32)
        for nodes, cells, kernel in self._kernels(heap.y_px()[near], nodes_y):
            np.matmul(kernel, across[cells], out=down[nodes])
        # What is not added up of the moments may leave a trace below nothing.
        return np.maximum(down, 0, out=down)

    def _near(self, cells_px: FloatArray, nodes_px: FloatArray) -> slice:
        """Cells within the kernel's reach of nodes."""
        reach = REACH * self._kernel.sd_px
        low = np.searchsorted(cells_px, nodes_px[0] - reach)
        high = np.searchsorted(cells_px, nodes_px[-1] + reach, "right")
        return slice(int(low), int(high))

    def _kernels(
        self, cells_px: FloatArray, nodes_px: FloatArray
    ) -> Iterator[tuple[slice, slice, Singles]]:
        """Walk the nodes: NODES_AT_ONCE, the cells near them, and the kernel from these to those.

        Cells fit into so many nodes, so the kernel is the same for all of them.
        """
        cell_px, reach_px = self._heap.cell_px, REACH * self._kernel.sd_px
        start = math.floor((nodes_px[0] - reach_px - cells_px[0]) / cell_px)
        first_px = float(cells_px[0] + start * cell_px - nodes_px[0])
        kernel = _block_kernel(self._kernel, self._x.apart_px, first_px, cell_px)
        count = kernel.shape[1]
        onward = round(NODES_AT_ONCE * self._x.apart_px / cell_px)
        for first in range(0, nodes_px.size, NODES_AT_ONCE):
            stop = min(first + NODES_AT_ONCE, nodes_px.size)
            low, high = max(start, 0), min(start + count, cells_px.size)
            here = kernel[: stop - first, low - start : high - start]
            yield slice(first, stop), slice(low, high), here
            start += onward

    def _spread(self, coefficients: Singles) -> Singles:
        """Coefficients at the nodes along x to the picture's columns."""
        step, count = self._x.step, self._x.count
        lines = empty((len(coefficients), 1 + count * step), np.float32)
        lines[:, 0] = 0
        columns = lines[:, 1:]
        at_once = max(PIXELS_AT_ONCE // step, DISTANCES_AT_ONCE)
        block = _spread_matrix(step, at_once)
        for first in range(0, count, at_once):
            last = min(first + at_once, count)
            pixels = slice(first * step, last * step)
            here = block[: last - first + TAPS - 1, : (last - first) * step]
            np.matmul(
                coefficients[:, first : last + TAPS - 1],
                here * self._x.lift[pixels],
                out=columns[:, pixels],
            )
        return lines[:, : self._width]


def _level(lines: Singles, curve: Curve, bound: float, levels: Levels) -> None:
    """Turn lines of heat times the curve's gain, none above bound, into levels; uses them up."""
    if curve != "linear":
        bend(lines, curve, bound > gain(curve))
    elif bound > TOP_LEVEL:
        np.minimum(lines, TOP_LEVEL, out=lines)
    np.copyto(levels, lines, casting="unsafe")


def _rank(peak: Peak) -> tuple[float, int, int]:
    return peak.intensity, -peak.row, -peak.column


@functools.lru_cache(maxsize=KERNELS_KEPT)
def _block_kernel(kernel: Kernel, apart_px: float, first_px: float, cell_px: float) -> Singles:
    """From cells, the first first_px from the first node, to NODES_AT_ONCE nodes: nodes x cells."""
    nodes_px = np.arange(NODES_AT_ONCE) * apart_px
    count = math.ceil((nodes_px[-1] + 2 * REACH * kernel.sd_px) / cell_px) + 2
    cells_px = first_px + np.arange(count) * cell_px
    return _kept(kernel.at((nodes_px[:, None] - cells_px) / kernel.sd_px).astype(np.float32))


@functools.lru_cache(maxsize=KERNELS_KEPT)
def _spread_matrix(step: int, distances: int) -> Singles:
    """(distances + 3, distances * step) shares of nodes in the pixels between them."""
    block = np.zeros((distances + TAPS - 1, distances * step), dtype=np.float32)
    weights = taps(step).T
    for distance in range(distances):
        block[distance : distance + TAPS, distance * step : (distance + 1) * step] = weights
    return _kept(block)
