"""The days beside a coloured map: what its classes differ by from those of a map a day longer."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from app.folding.raw import Span, page_view_chunks
from app.folding.seen import Seen
from app.mapping.classes import Classes
from app.mapping.filters import MapQuery
from app.mapping.seeing import ended_as, shut_out, visit_ids
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
    for day in (period[0] - DAY, period[1] + DAY):
        span, page_id = Span.of(site, day, day), page.page_id
        ids = await visit_ids(connection, span, page_id)
        ended = await ended_as(connection, span, page_id, query.outcome)
        out = await shut_out(connection, site, span, page_id)
        await classes.look_up(connection, span, page_id)

        def visit_of(view: Seen, ids: dict[tuple[date, int], int] = ids) -> int:
            return ids.get((view.day, view.view_id), view.visitor)

        async for read in page_view_chunks(connection, span, page_id):
            views = [view for view in read if (view.day, view.view_id) not in out]
            classes.take_beside(views, visit_of, ended)
