"""Intensity to a level of colour: 0 is nothing, 255 the intensity of full colour and above."""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from heatmap.errors import ScaleError
from heatmap.page import FloatArray

Curve = Literal["linear", "sqrt", "log"]
"""How colour follows heat: `linear` shows proportions, `sqrt` lifts what is weak, `log` shows how
far heat reaches down to one percent of full colour."""

Singles = NDArray[np.float32]

Levels = NDArray[np.uint8]
"""Levels of colour, which are the indices of a picture."""

TOP_LEVEL = 255

LOG_SPAN = 99.0
"""log: the curve is log(1 + 99 s) / log(100), so it climbs steepest around 1/99 of full colour."""
LOG_STEP = TOP_LEVEL / math.log1p(LOG_SPAN)
"""Levels for each unit of the logarithm."""


def check_scale(curve: str, scale_max: float | None) -> None:
    """Raise ScaleError for an unknown curve, or a scale_max that is not positive and finite."""
    if curve not in get_args(Curve):
        raise ScaleError(f"scale must be one of {', '.join(get_args(Curve))}, got {curve!r}")
    if scale_max is not None and not 0 < scale_max < math.inf:
        raise ScaleError(
            f"scale_max must be positive and finite, or None for the map's own peak,"
            f" got {scale_max!r}"
        )


def gain(curve: Curve) -> float:
    """Give what the share of full colour is multiplied by before `bend`."""
    return {"linear": TOP_LEVEL, "sqrt": TOP_LEVEL**2, "log": LOG_SPAN}[curve]


def least_gained(curve: Curve) -> float:
    """Give the least share, times gain, that is rounded up to level 1."""
    return {"linear": 0.5, "sqrt": 0.25, "log": math.expm1(0.5 / LOG_STEP)}[curve]


def bend(gained: Singles, curve: Curve, clipped: bool) -> Singles:
    """Turn shares times gain, in place, into levels: whole numbers once cut off after the point.

    clipped  whether some may lie above full colour
    """
    if clipped:
        np.minimum(gained, gain(curve), out=gained)
    if curve == "sqrt":
        np.sqrt(gained, out=gained)
    elif curve == "log":
        np.log1p(gained, out=gained)
        gained *= LOG_STEP
    gained += 0.5
    return gained


def levels(intensity: FloatArray, scale_max: float, curve: Curve) -> Levels:
    """Give the level of each intensity, 0..255, rounded to the nearest.

    intensity  mass per square CSS pixel, any shape
    scale_max  intensity of full colour, same unit, positive; above it colour stays full
    curve      `linear`, `sqrt` or `log`
    Returns    uint8, the shape of intensity
    """
    share = np.clip(intensity / scale_max, 0.0, 1.0)
    if curve == "sqrt":
        share = np.sqrt(share)
    elif curve == "log":
        share = np.log1p(LOG_SPAN * share) / math.log1p(LOG_SPAN)
    return np.rint(share * TOP_LEVEL).astype(np.uint8)
