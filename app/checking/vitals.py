"""How the house is: read from the store and the disk, so that whichever worker looks says the same.

Nothing is counted in a process: of several workers only one answers, and all of them forget.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from app.config import Settings
from app.due import CLOSE
from app.jobs import AHEAD_DAYS, LET_GO, STORE_JOBS
from app.mapping.sources import SEAL
from app.spooling import spool_folder
from app.store import Store
from collector.nests import BAD
from collector.partitions import partition_name
from collector.spool import spool_bytes, waiting_since
from collector.tables import PARTITIONED, RAW
from collector.wire import Reason

PERIODS = {job.name: job.every for job in (*STORE_JOBS, LET_GO)}
JOBS = (*PERIODS, CLOSE, SEAL, "forget_refs")
"""Every job there is, by name: what else a store may hold is of another version."""


@dataclass(frozen=True, slots=True)
class JobVitals:
    """Of all pieces of one job: how many failed last, and how long the oldest has been due."""

    failed: int
    lag_s: int


@dataclass(frozen=True, slots=True)
class StoreVitals:
    """What the store says of itself.

    at            the store's clock
    ahead_days    days from today on for which every table has its partition
    jobs          by name
    dropped       today in UTC, by reason
    rows          of today's partitions in UTC, by table, as Postgres counts them: nearly exact
    """

    at: datetime
    ahead_days: int
    database_bytes: int
    jobs: Mapping[str, JobVitals]
    dropped: Mapping[Reason, int]
    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DiskVitals:
    """Of this machine, all its workers together."""

    free_bytes: int
    total_bytes: int
    spool_bytes: int
    spool_lag_s: int
    unusable_files: int


async def store_vitals(store: Store, now: datetime) -> StoreVitals:
    today = now.astimezone(UTC).date()
    return StoreVitals(
        at=await store.fetchval("SELECT clock_timestamp()"),
        ahead_days=await _ahead_days(store, today),
        database_bytes=await store.fetchval("SELECT pg_database_size(current_database())"),
        jobs=await _jobs(store, now),
        dropped=await _dropped(store, today),
        rows=await _rows(store, today),
    )


async def _ahead_days(store: Store, today: date) -> int:
    days = [today + timedelta(days=n) for n in range(AHEAD_DAYS + 1)]
    wanted = [partition_name(table, day) for day in days for table in PARTITIONED]
    found = await store.fetch(
        "SELECT relname FROM pg_class JOIN pg_namespace AS space ON space.oid = relnamespace "
        "WHERE nspname = current_schema() AND relname = ANY($1)",
        wanted,
    )
    names = {row["relname"] for row in found}
    whole = [names >= {partition_name(table, day) for table in PARTITIONED} for day in days]
    return whole.index(False) if False in whole else len(days)


async def _jobs(store: Store, now: datetime) -> dict[str, JobVitals]:
    rows = await store.fetch(
        "SELECT name, count(*) FILTER (WHERE state = 'failed') AS failed, "
        "min(dirty_since) AS dirty, max(last_run_at) AS ran FROM job GROUP BY name"
    )
    by_name = {row["name"]: row for row in rows if row["name"] in JOBS}
    told = {}
    for name in JOBS:
        row = by_name.get(name)
        due = row and (row["dirty"] or _due_again(name, row["ran"]))
        lag_s = int((now - due).total_seconds()) if due else 0
        told[name] = JobVitals(row["failed"] if row else 0, max(lag_s, 0))
    return told


def _due_again(name: str, ran: datetime | None) -> datetime | None:
    every = PERIODS.get(name)
    return ran + every if ran is not None and every is not None else None


async def _dropped(store: Store, today: date) -> dict[Reason, int]:
    rows = await store.fetch(
        "SELECT reason, sum(n)::bigint AS n FROM dropped WHERE day = $1 GROUP BY reason", today
    )
    found = {row["reason"]: row["n"] for row in rows}
    return {reason: found.get(reason.value, 0) for reason in Reason}


async def _rows(store: Store, today: date) -> dict[str, int]:
    names = {partition_name(table, today): table for table in RAW}
    rows = await store.fetch(
        "SELECT relname, n_tup_ins FROM pg_stat_user_tables WHERE relname = ANY($1)", list(names)
    )
    found = {names[row["relname"]]: row["n_tup_ins"] for row in rows}
    return {table: found.get(table, 0) for table in RAW}


async def disk_vitals(settings: Settings, now: datetime) -> DiskVitals:
    return await asyncio.to_thread(read_disk, settings, now)


def read_disk(settings: Settings, now: datetime) -> DiskVitals:
    """Raises OSError where the data directory cannot be read."""
    folder = spool_folder(settings)
    disk = shutil.disk_usage(_nearest(folder))
    since = waiting_since(folder)
    return DiskVitals(
        free_bytes=disk.free,
        total_bytes=disk.total,
        spool_bytes=spool_bytes(folder),
        spool_lag_s=max(int((now - since).total_seconds()), 0) if since else 0,
        unusable_files=len(list((folder / BAD).glob("*"))),
    )


def _nearest(folder: Path) -> Path:
    """The folder, or what is to hold it before it is first needed."""
    found = next(step for step in (folder, *folder.parents) if step.exists())
    if not found.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(found))
    return found
