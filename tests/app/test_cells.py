"""Cells of tiles: their numbers, and how they are packed."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.folding.ways import Way, visits_in
from app.sealing.cells import (
    CELL_PX,
    COLUMNS,
    ENC,
    PAGE_CELLS,
    SUMS,
    WAIT_FOR,
    Adding,
    Sums,
    TileError,
    anchor_of,
    box_cells,
    box_middles,
    cell_of,
    codes,
    kind_and_anchor,
    pack,
    pack_overlaps,
    page_cells,
    page_corners,
    tile_number,
    tile_of,
    unpack,
    unpack_overlaps,
    way_of_code,
    way_of_tile,
    without_way,
)
from collector.wire import MAX_X_PX, MAX_Y_PX, MAX_ZONE

SMALL = st.integers(0, 255)
ANY = st.one_of(SMALL, st.integers(0, 2**63 - 1))


@st.composite
def tiles(draw: st.DrawFn) -> tuple[np.ndarray, Sums]:
    cells = sorted(draw(st.sets(st.integers(0, 2**30), max_size=20)))
    sums = np.zeros(len(cells), SUMS)
    for name in COLUMNS:
        values = draw(st.sampled_from([SMALL, ANY]))
        sums[name] = draw(st.lists(values, min_size=len(cells), max_size=len(cells)))
    if draw(st.booleans()):
        sums["marks"] = sums["mass"]
    return np.array(cells, np.int64), sums


@given(tiles())
def test_what_is_packed_is_unpacked(tile: tuple[np.ndarray, Sums]) -> None:
    cells, sums = tile
    got_cells, got_sums = unpack(ENC, pack(cells, sums))
    assert got_cells.tolist() == cells.tolist()
    assert got_sums.tolist() == sums.tolist()


@given(tiles(), st.binary(max_size=60), st.integers(0, 40))
def test_whatever_bytes_there_are_nothing_but_a_tile_error_is_raised(
    tile: tuple[np.ndarray, Sums], junk: bytes, cut: int
) -> None:
    packed = pack(*tile)
    for damaged in (junk, packed[:cut] + junk, packed + b"\0", packed[:-1]):
        if damaged != packed:
            with suppress(TileError):
                unpack(ENC, damaged)


def test_another_version_is_refused() -> None:
    for read in (unpack, unpack_overlaps):
        with pytest.raises(TileError, match="version 9"):
            read(9, b"")


def test_a_cell_that_was_marked_once_by_each_visit_takes_two_bytes() -> None:
    sums = np.zeros(1000, SUMS)
    for name in COLUMNS:
        sums[name] = 1
    assert len(pack(np.arange(1000), sums)) == 9 + 2 * 1000


@given(st.integers(0, 5), st.sampled_from([1, 2]), st.integers(0, 15))
def test_a_way_has_a_number_of_one_byte(band: int, pointer: int, captures: int) -> None:
    way = Way(band, pointer, captures << 1)
    assert way.code < 256
    assert Way.of_code(way.code) == way


@given(st.integers(0, 255), st.integers(0, 31), st.integers(0, MAX_ZONE), st.integers(0, 2**34 - 1))
def test_a_code_is_taken_apart_again(way: int, kind: int, anchor: int, cell: int) -> None:
    code = codes(way, kind, anchor, np.array([cell]))
    assert (way_of_code(code)[0], anchor_of(code)[0], cell_of(code)[0]) == (way, anchor, cell)
    number = int(tile_of(code)[0])
    assert number == tile_number(way, kind, anchor)
    assert (way_of_tile(number), *kind_and_anchor(number)) == (way, kind, anchor)
    assert without_way(np.array([number]))[0] == tile_number(0, kind, anchor)


@given(st.floats(0, MAX_X_PX), st.floats(0, MAX_Y_PX))
def test_a_place_lies_in_its_cell(x_px: float, y_px: float) -> None:
    cell = page_cells(np.array([x_px]), np.array([y_px]))
    assert cell[0] >= PAGE_CELLS
    left, upper = page_corners(cell)
    assert (left[0], upper[0]) == (x_px // CELL_PX * CELL_PX, y_px // CELL_PX * CELL_PX)


@given(st.integers(0, 65535), st.integers(0, 65535))
def test_a_place_in_a_box_is_told_to_half_a_cell(u: int, v: int) -> None:
    across, down = box_middles(box_cells(np.array([u], np.uint16), np.array([v], np.uint16)))
    assert abs(across[0] - u / 65535) <= 0.5 / 64 + 1e-4
    assert abs(down[0] - v / 65535) <= 0.5 / 64 + 1e-4


SETS = st.dictionaries(
    st.lists(SMALL, min_size=2, max_size=5, unique=True).map(lambda ways: tuple(sorted(ways))),
    st.integers(1, 2**32 - 1),
    max_size=5,
)


@given(SETS)
def test_sets_of_ways_are_packed_and_unpacked(overlaps: dict[tuple[int, ...], int]) -> None:
    assert unpack_overlaps(ENC, pack_overlaps(overlaps)) == overlaps


@given(st.lists(st.sets(st.integers(0, 4), min_size=1), max_size=30), st.sets(st.integers(0, 4)))
def test_each_visit_counts_once_in_whichever_ways_are_asked_for(
    visits: list[set[int]], asked: set[int]
) -> None:
    by_way = {way: sum(way in visit for visit in visits) for way in range(5)}
    overlaps: dict[tuple[int, ...], int] = {}
    for visit in visits:
        if len(visit) > 1:
            overlaps[tuple(sorted(visit))] = overlaps.get(tuple(sorted(visit)), 0) + 1
    assert visits_in(by_way, overlaps, asked) == sum(bool(visit & asked) for visit in visits)


def test_sums_that_come_in_portions_add_up_and_are_not_all_held() -> None:
    adding, portions = Adding(), 5
    part = np.zeros(WAIT_FOR // 2, SUMS)
    part["code"] = np.arange(len(part)) % 1000
    part["mass"] = 1
    for _ in range(portions):
        adding.add(part)
        assert adding.held <= 2 * WAIT_FOR
    whole = adding.whole()
    assert whole["code"].tolist() == list(range(1000))
    assert whole["mass"].sum() == portions * len(part)
    assert adding.whole() is whole
