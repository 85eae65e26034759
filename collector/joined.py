"""Many batches' bytes, joined, and cut into their sections: no loop over batches.

What is read lies within its own batch: before a section is read all batches have shown that they
have it. Damaged bytes raise PackingError and are never taken for a neighbour's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collector.errors import PackingError
from collector.wire import MAX_X_PX, MAX_Y_PX

Bytes = NDArray[np.uint8]
Flags = NDArray[np.bool_]
Offsets = NDArray[np.intp]

ROW_PX = 2**14
"""A place on a page is one number of 32 bits: y * ROW_PX + x."""

ROWS_PX = 2**32 // ROW_PX

assert MAX_X_PX < ROW_PX
assert MAX_Y_PX < ROWS_PX


@dataclass(frozen=True, slots=True)
class Packed:
    """Batch i lies from begins[i] to ends[i]."""

    data: Bytes
    begins: Offsets
    ends: Offsets

    @classmethod
    def join(cls, parts: Sequence[bytes]) -> Packed:
        lengths = np.fromiter(map(len, parts), np.intp, len(parts))
        ends = np.cumsum(lengths)
        return cls(np.frombuffer(b"".join(parts), np.uint8), ends - lengths, ends)

    def rows(self, first: int, after: int) -> Packed:
        """The batches from `first` to the one before `after`."""
        whole = slice(int(self.begins[first]), int(self.ends[after - 1]))
        begins, ends = self.begins[first:after], self.ends[first:after]
        return Packed(self.data[whole], begins - whole.start, ends - whole.start)

    @property
    def is_filled(self) -> Flags:
        return self.ends > self.begins

    def section(self, begins: Offsets, ends: Offsets) -> Bytes:
        """What all batches have from begins[i] to ends[i], which lie within them, in order."""
        sizes = ends - begins
        places = np.arange(int(sizes.sum()))
        places += np.repeat(begins - (np.cumsum(sizes) - sizes), sizes)
        return self.data.take(places)

    def bulk(self, begins: Offsets, ends: Offsets) -> Bytes:
        """The same, and faster where it is most of the bytes: they are passed once, not sought."""
        edges = np.stack((self.begins, begins, ends, self.ends), axis=1)
        is_within = np.tile(np.array([False, True, False]), len(edges))
        found: Bytes = self.data[np.repeat(is_within, np.diff(edges, axis=1).ravel())]
        return found


def refuse_where(broken: Flags) -> None:
    if broken.any():
        raise PackingError(
            f"{np.count_nonzero(broken)} of {len(broken)} packed batches are damaged: restore "
            "their days from a backup, or delete them"
        )


def count_in(at: Offsets, bounds: Offsets) -> Offsets:
    """How many of the ascending numbers `at` lie between each two of `bounds`."""
    return np.diff(np.searchsorted(at, bounds))


def place_of(x: int, y: int) -> int:
    """Raises PackingError for a place that is on no page."""
    if not (0 <= x < ROW_PX and 0 <= y < ROWS_PX):
        raise PackingError(f"the place ({x}, {y}) is on no page")
    return y * ROW_PX + x
