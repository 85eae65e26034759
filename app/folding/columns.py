"""Columns of a query straight into numpy, by binary COPY: no object per row, and few bytes of it.

Only for types of a fixed width, none of them null. The format: PostgreSQL, COPY, "Binary Format".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.void]
"""A structured array, one field for each column."""

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""A timestamptz arrives as microseconds from here."""

FIRST_DAY = EPOCH.date()
"""A date arrives as days from here."""

HEAD_BYTES = 11 + 4 + 4
"""Signature, flags, and the length of an extension that nobody has defined."""

TAIL = b"\xff\xff"
_PLACE = re.compile(r"\$(\d+)")
_INT = range(-(2**31), 2**31)


Each = Callable[[Rows], Rows]


async def read_columns(
    connection: Any,
    query: str,
    values: Sequence[Any],
    columns: Mapping[str, str],
    each: Each = lambda block: block,
) -> Rows:
    """What the query answers. `columns`: names and numpy types (`i8`, `i4`, `S16`) in its order.

    each  makes of every block of rows what is to be kept of it: the rest is never held
    """
    reader = _Reader(columns, each)
    await connection.copy_from_query(
        written_out(query, values), output=reader.take, format="binary"
    )
    return reader.rows()


def written_out(query: str, values: Sequence[Any]) -> str:
    """The query with its values written out, as COPY wants them: the driver would ask the store
    how to quote each."""
    return _PLACE.sub(lambda place: _literal(values[int(place[1]) - 1]), query)


def _literal(value: Any) -> str:
    """Numbers and times hold nothing that could end a literal; of others that is not sure."""
    if isinstance(value, int):
        return f"({int(value)})"  # of a negative one a cast would take the digits alone
    if isinstance(value, datetime):
        return f"'{value.isoformat()}'::timestamptz"
    if isinstance(value, date):
        return f"'{value.isoformat()}'::date"
    if isinstance(value, list) and all(isinstance(one, int) for one in value):
        kind = "int" if all(one in _INT for one in value) else "bigint"
        return f"'{{{','.join(str(int(one)) for one in value)}}}'::{kind}[]"
    if isinstance(value, list) and all(type(one) is date for one in value):
        return f"'{{{','.join(one.isoformat() for one in value)}}}'::date[]"
    raise TypeError(f"only numbers and times are asked for by COPY, got {value!r}")


def moment(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


def day_of(days: int) -> date:
    return FIRST_DAY + timedelta(days=int(days))


def sent_as(columns: Mapping[str, str]) -> np.dtype[np.void]:
    """A row as it is sent, as far as its columns are of fixed width."""
    sent: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind in columns.items():
        sent += [(f"{name} width", ">i4"), (name, f">{kind}")]
    return np.dtype(sent)


def native(block: Rows, columns: Mapping[str, str]) -> Rows:
    """The columns of rows as they were sent. Raises ValueError for one of another width."""
    rows: Rows = np.empty(len(block), list(columns.items()))
    for name in columns:
        width = rows.dtype[name].itemsize
        if np.any(block[f"{name} width"] != width):
            raise ValueError(f"column {name} must be {width} bytes wide and never null")
        rows[name] = block[name]
    return rows


class _Reader:
    """Cuts the stream into records of the one size that they all have."""

    def __init__(self, columns: Mapping[str, str], each: Each) -> None:
        self._sent = sent_as(columns)
        self._columns = columns
        self._rows: Rows = np.empty(0, list(columns.items()))
        self._n = 0
        self._each = each
        self._rest = b""
        self._at_head = True
        self._strange = ""
        """What cannot be read; told when the stream has ended: asyncpg waits for ever for one that
        is left in its midst."""

    async def take(self, data: bytes) -> None:
        data = self._rest + data
        if self._at_head:
            if len(data) < HEAD_BYTES:
                self._rest = data
                return
            data, self._at_head = data[HEAD_BYTES:], False
        whole = len(data) // self._sent.itemsize
        self._rest = data[whole * self._sent.itemsize :]
        self._keep(np.frombuffer(data, self._sent, whole))

    def rows(self) -> Rows:
        if self._strange or self._rest != TAIL:
            raise ValueError(self._strange or "a column varies in width or is null")
        self._rows.resize(self._n, refcheck=False)
        return self._rows

    def _keep(self, block: Rows) -> None:
        try:
            found = native(block, self._columns)
        except ValueError as strange:
            self._strange = str(strange)
            return
        kept = self._each(found)
        needed = self._n + len(kept)
        if needed > len(self._rows):
            # In place where the allocator can: joining blocks would hold everything twice.
            self._rows.resize(max(needed, len(self._rows) * 5 // 4), refcheck=False)
        self._rows[self._n : needed] = kept
        self._n = needed
