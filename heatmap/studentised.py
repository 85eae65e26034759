"""Differences between two cohorts, studentised, under every labelling at once.

The sums of the first cohort under all labellings are one matrix product, labellings x visits times
visits x columns; a column is a cell of the page, or a zone. Values are centred within strata among
the visits that were exposed, so that the product is the stratified difference itself, and so that
single precision is enough. Columns come in blocks: a block is made, multiplied, compared with what
was found before, and forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from heatmap.cohorts import Flags, Whole
from heatmap.errors import CohortError
from heatmap.exposure import Counts, strata
from heatmap.page import FloatArray

Table = NDArray[np.floating[Any]]

Spread = Literal["pooled", "each"]
"""Whose variance the difference is measured by: that of all visits, which no labelling changes, or
each cohort's own (Welch), for cohorts of unequal size and unequal spread, at twice the work."""

UNEQUAL = 1.5
"""Ratio of the cohorts' sizes beyond which each cohort's own variance is taken."""

TIE = {np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-12}
"""Relative difference below which two differences are equal: what round-off makes of them."""


def spread_for(first: int, second: int) -> Spread:
    """Choose whose variance is taken, by the cohorts' sizes alone.

    Source   Janssen 1997, Statistics & Probability Letters 36, 9-21, and Chung & Romano 2013,
             Annals of Statistics 41, 484-507: relabelling holds its level for unequal variances
             once the difference is divided by each cohort's own; with equal sizes the pooled
             variance estimates the same
    """
    return "each" if max(first, second) > UNEQUAL * min(first, second) else "pooled"


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Rows that are relabelled alike.

    labels   (labellings, n) 1 or 0, the observed labelling first; its precision is that of the
             products
    seen     (n, rows) who saw them
    counts   of these labels and rows
    """

    labels: Table
    seen: Flags
    counts: Counts


class Relabelled:
    """The studentised differences of all columns under all labellings, block after block."""

    def __init__(
        self, labellings: int, stratum: Whole, guard: float, spread: Spread = "pooled"
    ) -> None:
        """Begin.

        labellings  how many there are
        stratum     (n,) never falling
        guard       what is added to the spreads, see `guard`
        Raises      CohortError for an unknown spread
        """
        if spread not in get_args(Spread):
            raise CohortError(f"spread must be one of {', '.join(get_args(Spread))}: {spread!r}")
        self._parts, self._spread, self._guard = strata(stratum), spread, guard
        self._most, self._overall = np.zeros((2, labellings))
        self._tie = 1.0

    def add(
        self,
        labelled: Labelled,
        values: Table,
        rows: Whole,
        spread: FloatArray,
        weight: FloatArray,
    ) -> Table:
        """Compare a block of columns under all labellings.

        labelled  the rows that the columns lie in
        values    (n, columns) as for `moments`; it is overwritten
        rows      (columns,) the row of each column, counted from the first that is labelled
        spread    (columns,) as `moments` gave it
        weight    (columns,) of each in the squared difference overall: a cell's size
        Returns   (labellings, columns) studentised differences, first minus second
        """
        self._tie = 1 - TIE[labelled.labels.dtype]
        self._centre(values, labelled.seen, rows)
        sums: Table = labelled.labels @ values
        pairs = labelled.counts.pairs.astype(sums.dtype)
        if self._spread == "pooled":
            self._add_overall(sums, pairs, rows, weight)
            t = sums
            t *= _by_column(_reciprocal(np.sqrt(pairs)), rows)
            t *= (1 / (spread + self._guard)).astype(t.dtype)
        else:
            t = self._by_each(sums, values, labelled, rows)
            self._add_overall(sums, pairs, rows, weight)
        most = np.maximum(t.max(axis=1, initial=0), -t.min(axis=1, initial=0))
        np.maximum(self._most, most, out=self._most)
        return t

    def p_planned(self, t: Table) -> FloatArray:
        """Give p of each column of a block (columns,) as if it alone had been asked about.

        t        what `add` gave for the block
        Returns  share of the labellings whose difference there is at least the observed one
        """
        return np.asarray((np.abs(t) >= np.abs(t[0]) * self._tie).mean(axis=0), dtype=np.float64)

    def p_anywhere(self, t: FloatArray) -> FloatArray:
        """Give p of differences t, any shape, corrected for all columns that were looked at.

        Returns  share of the labellings whose largest difference anywhere is at least t
        Source   Westfall & Young 1993, ch. 2.6 (single-step maxT); Nichols & Holmes 2002, Human
                 Brain Mapping 15, 1-25, for maps
        """
        reached = np.searchsorted(np.sort(self._most), np.abs(t) * self._tie)
        return np.asarray((self._most.size - reached) / self._most.size, dtype=np.float64)

    def p_overall(self) -> float:
        """Give p of the squared difference summed over all columns.

        Source   Duong, Goud & Schauer 2012, PNAS 109, 8382-8387, for the integrated square
        """
        return float((self._overall >= self._overall[0] * self._tie).mean())

    def critical(self, level: float) -> float:
        """Give what a difference must exceed to be significant at a level anywhere; may be inf."""
        falling = np.sort(self._most)[::-1]
        allowed = int(level * falling.size * (1 + 1e-12))
        return float(falling[allowed] / self._tie) if allowed else np.inf

    @property
    def largest(self) -> FloatArray:
        """(labellings,) the largest difference anywhere under each."""
        return self._most

    def _centre(self, values: Table, seen_by: Flags, rows: Whole) -> None:
        """Take off, within strata, the mean of the exposed."""
        for part in self._parts:
            seen = seen_by[part]
            counts = np.maximum(seen.sum(axis=0), 1).astype(values.dtype)
            sums = np.ones(len(seen), dtype=values.dtype) @ values[part]
            mean = sums / counts[rows]
            if seen.all():
                values[part] -= mean
            else:
                values[part] -= np.where(seen[:, rows], mean, 0)

    def _add_overall(self, sums: Table, pairs: Table, rows: Whole, weight: FloatArray) -> None:
        scale = _by_column(_reciprocal(pairs), rows) ** 2
        squares = np.square(sums)
        if len(scale) > 1:
            squares *= scale
            scale = np.ones((1, sums.shape[1]), dtype=sums.dtype)
        self._overall += squares @ (scale[0] * weight.astype(sums.dtype))

    def _by_each(self, sums: Table, values: Table, labelled: Labelled, rows: Whole) -> Table:
        """Divide by the standard error from each cohort's own variance.

        Source   Welch 1947, Biometrika 34, 28-35
        """
        np.square(values, out=values)
        squares_first = labelled.labels @ values
        squares_all = np.ones(len(values), dtype=values.dtype) @ values
        counts = labelled.counts
        error = _own(squares_first, sums, counts.first, counts.inflation_first, rows)
        error += _own(
            squares_all - squares_first, sums, counts.second, counts.inflation_second, rows
        )
        pairs = counts.pairs.astype(sums.dtype)
        error = np.sqrt(error, out=error)
        error += self._guard * _by_column(_reciprocal(np.sqrt(pairs)), rows)
        difference = sums * _by_column(_reciprocal(pairs), rows)
        return np.asarray(
            np.divide(difference, error, out=np.zeros_like(sums), where=error > 0), sums.dtype
        )


def _own(
    squares: Table, sums: Table, count: FloatArray, inflation: FloatArray, rows: Whole
) -> Table:
    """One cohort's share of the squared standard error."""
    ones = np.maximum(count, 2)
    mean_off = _by_column((1 / ones).astype(sums.dtype), rows) * np.square(sums)
    share = _by_column((inflation / (ones - 1)).astype(sums.dtype), rows)
    return np.asarray(np.maximum(squares - mean_off, 0) * share, sums.dtype)


def _by_column(by_row: Table, rows: Whole) -> Table:
    """Give a factor for each labelling and column, or for each column where labels are no matter.

    Most often as many visits of each cohort are exposed under all labellings.
    """
    alike = bool((by_row == by_row[0]).all())
    return by_row[:1, rows] if alike else by_row[:, rows]


def _reciprocal(values: Table) -> Table:
    return np.divide(1, values, out=np.zeros_like(values), where=values > 0)
