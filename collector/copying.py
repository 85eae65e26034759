"""Rows in the form that COPY takes (BINARY), each packed by one call.

The driver's own encoder asks a codec for every value of every row, which took a fifth of what a
beacon costs the collector. Here the columns of fixed length stand first: they are one `struct`,
and what varies in length follows.

Source: PostgreSQL's documentation, COPY, "Binary Format"; dates and moments are counted from 2000,
as its `date_send` and `timestamptz_send` do.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from collector.tables import RAW, metadata

_BEGIN = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = struct.pack(">h", -1)
_NULL = struct.pack(">i", -1)
_LENGTH = struct.Struct(">i").pack
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(2000, 1, 1).toordinal()
_MICROSECOND = timedelta(microseconds=1)

_LETTERS: Mapping[type[Any], str] = {
    sa.BigInteger: "q",
    sa.Integer: "i",
    sa.SmallInteger: "h",
    sa.DateTime: "q",
    sa.Date: "i",
}


_Varying = tuple[tuple[bytes, str, bool], ...]


@dataclass(frozen=True, slots=True)
class _Shape:
    """How rows are packed that have values of fixed length in the same columns."""

    pick: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    moments: tuple[int, ...]
    days: tuple[int, ...]
    arguments: tuple[Any, ...]
    """Before each value the bytes that stand before it (NULLs, its length), at the end the last
    NULLs; the values' own places are to be filled."""

    pack: Callable[..., bytes]
    varying: _Varying
    """Of what varies in length and is there: the NULLs before it, its name, whether it is text."""

    end: bytes
    """NULLs after the last of them."""

    def head(self, row: Mapping[str, Any]) -> bytes:
        values = list(self.pick(row))
        for place in self.moments:
            values[place] = (values[place] - _EPOCH) // _MICROSECOND
        for place in self.days:
            values[place] = date.toordinal(values[place]) - _EPOCH_DAY
        arguments = list(self.arguments)
        arguments[1::2] = values
        try:
            return self.pack(*arguments)
        except struct.error as beyond:
            raise ValueError("a number has no room in its column") from beyond


class Form:
    """How rows of one table are copied; `columns` is the order in which they are."""

    def __init__(self, table: sa.Table) -> None:
        self._fixed = {c.name: type(c.type) for c in table.columns if type(c.type) in _LETTERS}
        self._varying = tuple(
            (column.name, isinstance(column.type, sa.Text))
            for column in table.columns
            if column.name not in self._fixed
        )
        self._shapes: dict[tuple[str, ...], _Shape] = {}
        self.columns = (*self._fixed, *(name for name, _ in self._varying))

    def packed(self, rows: Iterable[Mapping[str, Any]]) -> bytes:
        """Rows by the names of their columns; a name that is not there is NULL.

        Raises ValueError, TypeError or ArithmeticError for what no column could hold.
        """
        parts = [_BEGIN]
        for row in rows:
            if None in row.values():
                row = {name: value for name, value in row.items() if value is not None}
            names = tuple(row)
            shape = self._shapes.get(names) or self._shape(names)
            parts.append(shape.head(row))
            for nulls, name, is_text in shape.varying:
                data = row[name].encode() if is_text else row[name]
                parts += (nulls, _LENGTH(len(data)), data)
            parts.append(shape.end)
        parts.append(_END)
        return b"".join(parts)

    def _shape(self, names: tuple[str, ...]) -> _Shape:
        """Made once for the few ways in which rows are made."""
        there = [name for name in self._fixed if name in names]
        layout, arguments = ">", []
        before = struct.pack(">h", len(self.columns))
        for name, kind in self._fixed.items():
            if name not in there:
                before += _NULL
                continue
            letter = _LETTERS[kind]
            before += _LENGTH(struct.calcsize(f">{letter}"))
            layout += f"{len(before)}s{letter}"
            arguments += [before, None]
            before = b""
        varying, end = self._varying_of(names)
        made = _Shape(
            pick=itemgetter(*there),
            moments=self._places(there, sa.DateTime),
            days=self._places(there, sa.Date),
            arguments=(*arguments, before),
            pack=struct.Struct(f"{layout}{len(before)}s").pack,
            varying=varying,
            end=end,
        )
        self._shapes[names] = made
        return made

    def _varying_of(self, names: tuple[str, ...]) -> tuple[_Varying, bytes]:
        varying, nulls = [], b""
        for name, is_text in self._varying:
            if name in names:
                varying.append((nulls, name, is_text))
                nulls = b""
            else:
                nulls += _NULL
        return tuple(varying), nulls

    def _places(self, there: Iterable[str], kind: type[Any]) -> tuple[int, ...]:
        return tuple(n for n, name in enumerate(there) if self._fixed[name] is kind)


FORMS = {name: Form(metadata.tables[name]) for name in RAW}
