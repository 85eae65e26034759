"""What was acknowledged is kept, what was refused is not, and whatever befell the store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import date, timedelta
from struct import pack
from typing import Any

import asyncpg
import pytest
from msgspec import structs

from app.store import SESSION, Store, connect
from collector.decode import end_trail
from collector.errors import InDoubt, NotStored, StoreError
from collector.groups import ROW_OVERHEAD_BYTES, Row
from collector.partitions import make_partitions
from collector.writer import Writer
from tests.collector.build import DAY, UNLISTED, a_batch, a_beacon, a_goal
from tests.collector.store_line import StoreLine

pytestmark = pytest.mark.anyio


@pytest.fixture
async def line(store: Store, database_url: str) -> AsyncIterator[StoreLine]:
    """With the day's partitions made: the first commit on the line is that of rows."""
    async with store.connection() as connection:
        await make_partitions(connection, [DAY])
    async with StoreLine(database_url).opened() as opened:
        yield opened


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses that tests need not sit through."""
    monkeypatch.setattr("collector.committer.RECONNECT_S", (0.01, 0.02))


@asynccontextmanager
async def writing(url: str, **more: Any) -> AsyncIterator[Writer]:
    writer = Writer(lambda: connect(url), **more)
    await writer.start()
    try:
        yield writer
    finally:
        await writer.stop()


async def kept(writer: Writer, rows: Iterable[Row]) -> list[bool | BaseException]:
    """What became of rows that came at once."""
    return await asyncio.gather(*(writer.keep(row) for row in rows), return_exceptions=True)


async def names(store: Store) -> list[str]:
    return [row["name"] for row in await store.fetch("SELECT name FROM beacon ORDER BY name")]


# The acknowledgement ------------------------------------------------------------------------------


async def test_an_acknowledgement_waits_for_the_commit(store: Store, line: StoreLine) -> None:
    line.fault = "hold"
    async with writing(line.url) as writer:
        told = asyncio.create_task(writer.keep(a_beacon()))
        await line.at_commit.wait()
        assert not told.done()
        assert await names(store) == []
        line.release()
        assert await told is True
        assert await names(store) == ["7.h"]


async def test_what_comes_while_a_commit_runs_is_the_next_group(
    store: Store, line: StoreLine
) -> None:
    line.fault = "hold"
    async with writing(line.url) as writer:
        first = asyncio.create_task(writer.keep(a_beacon("1.h")))
        await line.at_commit.wait()
        others = asyncio.create_task(kept(writer, [a_beacon(f"{n}.f") for n in range(1, 9)]))
        await asyncio.sleep(0)
        line.release()
        assert await first is True
        assert await others == [True] * 8
    groups = await store.fetch("SELECT DISTINCT xmin::text FROM beacon")
    assert len(groups) == 2


async def test_stopping_commits_what_waits_and_takes_nothing_more(
    store: Store, line: StoreLine
) -> None:
    line.fault = "hold"
    async with writing(line.url) as writer:
        waiting = asyncio.create_task(kept(writer, [a_beacon("1.h")]))
        await line.at_commit.wait()
        more = asyncio.create_task(kept(writer, [a_beacon("2.h"), a_beacon("3.h")]))
        await asyncio.sleep(0)
        stopping = asyncio.create_task(writer.stop())
        await asyncio.sleep(0)
        with pytest.raises(NotStored, match="stopping"):
            await writer.keep(a_beacon("4.h"))
        line.release()
        await stopping
        assert [*await waiting, *await more] == [True] * 3
    assert await names(store) == ["1.h", "2.h", "3.h"]


async def test_a_store_that_could_lose_a_commit_is_refused_at_the_start(database_url: str) -> None:
    lax = {**SESSION, "synchronous_commit": "off"}
    writer = Writer(lambda: asyncpg.connect(database_url, server_settings=lax))
    with pytest.raises(StoreError, match="synchronous_commit is off"):
        await writer.start()
    await writer.stop()


async def test_a_store_that_becomes_lax_is_not_written_to(store: Store, database_url: str) -> None:
    asked = {**SESSION}
    writer = Writer(lambda: asyncpg.connect(database_url, server_settings=asked))
    await writer.start()
    asked["synchronous_commit"] = "off"
    writer._committer.disconnect()
    with pytest.raises(NotStored):
        await writer.keep(a_beacon())
    await writer.stop()
    assert await names(store) == []


async def test_a_wrong_trail_is_refused_by_itself_and_its_group_is_kept(
    store: Store, line: StoreLine
) -> None:
    right, wrong = pack("<6i", 5, 5, 0, 1, 1, 10), pack("<3i", -1, 0, 0)
    told = [right, right, wrong, right, wrong, right]
    line.fault = "hold"
    async with writing(line.url) as writer:
        first = asyncio.create_task(writer.keep(a_beacon("1.h")))
        await line.at_commit.wait()
        rows = [structs.replace(a_batch(n), steps=steps) for n, steps in enumerate(told)]
        others = asyncio.create_task(kept(writer, rows))
        await asyncio.sleep(0)
        line.release()
        assert await first is True
        answers = await others
    assert [answer is True for answer in answers] == [steps is right for steps in told]
    assert all("x must lie" in str(answers[n]) for n in (2, 4))
    trails = await store.fetch("SELECT view_id, trail FROM batch ORDER BY view_id")
    assert [tuple(row) for row in trails] == [(n, end_trail(right)) for n in (0, 1, 3, 5)]


# Repeats ------------------------------------------------------------------------------------------


async def test_of_the_same_row_at_once_one_is_kept_and_the_others_are_repeats(
    store: Store, database_url: str
) -> None:
    async with writing(database_url) as writer:
        answers = await kept(writer, [a_beacon()] * 5)
        assert answers == [True, False, False, False, False]
        assert await writer.keep(a_beacon()) is False
    assert await names(store) == ["7.h"]


async def test_who_hangs_up_takes_nobodys_answer_along(store: Store, line: StoreLine) -> None:
    line.fault = "hold"
    async with writing(line.url) as writer:
        first = asyncio.create_task(writer.keep(a_beacon()))
        await line.at_commit.wait()
        again = asyncio.create_task(writer.keep(a_beacon()))
        await asyncio.sleep(0)
        first.cancel()
        line.release()
        assert await again is False
        assert await writer.keep(a_beacon()) is False
    assert await names(store) == ["7.h"]


async def test_two_collectors_with_the_same_rows_keep_each_once_and_their_own_too(
    store: Store, database_url: str
) -> None:
    rows = [a_beacon(f"{n}.h") for n in range(1, 101)]
    async with writing(database_url) as one, writing(database_url) as other:
        assert await kept(one, rows) == [True] * 100
        own = a_beacon("999.h")
        assert await kept(other, [*rows, own]) == [True] * 101
    assert len(await names(store)) == 101


async def test_two_collectors_at_once_in_opposite_order_do_not_hinder_each_other(
    store: Store, database_url: str
) -> None:
    rows = [a_batch(view_id=n, path=f"/p/{n}", path_id=n) for n in range(300)]
    async with writing(database_url) as one, writing(database_url) as other:
        first, second = await asyncio.gather(kept(one, rows), kept(other, reversed(rows)))
    assert first == second == [True] * 300
    assert await store.fetchval("SELECT count(*) FROM batch") == 300
    assert await store.fetchval("SELECT count(*) FROM path") == 300


async def test_only_so_many_keys_are_remembered_and_a_forgotten_repeat_is_still_kept_once(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.writer.RECENT_KEYS", 3)
    async with writing(database_url) as writer:
        for n in range(1, 6):
            assert await writer.keep(a_beacon(f"{n}.h")) is True
        assert await writer.keep(a_beacon("5.h")) is False
        assert await writer.keep(a_beacon("1.h")) is True
        assert await kept(writer, [a_beacon(f"{n}.f") for n in (1, 2, 3, 4, 1)]) == [True] * 5
    assert len(await names(store)) == 9


async def test_of_the_sources_of_a_goal_the_best_is_kept(store: Store, database_url: str) -> None:
    async with writing(database_url) as writer:
        assert await writer.keep(a_goal(source=2)) is True
        assert await writer.keep(a_goal(source=3)) is True
        assert await writer.keep(a_goal(source=2)) is False
        assert await kept(writer, [a_goal(2, source=3), a_goal(2, source=2)]) == [True, True]
    rows = await store.fetch("SELECT goal_id, source FROM goal ORDER BY goal_id")
    assert [tuple(row) for row in rows] == [(1, 3), (2, 3)]


# Poison -------------------------------------------------------------------------------------------

POISON: dict[str, Row] = {
    "a code out of its list": a_batch(view_id=-1, codes=UNLISTED),
    "a number too large for its column": a_batch(view_id=-1, viewport_width_px=2**15),
    "a number too large for any": a_batch(view_id=2**70),
    "nothing where something must be": a_batch(view_id=-1, page_id=None),
    "half a surrogate pair": a_beacon("\ud800", view_id=-1),
    "a zero byte": a_beacon("7.\0", view_id=-1),
    "another type": a_batch(view_id=-1, trail="text"),
    "a path that is no text": a_batch(view_id=-1, path="/\0", path_id=-1),
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON.keys())
async def test_a_poisonous_row_is_refused_alone(
    store: Store, database_url: str, poison: Row
) -> None:
    rows = [a_batch(view_id=n) for n in range(499)]
    async with writing(database_url) as writer:
        answers = await kept(writer, [*rows[:137], poison, *rows[137:]])
        assert isinstance(answers.pop(137), NotStored)
        assert answers == [True] * 499
        assert await writer.keep(a_beacon("7.f")) is True
    assert await store.fetchval("SELECT count(*) FROM batch") == 499
    assert await names(store) == ["7.f"]
    assert await store.fetchval("SELECT count(*) FROM path") == 0


async def test_poison_at_every_edge_is_found(store: Store, database_url: str) -> None:
    bad = {0, 6, 7, 12}
    rows = [a_batch(view_id=n, codes=UNLISTED if n in bad else 1) for n in range(13)]
    async with writing(database_url) as writer:
        answers = await kept(writer, rows)
    assert {n for n, answer in enumerate(answers) if answer is not True} == bad
    found = await store.fetch("SELECT view_id FROM batch ORDER BY view_id")
    assert [row["view_id"] for row in found] == [n for n in range(13) if n not in bad]


async def test_a_defect_costs_one_group_its_answers_and_stops_nothing(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with writing(database_url) as writer:
        with monkeypatch.context() as ill:
            ill.setattr("collector.committer.Group", None)
            answers = await kept(writer, [a_beacon("1.h"), a_beacon("2.h")])
        assert [type(answer) for answer in answers] == [InDoubt] * 2
        assert writer.queued_bytes == 0
        assert await kept(writer, [a_beacon("1.h"), a_beacon("3.h")]) == [True] * 2
    assert await names(store) == ["1.h", "3.h"]


async def test_a_group_is_bounded_in_bytes(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.writer.GROUP_BYTES", 2 * ROW_OVERHEAD_BYTES)
    async with writing(database_url) as writer:
        assert await kept(writer, [a_beacon(f"{n}.h") for n in range(1, 6)]) == [True] * 5
    groups = await store.fetch("SELECT count(*) AS n FROM beacon GROUP BY xmin::text")
    assert max(row["n"] for row in groups) == 2
    assert len(await names(store)) == 5


# The queue ----------------------------------------------------------------------------------------


async def test_a_full_queue_refuses_and_says_when_to_come_back(
    store: Store, line: StoreLine
) -> None:
    line.fault = "hold"
    async with writing(line.url, queue_bytes=3 * ROW_OVERHEAD_BYTES) as writer:
        waiting = asyncio.create_task(kept(writer, [a_beacon(f"{n}.h") for n in (1, 2, 3)]))
        await line.at_commit.wait()
        # Rows of the group under way count: until their commit they are in memory.
        assert writer.queued_bytes == 3 * ROW_OVERHEAD_BYTES
        with pytest.raises(NotStored) as refusal:
            await writer.keep(a_beacon("4.h"))
        assert refusal.value.retry_after_s > 0
        line.release()
        assert await waiting == [True] * 3
        assert writer.queued_bytes == 0
        assert await writer.keep(a_beacon("4.h")) is True
    assert await names(store) == ["1.h", "2.h", "3.h", "4.h"]


async def test_trails_count_by_their_bytes(database_url: str) -> None:
    async with writing(database_url, queue_bytes=ROW_OVERHEAD_BYTES + 100) as writer:
        with pytest.raises(NotStored, match="full"):
            await writer.keep(a_batch(trail=bytes(60), ev=bytes(60)))
        assert await writer.keep(a_batch(trail=bytes(60), ev=bytes(40))) is True


# The store away -----------------------------------------------------------------------------------


async def test_a_lost_connection_is_made_again_and_nobody_notices(
    store: Store, database_url: str
) -> None:
    settings = {**SESSION, "application_name": "the writer"}
    connections: list[Any] = []

    async def connect_named() -> Any:
        connections.append(await asyncpg.connect(database_url, server_settings=settings))
        return connections[-1]

    writer = Writer(connect_named)
    await writer.start()
    assert await writer.keep(a_beacon("1.h")) is True
    await store.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
        "the writer",
    )
    assert await writer.keep(a_beacon("2.h")) is True
    await writer.stop()
    assert await names(store) == ["1.h", "2.h"]
    assert len(connections) == 2
    assert all(connection.is_closed() for connection in connections)


async def test_while_the_store_is_away_rows_are_refused_and_later_ones_kept(
    store: Store, line: StoreLine, impatient: None
) -> None:
    async with writing(line.url) as writer:
        assert await writer.keep(a_beacon("1.h")) is True
        line.closed = True
        line.fault = "cut before"
        with pytest.raises(InDoubt):
            await writer.keep(a_beacon("2.h"))
        for answer in await kept(writer, [a_beacon(f"{n}.h") for n in range(3, 9)]):
            assert isinstance(answer, NotStored)
        line.closed = False
        assert await writer.keep(a_beacon("9.h")) is True
        # A refusal is not remembered as an acknowledgement.
        assert await writer.keep(a_beacon("3.h")) is True
    assert await names(store) == ["1.h", "3.h", "9.h"]


@pytest.mark.parametrize(
    "trouble",
    [
        asyncpg.CannotConnectNowError("the database system is starting up"),
        asyncpg.TooManyConnectionsError("sorry, too many clients already"),
        asyncpg.InvalidPasswordError("password changed"),
        asyncpg.InternalClientError("got result for unknown protocol state"),
        ConnectionRefusedError(),
    ],
    ids=lambda trouble: type(trouble).__name__,
)
async def test_no_trouble_stops_the_writer_for_good(
    store: Store, database_url: str, impatient: None, trouble: Exception
) -> None:
    troubled = True

    async def dial() -> Any:
        if troubled:
            raise trouble
        return await connect(database_url)

    writer = Writer(dial)
    await writer.start()
    with pytest.raises(NotStored):
        await writer.keep(a_beacon())
    troubled = False
    assert await writer.keep(a_beacon()) is True
    await writer.stop()
    assert await names(store) == ["7.h"]


async def test_a_store_that_says_nothing_is_away(
    store: Store, database_url: str, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.committer.ASK_WITHIN_S", 0.02)
    writer = Writer(asyncio.Event().wait)
    await writer.start()
    with pytest.raises(NotStored):
        await writer.keep(a_beacon())
    await writer.stop()
    assert await names(store) == []


async def test_a_table_that_is_locked_refuses_all_rows_alike_and_keeps_none(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.committer.RECONNECT_S", ())
    hasty = {**SESSION, "statement_timeout": "200"}
    writer = Writer(lambda: asyncpg.connect(database_url, server_settings=hasty))
    await writer.start()
    async with store.transaction() as connection:
        await connection.execute("LOCK TABLE beacon IN ACCESS EXCLUSIVE MODE")
        answers = await kept(writer, [a_beacon(f"{n}.h") for n in range(1, 20)])
    assert all(isinstance(answer, NotStored) for answer in answers)
    assert await names(store) == []
    assert await writer.keep(a_beacon("1.h")) is True
    await writer.stop()


# The commit in doubt ------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["cut before", "cut after"])
async def test_a_cut_at_the_commit_is_mended_by_sending_it_again(
    store: Store, line: StoreLine, fault: Any
) -> None:
    async with writing(line.url) as writer:
        line.fault = fault
        assert await kept(writer, [a_beacon("1.h"), a_batch(), a_goal()]) == [True] * 3
    assert await names(store) == ["1.h"]
    assert await store.fetchval("SELECT count(*) FROM batch") == 1
    assert await store.fetchval("SELECT count(*) FROM goal") == 1


@pytest.mark.parametrize(("fault", "there"), [("cut before", []), ("cut after", ["1.h"])])
async def test_what_nobody_can_know_is_not_called_refused(
    store: Store, line: StoreLine, impatient: None, fault: Any, there: list[str]
) -> None:
    async with writing(line.url) as writer:
        line.fault, line.closes_when_cut = fault, True
        with pytest.raises(InDoubt):
            await writer.keep(a_beacon("1.h"))
        assert await names(store) == there
        line.closed = False
        assert await writer.keep(a_beacon("1.h")) is True
    assert await names(store) == ["1.h"]


async def test_halves_that_were_committed_are_acknowledged_though_the_rest_is_in_doubt(
    store: Store, line: StoreLine, impatient: None
) -> None:
    async with writing(line.url) as writer:
        await writer.keep(a_beacon("9.h"))
        # COPY and the whole insert roll back; the first half commits, the second is cut.
        line.fault, line.closes_when_cut = "cut later", True
        batches = (a_batch(view_id=n, codes=UNLISTED if n == 7 else 1) for n in range(8))
        rows = [*batches, a_beacon("1.h")]
        answers = await kept(writer, rows)
        assert answers[:4] == [True] * 4
        assert [type(answer) for answer in answers[4:6]] == [InDoubt] * 2
        assert [type(answer) for answer in answers[6:]] == [NotStored] * 3
        line.closed = False
        again = await kept(writer, rows)
        assert [answer for answer in again if isinstance(answer, bool)] == [False] * 4 + [True] * 4
    assert await store.fetchval("SELECT count(*) FROM batch") == 7


# Days, paths, counts ------------------------------------------------------------------------------


async def test_a_day_is_made_when_a_row_first_needs_it_by_whichever_collector(
    store: Store, database_url: str
) -> None:
    far = DAY + timedelta(days=300)
    async with writing(database_url) as one, writing(database_url) as other:
        first, second = await asyncio.gather(
            kept(one, [a_beacon("1.h", day=far)]), kept(other, [a_beacon("2.h", day=far)])
        )
    assert first == second == [True]
    assert await names(store) == ["1.h", "2.h"]


async def test_what_is_deleted_under_the_writer_is_made_again(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.writer.HOUSE_S", 0.0)
    async with writing(database_url) as writer:
        assert await writer.keep(a_batch(1, path="/cart", path_id=1)) is True
        await store.execute("DELETE FROM path")
        await store.execute(f"DROP TABLE batch_{DAY:%Y%m%d}")
        assert await writer.keep(a_batch(2, path="/cart", path_id=1)) is True
    assert await store.fetchval("SELECT path FROM path") == "/cart"


async def test_a_late_row_marks_its_day_in_its_own_transaction(
    store: Store, line: StoreLine
) -> None:
    def closed(_site: int, day: date) -> bool:
        return day < DAY

    late = DAY - timedelta(days=1)
    marks = "SELECT site_id, period FROM job WHERE dirty_since IS NOT NULL"
    async with writing(line.url, closed_day=closed) as writer:
        await writer.keep(a_beacon("1.h"))
        assert await store.fetch(marks) == []
        await writer.keep(a_beacon("2.h", day=late, visitor_check=0))
        await store.execute("UPDATE job SET dirty_since = NULL")
        line.fault = "hold"
        line.at_commit.clear()
        told = asyncio.create_task(writer.keep(a_beacon("3.h", day=late)))
        await line.at_commit.wait()
        assert await store.fetch(marks) == []
        line.release()
        await told
    assert [tuple(row) for row in await store.fetch(marks)] == [(1, late)]


async def test_a_late_row_that_is_refused_marks_nothing(store: Store, database_url: str) -> None:
    async with writing(database_url, closed_day=lambda _site, _day: True) as writer:
        with pytest.raises(NotStored):
            await writer.keep(a_batch(codes=UNLISTED))
    assert await store.fetchval("SELECT count(*) FROM job") == 0


async def counted(store: Store) -> dict[str, int]:
    rows = await store.fetch("SELECT reason, sum(n)::int AS n FROM dropped GROUP BY reason")
    return {row["reason"]: row["n"] for row in rows}


async def test_drops_are_counted_and_written_at_the_end(store: Store, database_url: str) -> None:
    async with writing(database_url) as one, writing(database_url) as other:
        for writer in (one, other):
            for reason, n in (("bot", 3), ("opt_out", 1)):
                for _ in range(n):
                    writer.count_drop(1, DAY, reason, 1)
    assert await counted(store) == {"bot": 6, "opt_out": 2}


async def test_counts_are_written_now_and_then_without_a_row_to_carry_them(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.writer.HOUSE_S", 0.02)
    async with writing(database_url) as writer:
        writer.count_drop(1, DAY, "bot", 1)
        while not await counted(store):
            await asyncio.sleep(0.01)
    assert await counted(store) == {"bot": 1}


async def test_counts_outlast_a_store_that_is_away(
    store: Store, line: StoreLine, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.writer.HOUSE_S", 0.01)
    line.closed = True
    async with writing(line.url) as writer:
        writer.count_drop(1, DAY, "bot", 1)
        while line.connections < 2:
            await asyncio.sleep(0.01)
        writer.count_drop(1, DAY, "bot", 1)
        line.closed = False
    assert await counted(store) == {"bot": 2}
