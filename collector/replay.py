"""What the spool holds goes to the store once it is back: in order, and never at live rows' cost.

A task and a connection of its own: live rows wait for nothing of this. A frame is one group, so
whatever is replayed twice, or was committed before it was put aside, is in the store once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO

import structlog

from collector.connections import ASK_WITHIN_S, AWAY, Door
from collector.erased import not_erased
from collector.errors import SpoolError, StoreError, place_of
from collector.frames import Damaged, Head, Torn, read_record
from collector.groups import Group, Marks, Row
from collector.partitions import make_partitions
from collector.segments import Segment
from collector.spool import RAW_KEPT, Spool

log = structlog.get_logger()

LOOK_S = 5.0
"""How often directories of processes that died are looked for."""

RETRY_S = 0.5
LONGEST_RETRY_S = 8.0
"""Pauses between tries to reach a store that is away, doubled each time. Whoever finds it back
earlier says so."""

FRAME_WITHIN_S = 40.0
"""Longer than any statement may take: a frame that is not kept by then has lost its store."""

YIELDS = 4
"""While live rows wait, replaying takes one part in so many and one; else it takes half."""

LONGEST_REST_S = 1.0


@dataclass(frozen=True, slots=True)
class Live:
    """What replaying must know of the live rows, and tell them."""

    waits: Callable[[], bool]
    closed_day: Callable[[int, date], bool]
    kept_in: Callable[[float], None]
    """Told after each frame how many seconds the store took."""


class Replay:
    def __init__(self, spool: Spool, door: Door, live: Live) -> None:
        self._spool = spool
        self._door = door
        self._live = live
        self._wake = asyncio.Event()
        self._tries = 0
        self._at: tuple[Path, int] | None = None
        """How far the segment under way was kept when its connection was lost."""

        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._wake.set()  # there may be what an earlier process has left
        self._task = asyncio.create_task(self._run(), name="replay")

    def wake(self) -> None:
        """There is something to replay; while the store is away that is no reason to look again."""
        if not self._tries:
            self._wake.set()

    def seen(self) -> None:
        """The store was: if replaying waits for it, it need not any longer."""
        if self._tries:
            self._wake.set()

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause_s()):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self._drain()
                self._tries = 0
            except (*AWAY, StoreError, SpoolError) as away:
                self._tries += 1
                if self._tries == 1:
                    log.warning("replay_waits", why=str(away) or type(away).__name__)
            except Exception as defect:
                self._tries += 1
                log.error("replay_failed", why=type(defect).__name__, at=place_of(defect))

    def _pause_s(self) -> float:
        if not self._tries:
            return LOOK_S
        return min(RETRY_S * 2.0 ** min(self._tries - 1, 10), LONGEST_RETRY_S)

    async def _drain(self) -> None:
        """Replay until nothing is left. Raises what the store or the disk raises."""
        await asyncio.to_thread(self._spool.expire)
        if not await asyncio.to_thread(self._spool.has_work):
            return
        async with asyncio.timeout(ASK_WITHIN_S):
            connection, store = await self._door.open()
        try:
            await asyncio.to_thread(self._spool.adopt, store)
            while (segment := await asyncio.to_thread(self._spool.oldest, store)) is not None:
                await self._replay(connection, segment)
        finally:
            connection.terminate()

    async def _replay(self, connection: Any, segment: Segment) -> None:
        before = self._spool.counts.replayed
        try:
            with segment.path.open("rb") as file:
                if self._at is not None and self._at[0] == segment.path:
                    file.seek(self._at[1])
                while (rows := await asyncio.to_thread(_read_rows, file)) is not None:
                    await self._keep(connection, segment, rows)
                    self._at = (segment.path, file.tell())
        except Torn:
            self._spool.torn(segment.path)
        except Damaged as damage:
            await asyncio.to_thread(self._spool.set_aside, segment, str(damage))
            return
        await asyncio.to_thread(self._spool.done, segment)
        log.info("spool_replayed", rows=self._spool.counts.replayed - before)

    async def _keep(self, connection: Any, segment: Segment, rows: Sequence[Row]) -> None:
        began = time.monotonic()
        now = self._spool.clock()
        alive = [row for row in rows if row.values["at"] >= now - RAW_KEPT]
        async with asyncio.timeout(FRAME_WITHIN_S):
            await self._door.check(connection)
            async with not_erased(connection, alive) as left:
                group = Group(left, self._late(left, now), set())
                await make_partitions(connection, group.days)
                await group.write(connection)
        if group.refused:
            await asyncio.to_thread(self._spool.bury, segment.head.store, group.refused)
        self._spool.counts.expired += len(rows) - len(alive)
        self._spool.counts.erased += len(alive) - len(left)
        self._spool.counts.replayed += len(left) - len(group.refused)
        took_s = time.monotonic() - began
        self._live.kept_in(took_s)
        await asyncio.sleep(min(took_s * (YIELDS if self._live.waits() else 1), LONGEST_REST_S))

    def _late(self, rows: Sequence[Row], now: datetime) -> Marks:
        """Days that closing has left behind, as of now: it may be at them this very moment, and
        forgets no mark that is younger than its beginning."""
        days = {(row.values["site_id"], row.values["day"]) for row in rows}
        return {key: now for key in days if self._live.closed_day(*key)}


def _read_rows(file: BinaryIO) -> list[Row] | None:
    """Of the next record that has any; None at the end."""
    while True:
        record = read_record(file)
        if record is None:
            return None
        if not isinstance(record, Head):
            return record.unpack()
