"""Who might have been in which cohort: the labellings that chance could have given.

If the cohorts do not differ, the labels say nothing, and any labelling with as many visits of each
cohort in each stratum was as likely as the one observed.

The cohorts may have seen different parts of the page: those who abandon leave early. Labels are
then drawn anew for each part among the visits that saw it, with as many of each cohort as saw it,
and by the same lots throughout, so that a visit mostly keeps its label down the page. Relabelling
all visits alike was tried and rejected: far down, where few of one cohort came, it compares their
few long stalls with means over many (a false region in 16 of 100 maps instead of 6).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heatmap.cohorts import Flags, Whole
from heatmap.errors import CohortError
from heatmap.exposure import strata

RELABELLINGS = 999
"""With the observed one a thousand: a p of 0.05 is then known to within 0.7 % of itself alone."""

LABELLINGS_AT_ONCE = 64
"""Drawn in one go: their lots take 5 MB for ten thousand visits."""

Lots = NDArray[np.uint64]


class Labellings:
    """The observed labelling and others that were as likely."""

    def __init__(
        self, first: Flags, stratum: Whole, relabellings: int = RELABELLINGS, seed: int = 0
    ) -> None:
        """Prepare them.

        first         (n,) whether each visit is of the first cohort
        stratum       (n,) never falling; labels move within a stratum alone
        relabellings  how many others to draw; where there are no more in all, each comes once
        seed          of the draws: the same seed and the same visits give the same labellings
        Raises        CohortError unless relabellings is positive
        Source        Westfall & Young 1993, Resampling-Based Multiple Testing, ch. 2; Phipson &
                      Smyth 2010, SAGMB 9(1) 39, for counting the observed one among them
        """
        if relabellings < 1:
            raise CohortError(f"relabellings must be at least 1, got {relabellings!r}")
        self._first, self._parts, self._seed = first, strata(stratum), seed
        arrangements = math.prod(
            math.comb(part.stop - part.start, int(first[part].sum())) for part in self._parts
        )
        self._every = (
            _all(first, self._parts, arrangements) if arrangements <= relabellings + 1 else None
        )
        self._count = relabellings + 1 if self._every is None else arrangements

    def __len__(self) -> int:
        """Count them, the observed one included."""
        return self._count

    def among(self, exposed: Flags, dtype: type[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        """Give labels for a part of the page.

        exposed  (n,) whether a visit saw it; what the others are labelled does not matter
        dtype    of the labels
        Returns  (labellings, n) 1 for the first cohort, else 0; the observed labelling first, and
                 each with as many exposed visits of both cohorts in each stratum as it has. Where
                 all labellings are counted out they are the same for every part
        """
        if self._every is not None:
            return self._every.astype(dtype)
        labels = np.zeros((self._count, exposed.size), dtype=dtype)
        labels[0] = self._first
        parts = [
            (np.arange(part.start, part.stop)[exposed[part]], bool(self._first[part.start]))
            for part in self._parts
        ]
        at = 1
        for lots in _lots(exposed.size, self._count - 1, self._seed):
            for visits, whose in parts:
                labels[at : at + len(lots), visits] = _drawn(
                    lots[:, visits], self._first[visits], whose
                )
            at += len(lots)
        return labels


def _all(first: Flags, parts: list[slice], arrangements: int) -> Flags:
    choices = [
        itertools.combinations(range(part.start, part.stop), int(first[part].sum()))
        for part in parts
    ]
    every = np.zeros((arrangements, first.size), dtype=np.bool_)
    for labels, chosen in zip(every, itertools.product(*choices), strict=True):
        labels[list(itertools.chain(*chosen))] = True
    observed = int(np.flatnonzero((every == first).all(axis=1))[0])
    every[[0, observed]] = every[[observed, 0]]
    return every


def _lots(visits: int, rows: int, seed: int) -> Iterator[Lots]:
    """Raw words of a counter-based generator, which are the same in every version of numpy."""
    source = np.random.Philox(key=seed)
    for start in range(0, rows, LABELLINGS_AT_ONCE):
        count = min(LABELLINGS_AT_ONCE, rows - start)
        yield source.random_raw(count * visits).reshape(count, visits)


def _drawn(lots: Lots, first: Flags, whose: bool) -> Flags:
    """Of each row the visits with the least lots, as many as one cohort has of them.

    whose    of which cohort: that of the stratum's first visit, and not always the first one, so
             that the same draws come when the cohorts change their names
    """
    labels = np.full(lots.shape, not whose)
    size = int(np.count_nonzero(first == whose))
    if size == first.size:
        return np.full(lots.shape, whose)
    if size:
        least = np.argpartition(lots, size, axis=1)[:, :size]
        np.put_along_axis(labels, least, whose, axis=1)
    return labels
