"""One page's map: the form, the picture, and beside it everything the picture says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from app.changes import changes_asked, changes_in, changes_on
from app.context import Context
from app.drawing.overlays import Picture
from app.drawing.painting import CONTOUR_SHARES, MOST_DOTS
from app.links import own_url
from app.mapping.filters import PLACELESS, TIMED
from app.mapping.folds import FOLD_SHARES
from app.mapping.page_map import PageMap, per_visit
from app.mapping.small_numbers import is_filtered
from app.pages.desk import RightsDep
from app.pages.door import ContextDep, shop
from app.pages.labels import DROPS, KINDS
from app.pages.reading.around import around
from app.pages.reading.asked import PERIOD, Asked, area_of, plainly, read_asked
from app.pages.reading.few import dropped_labels, few_of
from app.pages.reading.silence import known_in, narrowed, silence
from app.pages.reading.tabs import map_view
from app.pages.rendering import page_response
from app.picturing.layouts import Layout, layouts_of
from app.problems import BadParameters, NotFound, TooFewVisits
from collector.sites import Page, Site
from collector.wire import BAND_PX, DWELL_STEPS_S, HELD_MAX_S, SCROLL_STEP_PX
from heatmap.bandwidth import MAX_BANDWIDTH_PX, MIN_BANDWIDTH_PX
from heatmap.colours import names as palettes
from heatmap.page import MAX_PIXELS
from heatmap.reach import reach_rows

router = APIRouter()
REACH_AT = (0.25, 0.5, 0.75, 1.0)
"""Depths whose reach is told, as shares of the page's height."""

BANDWIDTH_STEPS_PX = (12, 24, 40, 64, 100)
"""Offered beside whatever is typed: from a small control to a column of text."""


@router.get("/sites/{key}/pages/{slug}")
async def map_page(
    request: Request,
    slug: str,
    context: ContextDep,
    site: Annotated[Site, Depends(shop)],
    rights: RightsDep,
) -> Response:
    if slug not in site.pages:
        raise NotFound("no such page of this shop")
    page = site.pages[slug]
    asked = read_asked(request.query_params.multi_items())
    shown: dict[str, Any] = {
        "asked": asked,
        "url": own_url(context.settings),
        **around(site, page, rights, asked.everything, map_view(asked.given)),
    }
    try:
        if asked.query is not None:
            shown["period"] = asked.query.period(site.day_of(context.clock()))
            return await _answer(request, context, site, page, asked, shown)
    except BadParameters as problem:
        named = tuple(pointer.removeprefix("/") for pointer, _ in problem.errors)
        shown["asked"] = replace(asked, query=None, wrong=named or (PERIOD,))
    layouts = await layouts_of(context.store, site, page.page_id)
    return _page(request, {**shown, **_choices(layouts)}, 422)


async def _answer(
    request: Request,
    context: Context,
    site: Site,
    page: Page,
    asked: Asked,
    shown: dict[str, Any],
) -> Response:
    assert asked.query is not None
    written = {"changes": changes_asked(site, page)}
    period: tuple[date, date] = shown["period"]
    drawn, beside = await context.overlays.look(context, site, page, asked.query, written)
    if isinstance(drawn, TooFewVisits):
        few = await few_of(context, site, page, asked.query, period, drawn)
        return _page(request, {**shown, **_choices(drawn.layouts), "few": few})
    found = drawn.found
    told = {**_choices(found.layouts), **_told(asked, drawn)}
    if shown["at_home"]:
        # In the shop's own words, and so for nobody who only holds a link.
        told["changes"] = changes_on(changes_in(beside["changes"]), site, *period)
    period = found.date_from, found.date_to
    told["audience"] = drawn.of_shop
    if not found.views and is_filtered(asked.query) and found.everybody:
        told["silence"] = narrowed(found.everybody)
    elif not found.views:
        known = await known_in(context, site, page, period)
        told["dropped"] = dropped_labels(known.dropped)
        told["silence"] = silence(known, asked.query, context.clock())
    return _page(request, {**shown, **told})


def _page(request: Request, shown: dict[str, Any], status: int = 200) -> Response:
    nothing = {
        "changes": (),
        "drop_labels": DROPS,
        "few": None,
        "silence": None,
        "found": None,
        "period": ("", ""),
        "dropped": (),
        "fits": False,
    }
    return page_response(request, "map.html.jinja", {**nothing, **shown}, status)


def _choices(layouts: Sequence[Layout]) -> dict[str, Any]:
    return {
        "kinds": KINDS,
        "placeless": PLACELESS,
        "palettes": palettes(),
        "bandwidths_px": (MIN_BANDWIDTH_PX, MAX_BANDWIDTH_PX),
        "bandwidth_steps_px": BANDWIDTH_STEPS_PX,
        "layouts": [(layout_name(layout), layout, new) for layout, new in _by_age(layouts)],
    }


def _by_age(layouts: Sequence[Layout]) -> list[tuple[Layout, bool]]:
    """Present layouts from narrow to wide, then those that others took the place of."""
    seen: set[tuple[Any, ...]] = set()
    told = []
    for layout in layouts:
        place = (layout.band, layout.pointer, layout.language, layout.variant)
        told.append((layout, place not in seen))
        seen.add(place)
    return sorted(told, key=lambda one: (not one[1], one[0].width_px, one[0].pointer))


def layout_name(layout: Layout) -> str:
    """As the API calls it."""
    return f"{layout.layout_id & (2**64 - 1):016x}"


def _told(asked: Asked, drawn: Picture) -> dict[str, Any]:
    found, drawing = drawn.found, drawn.drawing
    area = 1 if found.query.kind == "scroll" else area_of(found.query)
    name = f"gloed-{found.page.slug}-{found.query.kind}-{found.date_from}-{found.date_to}"
    return {
        "found": found,
        "drawing": drawing,
        "full_colour": drawing.scale_max * area_told(found),
        "style": found.query.style,
        "by_visit": per_visit(found.query),
        "estimated": found.query.kind == "stall" and found.scriptless,
        "clock_steps_s": [step for step in DWELL_STEPS_S if step < HELD_MAX_S],
        "scroll_step_px": SCROLL_STEP_PX,
        "fits": found.fits,
        "something": drawing.peak > 0,
        "contour_shares": CONTOUR_SHARES,
        "fold_shares": FOLD_SHARES,
        "dots": min(len(found.dots), MOST_DOTS),
        "same_scale": asked.again(full_colour=plainly(drawing.scale_max * area)),
        "hottest": max((zone.total for zone in found.zones), default=0.0),
        "reach": _reach(found),
        "layout_used": layout_name(found.layout) if found.layout else None,
        "has_picture": bool(found.layout and found.layout.picture_hash),
        "timed": found.query.kind in TIMED,
        "in_view": (in_view := _in_view(found)),
        "most_in_view": max((seconds for _, _, seconds in in_view), default=0.0),
        "image": asked.address(picture="page"),
        "overlay": asked.address(picture="none"),
        "file": name,
        "numbers": asked.address(),
        "sharp": 4 * found.width_px * found.height_px <= MAX_PIXELS,
    }


def area_told(found: PageMap) -> int:
    """The px² that the amount of full colour is told for; a part of the page is told as a whole."""
    if found.query.kind == "attention":
        return found.width_px * BAND_PX
    return area_of(found.query) if found.query.kind != "scroll" else 1


def _in_view(found: PageMap) -> list[tuple[float, float, float]]:
    """Upper and lower edge of each part of the page, and seconds in view, downwards."""
    if found.query.kind != "attention":
        return []
    seconds: defaultdict[tuple[float, float], float] = defaultdict(float)
    for (_, top, _, bottom), weight in zip(found.boxes, found.box_weights, strict=True):
        seconds[top, bottom] += weight
    return [(*edges, told) for edges, told in sorted(seconds.items())]


def _reach(found: PageMap) -> list[tuple[float, int, float]]:
    """Share of the height, the row there, and the share of views that saw it."""
    if found.query.kind != "scroll" or not found.depths_px:
        return []
    rows = reach_rows(np.array(found.depths_px), found.height_px)
    at = [(share, max(1, round(share * found.height_px))) for share in REACH_AT]
    return [(share, row, float(rows[row - 1])) for share, row in at]
