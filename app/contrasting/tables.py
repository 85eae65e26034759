"""Visits → tables of visits x zones: who saw a zone, how long they dwelt, what they did. Pure.

Seconds at a zone are its clock's; where it has none, those of the stalls that lie in its box. So a
second is told once, whichever form told it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from app.contrasting.reading import UNKNOWN, Flags, PageVisits, Records, Views, Whole
from app.folding.homes import Homes, ZoneBox, zones_at
from app.folding.seen import SETTLED_MS
from app.folding.stalls import FACTS, FOCUS_STEPS
from collector.wire import PRESSES
from heatmap.fixations import Stalls
from heatmap.resting import HESITATION_MS, hesitations
from heatmap.zone_metrics import ZoneActs

Floats = NDArray[np.float64]
MS = 1000

MOST_ZONES = 2**16
"""Numbers that the packed records have room for."""

_PLACE = {what: place for place, what in enumerate(FACTS, start=1)}
HOVERED, FOCUSED = _PLACE["h"], _PLACE["f"]
PRESSED = [_PLACE[f"p{n}"] for n in range(1, PRESSES + 1)]
TAPPED = [HOVERED, FOCUSED, _PLACE["c"], *(_PLACE[step] for step in FOCUS_STEPS)]
"""On touch, where a view tells of no press at all, these say what was pressed (`Seen.pressed`)."""

ERRORS = [_PLACE["e"], _PLACE["i"]]
"""The shop's own error state, or what the browser finds wrong."""

STEPS_S = {_PLACE[step]: int(step.removeprefix("f")) for step in FOCUS_STEPS}


@dataclass(frozen=True, slots=True, eq=False)
class ZoneTable:
    """Of n visits and the zones of a page, by `numbers`; tables are (n, zones).

    seconds   dwell
    focus_s   the steps that the zone's focus clocks reached, summed over the visit's views
    acts      what was seen and done, for `heatmap.zone_metrics`
    errors    whether a visit was shown an error there
    last      (n,) the zone that told of anything last, -1 for none; wherever the visit ended
    """

    numbers: tuple[int, ...]
    seconds: Floats
    focus_s: Floats
    acts: ZoneActs
    errors: Flags
    last: Whole

    @property
    def seen(self) -> Flags:
        return self.acts.seen


def zone_table(found: PageVisits, numbers: Sequence[int], homes: Homes) -> ZoneTable:
    """Everything that is told of these zones, zone by zone in the order of `numbers`."""
    views, columns = found.views, _Columns(numbers)
    boxed = list(_by_home(views, homes))
    in_zone = _zones_of_stalls(views, boxed)
    by_view = _seconds(views, columns, in_zone)
    visits = _PerVisit(len(found.visits), views.visit)
    last = _last(found, columns)
    errors = columns.count(views, np.isin(views.facts["fact"], ERRORS)) > 0
    left_from = np.where(found.visits.left, last, -1)
    return ZoneTable(
        numbers=tuple(numbers),
        seconds=visits.sum(by_view),
        focus_s=visits.sum(_focus_s(views, columns)),
        acts=_acts(found, columns, boxed, by_view > 0, left_from),
        errors=visits.any(errors),
        last=last,
    )


def _acts(
    found: PageVisits, columns: _Columns, boxed: _Boxed, dwelt: Flags, left_from: Whole
) -> ZoneActs:
    """What visits did; who dwelt at a zone, or told of anything there, had it in view."""
    views = found.views
    visits = _PerVisit(len(found.visits), views.visit)
    pressed = _pressed(views, columns)
    focused = columns.count(views, views.facts["fact"] == FOCUSED)
    told = columns.count(views, np.ones(len(views.facts), np.bool_)) > 0
    hovered = columns.count(views, views.facts["fact"] == HOVERED) > 0
    return ZoneActs(
        seen=visits.any(_in_view(views, columns, boxed) | told | dwelt),
        hovered=visits.any(hovered | dwelt),
        clicked=visits.any(pressed),
        hesitated=visits.any(_hesitated(views, columns, boxed, pressed)),
        focuses=visits.sum(focused).astype(np.intp),
        last=left_from,
    )


class _Columns:
    """The place of each zone's number in the tables."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self.numbers = tuple(numbers)
        self._place = np.full(MOST_ZONES, -1, np.int64)
        self._place[list(numbers)] = np.arange(len(numbers))

    def __len__(self) -> int:
        return len(self.numbers)

    def of(self, zones: NDArray[np.generic]) -> Whole:
        """The column of each, -1 for a zone that the page has no more."""
        return self._place[zones.astype(np.int64)]

    def table(self, views: Views) -> Floats:
        return np.zeros((len(views), len(self)))

    def count(self, views: Views, which: Flags) -> Floats:
        """(m, zones) how many of these facts each view told of each zone."""
        table = self.table(views)
        column = self.of(views.facts["zone"][which])
        known = column >= 0
        np.add.at(table, (views.fact_view[which][known], column[known]), 1)
        return table


class _PerVisit:
    """From tables by view to tables by visit."""

    def __init__(self, visits: int, visit: Whole) -> None:
        self._visits, self._visit = visits, visit

    def sum(self, table: Floats) -> Floats:
        total = np.zeros((self._visits, table.shape[1]))
        np.add.at(total, self._visit, table)
        return total

    def any(self, table: Flags) -> Flags:
        any_of = np.zeros((self._visits, table.shape[1]), np.bool_)
        np.logical_or.at(any_of, self._visit, table)
        return any_of


_Boxed = list[tuple[Flags, Sequence[ZoneBox]]]


def _by_home(views: Views, homes: Homes) -> Iterator[tuple[Flags, Sequence[ZoneBox]]]:
    """Views (a flag for each) that met the same layout, and its zones' boxes."""
    if not len(views):
        return
    keys = np.stack((views.day, views.band, views.touch.astype(np.int64)), axis=1)
    kinds, of = np.unique(keys, axis=0, return_inverse=True)
    for n, (day, band, touch) in enumerate(kinds.tolist()):
        yield of.ravel() == n, homes.boxes(date.fromordinal(day), band, touch=bool(touch))


def _zones_of_stalls(views: Views, boxed: _Boxed) -> Whole:
    """The zone in which each stall lies, 0 for none."""
    zones = np.zeros(len(views.stalls), np.int64)
    for own, boxes in boxed:
        which = own[views.stall_view]
        x, y = (views.stalls[name][which].astype(np.float64) for name in ("x", "y"))
        zones[which] = zones_at(x, y, boxes)
    return zones


def _seconds(views: Views, columns: _Columns, in_zone: Whole) -> Floats:
    clocks, rests = columns.table(views), columns.table(views)
    column = columns.of(views.dwell["zone"])
    known = column >= 0
    middle_s = (views.dwell["low_ms"].astype(np.float64) + views.dwell["high_ms"]) / (2 * MS)
    np.add.at(clocks, (views.dwell_view[known], column[known]), middle_s[known])
    column = columns.of(in_zone)
    known = column >= 0
    rest_s = views.stalls["ms"].astype(np.float64) / MS
    np.add.at(rests, (views.stall_view[known], column[known]), rest_s[known])
    return np.where(clocks > 0, clocks, rests)


def _in_view(views: Views, columns: _Columns, boxed: _Boxed) -> Flags:
    """Whether the top of a zone was in the window; where nothing tells, it was."""
    seen = np.ones((len(views), len(columns)), np.bool_)
    for own, boxes in boxed:
        for number, (_, y0_px, _, _) in boxes:
            column = int(columns.of(np.array([number]))[0])
            if column >= 0:
                depth = views.deepest_px[own]
                seen[own, column] = (depth == UNKNOWN) | (depth > y0_px)
    return seen


def _pressed(views: Views, columns: _Columns) -> Flags:
    presses = columns.count(views, np.isin(views.facts["fact"], PRESSED))
    late = views.facts["t"] >= SETTLED_MS
    taps = columns.count(views, np.isin(views.facts["fact"], TAPPED) & late)
    tells = presses.any(axis=1) | ~views.touch
    pressed: Flags = np.where(tells[:, None], presses > 0, taps > 0)
    return pressed


def _focus_s(views: Views, columns: _Columns) -> Floats:
    """The last step of each focus clock."""
    reached = columns.table(views)
    column = columns.of(views.facts["zone"])
    for place, step_s in STEPS_S.items():
        which = (views.facts["fact"] == place) & (column >= 0)
        np.maximum.at(reached, (views.fact_view[which], column[which]), step_s)
    return reached


def _hesitated(views: Views, columns: _Columns, boxed: _Boxed, pressed: Flags) -> Flags:
    """By a clock that ran 1 to 10 s in a zone that was not pressed, or by a stall at it."""
    hesitated = np.zeros((len(views), len(columns)), np.bool_)
    shortest_ms, longest_ms = HESITATION_MS
    low, high = views.dwell["low_ms"], views.dwell["high_ms"]
    column = columns.of(views.dwell["zone"])
    which = (column >= 0) & (low >= shortest_ms) & (high <= longest_ms)
    hesitated[views.dwell_view[which], column[which]] = True
    hesitated &= ~pressed
    for view, boxes in _with_stalls(views, boxed):
        for zone in _hesitations(views, view, boxes):
            place = int(columns.of(np.array([zone]))[0])
            if place >= 0:
                hesitated[view, place] = True
    return hesitated


def _with_stalls(views: Views, boxed: _Boxed) -> Iterator[tuple[int, Sequence[ZoneBox]]]:
    resting = np.zeros(len(views), np.bool_)
    resting[views.stall_view] = True
    for own, boxes in boxed:
        if boxes:
            for view in np.flatnonzero(own & resting).tolist():
                yield view, boxes


def _hesitations(views: Views, view: int, boxes: Sequence[ZoneBox]) -> Iterable[int]:
    """The zones at which the stalls of one view hesitated."""
    rests = views.stalls[slice(*np.searchsorted(views.stall_view, (view, view + 1)))]
    facts = views.facts[slice(*np.searchsorted(views.fact_view, (view, view + 1)))]
    presses = facts[np.isin(facts["fact"], PRESSED)]
    number = {zone: place for place, (zone, _) in enumerate(boxes)}
    places = hesitations(
        _as_stalls(rests),
        [box for _, box in boxes],
        presses["t"].astype(np.float64),
        np.array([number.get(int(zone), -1) for zone in presses["zone"]], np.intp),
    )
    return {boxes[place][0] for place in places.tolist() if place >= 0}


def _as_stalls(rests: Records) -> Stalls:
    nothing = np.arange(len(rests))
    t, ms, x, y = (rests[name].astype(np.float64) for name in ("t", "ms", "x", "y"))
    return Stalls(nothing, nothing, t, ms, x, y)


def _last(found: PageVisits, columns: _Columns) -> Whole:
    """The zone of each visit's latest fact, -1 for none."""
    views = found.views
    column = columns.of(views.facts["zone"])
    known = column >= 0
    at_ms = views.opened_ms[views.fact_view[known]] + views.facts["t"][known]
    visit = views.visit[views.fact_view[known]]
    order = np.lexsort((column[known], at_ms, visit))
    last = np.full(len(found.visits), -1, np.int64)
    last[visit[order]] = column[known][order]  # of several the latest is written last
    return last
