"""What pages ask of the store beside maps: counts of a period, what is known of a silent page, and
what a trial shop just sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from app.contrasting.question import FIRST_DAYS, first_days_asked, first_days_in
from app.joint import Part, dated, told_of
from app.store import Store
from collector.codes import Outcome
from collector.sites import Page, Site

_COUNTS = """
    SELECT own.site_id, page_id, count(DISTINCT visit_id) AS visits, count(*) AS views,
           min(day) AS first_day
    FROM unnest($1::int[], $2::date[]) AS own(site_id, today) JOIN view USING (site_id)
    WHERE day BETWEEN own.today - $3::int + 1 AND own.today AND day BETWEEN $4 AND $5
    GROUP BY own.site_id, page_id
"""
_ENDS = """
    SELECT own.site_id, visit.day > own.today - $3::int AS lately, exit_page_id,
           count(*) FILTER (WHERE outcome = $6) AS completed,
           count(*) FILTER (WHERE outcome = $7) AS abandoned,
           count(*) FILTER (WHERE outcome = $8) AS handed_over,
           count(*) FILTER (WHERE outcome IN ($7, $9)) AS gone
    FROM unnest($1::int[], $2::date[]) AS own(site_id, today) JOIN visit USING (site_id)
    WHERE visit.day BETWEEN own.today - 2 * $3::int + 1 AND own.today
    AND visit.day BETWEEN $4 AND $5 AND flags = 0
    GROUP BY own.site_id, lately, exit_page_id
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
    """How many visits of a shop ended so, in a period.

    gone  by page, of those that neither ordered nor pressed pay: how many saw it last
    """

    completed: int = 0
    abandoned: int = 0
    handed_over: int = 0
    gone: Mapping[int, int] = field(default_factory=dict)

    @property
    def decided(self) -> int:
        """Visits that reached the checkout and of whose end is known."""
        return self.completed + self.abandoned


@dataclass(frozen=True, slots=True)
class Recent:
    """What happened to shops in the last days.

    counts      by shop and page
    ends        by shop, of a period and of as many days before
    first_days  by shop and page, of those that were asked for: the first day each can tell of
    """

    counts: Mapping[int, Mapping[int, Counts]]
    ends: Mapping[int, tuple[Ends, Ends]]
    first_days: Mapping[tuple[int, int], date]


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


async def recent_of(
    store: Store,
    days: Days,
    length: int,
    began: Iterable[tuple[Site, Page]] = (),
) -> Recent:
    """Of shops, the last `length` days.

    began  pages of whose first day is asked along with it
    """
    if not days:
        return Recent({}, {}, {})
    return recent_in(days, await told_of(store, recent_asked(days, length, began)))


def recent_asked(days: Days, length: int, began: Iterable[tuple[Site, Page]]) -> dict[str, Part]:
    """The same beside something else, of at least one shop."""
    codes = (Outcome.COMPLETED, Outcome.ABANDONED, Outcome.HANDED_OVER, Outcome.BROWSED)
    return {
        "counts": Part.rows(_COUNTS, *_asked(days, length, length)),
        "ends": Part.rows(_ENDS, *_asked(days, length, 2 * length), *map(int, codes)),
        "first_days": Part.rows(FIRST_DAYS, *first_days_asked(began)),
    }


def recent_in(days: Days, told: Mapping[str, Any]) -> Recent:
    """From the answers to `recent_asked`."""
    return Recent(
        _counts_of_all(dated(told["counts"], "first_day")),
        _ends_of_all(days, told["ends"] or ()),
        first_days_in(told["first_days"]),
    )


def _counts_of_all(rows: Iterable[Mapping[str, Any]]) -> Mapping[int, Mapping[int, Counts]]:
    found: dict[int, dict[int, Counts]] = {}
    for row in rows:
        counts = Counts(row["visits"], row["views"], row["first_day"])
        found.setdefault(row["site_id"], {})[row["page_id"]] = counts
    return found


def _ends_of_all(days: Days, rows: Iterable[Mapping[str, Any]]) -> Mapping[int, tuple[Ends, Ends]]:
    found: dict[tuple[int, bool], list[Any]] = {}
    for row in rows:
        found.setdefault((row["site_id"], row["lately"]), []).append(row)
    return {
        site_id: (_ends(found.get((site_id, True), ())), _ends(found.get((site_id, False), ())))
        for site_id in days
    }


def _ends(rows: Sequence[Any]) -> Ends:
    """Of one shop and period, from a row for each page that visits saw last."""
    kinds = ("completed", "abandoned", "handed_over")
    counts = (sum(row[kind] for row in rows) for kind in kinds)
    completed, abandoned, handed_over = counts
    gone = {row["exit_page_id"]: row["gone"] for row in rows}
    return Ends(completed, abandoned, handed_over, gone)


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
