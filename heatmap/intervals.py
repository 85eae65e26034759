"""Intervals of 95 % for what a cohort's visits show on the average."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from heatmap.page import FloatArray

CONFIDENCE = 0.95

NORMAL_Z = 1.959963984540054
"""Of CONFIDENCE, two-sided."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the interval around it; NaN where the data do not tell."""

    value: float
    low: float
    high: float


UNKNOWN = Interval(math.nan, math.nan, math.nan)


def mean_interval(values: FloatArray) -> Interval:
    """Give the mean of values that cannot be negative, and Student's interval around it.

    values   (n,) one for each visit, already winsorised: their spread is then finite and honest
    Returns  Interval, not below 0; for one visit the interval is all there is, for none UNKNOWN
    Source   Student 1908, Biometrika 6, 1-25; Tukey & McLaughlin 1963, Sankhya A 25, 331-352,
             for winsorised values
    """
    if values.size == 0:
        return UNKNOWN
    mean = float(values.mean())
    if values.size == 1:
        return Interval(mean, 0.0, math.inf)
    error = float(values.std(ddof=1)) / math.sqrt(values.size)
    reach = float(stdtrit(values.size - 1, (1 + CONFIDENCE) / 2)) * error
    return Interval(mean, max(0.0, mean - reach), mean + reach)


def ratio_interval(first: FloatArray, second: FloatArray) -> Interval:
    """Give the ratio of two means and its interval, which is even in the logarithm.

    first, second  one value for each visit, not negative
    Returns        Interval; UNKNOWN where a mean is 0 or a cohort has fewer than two visits
    Source         the delta method on the log scale: Hedges, Gurevitch & Curtis 1999, Ecology
                   80, 1150-1156 (the log response ratio)
    """
    if min(first.size, second.size) < 2 or not (first.any() and second.any()):
        return UNKNOWN
    ratio = float(first.mean() / second.mean())
    variance = sum(_relative_variance(values) for values in (first, second))
    reach = math.exp(NORMAL_Z * math.sqrt(variance))
    return Interval(ratio, ratio / reach, ratio * reach)


def _relative_variance(values: FloatArray) -> float:
    return float(values.var(ddof=1)) / (values.size * float(values.mean()) ** 2)


def rate_interval(hits: int, of: int) -> Interval:
    """Give the share of hits and Wilson's interval, which holds for few and for extreme ones.

    hits, of  whole numbers, 0 <= hits <= of; UNKNOWN where of is 0
    Source    Wilson 1927, JASA 22, 209-212; Brown, Cai & DasGupta 2001, Statistical Science 16,
              101-133
    """
    if of == 0:
        return UNKNOWN
    share, z2 = hits / of, NORMAL_Z**2
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    reach = NORMAL_Z / (1 + z2 / of) * math.sqrt(share * (1 - share) / of + z2 / (4 * of**2))
    low = 0.0 if hits == 0 else middle - reach
    return Interval(share, low, 1.0 if hits == of else middle + reach)


def rate_difference(hits: int, of: int, hits_before: int, of_before: int) -> Interval:
    """Give how much larger the first share is than the second, and Newcombe's interval.

    hits, of                whole numbers, 0 <= hits <= of
    hits_before, of_before  the same of the second
    Returns                 Interval within -1..1; UNKNOWN where either has none
    Source                  Newcombe 1998, Statistics in Medicine 17, 873-890, method 10: the
                            square-and-add of two Wilson intervals
    """
    now, before = rate_interval(hits, of), rate_interval(hits_before, of_before)
    if not (of and of_before):
        return UNKNOWN
    value = now.value - before.value
    return Interval(
        value,
        value - math.hypot(now.value - now.low, before.high - before.value),
        value + math.hypot(now.high - now.value, before.value - before.low),
    )


def median(values: FloatArray) -> float:
    """Give the median, or NaN of nothing."""
    return float(np.median(values)) if values.size else math.nan
