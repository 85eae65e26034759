"""One piece of work at a time in the whole fleet: each is a row of `job`, claimed by a lock."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import structlog

from app.store import Store

log = structlog.get_logger()

FIRST_PAUSE = timedelta(seconds=60)
LONGEST_PAUSE = timedelta(hours=1)
"""What fails is tried again after a minute, then after twice as long each time, up to this."""

RESTS = 10
"""A job rests so many times as long as its last run took: a large day takes a tenth of a core."""

Key = tuple[str, int, date]
"""Name, shop, day: what a row of `job` is about."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a job is handed: the store and the moment."""

    store: Store
    now: datetime


Run = Callable[[Work], Awaitable[None]]

_CLAIM = """
    INSERT INTO job (name, site_id, period, state) VALUES ($1, $2, $3, 'waiting')
    ON CONFLICT (name, site_id, period) DO NOTHING
"""
_LOOK = """
    SELECT last_run_at, dirty_since, tries, took_ms FROM job
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


def claim(key: Key) -> str:
    """What is locked by whoever works on the piece."""
    return " ".join(map(str, key))


async def hold(connection: Any, key: Key) -> None:
    """Wait for whoever works on the piece; nobody begins with it until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", claim(key))


async def once(store: Store, now: datetime, key: Key, every: timedelta, run: Run) -> int:
    """Run unless another process does, or did lately.

    The claim is an advisory lock and not the row's: a writer that marks a day dirty must not
    wait for the job. A mark set while the job ran is another moment than the one it began with,
    and stays.
    """
    async with store.connection() as connection:
        if not await connection.fetchval(_LOCK, claim(key)):
            return 0
        try:
            await connection.execute(_CLAIM, *key)
            row = await connection.fetchrow(_LOOK, *key)
            last = row["last_run_at"]
            # abs: a clock that was set back must not stop a job until it has caught up.
            pause = max(_pause(every, row["tries"]), pause_after(row["took_ms"]))
            if last is not None and abs(now - last) < pause:
                return 0
            return await _tried(connection, Work(store, now), key, row["dirty_since"], run)
        finally:
            await connection.execute(_UNLOCK, claim(key))


def pause_after(took_ms: int | None) -> timedelta:
    return RESTS * timedelta(milliseconds=took_ms or 0)


def _pause(every: timedelta, tries: int) -> timedelta:
    if not tries:
        return every
    doublings = min(tries - 1, 10)  # more would be above the longest pause anyway
    return max(every, min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE))


async def _tried(connection: Any, work: Work, key: Key, dirty: datetime | None, run: Run) -> int:
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
