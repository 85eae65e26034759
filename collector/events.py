"""Clicks, focus and scroll as bytes, and those of many batches back at once.

    n       2 bytes: number of events
    heads   of each event one byte: kind, + 16 x placement, + IN_ZONE, + HAS_VALUE
    times   4 bytes of each, ms since the opening
    places  4 bytes of each, as `collector/joined.py` numbers them
    zones   6 bytes of each with IN_ZONE: zone, u, v
    values  4 bytes of each with HAS_VALUE

All little-endian. No events are no bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from collector.errors import PackingError
from collector.joined import ROW_PX, ROWS_PX, Offsets, Packed, count_in, refuse_where

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

KINDS = 16
PLACEMENTS = 4
IN_ZONE = 64
HAS_VALUE = 128
LAYOUTS = 256
"""Remembered: most batches tell of a few events."""

_COUNT = np.dtype("<u2")
_TIME = np.dtype("<u4")
_PLACE = np.dtype("<u4")
_ZONE = np.dtype(("<u2", 3))
_VALUE = np.dtype("<i4")

Told = Sequence[int]
"""kind, t, x, y, zone, u, v, value, placement: as the wire tells an event."""


def pack_events(events: Sequence[Told]) -> bytes:
    """Raises PackingError for what has no room, which nothing on the wire lacks."""
    if not events:
        return b""
    heads: list[int] = []
    times: list[int] = []
    places: list[int] = []
    zones: list[int] = []
    values: list[int] = []
    for kind, t, x, y, zone, u, v, value, placement in events:
        if not (0 <= kind < KINDS and 0 <= placement < PLACEMENTS):
            raise PackingError(f"an event of kind {kind}, placement {placement} cannot be packed")
        # Not by `place_of`: a call for each event is a third of all this.
        if not (0 <= x < ROW_PX and 0 <= y < ROWS_PX):
            raise PackingError(f"an event at ({x}, {y}) is on no page")
        head = kind + KINDS * placement
        if zone or u or v:
            head += IN_ZONE
            zones += (zone, u, v)
        if value:
            head += HAS_VALUE
            values.append(value)
        heads.append(head)
        times.append(t)
        places.append(y * ROW_PX + x)
    n = len(events)
    pack = _layout(n, len(zones), len(values))
    try:
        return pack(n, *heads, *times, *places, *zones, *values)
    except struct.error as beyond:
        raise PackingError(f"an event has a number without room: {beyond}") from beyond


@lru_cache(maxsize=LAYOUTS)
def _layout(n: int, zones: int, values: int) -> Callable[..., bytes]:
    return struct.Struct(f"<H{n}B{2 * n}I{zones}H{values}i").pack


def counted(packed: Packed) -> Offsets:
    """How many events each batch has.

    Raises PackingError where a batch is damaged.
    """
    counts = np.zeros(len(packed.ends), np.intp)
    heads_from = _heads_from(packed)
    refuse_where(heads_from > packed.ends)
    counts[packed.is_filled] = packed.section(packed.begins, heads_from).view(_COUNT)
    refuse_where(packed.is_filled & (counts == 0))
    return counts


def unpack(packed: Packed, counts: Offsets, events: NDArray[np.void]) -> None:
    """Write the events of batches that have so many into `events`, one batch after the other.

    Raises PackingError where a batch is damaged.
    """
    bounds = np.concatenate(([0], np.cumsum(counts)))
    heads_from = _heads_from(packed)
    times_from = heads_from + counts
    refuse_where(times_from > packed.ends)
    heads = packed.section(heads_from, times_from)
    in_zone, valued = np.flatnonzero(heads & IN_ZONE), np.flatnonzero(heads & HAS_VALUE)
    edges = [times_from]
    for part, many in (
        (_TIME, counts),
        (_PLACE, counts),
        (_ZONE, count_in(in_zone, bounds)),
        (_VALUE, count_in(valued, bounds)),
    ):
        edges.append(edges[-1] + part.itemsize * many)
    refuse_where(edges[-1] != packed.ends)
    times, places, zones, values = (packed.section(begin, end) for begin, end in pairwise(edges))
    events["kind"], events["placement"] = heads % KINDS, heads // KINDS % PLACEMENTS
    events["t"] = times.view(_TIME)
    events["x"], events["y"] = places.view(_PLACE) % ROW_PX, places.view(_PLACE) // ROW_PX
    for column, name in enumerate(("zone", "u", "v")):
        events[name] = 0
        events[name][in_zone] = zones.view(_ZONE.base).reshape(-1, 3)[:, column]
    events["value"] = 0
    events["value"][valued] = values.view(_VALUE)


def _heads_from(packed: Packed) -> Offsets:
    return packed.begins + _COUNT.itemsize * packed.is_filled
