"""What the script's events say in the words of the script-free form: focus clocks, facts, bands.

The script tells of a finger no trail. On a phone it tells of fields by how long each had the focus,
and of reading by where the page rested between two scrolls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from app.folding.seen import Seen
from collector.wire import BAND_PX, BANDS, DWELL_STEPS_S, PRESSES, Kind
from heatmap.fixations import CAP_MS

Fact = tuple[int, str, int]
"""Zone, what, and when: ms since the opening."""

MS = 1000


def _of_kind(view: Seen, kind: Kind) -> NDArray[np.void]:
    chosen: NDArray[np.void] = view.events[view.events["kind"] == int(kind)]
    return chosen


def _focuses(view: Seen) -> NDArray[np.void]:
    """Each told when it ended; what is told at a first input is part of it, and left out."""
    told = _of_kind(view, Kind.FOCUS)
    chosen: NDArray[np.void] = told[(told["zone"] > 0) & (told["u"] == 0)]
    return chosen


def focused_s(view: Seen) -> Mapping[int, float]:
    """Seconds that each zone had the focus, each time CAP_MS at the most."""
    if not len(view.events):
        return {}
    total: Counter[int] = Counter()
    for told in _focuses(view):
        total[int(told["zone"])] += min(int(told["value"]), CAP_MS)
    return {zone: min(ms, CAP_MS) / MS for zone, ms in total.items()}


def facts(view: Seen) -> list[Fact]:
    """Presses, focuses, and the steps of the focus clock that these passed."""
    return [*_presses(view), *_focus_facts(view)] if len(view.events) else []


def _presses(view: Seen) -> list[Fact]:
    """Of both forms on one page the script-free one already told of them."""
    told: list[Fact] = []
    times: Counter[int] = Counter()
    for click in view.clicks() if not view.presses else ():
        zone = int(click["zone"])
        times[zone] += 1
        if zone and times[zone] <= PRESSES:
            told.append((zone, f"p{times[zone]}", int(click["t"])))
    return told


def _focus_facts(view: Seen) -> list[Fact]:
    told: list[Fact] = []
    before: Counter[int] = Counter()
    for focus in _focuses(view):
        zone, held_ms = int(focus["zone"]), int(focus["value"])
        began_ms = max(int(focus["t"]) - held_ms, 0)
        told.append((zone, "f", began_ms))
        told += [
            (zone, f"f{step}", began_ms + step * MS - before[zone])
            for step in DWELL_STEPS_S
            if before[zone] < step * MS <= before[zone] + held_ms
        ]
        before[zone] += held_ms
    return told


def bands_s(view: Seen) -> Mapping[int, int]:
    """The step of its clock that each band in view reached, between the places scrolled to.

    Time counts until the last that was heard of the view, and CAP_MS at each place at the most.
    """
    scrolls = _of_kind(view, Kind.SCROLL) if len(view.events) else view.events
    if not len(scrolls):
        return {}
    end_ms = round((view.last_at - view.opened_at).total_seconds() * MS)
    end_ms = max(end_ms, int(view.events["t"][-1]))
    rests_ms = np.minimum(np.diff(scrolls["t"].astype(np.int64), append=end_ms), CAP_MS)
    first = scrolls["y"].astype(np.int64) // BAND_PX
    heights_px = np.maximum(scrolls["value"].astype(np.int64), 1)
    last = (scrolls["y"].astype(np.int64) + heights_px - 1) // BAND_PX
    bands = np.arange(BANDS)[:, None]
    in_view = (first <= bands) & (bands <= last)
    seconds = (in_view * rests_ms).sum(axis=1) / MS
    reached = np.searchsorted(DWELL_STEPS_S, seconds, side="right")
    return {band: DWELL_STEPS_S[step - 1] for band, step in enumerate(reached.tolist()) if step > 0}
