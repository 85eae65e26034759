"""Days of every kind: derived in parts, deleted and derived again, against the slow way."""

from __future__ import annotations

import gc
import random
import tracemalloc
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from app.closing.day import WRITES, close_day
from app.closing.visits import Goal
from app.folding.openings import Span
from app.folding.raw import page_view_chunks, page_views, views_of_pages
from app.folding.seen import Seen, by_opening
from app.folding.twins import without_twins
from app.store import Store
from collector.codes import OutcomeSource
from collector.sites import Site
from tests.app import naive
from tests.app.build import batch, fold, goal, heard, opened, put_rows, put_views
from tests.bench.big_days import fill_day
from tests.build import make_shop
from tests.conftest import NOON

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

ORDINARY = date(2026, 11, 18)
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
"""Summer time begins and ends: days of 23 and of 25 hours in Amsterdam."""

NAMES = ["t1", "t60", "t600", "2.h5", "1.f2", "2.p1", "3.p1", "w400", "coarse", "y700", "b1.5"]


@dataclass
class Drawn:
    """Raw rows of a few days around one, from a seed."""

    site: Site
    day: date
    seed: int
    opens: list[dict[str, Any]] = field(default_factory=list)
    beacons: list[dict[str, Any]] = field(default_factory=list)
    batches: list[dict[str, Any]] = field(default_factory=list)
    goals: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._draw = random.Random(self.seed)
        midnight = datetime.combine(self.day, time(), self.site.time_zone).astimezone(UTC)
        for person in range(12):
            near = self._draw.choice([midnight, midnight + DAY, midnight + 12 * HOUR])
            self._walk(person, near + self._draw.randint(-90, 90) * MINUTE)

    def _walk(self, person: int, at: datetime) -> None:
        """Some views, under one or two hashes a day, with or without a reference."""
        ref = self._draw.choice([None, None, bytes([1 + person // 2]) * 16])
        for _ in range(self._draw.randint(1, 5)):
            self._open(person, at, ref)
            if self._draw.random() < 0.3:
                self._open(person, at + self._draw.choice([1, 2, 3]) * SECOND, ref)
            at += self._draw.choice([20 * SECOND, 4 * MINUTE, 29 * MINUTE, 31 * MINUTE, 5 * HOUR])
        if self._draw.random() < 0.5:
            self._reach(person, at - self._draw.randint(0, 90) * MINUTE, ref)

    def _open(self, person: int, at: datetime, ref: bytes | None) -> None:
        number = len(self.opens) + len(self.batches)
        day = self.site.day_of(at)
        yesterday = self.site.day_of(at - 30 * MINUTE)
        who: dict[str, Any] = {
            "visitor": self._hash(person, day),
            "visitor_before": self._hash(person, yesterday) if yesterday != day else None,
            "ref_hash": ref,
        }
        page_id = self._draw.randint(1, 4)
        if self._draw.random() < 0.8:
            self.opens.append(opened(number, at, page_id, day=day, **who))
            for name in self._draw.sample(NAMES, self._draw.randint(0, 4)):
                sender = self._draw.choice([who["visitor"]] * 3 + [77, 78, 79])
                heard_at = at + self._draw.randint(0, 900) * SECOND
                self.beacons.append(heard(name, number, heard_at, day=day, visitor=sender))
        if self._draw.random() < 0.3 or number not in {row["view_id"] for row in self.opens}:
            points = [(10 * n, 10, 400 * n) for n in range(self._draw.randint(0, 6))]
            clicks = [{"t": 3000, "zone": 2}] if self._draw.random() < 0.3 else []
            told = {"page_id": page_id, **who}
            row = batch(number, 0, at, points=points, clicks=clicks, **told)
            self.batches.append({**row, "day": day})

    def _hash(self, person: int, day: date) -> int:
        return person * 1000 + day.toordinal() % 100

    def _reach(self, person: int, at: datetime, ref: bytes | None) -> None:
        source = self._draw.choice([OutcomeSource.IMAGE, OutcomeSource.SERVER])
        visitor = None if ref else self._hash(person, self.site.day_of(at))
        told: dict[str, Any] = {"visitor": visitor, "ref_hash": ref, "source": int(source)}
        result = self._draw.choice([1, 1, 2, 3])
        row = goal(len(self.goals), at, result=result, **told)
        self.goals.append({**row, "day": self.site.day_of(at)})

    async def put(self, store: Store) -> None:
        await put_views(store, self.site, *self.opens, *self.beacons)
        for table, rows in (("batch", self.batches), ("goal", self.goals)):
            if rows:
                await put_rows(store, self.site, table, rows)

    def opened(self) -> list[Seen]:
        return fold(self.opens, self.beacons, self.batches)

    def visits(self, now: datetime) -> list[naive.Visit]:
        """Of the day, from the views of as many days as the job reads."""
        near = [v for v in self.opened() if -2 <= (v.day - self.day).days <= 1]
        goals = [
            Goal(*(row[name] for name in ("at", "visitor", "ref_hash", "source", "result")))
            for row in self.goals
            if 0 <= (row["day"] - self.day).days <= 2
        ]
        found = naive.visits_of(self.site, near, without_twins(near), goals, now)
        return sorted((v for v in found if v.day == self.day), key=lambda v: v.visit_id)


async def derived(store: Store, site: Site, day: date) -> dict[str, list[tuple[Any, ...]]]:
    query = "SELECT * FROM {} WHERE site_id = $1 AND day = $2 ORDER BY 1, 2, 3"
    return {
        table: [tuple(row) for row in await store.fetch(query.format(table), site.site_id, day)]
        for table in WRITES
    }


async def told_visits(store: Store, site: Site, day: date) -> list[naive.Visit]:
    rows = await store.fetch(
        "SELECT visit_id, day, outcome, outcome_source, goal_at FROM visit "
        "WHERE site_id = $1 AND day = $2 ORDER BY visit_id",
        site.site_id,
        day,
    )
    return [
        naive.Visit(
            row["visit_id"], row["day"], (), row["outcome"], row["outcome_source"], row["goal_at"]
        )
        for row in rows
    ]


@pytest.mark.parametrize("day", [ORDINARY, SPRING, AUTUMN])
async def test_everything_derived_is_rebuilt_from_the_raw_rows_in_parts_of_any_size(
    store: Store, day: date
) -> None:
    now = datetime.combine(day + 5 * DAY, time(12), UTC)
    for seed in range(4):
        site = await make_shop(store, NOON - 300 * DAY, f"Winkel {seed}")
        drawn = Drawn(site, day, seed)
        await drawn.put(store)
        closed = await close_day(store, site, day, now)
        first = await derived(store, site, day)
        expected = drawn.visits(now)
        assert closed.visits == len(expected) > 3
        assert await told_visits(store, site, day) == [
            naive.Visit(v.visit_id, v.day, (), v.outcome, v.source, v.goal_at) for v in expected
        ]
        for chunk_views in (1, 3, 1000):
            for table in WRITES:
                await store.execute(f"DELETE FROM {table} WHERE site_id = $1", site.site_id)
            assert (await close_day(store, site, day, now, chunk_views=chunk_views)).changed
            assert await derived(store, site, day) == first
        assert not (await close_day(store, site, day, now, chunk_views=2)).changed


async def test_rows_that_come_late_leave_what_a_run_from_nothing_would(store: Store) -> None:
    now = datetime.combine(ORDINARY + 5 * DAY, time(12), UTC)
    site = await make_shop(store, NOON - 300 * DAY)
    drawn = Drawn(site, ORDINARY, 7)
    late = [drawn.beacons[n::3] for n in range(3)]
    drawn.beacons = late.pop()
    await drawn.put(store)
    for rows in late:
        await close_day(store, site, ORDINARY, now, chunk_views=5)
        await put_views(store, site, *rows)
    assert (await close_day(store, site, ORDINARY, now, chunk_views=5)).changed
    came_late = await derived(store, site, ORDINARY)
    for table in WRITES:
        await store.execute(f"DELETE FROM {table}")
    await close_day(store, site, ORDINARY, now)
    assert await derived(store, site, ORDINARY) == came_late


async def test_only_rows_that_differ_are_written(store: Store) -> None:
    site = await make_shop(store, NOON - 30 * DAY)
    await put_views(store, site, *(opened(n, NOON, visitor=n) for n in range(20)))
    await close_day(store, site, ORDINARY, NOON, chunk_views=3)
    query = "SELECT view_id, xmin::text FROM view ORDER BY 1"
    before = await store.fetch(query)
    await put_views(store, site, heard("t600", 7, NOON + 10 * MINUTE, visitor=7))
    assert (await close_day(store, site, ORDINARY, NOON, chunk_views=3)).changed
    after = await store.fetch(query)
    assert [a["view_id"] for a, b in zip(before, after, strict=True) if a != b] == [7]


async def test_a_page_is_read_in_chunks_that_are_its_views(store: Store) -> None:
    site = await make_shop(store, NOON - 300 * DAY)
    drawn = Drawn(site, ORDINARY, 3)
    await drawn.put(store)
    span = Span.of(site, ORDINARY - DAY, ORDINARY + DAY)
    near = [v for v in drawn.opened() if span.first <= v.day <= span.last]
    for page_id in range(1, 5):
        expected = without_twins([view for view in near if view.page_id == page_id])
        async with store.connection() as connection:
            chunks = [c async for c in page_view_chunks(connection, span, page_id, chunk_views=2)]
            whole = await page_views(connection, span, page_id)
        assert max(map(len, chunks)) <= 4
        parts = sorted((view for chunk in chunks for view in chunk), key=by_opening)
        for found in (parts, whole):
            assert [_plain(view) for view in found] == [_plain(view) for view in expected]


@pytest.mark.parametrize("chunk_views", [2, 2_000])
async def test_pages_are_read_together_as_each_alone(store: Store, chunk_views: int) -> None:
    site = await make_shop(store, NOON - 300 * DAY)
    await Drawn(site, ORDINARY, 3).put(store)
    runs = (ORDINARY - DAY, ORDINARY - DAY), (ORDINARY, ORDINARY + DAY)
    stays = [(page_id, days) for page_id in range(1, 5) for days in runs]
    span = Span.of(site, ORDINARY - DAY, ORDINARY + DAY)
    together: dict[Any, list[Seen]] = {stay: [] for stay in stays}
    async with store.connection() as connection:
        async for stay, _, views in views_of_pages(
            connection, span, stays, chunk_views=chunk_views
        ):
            together[stay] += views
        for page_id, days in stays:
            alone = await page_views(connection, Span.of(site, *days), page_id)
            found = sorted(together[page_id, days], key=by_opening)
            assert [_plain(view) for view in found] == [_plain(view) for view in alone]
    assert sum(map(len, together.values())) > 20


def _plain(view: Seen) -> tuple[Any, ...]:
    arrays = view.trail.tolist(), view.events.tolist()
    names = [name for name in Seen.__slots__ if name not in ("trail", "events", "person")]
    return *arrays, *(getattr(view, name) for name in names)


@pytest.mark.parametrize("alone", [True, False])
async def test_what_is_held_does_not_grow_with_the_day(store: Store, alone: bool) -> None:
    """Nor where everybody is one visitor, as behind a proxy that is not trusted.

    Columns of some bytes a view are held, and sorted; the rest is left for garbage that waits for
    its collector. All of a day of four times as many views would take four times as much, and ten
    times what a part takes.
    """
    site = await make_shop(store, NOON - 30 * DAY)
    peaks = []
    for n, views in enumerate((600, 600, 2400)):
        day = ORDINARY + 7 * n * DAY
        async with store.connection() as connection:
            await fill_day(connection, site, day, views, 6)
        if alone:
            await store.execute("UPDATE beacon SET visitor = 5 WHERE day = $1", day)
        gc.collect()
        tracemalloc.start()
        closed = await close_day(store, site, day, NOON + 30 * DAY, chunk_views=60)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert views - 10 <= closed.views <= views
    _, small, large = peaks
    assert large < 2.5 * small, "what the first run imports and prepares is not counted"
