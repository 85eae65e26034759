"""Alembic's environment: one connection, handed in by `app/store.py`, one transaction."""

from __future__ import annotations

from typing import cast

import sqlalchemy as sa
from alembic import context


def run() -> None:
    connection = context.config.attributes.get("connection")
    if connection is None:
        raise RuntimeError("run migrations with `gloed migrate`")
    context.configure(connection=cast("sa.Connection", connection), transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


run()
