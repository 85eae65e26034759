"""Cohorts: what two groups of visits left on a page, as one pile of visits with one vote each."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from heatmap.errors import CohortError
from heatmap.marks import gather
from heatmap.page import FloatArray, Page
from heatmap.winsorising import chances, winsorised

Mode = Literal["seconds", "share"]
"""What is compared: `seconds` of dwell per visit, or the `share` of each visit's dwell. Shares add
up to 1, so that one hot place makes all others look cold; seconds are the default."""

Whole = NDArray[np.intp]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where visits dwelt: k places, points among them having no extent.

    x0_px, y0_px, x1_px, y1_px  (k,) corners, CSS pixels of the page, x0 <= x1 and y0 <= y1
    weight                      (k,) seconds, or 1 for a click
    visit                       (k,) the visit of each, counted from 0
    """

    x0_px: FloatArray
    y0_px: FloatArray
    x1_px: FloatArray
    y1_px: FloatArray
    weight: FloatArray
    visit: Whole

    def __len__(self) -> int:
        """Count the places."""
        return int(self.weight.size)

    def take(self, which: Whole | Flags) -> Places:
        """Give some of them, or all in another order."""
        return Places(*(getattr(self, column.name)[which] for column in fields(self)))


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """The visits of one group: where they dwelt, how far down they saw, when and by what device.

    places   Places
    seen_px  (n,) the deepest row that was in view, CSS pixels from the top; inf where unknown
    stratum  (n,) whole number: visits are compared with visits of the same number alone
    """

    places: Places
    seen_px: FloatArray
    stratum: Whole

    def __len__(self) -> int:
        """Count the visits."""
        return int(self.seen_px.size)


def cohort(
    visits: int,
    points_px: ArrayLike | None = None,
    seconds: ArrayLike | None = None,
    point_visit: ArrayLike | None = None,
    *,
    boxes_px: ArrayLike | None = None,
    box_seconds: ArrayLike | None = None,
    box_visit: ArrayLike | None = None,
    seen_px: ArrayLike | None = None,
    stratum: ArrayLike | None = None,
) -> Cohort:
    """Check arrays from outside and make a cohort of them.

    visits       number of visits that had the chance to dwell on the page, silent ones included
    points_px    (k, 2) stalls, CSS pixels of the page, or None
    seconds      (k,) their dwell, each hold already cut at `heatmap.fixations.CAP_MS`; None for
                 1 each (clicks)
    point_visit  (k,) the visit of each, 0..visits-1
    boxes_px     (m, 4) x0, y0, x1, y1 of zones whose dwell is known without a place, or None
    box_seconds  (m,) their dwell
    box_visit    (m,) the visit of each
    seen_px      (visits,) lower edge of the viewport at the deepest scroll; inf or None: all seen
    stratum      (visits,) whole numbers, say device x week; None: all alike
    Returns      Cohort
    Raises       CohortError for visits that are not counted so, MarksError for the marks
    """
    marks = gather(points_px, seconds, boxes_px, box_seconds)
    points, boxes = marks.points, marks.boxes
    of_points = _visits_of("point_visit", point_visit, len(points), visits)
    of_boxes = _visits_of("box_visit", box_visit, boxes.weight.size, visits)
    places = Places(
        np.concatenate((points.x_px, boxes.x0_px)),
        np.concatenate((points.y_px, boxes.y0_px)),
        np.concatenate((points.x_px, boxes.x1_px)),
        np.concatenate((points.y_px, boxes.y1_px)),
        np.concatenate((points.weight, boxes.weight)),
        np.concatenate((of_points, of_boxes)),
    )
    seen = np.full(visits, np.inf) if seen_px is None else np.asarray(seen_px, dtype=np.float64)
    if seen.shape != (visits,) or not np.all(seen >= 0):
        raise CohortError(f"seen_px must be {visits} depths, not negative, got {seen_px!r}")
    return Cohort(places, seen, checked_strata(stratum, visits))


def checked_strata(stratum: ArrayLike | None, visits: int) -> Whole:
    """Give the stratum of each visit (visits,), or raise CohortError; None puts all into one."""
    numbers = np.zeros(visits, dtype=np.intp) if stratum is None else np.asarray(stratum)
    if numbers.shape != (visits,) or not np.issubdtype(numbers.dtype, np.integer):
        raise CohortError(f"stratum must be {visits} whole numbers, got {stratum!r}")
    return numbers.astype(np.intp)


def _visits_of(name: str, numbers: ArrayLike | None, marks: int, visits: int) -> Whole:
    given = np.asarray(() if numbers is None else numbers)
    of_marks = given.astype(np.intp)
    if given.shape != (marks,) or np.any(of_marks != given):
        raise CohortError(f"{name} must give the visit of each of {marks} marks, got {numbers!r}")
    if np.any((of_marks < 0) | (of_marks >= visits)):
        raise CohortError(f"{name} must lie in 0..{visits - 1}, got {numbers!r}")
    return of_marks


@dataclass(frozen=True, slots=True, eq=False)
class Pile:
    """The visits of both cohorts in one order, which depends on what they did and not on whose.

    places   inside the page, by visit; weight is what each counts
    seconds  (k,) what each place had before anything was cut
    first    (n,) whether a visit is of the first cohort
    stratum  (n,) never falling
    seen_px  (n,) at least as deep as the visit's deepest place
    """

    places: Places
    seconds: FloatArray
    first: Flags
    stratum: Whole
    seen_px: FloatArray

    def __len__(self) -> int:
        """Count the visits."""
        return int(self.first.size)


def pile(first: Cohort, second: Cohort, page: Page, mode: Mode = "seconds") -> Pile:
    """Put two cohorts together, every visit counting at most what a busy visit counts.

    first, second  the cohorts; what lies outside the page is left out
    mode           `seconds` or `share`, see Mode
    Returns        Pile. The same visits in another order, or in the other cohort, give the same
                   order here, so that drawn relabellings do not depend on how rows were read
    Raises         CohortError for an unknown mode
    """
    if mode not in get_args(Mode):
        raise CohortError(f"mode must be one of {', '.join(get_args(Mode))}, got {mode!r}")
    places = _inside(_joined(first.places, second.places, len(first)), page)
    visits = len(first) + len(second)
    deepest = np.zeros(visits)
    np.maximum.at(deepest, places.visit, places.y1_px)
    seen = np.maximum(np.concatenate((first.seen_px, second.seen_px)), deepest)
    stratum = np.concatenate((first.stratum, second.stratum))
    order = _canonical(places, stratum, seen)
    rank = np.empty(visits, dtype=np.intp)
    rank[order] = np.arange(visits)
    places = _renumbered(places, rank)
    return Pile(
        _counted(places, seen[order], mode),
        places.weight,
        (np.arange(visits) < len(first))[order],
        stratum[order],
        seen[order],
    )


def _joined(first: Places, second: Places, shift: int) -> Places:
    columns = (
        np.concatenate((getattr(first, column.name), getattr(second, column.name)))
        for column in fields(Places)
    )
    joined = Places(*columns)
    joined.visit[len(first) :] += shift
    return joined


def _inside(places: Places, page: Page) -> Places:
    """Leave out points outside the page, and the part of a box that lies outside."""
    x0, x1 = np.clip((places.x0_px, places.x1_px), 0, page.width_px)
    y0, y1 = np.clip((places.y0_px, places.y1_px), 0, page.height_px)
    width, height = places.x1_px - places.x0_px, places.y1_px - places.y0_px
    share = np.ones(len(places))
    for kept, whole in ((x1 - x0, width), (y1 - y0, height)):
        np.multiply(share, kept / np.where(whole > 0, whole, 1), out=share, where=whole > 0)
    thin_out = ((width == 0) & (x0 != places.x0_px)) | ((height == 0) & (y0 != places.y0_px))
    weight = np.where(thin_out, 0.0, places.weight * share)
    return Places(x0, y0, x1, y1, weight, places.visit).take(weight > 0)


def _canonical(places: Places, stratum: Whole, seen: FloatArray) -> Whole:
    """Order visits by what they are; visits alike in all of this are alike to the test too."""
    n = stratum.size
    order = np.lexsort((places.x1_px, places.x0_px, places.y1_px, places.y0_px, places.weight))
    sorted_places = places.take(order)
    x, y = sorted_places.x0_px + sorted_places.x1_px, sorted_places.y0_px + sorted_places.y1_px
    weight, visit = sorted_places.weight, sorted_places.visit
    sums = [np.bincount(visit, weight * part, n) for part in (x * y, y, x, np.ones(x.size))]
    return np.lexsort((*sums, seen, stratum))


def _renumbered(places: Places, rank: Whole) -> Places:
    visit = rank[places.visit]
    columns = (places.x1_px, places.x0_px, places.y1_px, places.y0_px, places.weight, visit)
    order = np.lexsort(columns)
    return replace(places.take(order), visit=visit[order])


def _counted(places: Places, seen_px: FloatArray, mode: Mode) -> Places:
    totals = np.bincount(places.visit, places.weight, seen_px.size).astype(np.float64)
    if mode == "share":
        factor = 1 / np.where(totals > 0, totals, 1)
    else:
        # First by the dwell alone, so that no single visit says where the page's dwell lies.
        usual = places.weight * winsorised(totals)[places.visit]
        factor = winsorised(totals, chances(places.y1_px, usual, seen_px))
    return replace(places, weight=places.weight * factor[places.visit])
