"""Brings groups to the store, and puts aside in the spool what it does not commit in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import date
from math import inf
from typing import Any

import structlog

from collector.connections import ASK_WITHIN_S, AWAY, Door
from collector.errors import OtherRevision, SpoolError, SpoolInDoubt, StoreError, place_of
from collector.frames import UNPACKABLE, packable
from collector.groups import Group, Marks, PathKey, Row
from collector.partitions import make_partitions
from collector.replay import Live, Replay
from collector.spool import Spool

log = structlog.get_logger()

RECONNECT_S = (0.05, 0.2, 0.5, 1.0)
"""Pauses between tries to reach the store again before it counts as away."""

SLOW_S = 1.0
"""What the store has not committed by then goes to the spool: visitors wait no longer for it."""

HOLD_S = 5.0
"""For so long groups then go to the spool at once, unless replaying finds the store well earlier:
of all this time one group may wait in vain."""

WRITE_WITHIN_S = 40.0
"""Longer than any statement may take: without a spool, a group that is not done by then has lost
its store."""

Drop = tuple[int, date, str, int]


class Committer:
    """One connection, used by one task; and the spool, where there is one."""

    def __init__(
        self,
        door: Door,
        *,
        closed_day: Callable[[int, date], bool],
        spool: Spool | None,
        live_waits: Callable[[], bool],
    ) -> None:
        self._door = door
        self._closed_day = closed_day
        self._connection: Any = None
        self._store = ""
        """Identity of the store last met: for one never met nothing can be put aside."""

        self._days: set[date] = set()
        self._paths: set[PathKey] = set()
        self._away = False
        self._held_until = -inf
        self._spool = spool
        self._replay: Replay | None = None
        if spool is not None:
            self._replay = Replay(spool, door, Live(live_waits, closed_day, self._kept_in))

    async def start(self) -> None:
        """Raises StoreError where the store would acknowledge before it has written."""
        with suppress(*AWAY, OtherRevision):
            await self._connected()
        if self._spool is None or self._replay is None:
            return
        try:
            await asyncio.to_thread(self._spool.open)
        except SpoolError as problem:
            log.warning("no_spool", why=str(problem))
            self._spool = self._replay = None
        else:
            self._replay.start()

    async def stop(self) -> None:
        if self._spool is not None and self._replay is not None:
            await self._replay.stop()
            await asyncio.to_thread(self._spool.close)
        if self._connection is not None:
            with suppress(*AWAY):
                await self._connection.close(timeout=ASK_WITHIN_S)

    @property
    def spooling(self) -> bool:
        """Whether groups go to the spool at once."""
        return self._spool is not None and time.monotonic() < self._held_until

    @property
    def spool(self) -> Spool | None:
        """None where it cannot be written."""
        return self._spool

    async def settle(self, rows: Sequence[Row]) -> Group:
        """Bring `rows` to the store, else to the spool; the group knows what became of each."""
        group = Group(rows, self._late(rows), self._paths)
        try:
            if not self.spooling:
                await self._commit(group)
        except StoreError as away:
            log.warning("store_away", rows=len(group.unsettled), why=str(away))
        except Exception as defect:
            # A defect of ours costs this group its answer, and must not stop the ones to come.
            why = type(defect).__name__
            log.error("group_failed", rows=len(rows), why=why, at=place_of(defect))
            self.disconnect()
            return group
        await self._put_aside(group)
        return group

    async def keep_house(self, drops: Sequence[tuple[Any, ...]]) -> bool:
        """Write the counts, look whether the schema is still the one; False: come again later.

        As often it is forgotten which paths and partitions there are: deletion removes them.
        """
        self._days.clear()
        self._paths.clear()
        if self.spooling:
            return False
        if not drops and self._connection is None:
            return True
        try:
            async with asyncio.timeout(WRITE_WITHIN_S if self._spool is None else SLOW_S):
                connection = await self._connected()
                await self._door.check(connection)
                if drops:
                    await connection.executemany(_DROPPED, drops)
        except (*AWAY, StoreError) as away:
            self.disconnect()
            log.warning("drops_not_written", why=type(away).__name__)
            return False
        return True

    def disconnect(self) -> None:
        """Whatever comes next may be another store: nothing is known of it."""
        if self._connection is not None:
            self._connection.terminate()
        self._connection = None
        self._days.clear()
        self._paths.clear()

    async def _commit(self, group: Group) -> None:
        """Raises StoreError when the store stays away or, where there is a spool, is slow."""
        try:
            async with asyncio.timeout(None if self._spool is None else SLOW_S):
                await self._try_often(group)
        except TimeoutError as slow:
            self.disconnect()
            self._hold()
            raise StoreError(f"the store has not committed within {SLOW_S:g} s") from slow
        except StoreError:
            self._hold()
            raise
        self._away = False
        if self._replay is not None:
            self._replay.seen()

    async def _try_often(self, group: Group) -> None:
        """While the store is known to be away, once."""
        for pause_s in (*(() if self._away else RECONNECT_S), None):
            try:
                async with asyncio.timeout(WRITE_WITHIN_S):
                    connection = await self._connected()
                    await self._make_partitions(connection, group)
                    await group.write(connection)
                return
            except AWAY as away:
                self.disconnect()
                if pause_s is None:
                    raise StoreError(f"the store is away: {type(away).__name__}") from away
                await asyncio.sleep(pause_s)

    async def _connected(self) -> Any:
        if self._connection is None or self._connection.is_closed():
            self.disconnect()
            try:
                async with asyncio.timeout(ASK_WITHIN_S):
                    self._connection, self._store = await self._door.open()
            except OtherRevision as other:
                self._store = other.store
                raise
        return self._connection

    async def _make_partitions(self, connection: Any, group: Group) -> None:
        """First and by themselves: partitions without rows harm nobody."""
        days = group.days - self._days
        if days:
            await make_partitions(connection, days)
            self._days |= days

    def _hold(self) -> None:
        self._away = True
        self._held_until = time.monotonic() + HOLD_S

    def _kept_in(self, took_s: float) -> None:
        """Replaying has met the store."""
        if took_s < SLOW_S:
            self._held_until = -inf

    async def _put_aside(self, group: Group) -> None:
        rows = group.unsettled
        if not rows or self._spool is None or self._replay is None or not self._store:
            return
        try:
            await asyncio.to_thread(self._spool.append, self._store, rows)
        except UNPACKABLE as poison:
            for row in rows:
                if not packable(row):
                    group.refuse(row, poison)
            await self._put_aside(group)
        except SpoolError as problem:
            if isinstance(problem, SpoolInDoubt):
                group.doubt(rows)
            log.error("spool_refuses", rows=len(rows), why=str(problem))
            self._held_until = -inf  # the store may be back before the spool is
        else:
            group.put_aside(rows)
            self._replay.wake()

    def _late(self, rows: Iterable[Row]) -> Marks:
        """Days that the closing job has left behind."""
        seen = {(row.values["site_id"], row.values["day"]): row.values["at"] for row in rows}
        return {key: at for key, at in seen.items() if self._closed_day(*key)}


_DROPPED = """
    INSERT INTO dropped (site_id, day, reason, capture, n) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (site_id, day, capture, reason) DO UPDATE SET n = dropped.n + excluded.n
"""
