"""The held image over real HTTP: its end is the leave of the one view it belongs to, or nothing."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest

from collector import holding
from collector.sites import Site
from collector.wire import BEACON_NAME, GIF, LEAVE
from tests.build import DESKTOP, PHONE, Walker, make_shop
from tests.conftest import NOON
from tests.serving import Running, serving

NEWER = {"x-gloed-proto": "HTTP/2.0"}
PATIENCE_S = 10.0


@pytest.fixture
def shop(gloed: Running) -> Site:
    site = gloed.do(make_shop(gloed.store, gloed.clock()))
    gloed.context.catalogue.forget()
    return site


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Visitors of these tests do not wait for their page's first second, and may be slow."""
    monkeypatch.setattr(holding, "JOINED_FROM_S", 0.0)
    monkeypatch.setattr(holding, "JOINED_TO_S", 60.0)


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def held(gloed: Running) -> int:
    count: int = gloed.context.collector.holding.held
    return count


def leaves(gloed: Running) -> list[tuple[int, object]]:
    rows = gloed.do(gloed.store.fetch("SELECT view_id, at FROM beacon WHERE name = $1", LEAVE))
    return [(row["view_id"], row["at"]) for row in rows]


@contextmanager
def image(
    gloed: Running, site: Site, slug: str = "shipping", **more: str
) -> Iterator[httpx.Response]:
    headers = {"user-agent": DESKTOP, **NEWER, **more}
    path = f"{gloed.url}/g/hold/{site.public_key}/{slug}"
    with httpx.stream("GET", path, headers=headers) as answer:
        yield answer


def test_the_end_of_a_held_image_is_the_leave_of_its_view(gloed: Running, shop: Site) -> None:
    Walker(gloed.url).open(shop, "shipping")
    with image(gloed, shop) as answer:
        assert answer.status_code == 200
        parts = answer.iter_raw()  # who lets go of it hangs up
        assert next(parts).startswith(GIF[:19])
        wait_until(lambda: held(gloed) == 1)
        gloed.clock.set(NOON + timedelta(seconds=42))
        assert leaves(gloed) == []
    wait_until(lambda: held(gloed) == 0)
    wait_until(lambda: bool(leaves(gloed)))
    ((view_id, at),) = leaves(gloed)
    opened = gloed.do(gloed.store.fetchval("SELECT view_id FROM beacon WHERE name = 'open'"))
    assert (view_id, at) == (opened, gloed.clock())


@pytest.mark.parametrize(
    ("opens", "headers", "slug"),
    [
        (["shipping"], {"x-gloed-proto": "HTTP/1.1"}, "shipping"),
        (["shipping"], {"x-gloed-proto": ""}, "shipping"),
        (["shipping"], {"user-agent": PHONE}, "shipping"),
        (["shipping"], {"x-forwarded-for": "192.0.2.7"}, "shipping"),
        (["shipping"], {}, "payment"),
        (["shipping", "shipping"], {}, "shipping"),
        (["shipping"], {"dnt": "1"}, "shipping"),
        ([], {}, "shipping"),
    ],
    ids=[
        "older HTTP",
        "unknown HTTP",
        "another browser",
        "another address",
        "another page",
        "two views fit",
        "opted out",
        "no view",
    ],
)
def test_what_cannot_be_joined_to_one_view_is_answered_at_once(
    gloed: Running, shop: Site, opens: list[str], headers: dict[str, str], slug: str
) -> None:
    for page in opens:
        Walker(gloed.url).open(shop, page)
    told = {"user-agent": DESKTOP, **NEWER, **headers}
    answer = httpx.get(f"{gloed.url}/g/hold/{shop.public_key}/{slug}", headers=told)
    assert (answer.status_code, answer.content) == (200, GIF)
    assert leaves(gloed) == []


def test_a_view_is_held_once_and_only_soon_after_it_opened(
    gloed: Running, shop: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    Walker(gloed.url).open(shop, "shipping")
    with image(gloed, shop):
        wait_until(lambda: held(gloed) == 1)
        with image(gloed, shop) as second:
            assert second.read() == GIF
    Walker(gloed.url).open(shop, "payment")
    monkeypatch.setattr(holding, "JOINED_TO_S", 0.0)
    with image(gloed, shop, "payment") as late:
        assert late.read() == GIF


def test_no_more_are_held_than_a_process_can_bear(
    gloed: Running, shop: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "MAX_HELD", 1)
    for page in ("shipping", "payment"):
        Walker(gloed.url).open(shop, page)
    with image(gloed, shop):
        wait_until(lambda: held(gloed) == 1)
        with image(gloed, shop, "payment") as second:
            assert second.read() == GIF


def test_an_image_whose_time_is_over_is_a_whole_one_and_tells_no_leave(
    gloed: Running, shop: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "HELD_AT_MOST_S", 0.5)
    monkeypatch.setattr(holding, "TRICKLE_S", 0.1)
    Walker(gloed.url).open(shop, "shipping")
    with image(gloed, shop) as answer:
        body = answer.read()
    comment = body[len(GIF[:19]) : -len(GIF[19:])]
    assert body == GIF[:19] + comment + GIF[19:]
    assert comment[:2] == b"\x21\xfe"
    assert comment[2:-1] == b"\x01." * ((len(comment) - 3) // 2)
    assert len(comment) >= 7
    assert (comment[-1], leaves(gloed)) == (0, [])


@pytest.mark.parametrize(
    ("held_s", "since_write_s", "is_leave"),
    [
        (7.3, 7.3, True),
        (0.4, 0.4, True),
        (47.0, 7.0, True),
        (40.2, 0.2, False),
        (60.0, 20.0, False),
        (99.7, 19.7, False),
        (305.0, 5.0, True),
    ],
)
def test_a_close_that_looks_like_a_proxy_s_own_is_no_leave(
    held_s: float, since_write_s: float, is_leave: bool
) -> None:
    assert holding._is_leave(held_s, since_write_s) == is_leave


def test_nobody_can_send_a_leave_from_outside(gloed: Running, shop: Site) -> None:
    walker = Walker(gloed.url)
    token = walker.open(shop, "shipping")
    assert walker.get(f"/g/{token}/{LEAVE}").headers["x-gloed-drop"] == "bad_name"
    assert BEACON_NAME.match(LEAVE) is None
    assert leaves(gloed) == []


def test_a_server_that_stops_finishes_what_it_holds_and_tells_no_leave(
    database_url: str, gloed: Running
) -> None:
    with serving(database_url, type(gloed.clock)(NOON), trusted_proxies=("127.0.0.1",)) as own:
        site = own.do(make_shop(own.store, NOON))
        own.context.catalogue.forget()
        Walker(own.url).open(site, "shipping")
        host, port = own.url.removeprefix("http://").split(":")
        client = socket.create_connection((host, int(port)))
        agent = f"User-Agent: {DESKTOP}\r\nX-Gloed-Proto: HTTP/2.0\r\n"
        asked = f"GET /g/hold/{site.public_key}/shipping HTTP/1.1\r\nHost: shop\r\n{agent}\r\n"
        client.sendall(asked.encode())
        wait_until(lambda: held(own) == 1)
        stopping_s = time.monotonic()
    assert time.monotonic() - stopping_s < PATIENCE_S, "it waited for a page to be closed"
    answer = b""
    while part := client.recv(4096):
        answer += part
    client.close()
    assert answer.endswith(b"0\r\n\r\n")
    assert GIF[19:] in answer
    with serving(database_url, type(gloed.clock)(NOON)) as again:
        assert leaves(again) == []
