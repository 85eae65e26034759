"""`/metrics` in Prometheus' text format: figures of the house, labels from closed lists alone.

Read by whoever asks directly from `GLOED_METRICS_FROM`; for everybody else there is no such page.
The figures are the store's and the disk's (`checking/vitals.py`), so every worker answers alike.
The client library would bring a registry for each process and files to join them; this needs none.

Source: Prometheus exposition formats, text format 0.0.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import asyncpg
from fastapi import APIRouter, Depends, HTTPException, Request
from starlette.responses import Response

from app.access.front_door import is_our_name
from app.checking.vitals import DiskVitals, StoreVitals, disk_vitals, store_vitals
from app.context import Context, context_of
from app.problems import AWAY
from collector.addresses import is_trusted, networks
from collector.connections import ASK_WITHIN_S

router = APIRouter(include_in_schema=False)
MEDIA = "text/plain; version=0.0.4; charset=utf-8"
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "via")
"""Any of these says that a proxy stands between: then the peer's address means nothing."""

Sample = tuple[dict[str, str], float]


@dataclass(frozen=True, slots=True)
class Gauge:
    name: str
    help: str
    samples: tuple[Sample, ...]

    def lines(self) -> Iterator[str]:
        yield f"# HELP gloed_{self.name} {self.help}"
        yield f"# TYPE gloed_{self.name} gauge"
        for labels, value in self.samples:
            told = ",".join(f'{label}="{of}"' for label, of in labels.items())
            yield (
                f"gloed_{self.name}{{{told}}} {value:.17g}"
                if told
                else (f"gloed_{self.name} {value:.17g}")
            )


@router.get("/metrics")
async def metrics(request: Request, context: Annotated[Context, Depends(context_of)]) -> Response:
    if not _may_read(request, context):
        raise HTTPException(404)
    now = context.clock()
    disk = await disk_vitals(context.settings, now)
    try:
        ask = partial(store_vitals, context.store, now)
        store = await context.store.within(ASK_WITHIN_S, "vitals", ask)
    except (*AWAY, asyncpg.PostgresError):
        store = None
    return Response(text((*_of_disk(disk), *_of_store(store))), media_type=MEDIA)


def text(gauges: Iterable[Gauge]) -> str:
    return "".join(f"{line}\n" for gauge in gauges for line in gauge.lines())


def _may_read(request: Request, context: Context) -> bool:
    told = request.headers
    if any(name in told for name in FORWARDED) or _is_strangers(told.get("host", ""), context):
        return False
    peer = request.client.host if request.client else ""
    return is_trusted(peer, networks(context.settings.metrics_from))


def _is_strangers(host: str, context: Context) -> bool:
    """Whether a name that anybody may register stands for us: a page of theirs can make a browser
    nearby ask (DNS rebinding), but under that name alone."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    return "." in name.strip("[]").rstrip("0123456789.") and not is_our_name(host, context.settings)


def _of_disk(disk: DiskVitals) -> Iterator[Gauge]:
    yield _one("disk_free_bytes", "Free where the data directory lies.", disk.free_bytes)
    yield _one("spool_bytes", "Waiting on this machine to be replayed.", disk.spool_bytes)
    yield _one("spool_lag_seconds", "Age of the oldest that waits.", disk.spool_lag_s)
    yield _one("spool_unusable_files", "Files of the spool set aside.", disk.unusable_files)


def _of_store(store: StoreVitals | None) -> Iterator[Gauge]:
    yield _one("store_up", "Whether the store answers.", store is not None)
    if store is None:
        return
    yield _one("store_bytes", "Size of the database.", store.database_bytes)
    yield _one("partitions_ahead_days", "Days that have their partitions.", store.ahead_days)
    yield Gauge(
        "job_failed",
        "Pieces of work whose last run failed.",
        tuple(({"job": name}, job.failed) for name, job in store.jobs.items()),
    )
    yield Gauge(
        "job_lag_seconds",
        "For how long the oldest piece has been due.",
        tuple(({"job": name}, job.lag_s) for name, job in store.jobs.items()),
    )
    yield Gauge(
        "dropped_today",
        "Dropped on purpose since midnight UTC.",
        tuple(({"reason": reason.value}, n) for reason, n in store.dropped.items()),
    )
    yield Gauge(
        "rows_today",
        "Rows of the day in UTC, as Postgres counts them.",
        tuple(({"table": table}, n) for table, n in store.rows.items()),
    )


def _one(name: str, help_: str, value: float) -> Gauge:
    return Gauge(name, help_, (({}, value),))
