"""What is known of each place before any relabelling: means, spread, and whether it is compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heatmap.cohorts import Flags, Whole
from heatmap.exposure import strata
from heatmap.page import FloatArray

Table = NDArray[np.floating[Any]]

LEAST_VISITS_BEHIND = 8.0
"""Effective visits behind a column before it is compared: a place that one visitor made hot has 1.
"""
GUARD_QUANTILE = 0.2
"""Of the columns' spreads; added to each, so that near-empty places are not the surest of all."""


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """What is known of each column before any relabelling; arrays (columns,).

    first, second  mean per exposed visit of each cohort
    mean           of both cohorts together
    spread         standard deviation between exposed visits, within strata
    effective      Kish's effective number of visits behind the column, (sum D)^2 / sum D^2
    """

    first: FloatArray
    second: FloatArray
    mean: FloatArray
    spread: FloatArray
    effective: FloatArray


def moments(values: Table, seen: Flags, rows: Whole, first: Flags, stratum: Whole) -> Moments:
    """Give the moments of a block of columns.

    values   (n, columns), 0 where a visit was not exposed
    seen     (n, rows) whether it was exposed
    rows     (columns,) the row of each column
    first    (n,) whether a visit is of the first cohort
    stratum  (n,) never falling
    Source   Kish 1965, Survey Sampling, ch. 8, for the effective number
    """
    parts = strata(stratum)
    sums = [_sums(values[part], first[part]) for part in parts]
    ones, twos = (np.sum([of[which] for of in sums], axis=0) for which in (0, 1))
    squares = np.einsum("vc,vc->c", values, values).astype(np.float64)
    within, freedom = squares.copy(), np.zeros(seen.shape[1])
    for part, (one, two) in zip(parts, sums, strict=True):
        exposed = seen[part].sum(axis=0).astype(np.float64)
        within -= (one + two) ** 2 / np.maximum(exposed, 1)[rows]
        freedom += np.maximum(exposed - 1, 0)
    counts = [seen[chosen].sum(axis=0) for chosen in (first, ~first)]
    total = ones + twos
    return Moments(
        ones / np.maximum(counts[0], 1)[rows],
        twos / np.maximum(counts[1], 1)[rows],
        total / np.maximum(counts[0] + counts[1], 1)[rows],
        np.sqrt(np.maximum(within, 0) / np.maximum(freedom, 1)[rows]),
        total**2 / np.where(squares > 0, squares, 1),
    )


def _sums(values: Table, first: Flags) -> tuple[FloatArray, FloatArray]:
    """Sums of the first cohort's and of the second cohort's rows."""
    which = np.stack((first, ~first)).astype(values.dtype)
    one, two = (which @ values).astype(np.float64)
    return one, two


def comparable(known: Moments, seen_enough: Flags, floor: float) -> Flags:
    """Say which columns are compared at all, without looking at who is in which cohort.

    seen_enough  (columns,) whether enough visits of both cohorts were exposed
    floor        mean below which hardly anybody dwells, in the columns' unit
    Returns      (columns,) those, among the rest, that LEAST_VISITS_BEHIND effective visits are
                 behind
    """
    behind = known.effective >= LEAST_VISITS_BEHIND
    varies = (known.spread > 0) & (known.mean >= floor)
    return np.asarray(seen_enough & behind & varies, dtype=np.bool_)


def guard(spread: FloatArray, quantile: float = GUARD_QUANTILE) -> float:
    """Give what is added to each spread, in its unit.

    spread   (columns,) of the tested columns
    Source   Tusher, Tibshirani & Chu 2001, PNAS 98, 5116-5121 (the fudge factor s0 of SAM)
    """
    return float(np.quantile(spread, quantile)) if spread.size else 0.0
