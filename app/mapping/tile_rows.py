"""Tiles out of the store and onto a layout: the map of closed days.

How much is read and drawn depends on how many cells were marked, never on how often.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from app.folding.ways import BAND_SHIFT, Way, WaySum, WaySums, visits_in
from app.joint import Part
from app.mapping.filters import TIMED
from app.mapping.marks import KINDS
from app.mapping.placing import EMPTY, MS_PER_S, Box, Floats, Ground, Placed, ZoneSum
from app.sealing.cells import (
    ABLE_CELLS,
    BAND_CELLS,
    CELL_PX,
    PAGE_CELLS,
    POINTER_CELLS,
    SIGNALLED_CELL,
    SUM_CELL,
    TALLEST_CELL,
    WIDEST_CELL,
    WIDTH_SHIFT,
    ZONE_CELL,
    Adding,
    Integers,
    Sums,
    anchor_of,
    box_middles,
    cell_of,
    codes,
    page_corners,
    tile_number,
    unpack,
    unpack_overlaps,
    way_of_code,
)
from app.sealing.tiles import SEEN_IN_SEVERAL, VIEWS

AT_ONCE = 64
"""Rows fetched in one go: the largest have a few hundred KB."""

TILE_COLUMNS = {
    "page_id": "int",
    "day": "date",
    "band": "int2",
    "pointer": "int2",
    "capture": "int2",
    "kind": "int2",
    "anchor": "int2",
    "visits": "int",
    "enc": "int2",
    "cells": "bytea",
}
_TILES = f"""
    SELECT {", ".join(TILE_COLUMNS)} FROM tile
    WHERE site_id = $1 AND page_id = ANY($2) AND day BETWEEN $3 AND $4 AND kind = ANY($5)
"""

PIXEL_MIDDLE_PX = (CELL_PX - 1) / 2
"""Clicks and moves come in whole px: this is the mean of those in a cell."""

CELL_MIDDLE_PX = CELL_PX / 2
"""The centroid of a fixation may lie anywhere in one."""


@dataclass(slots=True)
class Stack:
    """Tiles of one kind of many days, laid on one another."""

    kind: str
    ways: WaySums = field(default_factory=WaySums)
    rows: int = 0
    """How many were read."""
    _sums: Adding = field(default_factory=Adding)
    _visits: dict[int, Counter[int]] = field(default_factory=dict)
    _overlaps: dict[int, Counter[tuple[int, ...]]] = field(default_factory=dict)

    def add(self, row: Any) -> None:
        self.rows += 1
        way = Way(row["band"], row["pointer"], row["capture"])
        subject = tile_number(0, row["kind"], row["anchor"])
        if way == SEEN_IN_SEVERAL:
            found = unpack_overlaps(row["enc"], row["cells"])
            self._overlaps.setdefault(subject, Counter()).update(found)
            return
        self._visits.setdefault(subject, Counter())[way.code] += row["visits"]
        cell, sums = unpack(row["enc"], row["cells"])
        if row["kind"] == VIEWS:
            told = dict(zip(cell.tolist(), sums["mass"].tolist(), strict=True))
            self.ways.add(way, _way_sum(told))
        else:
            sums["code"] = codes(way.code, row["kind"], row["anchor"], cell)
            self._sums.add(sums)

    def visits(self, kind: int, anchor: int) -> int:
        """Each once a day, in however many ways it was seen."""
        subject = tile_number(0, kind, anchor)
        by_way = self._visits.get(subject, Counter())
        return visits_in(by_way, self._overlaps.get(subject, Counter()), set(by_way))

    def sums(self) -> Sums:
        return self._sums.whole()


def _way_sum(told: dict[int, int]) -> WaySum:
    names = (SUM_CELL, SIGNALLED_CELL, WIDEST_CELL, TALLEST_CELL)
    able = {
        kind: told[ABLE_CELLS + code] for kind, code in KINDS.items() if ABLE_CELLS + code in told
    }
    views, signalled, widest_px, tallest_px = (told.get(name, 0) for name in names)
    return WaySum(views, signalled, widest_px, tallest_px, able)


@dataclass(slots=True)
class Wanted:
    """Tiles of a page that make one stack: of days, in the ways that are wanted.

    first, last  of the days
    all_days     whether of every sealed one; else of those that have nothing else left
    """

    page_id: int
    first: date
    last: date
    kind: str
    takes: Callable[[Way], bool]
    all_days: bool = True
    stack: Stack = field(init=False)

    def __post_init__(self) -> None:
        self.stack = Stack(self.kind)

    @property
    def kinds(self) -> tuple[int, int]:
        return VIEWS, int(KINDS[self.kind])

    def take(self, row: Any, *, raw_gone: bool) -> None:
        if self._takes_row(row) and (self.all_days or raw_gone):
            self.stack.add(row)

    def _takes_row(self, row: Any) -> bool:
        if row["page_id"] != self.page_id or not self.first <= row["day"] <= self.last:
            return False
        if row["kind"] not in self.kinds:
            return False
        way = Way(row["band"], row["pointer"], row["capture"])
        return way == SEEN_IN_SEVERAL or self.takes(way)


def tiles_asked(site_id: int, wanted: Sequence[Wanted]) -> Part:
    """The tiles that make these, and perhaps others; of days whether they are sealed or not."""
    pages = sorted({one.page_id for one in wanted})
    days = min(one.first for one in wanted), max(one.last for one in wanted)
    kinds = sorted({kind for one in wanted for kind in one.kinds})
    return Part(_TILES, (site_id, pages, *days, kinds))


def placed_tiles(stack: Stack, ground: Ground) -> Placed:
    """As `app/mapping/placing.py` places marks, each in the middle of its cell."""
    sums = stack.sums()
    if not len(sums):
        return EMPTY
    cell, anchor = cell_of(sums["code"]), anchor_of(sums["code"])
    takes = ground.takes_page_px(way_of_code(sums["code"]) >> BAND_SHIFT)
    pointed = cell >= POINTER_CELLS
    has_box, in_page = ground.has_box(anchor), (cell >= PAGE_CELLS) & ~pointed
    spots = (anchor > 0) & (cell < ZONE_CELL)
    bands = (anchor == 0) & (cell >= BAND_CELLS) & (cell < PAGE_CELLS)
    boxes = {int(n): ground.band_box(int(n) - BAND_CELLS) for n in np.unique(cell[bands])}
    boxes |= {int(n): _pointer_box(int(n), ground) for n in np.unique(cell[pointed])}
    drawn = np.isin(cell, [number for number, box in boxes.items() if box is not None])
    as_point = (spots & has_box) | (in_page & ~has_box & takes)
    as_box = ((cell == ZONE_CELL) & has_box) | ((bands | pointed) & takes & drawn)
    # What a spot's page px say is said by its box already, where there is one.
    told = ~((cell == SUM_CELL) | (spots & ~has_box) | (in_page & has_box))
    weights, counted = _weights(stack.kind, sums, ground)
    points, point_weights = _points(stack.kind, sums[as_point], weights[as_point], ground)
    placed_boxes, box_weights = _boxes(cell[as_box], anchor[as_box], weights[as_box], boxes, ground)
    counts = np.where(bands, 0, counted if stack.kind in TIMED else weights)
    _, box_counts = _boxes(cell[as_box], anchor[as_box], counts[as_box], boxes, ground)
    return Placed(
        points=points,
        point_weights=point_weights,
        boxes=placed_boxes,
        box_weights=box_weights,
        zones=_zones(stack, sums[cell == SUM_CELL], weights[cell == SUM_CELL]),
        point_codes=np.zeros(len(points), np.int64),
        box_counts=np.array(box_counts, np.int64),
        box_codes=np.zeros(len(box_counts), np.int64),
        marks=int(counted[as_point | as_box].sum()),
        in_zones=int(counted[(spots | (cell == ZONE_CELL)) & has_box].sum()),
        unplaced=int(sums["marks"][told & ~as_point & ~as_box].sum()),
    )


def _pointer_box(cell: int, ground: Ground) -> Box | None:
    number = cell - POINTER_CELLS
    return ground.cell_box(number >> WIDTH_SHIFT, number & (1 << WIDTH_SHIFT) - 1)


def _weights(kind: str, sums: Sums, ground: Ground) -> tuple[Floats, Integers]:
    """In the map's unit, and how many marks they are."""
    weights = sums["longest" if ground.unique else "mass"].astype(float)
    counted: Integers = sums["visits" if ground.unique else "marks"]
    return weights / MS_PER_S if kind in TIMED else weights, counted


def _points(kind: str, sums: Sums, weights: Floats, ground: Ground) -> tuple[Floats, Floats]:
    """One for each place, whatever the days and ways it was marked in."""
    place = codes(0, 0, anchor_of(sums["code"]), cell_of(sums["code"]))
    # In page px it does not matter which zone a spot belonged to.
    place = np.where(cell_of(place) >= PAGE_CELLS, cell_of(place), place)
    place, which = np.unique(place, return_inverse=True)
    anchor, cell = anchor_of(place), cell_of(place)
    in_box = anchor > 0
    middle = CELL_MIDDLE_PX if kind == "stall" else PIXEL_MIDDLE_PX
    xy = np.stack(page_corners(cell), axis=1)
    # A cell across the page's edge is drawn on the page, as the marks in it were.
    xy = np.where(xy <= ground.size_px, np.minimum(xy + middle, ground.size_px), xy + middle)
    xy[in_box] = ground.within(anchor[in_box], *box_middles(cell[in_box]))
    return xy, np.bincount(which.ravel(), weights, len(place)).astype(float)


def _boxes(
    cell: Integers,
    anchor: Integers,
    weights: Floats,
    bands: dict[int, Box | None],
    ground: Ground,
) -> tuple[list[Box], list[float]]:
    """One for each zone and band."""
    place, which = np.unique(np.where(anchor > 0, anchor, cell), return_inverse=True)
    found = [bands.get(number) or ground.boxes[number] for number in place.tolist()]
    return found, np.bincount(which.ravel(), weights, len(place)).tolist()


def _zones(stack: Stack, sums: Sums, weights: Floats) -> dict[int, ZoneSum]:
    anchor = anchor_of(sums["code"])
    totals = np.bincount(anchor, weights)
    kind = int(KINDS[stack.kind])
    return {
        number: ZoneSum(float(totals[number]), stack.visits(kind, number))
        for number in np.unique(anchor).tolist()
    }


def depths(stack: Stack) -> tuple[Floats, Integers, Integers]:
    """Of views whose deepest row is known: it, the band they were seen in, and how many."""
    sums = stack.sums()
    px = (cell_of(sums["code"]) - PAGE_CELLS).astype(float)
    return px, way_of_code(sums["code"]) >> BAND_SHIFT, sums["marks"]
