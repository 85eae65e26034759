"""How much of a page windows show before anybody scrolls, from the views that are closed."""

from __future__ import annotations

from datetime import date

import numpy as np

from app.mapping.filters import MapQuery
from app.picturing.layouts import Layout
from app.store import Store
from heatmap.fold import fold_quartiles

FOLD_SHARES = (0.25, 0.5, 0.75)
"""Shares of the page views whose windows end at or above the fold lines."""

_HEIGHTS = """
    SELECT viewport_height_px AS height_px, count(*) AS n FROM view
    WHERE site_id = $1 AND page_id = $2 AND day BETWEEN $3 AND $4 AND viewport_height_px > 0
    AND ($5::int IS NULL OR band = $5) AND ($6::int IS NULL OR device = $6)
    AND ($7::int IS NULL OR browser = $7) AND ($8::int IS NULL OR os = $8)
    AND ($9::int IS NULL OR language = $9) AND ($10::int IS NULL OR captures & (1 << $10::int) > 0)
    AND coalesce(viewport_width_px, 0) BETWEEN coalesce($11::int, 0)
        AND coalesce($12::int, 32767)
    AND ($13::int IS NULL OR EXISTS (
        SELECT FROM visit WHERE visit.site_id = $1 AND visit.visit_id = view.visit_id
        AND visit.day BETWEEN view.day - 1 AND view.day AND outcome = $13))
    GROUP BY 1
"""


async def fold_lines(
    store: Store,
    key: tuple[int, int],
    period: tuple[date, date],
    query: MapQuery,
    layout: Layout | None,
) -> tuple[float, ...]:
    """Page px of the fold for FOLD_SHARES of the views that the query chooses; () if none told.

    key      shop and page
    layout   whose width band the views must share: another width folds another page
    """
    of = query.device, query.browser, query.os, query.language, query.capture
    asked = (
        *(None if code is None else int(code) for code in of),
        query.viewport_width_min,
        query.viewport_width_max,
        None if query.outcome is None else int(query.outcome),
    )
    band = layout.band if layout else None
    rows = await store.fetch(_HEIGHTS, *key, *period, band, *asked)
    heights = np.repeat([row["height_px"] for row in rows], [row["n"] for row in rows])
    return fold_quartiles(heights) or ()
