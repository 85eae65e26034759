"""A page seen from its shop: a small map, and in a sentence where visitors rest longest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.context import Context
from app.contrasting.question import least_of
from app.drawing.keeping import Keeping
from app.drawing.overlays import Picture, State, state_of
from app.joint import Part
from app.mapping.filters import MapQuery
from app.mapping.maps import PageMap, ZoneHeat
from app.pages.look import SHIFT_STEPS, THUMB_HEIGHT
from app.problems import ApiProblem
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


async def glances(
    context: Context, site: Site, pages: Iterable[Page]
) -> dict[int, Glance | ApiProblem]:
    """By page. Kept until the shop's data change, as all that its page tells beside it; so whoever
    looks at a busy shop draws its maps once a minute and not for each visitor that moves. What is
    refused is told as what refused it.
    """
    today, least = site.day_of(context.clock()), least_of(site)
    named = {f"{site.site_id} {site.state} {least} {page.page_id} {today}": page for page in pages}
    owners = dict.fromkeys(named, (site.site_id, site.data_version))

    async def make(names: list[str]) -> Mapping[str, Glance | ApiProblem]:
        found = await _glances(context, site, [named[name] for name in names])
        return {name: found[named[name].page_id] for name in names}

    told = await context.glances.get_all(owners, make)
    return {named[name].page_id: found for name, found in told.items()}


_PICTURED = """
    SELECT DISTINCT page_id FROM layout WHERE site_id = $1 AND picture_hash IS NOT NULL
"""


async def _glances(
    context: Context, site: Site, pages: Sequence[Page]
) -> dict[int, Glance | ApiProblem]:
    """Pages that have a picture on theirs; if it turns out to be none that their visitors met, once
    more without."""
    pictured = {"pictured": Part.rows(_PICTURED, site.site_id)}
    state, told = await state_of(context, site, ON_PICTURE, pictured)
    with_picture = {row["page_id"] for row in told["pictured"] or ()}
    asked = [(one, ON_PICTURE if one.page_id in with_picture else WIREFRAME) for one in pages]
    drawn = await _drawn(context, site, state, asked)
    bare = [
        (page, WIREFRAME)
        for page, query in asked
        if query is ON_PICTURE and not _is_pictured(drawn[page.page_id])
    ]
    drawn |= await _drawn(context, site, state, bare)
    return {
        page_id: one if isinstance(one, ApiProblem) else _glance(one)
        for page_id, one in drawn.items()
    }


def _is_pictured(drawn: Picture | ApiProblem) -> bool:
    """A refusal is none of the picture's."""
    if isinstance(drawn, ApiProblem):
        return True
    return bool(drawn.found.layout and drawn.found.layout.picture_hash)


async def _drawn(
    context: Context, site: Site, state: State, asked: Iterable[tuple[Page, MapQuery]]
) -> dict[int, Picture | ApiProblem]:
    """The maps that the small pictures are: drawn for them anyway, and kept."""
    named = {state.etag(page, query): (page, query) for page, query in asked}
    drawn = await context.overlays.pictures(context, site, named)
    return {named[name][0].page_id: one for name, one in drawn.items()}


def _glance(drawn: Picture) -> Glance:
    found = drawn.found
    return Glance(
        views=found.views,
        worst=next((zone for zone in found.zones if zone.total > 0), None),
        image=_image(found),
        size_px=(found.width_px, found.height_px),
        shifted=_shift(drawn),
    )


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
