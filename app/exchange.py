"""The collector's requests straight from uvicorn's parser, without ASGI between.

For each request uvicorn makes a scope, a task and an event, checks every header of the answer by
two regular expressions, and writes head and body one after the other: for an image of 43 bytes that
is most of the work. What is asked of the collector is taken from the parser here, and its answer is
written as prepared bytes, at once. Everything else, and what is unusual (an upgrade, a path with
escapes, a held image, somebody who does not read what they are sent), goes uvicorn's way.

This rests on uvicorn's inner workings: under a version that it was not tried with, uvicorn serves
everything as it always does, and the collector is an ASGI application like any other.
"""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
import uvicorn

from app.plain import Plain, Reader, is_plain
from app.protocol import HoldingProtocol
from collector import answers
from collector.addresses import UNIX
from collector.answers import Answer
from collector.errors import TooLarge
from collector.intake import Collector
from collector.requests import Asked, Headers, headers_of
from collector.wire import MAX_BODY_BYTES

log = structlog.get_logger()

TRIED = ("0.54.",)
"""Versions of uvicorn that this was read beside and tested with."""

_NO_HEADERS: Headers = {}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_CLOSE = b"connection: close\r\n\r\n"


def protocol() -> type[HoldingProtocol]:
    """What to give to uvicorn as `http`."""
    if uvicorn.__version__.startswith(TRIED):
        return ExchangeProtocol
    log.warning("collector_by_asgi", uvicorn=uvicorn.__version__, faster_with=TRIED)
    return HoldingProtocol


class ExchangeProtocol(HoldingProtocol):
    """One connection: exchanges with the collector, and uvicorn's own cycles, in their order."""

    cycle: Any
    """Uvicorn's own, or an exchange, of which no more is asked than it has."""

    collector: Collector | None = None
    _reader: Reader | None = None
    _plain: Plain | None = None
    """What is being parsed, where it is plain and its sender is not known yet."""

    _is_whole = True
    """Whether all that the parser was given were whole requests to the collector."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        context = getattr(getattr(self.app, "state", None), "gloed", None)
        if context is not None and not self.root_path:
            self.collector = context.collector
            self._prefix = context.settings.prefix.encode() + b"/"
            self._hold = self._prefix + b"hold/"
            self._peer = self.collector.peer_of(self.client[0] if self.client else UNIX)
            self._reader = Reader(context.settings.prefix, self.collector.marking(self._peer))
        self._server_headers: list[tuple[bytes, bytes]] = []
        self._server_lines = b""
        self._is_between = False  # all that was asked is answered, and no more has come
        self._answered_at = 0.0
        self._idle_clock: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        plain = self._read_plain(data)
        if plain is None or not self._take_known(plain):
            self._plain = plain
            super().data_received(data)
            self._plain = None

    def _read_plain(self, data: bytes) -> Plain | None:
        """What the parser need not be asked for, where nothing else is under way."""
        if self._reader is None or not self._is_whole or self.flow.write_paused:
            return None
        if self.cycle is not None and not self.cycle.response_complete:
            return None
        return self._reader.read(data)

    def _take_known(self, plain: Plain) -> bool:
        """Whether its sender is known, and all there is to decide could be decided by that."""
        collector = self.collector
        sender = collector.senders.get(plain.mark) if collector is not None else None
        if collector is None or sender is None or self.transport.is_closing():
            return False
        asked = Asked(plain.method, plain.path, _NO_HEADERS, self._peer, plain.body)
        exchange = Exchange(self)
        before, self.cycle = self.cycle, exchange
        self._is_asking = self._is_between = False
        if collector.take_known(asked, sender, exchange.reply):
            self._unset_keepalive_if_required()
            return True
        self.cycle = before
        return False

    def on_message_begin(self) -> None:
        """Without a scope, which is made for whom it is needed."""
        self._is_between = self._is_whole = False
        self.began_asking()
        self.url = b""
        self.headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self._has_head = True
        asked = self._asked()
        if asked is None or self.collector is None:
            self._go_uvicorns_way()
            return
        before, exchange = self.cycle, Parsed(self, self.collector, asked)
        self.cycle = exchange
        if before is None or before.response_complete:
            exchange.start()
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((exchange, self.app))  # type: ignore[arg-type]

    def on_body(self, body: bytes) -> None:
        if isinstance(self.cycle, Parsed):
            self.cycle.add(body)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if isinstance(self.cycle, Parsed):
            self._is_asking = False
            self._is_whole = self.cycle.keep_alive
            self.cycle.end()
        else:
            super().on_message_complete()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        """What was asked while another answer was under way."""
        if isinstance(cycle, Parsed):
            # Not from within the last one's end: there may be a thousand of them.
            self.loop.call_soon(cycle.start)
        else:
            super()._start_asgi_task(cycle, app)

    def on_exchange_complete(self) -> None:
        """As uvicorn's `on_response_complete`, but that the clock of an idle connection is not
        stopped and wound up for each answer: it looks when the last one was."""
        if self.pipeline or self.flow.read_paused:
            self.on_response_complete()
            return
        self._is_between = True
        self.server_state.total_requests += 1
        self._answered_at = self.loop.time()
        if self._idle_clock is None:
            self._idle_clock = self.loop.call_later(self.timeout_keep_alive, self._look_idle)

    def _look_idle(self) -> None:
        self._idle_clock = None
        if self.transport.is_closing() or self.timeout_keep_alive_task is not None:
            return  # the latter: uvicorn's own clock is running
        left_s = self.timeout_keep_alive - (self.loop.time() - self._answered_at)
        if self._is_between and left_s <= 0:
            self.transport.close()
        else:
            wait_s = left_s if left_s > 0 else self.timeout_keep_alive
            self._idle_clock = self.loop.call_later(wait_s, self._look_idle)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._idle_clock is not None:
            self._idle_clock.cancel()

    def _asked(self) -> Asked | None:
        """What the collector is asked; None for all else, and for what is not plain."""
        url = self.url
        if (
            self.collector is None
            or not url.startswith(self._prefix)
            or url.startswith(self._hold)
            or self.flow.write_paused
            or self.parser.should_upgrade()
        ):
            return None
        path = url.partition(b"?")[0]
        if b"%" in path or b"#" in url or not path.isascii():
            return None
        method = self.parser.get_method().decode("ascii")
        below = path[len(self._prefix) - 1 :].decode("ascii")
        headers = headers_of(self.headers)
        asked = Asked(method, below, headers, self._peer)
        if self._plain is not None and self.stays_open() and is_plain(method, headers):
            gzip = b"gzip" in headers.get(b"accept-encoding", b"")
            asked = asked.sent_by(self.collector.senders.learn(self._plain.mark, takes_gzip=gzip))
        return asked

    def stays_open(self) -> bool:
        is_new = self.parser.get_http_version() != "1.0"
        return is_new and bool(self.parser.should_keep_alive())

    def _go_uvicorns_way(self) -> None:
        url, headers = self.url, self.headers
        super().on_message_begin()
        self.url = url
        for name, value in headers:
            super().on_header(name, value)
        super().on_headers_complete()

    def write_answer(self, answer: Answer, *, keep_alive: bool, head: bool) -> None:
        """With the headers that every answer bears, the date among them: uvicorn makes them anew
        each second."""
        headers = self.server_state.default_headers
        if headers is not self._server_headers:
            self._server_headers = headers
            self._server_lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        if keep_alive and not head:
            self.transport.write(answer.with_lines(headers, self._server_lines))
            return
        end = b"\r\n" if keep_alive else _CLOSE
        body = b"" if head else answer.body
        self.transport.write(b"".join((answer.head, self._server_lines, end, body)))
        if not keep_alive:
            self.transport.close()


class _Nobody:
    """Nobody waits for the messages of an exchange."""

    def set(self) -> None: ...


class Exchange:
    """One request and its answer, in the place of uvicorn's cycle, whose public names it has."""

    message_event = _Nobody()
    more_body = False
    disconnected = False
    response_complete = False
    keep_alive = True
    is_head = False

    def __init__(self, protocol: ExchangeProtocol) -> None:
        self._protocol = protocol

    def reply(self, answer: Answer) -> None:
        protocol = self._protocol
        if protocol.transport.is_closing():
            return  # they hung up, or were told that we do
        self.response_complete = True
        protocol.write_answer(answer, keep_alive=self.keep_alive, head=self.is_head)
        protocol.on_exchange_complete()


class Parsed(Exchange):
    """As it comes from the parser, its body part by part."""

    more_body = True

    _started = False
    _room = MAX_BODY_BYTES

    def __init__(self, protocol: ExchangeProtocol, collector: Collector, asked: Asked) -> None:
        super().__init__(protocol)
        self._collector = collector
        self._asked = asked
        self._parts: list[bytes] = []
        self.keep_alive = protocol.stays_open()
        self.is_head = asked.method == "HEAD"

    def start(self) -> None:
        """Its turn to be answered."""
        if self._asked.method == "POST":
            self._start_post()
        else:
            self._collector.take(self._asked, self.reply)

    def _start_post(self) -> None:
        self._started = True
        refused = self._collector.refused_early(self._asked)
        if refused is not None:
            self.reply(refused)
        elif not self.more_body or self._room < 0:
            self._take_post()
        elif self._asked.headers.get(b"expect", b"").lower() == b"100-continue":
            self._protocol.transport.write(_CONTINUE)

    def add(self, part: bytes) -> None:
        """Of a body; where one counts, it is refused at its limit and not after it."""
        if self._asked.method != "POST" or self.response_complete:
            return
        self._room -= len(part)
        if self._room >= 0:
            self._parts.append(part)
        elif self._started:
            self._take_post()

    def end(self) -> None:
        self.more_body = False
        if self._started and not self.response_complete:
            self._take_post()

    def _take_post(self) -> None:
        if self._room < 0:
            wrong = TooLarge(f"a body may have at most {MAX_BODY_BYTES} bytes")
            self.reply(answers.wrong(wrong))
        else:
            asked = self._asked.with_body(b"".join(self._parts))
            self._collector.take(asked, self.reply)
