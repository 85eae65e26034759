"""Log lines: JSON, from our own words; no address, agent, cookie, key or text of anybody."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from structlog.testing import capture_logs

from app.access.session import COOKIE
from app.logs import Libraries, without_values
from tests.app.test_serve import free_port, lives, wait_until
from tests.serving import SECRET

ROOT = Path(__file__).resolve().parents[2]
CANARY = "kanarie"
SENT = {
    "user-agent": f"Mozilla/5.0 {CANARY}",
    "x-forwarded-for": "203.0.113.77",
    "cookie": f"{COOKIE}={CANARY}; sessie={CANARY}",
    "referer": f"https://shop.nl/?q={CANARY}",
    "authorization": f"Bearer gld_{CANARY}",
    "accept-language": f"nl-{CANARY}",
}
FIELDS = {"event", "level", "timestamp", "exception", "logger", "wording", "why", "store"}
"""And no others, of what is logged while people ask."""


def test_an_exception_is_told_by_kind_and_place_and_not_by_its_message() -> None:
    try:
        try:
            raise KeyError(CANARY)
        except KeyError as cause:
            raise ValueError(f"no {CANARY}") from cause
    except ValueError:
        told = without_values(None, "error", {"event": "jobs_failed", "exc_info": True})
    assert CANARY not in str(told)
    kinds = [part["kind"] for part in told["exception"]]
    assert kinds == ["builtins.ValueError", "builtins.KeyError"]
    assert "test_logs.py" in told["exception"][0]["at"][-1]


def test_an_exception_that_causes_itself_is_told_once() -> None:
    problem = ValueError(CANARY)
    problem.__cause__ = problem
    told = without_values(None, "error", {"exc_info": problem})
    assert len(told["exception"]) == 1


@pytest.fixture
def library() -> Iterator[logging.Logger]:
    log = logging.getLogger("asyncpg")
    handler = Libraries()
    log.addHandler(handler)
    yield log
    log.removeHandler(handler)


def test_a_library_is_told_by_its_wording_without_the_values(library: logging.Logger) -> None:
    with capture_logs() as lines:
        library.warning("cannot read %s", CANARY)
        logging.getLogger("asyncio").addHandler(handler := Libraries())
        logging.getLogger("asyncio").error(f"Task failed: {CANARY}")
        logging.getLogger("asyncio").removeHandler(handler)
    assert [line["wording"] for line in lines] == ["cannot read %s", ""]
    assert [line["logger"] for line in lines] == ["asyncpg", "asyncio"]
    assert CANARY not in str(lines)


def test_whatever_is_sent_stands_in_no_line(own_database_url: str, tmp_path: Path) -> None:
    """A serving process, asked in every way that it refuses, and with a table gone under it."""
    lines = [json.loads(line) for line in spoken_while(own_database_url, tmp_path)]
    assert lines, "it was asked for what it cannot do, and said nothing"
    told = json.dumps(lines)
    for secret in (CANARY, "203.0.113.77", "127.0.0.1", SECRET, "Mozilla"):
        assert secret not in told
    kinds = [part["kind"] for line in lines for part in line.get("exception", ())]
    assert "asyncpg.exceptions.UndefinedTableError" in kinds
    for line in lines:
        assert set(line) <= FIELDS, line


def spoken_while(own_database_url: str, home: Path) -> list[str]:
    port = free_port()
    own = {name: value for name, value in os.environ.items() if not name.startswith("GLOED_")}
    house = {
        "GLOED_DATABASE_URL": own_database_url,
        "GLOED_SECRET": SECRET,
        "GLOED_LOG_FORMAT": "json",
        "GLOED_DATA_DIR": str(home),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", "from app.cli import main; main()", "serve", "--port", str(port)],
        env={**own, **house, "PYTHONUNBUFFERED": "1"},
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: lives(url) or process.poll() is not None, "it never answered")
        ask_for_everything(url)
        asyncio.run(lose_a_table(own_database_url))
        answer = httpx.post(f"{url}/sign-in", data={"name": CANARY, "password": CANARY}, timeout=60)
        assert answer.status_code == 403, "not from a page of ours"
        form = {"name": CANARY, "password": CANARY}
        ours = {**SENT, "sec-fetch-site": "same-origin"}
        assert httpx.post(f"{url}/sign-in", data=form, headers=ours).status_code == 500
    finally:
        process.terminate()
        _, spoken = process.communicate(timeout=60)
    return [line for line in spoken.splitlines() if line.strip()]


def ask_for_everything(url: str) -> None:
    paths = ("/", f"/{CANARY}", f"/sign-in/{CANARY}", f"/shared/{CANARY}", f"/g/{CANARY}/{CANARY}")
    for path in (*paths, f"/api/v1/sites/{CANARY}?q={CANARY}", "/metrics"):
        assert httpx.get(url + path, headers=SENT, timeout=60).status_code < 500
    for body in (b"{", b'{"v":1}', CANARY.encode(), b"\xff"):
        httpx.post(f"{url}/g/gs_aaaaaaaaaaaaaaaa", content=body, headers=SENT, timeout=60)


async def lose_a_table(own_database_url: str) -> None:
    connection: Any = await asyncpg.connect(own_database_url)
    await connection.execute("DROP TABLE sign_in_try")
    await connection.close()
