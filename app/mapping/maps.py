"""Maps of a shop's pages: read, and put on their layouts.

The API and the pages ask here; `app/drawing/overlays.py` draws what this answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from app.joint import NO_PARTS, Part
from app.mapping.drafts import Draft, Reading, Still, read_drafts
from app.mapping.filters import MapQuery
from app.mapping.laying import laid
from app.mapping.page_map import PageMap
from app.problems import ApiProblem, TooFewVisits
from app.store import Store
from collector.sites import Page, Site

Lay = Callable[[Sequence[Reading | ApiProblem], Sequence[MapQuery]], list[PageMap | ApiProblem]]
"""Puts what was read for several maps on layouts."""

OF_THE_LOOK = frozenset(
    {
        "aggregation",
        "per",
        "layout",
        "palette",
        "scale",
        "scale_max",
        "opacity",
        "picture",
        "legend",
        "decimal",
        "dpr",
    }
)
"""Parameters that change nothing of what is read for a map."""


async def page_map(store: Store, site: Site, page: Page, query: MapQuery, now: datetime) -> PageMap:
    """Raises BadParameters, NotFound, TooFewVisits or TooFewApart."""
    (found,) = await page_maps(store, site, [(page, query)], now)
    if isinstance(found, ApiProblem):
        raise found
    return found


async def page_maps(
    store: Store, site: Site, asked: Sequence[tuple[Page, MapQuery]], now: datetime
) -> list[PageMap | ApiProblem]:
    """Several maps of a shop, each found or refused: what all of them rest on is read at once, of
    one state of the store."""
    read, _ = await readings(store, site, asked, now)
    return each_by_itself(read, [query for _, query in asked])


async def readings(
    store: Store,
    site: Site,
    asked: Sequence[tuple[Page, MapQuery]],
    now: datetime,
    beside: Mapping[str, Part] = NO_PARTS,
) -> tuple[list[Reading | ApiProblem], Mapping[str, Any]]:
    """What these maps rest on, each read or refused; several on one ground are read once. And what
    else is asked along with it, of the same state of the store."""
    drafts: dict[tuple[int, str], Draft] = {}
    for page, query in asked:
        drafts.setdefault(_ground(page, query), Draft(site, page, query, site.day_of(now)))
    async with store.snapshot() as connection:
        read, told = await read_drafts(connection, site, list(drafts.values()), beside)
    return [read[drafts[_ground(page, query)]] for page, query in asked], told


async def readings_of_pages(
    store: Store,
    site: Site,
    pages: Sequence[Page],
    query: MapQuery,
    now: datetime,
    beside: Mapping[str, Part],
    still: Still,
) -> tuple[dict[int, Reading | ApiProblem], Mapping[str, Any]]:
    """What the same map of several pages rests on, by page, of those that are wanted still once
    what is asked along with it is told: of the others no rows are read."""
    drafts = [Draft(site, page, query, site.day_of(now)) for page in pages]
    async with store.snapshot() as connection:
        read, told = await read_drafts(connection, site, drafts, beside, still)
    return {draft.page.page_id: one for draft, one in read.items()}, told


def each_by_itself(
    read: Sequence[Reading | ApiProblem], queries: Sequence[MapQuery]
) -> list[PageMap | ApiProblem]:
    """Each map on the layout that it asks for, or its own."""
    return [map_on(of, query) for of, query in zip(read, queries, strict=True)]


def map_on(of: Reading | ApiProblem, query: MapQuery) -> PageMap | ApiProblem:
    """The map of what was read, found or refused."""
    if isinstance(of, ApiProblem):
        return of
    try:
        return laid(of, query)
    except TooFewVisits as problem:
        problem.layouts = of.layouts
        problem.views, problem.since = of.everybody.views, of.everybody.since
        return problem
    except ApiProblem as problem:
        return problem


def _ground(page: Page, query: MapQuery) -> tuple[int, str]:
    """What a map rests on."""
    return page.page_id, query.model_dump_json(exclude=set(OF_THE_LOOK))
