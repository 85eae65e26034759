"""The answer waits until its row is kept: natural batching into groups, and no promise beyond it.

There is no timer. The next group is whatever queued while the last commit ran, so a quiet shop
waits for one commit and a busy one shares it (research: a timer only loses).
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import date
from math import inf
from typing import Any, Literal

import structlog
from msgspec import Struct

from collector.committer import Committer, Drop
from collector.connections import Door
from collector.decode import end_trails
from collector.errors import CollectorError, InDoubt, Malformed, NotStored, place_of
from collector.groups import Group, Key, Row
from collector.spool import Spool

log = structlog.get_logger()

GROUP_ROWS = 2000
"""Rows of one COPY: beyond this the commit is no longer what costs."""

GROUP_BYTES = 4 * 1024 * 1024
"""A group is copied once or twice on its way: beyond this, that is the memory that counts."""

GATHERING_TURNS = 4
"""Of the loop, at most: under load each brings more, and who waits must not wait for all."""

TRAILS_AT_ONCE = 64
"""Beyond this a call of numpy is no longer what costs, and of the longest trails they are 6 MB."""

WORTH_A_COMMIT = 16
"""Rows among which a group's own cost is no longer the largest: some 0.3 ms."""

QUEUE_BYTES = 32 * 1024 * 1024
"""Rows that wait for their commit, those of the group under way among them."""

RECENT_KEYS = 50_000
"""Keys of what was kept lately: browsers repeat a GET within seconds, not hours."""

HOUSE_S = 5.0
"""Counts of what was dropped on purpose are written this often; a crash may forget as many."""


Outcome = bool | CollectorError
"""True: kept now; False: kept before; else why it is not kept: Malformed, NotStored or InDoubt."""

Told = Callable[[Outcome], None]


class _Waiting(Struct):
    """A row on its way, and who is to be told what becomes of it."""

    row: Row
    size: int
    told: Told
    repeats: list[Told] | None = None
    """Who sent the same meanwhile."""


class Writer:
    """Keeps rows: whoever brings one is told once it is committed, or lies in the spool while the
    store is away; else that it is not kept, or that nobody knows."""

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
        self._recent: OrderedDict[Key, _Waiting | Literal[True]] = OrderedDict()
        """True of what is kept."""

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
        """True once kept, False for a repeat of what is kept already; raises why it is neither."""
        mine: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        # Who hangs up takes nobody's answer along.
        self.put(row, lambda outcome: None if mine.done() else mine.set_result(outcome))
        outcome = await mine
        if isinstance(outcome, bool):
            return outcome
        raise outcome

    def put(self, row: Row, told: Told) -> None:
        """`told` is called once, now or when it is known what became of the row.

        A call and no future: that would pass through the loop once more for each row, and there
        are many to a group.
        """
        first = self._recent.get(row.key)
        if first is True:
            told(False)
        elif first is not None:
            first.repeats = [*(first.repeats or ()), told]
        elif self._stopping:
            told(NotStored("the collector is stopping"))
        elif self._queued_bytes + (size := row.size) > self._queue_bytes:
            told(NotStored("the queue is full"))
        else:
            waiting = _Waiting(row, size, told)
            self._recent[row.key] = waiting
            if len(self._recent) > RECENT_KEYS:
                self._recent.popitem(last=False)
            self._queue.append(waiting)
            self._queued_bytes += size
            self._wake.set()

    def count_drop(self, site_id: int, day: date, reason: str, capture: int) -> None:
        self._drops[(site_id, day, reason, capture)] += 1

    async def _run(self) -> None:
        while not self._stopping or self._queue:
            with suppress(TimeoutError):
                async with asyncio.timeout(HOUSE_S):
                    await self._wake.wait()
            self._wake.clear()
            while self._queue:
                await self._gathered()
                await self._write(self._next_group())
                await self._keep_house()
            await self._keep_house()
        if self._drops:
            await self._write_drops()

    async def _gathered(self) -> None:
        """Let what has come already be decided on first: a commit costs by the group.

        It is no waiting: as soon as a turn of the loop brings no row the group begins. Nor does a
        group that is worth its commit wait for others: while it is on its way, they are decided on.
        """
        for _ in range(GATHERING_TURNS):
            queued = len(self._queue)
            if queued >= WORTH_A_COMMIT:
                return
            await asyncio.sleep(0)
            if len(self._queue) == queued:
                return

    def _next_group(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        size = 0
        while self._queue and len(group) < GROUP_ROWS and size < GROUP_BYTES:
            group.append(self._queue.popleft())
            size += group[-1].size
        return group

    async def _write(self, group: list[_Waiting]) -> None:
        settled: Group | None = None
        wrong: dict[Key, Malformed] = {}
        rows = [waiting.row for waiting in group]
        try:
            wrong = _end_trails(rows)
            if wrong:
                rows = [row for row in rows if row.key not in wrong]
            settled = await self._committer.settle(rows)
        except Exception as defect:
            # A defect of ours costs this group its answers, and must not stop the ones to come.
            log.error("group_failed", why=type(defect).__name__, at=place_of(defect))
        all_kept = not wrong and settled is not None and settled.all_kept  # as nearly always
        for waiting in group:
            self._queued_bytes -= waiting.size
            key = waiting.row.key
            outcome = True if all_kept else wrong.get(key) or _outcome(key, settled)
            self._tell(waiting, outcome)

    def _tell(self, waiting: _Waiting, outcome: Outcome) -> None:
        key = waiting.row.key
        if outcome is not True:
            self._recent.pop(key, None)
        elif key in self._recent:
            self._recent[key] = True
        _call(waiting.told, outcome)
        for told in waiting.repeats or ():
            _call(told, False if outcome is True else outcome)

    async def _keep_house(self) -> None:
        if time.monotonic() - self._cleaned_at >= HOUSE_S:
            self._cleaned_at = time.monotonic()
            await self._write_drops()

    async def _write_drops(self) -> None:
        counted, self._drops = self._drops, Counter()
        # In one order everywhere: two collectors that count the same never wait in a ring.
        if not await self._committer.keep_house(sorted((*key, n) for key, n in counted.items())):
            self._drops.update(counted)


def _end_trails(rows: Sequence[Row]) -> dict[Key, Malformed]:
    """Pack what was left to be packed together; by row what is wrong with a trail."""
    begun = [row for row in rows if row.steps]
    wrong: dict[Key, Malformed] = {}
    for first in range(0, len(begun), TRAILS_AT_ONCE):
        part = begun[first : first + TRAILS_AT_ONCE]
        for row, trail in zip(part, end_trails([row.steps for row in part]), strict=True):
            if isinstance(trail, Malformed):
                wrong[row.key] = trail
            else:
                row.end(trail)
    return wrong


def _outcome(key: Key, group: Group | None) -> Outcome:
    if group is None:
        return InDoubt("the collector failed while it wrote")
    if group.kept(key):
        return True
    if group.in_doubt(key):
        return InDoubt("the store was lost while it committed")
    return NotStored("the store cannot take it now")


def _call(told: Told, outcome: Outcome) -> None:
    """Whatever befalls one answer, the others of its group are given."""
    try:
        told(outcome)
    except Exception as defect:
        log.error("answer_lost", why=type(defect).__name__, at=place_of(defect))
