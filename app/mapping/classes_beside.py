"""The days beside a coloured map: what its classes differ by from those of a map a day longer."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from app.folding.raw import Span, views_of_pages
from app.mapping.classes import Classes
from app.mapping.ends import Ends, needs_ends
from app.mapping.filters import MapQuery
from collector.sites import Page, Site

DAY = timedelta(days=1)


async def take_days_beside(
    connection: Any,
    site: Site,
    page: Page,
    query: MapQuery,
    classes: Classes,
    period: tuple[date, date],
) -> None:
    """Tell `classes` of the day before the period and of the one after it.

    Of a day of which only sums are left nobody is told: who asks for it by class is refused.
    """
    before, after = period[0] - DAY, period[1] + DAY
    stays = [(page.page_id, (day, day)) for day in (before, after)]
    span, ended = Span.of(site, before, after), needs_ends(site, query)
    async for _, closed, read in views_of_pages(connection, span, stays, ended=ended):
        ends = Ends(site, query, closed)
        classes.outcomes = closed.outcomes
        classes.take_beside(ends.taken(read), ends.visit_of, ends.ended)
