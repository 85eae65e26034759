"""What a map of a page is: its marks on a layout, and what is said beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from app.mapping.audience import NOBODY, Audience
from app.mapping.classes import DotClass
from app.mapping.filters import TIMED, MapQuery
from app.mapping.marks import Integers
from app.mapping.placing import EMPTY, NO_CODES, Floats
from app.picturing.layouts import Box, Layout
from collector.sites import Page, Site
from heatmap.confetti import MAX_SEGMENTS


@dataclass(frozen=True, slots=True)
class ZoneHeat:
    number: int
    name: str
    total: float
    visits: int
    box_px: tuple[float, float, float, float] | None


@dataclass(frozen=True, slots=True)
class PageMap:
    """Everything about one map but its picture."""

    site: Site
    page: Page
    query: MapQuery
    date_from: date
    date_to: date
    layout: Layout | None
    width_px: int
    height_px: int
    bandwidth_px: float
    views: int
    """Page views opened in the period, after the filter."""
    signalled: int
    """Of these, how many can tell what the map shows; the share is its coverage."""
    visits: int
    points: Floats
    point_weights: Floats
    boxes: tuple[tuple[float, float, float, float], ...]
    box_weights: tuple[float, ...]
    depths_px: tuple[float, ...]
    marks: int
    unplaced: int
    zones: tuple[ZoneHeat, ...]
    scriptless: bool = False
    """Whether any view was told without the script: of its seconds clocks know steps alone."""
    folds_px: tuple[float, ...] = ()
    """Where the windows of `FOLD_SHARES` of the views end, if that is asked for and known."""
    classes: tuple[DotClass, ...] = ()
    """What points are told apart by, where they are coloured."""
    in_zones: int = 0
    """How many of the marks are placed through their zones' boxes; the others by px of the page."""
    dots: Floats = field(default_factory=EMPTY.points.copy)
    """Places of dots, where they are drawn: of points, then of marks known by their zone alone."""
    dots_in_zones: int = 0
    """How many of them lie somewhere in a zone or cell, on a lattice."""
    dot_colours: Integers = field(default_factory=NO_CODES.copy)
    """Of each dot the colour of its class; without classes all are of the first."""
    layouts: tuple[Layout, ...] = ()
    """Every one of the page, as `layouts_of` tells them: what else the map could be drawn on."""
    fits: bool = False
    """Of a scroll map, whether three of four windows show the whole page, as far as their steps
    can tell."""
    of_shop: Audience = NOBODY
    """How many page views of the shop were counted in the period, and why the others were not."""
    everybody: int = 0
    """Page views of the page in the period, whether the filter chooses them or not."""

    @property
    def class_dots(self) -> tuple[tuple[DotClass, int], ...]:
        """The classes of dots, each with how many dots it has."""
        dots = np.bincount(self.dot_colours, minlength=MAX_SEGMENTS)
        return tuple((told, int(dots[told.colour])) for told in self.classes)

    @property
    def trying(self) -> bool:
        return self.site.state == "trying"

    @property
    def frames(self) -> tuple[Box, ...]:
        """Boxes of another origin's frames, the payment provider's mostly: what happens in them no
        page can see, so that no heat in them is no calm."""
        numbers = {zone.number for zone in self.page.zones if zone.role == "frame"}
        boxes = self.layout.boxes if self.layout else ()
        return tuple(box for box in boxes if box.number in numbers)

    @property
    def coverage(self) -> float | None:
        return self.signalled / self.views if self.views else None

    @property
    def scale_unit(self) -> str:
        """Of what the colours stand for, by the style that it is drawn in."""
        if self.query.kind == "scroll":
            return self.unit
        unit_of = {
            "heat": f"{self.unit}/px²",
            "zones": f"{self.unit} in a zone",
            "confetti": "dots",
        }
        return unit_of[self.query.style]

    @property
    def unit(self) -> str:
        """What intensities count, per square CSS px."""
        if self.query.kind == "scroll":
            return "share of views"
        counted = "s" if self.query.kind in TIMED else "events"
        return f"{counted}/visit" if per_visit(self.query) else counted


def per_visit(query: MapQuery) -> bool:
    """Whether amounts are told for a visit; seconds are where nothing else is asked for."""
    return query.per == "visit" or (query.per is None and query.kind in TIMED)


def summary(found: PageMap) -> dict[str, Any]:
    """What stands beside every picture, in words and numbers."""
    return {
        "site": found.site.public_key,
        "page": found.page.slug,
        "kind": found.query.kind,
        "unit": found.unit,
        "state": found.site.state,
        "date_from": found.date_from.isoformat(),
        "date_to": found.date_to.isoformat(),
        "time_zone": found.site.time_zone.key,
        "page_views": found.views,
        "visits": found.visits,
        "coverage": found.coverage,
        "bandwidth_px": found.bandwidth_px,
        "width_px": found.width_px,
        "height_px": found.height_px,
        "layout": f"{found.layout.layout_id & (2**64 - 1):016x}" if found.layout else None,
        "marks": found.marks,
        "in_zones": found.in_zones,
        "unplaced": found.unplaced,
        "total": float(np.sum(found.point_weights)) + float(sum(found.box_weights)),
    }
