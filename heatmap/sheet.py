"""Marks to the surface of their heat at a picture's pixels, a block of its lines at a time.

Between the cells of the grid and the pixels lie nodes, half a bandwidth apart: smoothing gives the
coefficients of cubic B-splines there (`heatmap.coefficients`), and the splines give the pixels,
first along the lines of nodes, then down from these: four multiplications a pixel. Only the
coefficients of the page are held.

A spline never exceeds its coefficients. That finds the peak without making every pixel, and tells
which blocks stay below the first level.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from heatmap.coefficients import Smoothing
from heatmap.heaps import Heap
from heatmap.nodes import TAPS, Singles, nodes_across, nodes_down
from heatmap.page import Page
from heatmap.room import empty
from heatmap.smoothing import Edge

VALUES_AT_ONCE = 1 << 18
"""Pixels made together: a megabyte. Half as many are begun with twice as often, twice as many leave
the processor's cache before they are compressed; a tenth of the time either way."""

BLOCKS_AT_ONCE = 4
"""Blocks whose lines of nodes are made together: many lines are faster to multiply. Half a megabyte
at the usual bandwidths, four where nodes lie on every pixel."""

STRIP_BYTES = 70_000_000
"""Memory that marks' mass may take while it is made: all of it for pages of the usual size."""

STRIP_VALUES = 4_200_000
"""Coefficients that are held at once: 17 MB."""


@dataclass(frozen=True, slots=True)
class Peak:
    """The hottest pixel of a surface: its intensity, row and column."""

    intensity: float = 0.0
    row: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """What the pixels of panels first..stop-1 down the page come from.

    coefficients  (nodes along y, nodes along x)
    bounds        (stop - first,) upper limits of the heat in each panel
    """

    first: int
    stop: int
    coefficients: Singles
    bounds: Singles


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Panels first..stop-1 of a strip, whose pixels are made together.

    first_row, stop_row  rows of the picture that they make
    bound                upper limit of their heat
    """

    strip: Strip
    first: int
    stop: int
    first_row: int
    stop_row: int
    bound: float


class Sheet:
    """The surface of a page's marks, ready to be looked at.

    page          that it covers
    width         length of a line: what a PNG has for a row, a column of nothing and the picture's
    rows_at_once  most lines that a block has
    """

    def __init__(self, heap: Heap, page: Page, bandwidth_px: float, edge: Edge) -> None:
        """Prepare the map of what lies in heap."""
        self.page = page
        self.width = 1 + page.columns
        self._heap = heap
        self._x, self._y = (lay(page, bandwidth_px, edge) for lay in (nodes_across, nodes_down))
        self._smoothing = Smoothing(heap, self._x, self._y, bandwidth_px)
        self._panels_across = self._x.panels()
        self._panels_down = self._y.panels().transpose(0, 2, 1)
        self._panel_rows = self._y.together * self._y.step
        most = max(VALUES_AT_ONCE // (self._panel_rows * self.width), 1)
        self._at_once = min(most, len(self._panels_down))
        self.rows_at_once = self._at_once * self._panel_rows
        self._lay_out()
        # A picture is walked twice, for its peak and its levels; most are one strip.
        self._late: Strip | None = None
        self._hottest = math.inf
        self._drawn: tuple[int, float, float] | None = None

    def _lay_out(self) -> None:
        """Make room for what is on its way: nodes, the lines at them, a block's pixels.

        Windows show the same memory as products want it: each panel with all nodes that it needs.
        """
        panels, taps, pixels = self._panels_across.shape
        down = min(self._at_once * BLOCKS_AT_ONCE, len(self._panels_down))
        rows = down * self._y.together + TAPS - 1
        self._nodes: Singles = empty((rows, self._x.count + TAPS - 1), np.float32)
        self._lines: Singles = empty((rows, 1 + panels * pixels), np.float32)
        self._lines[:, 0] = 0
        self._values: Singles = empty((self._at_once, self._panel_rows, self.width), np.float32)
        self._line_panels = self._lines[:, 1:].reshape(rows, panels, pixels).transpose(1, 0, 2)
        row, node = self._nodes.strides
        self._node_windows = as_strided(
            self._nodes, (panels, rows, taps), (self._x.together * node, row, node)
        )
        row, pixel = self._lines.strides
        self._line_windows = as_strided(
            self._lines,
            (down, self._panels_down.shape[2], self.width),
            (self._y.together * row, row, pixel),
        )

    def peak(self) -> Peak:
        """Find the hottest pixel; of equal ones the topmost, then the leftmost."""
        best = Peak()
        for strip in self._strips():
            for block in sorted(self._blocks_of(strip), key=lambda block: -block.bound):
                if block.bound < best.intensity or block.bound <= 0:
                    break
                best = self._peak_in(block, best)
        self._hottest = best.intensity
        return best

    def _peak_in(self, block: Block, best: Peak) -> Peak:
        """Look for a hotter pixel than the best so far, in the panels that may have one."""
        line = self._draw_lines(block, 1.0, 0.0)
        bounds = block.strip.bounds[block.first : block.stop]
        for panel in np.argsort(-bounds, kind="stable").tolist():
            if bounds[panel] < best.intensity:
                break
            row = block.first_row + panel * self._panel_rows
            values = self._draw_values(block, line, panel, panel + 1)[0][: block.stop_row - row]
            down, column = divmod(int(np.argmax(values)), self.width)
            here = Peak(float(values[down, column]), row + down, max(column - 1, 0))
            best = max(best, here, key=_rank)
        return best

    def bands(self) -> Iterator[tuple[int, Singles]]:
        """Walk the surface down the page: a first row, and (rows, columns) mass per square pixel.

        Bands are overwritten by the next one.
        """
        for block in self.blocks():
            yield block.first_row, self.lines(block)[:, 1:]

    def blocks(self) -> Iterator[Block]:
        """Walk down the page, a block of its lines at a time."""
        for strip in self._strips():
            yield from self._blocks_of(strip)

    def _blocks_of(self, strip: Strip) -> Iterator[Block]:
        starts = range(0, strip.stop - strip.first, self._at_once)
        for first, bound in zip(
            starts, np.maximum.reduceat(strip.bounds, starts).tolist(), strict=True
        ):
            stop = min(first + self._at_once, strip.stop - strip.first)
            rows = [(strip.first + panel) * self._panel_rows for panel in (first, stop)]
            bound = min(bound, self._hottest)
            yield Block(strip, first, stop, rows[0], min(rows[1], self.page.rows), bound)

    def lines(self, block: Block, factor: float = 1.0, raised: float = 0.0) -> Singles:
        """Make the pixels of a block: (rows, width) heat times a factor, raised evenly.

        Between nodes the raise is met to 1/50 at the page's edge. They are overwritten by the next
        block's.
        """
        line = self._draw_lines(block, factor, raised)
        values = self._draw_values(block, line, 0, block.stop - block.first)
        return values.reshape(-1, self.width)[: block.stop_row - block.first_row]

    def _draw_lines(self, block: Block, factor: float, raised: float) -> int:
        """Spread nodes along the page, unless that is done; give the block's place among them.

        Raising nodes takes a hundredth of the additions that their pixels would. They are lifted
        at the page's edge, which is taken off the raise beforehand.
        """
        strip, at_once = block.strip, self._at_once * BLOCKS_AT_ONCE
        first = block.first // at_once * at_once
        drawn = (strip.first + first, factor, raised)
        if self._drawn != drawn:
            self._draw_nodes(strip, first, first + at_once, factor, raised)
            self._drawn = drawn
        return block.first - first

    def _draw_nodes(
        self, strip: Strip, first: int, stop: int, factor: float, raised: float
    ) -> None:
        """Spread the nodes that panels first..stop-1 of a strip need, or as many as it has."""
        begin, end = first * self._y.together, stop * self._y.together
        coefficients = strip.coefficients[begin : end + TAPS - 1]
        count = len(coefficients)
        nodes = self._nodes[:count]
        np.multiply(coefficients, np.float32(factor), out=nodes)
        if raised:
            begin += strip.first * self._y.together
            inside = self._y.inside[begin : begin + count] * np.float32(raised)
            nodes += inside[:, None] * self._x.inside
        windows, lines = self._node_windows[:, :count], self._line_panels[:, :count]
        np.matmul(windows, self._panels_across, out=lines)

    def _draw_values(self, block: Block, line: int, first: int, stop: int) -> Singles:
        """Make the pixels of the block's panels first..stop-1; its lines begin at panel line."""
        begin = block.strip.first + block.first
        return np.matmul(
            self._panels_down[begin + first : begin + stop],
            self._line_windows[line + first : line + stop],
            out=self._values[: stop - first],
        )

    def _strips(self) -> Iterator[Strip]:
        """Walk down the page, as many panels at a time as may be held."""
        per_distance = self._y.apart_px / self._heap.cell_px * self._heap.columns
        cells = STRIP_BYTES / self._heap.cell_bytes
        most = min(cells / per_distance, STRIP_VALUES / self._x.count)
        step, panels = max(int(most) // self._y.together, 1), len(self._panels_down)
        for first in range(0, panels, step):
            if self._late is None or self._late.first != first:
                self._late = None  # two at a time would be twice the memory
                self._late = self._strip(first, min(first + step, panels))
            yield self._late

    def _strip(self, first: int, stop: int) -> Strip:
        together = self._y.together
        begin, end = first * together, stop * together
        coefficients = self._smoothing.coefficients(begin, end)
        rows = (coefficients * self._x.highest).max(axis=1)
        rows *= self._y.highest[begin : end + TAPS - 1]
        panels = sliding_window_view(rows, together + TAPS - 1)[::together]
        return Strip(first, stop, coefficients, panels.max(axis=1))


def _rank(peak: Peak) -> tuple[float, int, int]:
    return peak.intensity, -peak.row, -peak.column
