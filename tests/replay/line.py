"""A line between a client and a server that can be ill: a TCP proxy that reads HTTP/1.1.

What happens to each request is taken in turn from a plan: `pass` it on; `refuse` it with a 503 of
our own; `swallow` the answer, as a cable does that is cut after the server has done its work.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from typing import Literal
from urllib.parse import urlsplit

Fault = Literal["pass", "refuse", "swallow"]

REFUSAL = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n"


@contextmanager
def ill_line(url: str, plan: Sequence[Fault]) -> Iterator[str]:
    """URL of a proxy in front of `url`."""
    loop = asyncio.new_event_loop()
    line = _Line(urlsplit(url).port or 80, plan)
    server = loop.run_until_complete(asyncio.start_server(line.serve, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, name="ill-line")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        asyncio.run_coroutine_threadsafe(line.close(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class _Line:
    def __init__(self, port: int, plan: Sequence[Fault]) -> None:
        self._port = port
        self._plan = cycle(plan)
        self._tasks: set[asyncio.Task[None]] = set()

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._exchanges(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self, server: asyncio.Server) -> None:
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _exchanges(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            fault: Fault = "pass"
            while fault != "swallow" and (request := await _message(reader)):
                fault = next(self._plan)
                answer = REFUSAL if fault == "refuse" else await self._asked(request)
                if fault != "swallow":
                    writer.write(answer)
                    await writer.drain()
        finally:
            writer.close()

    async def _asked(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(request)
            return await _message(reader)
        finally:
            writer.close()


async def _message(reader: asyncio.StreamReader) -> bytes:
    """One request or answer with its body; empty at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""
    fields = dict(
        field.lower().split(b": ", 1) for field in head.split(b"\r\n")[1:] if b": " in field
    )
    return head + await reader.readexactly(int(fields.get(b"content-length", 0)))
