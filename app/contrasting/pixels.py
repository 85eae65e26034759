"""Where on a layout the cohorts differ: surfaces of dwell, lines around what is more than chance.

The map illustrates the zones' answer (`zones.py`) for those who met the page in one layout. Its
colours are of the day, its lines and regions of the last verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from app.contrasting.asked import PixelsQuery
from app.contrasting.question import Question, Why
from app.contrasting.reading import UNKNOWN, Flags, Whole
from app.contrasting.tables import MS, Floats
from app.drawing.renders import Renders
from app.folding.homes import zones_at
from app.folding.stalls import TYPICAL_VIEWPORT_PX
from app.mapping.placing import Box, Ground
from app.picturing.layouts import Layout
from app.problems import NotFound
from collector.wire import BAND_PX
from heatmap.bandwidth import default_bandwidth
from heatmap.cohorts import Cohort, cohort
from heatmap.contrasting import FAINT_LEVEL, Contrast, TooFew, contrast
from heatmap.planning import MIN_VISITS, look_level
from heatmap.regions import Region
from heatmap.resting import reading_stalls

CELLS_PER_BANDWIDTH = 2.5
"""Fine enough to test by twice over, and to draw smooth lines through: between cells a surface is
taken for straight. Of finer ones the work grows with their number."""

LEAST_AMOUNT = 0.05
"""Share of the page's largest difference below which a region is not told of, however sure: of two
hundred visits everybody differs by some moment somewhere, and lines around it hide where time is
lost."""

ONE = 1
"""Relabellings of what is only coloured."""

NoMap = Why | Literal["no_layout"]


@dataclass(frozen=True, slots=True)
class MarkedRegion:
    """A place where the cohorts differ, and the zones it touches, the one at its peak first."""

    number: int
    region: Region
    zones: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class PixelAnswer:
    """The contrast of a page in one layout.

    layout        what it is drawn on, None where the page has none
    bandwidth_px  of the surfaces
    visits        of each cohort, seen in that layout
    shown         of the day: its colours; None where a cohort is too small
    judged        of the last verdict: its lines; None before the first, or where too few
    why_not       why nothing is drawn
    """

    question: Question
    layout: Layout | None
    bandwidth_px: float
    visits: tuple[int, int]
    shown: Contrast | None
    judged: Contrast | None
    regions: tuple[MarkedRegion, ...]
    why_not: NoMap | None

    @property
    def query(self) -> PixelsQuery:
        assert isinstance(self.question.query, PixelsQuery)
        return self.question.query


async def pixel_answer(question: Question, renders: Renders) -> PixelAnswer:
    """Contrast the cohorts on a layout; the relabelling runs in a drawing process."""
    query = question.query
    assert isinstance(query, PixelsQuery)
    layout = _layout(question, query)
    if layout is None:
        return PixelAnswer(question, None, 0.0, (0, 0), None, None, (), "no_layout")
    told = _Told(question, layout)
    bandwidth_px = _bandwidth(question, query, layout)
    sizes = told.sizes(question.first), told.sizes(question.second)
    shown = judged = None
    if question.why_not is None and min(sizes) >= MIN_VISITS:
        options = _options(question, query, layout, bandwidth_px)
        every = np.ones(question.visits, np.bool_)
        shown = await _contrast(told, every, {**options, "relabellings": ONE}, renders)
        if question.verdict.look:
            judged = await _contrast(told, question.judged, options, renders)
    why: NoMap | None = question.why_not or (None if shown else "too_few")
    regions = marked(judged, layout) if judged else ()
    return PixelAnswer(question, layout, bandwidth_px, sizes, shown, judged, regions, why)


async def _contrast(
    told: _Told, which: Flags, options: Mapping[str, Any], renders: Renders
) -> Contrast | None:
    first = told.cohort(told.question.first & which)
    second = told.cohort(told.question.second & which)
    with renders.place():
        found = await renders.run(contrast, first, second, **options)
    return None if isinstance(found, TooFew) else found


def _options(
    question: Question, query: PixelsQuery, layout: Layout, bandwidth_px: float
) -> dict[str, Any]:
    look = max(question.verdict.look, 1)
    return {
        "width_px": layout.width_px,
        "height_px": layout.height_px,
        "bandwidth_px": bandwidth_px,
        "cell_px": bandwidth_px / CELLS_PER_BANDWIDTH,
        "mode": query.mode,
        "level": question.verdict.level,
        "faint_level": look_level(look, FAINT_LEVEL),
    }


def _layout(question: Question, query: PixelsQuery) -> Layout | None:
    """The one that is asked for, else the present one that most visits of the cohorts met."""
    if query.layout is not None:
        for layout in question.layouts:
            if f"{layout.layout_id & (2**64 - 1):016x}" == query.layout:
                return layout
        raise NotFound(f"the page {question.page.slug} has no layout {query.layout}")
    views = question.found.views
    counted = (question.first | question.second)[views.visit]

    def met(layout: Layout) -> tuple[int, float]:
        own = counted & (views.band == layout.band) & (views.touch == _coarse(layout))
        return int(own.sum()), layout.valid_from.timestamp()

    return max(question.layouts, key=met, default=None)


def _coarse(layout: Layout) -> bool:
    return layout.pointer == "coarse"


def _bandwidth(question: Question, query: PixelsQuery, layout: Layout) -> float:
    """Explicit, else the page's own, else the rule's: one that followed the marks would differ
    from look to look."""
    if query.bandwidth is not None:
        return query.bandwidth
    if question.page.bandwidth_px is not None:
        return question.page.bandwidth_px
    return default_bandwidth("stall", _coarse(layout))


class _Told:
    """The views that met one layout, with where each dwelt on it."""

    def __init__(self, question: Question, layout: Layout) -> None:
        views = question.found.views
        self.question = question
        self._ground = Ground(layout, unique=False)
        self._own = (views.band == layout.band) & (views.touch == _coarse(layout))
        self._boxes, self._box_view, self._box_s = _boxes(question, self._own, self._ground)
        self._points, self._point_view, self._point_s = _points(question, self._own, self._ground)
        self._here = np.zeros(question.visits, np.bool_)
        self._here[views.visit[self._own]] = True

    def sizes(self, which: Flags) -> int:
        return int((which & self._here).sum())

    def cohort(self, which: Flags) -> Cohort:
        """The chosen visits among those that met the layout."""
        which = which & self._here
        place = np.cumsum(which) - 1
        views = self.question.found.views
        points = which[views.visit[self._point_view]]
        boxes = which[views.visit[self._box_view]]
        return cohort(
            int(which.sum()),
            self._points[points],
            self._point_s[points],
            place[views.visit[self._point_view[points]]],
            boxes_px=self._boxes[boxes],
            box_seconds=self._box_s[boxes],
            box_visit=place[views.visit[self._box_view[boxes]]],
            seen_px=self._seen_px()[which],
            stratum=self.question.strata[which],
        )

    def _seen_px(self) -> Floats:
        """The deepest row that a visit had in view; all of the page where a view does not say."""
        views = self.question.found.views
        depth = np.where(views.deepest_px == UNKNOWN, np.inf, views.deepest_px)
        seen = np.zeros(self.question.visits)
        np.maximum.at(seen, views.visit[self._own], depth[self._own])
        return seen


def _points(question: Question, own: Flags, ground: Ground) -> tuple[Floats, Whole, Floats]:
    """Stalls, but for those in a zone whose clock tells of them."""
    views = question.found.views
    kept = own[views.stall_view]
    stalls, of = views.stalls[kept], views.stall_view[kept]
    x, y = stalls["x"].astype(np.float64), stalls["y"].astype(np.float64)
    zones = zones_at(x, y, sorted(ground.boxes.items(), key=_area, reverse=True)).astype(np.int64)
    clocked = np.isin(_pair(of, zones), _pair(views.dwell_view, views.dwell["zone"]))
    left = ~clocked
    xy = np.stack((x, y), axis=1)
    return xy[left], of[left], stalls["ms"][left].astype(np.float64) / MS


def _pair(view: Whole, zone: np.ndarray[Any, Any]) -> Whole:
    return np.asarray(view * 2**16 + zone.astype(np.int64))


def _area(one: tuple[int, Box]) -> float:
    x0, y0, x1, y1 = one[1]
    return (x1 - x0) * (y1 - y0)


def _boxes(question: Question, own: Flags, ground: Ground) -> tuple[Floats, Whole, Floats]:
    """Seconds of zones by their clocks, in their boxes; on touch also of bands at rest in view."""
    rows = [*_zone_boxes(question, own, ground), *_band_boxes(question, own, ground)]
    boxes = np.array([box for box, _, _ in rows]).reshape(-1, 4)
    views = np.array([view for _, view, _ in rows], np.int64)
    return boxes, views, np.array([seconds for _, _, seconds in rows], np.float64)


_BoxSeconds = Iterator[tuple[Box, int, float]]


def _zone_boxes(question: Question, own: Flags, ground: Ground) -> _BoxSeconds:
    views = question.found.views
    for row, view in zip(views.dwell.tolist(), views.dwell_view.tolist(), strict=True):
        zone, low_ms, high_ms = row
        if own[view] and zone in ground.boxes:
            yield ground.boxes[zone], view, (low_ms + high_ms) / (2 * MS)


def _band_boxes(question: Question, own: Flags, ground: Ground) -> _BoxSeconds:
    views = question.found.views
    dwell: dict[int, dict[int, tuple[float, float]]] = {}
    for row, view in zip(views.dwell.tolist(), views.dwell_view.tolist(), strict=True):
        dwell.setdefault(view, {})[row[0]] = row[1] / MS, row[2] / MS
    bands: dict[int, dict[int, int]] = {}
    for (band, seconds), view in zip(views.bands.tolist(), views.band_view.tolist(), strict=True):
        if own[view] and views.touch[view]:
            bands.setdefault(view, {})[band] = seconds
    for view, in_view in bands.items():
        height_px = int(views.height_px[view])
        viewport_px = TYPICAL_VIEWPORT_PX if height_px <= 0 else height_px
        rested = reading_stalls(
            in_view, dwell.get(view, {}), band_px=BAND_PX, viewport_px=viewport_px
        )
        for band, band_s in rested.items():
            box = ground.band_box(band)
            if box is not None:
                yield box, view, band_s


def marked(found: Contrast, layout: Layout) -> tuple[MarkedRegion, ...]:
    """The regions that are told of, numbered as they are ranked: sure ones that are no trifle."""
    amount = found.amount()
    large = [region for region in found.regions if _at_peak(amount, region, found) >= LEAST_AMOUNT]
    return tuple(
        MarkedRegion(number, region, _touched(region, layout))
        for number, region in enumerate(large, start=1)
    )


def _at_peak(values: Floats, region: Region, found: Contrast) -> float:
    row, column = (int(at / found.cell_px) for at in (region.peak_y_px, region.peak_x_px))
    return float(values[min(row, values.shape[0] - 1), min(column, values.shape[1] - 1)])


def _touched(region: Region, layout: Layout) -> tuple[int, ...]:
    """Zones whose boxes a region's box meets, by how far they are from its peak."""

    def away(box: Box) -> float:
        x0, y0, x1, y1 = box
        across = max(x0 - region.peak_x_px, region.peak_x_px - x1, 0.0)
        down = max(y0 - region.peak_y_px, region.peak_y_px - y1, 0.0)
        return float(np.hypot(across, down))

    met = [
        (away(box.edges_px), box.number)
        for box in layout.boxes
        if box.edges_px[0] < region.x1_px
        and box.edges_px[2] > region.x0_px
        and box.edges_px[1] < region.y1_px
        and box.edges_px[3] > region.y0_px
    ]
    return tuple(number for _, number in sorted(met))
