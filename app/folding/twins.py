"""Twins: a browser that opened two views for one page (Firefox, where the HTML names no charset).

Of views of one page by one visitor within 2 s the silent ones go, if need be all but one.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from app.folding.seen import Seen

TWIN_WITHIN = timedelta(seconds=2)


class Twins:
    """Takes views person by person in order of opening, and gives those that are no twins.

    The last of them are held until whatever opened within 2 s of them has been seen.
    """

    def __init__(self) -> None:
        self._held: list[Seen] = []
        self._near: list[Seen] = []
        """Kept and given already, but so late that they may have a twin among those to come."""

        self.left_out: Counter[date] = Counter()
        """Views that are in no answer, by the day of their opening."""

    def take(self, views: Sequence[Seen]) -> list[Seen]:
        waiting = [*self._held, *views]
        settled = _settled(waiting)
        self._held = waiting[settled:]
        kept = self._kept(waiting, settled)
        if waiting:
            self._near = _near([*self._near, *kept], waiting[-1])
        return kept

    def end(self) -> list[Seen]:
        """Those that were held, once nothing more is to come."""
        held, self._held = self._held, []
        return self._kept(held, len(held))

    def _kept(self, waiting: list[Seen], settled: int) -> list[Seen]:
        openings: _Openings = {}
        for view in (*self._near, *(view for view in waiting if view.signals)):
            _note(openings, view)
        kept = []
        for view in waiting[:settled]:
            if not view.signals:
                if _is_twin(openings, view):
                    self.left_out[view.day] += 1
                    continue
                _note(openings, view)
            kept.append(view)
        return kept


def without_twins(views: Sequence[Seen]) -> list[Seen]:
    """Of views that are all at hand, in order of opening, of however many persons."""
    twins = Twins()
    return [*twins.take(views), *twins.end()]


def _settled(waiting: list[Seen]) -> int:
    """How many of them nothing that is to come can be near to."""
    n = len(waiting)
    while n and _may_be_near(waiting[n - 1], waiting[-1], TWIN_WITHIN):
        n -= 1
    return n


def _near(kept: list[Seen], last: Seen) -> list[Seen]:
    """Those that may be near to one that is held, or to one that is to come."""
    n = len(kept)
    while n and _may_be_near(kept[n - 1], last, 2 * TWIN_WITHIN):
        n -= 1
    return kept[n:]


def _may_be_near(view: Seen, last: Seen, within: timedelta) -> bool:
    return view.person == last.person and last.opened_at - view.opened_at <= within


_Openings = dict[tuple[int, int], list[datetime]]
"""When a visitor opened a page, in order."""


def _note(openings: _Openings, view: Seen) -> None:
    for visitor in _visitors(view):
        insort(openings.setdefault((visitor, view.page_id), []), view.opened_at)


def _is_twin(openings: _Openings, view: Seen) -> bool:
    for visitor in _visitors(view):
        times = openings.get((visitor, view.page_id), [])
        first_near = bisect_left(times, view.opened_at - TWIN_WITHIN)
        if first_near < len(times) and times[first_near] <= view.opened_at + TWIN_WITHIN:
            return True
    return False


def _visitors(view: Seen) -> set[int]:
    """Midnight may lie between twins: then the second also bears yesterday's hash."""
    return {view.visitor} if view.visitor_before is None else {view.visitor, view.visitor_before}
