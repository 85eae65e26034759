"""Which page views a map's filters choose. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from app.folding.seen import Seen
from app.mapping.filters import MapQuery

Ended = Collection[tuple[date, int]]
"""Day and number of the views whose visits ended as a query asks; read where it asks for one."""


def passes(view: Seen, query: MapQuery, ended: Ended) -> bool:
    """Whether the query's filters choose this view; a copied token is chosen by none."""
    if view.quarantined or not _has_codes(view, query):
        return False
    if query.capture is not None and not view.captures & 1 << query.capture:
        return False
    if query.outcome is not None and (view.day, view.view_id) not in ended:
        return False
    return _is_as_wide(view, query)


def _has_codes(view: Seen, query: MapQuery) -> bool:
    asked = (
        (query.device, view.codes.device),
        (query.browser, view.codes.browser),
        (query.os, view.codes.os),
        (query.language, view.codes.language),
        (query.channel, view.codes.channel),
        (query.variant, view.codes.variant),
    )
    return not any(of is not None and int(of) != is_ for of, is_ in asked)


def _is_as_wide(view: Seen, query: MapQuery) -> bool:
    low, high = query.viewport_width_min, query.viewport_width_max
    if low is None and high is None:
        return True
    width = view.width_px
    return width is not None and (low or 0) <= width <= (high or width)
