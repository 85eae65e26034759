"""The relabelling test on a reference case: given labels, one surface per visit, shares."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from heatmap.cohorts import Pile, Places
from heatmap.exposure import count
from heatmap.page import FloatArray, Page
from heatmap.raster import Raster
from heatmap.spreads import Moments, guard, moments
from heatmap.studentised import Labelled, Relabelled, Spread
from heatmap.visit_surfaces import VisitSurfaces


class Case:
    """A page's visits under given labels, in double precision."""

    def __init__(
        self,
        points: tuple[FloatArray, FloatArray, FloatArray, NDArray[Any]],
        visit_ids: NDArray[Any],
        labels: NDArray[Any],
        h: float,
        raster: Raster,
        limits: tuple[float, float],
    ) -> None:
        """limits are the least effective number of visits, and the guard's quantile."""
        x, y, w, visit = points
        place = np.searchsorted(visit_ids, visit)
        order = np.argsort(place, kind="stable")
        x, y, w, place = x[order], y[order], w[order], place[order]
        share = w / np.bincount(place, w)[place]
        n = len(visit_ids)
        self.first = labels[0] == 1
        self.stratum = np.zeros(n, dtype=np.intp)
        visits = Pile(
            Places(x, y, x, y, share, place), w, self.first, self.stratum, np.full(n, np.inf)
        )
        self.shape = (raster.rows, raster.columns)
        surfaces = VisitSurfaces(visits, raster, h, np.float64)
        self.values = surfaces.rows(0, raster.rows).reshape(n, -1)
        self.rows = np.repeat(np.arange(raster.rows), raster.columns)
        self.seen = np.ones((n, raster.rows), dtype=np.bool_)
        self.labels = labels.astype(np.float64)
        self.known: Moments = moments(self.values, self.seen, self.rows, self.first, self.stratum)
        self.mask = self.known.effective >= limits[0]
        self.guard = guard(self.known.spread[self.mask], limits[1])
        self.areas = raster.areas().ravel()

    def run(self, spread: Spread, cells: NDArray[np.bool_]) -> tuple[Relabelled, FloatArray]:
        """Relabel all chosen cells at once."""
        relabelled = Relabelled(len(self.labels), self.stratum, self.guard, spread)
        counts = count(self.labels, self.seen, self.stratum)
        t = relabelled.add(
            Labelled(self.labels, self.seen, counts),
            self.values[:, cells],
            self.rows[cells],
            self.known.spread[cells],
            self.areas[cells],
        )
        return relabelled, np.asarray(t, dtype=np.float64)

    def image(self, values: FloatArray) -> FloatArray:
        """Put values of the masked cells into their places, NaN elsewhere."""
        full = np.full(self.mask.size, np.nan)
        full[self.mask] = values
        return full.reshape(self.shape)


def visit_test(case: Case) -> dict[str, FloatArray | float]:
    """All that the reference tells of a case."""
    told: dict[str, FloatArray | float] = {
        "keff": case.known.effective.reshape(case.shape),
        "mean1": case.known.first.reshape(case.shape),
        "mean2": case.known.second.reshape(case.shape),
    }
    for suffix, spread in (("", "pooled"), ("_welch", "each")):
        relabelled, t = case.run(spread, case.mask)  # type: ignore[arg-type]
        told["t" + suffix] = case.image(t[0])
        told["p_point" + suffix] = case.image(relabelled.p_planned(t))
        told["p_fwe" + suffix] = case.image(relabelled.p_anywhere(t[0]))
    everywhere, _ = case.run("pooled", np.ones_like(case.mask))
    first, second = (int((case.first == which).sum()) for which in (True, False))
    told["s0"] = case.guard * float(np.sqrt(1 / first + 1 / second))
    told["p_global_max"] = float(np.nanmin(np.asarray(told["p_fwe"])))
    told["p_global_ise"] = everywhere.p_overall()
    return told


def page_of(width: int, height: int, nx: int, ny: int) -> Raster:
    if width * ny != height * nx:
        raise ValueError(f"{nx} x {ny} cells of a page of {width} x {height} px are not square")
    return Raster(Page(width, height), width / nx)
