"""Rows as checked records on disk: what the spool writes, and what it believes when it reads.

A record is a header (version, length, checksum of the payload, checksum of the header) and a
payload of msgpack. The header has a checksum of its own, so that a record cut short by a crash is
told from one whose length was damaged. Rows bear their columns' names: another version of Gloed
may be the one that reads them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, BinaryIO
from zlib import crc32

import msgspec
import sqlalchemy as sa

from collector.errors import CollectorError
from collector.groups import COLUMNS, Row
from collector.tables import RAW, metadata

VERSION = 1
FRAME_BYTES = 512 * 1024
"""A frame is closed beyond this: what is read, held and written in one piece when replayed."""

LONGEST_BYTES = 8 * FRAME_BYTES
"""No frame is longer, as one row has at most one body: a length beyond it is damage."""
UNPACKABLE = (OverflowError, TypeError, ValueError)
"""What `frames_of` raises for a value that no store could take either."""


_HEADER = struct.Struct(">BII")
_CHECK = struct.Struct(">I")
HEADER_BYTES = _HEADER.size + _CHECK.size

_NAMES = {table: tuple(map(str, columns)) for table, columns in COLUMNS.items()}
_DATES = {
    name: frozenset(c.name for c in metadata.tables[name].columns if isinstance(c.type, sa.Date))
    for name in RAW
}
"""msgpack has moments and no dates: those travel as text."""


class Torn(CollectorError):
    """The file ends inside a record: a crash came before it was acknowledged."""


class Damaged(CollectorError):
    """A record is not what was written."""


class Head(msgspec.Struct, frozen=True, array_like=True, tag="head"):
    """The first record of a file."""

    store: str
    """Identity of the store that the rows are for."""

    begun_at: datetime


class _Table(msgspec.Struct, frozen=True, array_like=True):
    columns: tuple[str, ...]
    records: list[tuple[Any, ...]]


class Rows(msgspec.Struct, frozen=True, array_like=True, tag="rows"):
    """Rows by table, and the paths that go with them by (site_id, path_id)."""

    tables: dict[str, _Table]
    paths: list[tuple[int, int, str]]

    @property
    def count(self) -> int:
        return sum(len(table.records) for table in self.tables.values())

    def unpack(self) -> list[Row]:
        """Raises Damaged where a record lacks what its table's key is made of."""
        paths = {(site_id, path_id): path for site_id, path_id, path in self.paths}
        try:
            return [
                _row(name, dict(zip(table.columns, record, strict=True)), paths)
                for name, table in self.tables.items()
                for record in table.records
            ]
        except (KeyError, ValueError, TypeError) as wrong:
            raise Damaged(f"a record of another shape: {type(wrong).__name__}") from wrong


Record = Head | Rows
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(Record)


def packed(record: Record) -> bytes:
    payload = _encoder.encode(record)
    header = _HEADER.pack(VERSION, len(payload), crc32(payload))
    return header + _CHECK.pack(crc32(header)) + payload


def frames_of(rows: Iterable[Row]) -> Iterator[bytes]:
    """Records that hold `rows` in their order; raises one of UNPACKABLE."""
    held: list[Row] = []
    size = 0
    for row in rows:
        if held and size + row.size > FRAME_BYTES:
            yield packed(_rows(held))
            held, size = [], 0
        held.append(row)
        size += row.size
    if held:
        yield packed(_rows(held))


def read_record(file: BinaryIO) -> Record | None:
    """The next record, None at the end.

    Raises Torn or Damaged; where the file then stands says nothing.
    """
    header = file.read(HEADER_BYTES)
    if not header:
        return None
    if len(header) < HEADER_BYTES or not any(header):
        # Zeros: the file had grown, and the crash came before what was to fill it.
        rest = file.read() if len(header) == HEADER_BYTES else b""
        raise Damaged("zeros between records") if any(rest) else Torn
    version, length, check = _HEADER.unpack_from(header)
    if _CHECK.unpack_from(header, _HEADER.size)[0] != crc32(header[: _HEADER.size]):
        raise Damaged("a header's checksum is wrong")
    if version != VERSION:
        raise Damaged(f"a record of version {version}, this Gloed reads {VERSION}")
    if length > LONGEST_BYTES:
        raise Damaged(f"a record of {length} bytes")
    payload = file.read(length)
    if len(payload) < length:
        raise Torn
    if crc32(payload) != check:
        raise Damaged("a payload's checksum is wrong")
    try:
        return _decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError) as wrong:
        raise Damaged("a payload of another shape") from wrong


def _rows(rows: Sequence[Row]) -> Rows:
    tables: dict[str, _Table] = {}
    paths: dict[tuple[int, int], str] = {}
    for row in rows:
        table = tables.get(row.table)
        if table is None:
            table = tables[row.table] = _Table(_NAMES[row.table], [])
        table.records.append(row.record)
        if row.path is not None:
            paths[row.path_key] = row.path
    return Rows(tables, [(*key, path) for key, path in paths.items()])


def _row(table: str, values: dict[str, Any], paths: Mapping[tuple[Any, Any], str]) -> Row:
    for name in _DATES[table]:
        values[name] = date.fromisoformat(values[name])
    return Row(table, values, paths.get((values["site_id"], values.get("path_id"))))


def packable(row: Row) -> bool:
    try:
        list(frames_of([row]))
    except UNPACKABLE:
        return False
    return True
