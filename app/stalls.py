"""Where a view lost time: stalls and dwell by zone, as the heatmaps and the stall list hold it.

With a mouse a stall is an I-DT fixation of its trail, or, script-free, the hover clock of a zone;
on touch a field stall (the focus clock of a zone; of a text, which cannot be focused, the sticky
hover that means "last tapped") or a reading stall (a band resting in view).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from app.seen import Seen
from collector.codes import Device
from collector.packing import TRAIL
from collector.wire import BAND_PX, DWELL_STEPS_S
from heatmap.fixations import Stalls as Fixations
from heatmap.fixations import clock_dwell_s, clock_seconds, find_stalls

STALL_ENC = 1
STALL = np.dtype(
    [
        ("zone", "<u2"),
        ("u", "<u2"),
        ("v", "<u2"),
        ("x", "<i2"),
        ("y", "<i4"),
        ("ms", "<u4"),
        ("t", "<u4"),
    ]
)
DWELL = np.dtype([("zone", "<u2"), ("low_ms", "<u4"), ("high_ms", "<u4")])
BAND = np.dtype([("band", "<u2"), ("s", "<u2")])

TYPICAL_VIEWPORT_PX = 800
"""Height assumed where the viewport's bucket did not arrive: a phone's, upright."""


@dataclass(frozen=True, slots=True)
class Stalls:
    """Of one view: points by script, seconds by zone and by band script-free."""

    x_px: NDArray[np.float64]
    y_px: NDArray[np.float64]
    seconds: NDArray[np.float64]
    t_ms: NDArray[np.float64]
    zones_s: dict[int, tuple[float, float]]
    """Dwell of each zone as the interval that its clock steps leave open."""
    bands_s: dict[int, float]
    """Seconds of rest attributed to each band, beyond what its zones explain."""


def stalls_of(view: Seen) -> Stalls:
    found = _rests(view.trail) if len(view.trail) else _NO_RESTS
    zones = _zones(view)
    return Stalls(
        x_px=found.x_px,
        y_px=found.y_px,
        seconds=found.duration_ms / 1000,
        t_ms=found.t_ms,
        zones_s=zones,
        bands_s=_bands(view, zones) if is_touch(view) else {},
    )


def _rests(trail: NDArray[np.void]) -> Fixations:
    t, x, y = (trail[name].astype(np.float64) for name in ("t", "x", "y"))
    return find_stalls(t, x, y, tail_ms=0.0)


_NO_RESTS = _rests(np.empty(0, TRAIL))
"""Of the many views that have no trail."""


def is_touch(view: Seen) -> bool:
    return view.coarse or view.codes.device in (Device.PHONE, Device.TABLET)


def _zones(view: Seen) -> dict[int, tuple[float, float]]:
    reached = dict(view.hover_s)
    if is_touch(view):
        reached |= view.focus_s
    return {
        zone: _interval(seconds)
        for zone, seconds in sorted(reached.items())
        if seconds >= DWELL_STEPS_S[0]
    }


def _bands(view: Seen, zones: dict[int, tuple[float, float]]) -> dict[int, float]:
    """A second in view is shared by the bands that share the viewport, and told once only."""
    share = min(1.0, BAND_PX / (view.height_px or TYPICAL_VIEWPORT_PX))
    rested = {
        band: share * clock_middle(_interval(seconds))
        for band, seconds in sorted(view.bands_s.items())
    }
    total = sum(rested.values())
    explained = sum(map(clock_middle, zones.values()))
    left = max(0.0, total - explained) / total if total else 0.0
    return {band: seconds * left for band, seconds in rested.items()} if left else {}


@lru_cache
def _interval(reached_s: int) -> tuple[float, float]:
    low, high = clock_dwell_s(reached_s)
    return float(low), float(high)


@lru_cache
def clock_middle(interval: tuple[float, float]) -> float:
    return float(clock_seconds(*interval))


def pack_stalls(stalls: Stalls) -> bytes:
    if not len(stalls.seconds):
        return b""
    packed = np.zeros(len(stalls.seconds), STALL)
    packed["x"], packed["y"] = np.rint(stalls.x_px), np.rint(stalls.y_px)
    packed["ms"], packed["t"] = np.rint(stalls.seconds * 1000), np.rint(stalls.t_ms)
    return packed.tobytes()


def pack_dwell(stalls: Stalls) -> bytes:
    rows = [(zone, low * 1000, high * 1000) for zone, (low, high) in stalls.zones_s.items()]
    return np.array(rows, DWELL).tobytes() if rows else b""


def pack_bands(view: Seen) -> bytes:
    rows = sorted(view.bands_s.items())
    return np.array(rows, BAND).tobytes() if rows else b""
