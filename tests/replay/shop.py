"""A shop to replay into, and small recordings to replay."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg

from app.replay import Event, Recording, Summary, Verdict, replay, verify, write_recordings
from app.shops import add_site, find_site, put_page
from app.store import Store
from tests.serving import Running

PAGE = "checkout"


def open_shop(gloed: Running) -> str:
    """A shop with one page; its key."""
    return gloed.do(_open_shop(gloed.store, gloed.clock()))


async def _open_shop(store: Store, now: datetime) -> str:
    key = await add_site(store, "Replayed", now)
    await put_page(store, await find_site(store, key), PAGE, now)
    return key


def a_view(name: str, *, visit: str | None = None) -> Recording:
    """Three batches: movement and a scroll, an idle stretch, a click, an idle stretch, a move."""
    events = [Event(40 * n, "move", 100 + n, 200 + 3 * n) for n in range(50)]
    events += [
        Event(2500, "scroll", 0, 300),
        Event(9000, "click", 640, 700),
        Event(20_000, "move", 5, 5),
    ]
    return Recording(
        view=name, visit=visit, viewport=(1280, 720), page=(1280, 2400), events=tuple(events)
    )


BATCHES = 3
"""Of one such view."""


def a_file(folder: Path, recordings: Iterable[Recording]) -> Path:
    path = folder / "views.jsonl"
    write_recordings(path, recordings)
    return path


def send(gloed: Running, path: Path, site_key: str, ledger: Path, **more: Any) -> Summary:
    told = {"url": gloed.url, "page": PAGE, "speed": 0, "clock": gloed.clock, **more}
    return asyncio.run(replay(path, site_key=site_key, ledger_path=ledger, **told))


def judge(gloed: Running, site_key: str, ledger: Path) -> Verdict:
    return asyncio.run(verify(gloed.database_url, site_key, ledger))


def ask(gloed: Running, statement: str, *values: Any) -> list[Any]:
    """Run a statement on a connection of its own, from the test's thread."""

    async def asked() -> list[Any]:
        connection = await asyncpg.connect(gloed.database_url)
        try:
            rows: list[Any] = await connection.fetch(statement, *values)
            return rows
        finally:
            await connection.close()

    return asyncio.run(asked())
