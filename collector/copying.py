"""Rows in the form that COPY takes (BINARY), each packed by one call.

The driver's own encoder asks a codec for every value of every row, which took a fifth of what a
beacon costs the collector. Here the columns of fixed length stand first: they are one `struct`,
and what varies in length follows.

Source: PostgreSQL's documentation, COPY, "Binary Format"; dates and moments are counted from 2000,
as its `date_send` and `timestamptz_send` do.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from collector.tables import RAW, metadata

_BEGIN = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = struct.pack(">h", -1)
NO_VALUE = struct.pack(">i", -1)
"""Of a column that is NULL."""

_LENGTH = struct.Struct(">i").pack
_HEAD = struct.Struct(">hiq").pack
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
            values[place] = day_number(values[place])
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

    def row(self, values: Mapping[str, Any]) -> bytes:
        """A row by the names of its columns; a name that is not there is NULL.

        Raises ValueError, TypeError or ArithmeticError for what no column could hold.
        """
        if None in values.values():
            values = {name: value for name, value in values.items() if value is not None}
        names = tuple(values)
        shape = self._shapes.get(names) or self._shape(names)
        parts = [shape.head(values)]
        for nulls, name, is_text in shape.varying:
            data = values[name].encode() if is_text else values[name]
            parts += (nulls, _LENGTH(len(data)), data)
        parts.append(shape.end)
        return b"".join(parts)

    def piece(self, first: str, last: str, values: Mapping[str, Any]) -> bytes:
        """The part of a row from one column to another. Rows that have it in common are joined of
        such pieces, behind `head_at`."""
        begin, end = self.columns.index(first), self.columns.index(last) + 1
        return b"".join([self._field(name, values.get(name)) for name in self.columns[begin:end]])

    def line(self, first: str, last: str, *names: str) -> Callable[..., bytes]:
        """The same by one call, of columns of fixed length as numbers, those of the others NULL."""
        begin, end = self.columns.index(first), self.columns.index(last) + 1
        layout, arguments = self._layout(self.columns[begin:end], names, b"")
        pack = struct.Struct(layout).pack

        def line(*numbers: int) -> bytes:
            told = list(arguments)
            told[1::2] = numbers
            return pack(*told)

        return line

    def head_at(self, moment: datetime) -> bytes:
        """The beginning of a row that arrived then: every table's first column says when."""
        return _HEAD(len(self.columns), 8, (moment - _EPOCH) // _MICROSECOND)

    def _field(self, name: str, value: Any) -> bytes:
        if value is None:
            return NO_VALUE
        kind = self._fixed.get(name)
        if kind is None:
            data = value.encode() if isinstance(value, str) else value
        elif kind is sa.Date:
            data = struct.pack(">i", day_number(value))
        else:
            data = struct.pack(f">{_LETTERS[kind]}", value)
        return field_of(data)

    def _shape(self, names: tuple[str, ...]) -> _Shape:
        """Made once for the few ways in which rows are made."""
        there = [name for name in self._fixed if name in names]
        layout, arguments = self._layout(self._fixed, there, struct.pack(">h", len(self.columns)))
        varying, end = self._varying_of(names)
        made = _Shape(
            pick=itemgetter(*there),
            moments=self._places(there, sa.DateTime),
            days=self._places(there, sa.Date),
            arguments=arguments,
            pack=struct.Struct(layout).pack,
            varying=varying,
            end=end,
        )
        self._shapes[names] = made
        return made

    def _layout(
        self, columns: Iterable[str], there: Collection[str], before: bytes
    ) -> tuple[str, tuple[Any, ...]]:
        """What packs the columns that are there among others that are not, behind `before`."""
        layout, arguments = ">", []
        for name in columns:
            if name not in there:
                before += NO_VALUE
                continue
            letter = _LETTERS[self._fixed[name]]
            before += _LENGTH(struct.calcsize(f">{letter}"))
            layout += f"{len(before)}s{letter}"
            arguments += [before, None]
            before = b""
        return f"{layout}{len(before)}s", (*arguments, before)

    def _varying_of(self, names: tuple[str, ...]) -> tuple[_Varying, bytes]:
        varying, nulls = [], b""
        for name, is_text in self._varying:
            if name in names:
                varying.append((nulls, name, is_text))
                nulls = b""
            else:
                nulls += NO_VALUE
        return tuple(varying), nulls

    def _places(self, there: Iterable[str], kind: type[Any]) -> tuple[int, ...]:
        return tuple(n for n, name in enumerate(there) if self._fixed[name] is kind)


def field_of(data: bytes) -> bytes:
    """A column of bytes."""
    return _LENGTH(len(data)) + data


def day_number(day: date) -> int:
    """As the store counts days."""
    return date.toordinal(day) - _EPOCH_DAY


def whole(rows: Iterable[bytes]) -> bytes:
    """What COPY is given of rows that are packed."""
    return b"".join((_BEGIN, *rows, _END))


FORMS = {name: Form(metadata.tables[name]) for name in RAW}

assert all(form.columns[0] == "at" for form in FORMS.values())
