from __future__ import annotations


class PostgresError(Exception):
    """The embedded Postgres cannot run here; the message names what is wrong and what helps."""
