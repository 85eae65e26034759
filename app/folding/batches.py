"""The script's batches of some views straight into numpy: columns, points and events.

By binary COPY, as `columns.py` reads what has no bytes of varying length: an object for each value
of each row costs several times as much as all that is made of them. The rows are cut while the
store makes the next ones.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np

from app.folding.columns import HEAD_BYTES, TAIL, Rows, day_of, native, sent_as, written_out
from app.folding.people import NO_REF, REF_BYTES
from collector.packing import Unpacked, unpack_events, unpack_trails

COLUMNS = {
    "view_id": "i8",
    "day": "i4",
    "seq": "i2",
    "at": "i8",
    "visitor": "i8",
    "visitor_before": "i8",
    "path_id": "i8",
    "page_id": "i4",
    "opened_min": "i4",
    "codes": "i4",
    "page_height_px": "i4",
    "viewport_width_px": "i2",
    "viewport_height_px": "i2",
    "enc": "i2",
    "ref_hash": f"V{REF_BYTES}",
}
"""What is read of a batch beside its bytes, none of it null: who bears no hash of yesterday has the
day's own in its place, and no path and no reference are numbers that no hash will have."""

NO_PATH = 0
_TOLD = {
    "visitor_before": "coalesce(nullif(visitor_before, '')::bigint, visitor)",
    "path_id": f"coalesce(path_id, {NO_PATH})",
    "ref_hash": rf"coalesce(nullif(ref_hash, ''), '\x{NO_REF.hex()}'::bytea)",
}
_SELECTED = ", ".join(_TOLD.get(name, name) for name in COLUMNS)
_OF_VIEWS = f"""
    SELECT {_SELECTED}, trail, ev FROM batch
    WHERE site_id = $1 AND day = ${{day}} AND view_id = ANY(${{ids}})
"""
"""By the key, a day at a time."""

_ORDER = "seq", "view_id", "day"
_LENGTH = struct.Struct(">i").unpack_from
_LENGTH_BYTES = 4

Key = tuple[date, int]
"""Day and number of a view."""


@dataclass(frozen=True, slots=True)
class Batches:
    """Batches by view, each view's in the order in which they were sent.

    rows    a structured array of COLUMNS
    points  of all of them, one after the other
    events  likewise
    views   each view that has any, and which of the rows are its
    """

    rows: Rows
    points: Unpacked
    events: Unpacked
    views: Sequence[tuple[Key, slice]]

    @classmethod
    def none(cls) -> Batches:
        return cls.of(np.empty(0, list(COLUMNS.items())), [], [])

    @classmethod
    def of(cls, rows: Rows, trails: list[bytes], events: list[bytes]) -> Batches:
        """In whatever order they come. Raises PackingError for what is damaged or not known."""
        order = np.lexsort([rows[name] for name in _ORDER])
        rows, listed = rows[order], order.tolist()
        encs = rows["enc"].tolist()
        return cls(
            rows,
            unpack_trails([trails[n] for n in listed], encs),
            unpack_events([events[n] for n in listed], encs),
            _by_view(rows),
        )

    def only(self, wanted: Container[Key]) -> Batches:
        """Those of some views."""
        return replace(self, views=[(key, its) for key, its in self.views if key in wanted])


def _by_view(rows: Rows) -> list[tuple[Key, slice]]:
    if not len(rows):
        return []
    is_next = (np.diff(rows["view_id"]) != 0) | (np.diff(rows["day"]) != 0)
    edges = [0, *(np.flatnonzero(is_next) + 1).tolist(), len(rows)]
    numbers, view_ids = (rows[name][edges[:-1]].tolist() for name in ("day", "view_id"))
    days = {number: day_of(number) for number in set(numbers)}
    told = zip(numbers, view_ids, pairwise(edges), strict=True)
    return [((days[number], view_id), slice(*its)) for number, view_id, its in told]


async def read_batches(
    connection: Any, site_id: int, view_ids: Mapping[date, Collection[int]]
) -> Batches:
    """All that these views have, by one statement. Raises PackingError for damaged bytes."""
    reader = _Reader()
    query = batches_query(site_id, view_ids)
    await connection.copy_from_query(query, output=reader.take, format="binary")
    return await asyncio.to_thread(reader.batches)


def batches_query(site_id: int, view_ids: Mapping[date, Collection[int]]) -> str:
    """Of at least one day."""
    values: list[Any] = [site_id]
    parts: list[str] = []
    for day, ids in view_ids.items():
        parts.append(_OF_VIEWS.format(day=len(values) + 1, ids=len(values) + 2))
        values += [day, list(ids)]
    return written_out(" UNION ALL ".join(parts), values)


class _Reader:
    """Cuts the stream into rows as it comes: columns of fixed width, then a trail, then events."""

    def __init__(self) -> None:
        self._sent = sent_as(COLUMNS)
        self._heads: list[bytes] = []
        self._trails: list[bytes] = []
        self._events: list[bytes] = []
        self._rest = b""
        self._is_begun = self._is_strange = False

    async def take(self, data: bytes) -> None:
        data = self._rest + data
        if not self._is_begun:
            if len(data) < HEAD_BYTES:
                self._rest = data
                return
            data, self._is_begun = data[HEAD_BYTES:], True
        self._rest = b"" if self._is_strange else data[self._cut(data) :]

    def _cut(self, data: bytes) -> int:
        """Keep the rows that are there in full; how many bytes they are."""
        width, at = self._sent.itemsize, 0
        while (trail := at + width + _LENGTH_BYTES) <= len(data):
            trail_to = trail + _LENGTH(data, trail - _LENGTH_BYTES)[0]
            events = trail_to + _LENGTH_BYTES
            if trail_to < trail or events > len(data):
                self._is_strange |= trail_to < trail
                break
            events_to = events + _LENGTH(data, trail_to)[0]
            if events_to < events or events_to > len(data):
                self._is_strange |= events_to < events
                break
            self._heads.append(data[at : at + width])
            self._trails.append(data[trail:trail_to])
            self._events.append(data[events:events_to])
            at = events_to
        return at

    def batches(self) -> Batches:
        if self._is_strange or self._rest != TAIL:
            raise ValueError("a batch's trail or events are null")
        heads = np.frombuffer(b"".join(self._heads), self._sent)
        return Batches.of(native(heads, COLUMNS), self._trails, self._events)
