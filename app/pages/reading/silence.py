"""Why a page shows nothing, and what to do: too narrow a choice, or a snippet that fell silent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.context import Context
from app.mapping.small_numbers import Choice, is_filtered
from app.pages.queries import Known, known_of
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


async def known_in(context: Context, site: Site, page: Page, period: tuple[date, date]) -> Known:
    """What is known of a page that has little to show in this period."""
    now = context.clock()
    # A collector whose clock is ahead may be in tomorrow already.
    lately = site.day_of(now - HEARD_WITHIN), site.day_of(now) + timedelta(days=1)
    return await known_of(context.store, (site.site_id, page.page_id), period, lately)


def silence(known: Known, query: Choice, now: datetime) -> Silence:
    """known: of everybody in the period that `query` asks for."""
    if is_filtered(query) and known.counts is not None:
        return narrowed(known.counts.views)
    return Silence(0, known.heard, quiet=known.heard is None or now - known.heard > QUIET)


def narrowed(views: int) -> Silence:
    """So many page views were there, and the filters choose them away."""
    return Silence(views, None, quiet=False)
