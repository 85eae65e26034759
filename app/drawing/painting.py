"""What is drawn in heat's place, and over it: filled zones, confetti, contours, folds, numbers.

Plain values in, for all of it runs in a drawing process; what is read from a map to make them is
here too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from app.mapping.filters import TIMED
from app.mapping.folds import FOLD_SHARES
from app.mapping.page_map import PageMap
from heatmap import density
from heatmap.colours import DEFAULT_PALETTE
from heatmap.confetti import confetti_layer
from heatmap.contours import contour_layer
from heatmap.drawing import Drawing
from heatmap.exact import FEW, exact_density
from heatmap.fold import FoldLine, fold_layer
from heatmap.hatching import hatch_layer
from heatmap.layers import Layer, alone, merged, over, stamp_layer
from heatmap.marks import gather
from heatmap.page import Page
from heatmap.scale import TOP_LEVEL, Curve, levels
from heatmap.smoothing import cell_centres
from heatmap.zone_boxes import ZONE_OPACITY, ZoneBox, zone_layer

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Each = TypeVar("Each", bound=np.generic)

CONTOUR_SHARES = (0.25, 0.5, 0.75)
"""Of full colour: where the lines of heat lie."""

CELLS_PER_BANDWIDTH = 5
"""Heat between cells so small is a straight line to a fraction of a pixel."""
MOST_CELLS = 1_000_000

MOST_DOTS = 20_000
"""More cover each other: of more marks an even choice is drawn, and it is said."""


@dataclass(frozen=True, slots=True)
class Over:
    """What is laid over a map.

    contours_px  the map's bandwidth, or None for no lines of heat
    folds_px     for `FOLD_SHARES`, or nothing
    zones        number and box of each zone that is outlined
    hidden_px    boxes in which nothing can be seen
    """

    contours_px: float | None = None
    folds_px: tuple[float, ...] = ()
    zones: tuple[ZoneBox, ...] = ()
    hidden_px: tuple[tuple[float, float, float, float], ...] = ()


def zone_frames(found: PageMap) -> tuple[ZoneBox, ...]:
    """Every zone that has a place on the layout, without its heat."""
    boxes = found.layout.boxes if found.layout else ()
    return tuple(ZoneBox(box.number, box.edges_px, 0.0) for box in boxes)


DECIMAL_MARKS = {"point": ".", "comma": ","}


def zone_values(found: PageMap) -> tuple[tuple[ZoneBox, float], ...]:
    """Every zone that has a place on the layout, with what it gathered."""
    totals = {zone.number: zone.total for zone in found.zones}
    mark = DECIMAL_MARKS[found.query.decimal]
    unit = " s" if found.query.kind in TIMED else ""
    return tuple(
        (replace(frame, value=_shortly(total, mark) + unit), total)
        for frame in zone_frames(found)
        for total in (totals.get(frame.number, 0.0),)
    )


def _shortly(value: float, mark: str) -> str:
    """Two or more significant digits, as short as a badge."""
    digits = 0 if value >= 10 or value == round(value) else 1 if value >= 1 else 2
    return f"{value:.{digits}f}".replace(".", mark)


def draw_zones(
    zones: Sequence[tuple[ZoneBox, float]],
    *,
    width_px: int,
    height_px: int,
    scale: Curve = "linear",
    scale_max: float | None = None,
    palette: str = DEFAULT_PALETTE,
    opacity: float = ZONE_OPACITY,
    dpr: int = 1,
    stamp: str | None = None,
    text: Mapping[str, str] | None = None,
) -> Drawing:
    """Fill each zone with the colour of what it gathered; intensities are amounts per zone."""
    hottest, peak = max(zones, key=lambda zone: zone[1], default=(None, 0.0))
    full = scale_max or peak or 1.0
    shares = levels(np.array([amount for _, amount in zones]), full, scale) / TOP_LEVEL
    size: dict[str, int] = {"width_px": width_px, "height_px": height_px, "dpr": dpr}
    layer = zone_layer(
        (replace(zone, share=float(share)) for (zone, _), share in zip(zones, shares, strict=True)),
        palette=palette,
        opacity=opacity,
        **size,
    )
    x0, y0, x1, y1 = hottest.box_px if hottest and peak else (math.nan,) * 4
    return Drawing(
        png=_finished(layer, stamp, dpr, text),
        peak=peak,
        peak_x_px=(x0 + x1) / 2 if peak else None,
        peak_y_px=(y0 + y1) / 2 if peak else None,
        scale_max=full if peak or scale_max else 0.0,
        mass=sum(amount for _, amount in zones),
        lost=0.0,
        clipped=0,
        width_px=width_px,
        height_px=height_px,
    )


def draw_confetti(
    dots: Floats,
    colours: Integers | None = None,
    *,
    width_px: int,
    height_px: int,
    dpr: int = 1,
    opacity: float = 1.0,
    stamp: str | None = None,
    text: Mapping[str, str] | None = None,
) -> Drawing:
    """Draw a dot for each mark, MOST_DOTS at the most; an intensity of 1 is a dot.

    colours  of each dot the number of its class's colour; by default all are of one
    """
    kept = np.flatnonzero(np.all((dots >= 0) & (dots <= (width_px, height_px)), axis=1))
    inside = len(kept)
    kept = dots_drawn(kept)
    drawn = dots[kept]
    segments = np.zeros(len(kept), np.int64) if colours is None else colours[kept]
    layer = confetti_layer(drawn, segments, width_px=width_px, height_px=height_px, dpr=dpr)
    table = layer.table.copy()
    table[:, 3] = np.rint(table[:, 3] * opacity)
    return Drawing(
        png=_finished(Layer(layer.levels, table), stamp, dpr, text),
        peak=float(len(drawn) > 0),
        peak_x_px=None,
        peak_y_px=None,
        scale_max=float(len(drawn) > 0),
        mass=float(len(drawn)),
        lost=float(len(dots) - inside),
        clipped=len(dots) - inside,
        width_px=width_px,
        height_px=height_px,
    )


def dots_drawn(dots: NDArray[Each]) -> NDArray[Each]:
    """All, or an even choice of them."""
    if len(dots) <= MOST_DOTS:
        return dots
    chosen = np.linspace(0, len(dots) - 1, MOST_DOTS).astype(int)
    return np.asarray(dots[chosen])


def _finished(layer: Layer, stamp: str | None, dpr: int, text: Mapping[str, str] | None) -> bytes:
    if stamp is not None:
        rows, columns = layer.levels.shape
        layer = merged(layer, stamp_layer(stamp, rows, columns, dpr))
    return alone(layer, text)


def draw_over(drawing: Drawing, marks: Over, told: Mapping[str, Any]) -> Drawing:
    """Lay lines and numbers over a picture of `told`."""
    size = {name: told[name] for name in ("width_px", "height_px", "dpr")}
    layers = []
    if marks.hidden_px:
        layers.append(hatch_layer(marks.hidden_px, **size))
    if marks.contours_px is not None and drawing.scale_max > 0:
        layers.append(_contours(drawing.scale_max, marks.contours_px, told))
    if marks.folds_px:
        layers.append(fold_layer(_fold_lines(marks.folds_px), **size))
    if marks.zones:
        layers.append(zone_layer(marks.zones, **size))
    png = drawing.png
    for layer in layers:
        png = over(png, layer)
    return replace(drawing, png=png)


def _contours(full: float, bandwidth_px: float, told: Mapping[str, Any]) -> Layer:
    width_px, height_px = int(told["width_px"]), int(told["height_px"])
    area_px2 = width_px * height_px
    cell_px = max(bandwidth_px / CELLS_PER_BANDWIDTH, math.sqrt(area_px2 / MOST_CELLS), 1.0)
    return contour_layer(
        _surface(told, Page(width_px, height_px), bandwidth_px, cell_px),
        solid=[share * full for share in CONTOUR_SHARES],
        width_px=width_px,
        height_px=height_px,
        cell_px=cell_px,
        dpr=told["dpr"],
    )


def _surface(told: Mapping[str, Any], page: Page, bandwidth_px: float, cell_px: float) -> Floats:
    """Heat at the centres of cells, as the map has it; of few marks by its definition."""
    given = told["points"], told["weights"], told["boxes"], told["box_weights"]
    if len(told["points"]) + len(told["boxes"]) <= FEW:
        return exact_density(gather(*given), page, *cell_centres(page, cell_px), bandwidth_px)
    return density(
        *given[:2],
        boxes_px=given[2],
        box_weights=given[3],
        width_px=page.width_px,
        height_px=page.height_px,
        bandwidth_px=bandwidth_px,
        cell_px=cell_px,
    )


def _fold_lines(folds_px: Sequence[float]) -> list[FoldLine]:
    """Labels are numbers alone, which every language reads."""
    return [
        FoldLine(y_px, f"{round(100 * share)} % · {round(y_px)} px", main=share == 0.5)
        for share, y_px in zip(FOLD_SHARES, folds_px, strict=True)
    ]
