"""Tiles: what they say of a day is what its views say, placed in cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.folding.homes import Homes
from app.folding.seen import Seen
from app.folding.ways import Way, WaySums, sum_of, way_of
from app.mapping.marks import KINDS, gather
from app.mapping.placing import Ground, Placed, placed
from app.mapping.tile_rows import Stack, depths, placed_tiles
from app.picturing.layouts import Box, Layout
from app.sealing.cells import CELL_PX
from app.sealing.tiles import Tally, Tile
from collector.codes import Device
from tests.app.build import batch, layout, one_view, timed_view

Paired = Sequence[tuple[Seen, int]]
BOXES = (Box(1, 100, 100, 300, 140), Box(2, 100, 200, 300, 240), Box(9, 50, 50, 700, 700))
DESKTOP = layout(1280, 2000, *BOXES)
PHONE = replace(
    layout(390, 3000, Box(1, 20, 90, 370, 140), Box(3, 20, 400, 370, 448), pointer="coarse"),
    layout_id=8,
)
HOMES = Homes([DESKTOP, PHONE], UTC)
GROUNDS = (DESKTOP, PHONE, None)


def sealed(paired: Paired, portions: int = 1) -> list[Tile]:
    """The tiles of views that come in so many portions."""
    tally = Tally()
    ordered = sorted(paired, key=lambda one: one[1])
    for part in np.array_split(np.arange(len(ordered)), portions):
        listed = [ordered[n] for n in part]
        tally.add(listed, {kind: gather(kind, listed, HOMES) for kind in KINDS})
    return list(tally.tiles())


def stacked(kind: str, tiles: Sequence[Tile], *wanted: Way) -> Stack:
    stack = Stack(kind)
    for tile in tiles:
        if tile.kind in (0, KINDS[kind]) and (
            not wanted or tile.way in wanted or not tile.way.pointer
        ):
            stack.add(row(tile))
    stack.ways.visits = stack.visits(0, 0)
    return stack


def row(tile: Tile) -> dict[str, Any]:
    return {
        "band": tile.way.band,
        "pointer": tile.way.pointer,
        "capture": tile.way.captures,
        "kind": tile.kind,
        "anchor": tile.anchor,
        "views": tile.views,
        "visits": tile.visits,
        "enc": tile.enc,
        "cells": tile.cells,
    }


def ways_of(paired: Paired) -> WaySums:
    ways = WaySums()
    for view, _ in paired:
        ways.add(way_of(view), sum_of(view))
    ways.visits = len({visit for _, visit in paired})
    return ways


def both(kind: str, paired: Paired, ground: Ground) -> tuple[Placed, Placed]:
    """From the views themselves, and from their tiles."""
    from_rows = placed(kind, gather(kind, paired, HOMES), ground)
    return from_rows, placed_tiles(stacked(kind, sealed(paired)), ground)


def check_same(from_rows: Placed, from_tiles: Placed) -> None:
    assert from_tiles.zones.keys() == from_rows.zones.keys()
    for zone, told in from_rows.zones.items():
        assert from_tiles.zones[zone].visits == told.visits
        # Both hold whole milliseconds; seconds that are added up differ in their last bit.
        assert from_tiles.zones[zone].total == pytest.approx(told.total, rel=1e-12)
    assert from_tiles.unplaced == from_rows.unplaced
    assert from_tiles.marks == from_rows.marks
    assert from_tiles.point_weights.sum() == pytest.approx(from_rows.point_weights.sum())
    assert boxed(from_tiles) == pytest.approx(boxed(from_rows))


def boxed(placed: Placed) -> dict[tuple[float, ...], float]:
    sums: dict[tuple[float, ...], float] = {}
    for box, weight in zip(placed.boxes, placed.box_weights, strict=True):
        sums[tuple(box)] = sums.get(tuple(box), 0) + weight
    return sums


NAMES = st.lists(
    st.sampled_from(
        ["1.p1", "2.p2", "3.p1", "1.f5", "2.h10", "b1.5", "b4.20", "coarse", "w400", "y900", "g720"]
    ),
    max_size=5,
    unique=True,
)
POINTS = st.lists(
    st.tuples(st.integers(0, 1300), st.integers(0, 2100), st.integers(0, 40_000)), max_size=8
)
CLICKS = st.lists(
    st.fixed_dictionaries(
        {
            "x": st.integers(0, 1300),
            "y": st.integers(0, 2100),
            "zone": st.sampled_from([0, 1, 2, 3, 77]),
            "u": st.integers(0, 65535),
            "v": st.integers(0, 65535),
        }
    ),
    max_size=5,
)


WALKS = st.dictionaries(
    st.sampled_from(
        ["w400", "w1280", "2.h", "2.p1", "y600"]
        + [f"c{row}.{column}" for row in (2, 5, 6, 44) for column in (3, 4, 5, 31)]
    ),
    st.integers(0, 20_000),
    max_size=12,
)
"""Of pointer cells, with moments; some neighbours, some in a zone, some beyond every layout."""


@st.composite
def many_views(draw: st.DrawFn) -> list[tuple[Seen, int]]:
    made = []
    for _ in range(draw(st.integers(0, 8))):
        trail = sorted(draw(POINTS), key=lambda point: point[2])
        width_px = draw(st.sampled_from([390, 800, 1280]))
        sent = [batch(1, points=trail, clicks=draw(CLICKS), width_px=width_px)]
        device = draw(st.sampled_from([Device.DESKTOP, Device.PHONE]))
        view = one_view(*draw(NAMES), batches=draw(st.sampled_from([[], sent])), device=device)
        if draw(st.booleans()):
            view = timed_view(draw(WALKS), device=device)
        made.append((view, draw(st.integers(-3, 3))))
    return made


@settings(max_examples=40)
@given(
    many_views(),
    st.sampled_from(["click", "move", "stall"]),
    st.sampled_from(GROUNDS),
    st.booleans(),
)
def test_a_map_from_tiles_counts_what_a_map_from_rows_counts(
    paired: list[tuple[Seen, int]], kind: str, drawn_on: Layout | None, unique: bool
) -> None:
    ground, tiles = Ground(drawn_on, unique), sealed(paired)
    for wanted in ((), *((way,) for way in {way_of(view) for view, _ in paired})):
        chosen = [(view, visit) for view, visit in paired if not wanted or way_of(view) in wanted]
        stack = stacked(kind, tiles, *wanted)
        check_same(placed(kind, gather(kind, chosen, HOMES), ground), placed_tiles(stack, ground))
        assert stack.ways == ways_of(chosen)


@settings(max_examples=10)
@given(many_views(), st.sampled_from(GROUNDS))
def test_reach_from_tiles_is_that_of_the_views_to_the_pixel(
    paired: list[tuple[Seen, int]], drawn_on: Layout | None
) -> None:
    ground = Ground(drawn_on, unique=False)
    px, band, n = depths(stacked("scroll", sealed(paired)))
    takes = ground.takes_page_px(band)
    told = [view for view, _ in paired if view.signals and view.deepest_px is not None]
    own = [view for view in told if drawn_on is None or view.codes.band == drawn_on.band]
    assert sorted(np.repeat(px[takes], n[takes]).tolist()) == sorted(
        float(view.deepest_px or 0) for view in own
    )
    assert int(n.sum()) == len(told)


@settings(max_examples=10)
@given(many_views(), st.integers(1, 5))
def test_the_portions_that_views_come_in_make_no_difference(
    paired: list[tuple[Seen, int]], portions: int
) -> None:
    assert sealed(paired, portions) == sealed(paired)


@settings(max_examples=10)
@given(many_views(), st.sampled_from(["click", "move", "stall"]))
def test_what_is_known_in_page_px_alone_lies_in_the_cell_it_was_marked_in(
    paired: list[tuple[Seen, int]], kind: str
) -> None:
    from_rows, from_tiles = both(kind, paired, Ground(None, unique=False))
    cells = set(map(tuple, (from_rows.points // CELL_PX).tolist()))
    assert set(map(tuple, (from_tiles.points // CELL_PX).tolist())) == cells
    assert len(from_tiles.points) == len(cells), "however many marks, one point for each cell"


def clicked(*clicks: dict[str, int], width_px: int = 1280, names: tuple[str, ...] = ()) -> Seen:
    return one_view(*names, batches=[batch(1, clicks=clicks, width_px=width_px)])


SPOT = {"x": 150, "y": 120, "zone": 1, "u": 16_400, "v": 32_800}


def test_a_click_within_a_zone_is_drawn_through_the_box_of_any_layout() -> None:
    paired = [(clicked(SPOT), 7)]
    for drawn_on in (DESKTOP, PHONE):
        from_rows, from_tiles = both("click", paired, Ground(drawn_on, unique=False))
        (x0, y0, x1, y1) = drawn_on.boxes[0].edges_px
        cell = (x1 - x0) / 64, (y1 - y0) / 64
        assert np.abs(from_tiles.points - from_rows.points)[0].tolist() <= list(cell)
        assert (len(from_tiles.points), from_tiles.unplaced) == (1, 0)


def test_a_click_within_a_zone_without_a_box_is_drawn_in_page_px_on_its_own_width() -> None:
    paired = [(clicked({**SPOT, "zone": 77}), 7)]
    _, own = both("click", paired, Ground(DESKTOP, unique=False))
    assert own.points.tolist() == [[149.5, 121.5]], "the middle of the whole px of its cell"
    _, other = both("click", paired, Ground(PHONE, unique=False))
    assert (len(other.points), other.unplaced, other.zones[77].visits) == (0, 1, 1)


LESS = layout(1277, 1997)


def test_a_mark_at_the_pages_very_edge_stays_on_the_page() -> None:
    narrow = layout(1279, 1999)
    _, drawn = both("click", [(clicked({"x": 1279, "y": 1999}), 7)], Ground(narrow, unique=False))
    assert drawn.points.tolist() == [[1277.5, 1997.5]]
    _, drawn = both("click", [(clicked({"x": 1276, "y": 1996}), 7)], Ground(LESS, unique=False))
    assert drawn.points.tolist() == [[1277, 1997]]


def test_a_visit_that_was_seen_in_several_ways_is_one_visit() -> None:
    wide, narrow, silent = one_view("1.p1", "w1280"), one_view("1.p1", "w400"), one_view("1.p1")
    paired = [(wide, 7), (narrow, 7), (silent, 7), (wide, 8), (silent, 9)]
    stack = stacked("click", sealed(paired))
    assert (stack.ways.visits, stack.ways.whole.views) == (3, 5)
    assert placed_tiles(stack, Ground(None, unique=False)).zones[1].visits == 3
    for some, visits in (((wide, narrow), 2), ((narrow,), 1), ((narrow, silent), 2)):
        chosen = stacked("click", sealed(paired), *map(way_of, some))
        assert chosen.ways.visits == visits


def test_how_much_a_tile_holds_does_not_depend_on_how_often_its_cells_were_marked() -> None:
    clicks = [{"x": 4 * n, "y": 8 * n} for n in range(100)]

    def size(times: int) -> tuple[int, int]:
        tiles = sealed([(clicked(*clicks), n) for n in range(times)])
        stack = stacked("click", tiles)
        assert stack.ways.whole.views == times
        points = placed_tiles(stack, Ground(None, unique=False)).points
        return len(points), sum(len(tile.cells) for tile in tiles)

    assert size(40) == size(80)
    assert size(80)[0] == len(clicks)


def test_days_add_up() -> None:
    first = sealed([(clicked(SPOT), 1), (clicked(SPOT, {"x": 9, "y": 9}), 2)])
    second = sealed([(clicked(SPOT), 3)])
    stack = stacked("click", [*first, *second])
    drawn = placed_tiles(stack, Ground(DESKTOP, unique=False))
    assert sorted(drawn.point_weights.tolist()) == [1.0, 3.0]
    assert (drawn.zones[1].total, drawn.zones[1].visits, stack.ways.visits) == (3.0, 3, 3)


def test_no_views_are_no_tiles() -> None:
    assert sealed([]) == []
    assert len(placed_tiles(stacked("move", []), Ground(DESKTOP, unique=True)).points) == 0
