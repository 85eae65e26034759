"""Where the collector gets a connection from, and whether one may be acknowledged on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import asyncpg

from collector.errors import OtherRevision, StoreError

AWAY = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""What asking the store may raise when it is away, stopping, starting or cut off in the middle."""

ASK_WITHIN_S = 3.0
"""A store that is silent for so long counts as away: a request waits for no dead network."""

GRACE_S = 0.05
"""Who can go on with what is known already waits so long for something newer."""

DURABLE = ("on", "remote_apply")
"""Values of `synchronous_commit` under which a commit that returned outlasts any crash. `local`
and `remote_write` wait for less than a store with standbys promises: its failover could lose it."""


class Connections(Protocol):
    def connection(self) -> AbstractAsyncContextManager[Any]:
        """An asyncpg connection of the pool."""
        ...


@dataclass(frozen=True, slots=True)
class Door:
    """Opens connections on which a commit may be acknowledged."""

    connect: Callable[[], Awaitable[Any]]
    revision: str | None = None
    """Of the schema that rows are written for; None takes any."""

    async def open(self) -> tuple[Any, str]:
        """A connection and the identity of the store behind it.

        Raises one of AWAY, StoreError where the store would acknowledge before it has written,
        OtherRevision where it has another schema.
        """
        connection = await self.connect()
        try:
            kept = await connection.fetchval("SHOW synchronous_commit")
            if kept not in DURABLE:
                raise StoreError(
                    f"synchronous_commit is {kept}: an acknowledgement could be lost; set it to on"
                )
            store = await _identity(connection)
            try:
                await self.check(connection)
            except OtherRevision as other:
                other.store = store
                raise
            return connection, store
        except BaseException:
            connection.terminate()
            raise

    async def check(self, connection: Any) -> None:
        """Raises OtherRevision where the store was migrated meanwhile, or not yet."""
        if self.revision is None:
            return
        found = await connection.fetchval("SELECT version_num FROM alembic_version")
        if found != self.revision:
            raise OtherRevision(
                f"the store is at revision {found or 'none'}, rows are written for {self.revision}"
            )


async def _identity(connection: Any) -> str:
    """Which store this is, the same under every address it is reached by.

    What waits for one store must never be written into another, such as that of a test.
    """
    try:
        return str(await connection.fetchval(_IDENTITY))
    except asyncpg.SyntaxOrAccessError:  # some who rent out databases hide the first half
        return str(await connection.fetchval(_LOCAL_IDENTITY))


_LOCAL_IDENTITY = "SELECT oid || ' ' || datname FROM pg_database WHERE datname = current_database()"
_IDENTITY = (
    "SELECT system_identifier || ' ' || (SELECT oid FROM pg_database "
    "WHERE datname = current_database()) FROM pg_control_system()"
)
