"""Daily partitions, made the moment a day is first needed and ahead of time by a job.

There is no default partition: attaching beside one would scan it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from collector.tables import PARTITIONED

LOCK = 0x676C6F65
"""Advisory lock: CREATE TABLE IF NOT EXISTS alone still races with itself."""


def partition_name(table: str, day: date) -> str:
    return f"{table}_{day:%Y%m%d}"


async def make_partitions(connection: Any, days: Iterable[date]) -> None:
    """Make the partitions of `days` on an asyncpg connection; those that exist are left alone."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        for day in sorted(set(days)):
            for table in PARTITIONED:
                await connection.execute(
                    f"CREATE TABLE IF NOT EXISTS {partition_name(table, day)} "
                    f"PARTITION OF {table} "
                    f"FOR VALUES FROM ('{day:%Y-%m-%d}') TO ('{day + timedelta(days=1):%Y-%m-%d}')"
                )
