"""Connections of the pool: changed sessions go back as they were, and a snapshot stands still."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from app.store import POOL_SIZE, Store
from tests.build import make_shop
from tests.conftest import NOON


async def settings_of_all(store: Store) -> set[str]:
    """The timeout in the sessions of every connection that the pool may give out."""
    asked = (store.fetchval("SHOW statement_timeout") for _ in range(2 * POOL_SIZE))
    return set(await asyncio.gather(*asked))


async def test_what_somebody_set_is_set_back(store: Store) -> None:
    before = await settings_of_all(store)
    async with store.connection() as connection:
        await connection.execute("SET statement_timeout = 0")
        await connection.execute("SELECT pg_advisory_lock(7)")
        pid = connection.get_server_pid()
    assert await store.fetchval("SELECT pg_backend_pid()") == pid, "the same connection"
    assert await settings_of_all(store) == before == {"30s"}
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7"
    assert await store.fetchval(held) == 0


async def test_what_failed_within_a_transaction_is_taken_back(store: Store) -> None:
    async def fail() -> None:
        async with store.transaction() as connection:
            await connection.execute("CREATE TABLE passing (n int)")
            await connection.execute("SELECT * FROM nowhere")

    with pytest.raises(asyncpg.UndefinedTableError):
        await fail()
    assert await store.fetchval("SELECT to_regclass('passing')") is None


async def test_a_snapshot_sees_one_state_and_changes_none(store: Store) -> None:
    count = "SELECT count(*) FROM site"
    async with store.snapshot() as connection:
        assert await connection.fetchval(count) == 0
        await make_shop(store, NOON)
        assert await connection.fetchval(count) == 0
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await connection.execute("DELETE FROM site")
    assert await store.fetchval(count) == 1
