"""Raw rows of a view, folded into what its signals tell."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.folding.seen import Seen
from collector.visitor import visitor_check
from collector.wire import Capture
from snippets.sheet import stylesheet
from tests.app.build import AT, SHIPPING, batch, fold, heard, one_view, opened, scrolled

SECOND = timedelta(seconds=1)


def told(views: list[Seen]) -> list[tuple[Any, ...]]:
    """Everything a view holds, in plain values that compare."""
    return [
        tuple(
            value.tolist() if isinstance(value, np.ndarray) else value
            for value in (getattr(view, name) for name in Seen.__slots__)
        )
        for view in views
    ]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("2.h", "2.h1", "2.h5", "2.h2"), {"hover_s": {2: 5}}),
        (("1.f", "1.f10"), {"focus_s": {1: 10}}),
        (("3.p1", "3.p2", "1.p1"), {"presses": {3: 2, 1: 1}}),
        (("b0.5", "b11.1"), {"bands_s": {0: 5, 11: 1}}),
        (("t1", "t60"), {"alive_s": 60, "duration_ms": 60_000}),
        (("y100", "y700"), {"scroll_px": 700, "deepest_px": 700}),
        (("y700", "g720"), {"deepest_px": 1420}),
        (("z1600", "y200", "g720"), {"deepest_px": 1600}),
        (("w1280", "g720"), {"width_px": 1280, "height_px": 720}),
        (("coarse", "dark", "hidpi"), {"coarse": True}),
        (("2.i", "2.v", "2.o", "2.c", "2.e", "2.u", "2.b", "c12.3"), {"signals": 8}),
        ((), {"signals": 0, "deepest_px": None, "duration_ms": 0, "width_px": None}),
    ],
)
def test_each_kind_of_name_says_what_it_says(
    names: tuple[str, ...], expected: dict[str, Any]
) -> None:
    view = one_view(*names)
    assert {name: getattr(view, name) for name in expected} == expected


def test_a_width_beacon_gives_the_view_its_band() -> None:
    assert one_view("t1").codes.band == 0
    assert one_view("w400").codes.band == 1
    assert one_view("w400", "w1280").codes.band == 4


def test_every_name_that_a_sheet_asks_for_is_understood() -> None:
    names = stylesheet(SHIPPING).css.decode().split("url(")[1:]
    asked = {name.partition(")")[0].strip("\"'") for name in names} - {"t"}
    assert len(asked) > 100
    view = one_view(*asked)
    assert view.signals == len(asked)
    assert set(view.hover_s) == {1, 2, 3}


@pytest.mark.parametrize("name", ["open", "7.h3", "q1", "", "1.h\n", "e" * 80])
def test_a_name_that_is_not_understood_is_no_signal(name: str) -> None:
    view = one_view(name)
    assert (view.signals, view.last_at) == (0, AT)


def test_a_beacon_without_its_opening_belongs_to_no_view() -> None:
    assert fold([], [heard("2.h5", 9)], []) == []


def test_the_same_number_on_another_day_is_another_view() -> None:
    yesterday = AT - timedelta(days=1)
    views = fold(
        [opened(1), opened(1, yesterday)],
        [heard("2.h5", 1), heard("1.f2", 1, yesterday)],
        [batch(2, points=[(1, 1, 1)]), batch(2, opened_at=yesterday)],
    )
    assert [(v.view_id, v.opened_at, len(v.trail)) for v in views] == [
        (1, yesterday, 0),
        (2, yesterday, 0),
        (1, AT, 0),
        (2, AT, 1),
    ]
    assert [v.hover_s for v in views] == [{}, {}, {2: 5}, {}]


def test_both_captures_of_one_view_are_one_view() -> None:
    (view,) = fold(
        [opened(1)], [heard("2.h5", 1), heard("w400", 1)], [batch(1, points=[(5, 6, 7)])]
    )
    assert view.captures == 1 << Capture.CSS | 1 << Capture.SCRIPT
    assert (view.hover_s, view.signals) == ({2: 5}, 3)
    assert (view.width_px, view.codes.band) == (1280, 4), "the script measures, the beacon rounds"
    assert view.codes.capture == 0, "what opened it"


def test_both_forms_tell_of_the_same_presses() -> None:
    presses = [heard("3.p1", 1), heard("3.p2", 1)]
    clicked = batch(1, clicks=[{"t": 100}, {"t": 900}])
    assert fold([opened(1)], presses, [])[0].press_count == 2
    assert fold([opened(1)], presses, [clicked])[0].press_count == 2
    assert fold([opened(1)], presses, [clicked])[0].pressed(3)


def test_batches_are_joined_in_the_order_of_their_numbers() -> None:
    rows = [
        batch(1, 1, points=[(3, 3, 30)], events=[scrolled(900, 40)]),
        batch(1, 0, points=[(1, 1, 10), (2, 2, 20)], events=[scrolled(300, 15)]),
    ]
    (view,) = fold([], [], rows)
    assert view.trail["t"].tolist() == [10, 20, 30]
    assert (view.scroll_px, view.deepest_px, view.page_height_px) == (900, 1620, 2000)


def test_a_client_whose_time_runs_back_between_batches_leaves_a_trail_in_order() -> None:
    rows = [batch(1, 0, points=[(1, 1, 5000)]), batch(1, 1, points=[(2, 2, 10)])]
    (view,) = fold([], [], rows)
    assert view.trail["t"].tolist() == [10, 5000]


def test_a_view_ends_with_what_its_batch_tells_of_however_late_it_arrives() -> None:
    late = batch(1, points=[(1, 1, 90_000)], at=AT + timedelta(hours=30))
    (view,) = fold([], [], [late])
    assert (view.last_at, view.duration_ms) == (AT + 90 * SECOND, 90_000)
    soon = batch(1, points=[(1, 1, 80_000_000)], at=AT + 5 * SECOND)
    assert fold([], [], [soon])[0].last_at == AT + 5 * SECOND, "nothing is told before it happens"
    ahead = batch(1, points=[(1, 1, 10)], at=AT - timedelta(hours=20))
    assert fold([], [], [ahead])[0].duration_ms == 0, "a browser's clock may be a day ahead"


def test_a_token_of_three_visitors_was_copied_and_of_two_only_moved() -> None:
    by = [heard(f"t{step}", 1, visitor=visitor) for step, visitor in ((1, 5), (2, 6), (5, 7))]
    assert fold([opened(1)], by, [])[0].quarantined
    assert not fold([opened(1)], by[:2], [])[0].quarantined
    assert fold([opened(1)], by[:2], [batch(1, visitor=8)])[0].quarantined, "batches count too"


def test_after_a_days_salt_is_gone_the_view_stands_for_its_visitor_and_is_nobody_new() -> None:
    by = [heard("t1", 1, visitor=6), heard("t600", 1, visitor=1)]
    (view,) = fold([opened(1)], by, [])
    assert visitor_check(view.view_id) in view.checks
    assert not view.quarantined


NAMES = st.sampled_from(["2.h1", "2.h5", "1.f2", "3.p1", "t60", "y700", "w400", "w1280", "coarse"])


@st.composite
def rows(draw: st.DrawFn) -> tuple[list[Any], list[Any], list[Any]]:
    views = draw(st.lists(st.integers(1, 5), unique=True))
    moments = st.integers(0, 4).map(lambda n: AT + n * SECOND)
    visitors = st.integers(1, 4)
    opens = [
        opened(n, draw(moments), draw(st.integers(1, 2)), visitor=draw(visitors)) for n in views
    ]
    told = draw(st.lists(st.tuples(st.integers(1, 6), NAMES), unique=True, max_size=12))
    beacons = [heard(name, n, draw(moments), visitor=draw(visitors)) for n, name in told]
    keys = draw(st.lists(st.tuples(st.integers(4, 7), st.integers(0, 3)), unique=True, max_size=6))
    points = st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 99)), max_size=3
    )
    batches = [
        batch(
            n,
            seq,
            points=draw(points),
            visitor=draw(visitors),
            width_px=draw(st.integers(300, 1500)),
        )
        for n, seq in keys
    ]
    return opens, beacons, batches


@settings(max_examples=60)
@given(rows(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(
    drawn: tuple[list[Any], list[Any], list[Any]], shuffled: Any
) -> None:
    straight = told(fold(*map(list, drawn)))
    for part in drawn:
        shuffled.shuffle(part)
    assert told(fold(*drawn)) == straight


@settings(max_examples=60)
@given(rows())
def test_what_is_kept_was_opened_and_no_signal_is_lost(
    drawn: tuple[list[Any], list[Any], list[Any]],
) -> None:
    opens, beacons, batches = drawn
    views = fold(*map(list, drawn))
    known = {row["view_id"] for row in opens}
    assert {view.view_id for view in views} <= known | {row["view_id"] for row in batches}
    expected = sum(row["view_id"] in known for row in beacons) + len(batches)
    assert sum(view.signals for view in views) == expected


@settings(max_examples=60)
@given(rows())
def test_one_row_for_all_of_a_views_beacons_says_the_same(
    drawn: tuple[list[Any], list[Any], list[Any]],
) -> None:
    opens, beacons, batches = drawn
    joined: dict[Any, dict[str, Any]] = {}
    for row in beacons:
        of_view = joined.setdefault(
            (row["day"], row["view_id"]), {**row, "names": [], "times": [], "checks": []}
        )
        of_view["names"] += row["names"]
        of_view["times"] += row["times"]
        of_view["checks"] += row["checks"]
        of_view["at"] = max(of_view["at"], row["at"])
    assert told(fold(opens, joined.values(), batches)) == told(fold(opens, beacons, batches))
