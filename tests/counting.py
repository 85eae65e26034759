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

from tests.serving import Running

_HEARD: ContextVar[list[str] | None] = ContextVar("heard", default=None)


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer, and the statements that were asked for it, in order."""

    answer: httpx.Response
    statements: tuple[str, ...]


@contextmanager
def listening() -> Iterator[None]:
    """Every connection of this process tells what it is asked."""
    asks = asyncpg.Connection._do_execute

    async def heard(self: Any, query: str, *args: Any, **kwargs: Any) -> Any:
        told = _HEARD.get()
        if told is not None:
            told.append(" ".join(query.split()))
        return await asks(self, query, *args, **kwargs)

    asyncpg.Connection._do_execute = heard
    try:
        yield
    finally:
        asyncpg.Connection._do_execute = asks


def asked_of(gloed: Running, path: str, headers: Mapping[str, str]) -> Asked:
    """Ask the application in its own loop, without a network between."""

    async def request() -> Asked:
        told: list[str] = []
        _HEARD.set(told)
        transport = httpx.ASGITransport(gloed.app)
        async with httpx.AsyncClient(transport=transport, base_url=gloed.url) as client:
            answer = await client.get(path, headers=headers)
        return Asked(answer, tuple(told))

    with listening():
        return gloed.do(request())
