"""The store away, slow or strange: rows go by way of the spool, and are there once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from app.clock import SteppedClock
from app.store import SESSION, Store, connect, head
from collector.errors import InDoubt, NotStored
from collector.groups import Row
from collector.nests import BAD
from collector.partitions import make_partitions
from collector.segments import modified_at
from collector.spool import RAW_KEPT, Spool
from collector.writer import Writer
from tests.collector.build import AT, DAY, UNLISTED, a_batch, a_beacon, a_goal
from tests.collector.store_line import StoreLine
from tests.collector.test_writer import kept, names

pytestmark = pytest.mark.anyio
MB = 1024 * 1024
YESTERDAY = DAY - timedelta(days=1)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses that tests need not sit through."""
    monkeypatch.setattr("collector.committer.RECONNECT_S", (0.01,))
    monkeypatch.setattr("collector.replay.RETRY_S", 0.02)
    monkeypatch.setattr("collector.replay.LONGEST_RETRY_S", 0.05)
    monkeypatch.setattr("collector.replay.LOOK_S", 0.05)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
async def line(store: Store, database_url: str) -> AsyncIterator[StoreLine]:
    async with store.connection() as connection:
        await make_partitions(connection, [YESTERDAY, DAY])
    async with StoreLine(database_url).opened() as opened:
        yield opened


@asynccontextmanager
async def writing(
    url: str, root: Path, *, limit: int = 64 * MB, now: Any = AT, **more: Any
) -> AsyncIterator[Writer]:
    writer = Writer(lambda: connect(url), spool=Spool(root, limit, SteppedClock(now)), **more)
    await writer.start()
    try:
        yield writer
    finally:
        await writer.stop()


async def until(true: Callable[[], Coroutine[Any, Any, bool]]) -> None:
    async with asyncio.timeout(60):
        while not await true():
            await asyncio.sleep(0.02)


async def drained(root: Path) -> None:
    async def empty() -> bool:
        return not [path for path in root.rglob("*.frames") if path.parent.name != BAD]

    await until(empty)


def spool_of(writer: Writer) -> Spool:
    assert writer.spool is not None
    return writer.spool


# The store away -----------------------------------------------------------------------------------


async def test_while_the_store_is_away_rows_are_acknowledged_and_come_to_it_later(
    store: Store, line: StoreLine, root: Path
) -> None:
    rows = [a_batch(1, path="/cart", path_id=7), a_goal(), *(a_beacon(f"{n}.h") for n in range(9))]
    async with writing(line.url, root) as writer:
        line.closed, line.fault = True, "cut before"
        assert await kept(writer, rows) == [True] * 11
        assert await writer.keep(a_beacon("1.f")) is True
        assert await kept(writer, rows) == [False] * 11
        assert await names(store) == []
        assert spool_of(writer).oldest_at() == AT
        line.closed = False
        await drained(root)
        assert spool_of(writer).counts.replayed == 12
        assert await writer.keep(a_beacon("2.f")) is True
    assert await names(store) == sorted([*(f"{n}.h" for n in range(9)), "1.f", "2.f"])
    batch = await store.fetchrow("SELECT * FROM batch")
    assert {name: batch[name] for name in rows[0].values} == rows[0].values
    assert await store.fetchval("SELECT path FROM path") == "/cart"
    assert await store.fetchval("SELECT at FROM goal") == AT
    assert list(root.iterdir()) == []


async def test_a_commit_that_takes_too_long_is_answered_from_the_spool_and_kept_once(
    store: Store, line: StoreLine, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.committer.SLOW_S", 0.2)
    async with writing(line.url, root) as writer:
        line.fault = "hold"
        assert await writer.keep(a_beacon("1.h")) is True
        assert await writer.keep(a_beacon("2.h")) is True
        line.release()
        await drained(root)
    assert await names(store) == ["1.h", "2.h"]


@pytest.mark.parametrize("fault", ["cut before", "cut after"])
async def test_a_commit_in_doubt_is_no_doubt_with_a_spool(
    store: Store, line: StoreLine, root: Path, fault: Any
) -> None:
    async with writing(line.url, root) as writer:
        line.fault, line.closes_when_cut = fault, True
        assert await writer.keep(a_beacon("1.h")) is True
        line.closed = False
        await drained(root)
    assert await names(store) == ["1.h"]


async def test_of_a_group_in_halves_only_the_rest_is_spooled(
    store: Store, line: StoreLine, root: Path
) -> None:
    async with writing(line.url, root) as writer:
        await writer.keep(a_beacon("9.h"))
        line.fault, line.closes_when_cut = "cut later", True
        batches = (a_batch(view_id=n, codes=UNLISTED if n == 1 else 1) for n in range(8))
        answers = await kept(writer, [*batches, a_beacon("1.h")])
        assert isinstance(answers.pop(1), NotStored)
        assert answers == [True] * 8
        assert 0 < spool_of(writer).counts.kept < 8
        line.closed = False
        await drained(root)
    found = await store.fetch("SELECT view_id FROM batch ORDER BY view_id")
    assert [row["view_id"] for row in found] == [0, *range(2, 8)]


async def test_live_rows_wait_for_nothing_that_is_replayed(
    store: Store, line: StoreLine, root: Path
) -> None:
    async with writing(line.url, root) as writer:
        line.closed, line.fault = True, "cut before"
        assert await kept(writer, [a_goal(), a_beacon("1.h")]) == [True] * 2
        async with store.transaction() as connection:
            await connection.execute("LOCK TABLE goal IN ACCESS EXCLUSIVE MODE")
            line.closed = False
            writer._committer._held_until = 0
            assert await writer.keep(a_beacon("2.h")) is True
            assert await names(store) == ["2.h"]
        await drained(root)
    assert await names(store) == ["1.h", "2.h"]


async def test_stopping_while_the_store_is_away_leaves_all_to_the_next_process(
    store: Store, line: StoreLine, root: Path
) -> None:
    async with writing(line.url, root) as writer:
        line.closed, line.fault = True, "cut before"
        assert await kept(writer, [a_beacon(f"{n}.h") for n in range(1, 4)]) == [True] * 3
        waiting = asyncio.create_task(writer.keep(a_beacon("4.h")))
        await asyncio.sleep(0)
    assert await waiting is True
    line.closed = False
    async with writing(line.url, root), writing(line.url, root):
        await drained(root)
    assert await names(store) == ["1.h", "2.h", "3.h", "4.h"]


# What cannot be acknowledged ----------------------------------------------------------------------


async def test_a_full_spool_refuses_and_says_when_to_come_back(
    store: Store, line: StoreLine, root: Path
) -> None:
    async with writing(line.url, root, limit=2000) as writer:
        line.closed, line.fault = True, "cut before"
        assert await writer.keep(a_beacon("1.h")) is True
        for n in range(3):
            with pytest.raises(NotStored) as refusal:
                await writer.keep(a_batch(n, trail=bytes(2000)))
            assert refusal.value.retry_after_s > 0
        line.closed = False
        await drained(root)
        assert await writer.keep(a_batch(0, trail=bytes(2000))) is True
    assert await names(store) == ["1.h"]
    assert await store.fetchval("SELECT count(*) FROM batch") == 1


async def test_a_disk_that_fails_is_no_acknowledgement(
    store: Store, line: StoreLine, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_fd: int) -> None:
        raise OSError(5, "Input/output error")

    async with writing(line.url, root) as writer:
        assert await writer.keep(a_beacon("1.h")) is True
        line.closed, line.fault = True, "cut before"
        with monkeypatch.context() as ill:
            ill.setattr("collector.segments.flush", broken)
            with pytest.raises(InDoubt):
                await writer.keep(a_beacon("2.h"))
        assert await writer.keep(a_beacon("3.h")) is True
        line.closed = False
        await drained(root)
        assert await writer.keep(a_beacon("2.h")) is True
    assert await names(store) == ["1.h", "2.h", "3.h"]


async def test_without_a_place_for_a_spool_it_goes_on_without(
    store: Store, line: StoreLine, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    async with writing(line.url, blocked / "spool") as writer:
        assert writer.spool is None
        assert await writer.keep(a_beacon("1.h")) is True
        line.closed, line.fault, line.closes_when_cut = True, "cut before", True
        with pytest.raises(InDoubt):
            await writer.keep(a_beacon("2.h"))
    assert await names(store) == ["1.h"]


async def test_for_a_store_that_was_never_met_nothing_is_spooled(
    store: Store, line: StoreLine, root: Path
) -> None:
    line.closed = True
    async with writing(line.url, root) as writer:
        with pytest.raises(NotStored):
            await writer.keep(a_beacon("1.h"))
        line.closed = False
        writer._committer._held_until = 0
        assert await writer.keep(a_beacon("1.h")) is True
    assert await names(store) == ["1.h"]


async def test_what_no_store_could_take_is_refused_alone(
    store: Store, line: StoreLine, root: Path
) -> None:
    rows = [a_beacon(f"{n}.h") for n in range(1, 6)]
    async with writing(line.url, root) as writer:
        line.closed, line.fault = True, "cut before"
        answers = await kept(writer, [*rows[:2], a_batch(2**70), a_beacon("\ud800"), *rows[2:]])
        assert [type(answer) for answer in answers[2:4]] == [NotStored] * 2
        assert answers[:2] + answers[4:] == [True] * 5
        line.closed = False
        await drained(root)
    assert await names(store) == [f"{n}.h" for n in range(1, 6)]


# Stores that differ -------------------------------------------------------------------------------


async def test_a_store_of_another_revision_is_not_written_to_but_spooled_for(
    store: Store, database_url: str, root: Path
) -> None:
    async with writing(database_url, root, revision=head()) as writer:
        assert await writer.keep(a_beacon("1.h")) is True
        await store.execute("UPDATE alembic_version SET version_num = '9999'")
        writer._committer.disconnect()
        assert await kept(writer, [a_beacon("2.h"), a_beacon("3.h")]) == [True] * 2
        assert await names(store) == ["1.h"]
    async with writing(database_url, root, revision=head()) as writer:
        # Also by a process that never met it otherwise.
        assert await writer.keep(a_beacon("4.h")) is True
        assert await names(store) == ["1.h"]
        await store.execute("UPDATE alembic_version SET version_num = $1", head())
        await drained(root)
    assert await names(store) == ["1.h", "2.h", "3.h", "4.h"]


async def test_a_store_that_is_migrated_meanwhile_is_noticed(
    store: Store, database_url: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.writer.HOUSE_S", 0.02)
    async with writing(database_url, root, revision=head()) as writer:
        assert await writer.keep(a_beacon("1.h")) is True
        await store.execute("UPDATE alembic_version SET version_num = '9999'")

        async def noticed() -> bool:
            return writer._committer._connection is None

        await until(noticed)
        assert await writer.keep(a_beacon("2.h")) is True
        assert await names(store) == ["1.h"]


async def test_a_store_that_becomes_lax_is_spooled_for(
    store: Store, database_url: str, root: Path
) -> None:
    asked = {**SESSION}
    spool = Spool(root, 64 * MB, SteppedClock(AT))
    writer = Writer(lambda: asyncpg.connect(database_url, server_settings=asked), spool=spool)
    await writer.start()
    asked["synchronous_commit"] = "off"
    writer._committer.disconnect()
    assert await writer.keep(a_beacon()) is True
    assert await names(store) == []
    asked["synchronous_commit"] = "on"
    await drained(root)
    await writer.stop()
    assert await names(store) == ["7.h"]


async def test_what_waits_for_another_store_never_reaches_this_one(
    store: Store, database_url: str, root: Path
) -> None:
    foreign = Spool(root, 64 * MB, SteppedClock(AT))
    foreign.open()
    foreign.append("1 1", [a_beacon("1.h")])
    foreign.close()
    async with writing(database_url, root) as writer:
        assert await writer.keep(a_beacon("2.h")) is True
        await asyncio.sleep(0.3)
    assert await names(store) == ["2.h"]
    assert len(list(root.rglob("*.frames"))) == 1


# Damage, poison, time -----------------------------------------------------------------------------


@asynccontextmanager
async def left_behind(database_url: str, root: Path, *rows: Row) -> AsyncIterator[Path]:
    """The file of a process that is gone, one record for each row."""
    async with writing(database_url, root) as writer:
        identity = writer._committer._store
    spool = Spool(root, 64 * MB, SteppedClock(AT))
    spool.open()
    for row in rows:
        spool.append(identity, [row])
    spool.close()
    (file,) = root.rglob("*.frames")
    yield file


async def test_a_torn_tail_is_cut_and_counted_and_what_is_whole_is_kept(
    store: Store, database_url: str, root: Path
) -> None:
    rows = [a_beacon(f"{n}.h") for n in (1, 2, 3)]
    async with left_behind(database_url, root, *rows) as file:
        file.write_bytes(file.read_bytes()[:-4])
        async with writing(database_url, root) as writer:
            await drained(root)
            assert spool_of(writer).counts.torn_files == 1
    assert await names(store) == ["1.h", "2.h"]


async def test_damage_in_the_middle_keeps_what_comes_before_it_and_moves_the_file(
    store: Store, database_url: str, root: Path
) -> None:
    rows = [a_beacon(f"{n}.h") for n in (1, 2, 3)]
    async with left_behind(database_url, root, *rows) as file:
        raw = bytearray(file.read_bytes())
        raw[raw.index(b"2.h")] ^= 1
        file.write_bytes(raw)
        async with writing(database_url, root) as writer:
            await drained(root)
            assert spool_of(writer).counts.damaged_files == 1
            assert await writer.keep(a_beacon("4.h")) is True
    assert await names(store) == ["1.h", "4.h"]
    (aside,) = (root / BAD).iterdir()
    assert aside.read_bytes() == raw


async def test_rows_that_the_store_refuses_are_kept_for_a_person(
    store: Store, line: StoreLine, root: Path
) -> None:
    async with writing(line.url, root) as writer:
        line.closed, line.fault = True, "cut before"
        rows = [a_batch(n, codes=UNLISTED if n == 3 else 1) for n in range(8)]
        assert await kept(writer, rows) == [True] * 8
        line.closed = False
        await drained(root)
        assert spool_of(writer).counts.refused == 1
    assert await store.fetchval("SELECT count(*) FROM batch") == 7
    assert len(list((root / BAD).iterdir())) == 1


async def test_of_the_sources_of_a_goal_the_best_is_kept_though_it_came_earlier(
    store: Store, line: StoreLine, root: Path
) -> None:
    async with writing(line.url, root) as writer:
        line.closed, line.fault = True, "cut before"
        assert await kept(writer, [a_goal(1, source=2), a_goal(2, source=3)]) == [True] * 2
        async with writing(str(store.url), root.parent / "other") as other:
            assert await kept(other, [a_goal(1, source=3), a_goal(2, source=2)]) == [True] * 2
        line.closed = False
        await drained(root)
    rows = await store.fetch("SELECT goal_id, source FROM goal ORDER BY goal_id")
    assert [tuple(row) for row in rows] == [(1, 3), (2, 3)]


async def test_replaying_marks_days_that_closing_has_left_behind_as_of_now(
    store: Store, line: StoreLine, root: Path
) -> None:
    def over(_site: int, day: Any) -> bool:
        return bool(day < DAY)

    now = AT + timedelta(hours=2)
    async with writing(line.url, root, now=now, closed_day=over) as writer:
        line.closed, line.fault = True, "cut before"
        late = a_beacon("1.h", day=YESTERDAY)
        assert await kept(writer, [late, a_beacon("2.h")]) == [True] * 2
        line.closed = False
        await drained(root)
    marks = await store.fetch("SELECT period, dirty_since FROM job WHERE name = 'close'")
    assert [tuple(row) for row in marks] == [(YESTERDAY, now)]


async def test_rows_older_than_raw_rows_are_kept_are_dropped_with_a_count(
    store: Store, database_url: str, root: Path
) -> None:
    old, young = a_beacon("1.h"), a_beacon("2.h", at=AT + timedelta(days=2))
    async with left_behind(database_url, root, old, young) as file:
        now = AT + RAW_KEPT + timedelta(days=1)
        # Its file is young enough: it is the rows that are looked at.
        assert modified_at(file) > now - RAW_KEPT
        async with writing(database_url, root, now=now) as writer:
            await drained(root)
            assert spool_of(writer).counts.expired == 1
    assert await names(store) == ["2.h"]
