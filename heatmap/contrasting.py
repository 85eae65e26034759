"""Where one cohort dwells longer than another, and whether that is more than chance.

Colour is the logarithm of the ratio of dwell per exposed visit; the decision is the studentised
difference, whose largest value anywhere on the page is compared with the largest values that other
labellings of the visits give. The asymptotic tolerance contours of relative risk were tried and
rejected: they take stalls for independent, and flag a third of a page on which nothing differs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from heatmap.bandwidth import POINTER_BANDWIDTH_PX, check_bandwidth
from heatmap.cohorts import Cohort, Flags, Mode, pile
from heatmap.comparison import Comparison
from heatmap.errors import CohortError
from heatmap.page import FloatArray, Page
from heatmap.planning import MIN_VISITS, detectable_ratio
from heatmap.raster import Raster
from heatmap.regions import Evidence, Region, describe, find_regions
from heatmap.relabelling import RELABELLINGS, Labellings
from heatmap.smoothing import one_thread
from heatmap.spreads import comparable, guard
from heatmap.studentised import Relabelled, Spread, spread_for

CELL_SHARE = 1 / 5
"""Side of a cell over the bandwidth: between the centres of cells a surface then turns so little
that lines drawn through them look round."""

LEVEL = 0.05
FAINT_LEVEL = 0.20
"""Chance that a page on which nothing differs shows any solid, any dashed contour."""

FLOOR_SHARE = 0.05
"""Of the mean dwell over the page. It is added to both cohorts' dwell in their ratio, which then
stays near 1 where hardly anybody dwells, and places with less of it are not tested: they are the
kernel's tails, which only blur where a difference lies (measured: regions two fifths less high, and
twice-as-long stalls found in 26 instead of 23 of 30 simulated maps)."""


@dataclass(frozen=True, slots=True)
class TooFew:
    """There is nothing to draw yet: the cohorts' sizes, and how many visits each must have."""

    first_visits: int
    second_visits: int
    min_visits: int


@dataclass(frozen=True, slots=True, eq=False)
class Contrast:
    """Two cohorts compared all over a page. Surfaces are (rows, columns) over square cells.

    width_px, height_px, cell_px  the page and its cells, CSS pixels; row 0 is the top
    first, second   dwell per exposed visit of each cohort and square CSS pixel
    log_ratio       logarithm of the ratio of the two, for colour; 0 where it cannot be told
    t               studentised difference, first minus second; NaN where not tested
    p               of t, corrected for the whole page; NaN where not tested
    effective       effective number of visits behind a cell
    tested          whether enough visits saw the cell and dwelt there
    critical        t beyond which a cell is significant at level; inf where none can be
    faint           the same at faint_level
    p_page          that the cohorts differ anywhere; 1 where nothing was tested
    p_overall       of the squared difference over all tested cells
    regions         where they differ for sure, the surest first
    first_visits, second_visits  the cohorts' sizes
    detectable_ratio  the least ratio that cohorts of this size would have shown
    labellings      how many were compared, the observed one among them
    spread          whose variance the differences were measured by
    """

    width_px: int
    height_px: int
    cell_px: float
    first: FloatArray
    second: FloatArray
    log_ratio: FloatArray
    t: FloatArray
    p: FloatArray
    effective: FloatArray
    tested: Flags
    critical: float
    faint: float
    level: float
    faint_level: float
    p_page: float
    p_overall: float
    regions: tuple[Region, ...]
    first_visits: int
    second_visits: int
    detectable_ratio: float
    labellings: int
    spread: Spread

    def amount(self) -> FloatArray:
        """Give the difference in dwell as a share of the largest one on the page, 0..1."""
        apart = np.abs(self.first - self.second)
        most = float(apart[self.tested].max(initial=0.0))
        return np.minimum(apart / most, 1.0) if most > 0 else np.zeros(apart.shape)

    def lines(self) -> FloatArray:
        """Give t with 0 where nothing was tested, for contours at +-critical and +-faint."""
        return np.where(self.tested, self.t, 0.0)


def contrast(
    first: Cohort,
    second: Cohort,
    *,
    width_px: int,
    height_px: int,
    bandwidth_px: float = POINTER_BANDWIDTH_PX,
    cell_px: float | None = None,
    mode: Mode = "seconds",
    min_visits: int = MIN_VISITS,
    level: float = LEVEL,
    faint_level: float = FAINT_LEVEL,
    relabellings: int = RELABELLINGS,
    seed: int = 0,
) -> Contrast | TooFew:
    """Compare where two cohorts of visits dwell on a page.

    first, second  made by `heatmap.cohorts.cohort`: those who abandoned and those who completed,
                   or any other two
    width_px, height_px  size of the page, CSS pixels
    bandwidth_px   standard deviation of the Gaussian kernel, 2..200 CSS pixels, the same for both
    cell_px        side of a cell, CSS pixels; None for a fifth of the bandwidth
    mode           `seconds` per visit, or `share` of each visit
    min_visits     of each cohort, at least 2
    level, faint_level  chance of any false contour, solid and dashed; 0..1
    relabellings   of the visits within their strata; all there are where they are no more
    seed           of the draws
    Returns        Contrast, the same for the same visits in whatever order; or TooFew
    Raises         CohortError, BandwidthError, PageSizeError
    Source         Kelsall & Diggle 1995, Bernoulli 1, 3-16, for one bandwidth for both (unequal
                   ones make ridges); Bithell 1991, Statistics in Medicine 10, 1745-1751, and
                   Bowman & Azzalini 1997, ch. 6, for the logarithm of the ratio and its floor;
                   Westfall & Young 1993, ch. 2, and Nichols & Holmes 2002, Human Brain Mapping
                   15, 1-25, for the largest difference over a page
    """
    _check(min_visits, level, faint_level)
    if min(len(first), len(second)) < min_visits:
        return TooFew(len(first), len(second), min_visits)
    page = Page(width_px, height_px)
    bandwidth = check_bandwidth(bandwidth_px)
    raster = Raster(page, bandwidth * CELL_SHARE if cell_px is None else cell_px)
    visits = pile(first, second, page, mode)
    labellings = Labellings(visits.first, visits.stratum, relabellings, seed)
    with one_thread():
        comparison = Comparison(visits, raster, bandwidth)
        return _contrast(comparison, labellings, level, faint_level)


def log_ratio(first: FloatArray, second: FloatArray, floor: float = 0.0) -> FloatArray:
    """Give the logarithm of the ratio of two surfaces, each lifted by a floor.

    Source   Bithell 1991, Statistics in Medicine 10, 1745-1751
    """
    return np.asarray(np.log(first + floor) - np.log(second + floor), dtype=np.float64)


def _check(min_visits: int, level: float, faint_level: float) -> None:
    if min_visits < 2:
        raise CohortError(f"min_visits must be at least 2, got {min_visits!r}")
    for name, value in (("level", level), ("faint_level", faint_level)):
        if not 0 < value < 1:
            raise CohortError(f"{name} must lie between 0 and 1, got {value!r}")


def _contrast(
    comparison: Comparison, labellings: Labellings, level: float, faint_level: float
) -> Contrast:
    raster, known = comparison.raster, comparison.known
    sizes = comparison.sizes
    seen_enough = comparison.seen_enough
    floor = _floor(known.mean[seen_enough.ravel()])
    tested = comparable(known, seen_enough.ravel(), floor)
    spread = spread_for(*sizes)
    relabelled = Relabelled(
        len(labellings), comparison.visits.stratum, guard(known.spread[tested]), spread
    )
    tested = tested.reshape(comparison.shape)
    t = comparison.relabel(relabelled, labellings, tested)
    p = np.where(tested, relabelled.p_anywhere(t), np.nan)
    critical = relabelled.critical(level)
    found = find_regions(t, tested, critical)
    first, second = (mean.reshape(comparison.shape) for mean in (known.first, known.second))
    evidence = Evidence(t, p, first, second, comparison.exposed(), comparison.concerned(found))
    return Contrast(
        width_px=raster.page.width_px,
        height_px=raster.page.height_px,
        cell_px=raster.cell_px,
        first=first,
        second=second,
        log_ratio=_coloured(first, second, seen_enough, floor),
        t=np.where(tested, t, np.nan),
        p=p,
        effective=known.effective.reshape(comparison.shape),
        tested=tested,
        critical=critical,
        faint=relabelled.critical(faint_level),
        level=level,
        faint_level=faint_level,
        p_page=float(p[tested].min(initial=1.0)),
        p_overall=relabelled.p_overall(),
        regions=describe(found, raster, evidence),
        first_visits=sizes[0],
        second_visits=sizes[1],
        detectable_ratio=detectable_ratio(*sizes),
        labellings=len(labellings),
        spread=spread,
    )


def _floor(mean: FloatArray) -> float:
    return FLOOR_SHARE * float(mean.mean()) if mean.size else 0.0


def _coloured(
    first: FloatArray, second: FloatArray, seen_enough: Flags, floor: float
) -> FloatArray:
    if floor <= 0:
        return np.zeros(first.shape)
    return np.where(seen_enough, log_ratio(first, second, floor), 0.0)
