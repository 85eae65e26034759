"""Gloed whose store goes away, comes back, or is not there yet: what it answers and says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from app.cli.main import cli
from app.clock import SteppedClock
from app.config import DEFAULT_SPOOL_BYTES
from app.store import POOL_SIZE, Store, head
from collector.nests import BAD
from tests.build import Walker, batch_body, make_shop
from tests.collector.store_line import StoreLine
from tests.conftest import NOON
from tests.serving import SECRET, Running, serving

PATIENCE_S = 60.0


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.main.LOOK_AGAIN_S", 0.1)
    monkeypatch.setattr("collector.replay.LOOK_S", 0.1)
    monkeypatch.setattr("collector.committer.HOLD_S", 0.1)


@pytest.fixture(autouse=True)
def unprinted() -> Iterator[None]:
    """The log, unless it is configured, draws a traceback for seconds, on the server's loop."""
    with capture_logs():
        yield


@pytest.fixture
def away(server_url: str, database_url: str) -> Callable[[bool], None]:
    """Shut the store to everybody and cut whoever is in it; or open it again."""
    name = database_url.partition("?")[0].rpartition("/")[2]

    def shut(closed: bool) -> None:
        asyncio.run(_administer(server_url, name, closed))

    return shut


async def _administer(url: str, name: str, closed: bool) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {not closed}")
        if closed:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
            )
    finally:
        await connection.close()


@contextmanager
def spooling(database_url: str, home: Path) -> Iterator[Running]:
    clock = SteppedClock(NOON)
    with serving(database_url, clock, spool_bytes=DEFAULT_SPOOL_BYTES, data_dir=home) as running:
        yield running


def ready(running: Running) -> tuple[int, dict[str, Any]]:
    answer = httpx.get(f"{running.url}/readyz", timeout=PATIENCE_S)
    return answer.status_code, answer.json()


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_while_the_store_is_away_what_comes_is_kept_and_told(
    database_url: str, tmp_path: Path, away: Callable[[bool], None]
) -> None:
    with spooling(database_url, tmp_path) as running:
        site = running.do(make_shop(running.store, NOON))
        walker = Walker(running.url)
        token = walker.open(site, "shipping")
        assert ready(running) == (200, {"status": "ready", "spool": {"bytes": 0, "lag_s": 0}})
        away(True)
        walker.tell(token, "1.h", "1.h5")
        walker.tell(walker.open(site, "payment"), "2.f")
        assert walker.post(site, batch_body(m=int(NOON.timestamp()) // 60)).status_code == 204
        status, told = ready(running)
        assert status == 200
        assert "kept in the spool" in told["status"]
        assert told["spool"]["bytes"] > 0
        away(False)
        until(lambda: ready(running)[1]["spool"]["bytes"] == 0)
        assert ready(running)[1]["status"] == "ready"
        names = running.do(running.store.fetch("SELECT name FROM beacon ORDER BY name"))
        assert [row["name"] for row in names] == ["1.h", "1.h5", "2.f", "open", "open"]
        assert running.do(running.store.fetchval("SELECT count(*) FROM batch")) == 1


def test_a_store_that_says_nothing_holds_no_probe_up(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither gone nor answering: connections stand, and nothing comes back. More probes than there
    are connections are told so all the same, and all is well once it speaks again."""
    monkeypatch.setattr("app.health.ASK_WITHIN_S", 0.1)
    monkeypatch.setattr("app.metrics.ASK_WITHIN_S", 0.1)
    line, through = StoreLine(database_url), Store("")
    with spooling(database_url, tmp_path) as running:
        assert ready(running)[0] == 200
        opened = line.opened()  # as long as the loop that serves
        running.do(opened.__aenter__())
        through.url = line.url
        running.do(through.open())
        with monkeypatch.context() as between:
            between.setattr(running.context.store, "_pool", through._pool)
            line.silent = True
            for _ in range(POOL_SIZE + 2):
                assert "the store does not answer" in ready(running)[1]["status"]
                assert "gloed_store_up 0" in httpx.get(f"{running.url}/metrics").text
            assert httpx.get(f"{running.url}/healthz").status_code == 200
            line.silent = False
            running.loop.call_soon_threadsafe(line.release)
            until(lambda: ready(running)[1]["status"] == "ready")
        # Some of its connections were given up in the middle, and say no good-bye.
        running.loop.call_soon_threadsafe(through._pool.terminate)


def test_a_store_away_at_the_start_is_met_later_and_harms_nobody_meanwhile(
    database_url: str, tmp_path: Path, away: Callable[[bool], None]
) -> None:
    with spooling(database_url, tmp_path) as running:
        site = running.do(make_shop(running.store, NOON))
    away(True)
    with spooling(database_url, tmp_path) as running:
        opening = httpx.get(f"{running.url}/g/{site.public_key}/cart")
        assert (opening.status_code, opening.content) == (503, b"")
        assert ready(running)[0] == 503
        away(False)

        def opens() -> bool:
            answer = Walker(running.url).get(f"/g/{site.public_key}/cart")
            return answer.status_code == 302

        until(opens)
        until(lambda: ready(running)[0] == 200)
        jobs = "SELECT count(*) FROM job WHERE name = 'ahead'"
        until(lambda: running.do(running.store.fetchval(jobs)))


def test_a_store_of_another_revision_is_collected_for_and_no_job_writes_to_it(
    database_url: str, tmp_path: Path
) -> None:
    with spooling(database_url, tmp_path) as running:
        site = running.do(make_shop(running.store, NOON))
    asyncio.run(execute(database_url, "UPDATE alembic_version SET version_num = '9999'"))
    asyncio.run(execute(database_url, "DELETE FROM job"))
    with spooling(database_url, tmp_path) as running:
        walker = Walker(running.url)
        walker.tell(walker.open(site, "cart"), "y700")
        count = "SELECT count(*) FROM beacon"
        assert running.do(running.store.fetchval(count)) == 0
        assert running.do(running.store.fetchval("SELECT count(*) FROM job")) == 0
        migrated = running.store.execute("UPDATE alembic_version SET version_num = $1", head())
        running.do(migrated)
        until(lambda: running.do(running.store.fetchval(count)) == 2)


def test_the_spool_stands_among_the_jobs(
    database_url: str, tmp_path: Path, away: Callable[[bool], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "DATABASE_URL": database_url,
        "SECRET": SECRET,
        "DATA_DIR": str(tmp_path),
    }.items():
        monkeypatch.setenv(f"GLOED_{name}", value)

    def row() -> list[str]:
        told = CliRunner().invoke(cli, ["jobs"])
        assert told.exit_code == 0, told.output
        (found,) = (line for line in told.stdout.splitlines() if line.startswith("spool\t"))
        return found.split("\t")

    assert row()[3] == "empty"
    with spooling(database_url, tmp_path) as running:
        site = running.do(make_shop(running.store, NOON))
        walker = Walker(running.url)
        token = walker.open(site, "shipping")
        away(True)
        walker.tell(token, "1.h")
    away(False)
    _, _, _, state, _, _, lag, why = row()
    assert state.endswith(" MB wait")
    assert lag.endswith(" s")
    assert why == ""
    (tmp_path / "spool" / BAD).mkdir()
    (tmp_path / "spool" / BAD / "x.frames").write_bytes(b"")
    assert row()[7].startswith("1 unusable files in ")
