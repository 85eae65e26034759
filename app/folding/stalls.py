"""Where a view lost time: stalls and dwell by zone, as the heatmaps and the stall list hold it.

With a mouse a stall is an I-DT fixation of its trail, or, script-free, the hover clock of a zone
and a rest in a pointer cell; on touch a field stall (the focus clock of a zone; of a text, which
cannot be focused, the sticky hover that means "last tapped") or a reading stall (a band resting in
view).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from app.folding.pointing import CELL, Cells, entered, middle_px, width_px
from app.folding.seen import Seen
from collector.packing import TRAIL
from collector.wire import BAND_PX, DWELL_STEPS_S
from heatmap.fixations import SHORTEST_MS, clock_dwell_s, clock_seconds, find_stalls
from heatmap.fixations import Stalls as Fixations

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
    cells: Cells
    """Pointer cells in which a mouse rested."""


def stalls_of(view: Seen) -> Stalls:
    found = _rests(view.trail) if len(view.trail) else _NO_RESTS
    zones = _zones(view)
    return Stalls(
        x_px=found.x_px,
        y_px=found.y_px,
        seconds=found.duration_ms / 1000,
        t_ms=found.t_ms,
        zones_s=zones,
        bands_s=_bands(view, zones) if view.touch else {},
        cells=_NO_CELLS if len(view.trail) else _rested(view),
    )


_NO_CELLS = np.empty(0, CELL)


def _rested(view: Seen) -> Cells:
    cells = entered(view)
    return cells[cells["hold_ms"] >= SHORTEST_MS]


def _rests(trail: NDArray[np.void]) -> Fixations:
    t, x, y = (trail[name].astype(np.float64) for name in ("t", "x", "y"))
    return find_stalls(t, x, y, tail_ms=0.0)


_NO_RESTS = _rests(np.empty(0, TRAIL))
"""Of the many views that have no trail."""


def _zones(view: Seen) -> dict[int, tuple[float, float]]:
    """By the hover clock; on touch a zone that had the focus by its focus clock alone."""
    hovered = view.tapped_s if view.touch else view.hovered_s
    reached = {zone: ("h", seconds) for zone, seconds in hovered.items()}
    if view.touch:
        reached |= {zone: ("f", seconds) for zone, seconds in view.focus_s.items()}
    return {
        zone: _dwell(view, f"{zone}.{letter}{seconds}", seconds)
        for zone, (letter, seconds) in sorted(reached.items())
        if seconds >= DWELL_STEPS_S[0]
    }


def _dwell(view: Seen, name: str, reached_s: int) -> tuple[float, float]:
    """Between the step that the clock reached and the next, or until the page was left."""
    low, high = _interval(reached_s)
    if view.left_at is None or name not in view.moments_ms:
        return low, high
    left_ms = (view.left_at - view.opened_at).total_seconds() * 1000
    ran_on_s = max(left_ms - view.moments_ms[name], 0) / 1000
    return low, min(high, low + ran_on_s)


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


def pack_stalls(view: Seen, stalls: Stalls) -> bytes:
    rests = [
        (*middle_px(cell["row"], cell["column"], width_px(view)), cell["hold_ms"], cell["t"])
        for cell in stalls.cells
    ]
    x, y, ms, t = np.array(rests, np.float64).reshape(-1, 4).T
    packed = np.zeros(len(stalls.seconds) + len(rests), STALL)
    packed["x"] = np.rint(np.concatenate([stalls.x_px, x]))
    packed["y"] = np.rint(np.concatenate([stalls.y_px, y]))
    packed["ms"] = np.rint(np.concatenate([stalls.seconds * 1000, ms]))
    packed["t"] = np.rint(np.concatenate([stalls.t_ms, t]))
    return packed.tobytes()


def pack_dwell(stalls: Stalls) -> bytes:
    rows = [
        (zone, round(low * 1000), round(high * 1000))
        for zone, (low, high) in stalls.zones_s.items()
    ]
    return np.array(rows, DWELL).tobytes() if rows else b""


FACTS = ("h", "f", "i", "v", "o", "c", "e", "u", "b", "p1", "p2", "p3", "p4")
"""What a zone told of but its dwell; a place in this list, from 1, is stored and never changes."""

FACT = np.dtype([("zone", "<u2"), ("fact", "u1"), ("t", "<u4")])


def pack_facts(view: Seen) -> bytes:
    """First hover, first focus, presses and states of zones, each with its moment, ms."""
    named = ((name.partition("."), ms) for name, ms in view.moments_ms.items())
    rows = [
        (int(zone), FACTS.index(what) + 1, ms) for (zone, _, what), ms in named if what in FACTS
    ]
    return np.array(sorted(rows), FACT).tobytes() if rows else b""


def pack_bands(view: Seen) -> bytes:
    rows = sorted(view.bands_s.items())
    return np.array(rows, BAND).tobytes() if rows else b""
