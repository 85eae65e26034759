"""What pages ask of the store beside maps: counts of a period, what is known of a silent page, and
what a trial shop just sent."""

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
    WITH own AS (SELECT * FROM unnest($1::int[], $2::date[]) AS own(site_id, today)),
    heard AS (
        SELECT site_id, day, view_id,
               row_number() OVER (PARTITION BY site_id ORDER BY max(at) DESC) AS place
        FROM own JOIN beacon USING (site_id)
        WHERE day BETWEEN today - 1 AND today AND day BETWEEN $3 AND $4
        GROUP BY site_id, day, view_id
    ), told AS (
        SELECT site_id, day, view_id, seq,
               row_number() OVER (PARTITION BY site_id ORDER BY at DESC) AS place
        FROM own JOIN batch USING (site_id)
        WHERE day BETWEEN today - 1 AND today AND day BETWEEN $3 AND $4
    )
    SELECT site_id, view_id, o.page_id, b.at, b.name, o.at AS opened_at, o.device,
           NULL AS opened_min, NULL AS codes, NULL AS n, NULL AS enc, NULL AS ev
    FROM heard JOIN beacon AS o USING (site_id, day, view_id)
    JOIN beacon AS b USING (site_id, day, view_id)
    WHERE place <= $5 AND o.name = 'open' AND o.day BETWEEN $3 AND $4 AND b.day BETWEEN $3 AND $4
    UNION ALL
    SELECT site_id, view_id, page_id, at, NULL, NULL, NULL, opened_min, codes, n, enc, ev
    FROM told JOIN batch AS b USING (site_id, day, view_id, seq)
    WHERE place <= $5 AND b.day BETWEEN $3 AND $4
"""
"""Beacons of the views heard of last, and the newest batches, which have no name."""

_KNOWN = """
    SELECT 'met' AS what, NULL AS reason, count(*) AS n, count(DISTINCT visit_id) AS visits,
           min(day) AS first_day, NULL::timestamptz AS at
    FROM view WHERE site_id = $1 AND page_id = $2 AND day BETWEEN $3 AND $4
    UNION ALL
    SELECT 'heard', NULL, NULL, NULL, NULL, max(at) FROM (
        SELECT at FROM beacon
        WHERE site_id = $1 AND page_id = $2 AND day BETWEEN $5 AND $6 AND name = 'open'
        UNION ALL
        SELECT at FROM batch WHERE site_id = $1 AND page_id = $2 AND day BETWEEN $5 AND $6
    ) AS heard
    UNION ALL
    SELECT 'dropped', reason, sum(n)::bigint, NULL, NULL, NULL FROM dropped
    WHERE site_id = $1 AND day BETWEEN $3 AND $4 GROUP BY reason
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


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a page that has little to show.

    counts   of the period, None where nobody met it
    heard    when it was last heard of, by what arrived: no job has to have seen it
    dropped  what the whole shop sent in the period and was not kept, most first
    """

    counts: Counts | None
    heard: datetime | None
    dropped: Mapping[str, int]


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


async def known_of(
    store: Store, key: tuple[int, int], period: tuple[date, date], lately: tuple[date, date]
) -> Known:
    """Of a shop's page; `lately` are the days on which it is listened for."""
    rows = await store.fetch(_KNOWN, *key, *period, *lately)
    (met,) = (row for row in rows if row["what"] == "met")
    (heard,) = (row for row in rows if row["what"] == "heard")
    dropped = sorted((-row["n"], row["reason"]) for row in rows if row["what"] == "dropped")
    counts = Counts(met["visits"], met["n"], met["first_day"]) if met["n"] else None
    return Known(counts, heard["at"], {reason: -n for n, reason in dropped})


async def lately_of_all(
    store: Store, days: Days, most: int
) -> Mapping[int, tuple[Sequence[Any], Sequence[Any]]]:
    """By shop: beacons of the `most` views heard of last, and the `most` newest batches.

    Yesterday's count too: around midnight whoever tries a shop out has two days.
    """
    found: dict[int, tuple[list[Any], list[Any]]] = {site_id: ([], []) for site_id in days}
    if not days:
        return found
    least, most_day = min(days.values()) - timedelta(days=1), max(days.values())
    told = list(days), list(days.values()), least, most_day, most
    for row in await store.fetch(_LATELY, *told):
        beacons, batches = found[row["site_id"]]
        (batches if row["name"] is None else beacons).append(row)
    return found
