"""Packed trails and events: what goes in comes out, together or alone, and nothing else does."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from collector.errors import PackingError
from collector.joined import ROW_PX, ROWS_PX
from collector.packing import (
    ENC,
    EVENT,
    PART_ROWS,
    TRAIL,
    Told,
    pack_events,
    pack_steps,
    pack_trail,
    unpack_events,
    unpack_trails,
)
from collector.trails import DIRECT, DIRECT_PX, REACH_MS, REACH_PX
from collector.wire import MAX_POINTS, MAX_T_MS, MAX_X_PX, MAX_Y_PX, MAX_ZONE

Point = tuple[int, int, int]
some = settings(max_examples=40)
"""Each example holds several rows of several points."""

EDGES_MS = [0, 1, DIRECT, REACH_MS, 2**15, 2**16, 10**6]
EDGES_PX = [0, 1, DIRECT_PX, REACH_PX, 2**15, 2**16]


@st.composite
def walks(draw: st.DrawFn) -> list[Point]:
    """Points wherever the wire lets them be; steps where a code ends and the next begins often."""
    points = draw(st.lists(st.tuples(X, Y, T), max_size=4))
    x, y, t = points[-1] if points else (0, 0, 0)
    for dx, dy, dt in draw(st.lists(st.tuples(PX, PX, MS), max_size=8 if points else 0)):
        x, y, t = (
            min(max(told, 0), top)
            for told, top in ((x + dx, MAX_X_PX), (y + dy, MAX_Y_PX), (t + dt, MAX_T_MS))
        )
        points.append((x, y, t))
    return points


def near(edges: Sequence[int], signs: Sequence[int]) -> st.SearchStrategy[int]:
    return st.sampled_from(
        [sign * edge + by for edge in edges for sign in signs for by in (-1, 0, 1)]
    )


PX, MS = near(EDGES_PX, (1, -1)), near(EDGES_MS, (1,))
X, Y, T = (st.integers(0, top) for top in (MAX_X_PX, MAX_Y_PX, MAX_T_MS))
POINTS = walks()
SHARE = st.integers(0, 2**16 - 1)
EVENTS = st.lists(
    st.tuples(
        st.integers(0, 15),
        T,
        X,
        Y,
        st.sampled_from([0, 1, MAX_ZONE]),
        SHARE,
        SHARE,
        st.sampled_from([0, 1, -(2**31), 2**31 - 1]),
        st.integers(0, 3),
    ),
    max_size=6,
)
TOLD = ["kind", "t", "x", "y", "zone", "u", "v", "value", "placement"]


def pack_trail_1(points: Sequence[Point]) -> bytes:
    return b"".join(struct.pack("<hiI", *point) for point in points)


def pack_events_1(events: Sequence[Told]) -> bytes:
    return b"".join(
        struct.pack("<BBHhiHHIi", kind, placement, zone, x, y, u, v, t, value)
        for kind, t, x, y, zone, u, v, value, placement in events
    )


@some
@given(st.lists(st.tuples(POINTS, st.sampled_from([1, ENC])), max_size=6))
@example([([], ENC), ([], 1)])
@example([([(0, 0, 0), (MAX_X_PX, MAX_Y_PX, MAX_T_MS), (0, 0, MAX_T_MS)], ENC)])
def test_trails_of_either_version_come_back_as_they_were(
    rows: list[tuple[list[Point], int]],
) -> None:
    packed = [pack_trail(points) if enc == ENC else pack_trail_1(points) for points, enc in rows]
    unpacked = unpack_trails(packed, [enc for _, enc in rows])
    assert unpacked.records.dtype == TRAIL
    assert unpacked.records.tolist() == [point for points, _ in rows for point in points]
    for row, (points, _) in enumerate(rows):
        assert unpacked.of_rows(row, row + 1).tolist() == points


@some
@given(st.lists(st.tuples(EVENTS, st.sampled_from([1, ENC])), max_size=5))
def test_events_of_either_version_come_back_as_they_were(
    rows: list[tuple[list[Told], int]],
) -> None:
    packed = [pack_events(told) if enc == ENC else pack_events_1(told) for told, enc in rows]
    unpacked = unpack_events(packed, [enc for _, enc in rows])
    assert unpacked.records.dtype == EVENT
    assert unpacked.records[TOLD].tolist() == [event for told, _ in rows for event in told]
    for row, (told, _) in enumerate(rows):
        assert unpacked.of_rows(row, row + 1)[TOLD].tolist() == told


def test_every_step_of_a_byte_or_two_and_those_beyond_come_back() -> None:
    places = list(range(-REACH_PX - 2, REACH_PX + 3))
    dts = [n % (REACH_MS + 3) for n in range(len(places))]
    parts, want = [], []
    for first in range(0, len(places), MAX_POINTS - 1):
        part = slice(first, first + MAX_POINTS - 1)
        steps = list(zip(places[part], reversed(places[part]), dts[part], strict=False))
        steps.insert(0, (MAX_X_PX // 2, MAX_Y_PX // 2, 0))
        parts.append(pack_steps([number for step in steps for number in step]))
        want.append(np.cumsum(steps, axis=0))
    read = unpack_trails(parts, [ENC] * len(parts)).records
    expected = np.concatenate(want)
    for axis, name in enumerate("xyt"):
        assert np.array_equal(read[name], expected[:, axis].astype(read[name].dtype))


@pytest.mark.parametrize("n", [1, 2, 255, 256, MAX_POINTS])
def test_a_trail_may_be_long(n: int) -> None:
    points = [(i % 1000, i // 3, 100 * i) for i in range(n)]
    assert unpack_trails([pack_trail(points)], [ENC]).records.tolist() == points


def test_a_longer_one_is_refused() -> None:
    with pytest.raises(PackingError, match=f"at most {MAX_POINTS} points"):
        pack_trail([(0, 0, 0)] * (MAX_POINTS + 1))


@pytest.mark.parametrize("point", [(-1, 0, 0), (2**14, 0, 0), (0, 2**18, 0), (0, 0, 2**32)])
def test_a_point_without_room_is_refused(point: Point) -> None:
    with pytest.raises(PackingError):
        pack_trail([point])


def test_many_more_rows_than_are_unpacked_together_keep_their_order() -> None:
    rows = [[(row % 300, row, 7 * n) for n in range(row % 4)] for row in range(2 * PART_ROWS + 3)]
    encs = [1 if row % 700 < 20 else ENC for row in range(len(rows))]
    packed = [
        pack_trail_1(points) if enc == 1 else pack_trail(points)
        for points, enc in zip(rows, encs, strict=True)
    ]
    unpacked = unpack_trails(packed, encs)
    assert unpacked.records.tolist() == [point for points in rows for point in points]
    assert np.diff(unpacked.bounds).tolist() == [len(points) for points in rows]


def test_a_usual_sample_takes_three_bytes_and_one_after_a_pause_four() -> None:
    slow = [(100 + 3 * n, 200 + n, 100 * n) for n in range(40)]
    paused = [(x, y, t + 5_000 * (t > 2000)) for x, y, t in slow]
    assert len(pack_trail(slow)) == 10 + 3 * 39
    assert len(pack_trail(paused)) == len(pack_trail(slow)) + 1


def test_a_click_takes_three_quarters_of_its_record_and_a_scroll_under_half() -> None:
    click = (1, 1250, 643, 887, 4, 32768, 19660, 0, 0)
    scroll = [(5, 300 * n, 0, 100 * n, 0, 0, 0, 0, 0) for n in range(1, 9)]
    assert len(pack_events([click])) <= 18
    assert len(pack_events(scroll)) < len(scroll) * EVENT.itemsize // 2


@pytest.mark.parametrize("unpack", [unpack_trails, unpack_events])
@pytest.mark.parametrize("enc", [0, 3, 9, -1])
def test_an_unknown_version_is_not_guessed_at(unpack: type, enc: int) -> None:
    with pytest.raises(PackingError, match=rf"packing {enc}, this Gloed reads 1, 2"):
        unpack([b"", b"\x01"], [ENC, enc])


@pytest.mark.parametrize(("kind", "placement"), [(16, 0), (1, 4), (-1, 0)])
def test_an_event_without_room_in_its_head_is_refused(kind: int, placement: int) -> None:
    with pytest.raises(PackingError, match="cannot be packed"):
        pack_events([(kind, 0, 0, 0, 0, 0, 0, 0, placement)])


def sounds_like_a_trail(n: int) -> st.SearchStrategy[bytes]:
    """A head that tells of n points, then whatever: most of what is refused only at its end."""
    return st.binary(max_size=40).map(lambda rest: struct.pack("<HII", n, 0, 0) + rest)


ANY_BYTES = st.binary(max_size=60) | st.integers(0, 9).flatmap(sounds_like_a_trail)


@some
@given(st.lists(ANY_BYTES, min_size=1, max_size=4), st.sampled_from([1, ENC]))
@example([b"\xff\xff"], ENC)
@example([b"\x01"], ENC)
@example([bytes(10)], ENC)
@example([b"\x02" + bytes(9) + b"\xff\xff\xff" + bytes(11)], ENC)
@example([b"\x02" + bytes(9) + b"\xfe\xfe\xfe\x01\x00\x01"], ENC)
def test_any_bytes_are_read_within_their_row_or_refused(parts: list[bytes], enc: int) -> None:
    """Whatever is taken of a row is what the row alone would give."""
    for unpack in (unpack_trails, unpack_events):
        with suppress(PackingError):
            joined = unpack(parts, [enc] * len(parts))
            for row, part in enumerate(parts):
                alone = unpack([part], [enc]).records
                assert joined.of_rows(row, row + 1).tobytes() == alone.tobytes()
                assert 3 * len(alone) <= len(part)


@some
@given(POINTS.filter(bool), EVENTS.filter(bool), st.data())
def test_a_row_cut_short_or_grown_is_refused(
    points: list[Point], events: list[Told], data: st.DataObject
) -> None:
    for whole, unpack in (
        (pack_trail(points), unpack_trails),
        (pack_events(events), unpack_events),
    ):
        cut = data.draw(st.integers(1, len(whole) - 1))
        for damaged in (whole[:cut], whole + b"\x01"):
            with pytest.raises(PackingError, match="damaged"):
                unpack([whole, damaged, whole], [ENC] * 3)


@pytest.mark.parametrize(("x", "y"), [(-1, 0), (0, -1), (ROW_PX, 0), (0, ROWS_PX)])
def test_an_event_that_is_on_no_page_is_refused_and_the_last_place_is_not(x: int, y: int) -> None:
    edge = (1, 0, ROW_PX - 1, ROWS_PX - 1, 0, 0, 0, 0, 0)
    read = unpack_events([pack_events([edge])], [ENC]).records
    assert (read["x"][0], read["y"][0]) == (ROW_PX - 1, ROWS_PX - 1)
    with pytest.raises(PackingError, match=rf"\({x}, {y}\)"):
        pack_events([(1, 0, x, y, 0, 0, 0, 0, 0)])
