"""HTTP between a client and the collector, straight from the parser and by ASGI: all the same."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import urlsplit

import pytest
import uvicorn

from app.clock import SteppedClock
from app.exchange import ExchangeProtocol, protocol
from app.main import create_app
from app.protocol import HoldingProtocol
from collector import answers
from collector.sites import Site
from collector.tokens import Token, write_token
from tests.build import DESKTOP, batch_body, make_shop
from tests.conftest import NOON
from tests.serving import SECRET, Running, served, serving, settings_for

PATIENCE_S = 10.0
MINUTE = int(NOON.timestamp()) // 60
AGENT = f"Host: shop\r\nUser-Agent: {DESKTOP}\r\n".encode()
WAYS = {"straight": ExchangeProtocol, "by ASGI": HoldingProtocol}


@pytest.fixture(params=WAYS)
def gloed(request: pytest.FixtureRequest, database_url: str) -> Iterator[Running]:
    with serving(database_url, SteppedClock(NOON), http=WAYS[request.param]) as running:
        yield running


@pytest.fixture
def shop(gloed: Running) -> Site:
    return gloed.do(make_shop(gloed.store, gloed.clock()))


class Line:
    """A connection, and what is heard on it."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self.socket = socket.create_connection((address.hostname, address.port), PATIENCE_S)
        self._heard = b""

    def tell(self, *told: bytes) -> None:
        self.socket.sendall(b"".join(told))

    def hear(self, *, body: bool = True) -> tuple[int, dict[bytes, bytes], bytes]:
        """The next answer: status, headers, body."""
        while b"\r\n\r\n" not in self._heard:
            self._listen()
        head, _, self._heard = self._heard.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        headers = dict(line.split(b": ", 1) for line in lines)
        length = int(headers.get(b"content-length", b"0")) if body else 0
        while len(self._heard) < length:
            self._listen()
        told, self._heard = self._heard[:length], self._heard[length:]
        return int(first.split()[1]), headers, told

    def is_closed(self) -> bool:
        return not self._heard and self.socket.recv(65536) == b""

    def _listen(self) -> None:
        part = self.socket.recv(65536)
        assert part, f"closed after {self._heard!r}"
        self._heard += part


@contextmanager
def line_to(url: str) -> Iterator[Line]:
    line = Line(url)
    try:
        yield line
    finally:
        line.socket.close()


def get(path: str, more: bytes = b"", method: str = "GET", version: str = "1.1") -> bytes:
    return f"{method} {path} HTTP/{version}\r\n".encode() + AGENT + more + b"\r\n"


def post(shop: Site, body: bytes, more: bytes = b"") -> bytes:
    length = b"Content-Length: %d\r\n" % len(body)
    return _posted(shop, length + more) + body


def _posted(shop: Site, more: bytes) -> bytes:
    head = f"POST /g/{shop.public_key} HTTP/1.1\r\nContent-Type: text/plain\r\n".encode()
    return head + AGENT + more + b"\r\n"


def a_body(seq: int = 0) -> bytes:
    return json.dumps(batch_body(m=MINUTE, s=seq)).encode()


def path_of(shop: Site, name: str, view_id: int = 1) -> str:
    page = shop.pages["cart"]
    token = Token(shop.site_id, page.page_id, MINUTE, view_id)
    return f"/g/{write_token(token, SECRET.encode())}/{name}"


def beacons(gloed: Running) -> int:
    count: int = gloed.do(gloed.store.fetchval("SELECT count(*) FROM beacon"))
    return count


def test_both_ways_answer_with_the_same_bytes(database_url: str) -> None:
    heard: dict[str, list[bytes]] = {}
    for number, (way, http) in enumerate(WAYS.items(), start=1):
        with serving(database_url, SteppedClock(NOON), http=http) as gloed:
            if number == 1:
                shop = gloed.do(make_shop(gloed.store, gloed.clock()))
            told = [
                get(path_of(shop, "1.h", number)),
                get(path_of(shop, "1.h", number)),
                get(path_of(shop, "nonsense", number)),
                get(path_of(shop, "s"), b"Accept-Encoding: gzip\r\n"),
                get(path_of(shop, "s"), method="HEAD"),
                get(path_of(shop, "1.h"), method="OPTIONS"),
                get(path_of(shop, "1.h"), method="PUT"),
                get("/g/x/y/z"),
                get(f"/g/{shop.public_key}/no-such-page"),
                post(shop, b"{}"),
                post(shop, a_body(number)),
                post(shop, b"", b"Content-Encoding: gzip\r\n"),
                get("/g/done/gs_aaaaaaaaaaaaaaaa", b"Connection: close\r\n"),
            ]
            heard[way] = [_whole(gloed, one) for one in told]
    for straight, by_asgi in zip(heard["straight"], heard["by ASGI"], strict=True):
        assert _sorted(straight) == _sorted(by_asgi)


def _whole(gloed: Running, told: bytes) -> bytes:
    """All that is heard until the other side closes."""
    with line_to(gloed.url) as line:
        line.tell(told.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
        heard = b""
        while part := line.socket.recv(65536):
            heard += part
    return heard


def _sorted(answer: bytes) -> tuple[bytes, list[bytes], bytes]:
    """The order of headers says nothing, and time goes on."""
    head, _, body = re.sub(rb"\r\ndate: [^\r]+", b"\r\ndate: now", answer).partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    assert b"date: now" in lines
    assert b"connection: close" in lines
    return status, sorted(lines), body


def test_a_connection_serves_the_collector_and_the_pages_by_turns(
    gloed: Running, shop: Site
) -> None:
    with line_to(gloed.url) as line:
        for n in range(3):
            line.tell(get(path_of(shop, f"{n + 1}.h")))
            assert line.hear()[0] == 200
            line.tell(get("/healthz"))
            status, headers, _ = line.hear()
            assert (status, headers[b"content-type"]) == (200, b"application/json")
            line.tell(post(shop, a_body(n)))
            assert line.hear()[0] == 204
    assert beacons(gloed) == 3


def test_what_is_asked_in_one_go_is_answered_in_its_order(gloed: Running, shop: Site) -> None:
    names = [f"{n}.h" for n in range(1, 150)]
    with line_to(gloed.url) as line:
        asked = []
        for name in names:
            asked += [get(path_of(shop, name)), get(path_of(shop, "s")), get("/g/x/y/z")]
        line.tell(*asked, get("/healthz"), get(path_of(shop, "t1"), b"Connection: close\r\n"))
        for _ in names:
            kinds = [line.hear()[1][b"content-type"] for _ in range(3)]
            assert kinds == [
                b"image/gif",
                b"text/css; charset=utf-8",
                b"text/javascript; charset=utf-8",
            ]
        assert line.hear()[1][b"content-type"] == b"application/json"
        assert line.hear()[1][b"connection"] == b"close"
        assert line.is_closed()
    assert beacons(gloed) == len(names) + 1


def test_a_client_of_http_1_0_gets_one_answer(gloed: Running, shop: Site) -> None:
    with line_to(gloed.url) as line:
        line.tell(get(path_of(shop, "1.h"), version="1.0"))
        status, headers, body = line.hear()
        assert (status, headers[b"connection"], len(body)) == (200, b"close", 43)
        assert line.is_closed()


def test_head_is_an_answer_without_its_body(gloed: Running, shop: Site) -> None:
    with line_to(gloed.url) as line:
        line.tell(get(path_of(shop, "s"), method="HEAD"), get("/g/x/y/z"))
        status, headers, _ = line.hear(body=False)
        assert status == 200
        assert int(headers[b"content-length"]) > 100
        assert line.hear()[1][b"content-type"] == b"text/javascript; charset=utf-8"


def test_a_body_comes_in_whatever_parts(gloed: Running, shop: Site) -> None:
    body = a_body()
    with line_to(gloed.url) as line:
        chunk = b"%x\r\n%s\r\n" % (len(body), body)
        line.tell(_posted(shop, b"Transfer-Encoding: chunked\r\n"), chunk)
        time.sleep(0.05)
        line.tell(b"0\r\n\r\n")
        assert line.hear()[0] == 204
        told = post(shop, a_body(1))
        for at in range(0, len(told), 100):
            line.tell(told[at : at + 100])
            time.sleep(0.005)
        assert line.hear()[0] == 204
    assert gloed.do(gloed.store.fetchval("SELECT count(*) FROM batch")) == 2


def test_who_asks_before_sending_a_body_is_told_to_go_on(gloed: Running, shop: Site) -> None:
    body = a_body()
    with line_to(gloed.url) as line:
        expects = b"Expect: 100-continue\r\n"
        line.tell(_posted(shop, b"Content-Length: %d\r\n%s" % (len(body), expects)))
        assert line.hear()[0] == 100
        line.tell(body)
        assert line.hear()[0] == 204
        line.tell(_posted(shop, b"Content-Length: 70000\r\n" + expects))
        assert line.hear()[0] == 413


def test_a_get_may_have_a_body_which_means_nothing(gloed: Running, shop: Site) -> None:
    with line_to(gloed.url) as line:
        line.tell(get(path_of(shop, "1.h"), b"Content-Length: 80000\r\n"), b" " * 80_000)
        assert line.hear()[0] == 200
        line.tell(get("/g/x/y/z"))
        assert line.hear()[0] == 200
    assert beacons(gloed) == 1


def test_who_hangs_up_leaves_the_row_and_no_trouble(gloed: Running, shop: Site) -> None:
    for n in range(1, 20):
        with line_to(gloed.url) as line:
            line.tell(get(path_of(shop, f"{n}.h")), get(path_of(shop, "s")))
    deadline = time.monotonic() + PATIENCE_S
    while beacons(gloed) < 19:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_who_asks_for_more_than_they_read_gets_it_all_in_the_end(
    gloed: Running, shop: Site
) -> None:
    n = 2000
    with line_to(gloed.url) as line:
        line.socket.setblocking(False)
        told = memoryview(get(path_of(shop, "s")) * n)
        heard = bytearray()
        deadline = time.monotonic() + PATIENCE_S
        while (answers := heard.count(b"referrer-policy")) < n:
            assert time.monotonic() < deadline, f"{answers} of {n} answers in time"
            with suppress(BlockingIOError):
                told = told[line.socket.send(told) :] if told else told
            with suppress(BlockingIOError):
                heard += line.socket.recv(1 << 20)


def test_an_idle_connection_is_closed_and_one_in_use_is_not(database_url: str) -> None:
    app = create_app(settings_for(database_url), clock=SteppedClock(NOON))
    with served(app, ExchangeProtocol, timeout_keep_alive=1) as (url, _):
        with line_to(url) as line, line_to(url) as busy:
            line.tell(get("/g/x/y/z"))
            busy.tell(get("/g/x/y/z"))
            assert line.hear()[0] == busy.hear()[0] == 200
            for path in ("/g/x/y/z", "/healthz", "/g/x/y/z"):
                time.sleep(0.6)
                busy.tell(get(path)[:20])
                time.sleep(0.6)
                busy.tell(get(path)[20:])
                assert busy.hear()[0] == 200
            assert line.is_closed()
            assert busy.is_closed()


@pytest.mark.parametrize("kind", [ExchangeProtocol, HoldingProtocol])
def test_who_never_comes_to_the_end_of_a_request_is_cut_off_and_nobody_else(
    database_url: str, kind: type[HoldingProtocol], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing at all, half a request, half a body, half a second request: each holds nothing up."""
    monkeypatch.setattr("app.protocol.LOOK_S", 0.1)
    monkeypatch.setattr("app.protocol.BODY_LOOKS", 8)
    post = b"POST /g/gs_a HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{"
    whole = get("/g/x/y/z")
    beginnings = (
        b"",
        whole[:9],
        whole[:-2],
        post,
        post.replace(b"/g/", b"/api/"),
        whole + b"GET /",
    )
    app = create_app(settings_for(database_url), clock=SteppedClock(NOON))
    with served(app, kind, timeout_keep_alive=60) as (url, _), ExitStack() as lines:
        slow = [lines.enter_context(line_to(url)) for _ in beginnings]
        idle = lines.enter_context(line_to(url))
        idle.tell(whole)
        assert idle.hear()[0] == 200
        for line, told in zip(slow, beginnings, strict=True):
            line.tell(told)
        assert slow[-1].hear()[0] == 200
        for line in slow:
            while line.socket.recv(65536):
                pass  # some are told what is wrong before
        idle.tell(whole)
        assert idle.hear()[0] == 200


def test_a_uvicorn_that_was_not_tried_is_left_to_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    assert protocol() is ExchangeProtocol
    monkeypatch.setattr(uvicorn, "__version__", "1.0.0")
    assert protocol() is HoldingProtocol


def test_a_redirect_is_written_as_its_headers_say() -> None:
    """Its head is joined of prepared bytes, and they are what ASGI's servers are given."""
    for place in ("../AAAA/s", "x"):
        told = answers.redirect(place)
        assert dict(told.headers)[b"location"] == place.encode()
        assert told.head == answers.Answer(told.status, told.headers).head
