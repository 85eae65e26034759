"""A strong name for an answer about two cohorts: known before any work, another when it changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from app.context import Context
from app.contrasting.asked import VisitFilter
from app.joint import Part, joint
from collector.sites import Page, Site

RENDERER = version("gloed")

_DATA = """
    SELECT (SELECT data_version FROM site WHERE site_id = $1) AS version,
           (SELECT count(*) FROM goal WHERE site_id = $1) AS goals,
           (SELECT sum(n) FROM dropped WHERE site_id = $1) AS left_out
"""
"""The closing job raises the version for whatever it derives; goals are counted beside it, because
those that match no visit change the labels' truth alone, and so is what was left out, which every
answer tells of."""


async def contrast_etag(
    context: Context, site: Site, page: Page, query: VisitFilter, kind: str
) -> str:
    """Strong ETag over data, day, question and renderer; `kind` tells answers of one question
    apart."""
    row = await context.store.fetchrow(_DATA, site.site_id)
    return _named(context, site, page, query, kind, *row.values())


async def contrast_etag_and(
    context: Context,
    site: Site,
    page: Page,
    query: VisitFilter,
    kind: str,
    beside: Mapping[str, Part],
) -> tuple[str, Mapping[str, Any]]:
    """The same, and what else is asked along with it."""
    parts, values = joint(beside, known=1)
    statement = f"SELECT own.*, {parts} AS told FROM ({_DATA}) AS own"
    *data, told = (await context.store.fetchrow(statement, site.site_id, *values)).values()
    return _named(context, site, page, query, kind, *data), json.loads(told)


def _named(
    context: Context, site: Site, page: Page, query: VisitFilter, kind: str, *data: Any
) -> str:
    today = site.day_of(context.clock())
    told = (kind, site.site_id, site.state, page, today, *data, RENDERER)
    named = f"{told!r} {query.model_dump_json()}"
    return f'"{hashlib.sha256(named.encode()).hexdigest()[:32]}"'
