"""Rules that choose the bandwidth: how far one mark's heat reaches, as a standard deviation.

The bandwidth is a property of the page, not of the sample. Selectors that follow the sample
(improved Sheather-Jones, least-squares cross-validation) were tried and rejected: people rest
their pointers on the same few pixels, and these rules then go to 1 px or to nothing at all.
"""

from __future__ import annotations

import math

import numpy as np

from heatmap.errors import BandwidthError
from heatmap.marks import Marks
from heatmap.page import FloatArray

MIN_BANDWIDTH_PX = 2.0
MAX_BANDWIDTH_PX = 200.0

POINTER_BANDWIDTH_PX = 40.0
"""A typical control is 40 to 48 px high; gaze strays further than that from a resting mouse."""
PRECISE_BANDWIDTH_PX = 24.0
"""A click or a tap is aimed, and a phone's controls stand closer together."""

SCOTT_SHARE = 0.4
"""Scott's rule assumes one normal cloud; pages have many, and 0.4 of it fits their controls."""
AUTO_MIN_PX = 24.0
AUTO_MAX_PX = 64.0

AIMED_KINDS = frozenset({"click", "rageclick", "deadclick", "press"})


def check_bandwidth(bandwidth_px: float) -> float:
    """Return bandwidth_px as a float, or raise BandwidthError unless it lies in 2..200 px."""
    try:
        bandwidth = float(bandwidth_px)
    except (TypeError, ValueError):
        bandwidth = math.nan
    if not MIN_BANDWIDTH_PX <= bandwidth <= MAX_BANDWIDTH_PX:
        raise BandwidthError(
            f"bandwidth_px must be between {MIN_BANDWIDTH_PX:g} and {MAX_BANDWIDTH_PX:g},"
            f" got {bandwidth_px!r}"
        )
    return bandwidth


def default_bandwidth(kind: str, touch: bool) -> float:
    """Give the bandwidth of a page's map, CSS pixels: 24 for touch and clicks, else 40.

    kind   the events' kind (`click`, `move`, `hover`, ...) or `stall`
    touch  whether the map shows visits by touch
    """
    return PRECISE_BANDWIDTH_PX if touch or kind in AIMED_KINDS else POINTER_BANDWIDTH_PX


def auto_bandwidth(marks: Marks) -> float:
    """Give 0.4 x the geometric mean of Scott's bandwidths for both axes, kept within 24..64 px.

    marks    marks of one map, inside its page; a box counts as all the places in it. Fewer than
             two effective marks, or all at one place, give the lower limit
    Returns  bandwidth, CSS pixels
    Source   Scott 1992, Multivariate Density Estimation, for the rule; the factor and the limits
             were set on real pointer visits
    """
    points, boxes = marks.points, marks.boxes
    weights = np.concatenate((points.weight, boxes.weight), dtype=np.float64)
    product = 1.0
    for at_px, low_px, high_px in (
        (points.x_px, boxes.x0_px, boxes.x1_px),
        (points.y_px, boxes.y0_px, boxes.y1_px),
    ):
        middles = np.concatenate((at_px, (low_px + high_px) / 2), dtype=np.float64)
        extents = np.concatenate((np.zeros(at_px.size), high_px - low_px))
        product *= scott_bandwidth(middles, weights, extents)
    return min(max(SCOTT_SHARE * math.sqrt(product), AUTO_MIN_PX), AUTO_MAX_PX)


def scott_bandwidth(
    middles_px: FloatArray, weights: FloatArray, extents_px: FloatArray | float = 0.0
) -> float:
    """Give Scott's bandwidth of one axis of a plane, sd x n^(-1/6); 0 below two effective marks.

    middles_px  (n,) one coordinate of the marks or of their middles, CSS pixels
    weights     (n,) not negative; they count by Kish's n = (sum w)^2 / sum w^2 and by the
                reliability-weighted standard deviation
    extents_px  (n,) or one for all: length of the side over which a mark is spread, CSS pixels
    Returns     CSS pixels
    """
    count = effective_count(weights)
    if count <= 1.0:
        return 0.0
    mean = np.average(middles_px, weights=weights)
    spread = (middles_px - mean) ** 2 + np.square(extents_px) / 12  # variance of an even spread
    variance = float(np.average(spread, weights=weights))
    return math.sqrt(variance * count / (count - 1)) * math.pow(count, -1 / 6)


def effective_count(weights: FloatArray) -> float:
    """Give Kish's effective number of marks, (sum w)^2 / sum w^2; 0 where nothing has weight."""
    squares = float(np.square(weights).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0
