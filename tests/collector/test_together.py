"""Trails of a group packed at once are the bytes of each by itself, and so are the wrong ones."""

from __future__ import annotations

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.decode import TOGETHER, end_trail, end_trails
from collector.errors import Malformed
from collector.together import packed_together
from collector.trails import REACH_MS, REACH_PX
from collector.wire import MAX_POINTS, MAX_T_MS, MAX_X_PX, MAX_Y_PX

LEGAL = st.lists(
    st.tuples(st.integers(0, MAX_X_PX), st.integers(0, MAX_Y_PX), st.integers(0, MAX_T_MS)),
    min_size=1,
    max_size=60,
)
NEAR = st.integers(-300, 300)
ANY = st.one_of(
    st.integers(-(2**31), 2**31 - 1), NEAR, NEAR, st.sampled_from([REACH_PX, -REACH_PX, REACH_MS])
)


def steps_of(points: list[tuple[int, int, int]]) -> bytes:
    """Of places in any order of time; times are sorted."""
    times = sorted(t for _, _, t in points)
    told = [(x, y, t) for (x, y, _), t in zip(points, times, strict=True)]
    flat = list(told[0])
    for now, before in zip(told[1:], told, strict=False):
        flat += (a - b for a, b in zip(now, before, strict=True))
    return pack(f"<{len(flat)}i", *flat)


def alone(steps: bytes) -> bytes | str:
    try:
        return end_trail(steps)
    except Malformed as wrong:
        return str(wrong)


def told_of(ended: list[bytes | Malformed]) -> list[bytes | str]:
    return [str(one) if isinstance(one, Malformed) else one for one in ended]


@given(st.lists(LEGAL.map(steps_of), min_size=TOGETHER, max_size=9))
def test_what_is_right_is_packed_as_it_would_be_alone(told: list[bytes]) -> None:
    assert packed_together(told) == [end_trail(steps) for steps in told]


@given(st.lists(st.lists(ANY, min_size=1, max_size=12), min_size=1, max_size=9))
def test_whatever_is_sent_is_taken_or_refused_as_it_would_be_alone(flats: list[list[int]]) -> None:
    told = [pack(f"<{3 * len(flat)}i", *flat * 3) for flat in flats]
    assert told_of(end_trails(told)) == [alone(steps) for steps in told]


WALK = [5, 5, 0, 1, 1, 10]
EDGES = [
    [0, 0, 0],
    [MAX_X_PX, MAX_Y_PX, MAX_T_MS],
    [MAX_X_PX + 1, 0, 0],
    [0, MAX_Y_PX + 1, 0],
    [0, 0, MAX_T_MS + 1],
    [0, 0, 0, -1, 0, 0],
    [0, 0, 0, 0, -1, 0],
    [0, 0, 0, 0, 0, -1],
    [0, 0, -1, 0, 0, 1],
    [9, 9, 0, 1, 1, MAX_T_MS, 0, 0, 1],
    [0, 0, 0, REACH_PX, REACH_PX, REACH_MS, 1, 1, 1],
    [0, 0, 0, REACH_PX + 1, REACH_PX + 1, REACH_MS + 1, -REACH_PX - 1, -REACH_PX, 0],
    [2**31 - 1, 0, 0, 2**31 - 1, 0, 0, 2**31 - 1, 0, 0],
    [-(2**31), 0, 0],
]


@pytest.mark.parametrize("flat", EDGES, ids=str)
def test_at_its_limits_a_trail_is_told_from_its_neighbours(flat: list[int]) -> None:
    told = [pack(f"<{len(one)}i", *one) for one in (WALK, WALK, flat, WALK, WALK)]
    ended = told_of(end_trails(told))
    assert ended == [alone(steps) for steps in told]
    assert ended[0] == ended[1] == ended[3] == ended[4] == end_trail(told[0])


def test_the_longest_trails_are_packed_beside_the_shortest() -> None:
    long = pack("<3i", 1, 5000, 3) + pack("<3i", 1, -1, 7) * (MAX_POINTS - 1)
    told = [pack("<3i", 0, 0, 0), long, long, pack("<3i", 0, 0, 0)]
    assert packed_together(told) == [end_trail(steps) for steps in told]
