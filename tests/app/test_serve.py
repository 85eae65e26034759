"""`gloed serve` as a process: workers on one store, a polite end, and an end by force."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from app.clock import system_clock
from app.replay.verifier import verify
from app.store import Store
from tests.build import make_shop
from tests.faults.kills import Found, compared
from tests.faults.traffic import Traffic
from tests.serving import FROM_OURS, SECRET

PATIENCE_S = 90.0
SENT_BEFORE = 100
ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def wait_until(true: object, told: str) -> None:
    assert callable(true)
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, told
        time.sleep(0.05)


def lives(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=2).is_success
    except httpx.TransportError:
        return False


def descendants(pid: int) -> set[int]:
    """Processes below this one, from /proc."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                told = (entry / "stat").read_text()
            except OSError:
                continue
            parents[int(entry.name)] = int(told.rpartition(")")[2].split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def is_there(pid: int) -> bool:
    """And no mere zombie that nobody has collected yet."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return told.rpartition(")")[2].split()[0] != "Z"


@contextmanager
def serving(*words: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    port = free_port()
    own = {name: value for name, value in os.environ.items() if not name.startswith("GLOED_")}
    command = [sys.executable, "-c", "from app.cli import main; main()", "serve"]
    process = subprocess.Popen(
        [*command, "--port", str(port), *words],
        env={**own, **environment, "PYTHONUNBUFFERED": "1"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: lives(url) or process.poll() is not None, "it never answered")
        assert process.poll() is None, process.communicate()[0]
        yield process, url
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE_S)
        if process.stdout:
            process.stdout.close()


@pytest.fixture
def foreign(database_url: str) -> dict[str, str]:
    return {"GLOED_DATABASE_URL": database_url, "GLOED_SECRET": SECRET}


def test_two_workers_share_one_store_and_end_together_when_told(foreign: dict[str, str]) -> None:
    with serving("--workers", "2", **foreign) as (process, url):
        line = process.stdout.readline() if process.stdout else ""
        link = re.search(rf"Sign in once, within the hour: {url}(/sign-in/\S+)", line)
        assert link, line

        def ready() -> int:
            return sum(httpx.get(f"{url}/readyz").is_success for _ in range(20))

        wait_until(lambda: ready() == 20, "a worker is not ready")
        with httpx.Client(base_url=url) as browser:
            assert browser.post(link[1], headers=FROM_OURS).status_code == 303
            answers = [browser.get("/api/v1/sites").status_code for _ in range(20)]
        assert answers == [200] * 20, "whoever answers knows the cookie: the secret is shared"
        below = descendants(process.pid)
        assert len(below) >= 2
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
        wait_until(lambda: not any(map(is_there, below)), "a worker outlived its parent")


def test_workers_whose_parent_is_killed_end_too(foreign: dict[str, str]) -> None:
    with serving("--workers", "2", **foreign) as (process, url):
        wait_until(lambda: len(descendants(process.pid)) >= 2, "there are no workers")
        assert lives(url)
        below = descendants(process.pid)
        process.kill()
        process.wait(PATIENCE_S)
        wait_until(lambda: not any(map(is_there, below)), f"{below} outlived their parent")
        assert not lives(url)


async def test_a_polite_end_answers_all_that_was_sent_and_loses_nothing(
    foreign: dict[str, str], store: Store, database_url: str, tmp_path: Path
) -> None:
    """To the last moment more is sent; who comes when nobody listens any longer is turned away."""
    site = await make_shop(store, system_clock())
    ledger = tmp_path / "ledger"
    with serving(**foreign) as (process, url):
        traffic = Traffic(int(url.rpartition(":")[2]), site.public_key, ledger, "polite")
        async with traffic.going():
            while traffic.statuses[204] < SENT_BEFORE:
                await asyncio.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(process.wait, PATIENCE_S) == 0
    batches = await verify(database_url, site.public_key, ledger)
    beacons = await compared(store, site.site_id, traffic.beacons)
    assert batches.exact
    assert batches.stored == batches.acked, "a batch was kept and its sender not told"
    assert beacons == Found(lost=0, twice=0, refused_but_stored=0, untold=0)
    assert traffic.beacons.acked


def test_a_polite_end_stops_the_store_that_was_brought_along() -> None:
    home = Path(tempfile.mkdtemp(prefix="gloed-test-"))
    home.chmod(0o755)
    try:
        with serving(GLOED_DATA_DIR=str(home)) as (process, _):
            running = list(home.rglob("postmaster.pid"))
            assert running
            below = descendants(process.pid)
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0
            assert not list(home.rglob("postmaster.pid")), "Postgres was not stopped in order"
            assert not any(map(is_there, below))
            (secret,) = home.rglob("secret")
            assert secret.stat().st_mode & 0o777 == 0o600
    finally:
        shutil.rmtree(home, ignore_errors=True)
