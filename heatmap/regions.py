"""Where two cohorts differ for sure: connected cells, and what is to be said about each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from heatmap.cohorts import Flags
from heatmap.page import FloatArray
from heatmap.raster import Raster

CONCERNED_S = 1.0
"""Dwell within a region from which on a visit is concerned: that of the shortest stall."""

CORNERS_TOUCH = np.ones((3, 3), dtype=np.int_)


@dataclass(frozen=True, slots=True)
class Region:
    """One place where the cohorts differ; lengths are CSS pixels of the page.

    x0_px, y0_px, x1_px, y1_px  the smallest box around it
    peak_x_px, peak_y_px        the cell that differs most surely
    longer      whether the first cohort dwells longer here; else it dwells shorter
    t           studentised difference at the peak
    p           of the peak, corrected for the whole page
    first_s, second_s  dwell inside, seconds per exposed visit of each cohort, as counted (in share
                mode: share of the visit)
    ratio       first_s / second_s; inf where the second is 0. A place that was found because it
                differs shows a ratio that is a little too large
    first_concerned, second_concerned  visits with at least CONCERNED_S inside
    first_exposed, second_exposed      visits that saw the row of the peak
    """

    x0_px: float
    y0_px: float
    x1_px: float
    y1_px: float
    peak_x_px: float
    peak_y_px: float
    longer: bool
    t: float
    p: float
    first_s: float
    second_s: float
    ratio: float
    first_concerned: int
    second_concerned: int
    first_exposed: int
    second_exposed: int


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Cells of each region: (rows, columns) its number, 1.., or 0; and how many there are."""

    number: NDArray[np.int32]
    count: int

    def filled_rows(self) -> NDArray[np.intp]:
        """Give the rows in which any region lies."""
        return np.flatnonzero((self.number > 0).any(axis=1))


def find_regions(t: FloatArray, tested: Flags, critical: float) -> Found:
    """Join neighbouring cells, corners included, that differ the same way beyond a critical value.

    t        (rows, columns) studentised differences; what it is where not tested does not matter
    tested   (rows, columns)
    Returns  Found, the surest region first
    """
    number = np.zeros(t.shape, dtype=np.int32)
    known = np.where(tested, t, 0.0)
    count = 0
    for beyond in (known > critical, known < -critical):
        labelled, more = ndimage.label(beyond, CORNERS_TOUCH)
        number[beyond] = labelled[beyond] + count
        count += int(more)
    if not count:
        return Found(number, 0)
    surest = ndimage.maximum(np.abs(known), number, np.arange(1, count + 1))
    rank = np.zeros(count + 1, dtype=np.int32)
    rank[1 + np.argsort(-np.asarray(surest), kind="stable")] = np.arange(1, count + 1)
    return Found(rank[number], count)


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What regions are described from; surfaces are (rows, columns).

    t, p           studentised difference, and its corrected p
    first, second  dwell per exposed visit and square CSS pixel
    exposed        (2, rows) visits of each cohort that saw a row
    concerned      (2, regions) visits of each cohort that dwelt in a region
    """

    t: FloatArray
    p: FloatArray
    first: FloatArray
    second: FloatArray
    exposed: NDArray[np.intp]
    concerned: NDArray[np.intp]


def describe(found: Found, raster: Raster, evidence: Evidence) -> tuple[Region, ...]:
    """Say of each region where it lies and how the cohorts differ there."""
    boxes = ndimage.find_objects(found.number)
    return tuple(
        _described(number, box, found, raster, evidence)
        for number, box in enumerate(boxes, 1)
        if box is not None
    )


def _described(
    number: int, box: tuple[slice, ...], found: Found, raster: Raster, evidence: Evidence
) -> Region:
    inside = found.number == number
    down, across = box
    row, column = np.unravel_index(np.argmax(np.abs(evidence.t) * inside), inside.shape)
    areas = raster.areas()[inside]
    first_s = float((evidence.first[inside] * areas).sum())
    second_s = float((evidence.second[inside] * areas).sum())
    x_edges, y_edges = raster.x_edges_px(), raster.y_edges_px()
    t = float(evidence.t[row, column])
    return Region(
        x0_px=float(x_edges[across.start]),
        y0_px=float(y_edges[down.start]),
        x1_px=float(x_edges[across.stop]),
        y1_px=float(y_edges[down.stop]),
        peak_x_px=float(raster.x_px()[column]),
        peak_y_px=float(raster.y_px()[row]),
        longer=t > 0,
        t=t,
        p=float(evidence.p[row, column]),
        first_s=first_s,
        second_s=second_s,
        ratio=first_s / second_s if second_s > 0 else np.inf,
        first_concerned=int(evidence.concerned[0, number - 1]),
        second_concerned=int(evidence.concerned[1, number - 1]),
        first_exposed=int(evidence.exposed[0, row]),
        second_exposed=int(evidence.exposed[1, row]),
    )
