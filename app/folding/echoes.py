"""Clicks that a browser made of another: a label hands the click on it to its field.

Some engines tell of both, at the same place and in the same moment. Pure.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from collector.wire import Kind

ECHO_WITHIN_MS = 100
"""Listeners of the shop's run between the two, on a busy phone for long; a finger that presses one
place in anger does so each 150 ms or less often."""


def without_echoes(events: NDArray[np.void]) -> NDArray[np.void]:
    """Events in time, without clicks at the place of the click just before.

    Of the two the first is kept, unless only the other was in a zone: a label may lie outside of
    the zone that its field is.
    """
    clicks = np.flatnonzero(events["kind"] == int(Kind.CLICK))
    if len(clicks) < 2:
        return events
    told = events[clicks]
    soon = np.diff(told["t"].astype(np.int64)) <= ECHO_WITHIN_MS
    there = (np.diff(told["x"].astype(np.int64)) == 0) & (np.diff(told["y"].astype(np.int64)) == 0)
    echoes = np.flatnonzero(soon & there) + 1
    zoned = told["zone"] > 0
    dropped = np.where(zoned[echoes] & ~zoned[echoes - 1], echoes - 1, echoes)
    kept: NDArray[np.void] = np.delete(events, clicks[dropped])
    return kept
