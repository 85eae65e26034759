"""What was found out lately, so that it need not be found out again; bounded in number and time."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Lately(Generic[K, V]):
    """Two halves: the younger one is filled, and the older one is what it was before.

    Forgetting one by one would cost at every look: here a whole half goes when the other is full,
    or by the loop's clock, whether anybody asks or not.
    """

    __slots__ = ("_half", "_old", "_seconds", "_timer", "_young")

    def __init__(self, most: int, seconds: float) -> None:
        """Holds `most` at most, none of it for longer than twice `seconds`."""
        self._half = most // 2
        self._seconds = seconds
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get(self, key: K) -> V | None:
        found = self._young.get(key)
        return self._old.get(key) if found is None else found

    def put(self, key: K, value: V) -> None:
        """Only within a running loop."""
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[key] = value
        if self._timer is None:
            self._wind_up()

    def _wind_up(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._age)

    def _age(self) -> None:
        self._old, self._young = self._young, {}
        self._timer = None
        if self._old:
            self._wind_up()
