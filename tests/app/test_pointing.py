"""Pointer cells: where a mouse went, rested and pressed, and where nobody can say."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import numpy as np
import pytest

from app.folding.homes import Homes
from app.folding.pointing import edges_px, entered, middle_px
from app.folding.seen import Seen
from app.folding.stalls import STALL, pack_stalls, stalls_of
from app.mapping.marks import UNIT, Where, marks_of
from app.mapping.placing import Ground, Placed, place
from app.picturing.layouts import Box
from collector.codes import Device
from tests.app.build import batch, layout, one_view, timed_view

TEXT = Box(2, 100, 180, 700, 400)
"""A zone of text: cells lie over it."""

LAYOUT = layout(1280, 2000, TEXT)
HOMES = Homes([LAYOUT], UTC)
GROUND = Ground(LAYOUT, unique=False)
WIDTH = {"w1280": 1000}
SHARED_PX = 1300
"""Of the bucket w1280 the middle."""


def walked(**cells_ms: int) -> dict[str, int]:
    """Cells as `c5_3`, which stands for row 5, column 3; and zones as `z2_h`."""
    return {name.replace("z", "", 1).replace("_", "."): ms for name, ms in cells_ms.items()} | WIDTH


def holds(view: Seen) -> list[tuple[int, int, int]]:
    return [(int(c["row"]), int(c["column"]), int(c["hold_ms"])) for c in entered(view)]


def drawn(kind: str, view: Seen, ground: Ground = GROUND) -> Placed:
    return place(kind, [(view, 7)], ground)


def test_the_way_is_told_in_order_and_a_rest_is_the_time_until_the_next_cell() -> None:
    view = timed_view(walked(c5_4=5300, c5_3=2000, c5_5=5400))
    assert holds(view) == [(5, 3, 3300), (5, 4, 100), (5, 5, 0)]


@pytest.mark.parametrize(
    ("elsewhere", "why"),
    [
        ({"c9.9": 5000}, "the next cell is no neighbour: it came back over cells that had spoken"),
        ({"c5.4": 5000, "2.h": 3000}, "it was in a zone meanwhile"),
        ({"c5.4": 5000, "2.h5": 4000}, "a zone's clock ran meanwhile"),
        ({"c5.4": 5000, "2.p1": 3000}, "it pressed a zone meanwhile"),
        ({"c5.4": 5000, "y300": 3000}, "the page was scrolled under it"),
        ({"c5.4": 5000, "2.h": 1990}, "it entered a zone with the cell"),
        ({}, "nothing came after it"),
    ],
)
def test_a_rest_that_may_have_been_elsewhere_is_no_rest(
    elsewhere: dict[str, int], why: str
) -> None:
    assert holds(timed_view({"c5.3": 2000, **WIDTH, **elsewhere}))[0] == (5, 3, 0), why


def test_a_rest_ends_where_a_zone_is_entered_with_the_next_cell() -> None:
    assert holds(timed_view(walked(c5_3=2000, c5_4=5000, z2_h=4990)))[0] == (5, 3, 3000)


def test_a_cell_that_came_to_the_pointer_by_scrolling_was_not_entered() -> None:
    view = timed_view({"y400": 3000, "c15.3": 3200, "c16.3": 6000, **WIDTH})
    assert holds(view) == [(16, 3, 0)]


def test_a_rest_is_capped_as_every_hold() -> None:
    assert holds(timed_view(walked(c5_3=0, c5_4=90_000)))[0] == (5, 3, 30_000)


@pytest.mark.parametrize(
    "view",
    [
        timed_view({"c5.3": 2000}),
        timed_view({"c5.3": 2000, **WIDTH}, device=Device.PHONE),
        timed_view({"c5.3": 2000, "coarse": 1000, **WIDTH}),
        timed_view({"c46.3": 2000, "c3.33": 2100, **WIDTH}),
    ],
    ids=["a width that is not known", "a phone", "a finger", "cells that no sheet has"],
)
def test_there_is_no_way_for(view: Seen) -> None:
    assert len(entered(view)) == 0
    assert len(marks_of("move", view, HOMES)) == 0


def test_moves_are_drawn_as_the_cells_they_are_on_layouts_of_their_width() -> None:
    view = timed_view(walked(c5_3=2000, c5_4=2100, c44_31=2200))
    placed = drawn("move", view)
    assert placed.boxes == [
        edges_px(5, 3, SHARED_PX),
        edges_px(5, 4, SHARED_PX),
        (pytest.approx(31 * SHARED_PX / 32), 1760, 1280, 1800),
    ]
    assert (placed.box_weights, placed.unplaced, len(placed.points)) == ([1, 1, 1], 0, 0)
    other = drawn("move", view, Ground(layout(390, 3000), unique=False))
    assert (other.boxes, other.unplaced) == ([], 3)


def test_the_script_s_trail_counts_instead_of_the_cells_of_its_view() -> None:
    names = ("c5.3", "c5.4", "w1280")
    view = one_view(*names, batches=[batch(1, points=[(10, 20, 5)])])
    assert marks_of("move", view, HOMES)["where"].tolist() == [Where.PAGE]
    assert drawn("stall", view).boxes == []


def test_a_rest_of_a_second_is_a_stall_where_no_clock_tells_it() -> None:
    view = timed_view(walked(c1_3=0, c1_4=900, c1_5=4000, c2_5=4100))
    placed = drawn("stall", view)
    assert placed.boxes == [edges_px(1, 4, SHARED_PX)]
    assert placed.box_weights == [3.1]
    packed = np.frombuffer(pack_stalls(view, stalls_of(view)), STALL)
    assert packed[["x", "y", "ms", "t"]].tolist() == [(183, 60, 3100, 900)]


def test_a_rest_in_a_zone_is_told_once_by_the_zone_s_clock_or_by_the_cell() -> None:
    cells = {"c5.5": 2000, "c5.6": 6000}
    with_clock = timed_view({"2.h": 500, "2.h2": 1500, **cells, **WIDTH})
    placed = drawn("stall", with_clock)
    assert (placed.boxes, placed.box_weights) == ([TEXT.edges_px], [3.5])
    without = drawn("stall", timed_view({**cells, **WIDTH}))
    assert without.boxes == [edges_px(5, 5, SHARED_PX)]
    assert without.zones[2].total == 4.0


def test_a_press_is_where_the_pointer_was_in_its_zone() -> None:
    came = {"c4.5": 2000, "2.h": 2010, "c5.6": 2200, "2.p1": 3000, **WIDTH}
    placed = drawn("click", timed_view(came))
    assert placed.points[0].tolist() == pytest.approx(middle_px(5, 6, SHARED_PX), abs=0.01)
    assert (placed.boxes, placed.zones[2].total) == ([], 1)


@pytest.mark.parametrize(
    "came",
    [
        {"2.p1": 3000},
        {"c4.5": 2000, "2.h": 2010, "2.p1": 3000},
        {"c4.5": 2000, "2.p1": 3000},
        {"c4.5": 2000, "2.h": 2010, "c30.5": 2500, "2.p1": 3000},
        {"c4.5": 2000, "2.h": 2010, "2.p1": 3000, "c5.6": 3100},
    ],
    ids=[
        "no cell",
        "the last cell is at the edge of what reacts to a pointer",
        "a zone that does not tell when it was entered",
        "the last cell is outside",
        "the cell came after",
    ],
)
def test_a_press_whose_place_is_in_doubt_is_somewhere_in_its_zone(came: dict[str, int]) -> None:
    placed = drawn("click", timed_view({**came, **WIDTH}))
    assert (len(placed.points), placed.boxes) == (0, [TEXT.edges_px])


def test_of_several_presses_each_is_where_it_was() -> None:
    came: dict[str, Any] = {"2.h": 1000, "2.p1": 1500, "c5.6": 2200, "2.p2": 3000, "2.p3": 3100}
    placed = drawn("click", timed_view({**came, **WIDTH}))
    assert (len(placed.points), placed.box_weights) == (2, [1])
    assert placed.zones[2].total == 3


def test_a_place_in_a_zone_s_box_stays_within_it() -> None:
    came = {"2.h": 1000, "c4.3": 1100, "2.p1": 1500, **WIDTH}
    (mark,) = marks_of("click", timed_view(came), HOMES)
    assert 0 <= int(mark["u"]) <= UNIT
    assert 0 <= int(mark["v"]) <= UNIT
