"""How much of a page windows show before anybody scrolls, from the views that are closed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

import numpy as np

from app.joint import Part
from app.mapping.filters import MapQuery
from app.mapping.sources import SEALED_DAYS, tiles_know
from app.picturing.layouts import Layout
from heatmap.fold import fold_quartiles

FOLD_SHARES = (0.25, 0.5, 0.75)
"""Shares of the page views whose windows end at or above the fold lines."""

Heights = Iterable[Mapping[str, int]]
"""By width band and height of the window, how many views had such a one."""

_HEIGHTS = """
    SELECT band, viewport_height_px AS height_px, count(*) AS n FROM view
    WHERE site_id = $1 AND page_id = $2 AND day BETWEEN $3 AND $4 AND viewport_height_px > 0
    AND ($5::int IS NULL OR device = $5)
    AND ($6::int IS NULL OR browser = $6) AND ($7::int IS NULL OR os = $7)
    AND ($8::int IS NULL OR language = $8) AND ($9::int IS NULL OR captures & (1 << $9::int) > 0)
    AND coalesce(viewport_width_px, 0) BETWEEN coalesce($10::int, 0)
        AND coalesce($11::int, 32767)
    AND ($12::int IS NULL OR EXISTS (
        SELECT FROM visit WHERE visit.site_id = $1 AND visit.visit_id = view.visit_id
        AND visit.day BETWEEN view.day - 1 AND view.day AND outcome = $12))
    {since}
    GROUP BY 1, 2
"""
_SINCE_RAW = f"""
    AND day > coalesce(
        (SELECT max(day) FROM {SEALED_DAYS} WHERE raw_gone AND day BETWEEN $3 AND $4), '-infinity')
"""
"""Of a choice that tiles do not know, a map begins after the last day that is sums alone."""


def wants_heights(query: MapQuery) -> bool:
    return "folds" in query.drawn_over or query.kind == "scroll"


def heights_asked(site_id: int, page_id: int, period: tuple[date, date], query: MapQuery) -> Part:
    """What tells of the windows of a page's views that the query chooses; beside sealed days."""
    of = query.device, query.browser, query.os, query.language, query.capture
    statement = _HEIGHTS.format(since="" if tiles_know(query) else _SINCE_RAW)
    return Part.rows(
        statement,
        *(site_id, page_id, *period),
        *(None if code is None else int(code) for code in of),
        query.viewport_width_min,
        query.viewport_width_max,
        None if query.outcome is None else int(query.outcome),
    )


def fold_lines(heights: Heights, layout: Layout | None) -> tuple[float, ...]:
    """Page px of the fold for FOLD_SHARES of these views; () if none told.

    layout   whose width band the views must share: another width folds another page
    """
    own = [row for row in heights if layout is None or row["band"] == layout.band]
    told = np.repeat([row["height_px"] for row in own], [row["n"] for row in own])
    return fold_quartiles(told) or ()
