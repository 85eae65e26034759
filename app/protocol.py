"""HTTP as uvicorn speaks it, and the word when a server begins and when it is about to stop.

A server that stops waits for what is under way, and images are held for as long as a page is open.
So Gloed holds none unless the server it runs under tells it of the stop before it waits: nothing in
ASGI does, and the lifespan's end comes too late. An app that is mounted into another one is served
by its host: it holds nothing, unless the host calls `begin` and `end` itself.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.context import Context
from collector.holding import Holding


class HoldingProtocol(HttpToolsProtocol):
    """What `gloed serve` gives to uvicorn as `http`."""

    def connection_made(  # type: ignore[override]  # as uvicorn has it
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        if (holding := self._holding()) is not None:
            holding.begin()

    def shutdown(self) -> None:
        """Called of every connection when the server begins to stop."""
        if (holding := self._holding()) is not None:
            holding.end()
        super().shutdown()

    def _holding(self) -> Holding | None:
        state = getattr(self.app, "state", None)
        context: Context | None = getattr(state, "gloed", None)
        return context.collector.holding if context is not None else None
