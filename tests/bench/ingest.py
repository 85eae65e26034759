"""How near the ceiling of one core the collector takes traffic: `python -m tests.bench.ingest`.

Gloed, one worker, has one core; Postgres and the load generator have the other; 64 connections are
kept open. A bare application takes the same bytes in turns with it, so that neighbours on the
machine slow both alike: a ratio is the median over the rounds. It stands beside the ratio of the
processor time that a request costs the two, which hardly feels neighbours. At the end the store is
asked for every event that was acknowledged. Linux alone, as processes are bound to cores.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg

from app.clock import system_clock
from app.due import CLOSE
from app.postgres import embedded_store
from app.store import Store, migrate
from app.turns import claim
from collector.sites import Site
from tests.bench import storage
from tests.bench.ledger import Ledger
from tests.bench.servers import GLOED, serving, stay_beside, uvicorn
from tests.bench.traffic import Traffic
from tests.bench.turns import Bench, Compared, Latency
from tests.build import make_shop
from tests.conftest import with_database
from tests.serving import SECRET

BOUND_S = 180
"""The whole takes less, unless the machine does something else."""

STORAGE = "storage"


@contextmanager
def postgres() -> Iterator[str]:
    home = Path(tempfile.mkdtemp(prefix="gloed-bench-"))
    home.chmod(0o755)
    try:
        with embedded_store(home, explicit=True, say=print) as url:
            yield url
    finally:
        shutil.rmtree(home, ignore_errors=True)


async def prepare(url: str) -> tuple[Site, int]:
    """A shop, and the process that Postgres runs under."""
    await migrate(url)
    store = Store(url)
    await store.open()
    try:
        backend = await store.fetchval("SELECT pg_backend_pid()")
        stat = Path(f"/proc/{backend}/stat").read_text()
        return await make_shop(store, system_clock()), int(stat.rpartition(")")[2].split()[1])
    finally:
        await store.close()


async def close_elsewhere(url: str, site: Site) -> Any:
    """Claim the closing of the days, as another process of a fleet would that is at it meanwhile.

    Closing costs by the events of a day, and this measures taking them. Returns the connection
    that holds the claims.
    """
    connection = await asyncpg.connect(url)
    today = site.day_of(system_clock())
    for day in (today - timedelta(days=1), today, today + timedelta(days=1)):
        key = claim((CLOSE, site.site_id, day))
        await connection.execute("SELECT pg_advisory_lock(hashtext($1))", key)
    return connection


async def measure_storage(url: str) -> dict[str, Any]:
    """In a database of its own."""
    connection = await asyncpg.connect(url)
    await connection.execute(f"CREATE DATABASE {STORAGE}")
    await connection.close()
    return storage.summary(await storage.measure(with_database(url, STORAGE)))


def as_json(sent: bytes) -> bytes:
    """FastAPI takes no body that is called text."""
    return sent.replace(b"text/plain;charset=UTF-8", b"application/json")


def show(compared: list[Compared], latencies: dict[str, Latency]) -> None:
    print(f"{'':24}{'req/s':>8}{'bare':>8}{'ratio':>7}{'CPU µs':>8}{'bare':>7}{'ratio':>7}", end="")
    print(f"{'store µs':>10}{'p50 ms':>8}{'p99 ms':>8}")
    for one in compared:
        ours, bare = one.ours.medians(), one.bare.medians()
        line = f"{one.name:24}{ours.per_second:8.0f}{bare.per_second:8.0f}{one.ratio:7.2f}"
        line += f"{ours.cpu_us:8.1f}{bare.cpu_us:7.1f}{one.cpu_ratio:7.2f}{ours.store_us:10.1f}"
        if one.name in latencies:
            line += f"{latencies[one.name].p50_ms:8.2f}{latencies[one.name].p99_ms:8.2f}"
        print(line)
    print("ratio: of requests per second, and of processor time, to a bare application's;")
    print("p50 and p99 at half of the rate reached, from the moment a request was due")


def main() -> int:
    stay_beside()
    began = time.monotonic()
    with ExitStack() as stack:
        url = stack.enter_context(postgres())
        runner = stack.enter_context(asyncio.Runner())
        site, postmaster = runner.run(prepare(url))
        claims = runner.run(close_elsewhere(url, site))
        settings = {
            "GLOED_DATABASE_URL": url,
            "GLOED_SECRET": SECRET,
            "GLOED_TRUSTED_PROXIES": "127.0.0.1",
            "GLOED_DATA_DIR": stack.enter_context(tempfile.TemporaryDirectory()),
        }
        traffic = Traffic(site, SECRET.encode(), system_clock())
        ledger = Ledger(SECRET.encode())
        bare = stack.enter_context(serving(uvicorn("tests.bench.bare:app")))
        with serving(GLOED, **settings) as gloed:
            bench = Bench(gloed, bare, traffic, ledger, postmaster)
            compared = bench.routes()
            latencies = {one.name: bench.half_load(one) for one in compared if one.durable}
        audit = runner.run(ledger.audit(url))
        runner.run(claims.close())
        with serving(uvicorn("tests.bench.rivals:per_point"), BENCH_DATABASE_URL=url) as rival:
            compared.append(bench.rival("per_point", "a row per point", rival))
        with serving(uvicorn("tests.bench.rivals:framework")) as rival:
            compared.append(bench.rival("fastapi", "FastAPI, nothing stored", rival, as_json))
        stored = runner.run(measure_storage(url))
    show(compared, latencies)
    print(f"{audit.acknowledged} events acknowledged; {audit}; {time.monotonic() - began:.0f} s")
    figures = {f"{one.key}_ratio": round(one.ratio, 3) for one in compared}
    figures |= {f"{one.key}_cpu_ratio": round(one.cpu_ratio, 3) for one in compared}
    figures["p99_over_p50"] = round(max(found.spread for found in latencies.values()), 2)
    figures |= {**stored, "lost": audit.lost, "twice": audit.twice}
    print(json.dumps(figures))
    return 1 if audit.lost or audit.twice or audit.points_lost else 0


if __name__ == "__main__":
    sys.exit(main())
