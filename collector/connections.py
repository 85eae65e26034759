"""Where the collector gets a connection from, when it needs one beside the writer's own."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import asyncpg

AWAY = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""What asking the store may raise when it is away, stopping, starting or cut off in the middle."""

ASK_WITHIN_S = 3.0
"""A store that is silent for so long counts as away: a request waits for no dead network."""


class Connections(Protocol):
    def connection(self) -> AbstractAsyncContextManager[Any]:
        """An asyncpg connection of the pool."""
        ...
