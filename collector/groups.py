"""Rows that are committed together: COPY, then the idempotent insert, then halves of it.

A group knows of each row what became of it: kept (by the store, or put aside for it), refused for
itself, unknown because the store was lost while it committed, or not kept. Nothing else may be
answered.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import date, datetime
from operator import itemgetter
from typing import Any

import asyncpg
import structlog
from msgspec import Struct
from msgspec.structs import force_setattr

from collector.connections import AWAY
from collector.copying import FORMS, field_of, whole
from collector.tables import RAW, metadata
from collector.together import Steps

log = structlog.get_logger()

ROW_OVERHEAD_BYTES = 600
"""What a queued row costs beside its packed bytes, measured generously."""

COLUMNS = {name: tuple(c.name for c in metadata.tables[name].columns) for name in RAW}
KEYS = {name: tuple(c.name for c in metadata.tables[name].primary_key.columns) for name in RAW}
IDENTITY = {**KEYS, "goal": (*KEYS["goal"], "source")}
"""What makes a row a repeat: a goal told by a better source than before is none."""

_IDENTITY_OF = {name: itemgetter(*columns) for name, columns in IDENTITY.items()}

Key = tuple[Any, ...]
Marks = Mapping[tuple[int, date], datetime]
"""Days (of a shop) that late rows make dirty, and since when."""

PathKey = tuple[int, int]


class Row(Struct, frozen=True):
    """One row of `beacon`, `batch` or `goal`; `path` is kept beside it when it is new."""

    table: str
    values: dict[str, Any]
    path: str | None = None
    packed: bytes | None = None
    """The same in the store's form, where it was at hand; else it is made when it is needed."""

    steps: Steps = b""
    """Of a batch whose trail is yet to be checked and packed, together with those of its group."""

    around: tuple[bytes, bytes] = (b"", b"")
    """What stands in the store's form before such a trail and behind it."""

    key: Key = ()
    """Asked for at every step of a row's way, so it is made once, and from the rest."""

    def __post_init__(self) -> None:
        if not self.key:
            force_setattr(self, "key", (self.table, *_IDENTITY_OF[self.table](self.values)))

    @property
    def size(self) -> int:
        if self.table != "batch":
            return ROW_OVERHEAD_BYTES
        packed = len(self.values.get("trail") or b"") + len(self.values.get("ev") or b"")
        return ROW_OVERHEAD_BYTES + packed + len(self.steps)

    @property
    def path_key(self) -> PathKey:
        return self.values["site_id"], self.values["path_id"]

    def end(self, trail: bytes) -> None:
        self.values["trail"] = trail
        before, behind = self.around
        if before:
            force_setattr(self, "packed", b"".join((before, field_of(trail), behind)))
        force_setattr(self, "steps", b"")

    @property
    def record(self) -> tuple[Any, ...]:
        return tuple(map(self.values.get, COLUMNS[self.table]))


class Group:
    """`write` may be called again after it raised, on another connection, until all is settled."""

    def __init__(self, rows: Iterable[Row], late: Marks, known_paths: set[PathKey]) -> None:
        self._unsettled = {row.key: row for row in rows}
        self._late = late
        self._known_paths = known_paths
        self._in_doubt: set[Key] = set()
        self._refused: dict[Key, Row] = {}

    @property
    def days(self) -> set[date]:
        return {row.values["day"] for row in self._unsettled.values()}

    @property
    def unsettled(self) -> list[Row]:
        """What neither the store nor anything else has kept or refused yet."""
        return list(self._unsettled.values())

    @property
    def refused(self) -> list[Row]:
        return list(self._refused.values())

    def put_aside(self, rows: Iterable[Row]) -> None:
        """They are kept elsewhere, whatever became of a commit in doubt: they may come twice."""
        for row in rows:
            del self._unsettled[row.key]
            self._in_doubt.discard(row.key)

    def doubt(self, rows: Iterable[Row]) -> None:
        self._in_doubt.update(row.key for row in rows)

    @property
    def all_kept(self) -> bool:
        return not self._unsettled and not self._refused

    def kept(self, key: Key) -> bool:
        return key not in self._unsettled and key not in self._refused

    def in_doubt(self, key: Key) -> bool:
        return key in self._in_doubt

    async def write(self, connection: Any) -> None:
        """Settle every row, or raise what the connection raised."""
        if not await self._copied(connection, list(self._unsettled.values())):
            # In one order everywhere: two collectors with the same rows never wait in a ring.
            await self._insert(
                connection, [self._unsettled[key] for key in sorted(self._unsettled)]
            )

    async def _copied(self, connection: Any, rows: Sequence[Row]) -> bool:
        """One transaction of COPYs; False when a row was refused, whatever the store said.

        The error's code is not looked at: a duplicate has another code on a distributed store.
        """
        tables = _by_table(rows)
        try:
            if len(tables) == 1 and not self._late and not self._fresh_paths(rows):
                await self._copy_alone(connection, rows[0].table, rows)
            else:
                async with self._transaction(connection, rows):
                    for table, of_table in tables.items():
                        await _copy(connection, table, of_table)
        except Exception as problem:
            if not _blames_rows(problem):
                raise
            return False
        return True

    async def _copy_alone(self, connection: Any, table: str, rows: Sequence[Row]) -> None:
        """A statement that is nobody's part is its own transaction: one journey to the store, not
        three. Whatever it ends with but a plain refusal, its rows may have been kept."""
        try:
            await _copy(connection, table, rows)
        except BaseException as problem:
            if not _undone(problem):
                self.doubt(rows)
            raise
        self._committed(rows)

    async def _insert(self, connection: Any, rows: Sequence[Row]) -> None:
        """INSERT … ON CONFLICT, halved until only the poisonous rows are left."""
        try:
            async with self._transaction(connection, rows):
                for table, of_table in _by_table(rows).items():
                    await connection.executemany(_INSERT[table], [row.record for row in of_table])
        except Exception as problem:
            if not _blames_rows(problem):
                raise
            if len(rows) > 1:
                middle = len(rows) // 2
                await self._insert(connection, rows[:middle])
                await self._insert(connection, rows[middle:])
            else:
                self.refuse(rows[0], problem)

    @asynccontextmanager
    async def _transaction(self, connection: Any, rows: Sequence[Row]) -> AsyncIterator[None]:
        """Rows with their paths and marks. Once its end was asked for, they may have been kept."""
        transaction = connection.transaction()
        await transaction.start()
        try:
            await self._add_paths(connection, rows)
            yield
            await self._mark_late(connection)
        except Exception:
            with suppress(*AWAY):
                await transaction.rollback()
            raise
        try:
            await transaction.commit()
        except BaseException:  # also who waits no longer has asked for it
            self.doubt(rows)
            raise
        self._committed(rows)

    def _committed(self, rows: Sequence[Row]) -> None:
        self._known_paths.update(
            (site_id, number) for site_id, number, _ in self._fresh_paths(rows)
        )
        if len(rows) == len(self._unsettled):  # mostly all at once, and nobody is asked by name
            self._unsettled.clear()
            self._in_doubt.clear()
        else:
            self.put_aside(rows)

    def refuse(self, row: Row, problem: Exception) -> None:
        """Nobody can take it, whatever is tried."""
        log.error("row_refused", table=row.table, why=type(problem).__name__)
        self._refused[row.key] = row
        self._in_doubt.discard(row.key)
        del self._unsettled[row.key]

    async def _add_paths(self, connection: Any, rows: Iterable[Row]) -> None:
        if fresh := self._fresh_paths(rows):
            await connection.executemany(_NEW_PATH, fresh)

    def _fresh_paths(self, rows: Iterable[Row]) -> list[tuple[int, int, str]]:
        # Most of a group name a path of few, and it is known.
        named = {(row.path, row.values["site_id"]): row for row in rows if row.path is not None}
        found = {row.path_key: row.path for row in named.values() if row.path is not None}
        return [(*key, found[key]) for key in sorted(found.keys() - self._known_paths)]

    async def _mark_late(self, connection: Any) -> None:
        """In the rows' own transaction, so that the closing job sees both or neither."""
        for (site_id, day), at in sorted(self._late.items()):
            await connection.execute(_MARK_DIRTY, site_id, day, at)


_STORES_TROUBLE = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.InvalidTransactionStateError,
    asyncpg.SyntaxOrAccessError,
    asyncpg.PostgresSystemError,
)
"""Shut down, out of room, deadlocked, locked, read-only, of another revision, broken: every row
would fare alike."""


def _blames_rows(problem: Exception) -> bool:
    """Whether another row could have been kept where this group was not."""
    if isinstance(problem, asyncpg.PostgresError):
        return not isinstance(problem, _STORES_TROUBLE)
    # What cannot be encoded never reached the store.
    return isinstance(problem, ValueError | TypeError | ArithmeticError)


def _undone(problem: BaseException) -> bool:
    """Whether the store itself said so, or was never asked. One that is being stopped may say so
    too late; a statement that was cancelled has ended."""
    if isinstance(problem, asyncpg.QueryCanceledError):
        return True
    if isinstance(problem, asyncpg.PostgresError):
        stops = asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError
        return not isinstance(problem, stops)
    return isinstance(problem, Exception) and _blames_rows(problem)


async def _copy(connection: Any, table: str, rows: Sequence[Row]) -> None:
    form = FORMS[table]
    packed = whole([row.packed or form.row(row.values) for row in rows])
    await connection.copy_to_table(
        table,
        source=memoryview(packed),  # bare bytes would be taken for the path of a file
        columns=form.columns,
        format="binary",
    )


def _by_table(rows: Sequence[Row]) -> Mapping[str, Sequence[Row]]:
    if len(tables := {row.table for row in rows}) == 1:
        return {tables.pop(): rows}
    sorted_out: dict[str, list[Row]] = {}
    for row in rows:
        sorted_out.setdefault(row.table, []).append(row)
    return sorted_out


_NEW_PATH = "INSERT INTO path (site_id, path_id, path) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
_MARK_DIRTY = """
    INSERT INTO job (name, site_id, period, state, dirty_since)
    VALUES ('close', $1, $2, 'waiting', $3)
    ON CONFLICT (name, site_id, period)
    DO UPDATE SET dirty_since = excluded.dirty_since
"""


def _insert(table: str) -> str:
    columns = ", ".join(COLUMNS[table])
    slots = ", ".join(f"${number}" for number in range(1, len(COLUMNS[table]) + 1))
    return f"INSERT INTO {table} ({columns}) VALUES ({slots}) ON CONFLICT {_ON_CONFLICT[table]}"


_ON_CONFLICT = dict.fromkeys(RAW, "DO NOTHING") | {
    # The best source counts, whichever came first.
    "goal": f"({', '.join(KEYS['goal'])}) DO UPDATE SET source = excluded.source "
    "WHERE goal.source < excluded.source"
}
_INSERT = {table: _insert(table) for table in RAW}
