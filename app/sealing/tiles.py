"""Views of one page and day → tiles: marks counted in cells, one tile for each way, kind, anchor.

Views come by visit, a bounded number at a time. What is held meanwhile grows with the cells that
are marked and not with the marks: a visit's own cells are forgotten when the next one begins.
Pure; the same views make the same tiles, whatever the portions they come in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from app.folding.ways import Way, WaySums, sum_of, way_of
from app.mapping.able import is_able
from app.mapping.filters import TIMED
from app.mapping.marks import KINDS, Gathered, Marks, Paired, Where
from app.sealing.cells import (
    ABLE_CELLS,
    ENC,
    PAGE_CELLS,
    SIGNALLED_CELL,
    SUM_CELL,
    SUMS,
    TALLEST_CELL,
    WIDEST_CELL,
    Adding,
    Integers,
    Sums,
    cell_of,
    cells_of,
    codes,
    kind_and_anchor,
    pack,
    pack_overlaps,
    page_cells,
    tile_of,
    way_of_tile,
    without_way,
)

VIEWS = 0
"""Stands in place of a kind for what is told of the views themselves."""

SEEN_IN_SEVERAL = Way(band=0, pointer=0, captures=0)
"""Stands in place of a way for visits that were seen in several."""

_ROW = np.dtype([("visit", "<i8"), ("code", "<i8"), ("mass", "<i8"), ("once", "<i8"), ("n", "<i8")])
"""Of one visit in one cell; once: its heaviest mark."""

Rows = NDArray[np.void]


@dataclass(frozen=True, slots=True)
class Tile:
    """One row of the table, but for shop, page and day."""

    way: Way
    kind: int
    anchor: int
    views: int
    visits: int
    cells: bytes
    enc: int = ENC


class Tally:
    """Counts the views of one page and day."""

    def __init__(self) -> None:
        self._ways = WaySums()
        self._sums = Adding()
        self._last_visit = np.zeros(0, _ROW)
        self._views: Counter[int] = Counter()
        self._visits: Counter[int] = Counter()
        self._overlaps: dict[int, Counter[tuple[int, ...]]] = {}

    def add(self, paired: Paired, gathered: Mapping[str, Gathered]) -> None:
        """Views by rising visit, none before those of an earlier call, and their marks by kind."""
        if not paired:
            return
        for view, _ in paired:
            self._ways.add(way_of(view), sum_of(view))
        rows = [_view_rows(paired)]
        for kind, found in gathered.items():
            told = _mark_rows(kind, found)
            rows.append(told)
            self._count_views(found, kind)
        summed = _by_visit(np.concatenate([self._last_visit, *rows]))
        going_on = summed["visit"] == paired[-1][1]
        self._last_visit = summed[going_on]
        self._close(summed[~going_on])

    def tiles(self) -> Iterator[Tile]:
        """All of them, in the order of their keys' codes."""
        self._close(self._last_visit)
        self._last_visit = self._last_visit[:0]
        sums = self._sums.whole()
        cell, tile = cell_of(sums["code"]), tile_of(sums["code"])
        edges = np.append(np.flatnonzero(np.diff(tile, prepend=-1)), len(tile))
        for start, stop in pairwise(edges.tolist()):
            yield self._tile(int(tile[start]), cell[start:stop], sums[start:stop])
        for number, overlaps in sorted(self._overlaps.items()):
            kind, anchor = kind_and_anchor(number)
            visits = sum(overlaps.values())
            yield Tile(SEEN_IN_SEVERAL, kind, anchor, 0, visits, pack_overlaps(dict(overlaps)))

    def _tile(self, number: int, cell: Integers, sums: Sums) -> Tile:
        way = Way.of_code(way_of_tile(number))
        kind, anchor = kind_and_anchor(number)
        views = self._views[number]
        if kind == VIEWS:
            told = self._ways.by_way[way]
            largest = np.zeros(2, SUMS)
            largest["mass"] = told.widest_px, told.tallest_px
            cell = np.append(cell, (WIDEST_CELL, TALLEST_CELL))
            sums, views = np.concatenate([sums, largest]), told.views
        return Tile(way, kind, anchor, views, self._visits[number], pack(cell, sums))

    def _count_views(self, found: Gathered, kind: str) -> None:
        """How many views left a mark in each tile; a view never comes in two portions."""
        for marks, anchor in _anchored(found.marks):
            view = found.view_of[marks]
            tile = tile_of(codes(_ways(found)[marks], KINDS[kind], anchor, np.zeros(1, np.int64)))
            order = np.lexsort((tile, view))
            self._views.update(_owners(tile[order], view[order]))

    def _close(self, rows: Rows) -> None:
        """Take over visits of which nothing more can come."""
        if not len(rows):
            return
        self._visits.update(_owners(tile_of(rows["code"]), rows["visit"]))
        self._note_overlaps(rows)
        sums = np.zeros(len(rows), SUMS)
        sums["code"], sums["mass"], sums["marks"] = rows["code"], rows["mass"], rows["n"]
        sums["visits"], sums["longest"] = 1, rows["once"]
        self._sums.add(sums)

    def _note_overlaps(self, rows: Rows) -> None:
        whole = rows[cell_of(rows["code"]) == SUM_CELL]
        tile = tile_of(whole["code"])
        subject = without_way(tile)
        order = np.lexsort((tile, subject, whole["visit"]))
        tile, subject, visit = tile[order], subject[order], whole["visit"][order]
        fresh = np.ones(len(order), bool)
        fresh[1:] = (np.diff(visit) != 0) | (np.diff(subject) != 0)
        starts = np.flatnonzero(fresh)
        many = np.diff(starts, append=len(order))
        for start, n in zip(starts[many > 1].tolist(), many[many > 1].tolist(), strict=True):
            ways = tuple(map(way_of_tile, tile[start : start + n].tolist()))
            self._overlaps.setdefault(int(subject[start]), Counter())[ways] += 1


def _owners(tile: Integers, owner: Integers) -> dict[int, int]:
    """How many are in each tile; rows come by owner, and of each owner by tile."""
    if not len(tile):
        return {}
    fresh = np.ones(len(tile), bool)
    fresh[1:] = (np.diff(tile) != 0) | (np.diff(owner) != 0)
    found, n = np.unique(tile[fresh], return_counts=True)
    return dict(zip(found.tolist(), n.tolist(), strict=True))


def _view_rows(paired: Paired) -> Rows:
    """Each view, each that sent anything, and each that can tell what a kind shows, as marks."""
    told: dict[int, list[bool]] = {
        SUM_CELL: [True] * len(paired),
        SIGNALLED_CELL: [view.signals > 0 for view, _ in paired],
    }
    for kind, code in KINDS.items():
        told[ABLE_CELLS + code] = [is_able(view, kind) for view, _ in paired]
    rows = np.zeros(len(told) * len(paired), _ROW)
    ways = np.array([way_of(view).code for view, _ in paired], np.int64)
    anchor = np.zeros(1, np.int64)
    for part, (cell, counts) in enumerate(told.items()):
        own = rows[part :: len(told)]
        own["visit"] = [visit for _, visit in paired]
        own["code"] = codes(ways, VIEWS, anchor, np.array([cell]))
        own["n"] = counts
    rows["mass"] = rows["once"] = 1
    return rows[rows["n"] > 0]


def _mark_rows(kind: str, found: Gathered) -> Rows:
    """Each mark in its cell, a spot in page px too, and those of zones in the sum of their zone."""
    marks, ways = found.marks, _ways(found)
    visits = np.array([seer.visit for seer in found.seers], np.int64)[found.mark_seers]
    once = marks["weight"] if kind in TIMED else np.minimum(marks["weight"], 1)

    def rows(chosen: NDArray[np.bool_], anchor: Integers, cell: Integers) -> Rows:
        told = np.zeros(int(np.count_nonzero(chosen)), _ROW)
        told["visit"], told["code"] = visits[chosen], codes(ways[chosen], KINDS[kind], anchor, cell)
        told["mass"], told["once"], told["n"] = marks["weight"][chosen], once[chosen], 1
        return told

    zone = marks["zone"].astype(np.int64)
    spots, inside = marks["where"] == Where.SPOT, zone > 0
    everything = np.ones(len(marks), bool)
    anchor = np.where(np.isin(marks["where"], (Where.PAGE, Where.CELL)), 0, zone)
    own = _depths(marks) if kind == "scroll" else cells_of(marks)
    in_page = page_cells(marks["x"][spots], marks["y"][spots])
    return np.concatenate(
        [
            rows(everything, anchor, own),
            rows(spots, zone[spots], in_page),
            rows(inside, zone[inside], np.full(1, SUM_CELL, np.int64)),
        ]
    )


def _depths(marks: Marks) -> Integers:
    """To the pixel: there are no more of them than the page is high."""
    return PAGE_CELLS + marks["y"].astype(np.int64)


def _anchored(marks: Marks) -> Iterator[tuple[NDArray[np.intp], Integers]]:
    """Places of marks and the anchors they count at; one within a zone may count at two."""
    zone = marks["zone"].astype(np.int64)
    in_page = np.flatnonzero(np.isin(marks["where"], (Where.PAGE, Where.CELL)) | (zone == 0))
    inside = np.flatnonzero(zone > 0)
    yield in_page, np.zeros(len(in_page), np.int64)
    yield inside, zone[inside]


def _ways(found: Gathered) -> Integers:
    own = np.array([seer.way.code for seer in found.seers], np.int64)
    chosen: Integers = own[found.mark_seers]
    return chosen


def _by_visit(rows: Rows) -> Rows:
    """One row for each visit and cell."""
    rows = rows[np.lexsort((rows["code"], rows["visit"]))]
    fresh = np.ones(len(rows), bool)
    fresh[1:] = (np.diff(rows["code"]) != 0) | (np.diff(rows["visit"]) != 0)
    starts = np.flatnonzero(fresh)
    summed = rows[starts]
    for name in ("mass", "n"):
        summed[name] = np.add.reduceat(rows[name], starts)
    summed["once"] = np.maximum.reduceat(rows["once"], starts)
    return summed
