"""A page seen from its shop: a small map, and in a sentence where visitors rest longest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from app.context import Context
from app.contrasting.question import least_of
from app.drawing.keeping import Keeping
from app.drawing.overlays import Picture, etag
from app.mapping.filters import MapQuery
from app.mapping.maps import PageMap, ZoneHeat
from app.pages.look import SHIFT_STEPS, THUMB_HEIGHT
from app.picturing.layouts import layouts_of
from collector.sites import Page, Site

ON_PICTURE = MapQuery(kind="stall", picture="page")
WIREFRAME = MapQuery(kind="stall", marks="zones")
"""Of a page without a picture its zones stand for it."""

GLANCE_BYTES = 1024
KEPT_BYTES = 1024 * GLANCE_BYTES


@dataclass(frozen=True, slots=True)
class Glance:
    """What a map says at a glance.

    worst    the zone where visitors rest longest, if any tells of it
    image    what to ask of heatmap.png; empty where there is nothing to see yet
    shifted  steps of SHIFT_STEPS by which the picture lies lower than its top, so that what is
             hottest shows
    """

    views: int
    worst: ZoneHeat | None
    image: str
    size_px: tuple[int, int]
    shifted: int


def kept_glances() -> Keeping[Glance]:
    return Keeping(KEPT_BYTES, lambda _: GLANCE_BYTES)


async def glance(context: Context, site: Site, page: Page) -> Glance:
    """Kept until the shop's data change, as all that its page tells beside it; so whoever looks at
    a busy shop draws its maps once a minute and not for each visitor that moves.

    Raises TooFewVisits.
    """
    today, least = site.day_of(context.clock()), least_of(site)
    name = f"{site.site_id} {site.state} {least} {page.page_id} {today}"
    make = partial(_glance, context, site, page)
    return await context.glances.get(name, make, shop=site.site_id, version=site.data_version)


async def _glance(context: Context, site: Site, page: Page) -> Glance:
    layouts = await layouts_of(context.store, site, page.page_id)
    pictured = any(layout.picture_hash for layout in layouts)
    drawn = await _drawn(context, site, page, ON_PICTURE if pictured else WIREFRAME)
    if pictured and not (drawn.found.layout and drawn.found.layout.picture_hash):
        drawn = await _drawn(context, site, page, WIREFRAME)
    found = drawn.found
    return Glance(
        views=found.views,
        worst=next((zone for zone in found.zones if zone.total > 0), None),
        image=_image(found),
        size_px=(found.width_px, found.height_px),
        shifted=_shift(drawn),
    )


async def _drawn(context: Context, site: Site, page: Page, query: MapQuery) -> Picture:
    """The map that the small picture is: drawn for it anyway, and kept."""
    name = await etag(context, site, page, query)
    return await context.overlays.picture(context, site, page, query, name)


def _image(found: PageMap) -> str:
    if found.layout is None and not found.marks:
        return ""
    return "picture=page" if found.query == ON_PICTURE else "marks=zones"


def _shift(drawn: Picture) -> int:
    """How far down the hottest place lies, of what the small picture cannot show at once."""
    found, peak_px = drawn.found, drawn.drawing.peak_y_px
    shown_px = found.width_px * THUMB_HEIGHT
    hidden_px = found.height_px - shown_px
    if peak_px is None or hidden_px <= 0:
        return 0
    above = min(max((peak_px - shown_px / 2) / hidden_px, 0.0), 1.0)
    return round(SHIFT_STEPS * above)
