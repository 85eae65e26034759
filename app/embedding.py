"""Gloed inside another application: mounted under any path, its lifespan joined to the host's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette

from app.clock import Clock, system_clock
from app.config import Settings
from app.main import Gloed, create_app


def mount(
    host: Starlette,
    path: str,
    settings: Settings | None = None,
    *,
    clock: Clock = system_clock,
) -> Gloed:
    """Mount a Gloed at `path` of a Starlette or FastAPI application; see docs/embedding.md.

    A mounted application's lifespan is not run by its host, so the host's is wrapped: Gloed
    starts before it and stops after it. Errors below `path` are Gloed's own problem documents;
    the host's handlers see nothing of them.
    """
    if not path.startswith("/") or path == "/":
        raise ValueError(f"path must begin with '/' and name a folder such as /gloed, got {path!r}")
    gloed = create_app(settings, clock=clock)
    hosts_own = host.router.lifespan_context

    @asynccontextmanager
    async def both(app: Any) -> AsyncIterator[Mapping[str, Any]]:
        async with gloed.router.lifespan_context(gloed), hosts_own(app) as state:
            yield state or {}

    host.router.lifespan_context = both
    host.mount(path, gloed)
    return gloed
