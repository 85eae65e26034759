"""What `gloed doctor` looks at: each finding names what was found and, if it is bad, the remedy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from app.checking.checks import JOB_LAG, Finding
from app.checking.vitals import DiskVitals, StoreVitals, read_disk, store_vitals
from app.config import LOOPBACK, Settings
from app.jobs import AHEAD_DAYS
from app.links import own_url
from app.spooling import spool_folder
from app.store import Store, head
from collector.nests import BAD

LEAST_FREE_SHARE = 0.05
LEAST_FREE_BYTES = 512 * 1024**2
"""Postgres stops when its disk is full: below either there is little time left."""

MOST_SKEW = timedelta(seconds=5)
"""A day's edge moves by the clocks' difference, and tokens bear whole minutes."""

LEAST_AHEAD_DAYS = 2
"""Made hourly, a week ahead: with fewer days the job has not run for some."""

SPOOL_LAG = timedelta(minutes=5)
FULL_SHARE = 0.8
DURABILITY = ("fsync", "full_page_writes")


def settings_findings(settings: Settings) -> Iterator[Finding]:
    """What the settings say together; whether each is usable was seen when they were read."""
    store = "the embedded Postgres" if settings.embedded else "GLOED_DATABASE_URL"
    yield Finding(True, f"settings: read; the store is {store}")
    yield _reach(settings)
    if settings.sign_in == "none":
        yield Finding(
            True,
            "sign-in: none (GLOED_SIGN_IN): whoever comes through your proxy is the owner; "
            "see that it asks for a login",
        )
    if not settings.spool_bytes:
        told = "spool: off (GLOED_SPOOL_BYTES=0): while the store is away signals are refused"
        yield Finding(False, f"{told}; unset it to keep them")


def _reach(settings: Settings) -> Finding:
    url = own_url(settings)
    near = settings.host in LOOPBACK and settings.public_url is None
    if near or url.startswith("https://"):
        return Finding(True, f"address: {url}, bound to {settings.host}")
    return Finding(
        False,
        f"address: {url} without TLS: passwords and cookies can be read on the way; set "
        "GLOED_PUBLIC_URL=https://… and let your web server speak TLS",
    )


def disk_findings(settings: Settings, now: datetime) -> Iterator[Finding]:
    folder = spool_folder(settings)
    try:
        disk = read_disk(settings, now)
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
        yield Finding(False, f"disk: {folder} cannot be read ({reason}): see whose it is")
        return
    yield _room(disk)
    yield from _spool(settings, disk)


def _room(disk: DiskVitals) -> Finding:
    share = disk.free_bytes / disk.total_bytes if disk.total_bytes else 0.0
    told = f"disk: {disk.free_bytes / 1e9:.1f} GB free, {share:.0%}"
    if disk.free_bytes < LEAST_FREE_BYTES or share < LEAST_FREE_SHARE:
        return Finding(
            False, f"{told}: free some, or keep fewer days (raw_days, view_days, tile_days)"
        )
    return Finding(True, told)


def _spool(settings: Settings, disk: DiskVitals) -> Iterator[Finding]:
    told = f"spool: {disk.spool_bytes / 1e6:.1f} MB wait, the oldest for {disk.spool_lag_s} s"
    full = disk.spool_bytes > FULL_SHARE * settings.spool_bytes
    if settings.spool_bytes and (full or disk.spool_lag_s > SPOOL_LAG.total_seconds()):
        yield Finding(False, f"{told}: is the store there, and `gloed serve` running?")
    elif settings.spool_bytes:
        yield Finding(True, told)
    if disk.unusable_files:
        bad = spool_folder(settings) / BAD
        yield Finding(
            False,
            f"spool: {disk.unusable_files} files in {bad} could not be replayed: look at them, "
            "then delete them",
        )


async def store_findings(store: Store, now: datetime) -> list[Finding]:
    """Of a store that is at this version's revision."""
    version = await store.fetchval("SHOW server_version")
    vitals = await store_vitals(store, now)
    size = f"{vitals.database_bytes / 1e6:.0f} MB"
    return [
        Finding(True, f"store: Postgres {version} at revision {head()}, {size}"),
        await _durability(store),
        _clock(vitals, now),
        _partitions(vitals),
        *_lag(vitals),
    ]


async def _durability(store: Store) -> Finding:
    return durable({name: await store.fetchval(f"SHOW {name}") for name in DURABILITY})


def durable(states: Mapping[str, str]) -> Finding:
    """Of Postgres' switches; `synchronous_commit` is set by each of our connections."""
    wrong = [f"{name} is {state}" for name, state in states.items() if state != "on"]
    if wrong:
        remedy = "switch it on in postgresql.conf, or a crash loses what was acknowledged"
        return Finding(False, f"durability: {' and '.join(wrong)}: {remedy}")
    return Finding(True, "durability: what is acknowledged is on disk")


def _clock(vitals: StoreVitals, now: datetime) -> Finding:
    skew = abs(vitals.at - now)
    told = f"clock: {skew.total_seconds():.1f} s between this machine and the store"
    remedy = "" if skew <= MOST_SKEW else ": let both keep time by NTP (timedatectl)"
    return Finding(not remedy, told + remedy)


def _partitions(vitals: StoreVitals) -> Finding:
    told = f"partitions: ready for {vitals.ahead_days} of {AHEAD_DAYS + 1} days from today"
    if vitals.ahead_days < LEAST_AHEAD_DAYS:
        return Finding(False, f"{told}: is `gloed serve` running? its job `ahead` makes them")
    return Finding(True, told)


def _lag(vitals: StoreVitals) -> Iterator[Finding]:
    failed = {name: job.failed for name, job in vitals.jobs.items() if job.failed}
    late = {
        name: job.lag_s for name, job in vitals.jobs.items() if job.lag_s > JOB_LAG.total_seconds()
    }
    for name, n in failed.items():
        yield Finding(False, f"jobs: {name} failed on {n}: `gloed jobs` says why")
    for name, lag_s in late.items():
        told = f"jobs: {name} has been due for {lag_s} s"
        yield Finding(False, f"{told}: is `gloed serve` running, and not overloaded?")
    if not (failed or late):
        yield Finding(True, "jobs: none failed, none is late")


def is_well(findings: Iterable[Finding]) -> bool:
    return all(finding.good for finding in findings)
