"""One run of an errand for all who ask for it meanwhile: a crowd asks the store one question."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Errands(Generic[T]):
    def __init__(self) -> None:
        self._running: dict[Hashable, asyncio.Task[T]] = {}

    async def run(self, name: Hashable, work: Callable[[], Coroutine[None, None, T]]) -> T:
        """What `work` returns or raises; who comes while it runs shares its end."""
        return await asyncio.shield(self.begin(name, work))

    def begin(
        self, name: Hashable, work: Callable[[], Coroutine[None, None, T]]
    ) -> asyncio.Task[T]:
        """Likewise, for who does not wait."""
        task = self._running.get(name)
        if task is None:
            task = asyncio.create_task(work())
            self._running[name] = task
            task.add_done_callback(lambda done: self._ended(name, done))
        return task

    def _ended(self, name: Hashable, task: asyncio.Task[T]) -> None:
        del self._running[name]
        if not task.cancelled():
            task.exception()  # whoever asked may have hung up: that is no error of ours
