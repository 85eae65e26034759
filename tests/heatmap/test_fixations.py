from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heatmap.errors import TrailError
from heatmap.fixations import CLOCK_STEPS_S, clock_dwell_s, clock_seconds, find_stalls

samples = st.lists(
    st.tuples(st.integers(0, 700), st.integers(0, 60), st.integers(0, 60)), max_size=60
)


def stalls_by_definition(
    t: list[float],
    x: list[float],
    y: list[float],
    tail: float,
    cap: float,
    near: float,
    long: float,
) -> list[tuple[int, int]]:
    """Every window measured anew."""
    holds = [min(after - at, cap) for at, after in zip(t, [*t[1:], *(t[-1:] and [t[-1] + tail])])]  # noqa: B905
    found, start = [], 0
    while start < len(t):
        stop = start + 1
        while stop < len(t):
            xs, ys = x[start : stop + 1], y[start : stop + 1]
            if max(xs) - min(xs) + max(ys) - min(ys) > near:
                break
            stop += 1
        if sum(holds[start:stop]) >= long:
            found.append((start, stop - 1))
            start = stop
        else:
            start += 1
    return found


@given(trail=samples, tail_ms=st.integers(0, 2000), near=st.integers(0, 80))
def test_stalls_are_those_of_the_definition(
    trail: list[tuple[int, int, int]], tail_ms: int, near: int
) -> None:
    t = np.cumsum([gap for gap, _, _ in trail]).astype(float)
    x, y = (np.array([sample[axis] for sample in trail], float) for axis in (1, 2))
    found = find_stalls(t, x, y, tail_ms=tail_ms, cap_ms=600, dispersion_px=near, shortest_ms=1000)
    want = stalls_by_definition(t.tolist(), x.tolist(), y.tolist(), tail_ms, 600, near, 1000)
    assert list(zip(found.first.tolist(), found.last.tolist(), strict=True)) == want


def test_a_rest_on_a_control_is_one_stall_at_its_weighted_middle() -> None:
    found = find_stalls(
        [0, 100, 200, 900, 2200, 2300],
        [0, 200, 500, 510, 900, 905],
        [0, 0, 80, 90, 300, 300],
        tail_ms=50,
    )
    assert len(found) == 1
    assert (found.first[0], found.last[0]) == (2, 3)
    assert (found.t_ms[0], found.duration_ms[0]) == (200, 2000)
    assert found.x_px[0] == pytest.approx((700 * 500 + 1300 * 510) / 2000)
    assert found.y_px[0] == pytest.approx((700 * 80 + 1300 * 90) / 2000)


def test_absence_counts_no_longer_than_the_cap() -> None:
    found = find_stalls([0, 600_000], [5, 900], [5, 900], tail_ms=0)
    assert found.duration_ms.tolist() == [30_000]


def test_the_last_sample_holds_until_the_view_ends() -> None:
    assert len(find_stalls([0], [5], [5], tail_ms=999)) == 0
    assert find_stalls([0], [5], [5], tail_ms=1000).duration_ms.tolist() == [1000]


def test_a_trail_without_samples_has_no_stalls() -> None:
    found = find_stalls([], [], [], tail_ms=0)
    assert len(found) == 0
    assert found.x_px.shape == (0,)


def test_a_flood_of_samples_in_one_place_is_worked_through_once() -> None:
    count = 200_000
    found = find_stalls(np.zeros(count), np.arange(count) % 7, np.arange(count) % 5, tail_ms=0)
    assert len(found) == 0


@pytest.mark.parametrize(
    ("trail", "limits", "message"),
    [
        (([0, 1], [0], [0]), {}, "of one length"),
        (([[0]], [[0]], [[0]]), {}, "of one length"),
        (([0, float("nan")], [0, 0], [0, 0]), {}, "must be finite"),
        (([0], [float("inf")], [0]), {}, "must be finite"),
        (([5, 4], [0, 0], [0, 0]), {}, "must never fall: sort"),
        (([0], [0], [0]), {"tail_ms": -1}, "tail_ms must not be negative, got -1"),
        (([0], [0], [0]), {"cap_ms": -1}, "cap_ms must not be negative"),
        (([0], [0], [0]), {"dispersion_px": -1}, "dispersion_px must not be negative"),
        (([0], [0], [0]), {"shortest_ms": 0}, "shortest_ms must be positive, got 0"),
    ],
)
def test_a_trail_that_no_view_leaves_is_refused(
    trail: tuple[Any, Any, Any], limits: dict[str, float], message: str
) -> None:
    with pytest.raises(TrailError, match=message):
        find_stalls(*trail, **{"tail_ms": 0, **limits})


def test_a_clock_tells_between_which_seconds_a_dwell_ended() -> None:
    low, high = clock_dwell_s([0, 1, 2, 5, 10, 20, 30])
    assert low.tolist() == [0, 1, 2, 5, 10, 20, 30]
    assert high.tolist() == [1, 2, 5, 10, 20, 30, 30]
    assert clock_seconds(low, high).tolist() == [0.5, 1.5, 3.5, 7.5, 15, 25, 30]


def test_a_single_clock_may_be_asked() -> None:
    low, high = clock_dwell_s(5)
    assert (float(low), float(high), float(clock_seconds(low, high))) == (5, 10, 7.5)


@given(reached=st.lists(st.sampled_from((0, *CLOCK_STEPS_S)), min_size=1))
def test_the_mean_of_clocks_is_the_area_under_their_survival_curve(reached: list[int]) -> None:
    times = np.array((0, *CLOCK_STEPS_S), float)
    survival = [np.mean(np.array(reached) >= time) for time in times]
    low, high = clock_dwell_s(reached)
    assert clock_seconds(low, high).mean() == pytest.approx(np.trapezoid(survival, times))


@pytest.mark.parametrize("reached", [3, -1, 40, float("nan"), [1, 2, 7]])
def test_a_step_that_the_clock_does_not_have_is_refused(reached: Any) -> None:
    with pytest.raises(TrailError, match="a dwell clock reaches 0 or one of"):
        clock_dwell_s(reached)
