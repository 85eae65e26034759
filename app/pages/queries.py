"""What pages ask of the store beside maps: counts of a period, and what a trial shop just sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.store import Store

_COUNTS = """
    SELECT page_id, count(DISTINCT visit_id) AS visits, count(*) AS views, min(day) AS first_day
    FROM view WHERE site_id = $1 AND day BETWEEN $2 AND $3 GROUP BY page_id
"""
_LATELY = """
    WITH lately AS (
        SELECT site_id, day, view_id FROM beacon WHERE site_id = $1 AND day BETWEEN $2 AND $3
        GROUP BY site_id, day, view_id ORDER BY max(at) DESC LIMIT $4
    )
    SELECT view_id, o.page_id, o.at AS opened_at, o.device, b.at, b.name
    FROM lately JOIN beacon AS o USING (site_id, day, view_id)
    JOIN beacon AS b USING (site_id, day, view_id)
    WHERE o.name = 'open'
"""
_BATCHES = """
    SELECT view_id, page_id, opened_min, codes, at, n, enc, ev
    FROM batch WHERE site_id = $1 AND day BETWEEN $2 AND $3 ORDER BY at DESC LIMIT $4
"""


_DROPPED = """
    SELECT reason, sum(n)::bigint AS n FROM dropped
    WHERE site_id = $1 AND day BETWEEN $2 AND $3 GROUP BY reason ORDER BY n DESC, reason
"""

_LAST_HEARD = """
    SELECT page_id, max(at) AS at FROM (
        SELECT page_id, at FROM beacon WHERE site_id = $1 AND day >= $2 AND name = 'open'
        UNION ALL SELECT page_id, at FROM batch WHERE site_id = $1 AND day >= $2
    ) AS heard GROUP BY page_id
"""
_LAST_DAY = """
    SELECT page_id, max(day) AS day FROM view WHERE site_id = $1 AND day >= $2 GROUP BY page_id
"""


@dataclass(frozen=True, slots=True)
class Counts:
    """Of one page in a period, as the closing job left them."""

    visits: int
    views: int
    first_day: date


async def counts_by_page(
    store: Store, site_id: int, first: date, last: date
) -> Mapping[int, Counts]:
    rows = await store.fetch(_COUNTS, site_id, first, last)
    return {row["page_id"]: Counts(row["visits"], row["views"], row["first_day"]) for row in rows}


async def dropped_by_reason(
    store: Store, site_id: int, first: date, last: date
) -> Mapping[str, int]:
    """What the whole shop sent and was not kept, most first: a drop is not told by page."""
    rows = await store.fetch(_DROPPED, site_id, first, last)
    return {row["reason"]: row["n"] for row in rows}


async def lately(
    store: Store, site_id: int, first: date, last: date, most: int
) -> tuple[Sequence[Any], Sequence[Any]]:
    """Rows of the `most` views heard of last, and the `most` newest batches."""
    told = (site_id, first, last, most)
    return await store.fetch(_LATELY, *told), await store.fetch(_BATCHES, *told)


async def last_heard(store: Store, site_id: int, since: date) -> Mapping[int, datetime]:
    """When each page was last heard of, by what arrived: no job has to have seen it."""
    rows = await store.fetch(_LAST_HEARD, site_id, since)
    return {row["page_id"]: row["at"] for row in rows}


async def last_days(store: Store, site_id: int, since: date) -> Mapping[int, date]:
    """The day of each page's last view, as the closing job left them."""
    rows = await store.fetch(_LAST_DAY, site_id, since)
    return {row["page_id"]: row["day"] for row in rows}
