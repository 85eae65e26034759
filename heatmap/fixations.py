"""Trails of a pointer to stalls, and dwell clocks without a script to seconds."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from heatmap.errors import TrailError
from heatmap.page import FloatArray

CAP_MS = 30_000
"""A pause longer than this is absence: the visitor is idle, and the hold counts this much."""
DISPERSION_PX = 40.0
"""Height of a typical control: who rests on one moves no further."""
SHORTEST_MS = 1_000
"""Shorter rests are reading and aiming, not stalling."""

CLOCK_STEPS_S = (1, 2, 5, 10, 20, 30)
"""When a script-free dwell clock reports; the last step is where holds are capped."""


@dataclass(frozen=True, slots=True, eq=False)
class Stalls:
    """The stalls of one trail, in order; arrays of one length.

    first, last   indices of the first and the last sample of each stall
    t_ms          time of its first sample
    duration_ms   its holds together
    x_px, y_px    centroid of its samples, each weighing its hold
    """

    first: NDArray[np.intp]
    last: NDArray[np.intp]
    t_ms: FloatArray
    duration_ms: FloatArray
    x_px: FloatArray
    y_px: FloatArray

    def __len__(self) -> int:
        """Count the stalls."""
        return int(self.first.size)


class _Extent:
    """max - min over a window that grows at its end and shrinks at its start.

    Both queues hold indices whose values could still become the extreme: a sample enters and
    leaves each once, so a trail costs time in proportion to its length whatever it looks like.
    """

    def __init__(self, values: list[float]) -> None:
        self._values = values
        self._lows: deque[int] = deque()
        self._highs: deque[int] = deque()

    def add(self, index: int) -> None:
        value = self._values[index]
        while self._lows and self._values[self._lows[-1]] >= value:
            self._lows.pop()
        while self._highs and self._values[self._highs[-1]] <= value:
            self._highs.pop()
        self._lows.append(index)
        self._highs.append(index)

    def start_after(self, index: int) -> None:
        while self._lows and self._lows[0] <= index:
            self._lows.popleft()
        while self._highs and self._highs[0] <= index:
            self._highs.popleft()

    def size(self) -> float:
        return self._values[self._highs[0]] - self._values[self._lows[0]]


def find_stalls(
    t_ms: ArrayLike,
    x_px: ArrayLike,
    y_px: ArrayLike,
    *,
    tail_ms: float,
    cap_ms: float = CAP_MS,
    dispersion_px: float = DISPERSION_PX,
    shortest_ms: float = SHORTEST_MS,
) -> Stalls:
    """Find where a pointer rested: dispersion-threshold identification on an event-driven trail.

    A sample holds until the next one, the last for tail_ms, each at most cap_ms. From a sample
    on, samples are taken while (max x - min x) + (max y - min y) <= dispersion_px; if their holds
    sum to shortest_ms or more they are a stall and the search goes on behind it, else it goes on
    with the next sample.

    t_ms         (n,) times, never falling; nothing is sent while the pointer rests
    x_px, y_px   (n,) places, CSS pixels
    tail_ms      time from the last sample to the end of the view, not negative
    Returns      Stalls
    Raises       TrailError for arrays of unequal length, values that are not finite, falling
                 times or negative limits
    Source       Salvucci & Goldberg 2000, Identifying fixations and saccades (I-DT); the holds
                 are ours, since a resting pointer sends nothing
    """
    t, x, y = _trail(t_ms, x_px, y_px)
    for name, limit in (("tail_ms", tail_ms), ("cap_ms", cap_ms), ("dispersion_px", dispersion_px)):
        if not limit >= 0:
            raise TrailError(f"{name} must not be negative, got {limit!r}")
    if not shortest_ms > 0:
        raise TrailError(f"shortest_ms must be positive, got {shortest_ms!r}")
    hold = np.minimum(np.diff(t, append=t[-1:] + tail_ms), cap_ms)
    windows = _windows(x, y, np.concatenate(([0.0], np.cumsum(hold))), dispersion_px, shortest_ms)
    return _summed(windows, t, x, y, hold)


def _trail(
    t_ms: ArrayLike, x_px: ArrayLike, y_px: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    t, x, y = (np.asarray(values, dtype=np.float64) for values in (t_ms, x_px, y_px))
    if t.ndim != 1 or t.shape != x.shape or t.shape != y.shape:
        raise TrailError(
            f"t_ms, x_px and y_px must be three rows of one length, got {t.shape}, {x.shape}"
            f" and {y.shape}"
        )
    if not (np.isfinite(t).all() and np.isfinite(x).all() and np.isfinite(y).all()):
        raise TrailError("a trail must be finite: leave out samples without a time or a place")
    if np.any(np.diff(t) < 0):
        raise TrailError("t_ms must never fall: sort the trail by time")
    return t, x, y


def _windows(
    x: FloatArray, y: FloatArray, held_before: FloatArray, dispersion_px: float, shortest_ms: float
) -> list[tuple[int, int]]:
    """First sample of each stall and the one after its last; held_before sums the holds."""
    across, down = _Extent(x.tolist()), _Extent(y.tolist())
    found: list[tuple[int, int]] = []
    start = stop = added = 0
    while start < x.size:
        while stop < x.size:
            if added == stop:
                across.add(stop)
                down.add(stop)
                added += 1
            if across.size() + down.size() > dispersion_px:
                break
            stop += 1
        if held_before[stop] - held_before[start] >= shortest_ms:
            found.append((start, stop))
            start = stop
        else:
            start += 1
        across.start_after(start - 1)
        down.start_after(start - 1)
    return found


def _summed(
    windows: list[tuple[int, int]], t: FloatArray, x: FloatArray, y: FloatArray, hold: FloatArray
) -> Stalls:
    ends = np.array(windows, dtype=np.intp).reshape(-1, 2)
    duration = _sums(hold, ends)
    return Stalls(
        first=ends[:, 0],
        last=ends[:, 1] - 1,
        t_ms=t[ends[:, 0]],
        duration_ms=duration,
        x_px=_sums(hold * x, ends) / duration,
        y_px=_sums(hold * y, ends) / duration,
    )


def _sums(values: FloatArray, ends: NDArray[np.intp]) -> FloatArray:
    """Sum of the values of each window; all in one call, for a day has millions of windows."""
    if not ends.size:
        return np.empty(0)
    # reduceat sums from each index to the next: every other sum is of what lies between windows.
    # One more value, because the last window may end where the values do.
    sums: FloatArray = np.add.reduceat(np.append(values, 0.0), ends.ravel())[::2]
    return sums


def clock_dwell_s(reached_s: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Give the interval in which a dwell ended, from the last step its clock reached.

    reached_s  any shape: 0 where the first step was not reached, or one of CLOCK_STEPS_S
    Returns    low and high, seconds, the shape of reached_s: low <= dwell < high. A dwell that
               reached the last step counts as exactly that, since holds are capped there
    Raises     TrailError for a number that is no step of the clock
    """
    reached = np.asarray(reached_s, dtype=np.float64)
    lows = np.array((0, *CLOCK_STEPS_S), dtype=np.float64)
    highs = np.array((*CLOCK_STEPS_S, CLOCK_STEPS_S[-1]), dtype=np.float64)
    step = np.minimum(np.searchsorted(lows, reached), lows.size - 1)
    strange = lows[step] != reached
    if np.any(strange):
        raise TrailError(
            f"a dwell clock reaches 0 or one of {CLOCK_STEPS_S} s, got {reached[strange].flat[0]:g}"
        )
    return lows[step], highs[step]


def clock_seconds(low_s: ArrayLike, high_s: ArrayLike) -> FloatArray:
    """Give the seconds to count for dwells known to have ended between low_s and high_s.

    low_s, high_s  intervals as `clock_dwell_s` gives them, seconds, any shape
    Returns        their middles. The mean of middles is the area under the survival curve of
                   interval-censored dwells when the curve runs straight between the clock's steps
                   (the trapezoid rule): no shape of the dwells is assumed beyond that
    Source         Turnbull 1976, JRSS B 38, for the survival curve of censored intervals
    """
    return (np.asarray(low_s, np.float64) + np.asarray(high_s, np.float64)) / 2
