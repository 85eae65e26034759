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

PART_ROWS = 4096
"""Rows unpacked together: some megabytes at a time, whatever is asked for."""

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


_Reader = Callable[[Sequence[bytes]], tuple[NDArray[np.void], Bounds]]


def _unpacked(
    parts: Sequence[bytes],
    encs: Sequence[int],
    dtype: np.dtype[np.void],
    read: Mapping[int, _Reader],
) -> Unpacked:
    records: list[NDArray[np.void]] = []
    counts: list[Bounds] = [np.zeros(1, np.intp)]
    for enc, begin, end in _runs(encs):
        if enc not in read:
            known = ", ".join(map(str, read))
            raise UnknownPacking(
                f"the store holds batches of packing {enc}, this Gloed reads {known}: use the "
                "Gloed that wrote them"
            )
        found, bounds = read[enc](parts[begin:end])
        records.append(found)
        counts.append(np.diff(bounds))
    joined = np.concatenate(records) if records else np.empty(0, dtype)
    return Unpacked(joined, np.cumsum(np.concatenate(counts)))


def _runs(encs: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Neighbours of one version, at most PART_ROWS of them: the version, first, one after last."""
    changes = np.flatnonzero(np.diff(np.asarray(encs, np.int16))) + 1
    edges = sorted({*range(0, len(encs), PART_ROWS), *changes.tolist(), len(encs)})
    for begin, end in pairwise(edges):
        yield encs[begin], begin, end


def _reader_of(record: np.dtype[np.void]) -> _Reader:
    def read(parts: Sequence[bytes]) -> tuple[NDArray[np.void], Bounds]:
        packed = Packed.join(parts)
        counts, left = np.divmod(packed.ends - packed.begins, record.itemsize)
        refuse_where(left > 0)
        records = np.frombuffer(b"".join(parts), record)
        return records, np.concatenate(([0], np.cumsum(counts)))

    return read


_TRAILS: Mapping[int, _Reader] = {1: _reader_of(TRAIL), 2: _trails.unpack}
_EVENTS: Mapping[int, _Reader] = {1: _reader_of(EVENT), 2: _events.unpack}
