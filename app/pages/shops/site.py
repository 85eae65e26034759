"""One shop: what is found in it, and its pages in the order of the journey, each as a small map
with the stall that holds visitors longest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from app.contrasting.question import least_of
from app.pages.door import ContextDep, shop
from app.pages.labels import PHASES
from app.pages.queries import Counts
from app.pages.reading.few import FORESEEN_DAYS, days_until
from app.pages.rendering import page_response
from app.pages.shops.glances import Glance, beside_of, glances
from app.pages.shops.home import along_the_journey, gone_from
from app.pages.shops.opening import DAYS, recent_and_openings
from app.pages.words import Words, words_for
from app.problems import ApiProblem, TooFewApart, TooFewVisits
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
    recent, openings = await recent_and_openings(context, [site], words, beside_of(context, site))
    counts = recent.counts.get(site.site_id, {})
    pages = along_the_journey(site)
    shown_pages = [page for page in pages if _may_show(site, page, counts)]
    seen = await glances(context, site, shown_pages, recent.beside)
    today = site.day_of(context.clock())
    shown = {
        "site": site,
        "days": DAYS,
        "phases": PHASES,
        "opening": openings[site.site_id],
        "gone": gone_from(site, recent),
        "cards": [
            _card(site, page, counts, seen.get(page.page_id), today, words) for page in pages
        ],
    }
    return page_response(request, "site.html.jinja", shown)


def _may_show(site: Site, page: Page, counts: Mapping[int, Counts]) -> bool:
    """What is known before anything is read."""
    return site.state != "live" or _visits(counts.get(page.page_id)) >= least_of(site)


def _visits(counts: Counts | None) -> int:
    return counts.visits if counts else 0


def _card(
    site: Site,
    page: Page,
    counts: Mapping[int, Counts],
    found: Glance | ApiProblem | None,
    today: date,
    words: Words,
) -> Card:
    """found: None of a page that is known to have too few visits."""
    own = counts.get(page.page_id)
    if found is None:
        found = TooFewVisits(_visits(own), least_of(site))
    if isinstance(found, TooFewVisits):
        return Card(page, own, _until(own, found, today, words))
    if isinstance(found, ApiProblem):
        raise found
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
        "Longest at %(zone)s: %(seconds)s s per visit, measured in %(n)s visit.",
        "Longest at %(zone)s: %(seconds)s s per visit, measured in %(n)s visits.",
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
