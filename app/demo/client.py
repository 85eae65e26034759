"""HTTP as the walkers speak it: keep-alive connections, plain requests, whole answers.

A general client costs ten times as much per request, and the demo sends tens of thousands before
anybody sees its first page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from app.demo.serving import DemoProblem

LINES = 24
"""Connections at once: what four phones open to one server."""

ANSWERS_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Client:
    """Asks one server; a connection that is free is used again."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._turns = asyncio.Semaphore(LINES)

    @property
    def origin(self) -> str:
        return f"http://{self._name}"

    async def ask(
        self, target: str, headers: Mapping[str, str], *, form: bytes | None = None
    ) -> Answer:
        """GET, or POST where there is a form."""
        async with self._turns:
            line = await self._line()
            line[1].write(self._request(target, headers, form))
            try:
                async with asyncio.timeout(ANSWERS_WITHIN_S):
                    answer = await _answer(line[0])
            except (OSError, asyncio.IncompleteReadError, TimeoutError) as lost:
                line[1].close()
                raise DemoProblem(f"the demo's own server did not answer {target}") from lost
            self._free.append(line)
            return answer

    async def aclose(self) -> None:
        for _, writer in self._free:
            writer.close()
        self._free.clear()

    async def _line(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._free:
            reader, writer = self._free.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection(self._host, self._port)

    def _request(self, target: str, headers: Mapping[str, str], form: bytes | None) -> bytes:
        told = {"Host": self._name, **headers}
        if form is not None:
            told["Content-Type"] = "application/x-www-form-urlencoded"
            told["Content-Length"] = str(len(form))
        verb = "GET" if form is None else "POST"
        head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        return f"{verb} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + (form or b"")


async def _answer(reader: asyncio.StreamReader) -> Answer:
    """One whole answer: every server of the demo says how long its bodies are."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {}
    for line in head[1:-2]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    length = int(headers.get("content-length", "0"))
    body = await reader.readexactly(length) if length else b""
    return Answer(int(head[0].split(" ", 2)[1]), headers, body)
