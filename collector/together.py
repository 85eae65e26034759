"""The trails of a whole group of batches, checked and packed at once.

One by one this is a third of what a batch costs the collector: each of its numbers passes through
the interpreter several times. Of many batches they lie behind each other in numpy, and a number
costs next to nothing; what costs there are some fifty calls, which a group shares. The bytes are
those of `collector.trails.pack_steps`, which stays what packs a batch that comes alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from collector.joined import ROW_PX, Offsets
from collector.trails import (
    DIRECT_PX,
    FAR,
    HEADS,
    PLACE_WORDS,
    REACH_MS,
    REACH_PX,
    STEP_BYTES,
    TIME_WORDS,
)
from collector.wire import MAX_T_MS, MAX_X_PX, MAX_Y_PX

STEP = np.dtype("<i4")
"""Of a number as the wire tells it, and `Steps` has it."""

NUMBERS = 3
"""Of each point."""

Steps = bytes
"""x, y, t of a trail's points, each as the difference to the point before it."""

_TOPS = np.array((MAX_X_PX, MAX_Y_PX, MAX_T_MS))
_Words = NDArray[np.uint16]
_Numbers = NDArray[np.int64]


def _table(words: dict[int, int], first: int, last: int) -> _Words:
    """By number from `first` on; both ends stand for whatever is beyond them."""
    numbers = range(first + 1, last)
    return np.array([FAR, *(words[number] for number in numbers), FAR], np.uint16)


_PLACES = _table(PLACE_WORDS, -REACH_PX - 1, REACH_PX + 1)
_TIMES = _table(TIME_WORDS, -1, REACH_MS + 1)

assert max(abs(number) for number in PLACE_WORDS) == REACH_PX
assert max(TIME_WORDS) == REACH_MS
assert DIRECT_PX < REACH_PX


@dataclass(frozen=True, slots=True)
class _Trails:
    """Trails behind each other: trail i from firsts[i] to ends[i]."""

    steps: NDArray[np.int32]
    """(points, NUMBERS)"""

    firsts: Offsets
    ends: Offsets

    @classmethod
    def of(cls, told: Sequence[Steps]) -> _Trails:
        counts = np.fromiter(map(len, told), np.intp, len(told)) // (NUMBERS * STEP.itemsize)
        ends = np.cumsum(counts)
        steps = np.frombuffer(b"".join(told), STEP).reshape(-1, NUMBERS)
        return cls(steps, ends - counts, ends)

    def edges(self, has: NDArray[np.bool_]) -> list[int]:
        """Where each trail's share begins of what some of its numbers have; and the end."""
        counts = np.add.reduceat(has.ravel(), NUMBERS * self.firsts, dtype=np.intp)
        return [0, *np.cumsum(counts).tolist()]


def packed_together(told: Sequence[Steps]) -> list[bytes | None]:
    """Of trails that have points; None for one that leaves the page or runs backwards in time."""
    trails = _Trails.of(told)
    is_right = _is_right(trails)
    words = _words(trails.steps)
    codes = words.astype(np.uint8)
    sides = (words >> 8).astype(np.uint8)
    # What a head tells has no codes.
    codes[trails.firsts] = 0
    sides[trails.firsts] = 0
    has_side, is_far = sides != 0, codes == FAR
    parts = [
        _cut(_heads(trails).tobytes(), range(0, HEADS.itemsize * len(told) + 1, HEADS.itemsize)),
        _cut(sides[has_side].tobytes(), trails.edges(has_side)),
    ]
    code_bytes = codes.tobytes()
    firsts, ends = (STEP_BYTES * (trails.firsts + 1)).tolist(), (STEP_BYTES * trails.ends).tolist()
    parts.insert(1, [code_bytes[a:b] for a, b in zip(firsts, ends, strict=True)])
    if is_far.any():
        fars = trails.steps[is_far].tobytes()
        edges = trails.edges(is_far)
        parts.append(_cut(fars, [STEP.itemsize * edge for edge in edges]))
    right = is_right.tolist()
    return [
        b"".join(of_one) if good else None
        for good, of_one in zip(right, zip(*parts, strict=True), strict=True)
    ]


def _cut(data: bytes, edges: Sequence[int]) -> list[bytes]:
    return [data[begin:end] for begin, end in pairwise(edges)]


def _is_right(trails: _Trails) -> NDArray[np.bool_]:
    """Whether all points of a trail lie on a page, and in a time that does not run backwards."""
    sums = np.cumsum(trails.steps, axis=0, dtype=np.int64)
    before = sums[trails.firsts] - trails.steps[trails.firsts]
    lowest = np.minimum.reduceat(sums, trails.firsts) - before
    highest = np.maximum.reduceat(sums, trails.firsts) - before
    runs = np.minimum.reduceat(trails.steps[:, 2], trails.firsts) >= 0
    is_right: NDArray[np.bool_] = runs & ((lowest >= 0) & (highest <= _TOPS)).all(axis=1)
    return is_right


def _words(steps: NDArray[np.int32]) -> _Words:
    """Of each number its code, and above it its side byte."""
    words = np.empty(steps.shape, np.uint16)
    words[:, :2] = _PLACES.take(steps[:, :2] + np.int64(REACH_PX + 1), mode="clip")
    words[:, 2] = _TIMES.take(steps[:, 2] + np.int64(1), mode="clip")
    return words


def _heads(trails: _Trails) -> NDArray[np.void]:
    first = trails.steps[trails.firsts].view(np.uint32)
    heads = np.empty(len(first), HEADS)
    heads["n"] = trails.ends - trails.firsts
    heads["place"] = first[:, 1] * np.uint32(ROW_PX) + first[:, 0]
    heads["t"] = first[:, 2]
    return heads
