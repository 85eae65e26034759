"""The shops and their pages; of a shop on trial also what it just sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.context import Context
from app.mapping.maps import LIVE_THRESHOLD
from app.pages.door import ContextDep, OwnerDep
from app.pages.labels import PHASES
from app.pages.queries import Counts, counts_by_page, lately
from app.pages.rendering import page_response
from app.pages.trial import Trial, trials
from app.shops import list_sites
from collector.sites import Page, Site

router = APIRouter()
DAYS = 30
VIEWS_SHOWN = 12
"""Of a shop on trial: what somebody who walks through the checkout did in the last minutes."""

FOLLOW_S = 5
"""How often the page is asked for again by whoever follows a trial; nobody does unless asked."""


@dataclass(frozen=True, slots=True)
class Shop:
    site: Site
    pages: tuple[Page, ...]
    counts: Mapping[int, Counts]
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
    shown = {
        "shops": [await _shop(context, site) for site in seen],
        "now": now,
        "phases": PHASES,
        "threshold": LIVE_THRESHOLD,
        "days": DAYS,
        "follow": follow == "on",
        "follow_s": FOLLOW_S,
    }
    return page_response(request, "home.html.jinja", shown)


async def _shop(context: Context, site: Site) -> Shop:
    """Yesterday's signals count too: around midnight a trial has two days."""
    today = site.day_of(context.clock())
    first = today - timedelta(days=DAYS - 1)
    return Shop(
        site=site,
        pages=tuple(sorted(site.pages.values(), key=lambda page: (page.phase, page.page_id))),
        counts=await counts_by_page(context.store, site.site_id, first, today),
        trials=await _trials(context, site) if site.state == "trying" else (),
    )


async def _trials(context: Context, site: Site) -> tuple[Trial, ...]:
    today = site.day_of(context.clock())
    beacons, batches = await lately(
        context.store, site.site_id, today - timedelta(days=1), today, VIEWS_SHOWN
    )
    return tuple(trials(site, beacons, batches)[:VIEWS_SHOWN])
