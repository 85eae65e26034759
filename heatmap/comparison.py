"""Two walks over a page: one for what is known without labels, one under all labellings.

The surfaces of thousands of visits do not fit into memory together. The page is cut into blocks of
rows, whose surfaces are made, used and forgotten; where they are one block, it is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heatmap.cohorts import Flags, Pile, Whole
from heatmap.exposure import alike, count, enough_seen, exposed
from heatmap.page import FloatArray
from heatmap.raster import Raster
from heatmap.regions import CONCERNED_S, Found
from heatmap.relabelling import Labellings
from heatmap.spreads import Moments, moments
from heatmap.studentised import Labelled, Relabelled
from heatmap.visit_surfaces import Table, VisitSurfaces

BLOCK_BYTES = 32 << 20
"""Of the visits' surfaces that are made in one go; those of a hundred visits are one block, and
are made once."""

PART_BYTES = 6 << 20
"""Of what is multiplied in one go, and of its result: some copies of either live at once, and the
product is as fast as with more."""

SINGLE_ABOVE = 1 << 21
"""Values (visits x cells) from which on single precision is taken; below, double costs nothing."""


class Comparison:
    """The visits of two cohorts over the cells of a page."""

    def __init__(self, visits: Pile, raster: Raster, bandwidth_px: float) -> None:
        """Walk over the page once: what is known of each cell without relabelling."""
        self.visits, self.raster = visits, raster
        self.shape = (raster.rows, raster.columns)
        small = len(visits) * raster.rows * raster.columns <= SINGLE_ABOVE
        self._dtype: type[np.floating[Any]] = np.float64 if small else np.float32
        self._surfaces = VisitSurfaces(visits, raster, bandwidth_px, self._dtype)
        self._seen = exposed(visits.seen_px, raster.y_px())
        self._made: tuple[tuple[int, int], Table] | None = None
        self.known = self._moments()

    @property
    def sizes(self) -> tuple[int, int]:
        """Visits of the first and of the second cohort."""
        first = int(self.visits.first.sum())
        return first, len(self.visits) - first

    @property
    def seen_enough(self) -> Flags:
        """(rows, columns) whether enough visits of both cohorts saw a cell."""
        rows = enough_seen(self.exposed())
        return np.broadcast_to(rows[:, None], self.shape)

    def exposed(self) -> NDArray[np.intp]:
        """(2, rows) visits of each cohort that saw a row."""
        first = self.visits.first
        return np.stack([self._seen[which].sum(axis=0) for which in (first, ~first)])

    def relabel(self, relabelled: Relabelled, labellings: Labellings, tested: Flags) -> FloatArray:
        """Give the studentised differences (rows, columns), 0 where nothing is tested."""
        t, columns = np.zeros(self.shape), self.shape[1]
        spread, areas = self.known.spread.reshape(self.shape), self.raster.areas()
        cell_bytes = max(len(self.visits), len(labellings)) * np.dtype(self._dtype).itemsize
        at_once = max(1, PART_BYTES // cell_bytes)
        for run in alike(self._seen, self.visits.first):
            if not tested[run].any():
                continue
            labelled = self._labelled(labellings, run)
            for start, stop in self._blocks():
                low, high = max(start, run.start), min(stop, run.stop)
                for rows, across in _parts(tested[low:high], at_once):
                    values = self._values(start, stop)[:, (rows + low - start) * columns + across]
                    cell = rows + low, across
                    t[cell] = relabelled.add(
                        labelled, values, rows + low - run.start, spread[cell], areas[cell]
                    )[0]
        return t

    def concerned(self, found: Found) -> NDArray[np.intp]:
        """Count the visits of each cohort that dwelt in each region: (2, regions)."""
        seconds = np.zeros((len(self.visits), found.count))
        areas, filled = self.raster.areas(), found.filled_rows()
        self._made = None
        for start, stop in self._blocks() if found.count else ():
            if not np.any((filled >= start) & (filled < stop)):
                continue
            values = self._surfaces.rows(start, stop, self.visits.seconds)
            values = values.reshape(len(self.visits), -1)
            for region in range(found.count):
                weight = areas[start:stop] * (found.number[start:stop] == region + 1)
                seconds[:, region] += values @ weight.ravel().astype(self._dtype)
        dwelt, first = seconds >= CONCERNED_S, self.visits.first
        return np.stack([dwelt[which].sum(axis=0) for which in (first, ~first)])

    def _labelled(self, labellings: Labellings, run: slice) -> Labelled:
        seen = self._seen[:, run]
        labels = labellings.among(seen[:, 0], self._dtype)
        return Labelled(labels, seen, count(labels, seen, self.visits.stratum))

    def _blocks(self) -> Iterator[tuple[int, int]]:
        rows, columns = self.shape
        row_bytes = columns * len(self.visits) * np.dtype(self._dtype).itemsize
        step = max(1, BLOCK_BYTES // row_bytes)
        return ((start, min(start + step, rows)) for start in range(0, rows, step))

    def _values(self, start: int, stop: int) -> Table:
        """Give the visits' surfaces (n, cells) of some rows; the last ones made are kept."""
        if self._made is None or self._made[0] != (start, stop):
            self._made = None  # not two blocks at a time
            values = self._surfaces.rows(start, stop).reshape(len(self.visits), -1)
            self._made = (start, stop), values
        return self._made[1]

    def _moments(self) -> Moments:
        visits, parts = self.visits, []
        for start, stop in self._blocks():
            rows = np.repeat(np.arange(start, stop), self.shape[1])
            values = self._values(start, stop)
            parts.append(moments(values, self._seen, rows, visits.first, visits.stratum))
        return Moments(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("first", "second", "mean", "spread", "effective")
            )
        )


def _parts(chosen: Flags, at_once: int) -> Iterator[tuple[Whole, Whole]]:
    """Give rows and columns of the chosen cells, some at a time."""
    rows, columns = np.nonzero(chosen)
    for low in range(0, rows.size, at_once):
        part = slice(low, low + at_once)
        yield rows[part], columns[part]
