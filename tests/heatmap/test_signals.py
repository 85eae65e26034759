"""The signals of hesitation, each by its definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from heatmap import stalls
from heatmap.clicking import dead_clicks, quick_backs, rage_clicks
from heatmap.errors import TrailError
from heatmap.fixations import CLOCK_STEPS_S, clock_dwell_s, clock_seconds, find_stalls
from heatmap.focusing import Act, Field, fields
from heatmap.resting import (
    field_stalls,
    hesitations,
    idle,
    reading_stalls,
    visible_ms,
)
from heatmap.signals import SIGNALS

REST = [(0, 100, 200), (2_000, 110, 205), (2_500, 700, 900)]


def test_signals_are_numbered_once_and_tell_their_source() -> None:
    assert [signal.number for signal in SIGNALS] == list(range(1, len(SIGNALS) + 1))
    assert len({signal.name for signal in SIGNALS}) == len(SIGNALS)
    assert all(signal.meaning and signal.source for signal in SIGNALS)


def test_a_trail_stalls_as_its_columns_do() -> None:
    found = stalls(REST, tail_ms=1_500)
    want = find_stalls(*np.transpose(REST), tail_ms=1_500)
    assert found.duration_ms.tolist() == want.duration_ms.tolist() == [2_500, 1_500]
    assert found.t_ms.tolist() == [0, 2_500]


def test_hidden_time_is_no_dwell_and_moments_stay_those_of_the_trail() -> None:
    found = stalls(REST, tail_ms=3_000, hidden_ms=[(300, 1_000)])
    assert found.duration_ms.tolist() == [1_800, 3_000]
    assert found.t_ms.tolist() == [0, 2_500]
    late = stalls(REST, tail_ms=3_000, hidden_ms=[(300, 1_900), (2_600, 4_800)])
    assert len(late) == 0


def test_a_trail_without_samples_has_no_stalls() -> None:
    assert len(stalls(np.empty((0, 3)))) == 0


def test_the_clock_stands_still_while_a_page_is_hidden() -> None:
    got = visible_ms([0, 100, 250, 400, 900], [(100, 300), (500, 600)])
    assert got.tolist() == [0, 100, 100, 200, 600]
    assert visible_ms([5, 7], None).tolist() == [5, 7]
    with pytest.raises(TrailError, match="without overlap"):
        visible_ms([0], [(100, 300), (200, 400)])


def test_a_trail_must_have_three_columns() -> None:
    with pytest.raises(TrailError, match="rows of t_ms, x_px, y_px"):
        stalls([(1, 2)])


@pytest.mark.parametrize(
    ("touch", "want"),
    [(False, {2: (5, 10)}), (True, {1: (10, 20), 2: (5, 10)})],
    ids=["mouse", "touch"],
)
def test_a_field_stalls_by_the_clock_that_fits_the_pointer(touch: bool, want: Any) -> None:
    assert field_stalls({2: 5, 3: 0}, {1: 10}, touch=touch) == want


def test_a_field_that_lost_its_focus_at_once_has_not_stalled() -> None:
    assert field_stalls({1: 10}, {1: 0}, touch=True) == {}


def test_a_second_in_view_is_told_once_and_not_again_where_zones_explain_it() -> None:
    given = {"band_px": 400, "viewport_px": 800}
    assert reading_stalls({0: 10, 1: 10}, {}, **given) == {0: 7.5, 1: 7.5}
    assert reading_stalls({0: 20, 1: 20}, {1: (10, 20)}, **given) == pytest.approx({0: 5, 1: 5})
    assert reading_stalls({0: 5}, {1: (30, 30)}, **given) == {}
    assert reading_stalls({0: 10}, {}, band_px=400, viewport_px=240) == {0: 15.0}
    assert reading_stalls({}, {}, **given) == {}
    assert reading_stalls({0: 10, 9: 20}, {}, **given) == {0: 15.0, 9: 25.0}, (
        "far apart: one by one"
    )
    with pytest.raises(TrailError, match="heights must be positive"):
        reading_stalls({0: 10}, {}, band_px=400, viewport_px=0)


@pytest.mark.parametrize("viewport_px", [240, 400, 664, 800, 1100])
@pytest.mark.parametrize("step_s", CLOCK_STEPS_S)
def test_a_page_that_stood_still_rested_as_long_as_any_of_its_bands(
    viewport_px: int, step_s: int
) -> None:
    """However it was scrolled: bands that were in view in part are told as those in full."""
    still_s = float(clock_seconds(*clock_dwell_s([step_s]))[0])
    for top_px in range(0, 2_000, 70):
        seen = range(top_px // 400, -(-(top_px + viewport_px) // 400))
        told = reading_stalls(dict.fromkeys(seen, step_s), {}, band_px=400, viewport_px=viewport_px)
        assert sum(told.values()) == pytest.approx(still_s)
        explained = {1: (still_s, still_s)}
        assert not reading_stalls(
            dict.fromkeys(seen, step_s), explained, band_px=400, viewport_px=viewport_px
        )


BOXES = [(0, 0, 100, 40), (300, 0, 400, 40)]


@pytest.mark.parametrize(
    ("rest", "acted_ms", "acted_on", "want"),
    [
        ([(0, 50, 20), (3_000, 900, 900)], [], [], 0),
        ([(0, 50, 63), (3_000, 900, 900)], [], [], 0),
        ([(0, 50, 66), (3_000, 900, 900)], [], [], -1),
        ([(0, 50, 20), (12_000, 900, 900)], [], [], -1),
        ([(0, 50, 20), (3_000, 900, 900)], [3_400], [0], -1),
        ([(0, 50, 20), (3_000, 900, 900)], [3_600], [0], 0),
        ([(0, 50, 20), (3_000, 900, 900)], [2_000], [1], 0),
        ([(0, 310, 20), (3_000, 900, 900)], [], [], 1),
    ],
    ids=["on it", "near it", "away", "too long", "clicked", "later", "other control", "second"],
)
def test_hesitation_is_a_stall_at_a_control_that_ends_without_an_act(
    rest: Any, acted_ms: Any, acted_on: Any, want: int
) -> None:
    assert hesitations(stalls(rest), BOXES, acted_ms, acted_on).tolist() == [want]


def test_without_stalls_or_controls_nobody_hesitates() -> None:
    assert hesitations(stalls(np.empty((0, 3))), BOXES).tolist() == []
    assert hesitations(stalls(REST), []).tolist() == [-1]
    with pytest.raises(TrailError, match="acted_on must name 1 controls"):
        hesitations(stalls(REST), BOXES, [1], [])


def test_a_pause_is_idle_beyond_half_a_minute() -> None:
    found = idle([0, 40_000, 50_000], tail_ms=31_000)
    assert (found.times, found.ms) == (2, 11_000)
    assert idle([0, 40_000], tail_ms=0, hidden_ms=[(1_000, 20_000)]).times == 0
    assert idle([], tail_ms=0).times == 0


def test_a_field_is_told_by_its_focus_its_returns_and_its_first_input() -> None:
    told = fields(
        [
            (1_000, 4, Act.FOCUS),
            (2_500, 4, Act.INPUT),
            (3_000, 4, Act.INPUT),
            (4_000, 4, Act.BLUR),
            (5_000, 7, Act.FOCUS),
            (6_000, 4, Act.FOCUS),
            (6_500, 7, Act.BLUR),
            (6_600, 9, Act.BLUR),
        ],
        end_ms=10_000,
        hidden_ms=[(7_000, 8_000)],
    )
    assert told == (Field(4, 3_000 + 3_000, 1, 1_500), Field(7, 1_000, 0, None))


def test_acts_come_by_time_and_before_the_end() -> None:
    with pytest.raises(TrailError, match="must come by time"):
        fields([(5, 1, Act.FOCUS)], end_ms=4)


@pytest.mark.parametrize(
    ("t", "x", "want"),
    [
        ([0, 900, 1_800], [0, 0, 0], [(0, 3)]),
        ([0, 1_001, 1_800], [0, 0, 0], []),
        ([0, 900, 1_800], [0, 31, 31], []),
        ([0, 900, 1_800, 2_000], [0, 30, 60, 90], [(0, 4)]),
        ([0, 500, 3_000, 3_500, 4_000], [0] * 5, [(2, 5)]),
        ([0, 500], [0, 0], []),
        ([], [], []),
    ],
)
def test_rage_is_three_clicks_in_a_row_on_one_spot(t: Any, x: Any, want: Any) -> None:
    assert [tuple(burst) for burst in rage_clicks(t, x, [0] * len(t)).tolist()] == want


def test_clicks_must_come_by_time() -> None:
    with pytest.raises(TrailError, match="by time"):
        rage_clicks([5, 4], [0, 0], [0, 0])


@pytest.mark.parametrize(
    ("changed", "scrolled", "dead"),
    [
        ([], [], True),
        ([3_500], [], False),
        ([3_501], [], True),
        ([900], [], True),
        ([], [1_100], False),
        ([], [1_101], True),
    ],
)
def test_a_dead_click_has_no_answer_in_time(changed: Any, scrolled: Any, dead: bool) -> None:
    assert dead_clicks([1_000], changed, scrolled).tolist() == [dead]


def test_a_quick_back_is_back_on_the_page_before_within_ten_seconds() -> None:
    pages = [1, 2, 1, 3, 1, 1, 1]
    opened = [0, 5_000, 14_999, 20_000, 30_000, 31_000, 32_000]
    want = [False, True, False, False, False, False, False]
    assert quick_backs(pages, opened).tolist() == want
    assert quick_backs([1], [0]).tolist() == [False]
    with pytest.raises(TrailError, match="by time"):
        quick_backs([1, 2], [1, 0])
