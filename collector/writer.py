"""The answer waits until its row is kept: natural batching into groups, and no promise beyond it.

There is no timer. The next group is whatever queued while the last commit ran, so a quiet shop
waits for one commit and a busy one shares it (research: a timer only loses).
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import date
from math import inf
from typing import Any

import structlog

from collector.committer import Committer, Drop
from collector.connections import Door
from collector.errors import CollectorError, InDoubt, NotStored, place_of
from collector.groups import Group, Key, Row
from collector.spool import Spool

log = structlog.get_logger()

GROUP_ROWS = 2000
"""Rows of one COPY: beyond this the commit is no longer what costs."""

GROUP_BYTES = 4 * 1024 * 1024
"""A group is copied once or twice on its way: beyond this, that is the memory that counts."""

QUEUE_BYTES = 32 * 1024 * 1024
"""Rows that wait for their commit, those of the group under way among them."""

RECENT_KEYS = 50_000
"""Keys of what was kept lately: browsers repeat a GET within seconds, not hours."""

HOUSE_S = 5.0
"""Counts of what was dropped on purpose are written this often; a crash may forget as many."""


class _Fate:
    """What becomes of a row, for all who wait for it: who hangs up takes nobody's answer along."""

    __slots__ = ("_waiters",)

    def __init__(self) -> None:
        self._waiters: list[asyncio.Future[None]] | None = []
        """None once the row is kept."""

    async def told(self) -> None:
        """Returns once the row is kept, or raises why it is not."""
        if self._waiters is not None:
            mine = asyncio.get_running_loop().create_future()
            self._waiters.append(mine)
            await mine

    def tell(self, problem: CollectorError | None) -> None:
        waiters, self._waiters = self._waiters or [], None
        for waiter in waiters:
            if waiter.done():
                continue
            if problem is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(problem)


_Waiting = tuple[Row, _Fate]


class Writer:
    """Keeps rows: `keep` returns once they are committed, or lie in the spool while the store is
    away; else it raises NotStored or InDoubt."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Any]],
        *,
        queue_bytes: int = QUEUE_BYTES,
        closed_day: Callable[[int, date], bool] = lambda _site, _day: False,
        revision: str | None = None,
        spool: Spool | None = None,
    ) -> None:
        """`revision` is that of the schema which rows are written for; None takes any store."""
        self._queue_bytes = queue_bytes
        self._queue: deque[_Waiting] = deque()
        self._queued_bytes = 0
        self._wake = asyncio.Event()
        self._recent: OrderedDict[Key, _Fate] = OrderedDict()
        self._drops: Counter[Drop] = Counter()
        self._cleaned_at = -inf
        self._committer = Committer(
            Door(connect, revision),
            closed_day=closed_day,
            spool=spool,
            live_waits=lambda: bool(self._queue),
        )
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def queued_bytes(self) -> int:
        return self._queued_bytes

    @property
    def spool(self) -> Spool | None:
        """Where rows lie while the store is away; None where there is no such place."""
        return self._committer.spool

    async def start(self) -> None:
        """Connect, so that the first visitor waits for nothing; a store that is away comes later.

        Raises StoreError where the store would acknowledge before it has written.
        """
        await self._committer.start()
        self._task = asyncio.create_task(self._run(), name="writer")

    async def stop(self) -> None:
        """Take nothing new, keep what waits, write the counts, close."""
        self._stopping = True
        self._wake.set()
        if self._task:
            await self._task
        await self._committer.stop()

    async def keep(self, row: Row) -> bool:
        """True once kept, False for a repeat of what is kept already."""
        first = self._recent.get(row.key)
        if first is not None:
            await first.told()
            return False
        if self._stopping:
            raise NotStored("the collector is stopping")
        queued_bytes = self._queued_bytes + row.size
        if queued_bytes > self._queue_bytes:
            raise NotStored("the queue is full")
        fate = _Fate()
        self._remember(row.key, fate)
        self._queue.append((row, fate))
        self._queued_bytes = queued_bytes
        self._wake.set()
        await fate.told()
        return True

    def count_drop(self, site_id: int, day: date, reason: str, capture: int) -> None:
        self._drops[(site_id, day, reason, capture)] += 1

    def _remember(self, key: Key, fate: _Fate) -> None:
        self._recent[key] = fate
        while len(self._recent) > RECENT_KEYS:
            self._recent.popitem(last=False)

    async def _run(self) -> None:
        while not self._stopping or self._queue:
            with suppress(TimeoutError):
                async with asyncio.timeout(HOUSE_S):
                    await self._wake.wait()
            self._wake.clear()
            while self._queue:
                await self._write(self._next_group())
                await self._keep_house()
            await self._keep_house()
        if self._drops:
            await self._write_drops()

    def _next_group(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        size = 0
        while self._queue and len(group) < GROUP_ROWS and size < GROUP_BYTES:
            group.append(self._queue.popleft())
            size += group[-1][0].size
        return group

    async def _write(self, waiting: list[_Waiting]) -> None:
        group: Group | None = None
        try:
            group = await self._committer.settle([row for row, _ in waiting])
        except Exception as defect:
            # A defect of ours costs this group its answers, and must not stop the ones to come.
            log.error("group_failed", why=type(defect).__name__, at=place_of(defect))
        for row, fate in waiting:
            self._queued_bytes -= row.size
            self._answer(row.key, fate, group)

    def _answer(self, key: Key, fate: _Fate, group: Group | None) -> None:
        if group is not None and group.kept(key):
            fate.tell(None)
            return
        self._recent.pop(key, None)
        fate.tell(
            InDoubt("the store was lost while it committed")
            if group is None or group.in_doubt(key)
            else NotStored("the store cannot take it now")
        )

    async def _keep_house(self) -> None:
        if time.monotonic() - self._cleaned_at >= HOUSE_S:
            self._cleaned_at = time.monotonic()
            await self._write_drops()

    async def _write_drops(self) -> None:
        counted, self._drops = self._drops, Counter()
        # In one order everywhere: two collectors that count the same never wait in a ring.
        if not await self._committer.keep_house(sorted((*key, n) for key, n in counted.items())):
            self._drops.update(counted)
