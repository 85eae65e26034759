"""Visitors who remember what they were told: batches in a ledger on disk, beacons in one here."""

from __future__ import annotations

import asyncio
import base64
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from app.clock import system_clock
from app.replay.account import Answered, Fate, Header
from app.replay.batches import Batch, Opening, batches_of, view_id_of
from app.replay.ledger import Ledger
from app.replay.recordings import Event, Recording
from collector.tokens import TOKEN_CHARS
from collector.wire import OPEN, Reason
from tests.faults.line import Line, Told

PAGE = "shipping"
CONNECTIONS = 16
VIEWS_BATCHES = 4
TRIES = 3
"""A visitor sends what was not acknowledged again, and then gives up: some stays unsaid."""

REST_S = 0.05
"""After a refusal; a real client waits for `Retry-After`."""

Beacon = tuple[int, str]
"""View and name."""


@dataclass(slots=True)
class Beacons:
    """What every try of every beacon was told."""

    fates: dict[Beacon, list[Fate]] = field(default_factory=dict)

    def told(self, beacon: Beacon, fate: Fate) -> None:
        self.fates.setdefault(beacon, []).append(fate)

    @property
    def acked(self) -> set[Beacon]:
        return {beacon for beacon, fates in self.fates.items() if Fate.ACKED in fates}

    @property
    def refused(self) -> set[Beacon]:
        return {beacon for beacon, fates in self.fates.items() if set(fates) == {Fate.REFUSED}}


@dataclass(slots=True)
class Traffic:
    """Goes on until it is stopped."""

    port: int
    site_key: str
    ledger_path: Path
    seed: str
    pause_s: float = 0.0
    beacons: Beacons = field(default_factory=Beacons)
    statuses: Counter[int | None] = field(default_factory=Counter)
    _number: int = 0

    @property
    def opened_min(self) -> int:
        return int(system_clock().timestamp()) // 60

    @asynccontextmanager
    async def going(self, connections: int = CONNECTIONS) -> AsyncIterator[None]:
        header = Header(site=self.site_key, page=PAGE, seed=self.seed, opened_min=self.opened_min)
        stop = asyncio.Event()
        with Ledger(self.ledger_path, header) as ledger:
            async with asyncio.TaskGroup() as visitors:
                for number in range(connections):
                    visitors.create_task(self._visit(ledger, stop, number))
                try:
                    yield
                finally:
                    stop.set()

    async def _visit(self, ledger: Ledger, stop: asyncio.Event, number: int) -> None:
        line, dice = Line(self.port), random.Random(f"{self.seed} {number}")
        try:
            while not stop.is_set():
                if dice.random() < 0.5:
                    await self._send_batches(line, ledger)
                else:
                    await self._open_and_tell(line)
                await asyncio.sleep(self.pause_s)
        finally:
            line.close()

    async def _send_batches(self, line: Line, ledger: Ledger) -> None:
        for batch in self._batches():
            for _ in range(TRIES):
                ledger.sent(batch)
                told = await line.post(f"/g/{self.site_key}", batch.body)
                self.statuses[told.status] += 1
                answered = Answered(
                    view=batch.view_id,
                    seq=batch.seq,
                    status=told.status,
                    drop=told.headers.get("x-gloed-drop"),
                )
                ledger.answered(answered)
                if answered.fate is Fate.ACKED:
                    break
                await asyncio.sleep(REST_S)

    async def _open_and_tell(self, line: Line) -> None:
        told = await line.get(f"/g/{self.site_key}/{PAGE}")
        self.statuses[told.status] += 1
        if told.status != 302:
            await asyncio.sleep(REST_S)
            return
        token = told.headers["location"].removeprefix("../").removesuffix("/s")
        assert len(token) == TOKEN_CHARS
        view_id = view_of(token)
        self.beacons.told((view_id, OPEN), Fate.ACKED)
        for name in ("1.h", "1.f", "y700", "t1"):
            for _ in range(TRIES):
                told = await line.get(f"/g/{token}/{name}")
                self.statuses[told.status] += 1
                fate = fate_of(told)
                self.beacons.told((view_id, name), fate)
                if fate is Fate.ACKED:
                    break
                await asyncio.sleep(REST_S)

    def _batches(self) -> Iterator[Batch]:
        self._number += 1
        view = f"v{self._number}"
        events = tuple(
            Event(t_ms, "move", 100 + t_ms % 700, 200 + t_ms % 500)
            for part in range(VIEWS_BATCHES)
            for t_ms in range(part * 6000, part * 6000 + 3000, 100)
        )
        recording = Recording(view=view, viewport=(1280, 720), page=(1280, 2000), events=events)
        return batches_of(recording, Opening(view_id_of(self.seed, view), self.opened_min, PAGE))


def fate_of(told: Told) -> Fate:
    """What the status of a GET promises, as docs/wire.md has it."""
    if told.status == 200:
        kept = told.headers.get("x-gloed-drop") in (None, Reason.REPEAT)
        return Fate.ACKED if kept else Fate.DROPPED
    return Fate.REFUSED if told.status == 503 else Fate.UNANSWERED


def view_of(token: str) -> int:
    raw = base64.urlsafe_b64decode(token + "==")
    return int.from_bytes(raw[13:21], "big", signed=True)
