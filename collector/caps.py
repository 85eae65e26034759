"""How much one visitor and one page view may send: what is more is no person's doing.

Counted in memory and by each process alone, so that nothing is stored for it and a row costs one
look into a dictionary; several workers together let as many times more through. Numbers of
visitors and views are what the rows bear anyway; addresses are never here.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

PERIOD = timedelta(minutes=30)
"""As long as a visit may pause."""

MOST_VIEWS = 2_000
"""Of one visitor in a period. Phones of one make behind one carrier's address are one visitor, and
of a shop's thousands in half an hour some hundreds may be of the commonest make."""

MOST_ROWS = 1_000
"""Of one view in a period: a long checkout sends some hundreds of beacons."""

MOST_KNOWN = 200_000
"""Views and visitors that are counted at once, 20 MB; then the count begins anew."""


_NEVER = datetime(1, 1, 1, tzinfo=UTC)


class Caps:
    """Counts what was let through since the period began."""

    def __init__(self) -> None:
        self._since = self._until = _NEVER
        self._counts: dict[int, int] = {}

    def is_full(self, number: int, most: int, now: datetime) -> bool:
        """Count one more of a visitor or view; whether it is one too many."""
        if not self._since <= now < self._until:
            self._since, self._until = now, now + PERIOD
            self._counts = {}
        counts = self._counts
        n = counts.get(number, 0)
        if n >= most:
            return True
        if n == 0 and len(counts) >= MOST_KNOWN:
            counts.clear()
        counts[number] = n + 1
        return False
