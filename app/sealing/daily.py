"""Sums of a page and day by the codes of its views, for trends. Pure.

Every view is under its own codes. A visit is under one combination alone, so that visits add up
over codes: that of its first view of the page whose width is known, else of its first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from app.folding.seen import CODE_NAMES, Seen
from app.mapping.marks import Gathered, Paired

CodesKey = tuple[int, ...]


@dataclass(slots=True)
class DailySum:
    views: int = 0
    visits: int = 0
    goals: int = 0
    dwell_ms: int = 0


class Daily:
    """Counts the views of one page and day; they come by visit."""

    def __init__(self) -> None:
        self._sums: dict[CodesKey, DailySum] = {}
        self._visit: _Visit | None = None

    def add(self, paired: Paired, completed: Sequence[bool], stalls: Gathered) -> None:
        """Views by visit and opening, whether their visits completed, and their stalls."""
        dwell_ms = np.bincount(stalls.view_of, stalls.marks["weight"], len(paired))
        for (view, visit), done, ms in zip(paired, completed, dwell_ms.tolist(), strict=True):
            own = self._of(_codes(view))
            own.views += 1
            own.dwell_ms += round(ms)
            self._meet(visit, view, done=done)

    def rows(self) -> Iterator[tuple[CodesKey, DailySum]]:
        """By the codes in the order of CODE_NAMES."""
        self._leave()
        yield from sorted(self._sums.items())

    def _of(self, codes: CodesKey) -> DailySum:
        return self._sums.setdefault(codes, DailySum())

    def _meet(self, number: int, view: Seen, *, done: bool) -> None:
        if self._visit is None or self._visit.number != number:
            self._leave()
            self._visit = _Visit(number, _codes(view), done, known=bool(view.codes.band))
        elif view.codes.band and not self._visit.known:
            self._visit.codes, self._visit.known = _codes(view), True

    def _leave(self) -> None:
        if self._visit is not None:
            own = self._of(self._visit.codes)
            own.visits += 1
            own.goals += self._visit.completed
            self._visit = None


@dataclass(slots=True)
class _Visit:
    """The one whose views are coming."""

    number: int
    codes: CodesKey
    completed: bool
    known: bool
    """Whether the codes are of a view whose width is known."""


def _codes(view: Seen) -> CodesKey:
    return tuple(int(getattr(view.codes, name)) for name in CODE_NAMES)
