"""Where a view rested: stalls of a pointer, of fields and of reading, hesitations, and absence.

Signals 1 to 5 of `heatmap.signals`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from heatmap.errors import TrailError
from heatmap.fixations import (
    CAP_MS,
    CLOCK_STEPS_S,
    DISPERSION_PX,
    SHORTEST_MS,
    Stalls,
    clock_dwell_s,
    clock_seconds,
    find_stalls,
)
from heatmap.page import FloatArray

HESITATION_PX = 24.0
"""From a control's box: half a control's height, as far as a label or a price stands from it."""
HESITATION_MS = (1_000.0, 10_000.0)
"""Shorter is aiming; longer is reading, or somebody at the door."""
ENDS_WITH_MS = 500.0
"""A click so soon after a stall ends it: the pointer had hardly left."""

Interval = tuple[float, float]
"""Seconds between which a dwell is known to have ended."""


def stalls(
    trail: ArrayLike,
    *,
    tail_ms: float = 0.0,
    cap_ms: float = CAP_MS,
    dispersion_px: float = DISPERSION_PX,
    shortest_ms: float = SHORTEST_MS,
    hidden_ms: ArrayLike | None = None,
) -> Stalls:
    """Find where a pointer rested.

    trail      (n, 3) t_ms, x_px, y_px of each sample, by time
    hidden_ms  (k, 2) when the page was hidden, from and to; None: never. Such time is no dwell
    Returns    Stalls, as `heatmap.fixations.find_stalls`, with its other parameters and errors;
               t_ms is that of the trail
    """
    samples = np.asarray(trail, dtype=np.float64)
    if samples.ndim != 2 or samples.shape[1] != 3:
        raise TrailError(f"trail must be rows of t_ms, x_px, y_px, got shape {samples.shape}")
    end_ms = samples[-1:, 0] + tail_ms
    seen_ms = visible_ms(np.append(samples[:, 0], end_ms), hidden_ms)
    found = find_stalls(
        seen_ms[: len(samples)],
        samples[:, 1],
        samples[:, 2],
        tail_ms=float(seen_ms[-1] - seen_ms[len(samples) - 1]) if len(samples) else tail_ms,
        cap_ms=cap_ms,
        dispersion_px=dispersion_px,
        shortest_ms=shortest_ms,
    )
    return Stalls(
        found.first,
        found.last,
        samples[found.first, 0],
        found.duration_ms,
        found.x_px,
        found.y_px,
    )


def visible_ms(t_ms: ArrayLike, hidden_ms: ArrayLike | None) -> FloatArray:
    """Give the time a page had been in view at each moment: hidden time stands still.

    t_ms       (n,) moments
    hidden_ms  (k, 2) when it was hidden, from and to, by time and not overlapping; None: never
    Raises     TrailError for times hidden that run back or overlap
    """
    t = np.asarray(t_ms, dtype=np.float64)
    hidden = np.asarray(() if hidden_ms is None else hidden_ms, dtype=np.float64).reshape(-1, 2)
    if np.any(np.diff(hidden.ravel()) < 0):
        raise TrailError("hidden_ms must be pairs of from and to, by time, without overlap")
    before = np.clip(t[:, None] - hidden[:, 0], 0, hidden[:, 1] - hidden[:, 0])
    return np.asarray(t - before.sum(axis=1), dtype=np.float64)


def field_stalls(
    hover_s: Mapping[int, int], focus_s: Mapping[int, int], *, touch: bool
) -> dict[int, Interval]:
    """Give the dwell of each zone by its script-free clocks.

    hover_s, focus_s  zone to the last step of CLOCK_STEPS_S that its clock reached, or 0
    touch    on touch the focus clock counts where a zone was focused, else the hover that stays
             with what was tapped last; with a mouse the hover clock counts alone, since a
             keyboard's focus stays in a field while eye and mouse are elsewhere
    Returns  zone to the interval in which its dwell ended, seconds; zones that did not reach the
             first step are left out
    Raises   TrailError for a number that is no step of the clock
    """
    reached = {**hover_s, **focus_s} if touch else dict(hover_s)
    zones = sorted(zone for zone, seconds in reached.items() if seconds >= CLOCK_STEPS_S[0])
    low, high = clock_dwell_s([reached[zone] for zone in zones])
    return dict(zip(zones, zip(low.tolist(), high.tolist(), strict=True), strict=True))


def reading_stalls(
    bands_s: Mapping[int, int],
    zones_s: Mapping[int, Interval],
    *,
    band_px: float,
    viewport_px: float,
) -> dict[int, float]:
    """Give the seconds that bands of a page rested in view, beyond what its zones explain.

    bands_s      band to the last step that its clock reached
    zones_s      dwell of the zones, as `field_stalls` gives it
    band_px      height of a band; viewport_px that of the viewport, both positive
    Returns      band to seconds: a second in view is shared by the bands that were on screen, and
                 told once only; empty where zones explain all
    Raises       TrailError for a number that is no step of the clock, or a height that is not
                 positive
    """
    if not (band_px > 0 and viewport_px > 0):
        raise TrailError(f"heights must be positive, got {band_px!r} and {viewport_px!r}")
    if not bands_s:
        return {}
    bands = sorted(bands_s)
    rested = clock_seconds(*clock_dwell_s([bands_s[band] for band in bands]))
    in_view = _in_view_s(np.array(bands), rested, math.ceil(viewport_px / band_px) + 1)
    explained = sum(float(clock_seconds(low, high)) for low, high in zones_s.values())
    left = max(0.0, in_view - explained)
    if left == 0:
        return {}
    share = left / float(rested.sum())
    return {band: seconds * share for band, seconds in zip(bands, rested.tolist(), strict=True)}


def _in_view_s(bands: NDArray[np.intp], rested: FloatArray, together: int) -> float:
    """Give the seconds in all during which a page was in view, from those of each band.

    A viewport touches `together` bands at the most. Of bands as far apart it never holds two: their
    seconds add up, and the longest such sum is the least that it can have been in all.
    A share for each band, of its height in the viewport's, was tried and rejected: bands at the
    viewport's edges are told as if all of them were in view, so that a quarter to four fifths too
    many seconds came out, and what zones had explained was told again around them.
    """
    return max(float(rested[bands % together == one].sum()) for one in range(together))


def hesitations(
    found: Stalls,
    boxes_px: ArrayLike,
    acted_ms: ArrayLike = (),
    acted_on: ArrayLike = (),
) -> NDArray[np.intp]:
    """Say at which control each stall hesitated.

    found     stalls of one view
    boxes_px  (m, 4) x0, y0, x1, y1 of its inputs, prices, shipping, coupon and pay controls
    acted_ms  (k,) times of clicks and keys; acted_on (k,) the control of each, -1 for none
    Returns   (stalls,) the nearest control's place among the boxes, or -1
    Raises    TrailError for acts without a control
    """
    boxes = np.asarray(boxes_px, dtype=np.float64).reshape(-1, 4)
    when, which = np.asarray(acted_ms, np.float64), np.asarray(acted_on, np.intp)
    if when.shape != which.shape:
        raise TrailError(f"acted_on must name {when.size} controls, got {which.size}")
    nearest = np.full(len(found), -1)
    if not len(found) or not len(boxes):
        return nearest
    away = _away_px(found.x_px[:, None], found.y_px[:, None], boxes)
    shortest, longest = HESITATION_MS
    near = away.min(axis=1) <= HESITATION_PX
    right = (found.duration_ms >= shortest) & (found.duration_ms <= longest)
    nearest[near & right] = away.argmin(axis=1)[near & right]
    end_ms = found.t_ms + found.duration_ms + ENDS_WITH_MS
    during = (when >= found.t_ms[:, None]) & (when <= end_ms[:, None])
    nearest[(during & (which == nearest[:, None])).any(axis=1)] = -1
    return nearest


def _away_px(x: FloatArray, y: FloatArray, boxes: FloatArray) -> FloatArray:
    x0, y0, x1, y1 = boxes.T
    across = np.maximum(np.maximum(x0 - x, x - x1), 0)
    down = np.maximum(np.maximum(y0 - y, y - y1), 0)
    return np.asarray(np.hypot(across, down), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Idle:
    """How often a view was left alone, and for how long beyond what counts as dwell."""

    times: int
    ms: float


def idle(
    t_ms: ArrayLike, *, tail_ms: float, hidden_ms: ArrayLike | None = None, cap_ms: float = CAP_MS
) -> Idle:
    """Tell of pauses without any event that are longer than a hold may be.

    t_ms       (n,) times of all events, never falling
    tail_ms    from the last one to the end of the view
    hidden_ms  as for `visible_ms`: hidden time is neither dwell nor idle
    """
    t = np.asarray(t_ms, dtype=np.float64)
    seen = visible_ms(np.append(t, t[-1:] + tail_ms), hidden_ms)
    beyond = np.diff(seen) - cap_ms
    return Idle(int((beyond > 0).sum()), float(np.maximum(beyond, 0).sum()))
