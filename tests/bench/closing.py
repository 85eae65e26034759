"""What a large day costs to close and to seal: `make bench-closing`, `VIEWS=50000` for a look.

A store of its own with the day and the three beside it, each as large. The day is closed, closed
again (nothing has changed), closed after late rows came, and sealed: each in a process of its own
that holds what the serving one holds. CPU and memory are that process's; Postgres has its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from app.postgres import embedded_store
from app.store import Store, migrate
from collector.sites import Site
from tests.bench.big_days import fill_day
from tests.build import make_shop

VIEWS = 1_000_000
BEACONS = 12
BEACONS_BESIDE = 3
"""Of the days beside nothing is read but what opened; they need not be as long on disk."""

DAY = date(2026, 11, 18)
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LATE_EVERY = 1000
_LATE = """
    INSERT INTO beacon (site_id, day, view_id, name, at, visitor_check)
    SELECT site_id, day, view_id, 't300', at + interval '5 minutes', visitor_check
    FROM beacon WHERE day = $1 AND name = 'open' AND view_id % $2 = 0
"""


@contextmanager
def postgres() -> Iterator[str]:
    home = Path(tempfile.mkdtemp(prefix="gloed-bench-"))
    home.chmod(0o755)
    try:
        with embedded_store(home, explicit=True, say=lambda _line: None) as url:
            yield url
    finally:
        shutil.rmtree(home, ignore_errors=True)


async def prepare(url: str, views: int) -> Site:
    await migrate(url)
    store = Store(url)
    await store.open()
    try:
        site = await make_shop(store, NOW - timedelta(days=30))
    finally:
        await store.close()
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET work_mem = '256MB'; SET maintenance_work_mem = '512MB'")
        for n in range(-2, 2):
            await fill_day(
                connection, site, DAY + timedelta(days=n), views, BEACONS_BESIDE if n else BEACONS
            )
        await connection.execute("VACUUM ANALYZE beacon")
    finally:
        await connection.close()
    return site


async def execute(url: str, query: str, *values: Any) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(query, *values)
    finally:
        await connection.close()


def run(name: str, job: str, url: str, site: Site) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.closing_day", job]
    given = [url, site.public_key, str(DAY), NOW.isoformat()]
    told = subprocess.run([*command, *given], check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(told.stdout)
    print(
        f"{name:<18}{found['views']:>10,} views{found['seconds']:>8.1f} s"
        f"{found['cpu_s']:>8.1f} s CPU{found['cpu_s'] / found['views'] * 1e6:>7.0f} µs a view"
        f"{found['peak_mb']:>6} MB at most, {found['idle_mb']} MB before",
        flush=True,
    )
    return found


def main() -> int:
    views = int(os.environ.get("VIEWS", VIEWS))
    began = time.monotonic()
    with postgres() as url:
        site = asyncio.run(prepare(url, views))
        print(f"{views:,} views a day on four days, made in {time.monotonic() - began:.0f} s")
        closed = run("closed", "close", url, site)
        again = run("nothing changed", "close", url, site)
        asyncio.run(execute(url, _LATE, DAY, LATE_EVERY))
        late = run("after late rows", "close", url, site)
        sealed = run("sealed", "seal", url, site)
    figures = {
        "views": closed["views"],
        "close_cpu_s": closed["cpu_s"],
        "close_peak_mb": max(one["peak_mb"] for one in (closed, again, late)),
        "seal_cpu_s": sealed["cpu_s"],
        "seal_peak_mb": sealed["peak_mb"],
    }
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
