"""One shop: what is found in it, and its pages in the order of the journey, each as a small map
with the stall that holds visitors longest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from app.context import Context
from app.contrasting.question import least_of
from app.drawing.overlays import Picture, etag
from app.mapping.filters import MapQuery
from app.mapping.maps import PageMap
from app.pages.door import ContextDep, shop
from app.pages.home import along_the_journey
from app.pages.labels import PHASES
from app.pages.look import SHIFT_STEPS, THUMB_HEIGHT
from app.pages.maps import FORESEEN_DAYS, days_until
from app.pages.opening import DAYS, opening
from app.pages.queries import Counts, counts_by_page, ends_of_all
from app.pages.rendering import page_response
from app.pages.words import Words, words_for
from app.problems import TooFewApart, TooFewVisits
from collector.sites import Page, Site

router = APIRouter()
ON_PICTURE = MapQuery(kind="stall", picture="page")
WIREFRAME = MapQuery(kind="stall", marks="zones")
"""Of a page without a picture its zones stand for it."""


@dataclass(frozen=True, slots=True)
class Card:
    """A page as it is listed; image and size_px: None where there is nothing to see yet."""

    page: Page
    counts: Counts | None
    sentence: str
    image: str | None = None
    size_px: tuple[int, int] | None = None
    shifted: int = 0
    """Steps of SHIFT_STEPS by which the picture lies lower than its top, so that what is hottest
    shows."""


@router.get("/sites/{key}")
async def site_page(
    request: Request, context: ContextDep, site: Annotated[Site, Depends(shop)]
) -> Response:
    words = words_for(request.headers.get("accept-language", ""))
    today = site.day_of(context.clock())
    first = today - timedelta(days=DAYS - 1)
    days = {site.site_id: today}
    counts = await counts_by_page(context.store, site.site_id, first, today)
    ends = await ends_of_all(context.store, days, DAYS)
    shown = {
        "site": site,
        "days": DAYS,
        "phases": PHASES,
        "opening": await opening(context, site, ends[site.site_id], counts, words),
        "cards": [
            await _card(context, site, page, counts, words) for page in along_the_journey(site)
        ],
    }
    return page_response(request, "site.html.jinja", shown)


async def _card(
    context: Context, site: Site, page: Page, counts: Mapping[int, Counts], words: Words
) -> Card:
    own, least = counts.get(page.page_id), least_of(site)
    today = site.day_of(context.clock())
    visits = own.visits if own else 0
    if site.state == "live" and visits < least:  # known before anything is read
        return Card(page, own, _until(own, TooFewVisits(visits, least), today, words))
    try:
        drawn = await _drawn(context, site, page, ON_PICTURE)
        if drawn.found.layout is None or not drawn.found.layout.picture_hash:
            drawn = await _drawn(context, site, page, WIREFRAME)
    except TooFewVisits as problem:
        return Card(page, own, _until(own, problem, today, words))
    found = drawn.found
    if found.layout is None and not found.marks:
        return Card(page, own, stall_told(found, words))
    image = "picture=page" if found.query is ON_PICTURE else "marks=zones"
    size_px = found.width_px, found.height_px
    return Card(page, own, stall_told(found, words), image, size_px, _shift(drawn))


async def _drawn(context: Context, site: Site, page: Page, query: MapQuery) -> Picture:
    """The map that the small picture is: drawn for it anyway, and kept."""
    name = await etag(context, site, page, query)
    return await context.overlays.picture(context, site, page, query, name)


def _shift(drawn: Picture) -> int:
    """How far down the hottest place lies, of what the small picture cannot show at once."""
    found, peak_px = drawn.found, drawn.drawing.peak_y_px
    shown_px = found.width_px * THUMB_HEIGHT
    hidden_px = found.height_px - shown_px
    if peak_px is None or hidden_px <= 0:
        return 0
    above = min(max((peak_px - shown_px / 2) / hidden_px, 0.0), 1.0)
    return round(SHIFT_STEPS * above)


def stall_told(found: PageMap, words: Words) -> str:
    """Where visitors rest longest, in a sentence."""
    _, ngettext = words.catalogue.gettext, words.catalogue.ngettext
    if not found.views:
        return _("No page view in the last %(days)s days.") % {"days": DAYS}
    worst = next((zone for zone in found.zones if zone.total > 0), None)
    if worst is None:
        return _("No stall at a zone was told of.")
    return ngettext(
        "Longest at %(zone)s: %(seconds)s s per visit, told by %(n)s visit.",
        "Longest at %(zone)s: %(seconds)s s per visit, told by %(n)s visits.",
        worst.visits,
    ) % {
        "zone": worst.name,
        "seconds": words.number(worst.total, 1),
        "n": words.number(worst.visits),
    }


def _until(counts: Counts | None, problem: TooFewVisits, today: date, words: Words) -> str:
    _, ngettext = words.catalogue.gettext, words.catalogue.ngettext
    if counts is None:
        return _("No page view in the last %(days)s days.") % {"days": DAYS}
    if isinstance(problem, TooFewApart) or problem.missing is None or not problem.visits:
        return _("Too few visits for a map.")
    told = ngettext(
        "%(n)s more visit, and its map is shown",
        "%(n)s more visits, and its map is shown",
        problem.missing,
    ) % {"n": words.number(problem.missing)}
    wait = timedelta(days_until(problem, counts.first_day, today))
    if wait > timedelta(FORESEEN_DAYS):
        return f"{told}."
    return _("%(told)s, at this pace about %(day)s.") % {
        "told": told,
        "day": words.day(today + wait),
    }
