"""Recordings → a running collector, by several visitors at once, at any speed."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx

from app.clock import Clock, system_clock
from app.replay.account import Header
from app.replay.batches import Opening, address_of, batches_of, view_id_of
from app.replay.errors import ReplayError
from app.replay.ledger import Ledger
from app.replay.pace import Pace, check_speed
from app.replay.recordings import Recording, read_recordings
from app.replay.sender import TRIES, Sender
from app.replay.summary import Summary, Tally
from collector.wire import SITE_KEY, SLUG

BROWSER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36"
)
"""A desktop browser: what calls itself a program is dropped as a bot."""

ANSWER_WITHIN_S = 30.0
IDLE_CONNECTION_S = 2.0
"""Shorter than servers keep an idle connection, so that it is not closed under a request."""

Progress = Callable[[Summary], None]


async def replay(
    path: Path,
    *,
    url: str,
    site_key: str,
    page: str,
    ledger_path: Path,
    speed: float = 1.0,
    clients: int = 8,
    user_agent: str = BROWSER,
    progress: Progress = lambda _: None,
    seed: str | None = None,
    prefix: str = "/g",
    tries: int = TRIES,
    clock: Clock = system_clock,
) -> Summary:
    """Send every view of a file to page `page` of a shop, as if it were opened now.

    url          where Gloed answers, without the prefix
    ledger_path  a new file; or that of an earlier run, which then goes on: what it brought home
                 is skipped, the rest is sent under the same view, seq and opening minute
    speed        1 as recorded, 10 ten times as fast, 0 as fast as answers come
    clients      views sent at the same time; each waits for an answer before its next batch
    progress     called after every batch
    seed         view ids derive from it and the view's name; None for a new one
    Raises       RecordingError, ReplayError; the ledger tells what was sent by then
    """
    _check(site_key, page, speed, clients, tries)
    fresh = Header(
        site=site_key,
        page=page,
        seed=seed or secrets.token_hex(8),
        opened_min=int(clock().timestamp()) // 60,
    )
    target = f"{url.rstrip('/')}{prefix}/{site_key}"
    tally = Tally()
    with Ledger(ledger_path, fresh) as ledger:
        if seed not in (None, ledger.header.seed):
            raise ReplayError(
                f"the ledger {ledger_path} has another seed, {ledger.header.seed!r}: leave the "
                "seed out to go on with it, or name another file"
            )
        async with _client(clients, user_agent) as client:
            sender = Sender(client, target, ledger, tally, tries)
            await _Replay(sender, ledger, tally, speed, progress).run(path, clients)
    return tally.summary()


@dataclass(frozen=True, slots=True)
class _Replay:
    sender: Sender
    ledger: Ledger
    tally: Tally
    speed: float
    progress: Progress

    async def run(self, path: Path, clients: int) -> None:
        """The visitors take turns at one reader, so that the file is never whole in memory."""
        try:
            with closing(read_recordings(path)) as recordings:
                async with asyncio.TaskGroup() as group:
                    for _ in range(clients):
                        group.create_task(self._visitor(recordings))
        except ExceptionGroup as problems:
            raise problems.exceptions[0] from None

    async def _visitor(self, recordings: Generator[Recording]) -> None:
        for recording in recordings:
            await self._view(recording)
            self.tally.views += 1
            self.progress(self.tally.summary())

    async def _view(self, recording: Recording) -> None:
        header = self.ledger.header
        view_id = view_id_of(header.seed, recording.view)
        address = address_of(header.seed, recording.visit or recording.view)
        opening = Opening(view_id, header.opened_min, header.page)
        loop = asyncio.get_running_loop()
        pace: Pace | None = None
        for batch in batches_of(recording, opening):
            if self.ledger.brought_home(batch):
                self.tally.skipped += 1
                continue
            # Set at the first batch that is sent: a view taken up again waits for nothing that
            # lies behind it.
            pace = pace or Pace(self.speed, batch.due_ms, loop.time())
            await asyncio.sleep(pace.wait_s(batch.due_ms, loop.time()))
            await self.sender.send(batch, address)
            self.progress(self.tally.summary())


def _client(clients: int, user_agent: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        headers={"user-agent": user_agent, "content-type": "text/plain;charset=UTF-8"},
        timeout=ANSWER_WITHIN_S,
        limits=httpx.Limits(max_connections=clients, keepalive_expiry=IDLE_CONNECTION_S),
        # A proxy of this machine's environment would put its own address behind the visitor's.
        trust_env=False,
    )


def _check(site_key: str, page: str, speed: float, clients: int, tries: int) -> None:
    if not SITE_KEY.match(site_key):
        raise ReplayError(f"{site_key!r} is no site key: `gloed site list` shows those there are")
    if not SLUG.match(page):
        raise ReplayError(f"{page!r} is no page: write its name, of a-z, 0-9 and '-'")
    check_speed(speed)
    if clients < 1 or tries < 1:
        raise ReplayError(f"clients and tries must be 1 or more, got {clients} and {tries}")
