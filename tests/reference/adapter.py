"""The project's own functions under the names by which a checker of reference values calls them.

Images are (ny, nx), row 0 at the top of the page, values at the centres of nx x ny equal cells.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from heatmap import density
from heatmap.bandwidth import effective_count, scott_bandwidth
from heatmap.exact import exact_density
from heatmap.fixations import find_stalls
from heatmap.marks import gather
from heatmap.page import FloatArray, Page
from heatmap.smoothing import Edge, mass_inside
from tests.reference import relabelled, selectors, tolerance
from tests.reference.binning import share_bilinearly

Stall = tuple[int, int, float, float, float, float]


def kde(
    x: FloatArray,
    y: FloatArray,
    w: FloatArray,
    h: float,
    width: int,
    height: int,
    nx: int,
    ny: int,
    edge: Edge,
) -> FloatArray:
    """The exact path."""
    marks = gather(np.column_stack((x, y)), w / w.sum())
    return exact_density(marks, Page(width, height), *_centres(width, height, nx, ny), h, edge)


def kde_binned(
    x: FloatArray,
    y: FloatArray,
    w: FloatArray,
    h: float,
    width: int,
    height: int,
    nx: int,
    ny: int,
    edge: Edge,
) -> FloatArray:
    """The path that maps are made by, over cells; it takes square cells alone."""
    if width * ny != height * nx:
        raise ValueError(f"{nx} x {ny} cells of a page of {width} x {height} px are not square")
    return density(
        np.column_stack((x, y)),
        w / w.sum(),
        width_px=width,
        height_px=height,
        bandwidth_px=h,
        cell_px=width / nx,
        edge=edge,
    )


def edge_mass(h: float, width: int, height: int, nx: int, ny: int) -> FloatArray:
    x_px, y_px = _centres(width, height, nx, ny)
    return np.outer(mass_inside(y_px, h, height), mass_inside(x_px, h, width))


def kde_linbin(
    x: FloatArray,
    y: FloatArray,
    w: FloatArray,
    h: float,
    width: int,
    height: int,
    nx: int,
    ny: int,
) -> FloatArray:
    """The test's own binning; the exact path sums the kernels of the cells' centres."""
    mass = share_bilinearly(y / height * ny - 0.5, x / width * nx - 0.5, w / w.sum(), (ny, nx))
    x_px, y_px = _centres(width, height, nx, ny)
    down, across = np.meshgrid(y_px, x_px, indexing="ij")
    marks = gather(np.column_stack((across.ravel(), down.ravel())), mass.ravel())
    return exact_density(marks, Page(width, height), x_px, y_px, h, "none")


def scott(v: FloatArray, w: FloatArray) -> float:
    return scott_bandwidth(v, w)


def silverman(v: FloatArray, w: FloatArray) -> float:
    return selectors.silverman(v, w)


def isj(v: FloatArray, w: FloatArray) -> float:
    """As KDEpy counts: it transforms a grid twice as long as the sample's range, and multiplies
    what it finds by that range, so that its bandwidth is half the paper's."""
    share, _ = selectors.improved_sheather_jones(v, w)
    return share * float(np.ptp(v))


def neff(w: FloatArray) -> float:
    return effective_count(w)


def lscv(x: FloatArray, y: FloatArray, w: FloatArray, h: float, visit: FloatArray | None) -> float:
    return selectors.least_squares_score(x, y, w, h, visit)


def log_rr(
    x1: FloatArray,
    y1: FloatArray,
    w1: FloatArray,
    x2: FloatArray,
    y2: FloatArray,
    w2: FloatArray,
    h: float,
    width: int,
    height: int,
    nx: int,
    ny: int,
) -> FloatArray:
    groups = (x1, y1, w1), (x2, y2, w2)
    return tolerance.ratio_surface(*groups, h, Page(width, height), nx, ny)


def tolerance_p(
    x1: FloatArray,
    y1: FloatArray,
    w1: FloatArray,
    x2: FloatArray,
    y2: FloatArray,
    w2: FloatArray,
    h: float,
    width: int,
    height: int,
    nx: int,
    ny: int,
) -> FloatArray:
    """Of tests alone: it is wrong for visits, and never drawn."""
    groups = (x1, y1, w1), (x2, y2, w2)
    return tolerance.upper_tail(*groups, h, Page(width, height), nx, ny)


def global_ise(
    x1: FloatArray,
    y1: FloatArray,
    w1: FloatArray,
    x2: FloatArray,
    y2: FloatArray,
    w2: FloatArray,
    h: float,
) -> float:
    return tolerance.squared_distance((x1, y1, w1), (x2, y2, w2), h)


def visit_test(
    x: FloatArray,
    y: FloatArray,
    w: FloatArray,
    visit: NDArray[Any],
    visit_ids: NDArray[Any],
    labels: NDArray[Any],
    h: float,
    width: int,
    height: int,
    nx: int,
    ny: int,
    kmin: float,
    s0q: float,
) -> dict[str, FloatArray | float]:
    """By the parts that a contrast is made of, with the labels that are given."""
    raster = relabelled.page_of(width, height, nx, ny)
    case = relabelled.Case((x, y, w, visit), visit_ids, labels, h, raster, (kmin, s0q))
    return relabelled.visit_test(case)


def stalls(
    t: FloatArray,
    x: FloatArray,
    y: FloatArray,
    dmax: float,
    tmin: float,
    cap: float,
    t_end: float,
) -> list[Stall]:
    found = find_stalls(
        t, x, y, tail_ms=t_end - t[-1], cap_ms=cap, dispersion_px=dmax, shortest_ms=tmin
    )
    columns = (found.first, found.last, found.t_ms, found.duration_ms, found.x_px, found.y_px)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _centres(width: int, height: int, nx: int, ny: int) -> tuple[FloatArray, FloatArray]:
    return (np.arange(nx) + 0.5) * width / nx, (np.arange(ny) + 0.5) * height / ny
