"""Bytes of a point on disk, and how fast a page is read: `python -m tests.bench.storage`.

Batches of 40 points at 100 ms a sample, with what was clicked and scrolled meanwhile, written in
small groups as a collector does, 200 views at a time, so that the indexes are as scattered as real
ones. Trails are recorded ones where the shared folder is there, else synthetic ones.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import asyncpg

from app.folding.batches import batches_query, read_batches
from app.folding.raw import CHUNK_BYTES, CHUNK_VIEWS
from app.postgres import embedded_store
from app.replay import Recording
from app.store import migrate
from collector.packing import Told, pack_events, pack_trail, unpack_trails
from collector.partitions import make_partitions
from collector.tables import metadata
from collector.wire import Kind
from tests.collector.build import a_batch
from tests.replay.balabit import read_balabit
from tests.shared import SHARED

POINTS = 40
ROWS = 25_000
"""A million points."""

VIEWS_AT_ONCE = 200
BATCHES_OF_A_VIEW = 10
GROUP_ROWS = 50
ROUNDS = 9
RECORDINGS = 500
READ = ("read_ratio", "read_ratio_at_best", "page_read_ratio", "page_read_ratio_at_best")
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
_PAGE = "FROM batch WHERE site_id = 1 AND page_id = 1 AND day = $1"
_COLUMNS = [column.name for column in metadata.tables["batch"].columns]

Point = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Batch:
    """What one batch tells, packed."""

    trail: bytes
    events: bytes

    @classmethod
    def of(cls, points: Sequence[Point], events: Sequence[Told]) -> Batch:
        return cls(pack_trail(points), pack_events(events))


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes of a partition, by point: after VACUUM, free space and visibility maps among them."""

    bytes_per_point: float
    heap: float
    key: float
    page_index: float
    trail: float
    events: float


@dataclass(frozen=True, slots=True)
class Reading:
    """A page into numpy: fetched and unpacked, over the same bytes fetched and nothing more.

    Of turns one after the other, so that neighbours slow both alike.
    """

    read_ratio: float
    """Medians of the turns."""

    read_ratio_at_best: float
    """Shortest turns, which nobody else slowed."""

    fetch_ms: float
    read_ms: float

    @classmethod
    def of(cls, fetched_s: Sequence[float], read_s: Sequence[float]) -> Reading:
        usual = statistics.median(read_s) / statistics.median(fetched_s)
        best = min(read_s) / min(fetched_s)
        return cls(
            round(usual, 3),
            round(best, 3),
            round(min(fetched_s) * 1000, 1),
            round(min(read_s) * 1000, 1),
        )


def recorded() -> Iterator[Batch]:
    """The short visits, which are sampled at 100 ms or so, cut as a script would send them."""
    for recording in islice(read_balabit("short"), RECORDINGS):
        yield from _cut(recording)


def _cut(recording: Recording) -> Iterator[Batch]:
    points: list[Point] = []
    events: list[Told] = []
    for event in recording.events:
        if event.kind == "move":
            points.append((event.x_px, event.y_px, event.t_ms))
        else:
            kind = Kind[event.kind.upper()]
            events.append((kind, event.t_ms, event.x_px, event.y_px, 0, 0, 0, 0, 0))
        if len(points) == POINTS:
            yield Batch.of(points, events)
            points, events = [], []


def synthetic(seed: int = 3) -> Iterator[Batch]:
    """Hands that rest, creep and leap: speeds and pauses spread over orders of magnitude.

    A sample comes 100 ms after the last, or a frame later; one in six after a pause.
    """
    rng = random.Random(seed)
    while True:
        x, y, t = rng.uniform(0, 1280), rng.uniform(0, 2400), rng.uniform(0, 60_000)
        speed_px, heading = 10.0, rng.uniform(0, math.tau)
        points: list[Point] = []
        for _ in range(POINTS):
            speed_px = min(rng.lognormvariate(0.5 * math.log(speed_px + 1) + 0.9, 1.0), 600.0)
            heading = rng.gauss(heading, 0.9)
            x = min(max(x + speed_px * math.cos(heading), 0.0), 1280.0)
            y = min(max(y + speed_px * math.sin(heading), 0.0), 2400.0)
            t += 100 + rng.choice((0, 1, 2, 16, 17)) if rng.random() < 5 / 6 else 200 + _pause(rng)
            points.append((round(x), round(y), round(t)))
        yield Batch.of(points, [_synthetic_event(rng, *points[-1])])


def _pause(rng: random.Random) -> float:
    return min(rng.lognormvariate(6.0, 1.3), 30_000.0)


def _synthetic_event(rng: random.Random, x: int, y: int, t: int) -> Told:
    if rng.random() < 0.5:
        return (Kind.SCROLL, t, 0, y, 0, 0, 0, 0, 0)
    return (Kind.CLICK, t, x, y, rng.randint(1, 20), 32768, 19660, 0, 0)


async def load(connection: Any, batches: Iterable[Batch], day: date, rows: int = ROWS) -> None:
    """Every row with a path, one view in three with a reference."""
    await make_partitions(connection, {day})
    told = islice(cycle(batches), rows)
    seen = random.Random(5)
    written: list[tuple[Any, ...]] = []
    for row in _rows(told, seen, day):
        written.append(row)
        if len(written) == GROUP_ROWS:
            await connection.copy_records_to_table("batch", records=written, columns=_COLUMNS)
            written = []
    if written:
        await connection.copy_records_to_table("batch", records=written, columns=_COLUMNS)


def _rows(batches: Iterator[Batch], rng: random.Random, day: date) -> Iterator[tuple[Any, ...]]:
    """View after view begins and ends; whichever is there sends next."""
    views: list[list[int]] = []
    for number, batch in enumerate(batches):
        if len(views) < VIEWS_AT_ONCE:
            views.append([rng.getrandbits(64) - 2**63, 0])
        view = views[rng.randrange(len(views))]
        view_id, seq = view
        view[1] += 1
        if view[1] == BATCHES_OF_A_VIEW:
            views.remove(view)
        yield a_batch(
            view_id,
            seq,
            at=NOON + timedelta(milliseconds=number),
            day=day,
            n=POINTS,
            trail=batch.trail,
            ev=batch.events,
            visitor=view_id ^ 1,
            path_id=view_id % 50,
            opened_min=int(NOON.timestamp()) // 60,
            ref_hash=rng.randbytes(16) if view_id % 3 == 0 else b"",
        ).record


async def size(connection: Any, day: date) -> Size:
    """Of the day's partition; it may hold whatever was written into it."""
    part = f"batch_{day:%Y%m%d}"
    await connection.execute(f"VACUUM {part}")
    points, trail, events = await connection.fetchrow(
        f"SELECT sum(n)::int, sum(length(trail))::int, sum(length(ev))::int FROM {part}"
    )
    total, heap, key, by_page = await connection.fetchrow(
        "SELECT pg_total_relation_size($1::text::regclass), pg_table_size($1::text::regclass), "
        "sum(pg_relation_size(indexrelid)) FILTER (WHERE indisprimary)::int, "
        "sum(pg_relation_size(indexrelid)) FILTER (WHERE NOT indisprimary)::int "
        "FROM pg_index WHERE indrelid = $1::text::regclass",
        part,
    )
    return Size(*(round(n / points, 3) for n in (total, heap, key, by_page, trail, events)))


async def read_page(connection: Any, day: date, rounds: int = ROUNDS) -> Reading:
    """All batches of the page as whoever draws a map takes them, a piece at a time: their columns,
    points and events, over the same rows fetched and dropped."""
    pieces = await _pieces(connection, day)

    async def fetch() -> None:
        for view_ids in pieces:
            query = batches_query(1, {day: view_ids})
            await connection.copy_from_query(query, output=_drop, format="binary")

    async def unpack() -> None:
        for view_ids in pieces:
            await read_batches(connection, 1, {day: view_ids})

    return await _in_turns(fetch, unpack, rounds)


async def read_trails(connection: Any, day: date, rounds: int = ROUNDS) -> Reading:
    """Their trails and nothing beside them, a record a row, over the same records alone."""

    async def fetch() -> None:
        await connection.fetch(f"SELECT trail {_PAGE}", day)

    async def unpack() -> None:
        rows = await connection.fetch(f"SELECT enc, trail {_PAGE}", day)
        unpack_trails([row[1] for row in rows], [row[0] for row in rows])

    return await _in_turns(fetch, unpack, rounds)


async def _in_turns(
    fetch: Callable[[], Awaitable[None]], unpack: Callable[[], Awaitable[None]], rounds: int
) -> Reading:
    fetched_s, read_s = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        await fetch()
        fetched = time.perf_counter()
        await unpack()
        read_s.append(time.perf_counter() - fetched)
        fetched_s.append(fetched - began)
    return Reading.of(fetched_s, read_s)


async def _pieces(connection: Any, day: date) -> list[list[int]]:
    """Views, as many at a time as are folded together."""
    rows = await connection.fetch(
        f"SELECT view_id, sum(length(trail) + length(ev))::int AS bytes {_PAGE} GROUP BY view_id",
        day,
    )
    pieces: list[list[int]] = [[]]
    held = 0
    for view_id, size_bytes in rows:
        if held + size_bytes > CHUNK_BYTES or len(pieces[-1]) == CHUNK_VIEWS:
            pieces.append([])
            held = 0
        pieces[-1].append(view_id)
        held += size_bytes
    return pieces


async def _drop(_data: bytes) -> None:
    pass


def without_events(batches: Iterable[Batch]) -> Iterator[Batch]:
    return (replace(batch, events=b"") for batch in batches)


def kinds() -> dict[str, list[Batch]]:
    """What is measured, each on a day of its own."""
    made = list(islice(synthetic(), 2000))
    told = {"synthetic": list(without_events(made)), "synthetic_with_events": made}
    if SHARED is not None:
        found = list(recorded())
        told |= {"recorded": list(without_events(found)), "recorded_with_events": found}
    return told


async def measure(url: str) -> dict[str, dict[str, float]]:
    """Of a store that holds nothing yet."""
    await migrate(url)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "INSERT INTO site (created_at, public_key, name, time_zone, state) "
            "VALUES (now(), 'gs_aaaaaaaaaaaaaaaa', 'Fietsenwinkel', 'UTC', 'live')"
        )
        found: dict[str, dict[str, float]] = {}
        for number, (kind, batches) in enumerate(kinds().items()):
            day = NOON.date() + timedelta(days=number)
            await load(connection, batches, day)
            sizes = await size(connection, day)
            trails = asdict(await read_trails(connection, day))
            whole = asdict(await read_page(connection, day))
            found[kind] = {
                **asdict(sizes),
                **trails,
                **{f"page_{name}": value for name, value in whole.items()},
            }
        return found
    finally:
        await connection.close()


def summary(found: dict[str, dict[str, float]]) -> dict[str, float]:
    """Bytes of a point by kind, and the slowest reading of all kinds."""
    told = {
        "bytes_per_point"
        + kind.removeprefix("synthetic").replace("recorded", "_recorded"): figures[
            "bytes_per_point"
        ]
        for kind, figures in found.items()
    }
    slowest = {name: max(figures[name] for figures in found.values()) for name in READ}
    return told | slowest


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="gloed-bench-") as home:
        Path(home).chmod(0o755)
        with embedded_store(Path(home), explicit=True, say=lambda _line: None) as url:
            found = asyncio.run(measure(url))
    for kind, figures in found.items():
        print(kind, figures)
    print(json.dumps(summary(found)))


if __name__ == "__main__":
    main()
