"""More than can be kept, for a while: how much memory a worker takes, and how soon all is well."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from app.clock import system_clock
from app.store import Store
from collector.wire import MAX_BODY_BYTES, MAX_POINTS, MAX_X_PX
from tests.build import batch_body, make_shop
from tests.faults.house import House, house, memory_mb
from tests.faults.line import Line

SPOOL_BYTES = 8 * 1024 * 1024
"""Little: it is full long before the end, and then nothing can be kept at all."""

CONNECTIONS = 400
BODIES = 8
"""Made before the pushing: what makes them must not slow it."""

OVERLOAD_S = 20.0
SAMPLE_S = 0.1
NORMAL_WITHIN_S = 0.5
NORMAL_ANSWERS = 20
"""So many acknowledgements in a row, each within that time, are normal."""

GIVE_UP_S = 60.0


@dataclass(frozen=True, slots=True)
class Overload:
    idle_mb: float
    peak_mb: float
    """The largest worker's."""

    after_mb: float
    recovery_s: float
    """From the end of both the load and Postgres's pause, until answers are normal again."""

    acknowledged: int
    refused: int
    in_doubt: int
    unanswered: int


@dataclass(slots=True)
class _Memory:
    """The largest worker's, looked at until it is stopped."""

    house: House
    peak_mb: float = 0.0
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def watch(self) -> None:
        while not self.stop.is_set():
            self.peak_mb = max(self.peak_mb, self.now_mb())
            await asyncio.sleep(SAMPLE_S)

    def now_mb(self) -> float:
        return max(map(memory_mb, self.house.workers()), default=0.0)


def overloaded(*, connections: int = CONNECTIONS, seconds: float = OVERLOAD_S) -> Overload:
    """Postgres says nothing, its workers' spool is full, and everybody goes on sending the
    largest batches there are."""
    with house(workers=2, GLOED_SPOOL_BYTES=str(SPOOL_BYTES)) as running:
        return asyncio.run(_overloaded(running, connections, seconds))


async def _overloaded(running: House, connections: int, seconds: float) -> Overload:
    store = Store(running.store_url)
    await store.open()
    site = await make_shop(store, system_clock())
    await store.close()
    target = f"/g/{site.public_key}"
    async with asyncio.timeout(GIVE_UP_S):
        await _normal(running, target)
    memory, statuses = _Memory(running), Counter[int | None]()
    idle_mb = memory.now_mb()
    async with asyncio.TaskGroup() as all_of_it:
        all_of_it.create_task(memory.watch())
        with running.postgres_paused():
            await _push(running, target, statuses, connections, seconds)
        began = time.monotonic()
        async with asyncio.timeout(GIVE_UP_S):
            await _normal(running, target)
        recovery_s = time.monotonic() - began
        memory.stop.set()
    return Overload(
        idle_mb=idle_mb,
        peak_mb=memory.peak_mb,
        after_mb=memory.now_mb(),
        recovery_s=recovery_s,
        acknowledged=statuses[204],
        refused=statuses[503],
        in_doubt=statuses[504],
        unanswered=statuses[None],
    )


async def _push(
    running: House, target: str, statuses: Counter[int | None], connections: int, seconds: float
) -> None:
    """Everybody sends, and sends again without a pause whatever the answer was."""
    bodies = [_largest(random.Random(number)) for number in range(BODIES)]
    end = time.monotonic() + seconds

    async def visitor(dice: random.Random) -> None:
        line, body = Line(running.port), dice.choice(bodies)
        while time.monotonic() < end:
            told = await line.post(target, _again(body, dice))
            assert told.status in (204, 503, 504, None), told
            statuses[told.status] += 1
        line.close()

    async with asyncio.TaskGroup() as visitors:
        for number in range(connections):
            visitors.create_task(visitor(random.Random(number)))


async def _normal(running: House, target: str) -> None:
    """Return once answers are."""
    dice, line, in_a_row = random.Random(), Line(running.port), 0
    while in_a_row < NORMAL_ANSWERS:
        asked = time.monotonic()
        told = await line.post(target, _again(_small(), dice))
        in_time = time.monotonic() - asked < NORMAL_WITHIN_S
        in_a_row = in_a_row + 1 if told.status == 204 and in_time else 0
        if not in_a_row:
            await asyncio.sleep(SAMPLE_S)
    line.close()


def _body(**more: Any) -> dict[str, Any]:
    return batch_body(m=int(system_clock().timestamp()) // 60, **more)


def _small() -> bytes:
    return json.dumps(_body()).encode()


def _largest(dice: random.Random) -> bytes:
    """As many points as there may be, none of which packs well."""
    trail, at = [5000, 5000, 0], (5000, 5000)
    for _ in range(1, MAX_POINTS):
        place = dice.randint(0, MAX_X_PX), dice.randint(0, MAX_X_PX)
        trail += [place[0] - at[0], place[1] - at[1], dice.randint(1, 99)]
        at = place
    body = json.dumps(_body(r=trail), separators=(",", ":")).encode()
    assert len(body) <= MAX_BODY_BYTES
    return body


def _again(body: bytes, dice: random.Random) -> bytes:
    """The same as another view's."""
    return body.replace(b"00000000000000aa", f"{dice.getrandbits(64):016x}".encode())
