"""The answer waits for the commit: natural batching, COPY, then the idempotent insert.

There is no timer. The next group is whatever queued while the last commit ran, so a quiet shop
waits for one commit and a busy one shares it (research: a timer only loses).
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import asyncpg
import structlog

from collector.errors import NotStored, StoreError
from collector.partitions import make_partitions
from collector.tables import RAW, metadata

log = structlog.get_logger()

GROUP_ROWS = 2000
"""Rows of one COPY: beyond this the commit is no longer what costs."""

QUEUE_BYTES = 32 * 1024 * 1024
ROW_OVERHEAD_BYTES = 600
"""What a queued row costs beside its packed bytes, measured generously."""

RECENT_KEYS = 50_000
"""Keys of what was kept lately: browsers repeat a GET within seconds, not hours."""

RECONNECT_S = (0.05, 0.2, 0.5, 1.0)
"""Pauses between tries to reach the store again before the waiting are told to come back."""

DROPS_EVERY_S = 5.0
"""Counts of what was dropped on purpose are written this often; a crash may forget as many."""

COLUMNS = {name: tuple(c.name for c in metadata.tables[name].columns) for name in RAW}
KEYS = {name: tuple(c.name for c in metadata.tables[name].primary_key.columns) for name in RAW}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of `beacon`, `batch` or `goal`; `path` is kept beside it when it is new."""

    table: str
    values: dict[str, Any]
    path: str | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        return (self.table, *(self.values[name] for name in KEYS[self.table]))

    @property
    def size(self) -> int:
        packed = (self.values.get("trail"), self.values.get("ev"))
        return ROW_OVERHEAD_BYTES + sum(len(part) for part in packed if part)

    @property
    def record(self) -> tuple[Any, ...]:
        return tuple(self.values.get(name) for name in COLUMNS[self.table])


@dataclass(slots=True)
class _Waiting:
    row: Row
    done: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Writer:
    """Keeps rows: `keep` returns once they are committed, or raises NotStored."""

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
        self._recent: OrderedDict[tuple[Any, ...], asyncio.Future[None]] = OrderedDict()
        self._days: set[date] = set()
        self._paths: set[tuple[int, int]] = set()
        self._drops: Counter[tuple[int, date, str, int]] = Counter()
        self._connection: Any = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def queued_bytes(self) -> int:
        return self._queued_bytes

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="writer")

    async def stop(self) -> None:
        """Take nothing new, commit what waits, write the counts, close."""
        self._stopping = True
        self._wake.set()
        if self._task:
            await self._task
        if self._connection:
            await self._connection.close()

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

    def _remember(self, key: tuple[Any, ...], done: asyncio.Future[None]) -> None:
        self._recent[key] = done
        while len(self._recent) > RECENT_KEYS:
            self._recent.popitem(last=False)

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(DROPS_EVERY_S):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            while self._queue:
                await self._write([self._queue.popleft() for _ in range(self._group_size())])
            await self._write_drops()
            if self._stopping and not self._queue:
                return

    def _group_size(self) -> int:
        return min(GROUP_ROWS, len(self._queue))

    async def _write(self, group: list[_Waiting]) -> None:
        self._queued_bytes -= sum(waiting.row.size for waiting in group)
        try:
            refused = await self._persist([waiting.row for waiting in group])
        except (StoreError, NotStored) as away:
            log.warning("group_not_stored", rows=len(group), why=str(away))
            refused = {waiting.row.key for waiting in group}
        for waiting in group:
            self._answer(waiting, stored=waiting.row.key not in refused)

    def _answer(self, waiting: _Waiting, *, stored: bool) -> None:
        if stored:
            waiting.done.set_result(None)
            return
        self._recent.pop(waiting.row.key, None)
        waiting.done.set_exception(NotStored("the store cannot take it now"))
        waiting.done.exception()  # whoever waited may have hung up: that is no error of ours

    async def _persist(self, rows: list[Row]) -> set[tuple[Any, ...]]:
        """Commit the rows; the keys of those that the store refuses for themselves."""
        doubtful = False
        for pause_s in (*RECONNECT_S, None):
            try:
                connection = await self._connected()
                await self._prepare(connection, rows)
                if not doubtful and await _copied(connection, rows, self._late(rows)):
                    self._note_paths(rows)
                    return set()
                refused = await _inserted(connection, rows, self._late(rows))
                self._note_paths(rows)
                return refused
            except (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError) as away:
                # The commit may have happened: only the idempotent insert may follow.
                doubtful = True
                self._connection = None
                if pause_s is None:
                    raise StoreError(f"the store cannot be reached: {away}") from away
                await asyncio.sleep(pause_s)
        raise AssertionError("the last try returns or raises")

    async def _connected(self) -> Any:
        if self._connection is None or self._connection.is_closed():
            connection = await self._connect()
            kept = await connection.fetchval("SHOW synchronous_commit")
            if kept == "off":
                await connection.close()
                raise StoreError("synchronous_commit is off: an acknowledgement could be lost")
            self._connection = connection
        return self._connection

    async def _prepare(self, connection: Any, rows: Sequence[Row]) -> None:
        """Partitions and paths come first and by themselves: both are harmless without rows."""
        days = {row.values["day"] for row in rows} - self._days
        if days:
            await make_partitions(connection, days)
            self._days |= days
        for row in rows:
            if row.path is not None and self._path_key(row) not in self._paths:
                await connection.execute(_NEW_PATH, *self._path_key(row), row.path)

    def _late(self, rows: Iterable[Row]) -> Marks:
        """Days that the closing job has left behind: in the rows' own transaction they are
        marked, so that a job sees both or neither."""
        seen = {(row.values["site_id"], row.values["day"]): row.values["at"] for row in rows}
        return {key: at for key, at in seen.items() if self._closed_day(*key)}

    def _note_paths(self, rows: Iterable[Row]) -> None:
        self._paths |= {self._path_key(row) for row in rows if row.path is not None}

    @staticmethod
    def _path_key(row: Row) -> tuple[int, int]:
        return row.values["site_id"], row.values["path_id"]

    async def _write_drops(self) -> None:
        if not self._drops:
            return
        counted, self._drops = self._drops, Counter()
        try:
            connection = await self._connected()
            await connection.executemany(_DROPPED, [(*key, n) for key, n in counted.items()])
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, StoreError) as problem:
            self._connection = None
            self._drops.update(counted)
            log.warning("drops_not_written", why=str(problem))


_NEW_PATH = "INSERT INTO path (site_id, path_id, path) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
_MARK_DIRTY = """
    INSERT INTO job (name, site_id, period, state, dirty_since)
    VALUES ('close', $1, $2, 'waiting', $3)
    ON CONFLICT (name, site_id, period)
    DO UPDATE SET dirty_since = excluded.dirty_since
"""
_DROPPED = """
    INSERT INTO dropped (site_id, day, reason, capture, n) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (site_id, day, capture, reason) DO UPDATE SET n = dropped.n + excluded.n
"""


Marks = Mapping[tuple[int, date], datetime]


async def _copied(connection: Any, rows: Sequence[Row], late: Marks) -> bool:
    """One transaction of COPYs; False when the store refused it, whatever it said.

    The error's code is not looked at: a duplicate has another code on a distributed store.
    """
    try:
        async with connection.transaction():
            for table, records in _by_table(rows).items():
                await connection.copy_records_to_table(
                    table, records=records, columns=COLUMNS[table]
                )
            await _mark(connection, late)
    except asyncpg.PostgresConnectionError:
        raise
    except asyncpg.PostgresError:
        return False
    return True


async def _inserted(connection: Any, rows: list[Row], late: Marks) -> set[tuple[Any, ...]]:
    """INSERT … ON CONFLICT DO NOTHING, halved until only the poisonous rows are left."""
    try:
        async with connection.transaction():
            for table, records in _by_table(rows).items():
                await connection.executemany(_INSERT[table], records)
            await _mark(connection, late)
        return set()
    except asyncpg.PostgresConnectionError:
        raise
    except (asyncpg.PostgresError, asyncpg.DataError, ValueError) as problem:
        if len(rows) == 1:
            log.error("row_refused", table=rows[0].table, why=type(problem).__name__)
            return {rows[0].key}
    middle = len(rows) // 2
    first = await _inserted(connection, rows[:middle], late)
    return first | await _inserted(connection, rows[middle:], late)


async def _mark(connection: Any, late: Marks) -> None:
    for (site_id, day), at in sorted(late.items()):
        await connection.execute(_MARK_DIRTY, site_id, day, at)


def _by_table(rows: Iterable[Row]) -> dict[str, list[tuple[Any, ...]]]:
    sorted_out: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        sorted_out.setdefault(row.table, []).append(row.record)
    return sorted_out


def _insert(table: str) -> str:
    columns = ", ".join(COLUMNS[table])
    slots = ", ".join(f"${number}" for number in range(1, len(COLUMNS[table]) + 1))
    return f"INSERT INTO {table} ({columns}) VALUES ({slots}) ON CONFLICT DO NOTHING"


_INSERT = {table: _insert(table) for table in RAW}
