"""A day's derived rows put in place of those there are, part by part; only what differs is written.

Most runs find nearly all of a day as it was, and a table rewritten by the minute would be mostly
dead rows.
"""

from __future__ import annotations

from datetime import date
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.folding.columns import read_columns
from app.folding.people import is_among
from collector.tables import metadata

KEYS = {"stall_list": "view_id", "view": "view_id", "visit": "visit_id"}
"""The tables that are derived day by day, and what names a row within a shop's day."""

COLUMNS = {name: tuple(c.name for c in metadata.tables[name].columns) for name in KEYS}
_IN_ORDER = {name: itemgetter(*columns) for name, columns in COLUMNS.items()}
Record = tuple[Any, ...]
Row = dict[str, Any]


class Rewriting:
    """Of one shop's day, within the caller's transaction."""

    def __init__(self, connection: Any, site_id: int, day: date) -> None:
        self.changed = False
        """Whether anything is different from what the last run wrote."""
        self._connection = connection
        self._of_day = site_id, day
        self._put: dict[str, list[NDArray[np.int64]]] = {table: [] for table in KEYS}
        self._counts = dict.fromkeys(KEYS, 0)

    async def put(self, table: str, rows: list[Row]) -> None:
        """Rows of the day, of which no other has the same key."""
        if not rows:
            return
        records = [self._record(table, row) for row in rows]
        keys = [row[KEYS[table]] for row in rows]
        self._put[table].append(np.array(keys, np.int64))
        self._counts[table] += len(keys)
        present = await self._present(table, keys)
        differing = [
            record for key, record in zip(keys, records, strict=True) if present.get(key) != record
        ]
        if differing:
            at = COLUMNS[table].index(KEYS[table])
            await self._delete(table, [record[at] for record in differing])
            await self._connection.copy_records_to_table(
                table, records=differing, columns=COLUMNS[table]
            )
            self.changed = True

    async def end(self) -> None:
        """Delete what was there and was not put again."""
        for table in KEYS:
            put = np.concatenate([*self._put.pop(table), np.empty(0, np.int64)])
            put.sort()
            query = f"SELECT {KEYS[table]} FROM {table} WHERE site_id = $1 AND day = $2"
            present = await read_columns(self._connection, query, self._of_day, {"key": "i8"})
            if len(gone := present["key"][~is_among(put, present["key"])]):
                await self._delete(table, gone.tolist())
                self.changed = True

    def count(self, table: str) -> int:
        return self._counts[table]

    def _record(self, table: str, row: Row) -> Record:
        site_id, day = self._of_day
        row |= {"site_id": site_id, "day": day}
        record: Record = _IN_ORDER[table](row)
        return record

    async def _present(self, table: str, keys: list[int]) -> dict[int, Record]:
        rows = await self._connection.fetch(
            f"SELECT {', '.join(COLUMNS[table])} FROM {table} "
            f"WHERE site_id = $1 AND day = $2 AND {KEYS[table]} = ANY($3)",
            *self._of_day,
            keys,
        )
        return {row[KEYS[table]]: tuple(row) for row in rows}

    async def _delete(self, table: str, keys: list[int]) -> None:
        await self._connection.execute(
            f"DELETE FROM {table} WHERE site_id = $1 AND day = $2 AND {KEYS[table]} = ANY($3)",
            *self._of_day,
            keys,
        )
