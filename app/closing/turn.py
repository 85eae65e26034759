"""A day is closed, and its pages are sealed, by one process at a time in the whole fleet."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

STATEMENT_WITHIN = timedelta(minutes=10)
"""What happened on a day is one answer; of millions of views it takes longer than a page may."""


async def take_turn(connection: Any, site_id: int, day: date) -> None:
    """Until the transaction ends; whoever comes second waits, and then finds nothing to change.

    The shop's row is held against going live, which would leave what the trial derived behind.
    """
    within_ms = round(STATEMENT_WITHIN.total_seconds() * 1000)
    await connection.execute(f"SET LOCAL statement_timeout = {within_ms}")
    await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", site_id, day.toordinal())
    await connection.execute("SELECT 1 FROM site WHERE site_id = $1 FOR KEY SHARE", site_id)
