"""Clicks in anger and clicks without an answer, and pages that were left at once.

Signals 9 to 11 of `heatmap.signals`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from heatmap.errors import TrailError
from heatmap.page import FloatArray

RAGE_CLICKS = 3
RAGE_MS = 1_000.0
RAGE_PX = 30.0

CHANGE_WITHIN_MS = 2_500.0
"""A slow shop takes so long to show that it heard."""
SCROLL_WITHIN_MS = 100.0
"""A scroll or a selection that comes later is the visitor's next act, not the click's answer."""

BACK_WITHIN_MS = 10_000.0


def rage_clicks(t_ms: ArrayLike, x_px: ArrayLike, y_px: ArrayLike) -> NDArray[np.intp]:
    """Find bursts of clicks on one spot.

    t_ms        (n,) times of a view's clicks, never falling
    x_px, y_px  (n,) their places, CSS pixels
    Returns     (bursts, 2) the first click of each and the one after its last: RAGE_CLICKS or
                more, each at most RAGE_MS and RAGE_PX after the one before
    Raises      TrailError for rows of unequal length or falling times
    """
    t, x, y = (np.asarray(row, dtype=np.float64) for row in (t_ms, x_px, y_px))
    if t.shape != x.shape or t.shape != y.shape or np.any(np.diff(t) < 0):
        raise TrailError("clicks must be rows of one length, by time")
    follows = (np.diff(t) <= RAGE_MS) & (np.hypot(np.diff(x), np.diff(y)) <= RAGE_PX)
    breaks = np.flatnonzero(~follows) + 1
    starts, ends = np.append(0, breaks), np.append(breaks, t.size)
    bursts = ends - starts >= RAGE_CLICKS
    return np.column_stack((starts[bursts], ends[bursts])).astype(np.intp)


def dead_clicks(
    t_ms: ArrayLike, changed_ms: ArrayLike = (), scrolled_ms: ArrayLike = ()
) -> NDArray[np.bool_]:
    """Say which clicks nothing answered.

    t_ms         (n,) times of clicks
    changed_ms   when the page changed, or was left for another
    scrolled_ms  when it was scrolled, or the selection changed
    Returns      (n,)
    """
    clicks = np.asarray(t_ms, dtype=np.float64)
    answered = _soon(clicks, changed_ms, CHANGE_WITHIN_MS)
    return ~(answered | _soon(clicks, scrolled_ms, SCROLL_WITHIN_MS))


def _soon(clicks: FloatArray, answers_ms: ArrayLike, within_ms: float) -> NDArray[np.bool_]:
    answers = np.append(np.sort(np.asarray(answers_ms, dtype=np.float64)), np.inf)
    wait = answers[np.searchsorted(answers, clicks)] - clicks
    return np.asarray(wait <= within_ms, dtype=np.bool_)


def quick_backs(page: ArrayLike, opened_ms: ArrayLike) -> NDArray[np.bool_]:
    """Say from which views of a visit the visitor was back at once.

    page       (n,) number of the page of each view, by time
    opened_ms  (n,) when each was opened
    Returns    (n,) whether the view lies between two of one other page, the second of them opened
               less than BACK_WITHIN_MS after it
    Raises     TrailError for rows of unequal length or falling times
    """
    pages, opened = np.asarray(page), np.asarray(opened_ms, dtype=np.float64)
    if pages.shape != opened.shape or np.any(np.diff(opened) < 0):
        raise TrailError("views must be rows of one length, by time")
    back = np.zeros(pages.size, dtype=np.bool_)
    back[1:-1] = (
        (pages[:-2] == pages[2:])
        & (pages[1:-1] != pages[2:])
        & (opened[2:] - opened[1:-1] < BACK_WITHIN_MS)
    )
    return back
