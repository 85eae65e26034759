"""The state of a shop's data as its maps can tell it: asked before any work, it names every map."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import version
from typing import Any

from app.context import Context
from app.joint import NO_PARTS, Part, told_of
from app.mapping.filters import MapQuery
from collector.sites import Page, Site

RENDERER = version("gloed")

SOURCES = """
    SELECT string_agg(concat_ws(' ', name, period, state, dirty_since), ',' ORDER BY name, period)
    FROM job WHERE site_id = $1 AND period BETWEEN $4 AND $3
    AND (name IN ('seal', 'raw_gone') OR name = 'close' AND dirty_since IS NOT NULL)
"""
"""Which days are sealed, and which of them late rows have reopened (`app/mapping/sources.py`)."""


_DATA = f"""
    SELECT json_build_array(
        (SELECT data_version FROM site WHERE site_id = $1),
        (SELECT count(*) FROM beacon WHERE site_id = $1 AND day BETWEEN $2 AND $3),
        (SELECT count(*) FROM batch WHERE site_id = $1 AND day BETWEEN $2 AND $3),
        ({SOURCES}),
        (SELECT sum(n) FROM dropped WHERE site_id = $1 AND day BETWEEN $4 AND $3))
"""


@dataclass(frozen=True, slots=True)
class State:
    """The state of a shop's data, as far as maps of a period can tell; it names all of them.

    As every answer tells how many page views were counted, it is another where more was left out.
    """

    site: Site
    today: date
    data: tuple[Any, ...]

    def etag(self, page: Page, query: MapQuery) -> str:
        """The strong name of one of its maps: data, parameters and renderer."""
        told = (
            self.site.site_id,
            self.site.state,
            page.page_id,
            page.title,
            *query.period(self.today),
            *self.data,
            RENDERER,
        )
        named = f"{told!r} {query.model_dump_json()}"
        return f'"{hashlib.sha256(named.encode()).hexdigest()[:32]}"'


async def state_of(
    context: Context, site: Site, query: MapQuery, beside: Mapping[str, Part] = NO_PARTS
) -> tuple[State, Mapping[str, Any]]:
    """The state for every map of this period, and what else is asked along with it."""
    parts = {**beside, "state": state_asked(context, site, query)}
    told = await told_of(context.store, parts)
    return state_in(context, site, told["state"]), told


def state_asked(context: Context, site: Site, query: MapQuery) -> Part:
    """What tells of the state for every map of this period, beside something else.

    Of days that are closed the data version tells of every change: the closing job raises it.
    Of those that are still open the raw rows are counted, so that a picture is never older than
    what was acknowledged before it was asked for. A day's marks lie a little otherwise once they
    are read from its tiles.
    """
    today = site.day_of(context.clock())
    first, last = query.period(today)
    # Whether a live shop's map is shown depends on the days beside it too.
    before, after = first - timedelta(days=1), last + timedelta(days=1)
    lately = max(before, today - timedelta(days=1))
    return Part(_DATA, (site.site_id, lately, after, before))


def state_in(context: Context, site: Site, told: Sequence[Any]) -> State:
    """From the answer to `state_asked`."""
    return State(site, site.day_of(context.clock()), tuple(told))
