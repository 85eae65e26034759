"""Pictures are drawn in processes of their own, so that drawing never delays a beacon."""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from typing import ParamSpec, TypeVar

from app.postgres.lifeline import die_with_parent

P = ParamSpec("P")
T = TypeVar("T")

WAITING = 8
"""Pictures that may wait for a process; further ones are told to come back."""


class Busy(Exception):
    """Too many pictures are being drawn; come back after `retry_after_s`."""

    retry_after_s = 2


class Renders:
    """A small pool of drawing processes, started at the first picture."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None
        self._taken = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place in the line, from before anything is read for the picture; Busy if full."""
        if self._taken >= self._workers + WAITING:
            raise Busy("too many pictures are being drawn; ask again in a moment")
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    async def run(self, draw: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        pool = self._pool = self._pool or self._started()
        loop = asyncio.get_running_loop()
        try:
            with _deaf_to_ctrl_c():
                drawn = loop.run_in_executor(pool, partial(draw, *args, **kwargs))
            return await drawn
        except BrokenProcessPool as broken:
            # A process was killed, most likely for its memory. Whoever notices first puts the
            # pool away; by the others' turn there may be a new one, with work of its own.
            if self._pool is pool:
                self.close()
            raise Busy("the process that drew this picture was ended; ask again") from broken

    def _started(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self._workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=die_with_parent,
        )

    def close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)


class Alone(Renders):
    """For a command that draws one picture and ends: here, for want of anybody to delay."""

    def __init__(self) -> None:
        super().__init__(1)

    async def run(self, draw: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return draw(*args, **kwargs)


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Processes begun here never hear Ctrl-C, which a terminal tells to all: the pool ends them.

    A new process has the mask of the thread that begins it, so it is deaf from its first moment.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
