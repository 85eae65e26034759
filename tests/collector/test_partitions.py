"""Daily partitions: made once, by whoever comes first, and with nobody in the way."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest

from app.store import Store
from collector.partitions import make_partitions, partition_name
from collector.tables import PARTITIONED
from tests.collector.build import DAY

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("bare_database_url")]
DAYS = [DAY + timedelta(days=n) for n in range(3)]


async def partitions(store: Store) -> set[str]:
    rows = await store.fetch(
        "SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid "
        "WHERE c.relkind = 'r'"
    )
    return {row["relname"] for row in rows}


async def made(store: Store, days: list[date]) -> None:
    async with store.connection() as connection:
        await make_partitions(connection, days)


def expected(days: list[date]) -> set[str]:
    return {partition_name(table, day) for table in PARTITIONED for day in days}


async def test_two_connections_make_the_same_days_at_once(store: Store) -> None:
    await asyncio.gather(*(made(store, DAYS) for _ in range(2)), made(store, DAYS[::-1]))
    assert await partitions(store) == expected(DAYS)


async def test_one_that_waited_sees_what_the_other_made_meanwhile(store: Store) -> None:
    """A server process looks names up in a cache of its own, which a mere wait does not renew."""
    async with store.connection() as first:
        making = first.transaction()
        await making.start()
        await make_partitions(first, DAYS)
        second = asyncio.create_task(made(store, DAYS))
        await until_one_waits(store)
        await making.commit()
        await second
    assert await partitions(store) == expected(DAYS)


async def until_one_waits(store: Store) -> None:
    while not await store.fetchval(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    ):
        await asyncio.sleep(0.01)


async def test_what_is_there_stays_and_what_is_lacking_is_added(store: Store) -> None:
    await made(store, DAYS[:1])
    await store.execute(f"DROP TABLE {partition_name('goal', DAYS[0])}")
    await made(store, DAYS)
    assert await partitions(store) == expected(DAYS)


async def test_days_that_are_there_wait_for_nobody(store: Store) -> None:
    await made(store, DAYS)
    async with store.transaction() as busy:
        await make_partitions(busy, [DAY + timedelta(days=9)])
        await made(store, DAYS)


async def test_a_row_lies_in_the_partition_of_its_day(store: Store) -> None:
    await made(store, DAYS)
    for day in DAYS:
        await store.execute(
            "INSERT INTO beacon (at, view_id, day, site_id, visitor_check, name) "
            "VALUES (now(), 1, $1, 1, 0, '7.h')",
            day,
        )
    rows = await store.fetch("SELECT tableoid::regclass::text AS name FROM beacon ORDER BY day")
    assert [row["name"] for row in rows] == [partition_name("beacon", day) for day in DAYS]
