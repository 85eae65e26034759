"""Dwell that a clock tells in steps, as a life table: how long visits stay at a zone.

A script-free clock says that a dwell reached 1, 2, 5, 10, 20 or 30 seconds and not when it ended:
every dwell is censored to the interval between two steps. Since the intervals are the same for all
and do not overlap, the maximum-likelihood curve has a closed form, the life table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from heatmap.errors import TrailError
from heatmap.fixations import CLOCK_STEPS_S, clock_dwell_s
from heatmap.intervals import NORMAL_Z, UNKNOWN, Interval
from heatmap.page import FloatArray


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the clock.

    at_s     seconds
    at_risk  dwells known to have reached the step before, those lost on the way counted half
    ended    of them, dwells that ended before this step
    lost     of them, dwells whose clock fell silent in between
    share    of all dwells that reached this step, with Greenwood's interval
    """

    at_s: float
    at_risk: float
    ended: int
    lost: int
    share: Interval


@dataclass(frozen=True, slots=True)
class LifeTable:
    """How long dwells last, from 0 s to the clock's last step, where holds are cut.

    dwells   how many there were
    steps    one for each step of the clock
    mean_s   seconds, each dwell counting at most the last step
    """

    dwells: int
    steps: tuple[Step, ...]
    mean_s: Interval

    def quantile_s(self, share: float) -> float:
        """Give the seconds within which a share of the dwells have ended.

        share    0..1: 0.5 for the median
        Returns  seconds, straight between the clock's steps; inf where fewer have ended by the
                 last step, NaN without dwells
        Raises   TrailError for a share outside 0..1
        """
        if not 0 <= share <= 1:
            raise TrailError(f"share must lie within 0..1, got {share!r}")
        if not self.dwells:
            return math.nan
        at_s = np.array([0.0, *(step.at_s for step in self.steps)])
        gone = 1 - np.array([1.0, *(step.share.value for step in self.steps)])
        if gone[-1] < share:
            return math.inf
        after = max(int(np.searchsorted(gone, share)), 1)
        low, high = gone[after - 1], gone[after]
        part = (share - low) / (high - low) if high > low else 0.0
        return float(at_s[after - 1] + part * (at_s[after] - at_s[after - 1]))


def life_table(reached_s: ArrayLike, lost: ArrayLike | None = None) -> LifeTable:
    """Make the life table of dwells from the last step that the clock of each reached.

    reached_s  (n,) 0 where the first step was not reached, or one of CLOCK_STEPS_S
    lost       (n,) whether the clock fell silent afterwards without the dwell having ended (the
               page was hidden or the line went away); None: none did. A dwell that reached the
               last step is not lost
    Returns    LifeTable
    Raises     TrailError for what no clock can have told
    Source     Turnbull 1976, JRSS B 38, 290-295 (the curve of censored intervals); Cutler & Ederer
               1958, J. Chronic Diseases 8, 699-712 (half of those lost are at risk); Greenwood
               1926, Reports on Public Health 33 (variance); Kalbfleisch & Prentice 2002, ch. 1.4
               (interval on the log-log scale, which stays within 0..1)
    """
    low, _ = clock_dwell_s(reached_s)
    silent = np.zeros(low.shape, dtype=np.bool_) if lost is None else np.asarray(lost, np.bool_)
    if low.ndim != 1 or silent.shape != low.shape:
        raise TrailError(f"reached_s and lost must be rows of one length, got {low.shape}")
    silent = silent & (low < CLOCK_STEPS_S[-1])
    share, summed, steps = 1.0, 0.0, []
    for before_s, at_s in zip((0, *CLOCK_STEPS_S[:-1]), CLOCK_STEPS_S, strict=True):
        here = low == before_s
        ended, gone = int((here & ~silent).sum()), int((here & silent).sum())
        at_risk = float((low >= before_s).sum()) - gone / 2
        if at_risk > 0:
            share *= 1 - ended / at_risk
            summed += ended / (at_risk * (at_risk - ended)) if at_risk > ended else math.inf
        steps.append(Step(float(at_s), at_risk, ended, gone, _share(share, summed)))
    table = tuple(steps) if low.size else ()
    return LifeTable(low.size, table, _mean(table))


def _share(share: float, summed: float) -> Interval:
    """Greenwood's interval; summed is that of d / (n (n - d)) up to the step."""
    if share <= 0 or share >= 1 or not math.isfinite(summed):
        return Interval(share, share, share)
    reach = NORMAL_Z * math.sqrt(summed) / abs(math.log(share))
    return Interval(share, share ** math.exp(reach), share ** math.exp(-reach))


def _mean(steps: tuple[Step, ...]) -> Interval:
    """Area under the curve, straight between steps, and its interval (Klein & Moeschberger 2003,
    Survival Analysis, ch. 4.5).
    """
    if not steps:
        return UNKNOWN
    at_s = np.array([0.0, *(step.at_s for step in steps)])
    share = np.array([1.0, *(step.share.value for step in steps)])
    areas: FloatArray = np.diff(at_s) * (share[:-1] + share[1:]) / 2
    after = np.append(np.cumsum(areas[::-1])[::-1][1:], 0.0)
    # An end within an interval moves the curve from that interval's middle on.
    moved = after + areas - np.diff(at_s) * share[:-1] / 2
    variance = sum(
        step.ended / (step.at_risk * (step.at_risk - step.ended)) * part**2
        for step, part in zip(steps, moved, strict=True)
        if step.at_risk > step.ended
    )
    mean, reach = float(areas.sum()), NORMAL_Z * math.sqrt(variance)
    return Interval(mean, max(0.0, mean - reach), min(at_s[-1], mean + reach))
