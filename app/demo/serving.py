"""Servers within one event loop: each on a port of its own, stopped when its block is left."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn

from app.shops import ShopError

PORTS_TRIED = 50
DRAIN_S = 3
"""A visitor's open page is no reason to keep a demo running."""

KEEP_ALIVE_S = 75
"""Longer than a walker, or a proxy, leaves a connection alone before it uses it again."""

STARTING_S = 0.02


class DemoProblem(ShopError):
    """The demo cannot be shown as it was asked for; the message says what to do."""


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ctrl-C belongs to whoever runs the loop: here it ends several servers at once."""
        yield


@asynccontextmanager
async def served(app: Any, door: socket.socket) -> AsyncIterator[None]:
    """The application, behind a bound socket; its lifespan is over when the block is left."""
    config = uvicorn.Config(
        app,
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=DRAIN_S,
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve([door]), name="server")
    while not server.started and not running.done():
        await asyncio.sleep(STARTING_S)
    if running.done():
        running.result()
        raise DemoProblem("the server did not start; the reason stands above")
    try:
        yield
    finally:
        server.should_exit = True
        await asyncio.shield(running)


def open_door(host: str, port: int) -> socket.socket:
    """A socket on this port or, where it is taken, on the next free one; 0 takes any."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in range(port, min(port + PORTS_TRIED, 65536)):
        # Named as TCP, or asyncio leaves Nagle's delay on: 40 ms for each answer.
        door = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((host, candidate))
            # Two that share a port by its reuse would only meet here.
            door.listen()
        except OSError:
            door.close()
            continue
        door.setblocking(False)
        return door
    raise DemoProblem(
        f"no port from {port} on is free on {host}: give another one with --port, or end what "
        "listens there"
    )


def port_of(door: socket.socket) -> int:
    port: int = door.getsockname()[1]
    return port
