"""Kill workers and Postgres under load; then count what was acknowledged and is not there once."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from app.clock import system_clock
from app.replay.verifier import Verdict, verify
from app.store import Store
from tests.build import make_shop
from tests.faults.house import House, house
from tests.faults.traffic import Beacons, Traffic

WORKERS = 2
CALM_S = (0.1, 0.8)
"""Before each kill, at random: kills meet every state."""

BOTH_SHARE = 0.5
"""Of Postgres's kills so many are followed by a worker's while the store is away: what that one
has spooled is for another to replay."""

BOTH_AFTER_S = (0.0, 1.5)


@dataclass(frozen=True, slots=True)
class Account:
    """What a run of kills came to."""

    worker_kills: int
    postgres_kills: int
    acknowledged: int
    unanswered: int
    refused: int
    spooled: int
    """Rows that came to the store by way of the spool."""

    taken_over: int
    """Files of killed workers that another replayed."""

    lost: int
    twice: int
    refused_but_stored: int
    differing: int
    seconds: float

    @property
    def kills(self) -> int:
        return self.worker_kills + self.postgres_kills

    @property
    def exact(self) -> bool:
        return not (self.lost or self.twice or self.refused_but_stored or self.differing)


@dataclass(frozen=True, slots=True)
class Found:
    """The store's beacons against what their senders were told."""

    lost: int
    twice: int
    refused_but_stored: int
    untold: int
    """Stored, but nobody was told so: the answer was lost."""


def killed(worker_kills: int, postgres_kills: int, *, seed: str, pause_s: float = 0.0) -> Account:
    """Serve, load, kill so often in random order, let it settle, and compare with the store.

    pause_s  how long each of the visitors rests between views: 0 is all that they can do
    """
    began = time.monotonic()
    with house(workers=WORKERS) as running, tempfile.TemporaryDirectory() as folder:
        run = _Run(running, Path(folder) / "ledger", random.Random(seed), began)
        return asyncio.run(run.account(worker_kills, postgres_kills, seed, pause_s))


@dataclass(slots=True)
class _Run:
    house: House
    ledger: Path
    dice: random.Random
    began: float
    worker_kills: int = 0
    postgres_kills: int = 0

    async def account(self, workers: int, postgres: int, seed: str, pause_s: float) -> Account:
        store = Store(self.house.store_url)
        await store.open(at_once=False)
        try:
            site = await make_shop(store, system_clock())
            traffic = Traffic(self.house.port, site.public_key, self.ledger, seed, pause_s)
            async with traffic.going():
                await self._kill(workers, postgres)
            await self.house.until(self.house.drained, "the spool is replayed")
            verdict = await verify(self.house.store_url, site.public_key, self.ledger)
            found = await compared(store, site.site_id, traffic.beacons)
        finally:
            await store.close()
        return self._told(traffic, verdict, found)

    async def _kill(self, workers: int, postgres: int) -> None:
        both = round(postgres * BOTH_SHARE)
        plan = ["both"] * both + ["postgres"] * (postgres - both)
        plan += ["worker"] * max(workers - both, 0)
        self.dice.shuffle(plan)
        for victim in plan:
            await asyncio.sleep(self.dice.uniform(*CALM_S))
            if victim != "worker":
                await self._kill_postgres()
            if victim == "both":
                await asyncio.sleep(self.dice.uniform(*BOTH_AFTER_S))
            if victim != "postgres":
                await self._kill_worker()
            await self.house.until(self.house.postmaster, "Postgres comes back")
            await self.house.until(lambda: len(self.house.workers()) == WORKERS, "a worker begins")

    async def _kill_worker(self) -> None:
        pid = self.house.workers()[0]
        self.house.kill_worker(pid)
        self.worker_kills += 1
        await self.house.until(lambda: pid not in self.house.workers(), "a worker dies")

    async def _kill_postgres(self) -> None:
        pid = self.house.postmaster()
        self.house.kill_postgres()
        self.postgres_kills += 1
        await self.house.until(lambda: self.house.postmaster() != pid, "Postgres dies")

    def _told(self, traffic: Traffic, verdict: Verdict, found: Found) -> Account:
        said = self.house.log()
        replayed = [line["rows"] for line in said if line["event"] == "spool_replayed"]
        taken = [line["files"] for line in said if line["event"] == "spool_taken_over"]
        return Account(
            worker_kills=self.worker_kills,
            postgres_kills=self.postgres_kills,
            acknowledged=verdict.acked + len(traffic.beacons.acked),
            unanswered=traffic.statuses[None] + traffic.statuses[504],
            refused=traffic.statuses[503],
            spooled=sum(replayed),
            taken_over=sum(taken),
            lost=verdict.lost + found.lost,
            twice=verdict.twice + found.twice,
            refused_but_stored=verdict.refused_but_stored + found.refused_but_stored,
            differing=verdict.differing + verdict.never_sent,
            seconds=time.monotonic() - self.began,
        )


async def compared(store: Store, site_id: int, beacons: Beacons) -> Found:
    """Beacons in the store, against what their senders were told."""
    rows = await store.fetch(
        "SELECT view_id, name, count(*) AS n FROM beacon WHERE site_id = $1 GROUP BY view_id, name",
        site_id,
    )
    stored = {(row["view_id"], row["name"]): row["n"] for row in rows}
    return Found(
        lost=len(beacons.acked - stored.keys()),
        twice=sum(stored.values()) - len(stored),
        refused_but_stored=len(beacons.refused & stored.keys()),
        untold=len(stored.keys() - beacons.acked),
    )
