"""Which days of a shop are to be closed and sealed now, and how often a day is looked at."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from app.closing.forgetting import FINAL
from app.configuration import MOST_RAW_DAYS
from app.mapping.sources import RAW_GONE, SEAL
from app.store import Store
from collector.codes import Outcome
from collector.sites import Site

CLOSE = "close"

CLOSE_EVERY = timedelta(seconds=60)
"""How often a day is recomputed at the most: an open one always, another when late rows came."""

UNDECIDED_EVERY = timedelta(hours=1)
"""How often days are looked at on which a visit may still complete."""

SETTLED = timedelta(minutes=5)
"""A day's last run comes so long after its end: rows of its last moment are committed by then."""

LOOKED_BACK = timedelta(days=MOST_RAW_DAYS)
"""Raw rows are kept no longer, and without them there is nothing to close."""

_CLOSED = """
    SELECT period, state, last_run_at, dirty_since FROM job
    WHERE name = 'close' AND site_id = $1 AND period < $2
    AND (period >= $3 OR dirty_since IS NOT NULL)
    AND NOT EXISTS (SELECT FROM job AS past WHERE past.name = ANY($4)
        AND past.site_id = job.site_id AND past.period = job.period)
"""
_UNSEALED = """
    SELECT close.period, close.state, close.last_run_at FROM job AS close
    LEFT JOIN job AS seal ON seal.name = $4 AND seal.site_id = $1 AND seal.period = close.period
    LEFT JOIN job AS final ON final.name = $5 AND final.site_id = $1 AND final.period = close.period
    WHERE close.name = 'close' AND close.site_id = $1 AND close.period < $2
    AND close.state = 'done' AND (close.dirty_since IS NULL OR final.period IS NOT NULL)
    AND NOT EXISTS (SELECT FROM job AS gone
        WHERE gone.name = $6 AND gone.site_id = $1 AND gone.period = close.period)
    AND (seal.state IS DISTINCT FROM 'done' OR seal.dirty_since IS NOT NULL
        OR (seal.last_run_at < close.last_run_at AND NOT EXISTS (SELECT FROM visit
            WHERE visit.site_id = $1 AND visit.day = close.period AND visit.outcome = $3))
        OR seal.last_run_at < (SELECT max(began) FROM (SELECT min(valid_from) AS began
            FROM layout WHERE site_id = $1 GROUP BY page_id, band) AS first))
    ORDER BY close.period
"""
"""A day is sealed again when a late row came, when the last of its outcomes was decided, and when
a page was captured at a width for the first time (`app/folding/homes.py`)."""


async def days_to_close(store: Store, site: Site, now: datetime) -> list[tuple[date, timedelta]]:
    """Today and yesterday by the minute, older days when late rows made them dirty.

    Yesterday stays open because its visits may run past midnight; after that comes one last run,
    however long everything stood still meanwhile. A day on which outcomes were left open is
    looked at until the last of them is decided.
    """
    today = site.day_of(now)
    yesterday = today - timedelta(days=1)
    past = [FINAL, RAW_GONE]
    known = await store.fetch(_CLOSED, site.site_id, yesterday, today - LOOKED_BACK, past)
    undecided = await store.fetch(
        "SELECT DISTINCT day FROM visit WHERE site_id = $1 AND outcome = $2 AND day < $3 "
        "AND NOT EXISTS (SELECT FROM job WHERE name = $4 AND job.site_id = $1 AND period = day)",
        site.site_id,
        int(Outcome.OPEN),
        yesterday,
        RAW_GONE,
    )
    days = {row["day"]: UNDECIDED_EVERY for row in undecided}
    days |= {row["period"]: CLOSE_EVERY for row in known if row["dirty_since"] is not None}
    days |= {row["period"]: CLOSE_EVERY for row in known if not _had_last_run(site, row, now)}
    days |= {yesterday: CLOSE_EVERY, today: CLOSE_EVERY}
    return sorted(days.items())


async def days_to_seal(store: Store, site: Site, now: datetime) -> list[date]:
    """Days that had their last run, and have no tiles that are good still."""
    yesterday = site.day_of(now) - timedelta(days=1)
    rows = await store.fetch(
        _UNSEALED, site.site_id, yesterday, int(Outcome.OPEN), SEAL, FINAL, RAW_GONE
    )
    return [
        row["period"] for row in rows if row["last_run_at"] >= last_run_due(site, row["period"])
    ]


def _had_last_run(site: Site, row: Any, now: datetime) -> bool:
    """Whether a run that ended well began after everything of the day had come in time."""
    due = last_run_due(site, row["period"])
    ran = row["last_run_at"] if row["state"] == "done" else None
    return now < due or (ran is not None and ran >= due)


def last_run_due(site: Site, day: date) -> datetime:
    after = datetime.combine(day + timedelta(days=2), datetime.min.time(), site.time_zone)
    return after + SETTLED


_MAKE_ANEW = """
    UPDATE job SET dirty_since = clock_timestamp()
    WHERE site_id = $1 AND period BETWEEN $2 AND $3
    AND (name = $4 AND NOT EXISTS (SELECT FROM job AS past WHERE past.name IN ($6, $7)
            AND past.site_id = job.site_id AND past.period = job.period)
        OR name = $5 AND NOT EXISTS (SELECT FROM job AS past WHERE past.name = $7
            AND past.site_id = job.site_id AND past.period = job.period))
"""
"""A day whose references are forgotten is not closed again, one without raw rows not sealed."""


async def make_anew(connection: Any, site_id: int, first: date, last: date) -> int:
    """Have the days closed and sealed once more; how many have no raw rows to do it from."""
    told = site_id, first, last
    await connection.execute(_MAKE_ANEW, *told, CLOSE, SEAL, FINAL, RAW_GONE)
    gone: int = await connection.fetchval(
        "SELECT count(*) FROM job WHERE site_id = $1 AND period BETWEEN $2 AND $3 AND name = $4",
        *told,
        RAW_GONE,
    )
    return gone
