"""What one request asks the store: statements counted where they are made, others' left out.

The request runs on the server's own loop, in a context that marks whatever is done for it; the
running Gloed's jobs ask in other contexts, and so are not counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest

from tests.serving import Running

MOST_STATEMENTS = 5
"""Of a page of ours whose answers are held."""

LEARNING = (
    "SELECT current_setting('jit')",
    "SELECT set_config('jit'",
    "WITH RECURSIVE typeinfo_tree",
)
"""Teach the driver a type, once for each connection."""

FRAMES = ("BEGIN", "COMMIT", "ROLLBACK", "SELECT pg_advisory_unlock_all()", *LEARNING)
"""These, begins and ends of transactions, and giving a connection back: journeys that ask nothing
of ours."""

_HEARD: ContextVar[list[str] | None] = ContextVar("heard", default=None)


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer, and the statements that were asked for it, in order; frames: what else the store
    was told meanwhile."""

    answer: httpx.Response
    statements: tuple[str, ...]
    frames: tuple[str, ...] = ()


def _note(statement: str) -> None:
    told = _HEARD.get()
    if told is not None:
        told.append(" ".join(statement.split()))


@contextmanager
def listening() -> Iterator[None]:
    """Every connection of this process tells what it is asked."""
    asks, does = asyncpg.Connection._do_execute, asyncpg.Connection.execute
    opens, copies = asyncpg.Connection.cursor, asyncpg.Connection.copy_from_query

    async def asking(self: Any, query: str, *args: Any, **kwargs: Any) -> Any:
        _note(query)
        return await asks(self, query, *args, **kwargs)

    async def doing(self: Any, query: str, *args: Any, **kwargs: Any) -> Any:
        if not args:  # else it is told as asked
            _note(query)
        return await does(self, query, *args, **kwargs)

    def opening(self: Any, query: str, *args: Any, **kwargs: Any) -> Any:
        _note(query)
        return opens(self, query, *args, **kwargs)

    async def copying(self: Any, query: str, *args: Any, **kwargs: Any) -> Any:
        _note(query)
        return await copies(self, query, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(asyncpg.Connection, "copy_from_query", copying)
        patched.setattr(asyncpg.Connection, "_do_execute", asking)
        patched.setattr(asyncpg.Connection, "execute", doing)
        patched.setattr(asyncpg.Connection, "cursor", opening)
        yield


def asked_of(gloed: Running, path: str, headers: Mapping[str, str]) -> Asked:
    """Ask the application in its own loop, without a network between."""

    async def request() -> Asked:
        told: list[str] = []
        _HEARD.set(told)
        transport = httpx.ASGITransport(gloed.app)
        async with httpx.AsyncClient(transport=transport, base_url=gloed.url) as client:
            answer = await client.get(path, headers=headers)
        statements = tuple(one for one in told if not one.startswith(FRAMES))
        frames = tuple(one for one in told if one.startswith(FRAMES))
        return Asked(answer, statements, frames)

    with listening():
        return gloed.do(request())
