"""Recorded visits of one person at work, cut in halves between which there is nothing to find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from app.replay import Recording
from heatmap import cohort
from heatmap.cohorts import Cohort
from heatmap.fixations import find_stalls
from heatmap.page import FloatArray
from tests.replay.balabit import SCREENS_PER_PAGE, read_balabit, read_rows

USERS = ("user15", "user16")
"""Those with the most recorded visits on one screen."""
SCREEN_PX = (1920, 1080)


PAGE_PX = (SCREEN_PX[0], SCREENS_PER_PAGE * SCREEN_PX[1])


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """One recorded visit: its stalls (k, 2) and their seconds, and the deepest row it saw."""

    points_px: FloatArray
    seconds: FloatArray
    seen_px: float


@cache
def recorded(user: str) -> tuple[Recorded, ...]:
    """The visits of one user on one screen."""
    wanted = {
        row["visit"]
        for row in read_rows("visits.csv.gz")
        if row["user"] == user
        and row["part"] == "test"
        and (int(row["screen_w"]), int(row["screen_h"])) == SCREEN_PX
    }
    by_visit: dict[str, list[Recording]] = {}
    for recording in read_balabit("short", wanted):
        by_visit.setdefault(str(recording.visit), []).append(recording)
    return tuple(map(_recorded, by_visit.values()))


def _recorded(views: Sequence[Recording]) -> Recorded:
    points, seconds, deepest = [], [], 0.0
    for view in views:
        moves = np.array(
            [(e.t_ms, e.x_px, e.y_px) for e in view.events if e.kind == "move"], np.float64
        )
        if not len(moves):
            continue
        found = find_stalls(*moves.T, tail_ms=0.0)
        points.append(np.column_stack((found.x_px, found.y_px)))
        seconds.append(found.duration_ms / 1000)
        scrolled = max((e.y_px for e in view.events if e.kind == "scroll"), default=0)
        deepest = max(deepest, float(scrolled + view.viewport[1]))
    if not points:
        return Recorded(np.empty((0, 2)), np.empty(0), deepest)
    return Recorded(np.rint(np.concatenate(points)), np.concatenate(seconds), deepest)


def cohort_of(visits: Sequence[Recorded]) -> Cohort:
    """Recorded visits as a cohort."""
    return cohort(
        len(visits),
        np.concatenate([visit.points_px for visit in visits]),
        np.concatenate([visit.seconds for visit in visits]),
        np.repeat(np.arange(len(visits)), [len(visit.seconds) for visit in visits]),
        seen_px=[visit.seen_px for visit in visits],
    )
