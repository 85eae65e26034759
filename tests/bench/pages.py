"""What each page costs: CPU of the whole process for one answer, and the questions to the store.

The first look draws and reads; a later one finds what was drawn. `python -m tests.bench.pages`
prints a table and, as its last line, one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from app.clock import SteppedClock
from app.pages.labels import VIEWS
from app.postgres import embedded_store
from app.store import Store, migrate
from tests.conftest import NOON
from tests.pages.conftest import signed_in, visited_shop
from tests.serving import Running, serving

LATER_LOOKS = 5
FRAMES = ("BEGIN", "COMMIT", "ROLLBACK", "SELECT pg_advisory_unlock_all()")
"""Begin and end transactions, and give a connection back: they ask for nothing."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one page: queries and CPU of its first look, and of a later one (the median)."""

    page: str
    first_queries: int
    first_ms: float
    later_queries: int
    later_ms: float


class Listener:
    """Counts what is asked of the store, on every connection of its pool."""

    def __init__(self) -> None:
        self._asked: list[str] = []

    async def attach(self, store: Store) -> None:
        pool: Any = store._pool
        connections = [await pool.acquire() for _ in range(pool.get_max_size())]
        for connection in connections:
            connection._con.add_query_logger(self._note)
        for connection in connections:
            await pool.release(connection)

    def _note(self, record: Any) -> None:
        if not record.query.lstrip().startswith(FRAMES):
            self._asked.append(record.query)

    def taken(self) -> int:
        found = len(self._asked)
        self._asked.clear()
        return found


@contextmanager
def gloed() -> Iterator[Running]:
    with tempfile.TemporaryDirectory(prefix="gloed-bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        with embedded_store(home, explicit=True, say=lambda _line: None) as url:
            asyncio.run(migrate(url))
            with serving(url, SteppedClock(NOON), trusted_proxies=("127.0.0.1",)) as running:
                yield running


def look(client: httpx.Client, path: str, heard: Listener) -> tuple[int, float]:
    heard.taken()
    began = time.process_time()
    answer = client.get(path)
    spent_ms = 1000 * (time.process_time() - began)
    assert answer.status_code == 200, (path, answer.status_code)
    return heard.taken(), spent_ms


def cost(client: httpx.Client, path: str, heard: Listener, name: str) -> Cost:
    first_queries, first_ms = look(client, path, heard)
    later = [look(client, path, heard) for _ in range(LATER_LOOKS)]
    return Cost(
        page=name,
        first_queries=first_queries,
        first_ms=round(first_ms, 1),
        later_queries=max(queries for queries, _ in later),
        later_ms=round(statistics.median(ms for _, ms in later), 1),
    )


def addresses(key: str) -> dict[str, str]:
    page = f"/sites/{key}/pages/shipping"
    maps = {name: f"{page}?kind={name}" for name in VIEWS if name not in ("zones", "confetti")}
    own = {name: f"{page}/{name}" for name in ("form", "stalls", "compare", "shares")}
    styles = {name: f"{page}?style={name}&kind=click" for name in ("zones", "confetti")}
    shop = {"shops": "/", "shop": f"/sites/{key}"}
    rest = {name: f"/sites/{key}/{name}" for name in ("check", "privacy")}
    return shop | maps | own | styles | rest


def main() -> None:
    heard = Listener()
    with gloed() as running:
        site = visited_shop(running)
        running.do(heard.attach(running.store))
        with signed_in(running) as client:
            found = addresses(site.public_key).items()
            costs = [cost(client, path, heard, name) for name, path in found]
    print(f"{'page':<12}{'queries':>9}{'CPU ms':>9}{'again':>9}{'CPU ms':>9}")
    for one in costs:
        print(
            f"{one.page:<12}{one.first_queries:>9}{one.first_ms:>9}"
            f"{one.later_queries:>9}{one.later_ms:>9}"
        )
    print(json.dumps({one.page: asdict(one) for one in costs}))


if __name__ == "__main__":
    main()
