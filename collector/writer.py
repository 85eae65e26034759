"""The answer waits for the commit: natural batching into groups, and no promise beyond it.

There is no timer. The next group is whatever queued while the last commit ran, so a quiet shop
waits for one commit and a busy one shares it (research: a timer only loses).
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from math import inf
from typing import Any

import structlog

from collector.connections import ASK_WITHIN_S, AWAY
from collector.errors import InDoubt, NotStored, StoreError, place_of
from collector.groups import Group, Key, Marks, PathKey, Row
from collector.partitions import make_partitions

log = structlog.get_logger()

GROUP_ROWS = 2000
"""Rows of one COPY: beyond this the commit is no longer what costs."""

QUEUE_BYTES = 32 * 1024 * 1024
"""Rows that wait for their commit, those of the group under way among them."""

RECENT_KEYS = 50_000
"""Keys of what was kept lately: browsers repeat a GET within seconds, not hours."""

RECONNECT_S = (0.05, 0.2, 0.5, 1.0)
"""Pauses between tries to reach the store again before the waiting are told to come back."""

WRITE_WITHIN_S = 40.0
"""Longer than any statement may take: a group that is not done by then has lost its store."""

HOUSE_S = 5.0
"""Counts of what was dropped on purpose are written this often; a crash may forget as many. As
often it is forgotten which paths and partitions there are: deletion removes them under us."""


@dataclass(slots=True)
class _Waiting:
    row: Row
    done: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Writer:
    """Keeps rows: `keep` returns once they are committed, or raises NotStored or InDoubt."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Any]],
        *,
        queue_bytes: int = QUEUE_BYTES,
        closed_day: Callable[[int, date], bool] = lambda _site, _day: False,
    ) -> None:
        self._connect = connect
        self._queue_bytes = queue_bytes
        self._closed_day = closed_day
        self._queue: deque[_Waiting] = deque()
        self._queued_bytes = 0
        self._wake = asyncio.Event()
        self._recent: OrderedDict[Key, asyncio.Future[None]] = OrderedDict()
        self._days: set[date] = set()
        self._paths: set[PathKey] = set()
        self._drops: Counter[tuple[int, date, str, int]] = Counter()
        self._cleaned_at = -inf
        self._connection: Any = None
        self._away = False
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def queued_bytes(self) -> int:
        return self._queued_bytes

    async def start(self) -> None:
        """Connect, so that the first visitor waits for nothing; a store that is away comes later.

        Raises StoreError where the store would acknowledge before it has written.
        """
        with suppress(*AWAY):
            await self._connected()
        self._task = asyncio.create_task(self._run(), name="writer")

    async def stop(self) -> None:
        """Take nothing new, commit what waits, write the counts, close."""
        self._stopping = True
        self._wake.set()
        if self._task:
            await self._task
        if self._connection is not None:
            with suppress(*AWAY):
                await self._connection.close(timeout=ASK_WITHIN_S)

    async def keep(self, row: Row) -> bool:
        """True once committed, False for a repeat of what is committed already."""
        first = self._recent.get(row.key)
        if first is not None:
            await asyncio.shield(first)
            return False
        if self._stopping:
            raise NotStored("the collector is stopping")
        if self._queued_bytes + row.size > self._queue_bytes:
            raise NotStored("the queue is full")
        waiting = _Waiting(row)
        self._remember(row.key, waiting.done)
        self._queue.append(waiting)
        self._queued_bytes += row.size
        self._wake.set()
        await asyncio.shield(waiting.done)
        return True

    def count_drop(self, site_id: int, day: date, reason: str, capture: int) -> None:
        self._drops[(site_id, day, reason, capture)] += 1

    def _remember(self, key: Key, done: asyncio.Future[None]) -> None:
        self._recent[key] = done
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
        await self._write_drops()

    def _next_group(self) -> list[_Waiting]:
        return [self._queue.popleft() for _ in range(min(GROUP_ROWS, len(self._queue)))]

    async def _write(self, waiting: list[_Waiting]) -> None:
        rows = [one.row for one in waiting]
        group = Group(rows, self._late(rows), self._paths)
        try:
            await self._persist(group)
        except StoreError as away:
            log.warning("group_not_stored", rows=len(rows), why=str(away))
        except Exception as defect:
            # A defect of ours costs this group its answer, and must not stop the ones to come.
            why = type(defect).__name__
            log.error("group_failed", rows=len(rows), why=why, at=place_of(defect))
            self._disconnect()
        for one in waiting:
            self._queued_bytes -= one.row.size
            self._answer(one, group)

    def _answer(self, waiting: _Waiting, group: Group) -> None:
        key = waiting.row.key
        if group.kept(key):
            waiting.done.set_result(None)
            return
        self._recent.pop(key, None)
        waiting.done.set_exception(
            InDoubt("the store was lost while it committed")
            if group.in_doubt(key)
            else NotStored("the store cannot take it now")
        )
        waiting.done.exception()  # whoever waited may have hung up: that is no error of ours

    async def _persist(self, group: Group) -> None:
        """Raises StoreError when the store stays away; while it is known to, one try suffices."""
        for pause_s in (*(() if self._away else RECONNECT_S), None):
            try:
                async with asyncio.timeout(WRITE_WITHIN_S):
                    connection = await self._connected()
                    await self._make_partitions(connection, group)
                    await group.write(connection)
                self._away = False
                return
            except AWAY as away:
                self._disconnect()
                if pause_s is None:
                    self._away = True
                    raise StoreError(f"the store is away: {type(away).__name__}") from away
                await asyncio.sleep(pause_s)

    async def _connected(self) -> Any:
        if self._connection is None or self._connection.is_closed():
            self._disconnect()
            async with asyncio.timeout(ASK_WITHIN_S):
                self._connection = await self._connect()
            if await self._connection.fetchval("SHOW synchronous_commit") == "off":
                self._disconnect()
                raise StoreError("synchronous_commit is off: an acknowledgement could be lost")
        return self._connection

    def _disconnect(self) -> None:
        """Whatever comes next may be another store: nothing is known of it."""
        if self._connection is not None:
            self._connection.terminate()
        self._connection = None
        self._days.clear()
        self._paths.clear()

    async def _make_partitions(self, connection: Any, group: Group) -> None:
        """First and by themselves: partitions without rows harm nobody."""
        days = group.days - self._days
        if days:
            await make_partitions(connection, days)
            self._days |= days

    def _late(self, rows: Iterable[Row]) -> Marks:
        """Days that the closing job has left behind."""
        seen = {(row.values["site_id"], row.values["day"]): row.values["at"] for row in rows}
        return {key: at for key, at in seen.items() if self._closed_day(*key)}

    async def _keep_house(self) -> None:
        if time.monotonic() - self._cleaned_at < HOUSE_S:
            return
        self._cleaned_at = time.monotonic()
        self._days.clear()
        self._paths.clear()
        await self._write_drops()

    async def _write_drops(self) -> None:
        if not self._drops:
            return
        counted, self._drops = self._drops, Counter()
        # In one order everywhere: two collectors that count the same never wait in a ring.
        counts = sorted((*key, n) for key, n in counted.items())
        try:
            async with asyncio.timeout(WRITE_WITHIN_S):
                connection = await self._connected()
                await connection.executemany(_DROPPED, counts)
        except (*AWAY, StoreError) as away:
            self._disconnect()
            self._drops.update(counted)
            log.warning("drops_not_written", why=type(away).__name__)


_DROPPED = """
    INSERT INTO dropped (site_id, day, reason, capture, n) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (site_id, day, capture, reason) DO UPDATE SET n = dropped.n + excluded.n
"""
