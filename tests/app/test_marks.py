"""Views to marks: what is counted, and where it is placed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.folding.seen import Seen
from app.mapping.marks import UNIT
from app.mapping.placing import Ground, Placed, place
from app.picturing.layouts import Box
from collector.codes import Device, width_band
from tests.app.build import batch, layout, one_view

POSTCODE = Box(1, 100, 100, 300, 140)
COST = Box(2, 100, 200, 300, 240)
FORM = Box(9, 50, 50, 700, 700)
GROUND = Ground(layout(1280, 2000, POSTCODE, COST), unique=False)
ONCE = Ground(layout(1280, 2000, POSTCODE, COST), unique=True)
NO_LAYOUT = Ground(None, unique=False)


def clicked(*clicks: dict[str, int], width_px: int = 1280, names: tuple[str, ...] = ()) -> Seen:
    return one_view(*names, batches=[batch(1, clicks=clicks, width_px=width_px)])


def moved(*points: tuple[int, int, int], width_px: int = 1280) -> Seen:
    return one_view(batches=[batch(1, points=points, width_px=width_px)])


def points(placed: Placed) -> list[list[float]]:
    xy: list[list[float]] = placed.points.tolist()
    return xy


def totals(placed: Placed) -> dict[int, tuple[float, int]]:
    return {number: (heat.total, heat.visits) for number, heat in placed.zones.items()}


def test_presses_of_a_zone_are_drawn_through_its_box_whatever_the_visitors_width() -> None:
    for names in (("1.p1", "1.p2"), ("1.p1", "1.p2", "w400"), ("1.p1", "1.p2", "w1920")):
        placed = place("click", [(one_view(*names), 7)], GROUND)
        assert (placed.boxes, placed.box_weights) == ([POSTCODE.edges_px], [2.0])
        assert totals(placed) == {1: (2.0, 1)}
        assert placed.unplaced == 0


def test_a_click_in_a_zone_is_placed_within_its_box_on_a_layout_of_another_width() -> None:
    view = clicked({"x": 20, "y": 30, "zone": 2, "u": UNIT // 2, "v": UNIT}, width_px=390)
    placed = place("click", [(view, 7)], GROUND)
    assert points(placed) == [[pytest.approx(200, abs=0.01), 240]]
    assert (totals(placed), placed.unplaced) == ({2: (1.0, 1)}, 0)


def test_a_click_known_in_page_px_alone_is_placed_on_layouts_of_its_own_band() -> None:
    view = clicked({"x": 20, "y": 30}, {"x": 21, "y": 31, "zone": 5})
    assert points(place("click", [(view, 7)], GROUND)) == [[20, 30], [21, 31]]
    other = clicked({"x": 20, "y": 30}, {"x": 21, "y": 31, "zone": 5}, width_px=390)
    placed = place("click", [(other, 7)], GROUND)
    assert (points(placed), placed.unplaced) == ([], 2)
    assert totals(placed) == {5: (1.0, 1)}, "counted, though it has no box to be drawn in"
    assert points(place("click", [(other, 7)], NO_LAYOUT)) == [[20, 30], [21, 31]]


def test_clicks_and_presses_of_one_view_are_the_same_ones() -> None:
    view = clicked({"x": 20, "y": 30, "zone": 1}, names=("1.p1", "2.p1"))
    placed = place("click", [(view, 7)], GROUND)
    assert (len(points(placed)), placed.boxes) == (1, [])


def test_a_press_without_a_box_is_counted_and_said_to_be_unplaced() -> None:
    placed = place("click", [(one_view("3.p1"), 7)], GROUND)
    assert (placed.boxes, placed.unplaced, totals(placed)) == ([], 1, {3: (1.0, 1)})


def test_moves_are_placed_on_their_own_band_alone() -> None:
    trail = ((1, 2, 3), (4, 5, 6))
    assert points(place("move", [(moved(*trail), 7)], GROUND)) == [[1, 2], [4, 5]]
    placed = place("move", [(moved(*trail, width_px=390), 7)], GROUND)
    assert (points(placed), placed.unplaced) == ([], 2)


def test_a_fixation_counts_for_the_smallest_zone_around_it() -> None:
    ground = Ground(layout(1280, 2000, FORM, POSTCODE), unique=False)
    view = moved((150, 120, 0), (900, 900, 3000), (600, 600, 6000), (0, 0, 8000))
    placed = place("stall", [(view, 7)], ground)
    assert placed.point_weights.tolist() == [3.0, 3.0, 2.0]
    assert totals(placed) == {1: (3.0, 1), 9: (2.0, 1)}


def test_the_seconds_of_a_zones_clock_lie_in_its_box() -> None:
    view = one_view("2.h5", device=Device.DESKTOP)
    placed = place("stall", [(view, 7)], GROUND)
    assert (placed.boxes, placed.box_weights) == ([COST.edges_px], [7.5])


def test_a_trail_and_the_clocks_beside_it_are_the_same_seconds() -> None:
    rows = [batch(1, points=[(150, 220, 0), (900, 900, 6000)])]
    view = one_view("2.h5", device=Device.DESKTOP, batches=rows)
    placed = place("stall", [(view, 7)], GROUND)
    assert (placed.boxes, placed.point_weights.tolist()) == ([], [6.0])


def test_a_band_at_rest_lies_across_the_page_down_to_its_end() -> None:
    ground = Ground(layout(390, 1000, pointer="coarse"), unique=False)
    told: dict[str, Any] = {"device": Device.PHONE}
    view = one_view("b0.10", "b2.10", "b3.10", "g800", "w390", **told)
    placed = place("stall", [(view, 7)], ground)
    assert placed.boxes == [(0, 0, 390, 400), (0, 800, 390, 1000)]
    assert placed.box_weights == [10.0, 10.0], (
        "30 s in all: bands 0 and 3 are never on screen at once"
    )
    assert placed.unplaced == 1, "band 3 begins below the page"
    wide = place("stall", [(one_view("b0.10", "g800", "w1280", **told), 7)], ground)
    assert (wide.boxes, wide.unplaced) == ([], 1)
    assert place("stall", [(view, 7)], NO_LAYOUT).unplaced == 3


def test_a_visit_counts_once_at_each_place_if_that_is_asked() -> None:
    twice = [(clicked({"x": 20, "y": 20}, {"x": 21, "y": 22}, {"x": 40, "y": 20}), 7)] * 2
    assert len(points(place("click", twice, GROUND))) == 6
    assert points(place("click", twice, ONCE)) == [[20, 20], [40, 20]]
    assert len(points(place("click", [*twice, (twice[0][0], 8)], ONCE))) == 4


def test_a_visit_counts_once_in_each_zone_if_that_is_asked() -> None:
    views = [(one_view("1.p1", "1.p3"), 7), (one_view("1.p1"), 7), (one_view("1.p1"), 8)]
    often, once = (place("click", views, ground) for ground in (GROUND, ONCE))
    assert (totals(often), sum(often.box_weights)) == ({1: (5.0, 2)}, 5.0)
    assert (totals(once), once.box_weights) == ({1: (2.0, 2)}, [1.0, 1.0])
    clicks = [(clicked(*[{"zone": 1, "u": n, "v": n} for n in range(3)]), 7)] * 2
    assert totals(place("click", clicks, ONCE)) == {1: (1.0, 1)}


def test_of_a_visits_stalls_at_a_place_the_longest_counts_if_each_counts_once() -> None:
    short, long = moved((150, 120, 0), (900, 900, 2000)), moved((151, 121, 0), (900, 900, 5000))
    for views in ([(short, 7), (long, 7)], [(long, 7), (short, 7)]):
        placed = place("stall", views, ONCE)
        assert points(placed) == [[151, 121]]
        assert placed.point_weights.tolist() == [5.0]
        assert totals(placed) == {1: (5.0, 1)}
    clocks = [(one_view(name, device=Device.DESKTOP), 7) for name in ("2.h2", "2.h10", "2.h5")]
    assert place("stall", clocks, ONCE).box_weights == [15.0]


def test_no_views_are_no_marks() -> None:
    for kind in ("click", "move", "stall"):
        for ground in (GROUND, ONCE, NO_LAYOUT):
            placed = place(kind, [], ground)
            assert placed.points.shape == (0, 2)
            assert placed.point_weights.shape == (0,)


NAMES = st.lists(
    st.sampled_from(["1.p1", "2.p2", "3.p1", "1.f5", "2.h10", "b1.5", "coarse", "w400"])
)
POINTS = st.lists(st.tuples(st.integers(0, 1279), st.integers(0, 1999), st.integers(0, 40_000)))


@st.composite
def views(draw: st.DrawFn) -> list[tuple[Seen, int]]:
    made = []
    for _ in range(draw(st.integers(0, 5))):
        trail = sorted(draw(POINTS), key=lambda point: point[2])
        clicks: list[Any] = [
            {"x": x, "y": y, "zone": draw(st.integers(0, 3))} for x, y, _ in draw(POINTS)
        ]
        width_px = draw(st.sampled_from([390, 1280]))
        sent = [batch(1, points=trail, clicks=clicks, width_px=width_px)] if trail else []
        made.append((one_view(*draw(NAMES), batches=sent), draw(st.integers(1, 3))))
    return made


@settings(max_examples=50)
@given(views(), st.sampled_from(["click", "move", "stall"]))
def test_marks_are_whole_and_counting_once_is_never_more(
    drawn: list[tuple[Seen, int]], kind: str
) -> None:
    often, once = (place(kind, drawn, ground) for ground in (GROUND, ONCE))
    for placed in (often, once):
        assert len(placed.points) == len(placed.point_weights)
        assert len(placed.boxes) == len(placed.box_weights)
        assert (placed.point_weights > 0).all()
        assert all(weight > 0 for weight in placed.box_weights)
    assert once.point_weights.sum() <= often.point_weights.sum() + 1e-9
    assert sum(once.box_weights) <= sum(often.box_weights) + 1e-9
    assert once.unplaced == often.unplaced
    assert set(once.zones) == set(often.zones)


def test_the_layouts_band_is_that_of_its_width() -> None:
    assert GROUND.layout is not None
    assert GROUND.layout.band == width_band(1280)
