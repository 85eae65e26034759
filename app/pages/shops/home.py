"""The shops, each with what is found in a sentence or two; of a shop on trial what it just sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.context import Context
from app.contrasting.question import least_of
from app.pages.door import ContextDep, OwnerDep
from app.pages.labels import PHASES
from app.pages.queries import Counts, Recent, lately_of_all, recent_of
from app.pages.rendering import page_response
from app.pages.shops.opening import DAYS, Opening, openings_of, unsaid
from app.pages.shops.trial import Trial, trials
from app.pages.words import Words, words_for
from app.shops import list_sites
from collector.codes import Phase
from collector.sites import Page, Site

router = APIRouter()
VIEWS_SHOWN = 12
"""Of a shop on trial: what somebody who walks through the checkout did in the last minutes."""

FOLLOW_S = 5
"""How often the page is asked for again by whoever follows a trial; nobody does unless asked."""


@dataclass(frozen=True, slots=True)
class Shop:
    site: Site
    pages: tuple[Page, ...]
    counts: Mapping[int, Counts]
    gone: Mapping[int, int]
    opening: Opening
    threshold: int
    trials: tuple[Trial, ...]

    @property
    def most_visits(self) -> int:
        return max((counts.visits for counts in self.counts.values()), default=0)


@router.get("/")
async def shops(
    request: Request,
    context: ContextDep,
    account: OwnerDep,
    follow: Annotated[str | None, Query()] = None,
) -> Response:
    now = context.clock()
    seen = [site for site in await list_sites(context.store) if account.may("read", site.site_id)]
    words = words_for(request.headers.get("accept-language", ""))
    shown = {
        "shops": await _shops(context, seen, words),
        "now": now,
        "phases": PHASES,
        "days": DAYS,
        "follow": follow == "on",
        "follow_s": FOLLOW_S,
    }
    return page_response(request, "home.html.jinja", shown)


async def _shops(context: Context, sites: Sequence[Site], words: Words) -> list[Shop]:
    """However many there are, each question is asked once."""
    days = {site.site_id: site.day_of(context.clock()) for site in sites}
    recent = await recent_of(context.store, days, DAYS, unsaid(context, sites, words))
    openings = await openings_of(context, sites, words, recent)
    on_trial = [site for site in sites if site.state == "trying"]
    walked = await _walked(context, on_trial, days)
    return [
        Shop(
            site=site,
            pages=along_the_journey(site),
            counts=recent.counts.get(site.site_id, {}),
            gone=gone_from(site, recent),
            opening=openings[site.site_id],
            threshold=least_of(site),
            trials=walked.get(site.site_id, ()),
        )
        for site in sites
    ]


def along_the_journey(site: Site) -> tuple[Page, ...]:
    return tuple(sorted(site.pages.values(), key=lambda page: (page.phase, page.page_id)))


def gone_from(site: Site, recent: Recent) -> Mapping[int, int]:
    """By page, visits that went no further; of those before the order that enough visits met."""
    least, (ends, _) = least_of(site), recent.ends[site.site_id]
    counts = recent.counts.get(site.site_id, {})
    met = (page for page in site.pages.values() if page.page_id in counts)
    return {
        page.page_id: ends.gone.get(page.page_id, 0)
        for page in met
        if page.phase != Phase.DONE and counts[page.page_id].visits >= least
    }


async def _walked(
    context: Context, sites: Sequence[Site], days: Mapping[int, date]
) -> Mapping[int, tuple[Trial, ...]]:
    """By shop, what each of these just sent."""
    own = {site.site_id: days[site.site_id] for site in sites}
    sent = await lately_of_all(context.store, own, VIEWS_SHOWN)
    return {site.site_id: tuple(trials(site, *sent[site.site_id])[:VIEWS_SHOWN]) for site in sites}
