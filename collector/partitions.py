"""Daily partitions, made the moment a day is first needed and ahead of time by a job.

There is no default partition: attaching beside one would scan it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from collector.tables import PARTITIONED

LOCK = 0x676C6F65
"""Advisory lock: of several that miss a partition one makes it."""

_MISSING = """
    SELECT name FROM unnest($1::text[]) AS name WHERE name NOT IN (
        SELECT relname FROM pg_class JOIN pg_namespace AS space ON space.oid = relnamespace
        WHERE nspname = current_schema())
"""
"""From the catalogue's rows: `to_regclass` may answer from a cache older than the lock."""


def partition_name(table: str, day: date) -> str:
    return f"{table}_{day:%Y%m%d}"


async def make_partitions(connection: Any, days: Iterable[date]) -> None:
    """Make the partitions of `days` on an asyncpg connection; those that exist are left alone."""
    wanted = {
        partition_name(table, day): (table, day)
        for day in sorted(set(days))
        for table in PARTITIONED
    }
    missing = await connection.fetch(_MISSING, list(wanted))
    if not missing:
        # The usual case takes no lock: whoever holds it may be in a long transaction.
        return
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        for row in await connection.fetch(_MISSING, [row["name"] for row in missing]):
            await _make(connection, row["name"], *wanted[row["name"]])


async def _make(connection: Any, name: str, table: str, day: date) -> None:
    """Attached, not made in place: CREATE TABLE … PARTITION OF waits for everybody who reads the
    table, a closing day among them, and every writer then waits behind it."""
    await connection.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)")
    await connection.execute(
        f"ALTER TABLE {table} ATTACH PARTITION {name} "
        f"FOR VALUES FROM ('{day:%Y-%m-%d}') TO ('{day + timedelta(days=1):%Y-%m-%d}')"
    )
