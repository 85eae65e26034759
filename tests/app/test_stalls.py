"""Where a view lost time, by mouse and by touch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.folding.homes import Homes
from app.folding.stalls import (
    BAND,
    DWELL,
    FACT,
    FACTS,
    STALL,
    clock_middle,
    pack_bands,
    pack_dwell,
    pack_facts,
    pack_stalls,
    stalls_of,
)
from app.mapping.marks import Where, marks_of
from collector.codes import Device
from collector.packing import Told
from collector.wire import Kind
from tests.app.build import AT, batch, one_view

DESKTOP: dict[str, Any] = {"device": Device.DESKTOP}
PHONE: dict[str, Any] = {"device": Device.PHONE}


def test_with_a_mouse_a_zone_stalls_by_its_hover_clock_and_not_by_its_focus() -> None:
    """A keyboard's focus stays in a field while the mouse, and the eye, are elsewhere."""
    stalls = stalls_of(one_view("2.h5", "1.f30", "b1.20", "g720", **DESKTOP))
    assert stalls.zones_s == {2: (5.0, 10.0)}
    assert stalls.bands_s == {}


def test_on_touch_a_field_stalls_by_its_focus_and_a_text_by_the_hover_that_sticks_to_it() -> None:
    stalls = stalls_of(one_view("2.h5", "1.f10", "1.h2", "3.h", **PHONE))
    assert stalls.zones_s == {1: (10.0, 20.0), 2: (5.0, 10.0)}


def test_a_field_that_lost_its_focus_at_once_has_not_stalled_while_hover_stuck_to_it() -> None:
    assert stalls_of(one_view("1.h10", "1.f", **PHONE)).zones_s == {}


@pytest.mark.parametrize(
    ("names", "device", "touch"),
    [
        (("coarse",), Device.UNKNOWN, True),
        ((), Device.PHONE, True),
        ((), Device.TABLET, True),
        (("coarse",), Device.DESKTOP, True),
        ((), Device.DESKTOP, False),
        ((), Device.UNKNOWN, False),
    ],
)
def test_touch_is_what_the_pointer_says_or_else_the_device(
    names: tuple[str, ...], device: Device, touch: bool
) -> None:
    assert one_view(*names, device=device).touch is touch


@pytest.mark.parametrize(
    ("step", "interval", "middle"),
    [
        (1, (1, 2), 1.5),
        (2, (2, 5), 3.5),
        (5, (5, 10), 7.5),
        (10, (10, 20), 15),
        (20, (20, 30), 25),
        (30, (30, 30), 30),
    ],
)
def test_a_clock_leaves_an_interval_open_and_its_middle_is_counted(
    step: int, interval: tuple[float, float], middle: float
) -> None:
    (found,) = stalls_of(one_view(f"2.h{step}", **DESKTOP)).zones_s.values()
    assert (found, clock_middle(found)) == (interval, middle)


def test_a_second_in_view_is_told_once_by_the_bands_that_share_the_viewport() -> None:
    bands = stalls_of(one_view("b0.10", "b1.10", "g800", **PHONE)).bands_s
    assert bands == {0: 7.5, 1: 7.5}, "15 s, half of the screen each"
    low = stalls_of(one_view("b0.10", "g240", **PHONE)).bands_s
    assert low == {0: 15.0}, "a viewport lower than a band lies within it"
    unknown = stalls_of(one_view("b0.10", **PHONE)).bands_s
    assert unknown == {0: 15.0}, "nothing else was on screen"


def test_what_zones_explain_is_taken_from_the_bands() -> None:
    bands = stalls_of(one_view("b0.20", "b1.20", "1.f10", "g800", **PHONE)).bands_s
    assert bands == pytest.approx({0: 5.0, 1: 5.0}), "25 s in view, 15 of them in a field"
    assert stalls_of(one_view("b0.5", "1.f30", "g800", **PHONE)).bands_s == {}


def test_a_trail_stalls_where_it_rests() -> None:
    rest = [(100, 200, 0), (104, 198, 400), (102, 201, 2400), (700, 900, 2900), (10, 10, 3000)]
    stalls = stalls_of(one_view(batches=[batch(1, points=rest)], **DESKTOP))
    assert stalls.seconds.tolist() == [2.9]
    assert 100 <= stalls.x_px[0] <= 104
    assert stalls.t_ms.tolist() == [0.0]


def test_a_hold_is_capped_at_half_a_minute() -> None:
    rest = [(100, 200, 0), (700, 900, 600_000)]
    assert stalls_of(one_view(batches=[batch(1, points=rest)])).seconds.tolist() == [30.0]


def test_a_trail_whose_time_runs_back_between_batches_is_no_error() -> None:
    """Whoever sends such batches must not keep a whole shop's day from being closed."""
    rows = [batch(1, 0, points=[(1, 1, 9000)]), batch(1, 1, points=[(500, 500, 5)])]
    assert stalls_of(one_view(batches=rows)).seconds.tolist() == [8.995]


def test_what_is_packed_is_read_back_the_same() -> None:
    rest = [(100, 199_000, 0), (9_000, 5, 2_500), (9_001, 5, 86_000_000)]
    view = one_view("2.h5", "1.f30", "b499.30", "b0.1", batches=[batch(1, points=rest)], **PHONE)
    stalls = stalls_of(view)
    packed = np.frombuffer(pack_stalls(view, stalls), STALL)
    assert packed["x"].tolist() == [100, 9_000]
    assert packed["y"].tolist() == [199_000, 5]
    assert packed["ms"].tolist() == [2_500, 30_000]
    assert packed["t"].tolist() == [0, 2_500]
    dwell = np.frombuffer(pack_dwell(stalls), DWELL)
    assert [tuple(row) for row in dwell.tolist()] == [(1, 30_000, 30_000), (2, 5_000, 10_000)]
    bands = np.frombuffer(pack_bands(view), BAND)
    assert [tuple(row) for row in bands.tolist()] == [(0, 1), (499, 30)]


def test_a_silent_view_packs_to_nothing() -> None:
    view = one_view()
    assert (pack_stalls(view, stalls_of(view)), pack_dwell(stalls_of(view)), pack_bands(view)) == (
        b"",
        b"",
        b"",
    )


def focused(zone: int, until_ms: int, held_ms: int, *, first_input: bool = False) -> Told:
    return (Kind.FOCUS, until_ms, 0, 0, zone, int(first_input), 0, held_ms, 0)


def rested(y_px: int, at_ms: int, height_px: int = 800) -> Told:
    return (Kind.SCROLL, at_ms, 0, y_px, 0, 0, 0, height_px, 0)


def told_of(view: Any) -> list[tuple[int, str, int]]:
    packed = np.frombuffer(pack_facts(view), FACT)
    return [(int(f["zone"]), FACTS[f["fact"] - 1], int(f["t"])) for f in packed]


def test_on_touch_the_script_tells_a_field_s_stall_to_the_millisecond() -> None:
    events = [
        focused(1, 3_000, 1_000, first_input=True),
        focused(1, 6_500, 4_500),
        focused(2, 9_000, 900),
        focused(1, 60_000, 40_000),
    ]
    view = one_view(batches=[batch(1, events=events)], **PHONE)
    assert stalls_of(view).zones_s == {1: (30.0, 30.0)}, "a hold counts 30 s, and so does the sum"
    short = one_view(batches=[batch(1, events=events[:3])], **PHONE)
    assert stalls_of(short).zones_s == {1: (4.5, 4.5)}, "the first input is told within it"
    assert stalls_of(one_view(batches=[batch(1, events=events)], **DESKTOP)).zones_s == {}


def test_on_touch_the_script_s_scrolling_tells_where_a_page_was_read() -> None:
    events = [rested(0, 200), rested(1_600, 5_200), rested(0, 6_000)]
    view = one_view(batches=[batch(1, events=events, at=AT)], **PHONE)
    bands = np.frombuffer(pack_bands(view), BAND)
    assert [tuple(row) for row in bands.tolist()] == [(0, 5), (1, 5)], "800 px for 5 s; 0.8 s fall"
    assert stalls_of(view).bands_s == pytest.approx({0: 7.5 / 2, 1: 7.5 / 2})
    mouse = one_view(batches=[batch(1, events=events, at=AT)], **DESKTOP)
    assert (stalls_of(mouse).bands_s, pack_bands(mouse)) == ({}, b"")


def test_a_phone_with_the_script_alone_is_on_the_stall_map() -> None:
    events = [rested(0, 200), focused(1, 9_000, 4_000), rested(0, 9_500)]
    view = one_view(batches=[batch(1, events=events, at=AT)], **PHONE)
    marks = marks_of("stall", view, Homes((), AT.tzinfo))  # type: ignore[arg-type]
    assert {Where(where) for where in marks["where"]} == {Where.ZONE, Where.BAND}
    assert marks["weight"][marks["zone"] == 1].tolist() == [4_000]


def test_what_the_script_says_of_a_field_is_kept_in_the_words_of_the_clocks() -> None:
    events = [focused(1, 2_500, 1_500), focused(1, 9_000, 1_000)]
    view = one_view("1.f", "1.f1", batches=[batch(1, events=events, clicks=[{"zone": 3, "t": 7}])])
    assert told_of(view) == [
        (1, "f", 1_000),
        (1, "f", 8_000),
        (1, "f1", 2_000),
        (1, "f2", 8_500),
        (3, "p1", 7),
    ]


def test_the_steps_of_a_focus_clock_are_kept_whatever_the_pointer() -> None:
    """With a mouse the dwell is the hover's: of its fields nothing else says how long."""
    assert [what for _, what, _ in told_of(one_view("1.f", "1.f1", "1.f2", **DESKTOP))] == [
        "f",
        "f1",
        "f2",
    ]
