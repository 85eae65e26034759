"""The recorded trails as page views: their counts are those the data set states of itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice

import pytest

from app.replay import Event, Recording
from tests.replay.balabit import PARTS, as_recording, read_balabit, read_rows
from tests.shared import needs_shared

VISITS = {"short": 60, "long": 2}
"""How many visits of each part are converted here; each view is checked by itself."""


def row(
    t_ms: int, kind: str, button: str = "", x: int = 10, y: int = 20, dy: str = ""
) -> dict[str, str]:
    told = {"t_ms": t_ms, "type": kind, "button": button, "x": x, "y": y, "dy": dy}
    return {name: str(value) for name, value in told.items()}


def convert(*rows: dict[str, str]) -> tuple[Event, ...]:
    return as_recording("7", "1", (1000, 500), rows).events


def test_a_view_becomes_a_page_of_three_screens() -> None:
    recording = as_recording("7", "1", (1000, 500), [row(0, "move")])
    assert (recording.view, recording.visit) == ("7-1", "7")
    assert (recording.viewport, recording.page) == ((1000, 500), (1000, 1500))


def test_a_drag_is_movement() -> None:
    assert convert(row(0, "move"), row(5, "drag", x=30)) == (
        Event(0, "move", 10, 20),
        Event(5, "move", 30, 20),
    )


def test_a_notch_scrolls_100_px_until_the_page_ends() -> None:
    down = [row(n, "wheel", dy="1") for n in range(12)]
    scrolled = convert(row(0, "wheel", dy="-1"), *down, row(20, "move"), row(21, "wheel", dy="-1"))
    assert [event.y_px for event in scrolled if event.kind == "scroll"] == [
        *range(100, 1001, 100),
        900,
    ]
    assert [event.y_px for event in scrolled if event.kind == "move"] == [1020]


@pytest.mark.parametrize(
    ("up", "clicks"),
    [
        (row(9, "up", "left", 16, 28), 1),
        (row(9, "up", "left", 17, 28), 0),
        (row(9, "up", "right", 10, 20), 0),
    ],
)
def test_a_click_is_down_and_up_of_one_button_within_10_px(up: dict[str, str], clicks: int) -> None:
    found = convert(row(0, "down", "left"), up)
    assert [event.kind for event in found] == ["click"] * clicks
    assert all((event.x_px, event.y_px) == (int(up["x"]), int(up["y"])) for event in found)


def test_a_release_without_a_press_is_no_click() -> None:
    assert not convert(row(0, "up", "left"))


@needs_shared
def test_the_table_of_visits_adds_up_to_what_is_said_of_it() -> None:
    rows = list(read_rows("visits.csv.gz"))
    sums = {
        name: sum(int(r[name]) for r in rows)
        for name in ("n_views", "n_events", "n_down", "n_wheel")
    }
    assert sums == {"n_views": 866, "n_events": 2_427_827, "n_down": 92_902, "n_wheel": 99_816}
    assert Counter(r["part"] for r in rows) == {"test": 800, "training": 39}


@needs_shared
@pytest.mark.parametrize("part", PARTS)
def test_every_view_keeps_what_the_table_counts(part: str) -> None:
    table = {r["visit"]: r for r in read_rows("visits.csv.gz")}
    for visit, views in islice(_by_visit(part), VISITS[part]):
        told = {name: int(value) for name, value in table[visit].items() if value.isdecimal()}
        kinds = Counter(event.kind for view in views for event in view.events)
        assert len(views) == told["n_views"]
        # Each press has its release, and the rest of the rows is movement.
        assert kinds["move"] == told["n_events"] - 2 * told["n_down"] - told["n_wheel"]
        assert kinds["click"] <= told["n_down"]
        assert kinds["scroll"] <= told["n_wheel"]
        for view in views:
            assert view.viewport == (told["screen_w"], told["screen_h"])
            assert all(
                event.x_px < view.page[0] and event.y_px < view.page[1] for event in view.events
            )


def _by_visit(part: str) -> Iterator[tuple[str, list[Recording]]]:
    views: list[Recording] = []
    for recording in read_balabit(part):
        if views and views[0].visit != recording.visit:
            yield str(views[0].visit), views
            views = []
        views.append(recording)
    yield str(views[0].visit), views
