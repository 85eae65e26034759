"""One surface for each visit, some rows of the page at a time, by direct sums.

A visit has tens of stalls, and the kernel is separable: two thin matrices and one product give its
surface without cells in between, for a few percent of what the relabelling of all visits costs.
Nothing is kept: what is needed twice is made twice, so that ten thousand visits take no more memory
than two thousand.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from heatmap.cohorts import Pile, Whole
from heatmap.exposure import exposed
from heatmap.page import FloatArray
from heatmap.raster import Raster
from heatmap.smoothing import mass_inside

Table = NDArray[np.floating[Any]]
"""In single precision for many visits, in double where all relabellings are counted out."""

REACH = 6.6
"""Bandwidths from a mark's middle beyond which its heat is left out: below 4e-10 of its peak."""

THIN = 1e-3
"""A side below this many bandwidths counts as none: over it the kernel does not change."""

PLACES_AT_ONCE = 1 << 14
"""Places whose kernels are made in one go: some ten MB on a usual page."""


SIDES_KEPT = 1 << 13
"""Different sides whose kernels are kept across the page: places are stored in whole pixels, so
that no page has more; where a page's places do, kernels are made anew for each block."""


class VisitSurfaces:
    """The surfaces of a pile's visits at the middles of a raster's cells."""

    def __init__(
        self, visits: Pile, raster: Raster, bandwidth_px: float, dtype: type[np.floating[Any]]
    ) -> None:
        """Prepare them; dtype is float32 or float64, of all that is given."""
        self._visits, self._raster = visits, raster
        self._bandwidth_px, self._dtype = bandwidth_px, dtype
        self._x_px, self._y_px = raster.x_px(), raster.y_px()
        places = visits.places
        sides, which = np.unique(places.x0_px + 1j * places.x1_px, return_inverse=True)
        self._side, self._kept = which.ravel(), None
        if sides.size <= SIDES_KEPT:
            self._kept = self._across(sides.real, sides.imag)

    def rows(self, first: int, stop: int, weight: FloatArray | None = None) -> Table:
        """Give rows first..stop-1 of all visits' surfaces.

        weight   (k,) another weight for the pile's places, or None for their own
        Returns  (n, stop - first, columns) weight per square CSS pixel, divided by the kernel's
                 mass inside the page; 0 in rows that the visit did not see
        Source   Diggle 1985, Applied Statistics 34, 138-147, for the division
        """
        y_px, places = self._y_px[first:stop], self._visits.places
        shape = (len(self._visits), y_px.size, self._x_px.size)
        surfaces = np.zeros(shape, dtype=self._dtype)
        reach = REACH * self._bandwidth_px
        near = np.flatnonzero(
            (places.y1_px >= y_px[0] - reach) & (places.y0_px <= y_px[-1] + reach)
        )
        weights = places.weight if weight is None else weight
        for part in _whole_visits(places.visit[near]):
            self._sum(surfaces, near[part], weights[near[part]], y_px)
        hidden = ~exposed(self._visits.seen_px, y_px)
        if hidden.any():
            surfaces[hidden] = 0
        return surfaces

    def _sum(self, surfaces: Table, which: Whole, weights: FloatArray, y_px: FloatArray) -> None:
        """Add up places, all of whose visits' other places lie among them."""
        places, h = self._visits.places.take(which), self._bandwidth_px
        down = _kernel(y_px, places.y0_px, places.y1_px, h, self._dtype)
        down /= mass_inside(y_px, h, self._raster.page.height_px).astype(self._dtype)
        down *= weights[:, None].astype(self._dtype)
        if self._kept is None:
            across = self._across(places.x0_px, places.x1_px)
        else:
            across = self._kept[self._side[which]]
        visits, starts = np.unique(places.visit, return_index=True)
        ends = np.append(starts[1:], len(places))
        for visit, start, end in zip(visits.tolist(), starts.tolist(), ends.tolist(), strict=True):
            np.matmul(down[start:end].T, across[start:end], out=surfaces[visit])

    def _across(self, low_px: FloatArray, high_px: FloatArray) -> Table:
        kernel = _kernel(self._x_px, low_px, high_px, self._bandwidth_px, self._dtype)
        width_px = self._raster.page.width_px
        kernel /= mass_inside(self._x_px, self._bandwidth_px, width_px).astype(self._dtype)
        return kernel


def _whole_visits(visit: Whole) -> list[slice]:
    """Cut places, which lie by visit, into parts that cut no visit in two."""
    parts: list[slice] = []
    start = 0
    while start < visit.size:
        stop = min(start + PLACES_AT_ONCE, visit.size)
        if stop < visit.size:
            begun = int(np.searchsorted(visit, visit[stop]))
            stop = begun if begun > start else int(np.searchsorted(visit, visit[stop], "right"))
        parts.append(slice(start, stop))
        start = stop
    return parts


def _kernel(
    at_px: FloatArray,
    low_px: FloatArray,
    high_px: FloatArray,
    bandwidth_px: float,
    dtype: type[np.floating[Any]],
) -> Table:
    """Heat per pixel at each place (columns) of weight 1 spread over low..high (rows)."""
    length = high_px - low_px
    middle = (low_px + high_px) / 2
    # From the first place on: single precision is fine over a block, not over a page.
    to, middles = (((px - at_px[0]) / bandwidth_px).astype(dtype) for px in (at_px, middle))
    apart = to - middles[:, None]
    np.square(apart, out=apart)
    apart *= -0.5
    kernel: Table = np.exp(apart, out=apart)
    kernel /= bandwidth_px * math.sqrt(2 * math.pi)
    # Boxes are the zones of a layout, so that most of them repeat a few.
    wide = np.flatnonzero(length > THIN * bandwidth_px)
    if wide.size:
        sides, which = np.unique(
            np.column_stack((low_px[wide], high_px[wide])), axis=0, return_inverse=True
        )
        low, high = sides.T[:, :, None]
        spread = ndtr((high - at_px) / bandwidth_px) - ndtr((low - at_px) / bandwidth_px)
        kernel[wide] = (spread / (high - low))[which.ravel()]
    return kernel
