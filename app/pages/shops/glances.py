"""A page seen from its shop: a small map, and in a sentence where visitors rest longest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.context import Context
from app.contrasting.question import least_of
from app.drawing.keeping import Keeping
from app.drawing.overlays import Picture
from app.joint import Part, told_of
from app.mapping.filters import MapQuery
from app.mapping.page_map import PageMap, ZoneHeat
from app.pages.look import SHIFT_STEPS, THUMB_HEIGHT
from app.problems import ApiProblem, TooFewVisits
from collector.sites import Page, Site

ON_PICTURE = MapQuery(kind="stall", picture="page")
WIREFRAME = MapQuery(kind="stall", marks="zones")
"""Of a page without a picture its zones stand for it."""

TooFew = Callable[[Mapping[str, Any]], Mapping[int, TooFewVisits]]
"""Pages that are known to have too few visits, by their numbers, once it is told what else is asked
of the shop: no row of theirs is read."""

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
    context: Context, site: Site, beside: Mapping[str, Part], too_few: TooFew
) -> tuple[dict[int, Glance | ApiProblem], Mapping[str, Any]]:
    """By page, and what else is asked along with what they rest on. Kept until the shop's data
    change, as all that its page tells beside it; so whoever looks at a busy shop draws its maps
    once a minute and not for each visitor that moves. What is refused is told as what refused it.
    """
    pages = list(site.pages.values())
    owners = _owners(context, site, pages)
    named = dict(zip(owners, pages, strict=True))
    told: Mapping[str, Any] | None = None

    async def make(names: list[str]) -> Mapping[str, Glance | ApiProblem]:
        nonlocal told
        lacking = [named[name] for name in names]
        found, told = await _glances(context, site, lacking, beside, too_few)
        return {name: found[named[name].page_id] for name in names}

    kept = await context.glances.get_all(owners, make)
    if told is None:  # nothing was made here
        told = await told_of(context.store, beside)
    return {named[name].page_id: found for name, found in kept.items()}, told


def _owners(context: Context, site: Site, pages: Iterable[Page]) -> dict[str, tuple[int, int]]:
    """By what each page's is kept under."""
    today, least = site.day_of(context.clock()), least_of(site)
    names = (f"{site.site_id} {site.state} {least} {page.page_id} {today}" for page in pages)
    return dict.fromkeys(names, (site.site_id, site.data_version))


_PICTURED = """
    SELECT DISTINCT page_id FROM layout WHERE site_id = $1 AND picture_hash IS NOT NULL
"""


def _pictured(site: Site) -> Mapping[str, Part]:
    return {"pictured": Part.rows(_PICTURED, site.site_id)}


async def _glances(
    context: Context,
    site: Site,
    pages: Sequence[Page],
    beside: Mapping[str, Part],
    too_few: TooFew,
) -> tuple[dict[int, Glance | ApiProblem], Mapping[str, Any]]:
    """Pages that have a picture on theirs."""

    def choose(told: Mapping[str, Any]) -> dict[int, MapQuery]:
        with_picture = {row["page_id"] for row in told["pictured"] or ()}
        shown = {page.page_id for page in pages} - too_few(told).keys()
        return {one: ON_PICTURE if one in with_picture else WIREFRAME for one in shown}

    # They are drawn for the small pictures anyway, and kept.
    drawn, told = await context.overlays.look_at_pages(
        context, site, pages, ON_PICTURE, {**beside, **_pictured(site)}, choose
    )
    found: dict[int, Glance | ApiProblem] = {**too_few(told)}
    for number, one in drawn.items():
        found[number] = one if isinstance(one, ApiProblem) else _glance(one)
    return found, told


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
    """A page that has a picture, but none that its visitors met, shows its zones too."""
    if found.layout is None:
        return "marks=zones" if found.marks else ""
    return "picture=page" if found.layout.picture_hash else "marks=zones"


def _shift(drawn: Picture) -> int:
    """How far down the hottest place lies, of what the small picture cannot show at once."""
    found, peak_px = drawn.found, drawn.drawing.peak_y_px
    shown_px = found.width_px * THUMB_HEIGHT
    hidden_px = found.height_px - shown_px
    if peak_px is None or hidden_px <= 0:
        return 0
    above = min(max((peak_px - shown_px / 2) / hidden_px, 0.0), 1.0)
    return round(SHIFT_STEPS * above)
