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

_HEAD_BYTES = 11 + 4 + 4
"""Signature, flags, and the length of an extension that nobody has defined."""

_TAIL = b"\xff\xff"
_PLACE = re.compile(r"\$(\d+)")


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
    await connection.copy_from_query(_with(query, values), output=reader.take, format="binary")
    return reader.rows()


def _with(query: str, values: Sequence[Any]) -> str:
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
        return f"'{{{','.join(str(int(one)) for one in value)}}}'::int[]"
    if isinstance(value, list) and all(type(one) is date for one in value):
        return f"'{{{','.join(one.isoformat() for one in value)}}}'::date[]"
    raise TypeError(f"only numbers and times are asked for by COPY, got {value!r}")


def moment(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


class _Reader:
    """Cuts the stream into records of the one size that they all have."""

    def __init__(self, columns: Mapping[str, str], each: Each) -> None:
        sent: list[tuple[str, str]] = [("fields", ">i2")]
        for name, kind in columns.items():
            sent += [(f"{name} width", ">i4"), (name, f">{kind}")]
        self._sent = np.dtype(sent)
        self._widths = {name: np.dtype(kind).itemsize for name, kind in columns.items()}
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
            if len(data) < _HEAD_BYTES:
                self._rest = data
                return
            data, self._at_head = data[_HEAD_BYTES:], False
        whole = len(data) // self._sent.itemsize
        self._rest = data[whole * self._sent.itemsize :]
        self._keep(np.frombuffer(data, self._sent, whole))

    def rows(self) -> Rows:
        if self._strange or self._rest != _TAIL:
            raise ValueError(self._strange or "a column varies in width or is null")
        self._rows.resize(self._n, refcheck=False)
        return self._rows

    def _keep(self, block: Rows) -> None:
        native = np.empty(len(block), self._rows.dtype)
        for name, width in self._widths.items():
            if np.any(block[f"{name} width"] != width):
                self._strange = f"column {name} must be {width} bytes wide and never null"
            native[name] = block[name]
        kept = self._each(native)
        needed = self._n + len(kept)
        if needed > len(self._rows):
            # In place where the allocator can: joining blocks would hold everything twice.
            self._rows.resize(max(needed, len(self._rows) * 5 // 4), refcheck=False)
        self._rows[self._n : needed] = kept
        self._n = needed
