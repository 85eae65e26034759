"""Where a view lost time: stalls and dwell by zone, as the heatmaps and the stall list hold it.

With a mouse a stall is an I-DT fixation of its trail, or, script-free, the hover clock of a zone
and a rest in a pointer cell; on touch a field stall (the focus clock of a zone; of a text, which
cannot be focused, the sticky hover that means "last tapped") or a reading stall (a band resting in
view), whichever form told of them. The definitions are those of `heatmap.resting`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from app.folding.pointing import CELL, Cells, entered, middle_px, width_px
from app.folding.scripted import bands_s, facts, focused_s
from app.folding.seen import Seen
from app.folding.tapped import last_tapped_s
from collector.packing import TRAIL
from collector.wire import BAND_PX, DWELL_STEPS_S
from heatmap.fixations import SHORTEST_MS, clock_seconds
from heatmap.fixations import Stalls as Fixations
from heatmap.resting import field_stalls, reading_stalls
from heatmap.resting import stalls as rests

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
    return rests(np.column_stack([trail[name].astype(np.float64) for name in ("t", "x", "y")]))


_NO_RESTS = _rests(np.empty(0, TRAIL))
"""Of the many views that have no trail."""


def _zones(view: Seen) -> dict[int, tuple[float, float]]:
    """By the clocks, no longer than until the page was left; by the script's focus to the ms."""
    hovered = view.tapped_s if view.touch else view.hovered_s
    told = field_stalls(hovered, view.focus_s, touch=view.touch)
    if not view.touch:
        return {zone: _dwell(view, f"{zone}.h{hovered[zone]}", told[zone]) for zone in told}
    letters = {**dict.fromkeys(hovered, "h"), **dict.fromkeys(view.focus_s, "f")}
    reached = {**hovered, **view.focus_s}
    zones = {
        zone: _dwell(view, f"{zone}.{letters[zone]}{reached[zone]}", told[zone]) for zone in told
    }
    stayed = {**last_tapped_s(view), **focused_s(view)}
    timed = {zone: s for zone, s in stayed.items() if s >= DWELL_STEPS_S[0]}
    return dict(sorted({**zones, **{zone: (s, s) for zone, s in timed.items()}}.items()))


def _dwell(view: Seen, name: str, interval: tuple[float, float]) -> tuple[float, float]:
    """Between the step that the clock reached and the next, or until the page was left."""
    low, high = interval
    if view.left_at is None or name not in view.moments_ms:
        return low, high
    left_ms = (view.left_at - view.opened_at).total_seconds() * 1000
    ran_on_s = max(left_ms - view.moments_ms[name], 0) / 1000
    return low, min(high, low + ran_on_s)


def _bands(view: Seen, zones: dict[int, tuple[float, float]]) -> dict[int, float]:
    """A second in view is shared by the bands that share the viewport, and told once only."""
    viewport_px = view.height_px or TYPICAL_VIEWPORT_PX
    return reading_stalls(_in_view(view), zones, band_px=BAND_PX, viewport_px=viewport_px)


def _in_view(view: Seen) -> Mapping[int, int]:
    """What the stall list keeps: with a mouse the bands in view are no stall, and the script's are
    left out."""
    return in_view(view) if view.touch else view.bands_s


def in_view(view: Seen) -> Mapping[int, int]:
    """Seconds that each band was in view: by its clock, else by the places scrolled to."""
    return view.bands_s or bands_s(view)


@lru_cache
def clock_middle(interval: tuple[float, float]) -> float:
    return float(clock_seconds(*interval))


def pack_stalls(view: Seen, stalls: Stalls) -> bytes:
    cells = [
        (*middle_px(cell["row"], cell["column"], width_px(view)), cell["hold_ms"], cell["t"])
        for cell in stalls.cells
    ]
    x, y, ms, t = np.array(cells, np.float64).reshape(-1, 4).T
    packed = np.zeros(len(stalls.seconds) + len(cells), STALL)
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


FOCUS_STEPS = tuple(f"f{step}" for step in DWELL_STEPS_S)

FACTS = ("h", "f", "i", "v", "o", "c", "e", "u", "b", "p1", "p2", "p3", "p4", *FOCUS_STEPS)
"""What a zone told of; a place in this list, from 1, is stored and never changes. The dwell of a
mouse is its hover's, so that the focus of its fields is known by the steps of its clock alone."""

FACT = np.dtype([("zone", "<u2"), ("fact", "u1"), ("t", "<u4")])


def pack_facts(view: Seen) -> bytes:
    """First hover, focuses and their clock's steps, presses and states of zones, each with its
    moment, ms. Of one page in both forms the script's focuses count, which tells of each."""
    by_script = facts(view)
    if any(what == "f" for _, what, _ in by_script):
        known = [name for name in view.moments_ms if name.partition(".")[2][:1] != "f"]
    else:
        known = list(view.moments_ms)
    named = [(name.partition("."), view.moments_ms[name]) for name in known]
    told = [(int(zone), what, ms) for (zone, _, what), ms in named if what in _PLACES] + by_script
    rows = [(zone, _PLACES[what], ms) for zone, what, ms in told]
    return np.array(sorted(rows), FACT).tobytes() if rows else b""


_PLACES = {what: place for place, what in enumerate(FACTS, start=1)}


def pack_bands(view: Seen) -> bytes:
    rows = sorted(_in_view(view).items())
    return np.array(rows, BAND).tobytes() if rows else b""
