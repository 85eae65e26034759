"""What pages ask of the store beside maps: counts of a period, and what a trial shop just sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from app.store import Store
from collector.codes import Outcome

_COUNTS = """
    SELECT page_id, count(DISTINCT visit_id) AS visits, count(*) AS views, min(day) AS first_day
    FROM view WHERE site_id = $1 AND day BETWEEN $2 AND $3 GROUP BY page_id
"""
_COUNTS_OF_ALL = """
    SELECT own.site_id, page_id, count(DISTINCT visit_id) AS visits, count(*) AS views,
           min(day) AS first_day
    FROM unnest($1::int[], $2::date[]) AS own(site_id, today) JOIN view USING (site_id)
    WHERE day BETWEEN own.today - $3::int + 1 AND own.today AND day BETWEEN $4 AND $5
    GROUP BY own.site_id, page_id
"""
_ENDS = """
    SELECT own.site_id, visit.day > own.today - $3::int AS lately,
           count(*) FILTER (WHERE outcome = $6) AS completed,
           count(*) FILTER (WHERE outcome = $7) AS abandoned,
           count(*) FILTER (WHERE outcome = $8) AS handed_over
    FROM unnest($1::int[], $2::date[]) AS own(site_id, today) JOIN visit USING (site_id)
    WHERE visit.day BETWEEN own.today - 2 * $3::int + 1 AND own.today
    AND visit.day BETWEEN $4 AND $5 AND flags = 0
    GROUP BY own.site_id, lately
"""
"""The days are named twice: a plan leaves out partitions by constants alone."""

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


@dataclass(frozen=True, slots=True)
class Ends:
    """How many visits of a shop ended so, in a period."""

    completed: int = 0
    abandoned: int = 0
    handed_over: int = 0

    @property
    def decided(self) -> int:
        """Visits that reached the checkout and of whose end is known."""
        return self.completed + self.abandoned


Days = Mapping[int, date]
"""Today of each shop, by its number: around midnight shops have different days."""


def _asked(days: Days, length: int, reach: int) -> tuple[Any, ...]:
    """Arguments of a question to several shops about `reach` days, in periods of `length`."""
    told = list(days), list(days.values()), length
    least, most = min(days.values()), max(days.values())
    return (*told, least - timedelta(days=reach - 1), most)


async def counts_of_all(
    store: Store, days: Days, length: int
) -> Mapping[int, Mapping[int, Counts]]:
    """By shop and page, of the last `length` days."""
    found: dict[int, dict[int, Counts]] = {}
    if days:
        for row in await store.fetch(_COUNTS_OF_ALL, *_asked(days, length, length)):
            counts = Counts(row["visits"], row["views"], row["first_day"])
            found.setdefault(row["site_id"], {})[row["page_id"]] = counts
    return found


async def ends_of_all(store: Store, days: Days, length: int) -> Mapping[int, tuple[Ends, Ends]]:
    """By shop, of the last `length` days and of as many before."""
    if not days:
        return {}
    codes = (Outcome.COMPLETED, Outcome.ABANDONED, Outcome.HANDED_OVER)
    asked = (*_asked(days, length, 2 * length), *map(int, codes))
    found: dict[tuple[int, bool], Ends] = {}
    for row in await store.fetch(_ENDS, *asked):
        told = Ends(row["completed"], row["abandoned"], row["handed_over"])
        found[row["site_id"], row["lately"]] = told
    return {
        site_id: (found.get((site_id, True), Ends()), found.get((site_id, False), Ends()))
        for site_id in days
    }


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
