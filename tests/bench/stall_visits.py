"""Visits of a made-up checkout page, to try the stall map on.

What is planted is known: eight controls, a share of the dwell at each, visits that differ strongly
from each other in how long they stay and in where (Dirichlet of concentration 8, log-normal dwell
of sigma 1.1), and one control at which one cohort may dwell longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heatmap import cohort
from heatmap.cohorts import Cohort
from heatmap.page import FloatArray

WIDTH_PX = 1280
CONTROLS = 8
PLANTED = 0
PLANTED_SHARE = 0.08
BACKGROUND_SHARE = 0.2
"""Of the dwell, anywhere on the page."""
CONCENTRATION = 8.0
LOG_MEAN, LOG_SIGMA = 3.0, 1.1
"""Of the seconds that a visit dwells in all: a median of 20 s."""
STALLS_EACH = 4
"""At each control, and four times as many on the background."""


@dataclass(frozen=True, slots=True, eq=False)
class Shop:
    """A page of height_px with its controls stacked, each 300 px wide and 48 px high."""

    height_px: int

    @property
    def size_px(self) -> tuple[int, int]:
        return WIDTH_PX, self.height_px

    def boxes(self) -> FloatArray:
        """(controls, 4) x0, y0, x1, y1."""
        y0 = np.arange(CONTROLS) * self.height_px / CONTROLS + 24
        x0 = np.where(np.arange(CONTROLS) % 2, 700.0, 200.0)
        return np.column_stack((x0, y0, x0 + 300, y0 + 48))


@dataclass(frozen=True, slots=True, eq=False)
class Visits:
    """Dwell per visit at the controls (n, controls) and on the background (n,), and its places."""

    shop: Shop
    seconds: FloatArray
    background_s: FloatArray

    def __len__(self) -> int:
        return len(self.seconds)


def simulate(
    rng: np.random.Generator,
    count: int,
    shop: Shop,
    *,
    ratio: float = 1.0,
    pace: FloatArray | float = 1.0,
) -> Visits:
    """Draw visits that dwell ratio times as long at the planted control; pace stretches all."""
    rest = (1 - PLANTED_SHARE - BACKGROUND_SHARE) / (CONTROLS - 1)
    shares = np.full(CONTROLS + 1, rest)
    shares[PLANTED], shares[-1] = PLANTED_SHARE, BACKGROUND_SHARE
    dwell = pace * np.exp(rng.normal(LOG_MEAN, LOG_SIGMA, count))
    seconds = dwell[:, None] * rng.dirichlet(CONCENTRATION * shares, count)
    seconds[:, PLANTED] *= ratio
    return Visits(shop, seconds[:, :-1], seconds[:, -1])


def as_cohort(
    rng: np.random.Generator,
    visits: Visits,
    *,
    seen_px: FloatArray | None = None,
    stratum: NDArray[np.integer[Any]] | None = None,
) -> Cohort:
    """Place each visit's dwell as stalls in whole pixels; what it did not see it did not do."""
    boxes, n = visits.shop.boxes(), len(visits)
    shape = (n, CONTROLS, STALLS_EACH, 2)
    at = rng.uniform(boxes[None, :, None, :2], boxes[None, :, None, 2:], shape).reshape(n, -1, 2)
    anywhere = rng.uniform((0, 0), (WIDTH_PX, visits.shop.height_px), (n, 4 * STALLS_EACH, 2))
    weights = np.concatenate(
        (
            np.repeat(visits.seconds / STALLS_EACH, STALLS_EACH, axis=1),
            np.repeat(visits.background_s[:, None] / (4 * STALLS_EACH), 4 * STALLS_EACH, axis=1),
        ),
        axis=1,
    )
    points = np.rint(np.concatenate((at, anywhere), axis=1))
    if seen_px is not None:
        weights = np.where(points[:, :, 1] <= seen_px[:, None], weights, 0.0)
    which = np.repeat(np.arange(n), points.shape[1])
    return cohort(
        n, points.reshape(-1, 2), weights.ravel(), which, seen_px=seen_px, stratum=stratum
    )
