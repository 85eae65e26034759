"""One shop: what is found in it, and its pages in the order of the journey, each as a small map
with the stall that holds visitors longest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from app.contrasting.question import least_of
from app.pages.door import ContextDep, shop
from app.pages.labels import PHASES
from app.pages.queries import Counts, recent_asked, recent_in
from app.pages.reading.few import FORESEEN_DAYS, days_until
from app.pages.rendering import page_response
from app.pages.shops.glances import Glance, glances
from app.pages.shops.home import along_the_journey, gone_from
from app.pages.shops.opening import DAYS, openings_of, unsaid
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
    today = site.day_of(context.clock())
    days = {site.site_id: today}
    lately = recent_asked(days, DAYS, unsaid(context, [site], words))

    def too_few(told: Mapping[str, Any]) -> Mapping[int, TooFewVisits]:
        return _too_few(site, recent_in(days, told).counts.get(site.site_id, {}))

    seen, told = await glances(context, site, lately, too_few)
    recent = recent_in(days, told)
    counts = recent.counts.get(site.site_id, {})
    seen = {**seen, **_too_few(site, counts)}
    openings = await openings_of(context, [site], words, recent)
    shown = {
        "site": site,
        "days": DAYS,
        "phases": PHASES,
        "opening": openings[site.site_id],
        "gone": gone_from(site, recent),
        "cards": [
            _card(page, counts.get(page.page_id), seen[page.page_id], today, words)
            for page in along_the_journey(site)
        ],
    }
    return page_response(request, "site.html.jinja", shown)


def _too_few(site: Site, counts: Mapping[int, Counts]) -> dict[int, TooFewVisits]:
    """Pages whose map may not be shown, as far as is known before anything is read."""
    if site.state != "live":
        return {}
    met = {number: counts[number].visits if number in counts else 0 for number in _numbers(site)}
    least = least_of(site)
    return {number: TooFewVisits(n, least) for number, n in met.items() if n < least}


def _numbers(site: Site) -> Iterator[int]:
    return (page.page_id for page in site.pages.values())


def _card(
    page: Page, own: Counts | None, found: Glance | ApiProblem, today: date, words: Words
) -> Card:
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
