"""One run of an errand for all who ask for it meanwhile: a crowd asks the store one question."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Errands(Generic[T]):
    def __init__(self) -> None:
        self._running: dict[Hashable, asyncio.Task[T]] = {}

    async def run(
        self,
        name: Hashable,
        work: Callable[[], Coroutine[None, None, T]],
        within_s: float | None = None,
    ) -> T:
        """What `work` returns or raises; who comes while it runs shares its end.

        Raises TimeoutError where that is not within `within_s`; the errand goes on.
        """
        task = self.begin(name, work)
        # Waiting for it needs no task of one's own, and neither does giving up.
        done, _ = await asyncio.wait((task,), timeout=within_s)
        if not done:
            raise TimeoutError
        return task.result()

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
