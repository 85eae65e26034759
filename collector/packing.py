"""Trails and events as bytes, and those of many rows back into numpy without a loop over rows.

What a row's bytes are is told by its `enc`:

1  little-endian records of 10 bytes a point and 24 an event
2  differences of a byte each, and what has no room in one behind them: `collector/trails.py`,
   `collector/events.py`

Rows are written in the newest and read in any: a batch stands alone, and so may its version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from collector import events as _events
from collector import trails as _trails
from collector.errors import UnknownPacking
from collector.events import EVENT, Told, pack_events
from collector.joined import Packed, refuse_where
from collector.trails import TRAIL, pack_steps

__all__ = [
    "ENC",
    "EVENT",
    "TRAIL",
    "Told",
    "Unpacked",
    "pack_events",
    "pack_steps",
    "pack_trail",
    "unpack_events",
    "unpack_trails",
]

ENC = 2

PART_ROWS = 2048
"""Rows unpacked together: what is made of them on the way stays in the processor's cache."""

Bounds = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Unpacked:
    """Records of many rows, joined: row i has records[bounds[i]:bounds[i + 1]]."""

    records: NDArray[np.void]
    bounds: Bounds

    def of_rows(self, first: int, after: int) -> NDArray[np.void]:
        """The records of neighbours: the rows from `first` to the one before `after`."""
        return self.records[self.bounds[first] : self.bounds[after]]


def pack_trail(points: Iterable[tuple[int, int, int]]) -> bytes:
    """Places and times as they are: x, y, t of each point. The wire's differences need no detour:
    `pack_steps` takes them."""
    before = (0, 0, 0)
    steps: list[int] = []
    for point in points:
        steps += (now - then for now, then in zip(point, before, strict=True))
        before = point
    return pack_steps(steps)


def unpack_trails(trails: Sequence[bytes], encs: Sequence[int]) -> Unpacked:
    """The points of many rows; x and y in px, t in ms.

    Raises PackingError for a version that is not known, and for damaged bytes.
    """
    return _unpacked(trails, encs, TRAIL, _TRAILS)


def unpack_events(events: Sequence[bytes], encs: Sequence[int]) -> Unpacked:
    """Likewise the events."""
    return _unpacked(events, encs, EVENT, _EVENTS)


@dataclass(frozen=True, slots=True)
class _Reader:
    """How rows of one version are read: how many records each has, and these into their place."""

    counted: Callable[[Packed], Bounds]
    unpack: Callable[[Packed, Bounds, NDArray[np.void]], None]


def _unpacked(
    parts: Sequence[bytes],
    encs: Sequence[int],
    dtype: np.dtype[np.void],
    readers: Mapping[int, _Reader],
) -> Unpacked:
    runs = [
        (reader, packed, reader.counted(packed))
        for reader, packed in (
            (_reader(readers, encs[begin]), Packed.join(parts[begin:end]))
            for begin, end in _runs(encs)
        )
    ]
    counts = [np.zeros(1, np.intp), *(of_run for _, _, of_run in runs)]
    bounds = np.cumsum(np.concatenate(counts))
    records = np.empty(int(bounds[-1]), dtype)
    row = 0
    for reader, packed, of_run in runs:
        for first in range(0, len(of_run), PART_ROWS):
            after = min(first + PART_ROWS, len(of_run))
            place = records[bounds[row + first] : bounds[row + after]]
            reader.unpack(packed.rows(first, after), of_run[first:after], place)
        row += len(of_run)
    return Unpacked(records, bounds)


def _reader(readers: Mapping[int, _Reader], enc: int) -> _Reader:
    if enc not in readers:
        known = ", ".join(map(str, readers))
        raise UnknownPacking(
            f"the store holds batches of packing {enc}, this Gloed reads {known}: use the Gloed "
            "that wrote them"
        )
    return readers[enc]


def _runs(encs: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Neighbours of one version: the first, and one after the last."""
    changes = np.flatnonzero(np.diff(np.asarray(encs, np.int16))) + 1
    edges = sorted({0, *changes.tolist(), len(encs)})
    yield from pairwise(edges)


def _records_of(record: np.dtype[np.void]) -> _Reader:
    def counted(packed: Packed) -> Bounds:
        counts, left = np.divmod(packed.ends - packed.begins, record.itemsize)
        refuse_where(left > 0)
        return counts

    def unpack(packed: Packed, _counts: Bounds, records: NDArray[np.void]) -> None:
        records[:] = packed.data.view(record)

    return _Reader(counted, unpack)


_TRAILS = {1: _records_of(TRAIL), 2: _Reader(_trails.counted, _trails.unpack)}
_EVENTS = {1: _records_of(EVENT), 2: _Reader(_events.counted, _events.unpack)}
