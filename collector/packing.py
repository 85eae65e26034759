"""Trails and events as bytes, and back into numpy without a loop over rows.

Version 1 (`enc` = 1): little-endian records; every trail record stands alone, so the trails of
many batches are decoded by joining their bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

ENC = 1

TRAIL = np.dtype([("x", "<i2"), ("y", "<i4"), ("t", "<u4")])
EVENT = np.dtype(
    [
        ("kind", "u1"),
        ("placement", "u1"),
        ("zone", "<u2"),
        ("x", "<i2"),
        ("y", "<i4"),
        ("u", "<u2"),
        ("v", "<u2"),
        ("t", "<u4"),
        ("value", "<i4"),
    ]
)
"""u, v: place within the zone's box, 0..65535; value: milliseconds or px, by kind."""

_POINT = struct.Struct("<hiI")
_EVENT = struct.Struct("<BBHhiHHIi")
assert _POINT.size == TRAIL.itemsize
assert _EVENT.size == EVENT.itemsize


def pack_trail(points: Iterable[tuple[int, int, int]]) -> bytes:
    return b"".join(_POINT.pack(x, y, t) for x, y, t in points)


def pack_event(
    kind: int, placement: int, zone: int, x: int, y: int, u: int, v: int, t: int, value: int
) -> bytes:
    return _EVENT.pack(kind, placement, zone, x, y, u, v, t, value)


def unpack_trails(trails: Iterable[bytes]) -> NDArray[np.void]:
    """All records of many trails, joined. Only for rows of `enc` 1."""
    return np.frombuffer(b"".join(trails), TRAIL)


def unpack_events(events: Iterable[bytes]) -> NDArray[np.void]:
    return np.frombuffer(b"".join(events), EVENT)
