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
from app.pages.door import ContextDep, shop
from app.pages.labels import PHASES
from app.pages.queries import Counts, counts_by_page, ends_of_all
from app.pages.reading.few import FORESEEN_DAYS, days_until
from app.pages.rendering import page_response
from app.pages.shops.glances import Glance, glance
from app.pages.shops.home import along_the_journey
from app.pages.shops.opening import DAYS, opening
from app.pages.words import Words, words_for
from app.problems import TooFewApart, TooFewVisits
from collector.sites import Page, Site

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Card:
    """A page as it is listed; glance: None where its map may not be shown yet."""

    page: Page
    counts: Counts | None
    sentence: str
    glance: Glance | None = None


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
        found = await glance(context, site, page)
    except TooFewVisits as problem:
        return Card(page, own, _until(own, problem, today, words))
    return Card(page, own, stall_told(found, words), found)


def stall_told(found: Glance, words: Words) -> str:
    """Where visitors rest longest, in a sentence."""
    _, ngettext = words.catalogue.gettext, words.catalogue.ngettext
    if not found.views:
        return _("No page view in the last %(days)s days.") % {"days": DAYS}
    worst = found.worst
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
