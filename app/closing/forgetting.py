"""References of the shop are forgotten when their window ends: nobody recognises them afterwards.

Until then a reference is kept as HMAC, because it says which order belongs to which visit. With it
gone, the day's outcomes cannot be put together again: the day is final, and rows that come later
still stay raw.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from app.closing.visits import window
from app.store import Store
from collector.codes import Outcome
from collector.sites import Site
from collector.tables import RAW

SETTLED = timedelta(hours=1)
"""After the window the closing job may need so long to decide the day's last visit."""

FINAL = "final"
"""Name of the job row that says a day cannot be closed again."""


def forgotten_after(site: Site, day: date) -> datetime:
    """When no visit of `day` can complete by a reference any more."""
    midnight = datetime.combine(day + timedelta(days=1), datetime.min.time(), site.time_zone)
    return midnight + window(site) + SETTLED


async def days_to_forget(store: Store, site: Site, now: datetime) -> list[date]:
    """Closed days whose references are still there although their window is over."""
    rows = await store.fetch(_CLOSED, site.site_id, int(Outcome.OPEN))
    return [row["period"] for row in rows if forgotten_after(site, row["period"]) <= now]


async def forget_refs(store: Store, site: Site, day: date, now: datetime) -> None:
    """Empty the day's references; where there were any, the day is final from here on."""
    async with store.transaction() as connection:
        emptied = 0
        for table in RAW:
            empty = _EMPTY[table]
            done = await connection.execute(
                f"UPDATE {table} SET ref_hash = {empty} "
                f"WHERE site_id = $1 AND day = $2 AND ref_hash IS DISTINCT FROM {empty}",
                site.site_id,
                day,
            )
            emptied += int(done.rpartition(" ")[2])
        if emptied:
            await connection.execute(_FINAL, FINAL, site.site_id, day, now)


_EMPTY = {"beacon": "NULL", "batch": "''", "goal": "NULL"}
_CLOSED = """
    SELECT period FROM job WHERE name = 'close' AND site_id = $1 AND state = 'done'
    AND NOT EXISTS (SELECT 1 FROM job AS past WHERE past.name = 'forget_refs'
        AND past.site_id = job.site_id AND past.period = job.period AND past.state = 'done')
    AND NOT EXISTS (SELECT 1 FROM visit
        WHERE visit.site_id = job.site_id AND visit.day = job.period AND outcome = $2)
    ORDER BY period
"""
_FINAL = """
    INSERT INTO job (name, site_id, period, state, last_run_at) VALUES ($1, $2, $3, 'done', $4)
    ON CONFLICT (name, site_id, period) DO NOTHING
"""
