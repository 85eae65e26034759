"""A connection that asks and knows what it was told: a status, or nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from tests.build import DESKTOP

ANSWER_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Told:
    """An answer; status None: there was none, and nobody knows."""

    status: int | None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Line:
    """Keep-alive HTTP/1.1 by hand: a client library would cost more than what is measured."""

    port: int
    _reader: asyncio.StreamReader | None = None
    _writer: asyncio.StreamWriter | None = None

    async def get(self, target: str) -> Told:
        return await self._ask(f"GET {target} HTTP/1.1\r\n", b"")

    async def post(self, target: str, body: bytes) -> Told:
        head = f"POST {target} HTTP/1.1\r\ncontent-type: text/plain\r\n"
        return await self._ask(f"{head}content-length: {len(body)}\r\n", body)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None

    async def _ask(self, head: str, body: bytes) -> Told:
        request = f"{head}host: shop\r\nuser-agent: {DESKTOP}\r\n\r\n".encode() + body
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                reader, writer = await self._connected()
                writer.write(request)
                return await _answer(reader)
        except (OSError, EOFError, asyncio.IncompleteReadError, ValueError):
            self.close()
            return Told(None)

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self._reader, self._writer


async def _answer(reader: asyncio.StreamReader) -> Told:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = (line.partition(":") for line in head[1:] if line)
    headers = {name.lower(): value.strip() for name, _, value in fields}
    await reader.readexactly(int(headers.get("content-length", 0)))
    return Told(int(head[0].split()[1]), headers)
