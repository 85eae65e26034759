"""Exposure: who saw a row of the page, and so had the chance to dwell there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heatmap.cohorts import Flags, Whole
from heatmap.page import FloatArray

LEAST_EXPOSED = 5
"""Visits of each cohort that must have seen a place before it is compared."""

ALIKE = 0.8
"""Share of either cohort's exposed visits that must be left for rows to be relabelled alike."""

Table = NDArray[np.floating[Any]]


def exposed(seen_px: FloatArray, y_px: FloatArray) -> Flags:
    """Say who saw which rows: (n,) depths and (rows,) middles of rows to (n, rows)."""
    return np.asarray(y_px <= seen_px[:, None], dtype=np.bool_)


def strata(stratum: Whole) -> list[slice]:
    """Cut visits, which lie by stratum, where the stratum changes."""
    starts = np.flatnonzero(np.diff(stratum)) + 1
    ends = [*starts.tolist(), stratum.size]
    return [slice(low, high) for low, high in zip([0, *starts.tolist()], ends, strict=True)]


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """How many visits saw each row, under each labelling (rows of the arrays).

    first   (labellings, rows) visits of the first cohort
    second  (labellings, rows) visits of the second cohort
    pairs   (labellings, rows) sum over strata of n1 n2 / (n1 + n2): what the stratified difference
            weighs, and half the harmonic mean of the counts where there is one stratum
    inflation_first, inflation_second
            (labellings, rows) what the cohorts' variances are multiplied by in the variance of
            that difference: 1 / n1 and 1 / n2 where there is one stratum
    """

    first: FloatArray
    second: FloatArray
    pairs: FloatArray
    inflation_first: FloatArray
    inflation_second: FloatArray


def count(labels: Table, seen: Flags, stratum: Whole) -> Counts:
    """Count the exposed under each labelling.

    labels   (labellings, n) 1 for the first cohort, 0 for the second
    seen     (n, rows) as `exposed` gives it, or of zones
    stratum  (n,) never falling
    Returns  Counts
    Source   Mantel & Haenszel 1959, JNCI 22, 719-748, for the weights n1 n2 / n, which give the
             difference of means its least variance where strata vary alike
    """
    shape = (labels.shape[0], seen.shape[1])
    first, second, pairs, over_first, over_second = np.zeros((5, *shape))
    for part in strata(stratum):
        rows = seen[part].astype(labels.dtype)
        ones = (labels[:, part] @ rows).astype(np.float64)
        both = rows.sum(axis=0, dtype=np.float64)
        twos = both - ones
        weight = ones * twos / np.maximum(both, 1)
        first += ones
        second += twos
        pairs += weight
        over_first += weight * twos / np.maximum(both, 1)
        over_second += weight * ones / np.maximum(both, 1)
    squared = np.where(pairs > 0, pairs, 1.0) ** 2
    return Counts(first, second, pairs, over_first / squared, over_second / squared)


def enough_seen(exposed_visits: NDArray[np.intp]) -> Flags:
    """Say which rows enough visits of both cohorts saw: (2, rows) of each cohort to (rows,)."""
    return np.asarray((exposed_visits >= LEAST_EXPOSED).all(axis=0), dtype=np.bool_)


def alike(seen: Flags, first: Flags) -> list[slice]:
    """Cut rows, which ever fewer visits saw, into runs that nearly the same visits saw.

    seen     (n, rows) as `exposed` gives it
    first    (n,) whether a visit is of the first cohort
    Returns  runs of rows; the first row of each was seen by all who saw any of it
    """
    counts = np.stack([seen[which].sum(axis=0) for which in (first, ~first)], axis=1)
    runs, start = [], 0
    for row in range(1, len(counts)):
        if np.any(counts[row] < ALIKE * counts[start]):
            runs.append(slice(start, row))
            start = row
    return [*runs, slice(start, len(counts))]
