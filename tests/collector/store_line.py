"""A line between the writer and its Postgres that can be held, cut or closed at the commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

from sqlalchemy.engine import URL, make_url

BEGIN = b"BEGIN"
COMMIT = b"COMMIT"
COPY_DONE = b"c\0\0\0\4"
"""The message that ends a COPY, which commits where none has begun a transaction before it."""


Fault = Literal["", "hold", "cut before", "cut after", "cut later"]


class StoreLine:
    """`fault` befalls the next commit; `closed` befalls every new connection.

    hold        the commit waits on the line until `release` is called
    cut before  the store never hears of the commit
    cut after   the store commits, and its answer is lost
    cut later   the same on the commit after the next
    """

    def __init__(self, url: str) -> None:
        self._store = make_url(url)
        self._tasks: set[asyncio.Task[None]] = set()
        self._port = 0
        self._released = asyncio.Event()
        self.fault: Fault = ""
        self.closed = False
        self.closes_when_cut = False
        self.silent = False
        """Whatever is said from now on is held back until `release`; connections stand."""

        self.at_commit = asyncio.Event()
        self.connections = 0

    @property
    def url(self) -> str:
        through: URL = self._store.set(host="127.0.0.1", port=self._port)
        through = through.difference_update_query(["host"]).update_query_dict(
            {"sslmode": "disable"}
        )
        return through.render_as_string(hide_password=False)

    def release(self) -> None:
        self._released.set()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[StoreLine]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._connection(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            if self.closed:
                return
            up_reader, up_writer = await self._dial()
            try:
                async with asyncio.TaskGroup() as both:
                    back = both.create_task(_copy(up_reader, writer))
                    await self._forward(reader, up_writer, back)
                    back.cancel()
            finally:
                up_writer.close()
        except* (OSError, _Cut):
            pass
        finally:
            writer.transport.abort()

    async def _dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host = self._store.query.get("host") or self._store.host or "127.0.0.1"
        assert isinstance(host, str)
        port = self._store.port or 5432
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, port)

    async def _forward(
        self, reader: asyncio.StreamReader, up: asyncio.StreamWriter, back: asyncio.Task[None]
    ) -> None:
        begun = False
        while told := await reader.read(65536):
            if self.silent:
                await self._released.wait()
            begun = begun or BEGIN in told
            if COMMIT in told or (told.endswith(COPY_DONE) and not begun):
                begun = False
                await self._commit(told, up, back)
            else:
                up.write(told)

    async def _commit(
        self, told: bytes, up: asyncio.StreamWriter, back: asyncio.Task[None]
    ) -> None:
        fault, self.fault = self.fault, ""
        if fault == "cut later":
            self.fault = "cut after"
        self.at_commit.set()
        if fault == "hold":
            await self._released.wait()
        if fault == "cut after":
            back.cancel()
        if fault != "cut before":
            up.write(told)
            await up.drain()
        if fault in ("cut before", "cut after"):
            self.closed = self.closed or self.closes_when_cut
            if fault == "cut after":
                await asyncio.sleep(0.1)  # the store commits what it was told before it looks again
            raise _Cut


class _Cut(Exception):
    """The line was cut on purpose."""


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while told := await reader.read(65536):
            writer.write(told)
            await writer.drain()
    writer.close()
