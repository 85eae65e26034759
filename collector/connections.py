"""Where the collector gets a connection from, when it needs one beside the writer's own."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol


class Connections(Protocol):
    def connection(self) -> AbstractAsyncContextManager[Any]:
        """An asyncpg connection of the pool."""
        ...
