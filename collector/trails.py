"""Trails as bytes, and those of many batches back at once.

    head    10 bytes: number of points, place and time of the first
    codes   3 bytes of every further point: dx, dy and dt, from the point before
    sides   one byte, 1 to 255, of each code that has one
    fars    4 bytes of each code FAR: the difference itself

A code below DIRECT is a difference by itself, of -DIRECT_PX px or of 0 ms on. Each of those above
stands for 255 differences, which its side byte tells apart. No side byte is 0, so that packing
strips what no code asked for. Numbers are little-endian, sums are modulo 2^32, and no points are
no bytes. What is stored rests on these numbers: others are another version of the packing.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from collector.errors import PackingError
from collector.joined import ROW_PX, Bytes, Flags, Offsets, Packed, count_in, place_of, refuse_where
from collector.wire import MAX_POINTS

TRAIL = np.dtype([("x", "<i2"), ("y", "<i4"), ("t", "<u4")])

DIRECT_PX = 112
"""In 100 ms a pointer seldom moves as far, and seldom it is as long as 2 * DIRECT_PX ms."""

DIRECT = 2 * DIRECT_PX + 1
FAR = 255
ONWARD = (FAR - DIRECT) // 2
"""So many codes stand for places farther to the right or down, as many to the left or up, and both
for longer times."""

SIDES = 255
REACH_PX = DIRECT_PX + ONWARD * SIDES
REACH_MS = DIRECT - 1 + 2 * ONWARD * SIDES
assert DIRECT + 2 * ONWARD == FAR

_HEAD = struct.Struct("<HII")
HEADS = np.dtype([("n", "<u2"), ("place", "<u4"), ("t", "<u4")])
STEP_BYTES = 3
_PLACE, _TIME = range(2)
_NONE = -(2**15)

Numbers = NDArray[np.int32]


def _numbers_by_key() -> NDArray[np.int16]:
    """By kind, code and side byte, 0 for none; _NONE for what is no code.

    Times are ms. Places are px from -DIRECT_PX, so that direct codes of either are numbers.
    """
    table = np.full((2, 256, 256), _NONE, np.int16)
    table[:, :DIRECT, 0] = np.arange(DIRECT)
    beyond = SIDES * np.arange(2 * ONWARD)[:, None] + np.arange(1, SIDES + 1)
    table[_TIME, DIRECT:FAR, 1:] = DIRECT - 1 + beyond
    table[_PLACE, DIRECT : DIRECT + ONWARD, 1:] = DIRECT - 1 + beyond[:ONWARD]
    table[_PLACE, DIRECT + ONWARD : FAR, 1:] = -beyond[:ONWARD]
    return table


def _words(numbers: NDArray[np.int16]) -> dict[int, int]:
    """By difference: its code, and above it its side byte. What is beyond reach is not there."""
    code, side = np.nonzero(numbers != _NONE)
    words = code | side << 8
    return dict(zip(numbers[code, side].tolist(), words.tolist(), strict=True))


_NUMBERS = _numbers_by_key()
PLACE_WORDS = {n - DIRECT_PX: word for n, word in _words(_NUMBERS[_PLACE]).items()}
TIME_WORDS = _words(_NUMBERS[_TIME])
"""Looked up one by one: a batch has some dozens of points, for which the tables that numpy would
need take longer to reach than to use."""

_FARS = repeat(FAR)
_NUMBERS = _NUMBERS.ravel()


def pack_steps(flat: Sequence[int]) -> bytes:
    """x, y, t of the first point, then dx, dy, dt of each to the one before, as the wire tells.

    Raises PackingError for what no batch may hold: more than MAX_POINTS points, or numbers without
    room.
    """
    if not flat:
        return b""
    n, steps = len(flat) // STEP_BYTES, flat[STEP_BYTES:]
    if n > MAX_POINTS:
        raise PackingError(f"a batch may have at most {MAX_POINTS} points, got {n}: divide it")
    try:
        head = _HEAD.pack(n, place_of(flat[0], flat[1]), flat[2])
        return b"".join((head, *_coded(steps)))
    except struct.error as beyond:
        raise PackingError(f"a trail has a number without room: {beyond}") from beyond


def _coded(steps: Sequence[int]) -> tuple[bytes, bytes, bytes]:
    """Codes, sides, fars."""
    words = [FAR] * len(steps)
    for column, of in enumerate((PLACE_WORDS, PLACE_WORDS, TIME_WORDS)):
        words[column::STEP_BYTES] = map(of.get, steps[column::STEP_BYTES], _FARS)
    laid = struct.pack(f"<{len(words)}H", *words)
    codes, sides = laid[0::2], laid[1::2].translate(None, b"\0")
    fars, at = [], -1
    while (at := codes.find(FAR, at + 1)) >= 0:
        fars.append(steps[at])
    return codes, sides, struct.pack(f"<{len(fars)}i", *fars)


def counted(packed: Packed) -> Offsets:
    """How many points each batch has.

    Raises PackingError where a batch is damaged.
    """
    heads = _heads(packed)
    counts = np.zeros(len(packed.ends), np.intp)
    counts[packed.is_filled] = heads["n"]
    refuse_where(packed.is_filled & (counts == 0))
    return counts


def unpack(packed: Packed, counts: Offsets, points: NDArray[np.void]) -> None:
    """Write the points of batches that have so many into `points`, one batch after the other.

    Raises PackingError where a batch is damaged.
    """
    heads, many = _heads(packed), counts[counts > 0]
    bounds = np.concatenate(([0], np.cumsum(counts)))
    firsts = bounds[:-1][counts > 0]
    # The end of a head stands for the codes of its point, so that all points have three.
    codes_from = packed.begins + (_HEAD.size - STEP_BYTES) * packed.is_filled
    codes_to = codes_from + STEP_BYTES * counts
    refuse_where(codes_to > packed.ends)
    codes = packed.bulk(codes_from, codes_to)
    codes.reshape(-1, STEP_BYTES)[firsts] = 0
    numbers = _numbers(packed, codes, bounds, codes_to)
    columns = (
        ("x", DIRECT_PX, heads["place"] % ROW_PX),
        ("y", DIRECT_PX, heads["place"] // ROW_PX),
        ("t", 0, heads["t"]),
    )
    for column, (name, resting, first) in enumerate(columns):
        sums = np.cumsum(numbers[:, column] - np.int32(resting), dtype=np.int32)
        # From the sum at a batch's first point to what that point is.
        sums += np.repeat(first.view(np.int32) - sums[firsts], many)
        points[name] = sums.view(np.uint32)


def _heads(packed: Packed) -> NDArray[np.void]:
    """Of the batches that hold anything."""
    heads_to = packed.begins + _HEAD.size * packed.is_filled
    refuse_where(heads_to > packed.ends)
    return packed.section(packed.begins, heads_to).view(HEADS)


def _numbers(packed: Packed, codes: Bytes, bounds: Offsets, sides_from: Offsets) -> Numbers:
    """Of all points dx, dy and dt, px counted as codes count them."""
    beyond = np.flatnonzero(codes >= DIRECT)
    kinds = codes[beyond]
    is_far = kinds == FAR
    near, far = beyond[~is_far], beyond[is_far]
    edges = STEP_BYTES * bounds
    sides_to = sides_from + count_in(near, edges)
    fars_to = sides_to + 4 * count_in(far, edges)
    refuse_where(fars_to != packed.ends)
    sides = packed.section(sides_from, sides_to)
    if not sides.all():
        raise PackingError("a side byte of a packed trail is 0: it is damaged")
    numbers = codes.astype(np.int32)
    keys = (_is_time(near) * 256 + kinds[~is_far]) * 256 + sides
    numbers[near] = _NUMBERS.take(keys)
    fars = packed.section(sides_to, fars_to).view("<i4")
    numbers[far] = fars + np.where(_is_time(far), 0, DIRECT_PX).astype(np.int32)
    return numbers.reshape(-1, STEP_BYTES)


def _is_time(at: Offsets) -> Flags:
    is_time: Flags = at % STEP_BYTES == STEP_BYTES - 1
    return is_time
