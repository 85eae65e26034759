"""Visits of a small page for the tests of contrasts, and the slow way to compare two cohorts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heatmap import cohort
from heatmap.cohorts import Cohort
from heatmap.exact import exact_density
from heatmap.marks import gather
from heatmap.page import FloatArray, Page
from heatmap.raster import Raster
from heatmap.winsorising import winsorised

PAGE_PX = (480, 640)
BANDWIDTH_PX = 40.0
CONTROLS = np.array([(120.0, 100.0), (330.0, 300.0), (150.0, 520.0)])
PLANTED = 0


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """Visits as rows of stalls: (n, stalls, 2) places, (n, stalls) seconds, (n,) depths."""

    at_px: FloatArray
    seconds: FloatArray
    seen_px: FloatArray | None = None
    stratum: NDArray[np.intp] | None = None

    def __len__(self) -> int:
        return len(self.seconds)

    def cohort(self, which: Any = slice(None)) -> Cohort:
        """Some of them, in any order."""
        order = np.arange(len(self))[which]
        at_px, seconds = self.at_px[order], self.seconds[order]
        return cohort(
            len(order),
            at_px.reshape(-1, 2),
            seconds.ravel(),
            np.repeat(np.arange(len(order)), seconds.shape[1]),
            seen_px=None if self.seen_px is None else self.seen_px[order],
            stratum=None if self.stratum is None else self.stratum[order],
        )

    def slower(self, which: Any, ratio: float) -> Told:
        """The same visits, some of which dwell longer at the planted control."""
        seconds = self.seconds.copy()
        seconds[which, 2 * PLANTED : 2 * PLANTED + 2] *= ratio
        return replace(self, seconds=seconds)


def visits(seed: int, count: int, **told: Any) -> Told:
    """Two stalls around each control for each visit, in whole pixels."""
    rng = np.random.default_rng(seed)
    at = np.repeat(CONTROLS, 2, axis=0) + rng.normal(0, 15, (count, 2 * len(CONTROLS), 2))
    seconds = rng.lognormal(1.0, 0.6, (count, 1)) * rng.gamma(2.0, 0.5, at.shape[:2])
    return Told(np.rint(at), seconds, **told)


def naive_surfaces(told: Told, raster: Raster, bandwidth_px: float = BANDWIDTH_PX) -> FloatArray:
    """One visit after the other, each by its own direct sum: (n, rows, columns)."""
    totals = told.seconds.sum(axis=1)
    counted = told.seconds * winsorised(totals)[:, None]
    return np.stack(
        [
            exact_density(
                gather(at, weight), raster.page, raster.x_px(), raster.y_px(), bandwidth_px
            )
            for at, weight in zip(told.at_px, counted, strict=True)
        ]
    )


def raster(cell_px: float = 16.0, size_px: tuple[int, int] = PAGE_PX) -> Raster:
    return Raster(Page(*size_px), cell_px)
