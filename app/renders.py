"""Pictures are drawn in processes of their own, so that drawing never delays a beacon."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import ParamSpec, TypeVar

from app.postgres.lifeline import die_with_parent

P = ParamSpec("P")
T = TypeVar("T")

WAITING = 8
"""Renders that may wait for a process; further ones are told to come back."""


class Busy(Exception):
    """Too many pictures are being drawn; come back after `retry_after_s`."""

    retry_after_s = 2


class Renders:
    """A small pool of drawing processes, started at the first picture."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None
        self._waiting = 0

    async def run(self, draw: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._waiting >= self._workers + WAITING:
            raise Busy("too many pictures are being drawn; ask again in a moment")
        self._waiting += 1
        try:
            return await self._submit(partial(draw, *args, **kwargs))
        except BrokenProcessPool:
            # A process was killed, most likely for its memory: the next picture gets a new pool.
            self.close()
            raise
        finally:
            self._waiting -= 1

    async def _submit(self, call: Callable[[], T]) -> T:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=die_with_parent,
            )
        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    def close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)
