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

LOOK_S = 2.5
"""How often a connection is looked at. A clock for each request would cost more than counting."""

HEAD_LOOKS = 4
"""A request's headers come in one piece mostly; after 10 s they never will."""

BODY_LOOKS = 48
"""A picture of 8 MB over a line of 0.5 Mbit/s takes its two minutes."""


class HoldingProtocol(HttpToolsProtocol):
    """What `gloed serve` gives to uvicorn as `http`."""

    def connection_made(  # type: ignore[override]  # as uvicorn has it
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        self._is_asking, self._has_head, self._looks = True, False, 0
        self._slow_clock = self.loop.call_later(LOOK_S, self._look_slow)
        if (holding := self._holding()) is not None:
            holding.begin()

    def shutdown(self) -> None:
        """Called of every connection when the server begins to stop."""
        if (holding := self._holding()) is not None:
            holding.end()
        super().shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._slow_clock.cancel()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.began_asking()

    def on_headers_complete(self) -> None:
        self._has_head = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_asking = False
        super().on_message_complete()

    def began_asking(self) -> None:
        self._is_asking, self._has_head, self._looks = True, False, 0

    def _look_slow(self) -> None:
        """Cut off who keeps a connection without ever coming to the end of a request. Of a request
        whose connection waits for us nothing more can come, and that is not its fault."""
        if self._is_asking and not self.flow.read_paused:
            self._looks += 1
            if self._looks >= (BODY_LOOKS if self._has_head else HEAD_LOOKS):
                self.transport.close()
                return
        self._slow_clock = self.loop.call_later(LOOK_S, self._look_slow)

    def _holding(self) -> Holding | None:
        state = getattr(self.app, "state", None)
        context: Context | None = getattr(state, "gloed", None)
        return context.collector.holding if context is not None else None
