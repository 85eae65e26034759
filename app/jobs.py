"""What runs later: a table of jobs, once in the fleet, each visible in `gloed jobs`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import structlog

from app.clock import Clock
from app.closing import close_day
from app.forgetting import days_to_forget, forget_refs
from app.shops import list_sites
from app.store import Store
from collector.codes import Outcome
from collector.partitions import make_partitions
from collector.sites import Site
from collector.visitor import SALT_LIVES

log = structlog.get_logger()

TICK_S = 5.0
"""How often due work is looked for."""

CLOSE_EVERY = timedelta(seconds=60)
"""How often a day is recomputed at the most: an open one always, another when late rows came."""

UNDECIDED_EVERY = timedelta(hours=1)
"""How often days are looked at on which a visit may still complete."""

SETTLED = timedelta(minutes=5)
"""A day's last run comes so long after its end: rows of its last moment are committed by then."""

LOOKED_BACK = timedelta(days=90)
"""Raw rows are kept no longer, and without them there is nothing to close."""

LONGEST_PAUSE = timedelta(hours=1)
"""What fails is tried again after a minute, then after twice as long each time, up to this."""

AHEAD_DAYS = 7
"""Partitions stand ready this long before their day: a stopped job is noticed in time."""

WHOLE_STORE = 0
"""`site_id` of a job that belongs to no shop."""

_EPOCH = date(1970, 1, 1)
"""Period of a job that works on no day in particular."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a job is handed: the store and the moment."""

    store: Store
    now: datetime


async def ahead(work: Work) -> None:
    """Partitions for yesterday to a week ahead."""
    today = work.now.astimezone(UTC).date()
    async with work.store.connection() as connection:
        await make_partitions(
            connection, (today + timedelta(days=n) for n in range(-1, AHEAD_DAYS + 1))
        )


async def forget_salts(work: Work) -> None:
    """Salts whose time is over are deleted: from then on nobody recognises that day's visitors."""
    last_over = (work.now - SALT_LIVES).astimezone(UTC).date()
    await work.store.execute("DELETE FROM salt WHERE day <= $1", last_over)


@dataclass(frozen=True, slots=True)
class Job:
    name: str
    run: Callable[[Work], Awaitable[None]]
    every: timedelta


STORE_JOBS = (
    Job("ahead", ahead, timedelta(hours=1)),
    Job("forget_salts", forget_salts, timedelta(minutes=10)),
)


class Jobs:
    """Looks for due work; several processes may, and each piece is done by one."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await ahead(Work(self._store, self._clock()))
        self._task = asyncio.create_task(self._run(), name="jobs")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            try:
                await run_due(self._store, self._clock())
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as away:
                log.warning("jobs_wait", why=type(away).__name__)
            except Exception:
                log.exception("jobs_failed")  # whatever it was: the next look must come
            await asyncio.sleep(TICK_S)


async def run_due(store: Store, now: datetime) -> int:
    """Do everything that is due; how many pieces were done."""
    done = 0
    for job in STORE_JOBS:
        done += await _once(store, now, (job.name, WHOLE_STORE, _EPOCH), job.every, job.run)
    for site in await list_sites(store):
        for day, every in await _days_to_close(store, site, now):
            key = ("close", site.site_id, day)
            done += await _once(store, now, key, every, _closing(site, day))
        for day in await days_to_forget(store, site, now):
            key = ("forget_refs", site.site_id, day)
            done += await _once(store, now, key, timedelta(0), _forgetting(site, day))
    return done


def _closing(site: Site, day: date) -> Callable[[Work], Awaitable[None]]:
    async def close(work: Work) -> None:
        closed = await close_day(work.store, site, day, work.now)
        if closed.changed:
            log.info("day_closed", site=site.site_id, day=str(day), visits=closed.visits)

    return close


def _forgetting(site: Site, day: date) -> Callable[[Work], Awaitable[None]]:
    async def forget(work: Work) -> None:
        await forget_refs(work.store, site, day, work.now)

    return forget


async def _days_to_close(store: Store, site: Site, now: datetime) -> list[tuple[date, timedelta]]:
    """Today and yesterday by the minute, older days when late rows made them dirty.

    Yesterday stays open because its visits may run past midnight; after that comes one last run,
    however long everything stood still meanwhile. A day on which outcomes were left open is
    looked at until the last of them is decided.
    """
    today = site.day_of(now)
    yesterday = today - timedelta(days=1)
    known = await store.fetch(_CLOSED, site.site_id, yesterday, today - LOOKED_BACK)
    undecided = await store.fetch(
        "SELECT DISTINCT day FROM visit WHERE site_id = $1 AND outcome = $2 AND day < $3",
        site.site_id,
        int(Outcome.OPEN),
        yesterday,
    )
    days = {row["day"]: UNDECIDED_EVERY for row in undecided}
    days |= {row["period"]: CLOSE_EVERY for row in known if row["dirty_since"] is not None}
    days |= {row["period"]: CLOSE_EVERY for row in known if not _had_last_run(site, row, now)}
    days |= {yesterday: CLOSE_EVERY, today: CLOSE_EVERY}
    return sorted(days.items())


def _had_last_run(site: Site, row: Any, now: datetime) -> bool:
    """Whether a run that ended well began after everything of the day had come in time."""
    after = datetime.combine(row["period"] + timedelta(days=2), datetime.min.time(), site.time_zone)
    due = after + SETTLED
    ran = row["last_run_at"] if row["state"] == "done" else None
    return now < due or (ran is not None and ran >= due)


_CLOSED = """
    SELECT period, state, last_run_at, dirty_since FROM job
    WHERE name = 'close' AND site_id = $1 AND period < $2
    AND (period >= $3 OR dirty_since IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM job AS past
        WHERE past.name = 'final' AND past.site_id = job.site_id AND past.period = job.period)
"""
_CLAIM = """
    INSERT INTO job (name, site_id, period, state) VALUES ($1, $2, $3, 'waiting')
    ON CONFLICT (name, site_id, period) DO NOTHING
"""
_LOOK = """
    SELECT last_run_at, dirty_since, tries FROM job
    WHERE name = $1 AND site_id = $2 AND period = $3
"""
_DONE = """
    UPDATE job SET state = 'done', tries = 0, error = NULL, last_run_at = $4, took_ms = $5,
        dirty_since = CASE WHEN dirty_since IS DISTINCT FROM $6 THEN dirty_since END
    WHERE name = $1 AND site_id = $2 AND period = $3
"""
_FAILED = """
    UPDATE job SET state = 'failed', tries = least(tries + 1, 1000), error = $4, last_run_at = $5
    WHERE name = $1 AND site_id = $2 AND period = $3
"""
_LOCK = "SELECT pg_try_advisory_lock(hashtext($1))"
_UNLOCK = "SELECT pg_advisory_unlock(hashtext($1))"

Key = tuple[str, int, date]


async def _once(
    store: Store, now: datetime, key: Key, every: timedelta, run: Callable[[Work], Awaitable[None]]
) -> int:
    """Run unless another process does, or did lately.

    The claim is an advisory lock and not the row's: a writer that marks a day dirty must not
    wait for the job. A mark set while the job ran is another moment than the one it began with,
    and stays.
    """
    claim = " ".join(map(str, key))
    async with store.connection() as connection:
        if not await connection.fetchval(_LOCK, claim):
            return 0
        try:
            await connection.execute(_CLAIM, *key)
            row = await connection.fetchrow(_LOOK, *key)
            last = row["last_run_at"]
            # abs: a clock that was set back must not stop a job until it has caught up.
            if last is not None and abs(now - last) < _pause(every, row["tries"]):
                return 0
            return await _tried(connection, Work(store, now), key, row["dirty_since"], run)
        finally:
            await connection.execute(_UNLOCK, claim)


def _pause(every: timedelta, tries: int) -> timedelta:
    if not tries:
        return every
    doublings = min(tries - 1, 10)  # more would be above the longest pause anyway
    return max(every, min(CLOSE_EVERY * (1 << doublings), LONGEST_PAUSE))


async def _tried(
    connection: Any,
    work: Work,
    key: Key,
    dirty: datetime | None,
    run: Callable[[Work], Awaitable[None]],
) -> int:
    began = time.monotonic()
    try:
        await run(work)
    except Exception as problem:
        log.exception("job_failed", job=key[0], site=key[1], period=str(key[2]))
        await connection.execute(_FAILED, *key, type(problem).__name__, work.now)
        return 0
    took_ms = round((time.monotonic() - began) * 1000)
    await connection.execute(_DONE, *key, work.now, took_ms, dirty)
    return 1


async def job_rows(store: Store, now: datetime) -> list[tuple[str, ...]]:
    """Every job for people to read: name, shop, day, state, last run, took, lag, error."""
    rows = await store.fetch(
        "SELECT job.*, site.name AS shop FROM job LEFT JOIN site USING (site_id) "
        "ORDER BY job.name, site_id, period DESC"
    )
    return [_told(row, now) for row in rows]


def _told(row: Any, now: datetime) -> tuple[str, ...]:
    lag = now - row["dirty_since"] if row["dirty_since"] else None
    return (
        row["name"],
        row["shop"] or "–",
        "–" if row["period"] == _EPOCH else str(row["period"]),
        row["state"],
        f"{row['last_run_at']:%Y-%m-%d %H:%M:%S}" if row["last_run_at"] else "never",
        f"{row['took_ms']} ms" if row["took_ms"] is not None else "–",
        f"{int(lag.total_seconds())} s" if lag else "none",
        row["error"] or "",
    )
