"""What a drawing process is told of a map, and what it makes of that.

An order is plain values that travel between processes, and decides every byte of the picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import IntEnum
from typing import Any

from app.drawing.painting import (
    Over,
    draw_confetti,
    draw_over,
    draw_zones,
    zone_frames,
    zone_values,
)
from app.drawing.states import RENDERER
from app.mapping.audience import Audience
from app.mapping.filters import PLACELESS
from app.mapping.page_map import PageMap, summary
from app.mapping.small_numbers import filters_of
from heatmap.drawing import Drawing, draw
from heatmap.legend import Legend, with_legend
from heatmap.marks import gather
from heatmap.png import laid_over, noted
from heatmap.reach import draw_reach

STAMP = "TEST"
"""Across the picture of a shop on trial."""


def options(found: PageMap, of_shop: Audience) -> dict[str, Any]:
    """Everything that decides the picture's bytes, in plain values that travel to a process."""
    query = found.query
    over = Over(
        contours_px=found.bandwidth_px if "contours" in query.drawn_over else None,
        folds_px=found.folds_px,
        zones=zone_frames(found) if "zones" in query.drawn_over else (),
        hidden_px=tuple(box.edges_px for box in found.frames if query.kind not in PLACELESS),
    )
    common: dict[str, Any] = {
        "width_px": found.width_px,
        "height_px": found.height_px,
        "palette": query.palette,
        "dpr": query.dpr,
        "stamp": STAMP if found.trying else None,
        "text": _text(found, of_shop),
        "over": over,
    }
    if query.opacity is not None:
        common["opacity"] = query.opacity
    if query.kind == "scroll":
        return {"depths": list(found.depths_px), **common}
    if query.style == "zones":
        zones = zone_values(found)
        return {"zones": zones, "scale": query.scale, "scale_max": query.scale_max, **common}
    if query.style == "confetti":
        del common["palette"]
        return {"dots": found.dots, "colours": found.dot_colours, **common}
    return {
        "points": found.points,
        "weights": found.point_weights,
        "boxes": list(found.boxes),
        "box_weights": list(found.box_weights),
        "bandwidth_px": found.bandwidth_px,
        "scale": query.scale,
        "scale_max": query.scale_max,
        **common,
    }


def _text(found: PageMap, of_shop: Audience) -> Mapping[str, str]:
    """What the file says of itself when it lies in somebody's presentation."""
    told = summary(found)
    names = (
        "site",
        "page",
        "layout",
        "kind",
        "unit",
        "visits",
        "page_views",
        "date_from",
        "date_to",
        "bandwidth_px",
    )
    about = {f"gloed:{name}": str(told[name]) for name in names}
    chosen = filters_of(found.query).items()
    about |= {
        "gloed:filters": ", ".join(f"{name}={_plain(value)}" for name, value in chosen) or "none",
        "gloed:scale": found.query.scale,
        "gloed:scale_unit": found.scale_unit,
        "gloed:counted": of_shop.told,
    }
    return {"Software": f"Gloed {RENDERER}", **about}


def _plain(value: Any) -> str:
    """As a request has it."""
    return value.name.lower() if isinstance(value, IntEnum) else str(value)


def paint(told: dict[str, Any]) -> Drawing:
    """Runs in a drawing process."""
    given = dict(told)
    over = given.pop("over")
    if "depths" in given:
        drawing = draw_reach(given.pop("depths"), **given)
    elif "zones" in given:
        drawing = draw_zones(given.pop("zones"), **given)
    elif "dots" in given:
        drawing = draw_confetti(given.pop("dots"), **given)
    else:
        marks = gather(
            given.pop("points"), given.pop("weights"), given.pop("boxes"), given.pop("box_weights")
        )
        drawing = draw(marks, **given)
    drawing = draw_over(drawing, over, told)
    # As heatmap.json prints it: a picture in a presentation tells what to compare it by.
    return replace(drawing, png=noted(drawing.png, {"gloed:scale_max": repr(drawing.scale_max)}))


def ground(drawing: Drawing, under: bytes | None, kind: str) -> Drawing:
    """Lay the drawing on the page's picture, or on white; runs in a drawing process too.

    kind  `page`, `white`, or `none` for nothing
    """
    return drawing if kind == "none" else replace(drawing, png=laid_over(under, drawing.png))


def explain(drawing: Drawing, legend: Legend, dpr: int) -> Drawing:
    """Put the legend under the picture; runs in a drawing process too."""
    return replace(drawing, png=with_legend(drawing.png, legend, dpr=dpr))
