"""Why a page shows nothing, and what to do: too narrow a choice, or a snippet that fell silent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.context import Context
from app.mapping.filters import MapQuery
from app.mapping.small_numbers import is_filtered
from app.pages.queries import counts_by_page, last_heard
from collector.sites import Page, Site

HEARD_WITHIN = timedelta(days=30)
"""As long as single signals are kept where nothing else is set."""

QUIET = timedelta(days=1)
"""A shop that sells hears of a page in less; after that something is broken, or gone."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Why nothing is shown.

    narrow  page views of the period that the filters choose away; 0 where it is not the filters
    heard   when the page last told of a view, None where it did not within HEARD_WITHIN
    quiet   whether that is so long ago that the snippet is to be looked after
    """

    narrow: int
    heard: datetime | None
    quiet: bool


async def silence(
    context: Context, site: Site, page: Page, query: MapQuery, period: tuple[date, date]
) -> Silence:
    now = context.clock()
    if is_filtered(query):
        counts = (await counts_by_page(context.store, site.site_id, *period)).get(page.page_id)
        if counts is not None:
            return Silence(counts.views, None, quiet=False)
    heard = await last_heard(context.store, site.site_id, site.day_of(now - HEARD_WITHIN))
    at = heard.get(page.page_id)
    return Silence(0, at, quiet=at is None or now - at > QUIET)
