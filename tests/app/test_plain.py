"""Who sends the same headers again is decided on as before, and nothing else is taken for that."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from app.plain import Plain, Reader, is_plain
from collector.addresses import Peer
from collector.copying import FORMS
from collector.groups import Row
from collector.intake import Collector, Reply
from collector.requests import Asked
from collector.senders import Senders
from collector.sites import Site
from collector.tokens import Token, write_token
from collector.wire import MAX_BODY_BYTES
from collector.writer import Told, Writer
from tests.app.test_exchange import Line, line_to
from tests.build import DESKTOP, batch_body, make_shop
from tests.conftest import NOON
from tests.serving import SECRET, Running

MINUTE = int(NOON.timestamp()) // 60
HEADERS = f"Host: shop\r\nUser-Agent: {DESKTOP}\r\nReferer: https://shop/cart\r\n".encode()
OWN = {"at", "view_id", "name", "seq", "trail", "ev", "visitor_check"}
"""Columns in which two requests of one sender may differ."""


@pytest.fixture
def shop(gloed: Running) -> Site:
    return gloed.do(make_shop(gloed.store, gloed.clock()))


@pytest.fixture
def line(gloed: Running) -> Iterator[Line]:
    with line_to(gloed.url) as opened:
        yield opened


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Methods of what was decided on in full, with all headers."""
    seen: list[str] = []
    take = Collector.take

    def noted(self: Collector, asked: Asked, reply: Reply) -> None:
        seen.append(asked.method)
        take(self, asked, reply)

    monkeypatch.setattr(Collector, "take", noted)
    return seen


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[Row]:
    rows: list[Row] = []
    put = Writer.put

    def noted(self: Writer, row: Row, told: Told) -> None:
        rows.append(row)
        put(self, row, told)

    monkeypatch.setattr(Writer, "put", noted)
    return rows


def get(path: str, headers: bytes = HEADERS) -> bytes:
    return b"GET %b HTTP/1.1\r\n%b\r\n" % (path.encode(), headers)


def post(shop: Site, headers: bytes = HEADERS, **more: Any) -> bytes:
    body = json.dumps(batch_body(**{"m": MINUTE, **more})).encode()
    head = b"POST /g/%b HTTP/1.1\r\n%bContent-Length: %d\r\nContent-Type: text/plain\r\n\r\n"
    return head % (shop.public_key.encode(), headers, len(body)) + body


def a_token(shop: Site, view_id: int = 1) -> str:
    token = Token(shop.site_id, shop.pages["cart"].page_id, MINUTE, view_id)
    return write_token(token, SECRET.encode())


def sheet(shop: Site, n: int) -> bytes:
    return get(f"/g/{a_token(shop, n)}/s")


def beacon(shop: Site, n: int) -> bytes:
    return get(f"/g/{a_token(shop)}/{n}.h")


def opening(shop: Site, _: int) -> bytes:
    return get(f"/g/{shop.public_key}/cart")


def batch(shop: Site, n: int) -> bytes:
    return post(shop, s=n, u=f"/cart/{n % 2}")


def batch_with_token(shop: Site, n: int) -> bytes:
    return post(shop, s=n, t=a_token(shop), r=[n, n, n])


def batch_with_ref(shop: Site, n: int) -> bytes:
    return post(shop, s=n, u="/cart/1", ref="order-7")


def asked(line: Line, told: bytes) -> tuple[int, dict[bytes, bytes], bytes]:
    line.tell(told)
    status, headers, body = line.hear()
    del headers[b"date"]
    headers.pop(b"location", None)
    return status, headers, body


@pytest.mark.parametrize("make", [sheet, beacon, opening, batch, batch_with_token, batch_with_ref])
def test_the_headers_are_read_once_and_all_answers_and_rows_are_the_same(
    gloed: Running,
    shop: Site,
    line: Line,
    parsed: list[str],
    kept: list[Row],
    make: Callable[[Site, int], bytes],
) -> None:
    first = asked(line, make(shop, 1))
    assert len(parsed) == 1
    for n in range(2, 6):
        assert asked(line, make(shop, n)) == first
    assert len(parsed) == 1
    assert b"x-gloed-drop" not in first[1]
    assert len(kept) == (0 if make is sheet else 5)
    for row in kept:
        told = {name: row.values.get(name) for name in row.values.keys() - OWN - {"path_id"}}
        assert told == {name: kept[0].values.get(name) for name in told}
        assert row.packed in (None, FORMS[row.table].row(row.values))
    assert all(row.packed for row in kept[1:])
    tables = {row.table for row in kept}
    for table in tables:
        count = gloed.do(gloed.store.fetchval(f"SELECT count(*) FROM {table}"))
        assert count == 5
    if tables and make is not beacon:
        assert kept[0].values["path_id"] != 0
        assert kept[1].path == ("/cart/0" if make in (batch,) else kept[0].path)


@pytest.mark.parametrize(
    "more",
    [b"Sec-GPC: 1\r\n", b"Sec-Purpose: prefetch\r\n", b"X-Forwarded-For: 192.0.2.9\r\n"],
)
def test_headers_that_say_more_are_read_by_themselves(
    gloed: Running, shop: Site, line: Line, parsed: list[str], more: bytes
) -> None:
    for make in (opening, opening):
        assert b"x-gloed-drop" not in asked(line, make(shop, 1))[1]
    said = [asked(line, get(f"/g/{shop.public_key}/cart", HEADERS + more)) for _ in range(2)]
    assert said[0] == said[1]
    assert (b"x-gloed-drop" in said[0][1]) is not more.startswith(b"X-Forwarded")
    assert len(parsed) >= 2


def test_a_sender_whose_shop_changed_its_mind_is_asked_again(
    gloed: Running, shop: Site, line: Line
) -> None:
    for n in (1, 2):
        assert b"x-gloed-drop" not in asked(line, beacon(shop, n))[1]
    gloed.do(
        gloed.store.execute(
            'UPDATE site SET config = \'{"mode": "off"}\' WHERE site_id = $1', shop.site_id
        )
    )
    gloed.context.catalogue.forget()
    for n in (3, 4):
        assert asked(line, beacon(shop, n))[1][b"x-gloed-drop"] == b"off"


def test_who_is_known_is_somebody_else_tomorrow_and_an_old_token_is_old(
    gloed: Running, shop: Site, line: Line, kept: list[Row]
) -> None:
    for _ in range(2):
        asked(line, opening(shop, 1))
    asked(line, beacon(shop, 1))
    gloed.clock.set(NOON + timedelta(hours=25))
    for _ in range(2):
        asked(line, opening(shop, 1))
        assert asked(line, beacon(shop, 2))[1][b"x-gloed-drop"] == b"expired"
    today, again, _, tomorrow, then = (row.values["visitor_check"] for row in kept)
    assert today == again
    assert tomorrow == then != today


def test_who_is_known_may_send_no_more_than_others(
    shop: Site, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("known", "routes"):
        monkeypatch.setattr(f"collector.{module}.MOST_ROWS", 3)
    said = [asked(line, beacon(shop, n))[1].get(b"x-gloed-drop") for n in range(1, 7)]
    assert said == [None, None, None, b"flood", b"flood", b"flood"]


def test_a_known_sender_is_told_what_is_wrong(shop: Site, line: Line) -> None:
    for n in (1, 2):
        assert asked(line, batch(shop, n))[0] == 204
    wrongs: list[tuple[dict[str, Any], int]] = [({"v": 2}, 400), ({"r": [1]}, 400), ({"m": 1}, 204)]
    wrongs += [
        ({"r": [-1, 2, 3]}, 400),
        ({"r": [2**31, 2, 3]}, 400),
        ({"r": [1, 2, 3, 0, 0, -1]}, 400),
    ]
    for wrong, status in wrongs:
        answer = asked(line, post(shop, **{"s": 3, **wrong}))
        assert answer[0] == status
        assert (answer[1].get(b"x-gloed-drop") == b"clock") is (status == 204)
    said = asked(line, get(f"/g/{a_token(shop)}/nonsense"))
    assert said[1][b"x-gloed-drop"] == b"bad_name"
    assert asked(line, beacon(shop, 1))[0] == 200
    assert asked(line, beacon(shop, 1))[1][b"x-gloed-drop"] == b"repeat"


@pytest.mark.parametrize(
    "headers",
    [b"Content-Length: 5\r\n", b"X-Content-Length: 5\r\nContent-Length: 5\r\n"],
)
def test_a_body_that_comes_later_is_no_request(
    shop: Site, line: Line, parsed: list[str], headers: bytes
) -> None:
    """Whatever a header says of the length of what is no batch."""
    for n in (1, 2):
        line.tell(get(f"/g/{a_token(shop)}/{n}.h", HEADERS + headers))
        line.tell(b"GET /")
        assert line.hear()[0] == 200
    assert len(parsed) == 2


def test_what_is_asked_behind_a_known_request_waits_for_its_turn(shop: Site, line: Line) -> None:
    asked(line, beacon(shop, 1))
    for n in range(2, 10):
        line.tell(beacon(shop, n))
        line.tell(sheet(shop, n), beacon(shop, n + 100))
        kinds = [line.hear()[1][b"content-type"] for _ in range(3)]
        assert kinds == [b"image/gif", b"text/css; charset=utf-8", b"image/gif"]


def test_a_known_sender_that_hangs_up_leaves_its_rows(
    gloed: Running, shop: Site, line: Line
) -> None:
    asked(line, beacon(shop, 1))
    for n in range(2, 20):
        with line_to(gloed.url) as other:
            other.tell(beacon(shop, n))
    asked(line, beacon(shop, 100))
    counted = "SELECT count(*) FROM beacon"
    for _ in range(200):
        if gloed.do(gloed.store.fetchval(counted)) == 20:
            break
        asked(line, sheet(shop, 1))
    assert gloed.do(gloed.store.fetchval(counted)) == 20


# What is plain ------------------------------------------------------------------------------------


PEER = Peer(b"\x7f\0\0\1", believed=False)
READER = Reader("/g", Senders().marking(PEER))


def test_a_request_in_one_piece_is_told_without_a_parser() -> None:
    token = "A" * 34
    read = READER.read(get(f"/g/{token}/7.h5"))
    assert read == Plain("GET", f"/{token}/7.h5", b"", read.mark if read else b"")
    body = b'{"v":1}'
    told = b"POST /g/gs_a HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b" % (HEADERS, len(body), body)
    posted = READER.read(told)
    assert posted is not None
    assert (posted.method, posted.path, posted.body) == ("POST", "/gs_a", body)
    assert READER.read(told.replace(b"Content-L", b"content-l")) is not None


PLAIN = b"GET /g/a/b HTTP/1.1\r\nHost: shop\r\n\r\n"
POSTED = b"POST /g/a HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\nX: y\r\n\r\n{}"


@pytest.mark.parametrize(
    "told",
    [
        PLAIN[:-1],
        PLAIN + b"G",
        PLAIN + PLAIN,
        b"\r\n" + PLAIN,
        PLAIN.replace(b"1.1", b"1.0"),
        PLAIN.replace(b"GET ", b"GET  "),
        PLAIN.replace(b"GET ", b"HEAD "),
        PLAIN.replace(b"/a/b", b"/a/b?c=d"),
        PLAIN.replace(b"/a/b", b"/a/%62"),
        PLAIN.replace(b"/a/b", b"/a/b/c"),
        PLAIN.replace(b"/a/b", b"/a/" + b"b" * 65),
        PLAIN.replace(b"/a/b", b"/a"),
        PLAIN.replace(b"/g/", b"/G/"),
        PLAIN.replace(b"/g/", b"/api/"),
        PLAIN.replace(b"\r\n", b"\n"),
        POSTED[:-1],
        POSTED + b"}",
        POSTED.replace(b": 2", b":2"),
        POSTED.replace(b": 2", b": 02"),
        POSTED.replace(b": 2", b": +2"),
        POSTED.replace(b": 2", b": 2 "),
        POSTED.replace(b"Content-Length", b"X-Content-Length"),
        POSTED.replace(b"Content-Length: 2\r\n", b"Transfer-Encoding: chunked\r\n"),
        POSTED.replace(b": 2", b": %d" % (MAX_BODY_BYTES + 1)) + b" " * (MAX_BODY_BYTES - 1),
    ],
)
def test_what_is_not_plain_is_for_the_parser(told: bytes) -> None:
    assert READER.read(PLAIN) is not None
    assert READER.read(POSTED) is not None
    assert READER.read(told) is None


def test_another_header_peer_or_place_of_the_length_is_another_mark() -> None:
    senders = Senders()
    peers = (PEER, Peer(PEER.address, believed=True), Peer(b"\x7f\0\0\2", False), Peer(None, False))
    told = [
        POSTED,
        POSTED.replace(b"y", b"z"),
        POSTED.replace(b"Content-Length: 2\r\nX: y\r\n", b"X: y\r\nContent-Length: 2\r\n"),
        POSTED.replace(b"Host: shop\r\nContent-Length: 2", b"Content-Length: 2\r\nHost: shop"),
        PLAIN,
    ]
    marks = set()
    for peer in peers:
        reader = Reader("/g", senders.marking(peer))
        marks |= {read.mark for one in told if (read := reader.read(one)) is not None}
        longer = reader.read(POSTED.replace(b": 2", b": 4") + b"{}")
        assert longer is not None
        assert longer.mark in marks
    assert len(marks) == len(peers) * len(told)
    other = Reader("/g", Senders().marking(PEER)).read(PLAIN)
    assert other is not None
    assert other.mark not in marks


def test_only_headers_that_say_nothing_of_the_message_itself_are_plain() -> None:
    assert is_plain("GET", {b"host": b"shop"})
    assert is_plain("POST", {b"host": b"shop", b"content-length": b"2"})
    assert not is_plain("GET", {b"content-length": b"2"})
    assert not is_plain("POST", {b"host": b"shop"})
    assert not is_plain("POST", {b"content-length": b"2", b"expect": b"100-continue"})
    assert not is_plain("POST", {b"content-length": b"2", b"transfer-encoding": b"chunked"})
