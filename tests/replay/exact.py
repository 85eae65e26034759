"""The density of points by its definition, in double precision, and where it peaks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

Floats = NDArray[np.float64]
AT_ONCE = 256
"""Places summed together: some tens of MB for ten thousand points."""


def direct_sum(
    points: Floats, places: Floats, page: tuple[int, int], bandwidth_px: float
) -> Floats:
    """Mass per square pixel at each place: Gaussians of all points, less what lies off the page.

    points, places  (n, 2), (m, 2) x, y in px of the page; page is its width and height
    """
    summed = [
        _kernel(places[at : at + AT_ONCE, None, :] - points, bandwidth_px).sum(axis=1)
        for at in range(0, len(places), AT_ONCE)
    ]
    return np.asarray(np.concatenate(summed) / _inside(places, page, bandwidth_px))


def highest(places: Floats, heights: Floats, apart_px: float, count: int) -> NDArray[np.intp]:
    """The highest places that lie apart, highest first, by index."""
    chosen: list[int] = []
    for index in np.argsort(-heights, kind="stable"):
        far = np.hypot(*(places[chosen] - places[index]).T) >= apart_px
        if far.all():
            chosen.append(int(index))
        if len(chosen) == count:
            break
    return np.array(chosen, dtype=np.intp)


def _kernel(distance_px: Floats, bandwidth_px: float) -> Floats:
    squared = (distance_px**2).sum(axis=-1) / bandwidth_px**2
    return np.asarray(np.exp(-squared / 2) / (2 * np.pi * bandwidth_px**2))


def _inside(places: Floats, page: tuple[int, int], bandwidth_px: float) -> Floats:
    scale = bandwidth_px * np.sqrt(2)
    shares = (erf((np.array(page) - places) / scale) + erf(places / scale)) / 2
    return np.asarray(shares.prod(axis=1))
