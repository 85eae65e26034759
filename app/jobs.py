"""What runs later: a table of jobs, once in the fleet, each visible in `gloed jobs`."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import structlog

from app.clock import Clock
from app.closing.day import close_day
from app.closing.forgetting import FINAL, days_to_forget, forget_refs
from app.due import CLOSE, CLOSE_EVERY, days_to_close, days_to_seal
from app.mapping.sources import RAW_GONE, SEAL
from app.picturing.told_boxes import keep_told_layouts
from app.retention import let_go, raw_is_gone
from app.sealing.day import seal_day
from app.shops import list_sites
from app.store import Store
from app.turns import Run, once
from app.turns import Work as Work
from collector.partitions import make_partitions
from collector.sites import Site
from collector.visitor import SALT_LIVES

log = structlog.get_logger()

TICK_S = 5.0
"""How often due work is looked for."""

AHEAD_DAYS = 7
"""Partitions stand ready this long before their day: a stopped job is noticed in time."""

WHOLE_STORE = 0
"""`site_id` of a job that belongs to no shop."""

LAYOUTS_EVERY = timedelta(hours=1)
"""What scripts told of where zones lie changes with the shop's pages, not with its visitors."""

_EPOCH = date(1970, 1, 1)
"""Period of a job that works on no day in particular."""


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
    run: Run
    every: timedelta


STORE_JOBS = (
    Job("ahead", ahead, timedelta(hours=1)),
    Job("forget_salts", forget_salts, timedelta(minutes=10)),
)
LET_GO = Job("let_go", let_go, timedelta(hours=1))
"""After the shops' own: a day is sealed before its raw rows go."""


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
        done += await _of_store(store, now, job)
    for site in await list_sites(store):
        for day, every in await days_to_close(store, site, now):
            key = (CLOSE, site.site_id, day)
            done += await once(store, now, key, every, _closing(site, day))
        for day in await days_to_seal(store, site, now):
            key = (SEAL, site.site_id, day)
            done += await once(store, now, key, CLOSE_EVERY, _sealing(site, day))
        for day in await days_to_forget(store, site, now):
            key = ("forget_refs", site.site_id, day)
            done += await once(store, now, key, timedelta(0), _forgetting(site, day))
        today = site.day_of(now)
        key = ("layouts", site.site_id, today)
        done += await once(store, now, key, LAYOUTS_EVERY, _laying_out(site, today))
    return done + await _of_store(store, now, LET_GO)


async def _of_store(store: Store, now: datetime, job: Job) -> int:
    return await once(store, now, (job.name, WHOLE_STORE, _EPOCH), job.every, job.run)


def _closing(site: Site, day: date) -> Run:
    async def close(work: Work) -> None:
        # Seen again under the claim: whoever lets raw rows go holds it first.
        if await raw_is_gone(work.store, site.site_id, day):
            return
        await work.store.execute(_REOPEN, SEAL, site.site_id, day, work.now, CLOSE)
        closed = await close_day(work.store, site, day, work.now)
        if closed.changed:
            log.info("day_closed", site=site.site_id, day=str(day), visits=closed.visits)

    return close


def _laying_out(site: Site, day: date) -> Run:
    async def lay_out(work: Work) -> None:
        made = await keep_told_layouts(work.store, site, day, work.now)
        if made:
            log.info("layouts_told", site=site.site_id, day=str(day), layouts=made)

    return lay_out


_REOPEN = """
    UPDATE job SET dirty_since = $4 WHERE name = $1 AND site_id = $2 AND period = $3
    AND EXISTS (SELECT FROM job AS close WHERE close.name = $5 AND close.site_id = $2
        AND close.period = $3 AND close.dirty_since IS NOT NULL)
"""
"""The day's tiles stop being good before its views change: maps read raw rows meanwhile."""


def _sealing(site: Site, day: date) -> Run:
    async def seal(work: Work) -> None:
        if await raw_is_gone(work.store, site.site_id, day):
            return
        sealed = await seal_day(work.store, site, day)
        log.info("day_sealed", site=site.site_id, day=str(day), pages=sealed.pages)

    return seal


def _forgetting(site: Site, day: date) -> Run:
    async def forget(work: Work) -> None:
        await forget_refs(work.store, site, day, work.now)

    return forget


TOLD_DAYS = 8
"""Of each shop's days so many are told; older ones only while something is to be done."""

_TOLD = """
    SELECT job.*, site.name AS shop FROM job LEFT JOIN site USING (site_id)
    WHERE job.name <> ALL($1)
    AND (job.site_id = $2 OR period > $3 OR job.state <> 'done' OR dirty_since IS NOT NULL)
    ORDER BY job.name, site_id, period DESC
"""


async def job_rows(store: Store, now: datetime) -> list[tuple[str, ...]]:
    """Every job for people to read: name, shop, day, state, last run, took, lag, error."""
    since = now.astimezone(UTC).date() - timedelta(days=TOLD_DAYS)
    rows = await store.fetch(_TOLD, [FINAL, RAW_GONE], WHOLE_STORE, since)
    return [_told(row, now) for row in rows]


_EVERY = {job.name: job.every for job in (*STORE_JOBS, LET_GO)}


def _lag(row: Any, now: datetime) -> timedelta | None:
    """For how long the row has waited for a run, None where it has not."""
    dirty: datetime | None = row["dirty_since"]
    last: datetime | None = row["last_run_at"]
    every = _EVERY.get(row["name"])
    due = dirty if dirty or not last or not every else last + every
    return now - due if due is not None and due < now else None


def _told(row: Any, now: datetime) -> tuple[str, ...]:
    lag = _lag(row, now)
    return (
        row["name"],
        row["shop"] or "–",
        "–" if row["period"] == _EPOCH else str(row["period"]),
        row["state"],
        f"{row['last_run_at'].astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        if row["last_run_at"]
        else "never",
        f"{row['took_ms']} ms" if row["took_ms"] is not None else "–",
        f"{int(lag.total_seconds())} s" if lag else "none",
        row["error"] or "",
    )
