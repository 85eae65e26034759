"""Selectors that read a bandwidth off the sample: known rules, kept to check numbers against.

The product offers none of them. On real pointers they fail: people rest on the same few pixels,
so that the curve these rules look for falls without end (`heatmap/bandwidth.py` says what is
offered instead). Scott's rule is not here because the product's `auto` is built on it.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.fft import dct
from scipy.optimize import brentq

from heatmap.bandwidth import effective_count
from heatmap.page import FloatArray
from tests.reference.binning import share_linearly

NORMAL_QUARTILES = 1.34
"""Distance between the quartiles of a normal distribution of standard deviation 1."""

ISJ_POINTS = 1024
ISJ_STAGES = 7
"""The rule starts from the norm of the seventh derivative and works its way down to the second."""
ISJ_LARGEST_T = 1.0
"""Time of diffusion after which nothing of the sample's shape is left on the unit interval."""


def silverman(values: FloatArray, weights: FloatArray) -> float:
    """0.9 min(sd, IQR / 1.34) n^(-1/5): Silverman 1986, Density Estimation, eq. 3.31."""
    count = effective_count(weights)
    mean = np.average(values, weights=weights)
    sd = math.sqrt(np.average((values - mean) ** 2, weights=weights) * count / (count - 1))
    low, high = quantile(values, weights, 0.25), quantile(values, weights, 0.75)
    return float(0.9 * min(sd, (high - low) / NORMAL_QUARTILES) * count ** (-1 / 5))


def quantile(values: FloatArray, weights: FloatArray, share: float) -> float:
    """Weighted quantile: each value stands at the middle of its weight, straight in between."""
    order = np.argsort(values, kind="stable")
    sorted_weights = weights[order]
    middles = (np.cumsum(sorted_weights) - sorted_weights / 2) / sorted_weights.sum()
    return float(np.interp(share, middles, values[order]))


def improved_sheather_jones(values: FloatArray, weights: FloatArray) -> tuple[float, float]:
    """Bandwidth on the unit interval, and the length of the grid that stands for the interval.

    The product of the two is the bandwidth in px.
    Source  Botev, Grotowski & Kroese 2010, Kernel density estimation via diffusion, Annals of
            Statistics 38. The grid reaches half the sample's range beyond it, so that what the
            transform mirrors at the ends lies far away
    """
    beyond = max((values.max() - values.min()) / 2, 6.0)
    low, length = values.min() - beyond, values.max() - values.min() + 2 * beyond
    places = (values - low) / length * (ISJ_POINTS - 1)
    mass = share_linearly(places, weights / weights.sum(), ISJ_POINTS)
    power = (dct(mass)[1:] / 2) ** 2
    count = np.unique(values).size
    return math.sqrt(_diffusion_time(power, count)), length


def _diffusion_time(power: FloatArray, count: int) -> float:
    """Smallest positive time at which the plug-in rule gives back what it was given."""
    high = 0.01 * (min(max(count, 50), 1050) - 50) / 1000 + 1e-11
    while high < ISJ_LARGEST_T:
        if _rule(0.0, power, count) * _rule(high, power, count) < 0:
            return float(brentq(_rule, 0.0, high, args=(power, count)))
        high *= 2
    raise ValueError("the rule has no solution for this sample")


def _rule(time: float, power: FloatArray, count: int) -> float:
    """Time less the best time for the norms of derivatives that it implies: t - xi gamma(t)."""
    norm = _norm(time, power, ISJ_STAGES)
    for order in range(ISJ_STAGES - 1, 1, -1):
        moment = math.prod(range(1, 2 * order, 2)) / math.sqrt(2 * math.pi)
        factor = (1 + 0.5 ** (order + 0.5)) / 3
        if norm == 0:
            return -1.0  # all shape is smoothed away, so that only a longer time could be best
        norm = _norm((2 * factor * moment / (count * norm)) ** (2 / (3 + 2 * order)), power, order)
    return float(time - (2 * count * math.sqrt(math.pi) * norm) ** (-2 / 5))


def _norm(time: float, power: FloatArray, order: int) -> float:
    """Squared norm of the derivative of that order, after diffusion, by Plancherel."""
    waves = np.arange(1, power.size + 1, dtype=np.float64) ** 2
    terms = waves**order * power * np.exp(-waves * math.pi**2 * time)
    return float(2 * math.pi ** (2 * order) * terms.sum())


def least_squares_score(
    x: FloatArray,
    y: FloatArray,
    weights: FloatArray,
    bandwidth_px: float,
    group: FloatArray | None = None,
) -> float:
    """Cross-validation score on the whole plane: integral of f^2 - 2 sum w f_without(x), exact.

    Each point is judged by the density of the others, or of the other groups' points where group
    tells them apart. Source: Bowman 1984, Biometrika 71.
    """
    share = weights / weights.sum()
    groups = np.arange(x.size) if group is None else group
    squared = (np.square(x[:, None] - x) + np.square(y[:, None] - y)) / bandwidth_px**2
    # Two kernels laid over each other are one of twice the variance; its square is the kernel.
    wide = np.exp(-squared / 4)
    integral = share @ wide @ share / (4 * math.pi * bandwidth_px**2)
    apart = groups[:, None] != groups
    others = (np.where(apart, wide**2, 0) @ share) / (apart @ share)
    return float(integral - share @ others / (math.pi * bandwidth_px**2))
