"""What was acknowledged, against what the store holds."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg

from collector.tokens import Token, read_token
from collector.wire import OPEN
from tests.bench.load import Run
from tests.bench.traffic import POINTS, Key, Requests

_LOCATION = re.compile(rb"location: \.\./([\w-]+)/s")


@dataclass(frozen=True, slots=True)
class Audit:
    acknowledged: int
    lost: int
    """Acknowledged events that are in no row."""
    twice: int
    """Rows beyond the first of one event."""
    points_lost: int


@dataclass(slots=True)
class Ledger:
    secret: bytes
    batches: set[Key] = field(default_factory=set)
    beacons: set[Key] = field(default_factory=set)

    def note(self, route: str, requests: Requests, run: Run, now: datetime) -> None:
        """A stylesheet keeps nothing; an opening is known by the token it was answered with."""
        if run.others:
            raise RuntimeError(f"{route}: not everything was kept, by status: {run.others}")
        if route == "json":
            self.batches.update(requests.keys[number] for number in run.stored)
        elif route == "beacon":
            self.beacons.update(requests.keys[number] for number in run.stored)
        elif route == "open":
            self.beacons.update((self._view(run.answers[n], now), OPEN) for n in run.stored)

    def _view(self, answer: bytes, now: datetime) -> int:
        found = _LOCATION.search(answer)
        token = read_token(found[1].decode(), self.secret, now) if found else None
        if not isinstance(token, Token):
            raise RuntimeError(f"an opening was answered without a token: {answer!r}")
        return token.view_id

    async def audit(self, url: str) -> Audit:
        connection = await asyncpg.connect(url)
        try:
            batches = await connection.fetch("SELECT view_id, seq, n FROM batch")
            beacons = await connection.fetch("SELECT view_id, name FROM beacon")
        finally:
            await connection.close()
        kept = [_count(batches), _count(beacons)]
        acknowledged = [self.batches, self.beacons]
        points = sum(row["n"] for row in batches if (row["view_id"], row["seq"]) in self.batches)
        return Audit(
            acknowledged=sum(map(len, acknowledged)),
            lost=sum(
                len(told - rows.keys()) for told, rows in zip(acknowledged, kept, strict=True)
            ),
            twice=sum(rows.total() - len(rows) for rows in kept),
            points_lost=len(self.batches) * POINTS - points,
        )


def _count(rows: list[Any]) -> Counter[Key]:
    return Counter((row[0], row[1]) for row in rows)
