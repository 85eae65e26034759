"""The one place that asks for the time; everything else is handed a clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Answers the present moment as an aware UTC datetime."""


def system_clock() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the one permitted call


class SteppedClock:
    """A clock that is set by hand, for seeding the demo and for tests, and may be handed back.

    Until `release` it answers the moment it was last set to; afterwards the real time.
    """

    def __init__(self, start: datetime) -> None:
        self._moment: datetime | None = start

    def __call__(self) -> datetime:
        return self._moment if self._moment is not None else system_clock()

    def set(self, moment: datetime) -> None:
        if moment.tzinfo is None:
            raise ValueError(f"a clock needs an aware moment, got {moment!r}")
        self._moment = moment

    def release(self) -> None:
        self._moment = None
