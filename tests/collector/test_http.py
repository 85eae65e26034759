"""Raw bytes at the running server: refused or harmless, and it lives on."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest

from collector.sites import Site
from tests.build import DESKTOP, Walker, make_shop
from tests.serving import Running

PATIENCE_S = 10.0
AGENT = f"User-Agent: {DESKTOP}\r\n".encode()
KEY = "gs_aaaaaaaaaaaaaaaa"


def exchanged(gloed: Running, told: bytes, *, more: bool = False) -> list[int]:
    """Statuses of all answers until the server hangs up; unless `more`, nothing follows."""
    address = urlsplit(gloed.url)
    assert address.hostname is not None
    assert address.port is not None
    with socket.create_connection((address.hostname, address.port), PATIENCE_S) as line:
        line.sendall(told)
        if not more:
            line.shutdown(socket.SHUT_WR)
        heard = b""
        try:
            while part := line.recv(65536):
                heard += part
        except ConnectionResetError:
            pass
    return [int(part[:3]) for part in heard.split(b"HTTP/1.1 ")[1:]]


def get(path: bytes, more: bytes = b"") -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\nHost: shop\r\n" + AGENT + more + b"\r\n"


def post(more: bytes, body: bytes = b"", path: str = f"/g/{KEY}") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: shop\r\nContent-Type: text/plain\r\n".encode()
    return head + AGENT + more + b"\r\n" + body


REFUSED: dict[str, bytes] = {
    "length and chunks": post(
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"0\r\n\r\nGET /g/x HTTP/1.1\r\n\r\n",
    ),
    "two lengths": post(b"Content-Length: 2\r\nContent-Length: 3\r\n", b"{}x"),
    "a negative length": post(b"Content-Length: -1\r\n", b"{}"),
    "a length that is no number": post(b"Content-Length: two\r\n", b"{}"),
    "a length beyond all bounds": post(b"Content-Length: 1000000000000000000\r\n", b"{}"),
    "a length beyond 64 bits": post(b"Content-Length: " + b"9" * 40 + b"\r\n", b"{}"),
    "a chunk whose size is no number": post(b"Transfer-Encoding: chunked\r\n", b"zz\r\n{}\r\n"),
    "a chunk of a negative size": post(b"Transfer-Encoding: chunked\r\n", b"-2\r\n{}\r\n0\r\n\r\n"),
    "a chunk longer than it says": post(b"Transfer-Encoding: chunked\r\n", b"1\r\n{}\r\n0\r\n\r\n"),
    "an encoding nobody knows": post(b"Transfer-Encoding: gzip\r\n", b"{}"),
    "a body cut short": post(b"Content-Length: 50\r\n", b'{"v":1'),
    "chunks cut short": post(b"Transfer-Encoding: chunked\r\n", b"50\r\n{"),
    "a body over the limit": post(b"Content-Length: 70000\r\n", b" " * 70000),
    "chunks over the limit": post(
        b"Transfer-Encoding: chunked\r\n",
        b"4000\r\n"
        + b" " * 0x4000
        + b"\r\n"
        + b"8000\r\n" * 1
        + b" " * 0x8000
        + b"\r\n"
        + b"8000\r\n"
        + b" " * 0x8000
        + b"\r\n0\r\n\r\n",
    ),
    "NUL in a header": get(b"/g/x/y", b"X-A: a\0b\r\n"),
    "a header without a name": get(b"/g/x/y", b": b\r\n"),
    "a bare line feed": get(b"/g/x/y", b"X-A: b\n\nX-B: c\r\n"),
    "NUL in the path": get(b"/g/\0/x"),
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    "another version": b"GET /g/x/y HTTP/9.9\r\nHost: shop\r\n\r\n",
    "two requests in the second's body": post(
        b"Content-Length: 2\r\nTransfer-Encoding: identity, chunked\r\n", b"0\r\n\r\n"
    ),
}
HARMLESS: dict[str, bytes] = {
    "NUL and other bytes, encoded": get(b"/g/%00%ff/%0d%0aX-A:b/%2e%2e"),
    "a broken encoding": get(b"/g/%zz/%"),
    "a slash, encoded": get(f"/g/{KEY}%2Fcart".encode()),
    "dots": get(b"/g/../g/./x/y"),
    "only slashes": get(b"/g///////"),
    "a long path": get(b"/g/" + b"a/" * 4000),
    "a query": get(b"/g/x/y?" + b"a=b&" * 1000),
    "a range with many parts": get(b"/g/x/y", b"Range: bytes=" + b"0-0," * 1200 + b"1-1\r\n"),
    "many headers": get(b"/g/a/b", b"X-A: b\r\n" * 500),
    "many hops": get(
        f"/g/{KEY}/cart".encode(), b"X-Forwarded-For: " + b"1.1.1.1," * 2000 + b"\r\n"
    ),
    "a long agent": b"GET /g/x/y HTTP/1.1\r\nHost: a\r\nUser-Agent: " + b"A" * 30000 + b"\r\n\r\n",
    "another host": get(b"/g/x/y", b"X-Forwarded-Host: evil\r\n"),
    "an absolute address": get(b"http://evil.example/g/x/y"),
}


@pytest.fixture
def shop(gloed: Running) -> Site:
    made = gloed.do(make_shop(gloed.store, gloed.clock()))
    # What was read a moment ago is believed when it knows no such shop.
    gloed.context.catalogue.forget()
    return made


def alive(gloed: Running, shop: Site) -> None:
    """The next visitor is served as if nothing had been."""
    told = get(f"/g/{shop.public_key}/cart".encode(), b"Connection: close\r\n")
    assert exchanged(gloed, told, more=True) == [302]


def own(shop: Site, told: bytes) -> bytes:
    return told.replace(KEY.encode(), shop.public_key.encode())


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_request_is_refused(gloed: Running, shop: Site, case: str) -> None:
    statuses = exchanged(gloed, own(shop, REFUSED[case]))
    assert all(400 <= status < 500 for status in statuses), statuses
    assert gloed.do(gloed.store.fetchval("SELECT count(*) FROM batch")) == 0
    alive(gloed, shop)


@pytest.mark.parametrize("case", HARMLESS)
def test_odd_requests_are_harmless(gloed: Running, shop: Site, case: str) -> None:
    told = own(shop, HARMLESS[case]).replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
    statuses = exchanged(gloed, told, more=True)
    assert len(statuses) == 1
    assert statuses[0] < 500
    alive(gloed, shop)


def test_headers_beyond_all_measure_harm_nobody(gloed: Running, shop: Site) -> None:
    statuses = exchanged(gloed, get(b"/g/x/y", b"X-A: " + b"b" * 200_000 + b"\r\n"))
    assert all(status < 500 for status in statuses)
    alive(gloed, shop)


def test_nothing_that_was_sent_comes_back_as_a_header(gloed: Running, shop: Site) -> None:
    walker = Walker(gloed.url)
    answer = walker.get(f"/g/{shop.public_key}/cart%0d%0aSet-Cookie:a=b/order-1%0d%0aX-A:b")
    assert "set-cookie" not in answer.headers
    assert "x-a" not in answer.headers


def test_requests_in_one_go_are_answered_in_their_order(gloed: Running, shop: Site) -> None:
    told = get(b"/g/hold/a/b") + post(b"Content-Length: 2\r\n", b"{}")
    told += get(b"/g/hold/a/b", b"Connection: close\r\n")
    assert exchanged(gloed, own(shop, told), more=True) == [200, 400, 200]
