"""Gloed below /g/ of a shop's nginx, Caddy or Apache, by the files that the manual offers."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from app.access.keys import add_key
from app.clock import SteppedClock
from app.configuration import configure
from collector.sites import Site
from collector.wire import GIF, MAX_BODY_BYTES
from tests.build import DESKTOP, batch_body, make_shop
from tests.install.fronts import FRONTS, SHOP, Front, free_port, fronted, needs
from tests.serving import Running, served, serving

COOKIES = "session=geheim; xcookie-consent=no; cookie-consent=yes-all; cart=17"
CONSENT = {"consent": {"cookie": "cookie-consent", "pattern": "*yes*"}}
COMPARED = (
    "access-control-allow-origin",
    "cache-control",
    "content-encoding",
    "content-type",
    "retry-after",
    "x-gloed-drop",
)
COUNTED_WITHIN_S = 20.0

pytestmark = pytest.mark.parametrize("name", FRONTS)


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """An upstream that answers with the headers it was sent."""
    told = {key.decode(): value.decode() for key, value in scope["headers"]}
    kind = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": kind})
    await send({"type": "http.response.body", "body": json.dumps(told).encode()})


async def overburdened(scope: Any, receive: Any, send: Any) -> None:
    """A Gloed that keeps nothing now, and says so."""
    headers = [(b"content-type", b"image/gif"), (b"retry-after", b"7")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": GIF})


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


@contextmanager
def before(name: str, gloed: Running) -> Iterator[Front]:
    with served(echo) as (shop, _), fronted(name, port_of(gloed.url), port_of(shop)) as front:
        yield front


@contextmanager
def before_echo(name: str, *, consent: bool = False) -> Iterator[Front]:
    with served(echo) as (url, _):
        with fronted(name, port_of(url), port_of(url), consent=consent) as front:
            yield front


def shop_of(gloed: Running, name: str = "Fietsenwinkel") -> Site:
    site = gloed.do(make_shop(gloed.store, gloed.clock(), name))
    gloed.context.catalogue.forget()
    return site


# Every route ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    headers: tuple[tuple[str, str], ...]
    location: str
    body: bytes


def seen(answer: httpx.Response) -> Answered:
    """What a visitor could notice, without the token, which differs from view to view."""
    headers = tuple((name, answer.headers[name]) for name in COMPARED if name in answer.headers)
    location = re.sub(r"[\w-]{20,}", "TOKEN", answer.headers.get("location", ""))
    return Answered(answer.status_code, headers, location, answer.content)


def whole_visit(
    client: httpx.Client, site: Site, goal_key: str, at: datetime
) -> dict[str, Answered]:
    """Asks every route once, as browsers, the script and the shop's server do."""
    key, agent = site.public_key, {"user-agent": DESKTOP}
    opened = client.get(f"/g/{key}/shipping", headers=agent)
    token = opened.headers["location"].split("/")[-2]
    plain = {**agent, "content-type": "text/plain;charset=UTF-8"}
    bearer = {"authorization": f"Bearer {goal_key}"}
    minute = int(at.timestamp()) // 60
    batch, big = json.dumps(batch_body(m=minute)), b"x" * (MAX_BODY_BYTES + 1)
    return {
        "open": seen(opened),
        "open with a ref": seen(client.get(f"/g/{key}/shipping/order-17.css", headers=agent)),
        "open of no shop": seen(client.get("/g/gs_aaaaaaaaaaaaaaaa/shipping", headers=agent)),
        "open by nobody": seen(client.head(f"/g/{key}/shipping", headers=agent)),
        "sheet": seen(client.get(f"/g/{token}/s", headers=agent)),
        "beacon": seen(client.get(f"/g/{token}/1.h", headers=agent)),
        "beacon again": seen(client.get(f"/g/{token}/1.h", headers=agent)),
        "beacon of no view": seen(client.get("/g/madeup/1.h", headers=agent)),
        "held image": seen(client.get(f"/g/hold/{key}/shipping", headers=agent)),
        "script": seen(client.get(f"/g/x/{key}/0123", headers=agent)),
        "goal image": seen(client.get(f"/g/done/{key}", headers=agent)),
        "goal image with a ref": seen(client.get(f"/g/done/{key}/order-17", headers=agent)),
        "preflight": seen(client.options(f"/g/{key}", headers=agent)),
        "batch": seen(client.post(f"/g/{key}", content=batch, headers=plain)),
        "batch again": seen(client.post(f"/g/{key}", content=batch, headers=plain)),
        "malformed batch": seen(client.post(f"/g/{key}", content="{}", headers=plain)),
        "goal": seen(client.post(f"/g/{key}/goal", json={"ref": "order-18"}, headers=bearer)),
        "goal without a key": seen(client.post(f"/g/{key}/goal", json={"ref": "order-18"})),
        # Servers differ in how they word it; the status is the contract.
        "large batch": Answered(client.post(f"/g/{key}", content=big).status_code, (), "", b""),
    }


async def kept(gloed: Running, site: Site) -> dict[str, int]:
    return {
        table: await gloed.store.fetchval(
            f"SELECT count(*) FROM {table} WHERE site_id = $1", site.site_id
        )
        for table in ("beacon", "batch", "goal")
    }


def test_every_route_answers_and_keeps_the_same_as_without_the_proxy(
    name: str, gloed: Running
) -> None:
    with_proxy, without = shop_of(gloed, "With"), shop_of(gloed, "Without")
    keys = [
        gloed.do(add_key(gloed.store, site.site_id, "goal", "test", gloed.clock()))
        for site in (with_proxy, without)
    ]
    with httpx.Client(base_url=gloed.url) as client:
        direct = whole_visit(client, without, keys[1], gloed.clock())
    with before(name, gloed) as front, front.client() as client:
        through = whole_visit(client, with_proxy, keys[0], gloed.clock())
    assert through == direct
    assert direct["open"].status == 302
    assert direct["open"].location == "../TOKEN/s"
    assert direct["sheet"].body
    assert direct["beacon"].body == GIF
    assert direct["batch"].status == direct["goal"].status == 204
    there = gloed.do(kept(gloed, with_proxy))
    assert there == gloed.do(kept(gloed, without))
    assert all(there.values())


# Visitors -------------------------------------------------------------------------------------


def open_views(front: Front, site: Site, *visits: tuple[str, dict[str, str]]) -> None:
    for source, headers in visits:
        with front.client(source) as client:
            path = f"/g/{site.public_key}/shipping"
            answer = client.get(path, headers={"user-agent": DESKTOP, **headers})
            assert answer.status_code == 302, answer.text


async def visitors(gloed: Running, site: Site) -> list[int]:
    rows = await gloed.store.fetch(
        "SELECT visitor FROM beacon WHERE site_id = $1 AND name = 'open' ORDER BY at",
        site.site_id,
    )
    return [row["visitor"] for row in rows]


def test_visitors_stay_different_and_each_stays_one_whatever_it_claims(
    name: str, gloed: Running
) -> None:
    site = shop_of(gloed)
    claims = {"x-forwarded-for": "203.0.113.9", "forwarded": "for=203.0.113.9"}
    with before(name, gloed) as front:
        for visit in (("127.0.0.2", {}), ("127.0.0.3", {}), ("127.0.0.2", claims)):
            open_views(front, site, visit)
            gloed.clock.set(gloed.clock() + timedelta(minutes=1))
    first, second, again = gloed.do(visitors(gloed, site))
    assert first == again
    assert first != second


async def noticed(gloed: Running, site: Site) -> int:
    """How many requests came from a proxy that is not trusted; counts are written in turn."""
    deadline = time.monotonic() + COUNTED_WITHIN_S
    counted = None
    while counted is None and time.monotonic() < deadline:
        counted = await gloed.store.fetchval(
            "SELECT sum(n)::int FROM dropped WHERE site_id = $1 AND reason = 'untrusted_proxy'",
            site.site_id,
        )
        await asyncio.sleep(0.05)
    return counted or 0


def test_without_trusted_proxies_visitors_become_one_and_that_is_counted(
    name: str, database_url: str, clock: SteppedClock
) -> None:
    with serving(database_url, clock) as gloed:
        site = shop_of(gloed)
        with before(name, gloed) as front:
            open_views(front, site, ("127.0.0.2", {}), ("127.0.0.3", {}))
        assert len(set(gloed.do(visitors(gloed, site)))) == 1
        assert gloed.do(noticed(gloed, site)) > 0


# What is passed on ----------------------------------------------------------------------------


def test_the_browser_speaks_http_2_and_gloed_is_told_so(name: str) -> None:
    needs("curl")
    forged = ("--header", "X-Gloed-Proto: HTTP/9")
    with before_echo(name) as front:
        newer = front.curl("/g/a/b", "--http2", "--write-out", "\n%{http_version}", *forged)
        older = front.curl("/g/a/b", "--http1.1", "--write-out", "\n%{http_version}", *forged)
    for told, version, protocol in ((newer, "2", "HTTP/2.0"), (older, "1.1", "HTTP/1.1")):
        headers, spoken = told.rsplit("\n", 1)
        assert spoken == version
        assert json.loads(headers)["x-gloed-proto"] == protocol


def test_the_shops_name_arrives_and_a_claimed_address_does_not(name: str) -> None:
    with before_echo(name) as front, front.client("127.0.0.2") as client:
        sent = client.get("/g/a/b", headers={"x-forwarded-for": "203.0.113.9"}).json()
    assert sent["host"].partition(":")[0] == SHOP
    assert sent["x-forwarded-for"] == "127.0.0.2"


def test_no_cookie_is_passed_on_below_the_prefix_and_every_one_to_the_shop(name: str) -> None:
    with before_echo(name) as front, front.client() as client:
        below = client.get("/g/a/b", headers={"cookie": COOKIES}).json()
        above = client.get("/kassa", headers={"cookie": COOKIES}).json()
    assert "cookie" not in below
    assert above["cookie"] == COOKIES


def test_of_all_cookies_only_the_named_one_is_passed_on(name: str) -> None:
    expected = {
        COOKIES: "cookie-consent=yes-all",
        "cookie-consent=yes": "cookie-consent=yes",
        "xcookie-consent=yes; a=cookie-consent=yes": None,
        "session=geheim": None,
    }
    with before_echo(name, consent=True) as front, front.client() as client:
        passed = {
            sent: client.get("/g/a/b", headers={"cookie": sent}).json().get("cookie")
            for sent in expected
        }
    assert passed == expected


def test_the_consent_cookie_decides_behind_the_proxy(name: str, gloed: Running) -> None:
    site = shop_of(gloed)
    gloed.do(configure(gloed.store, site, CONSENT))
    gloed.context.catalogue.forget()
    path, agent = f"/g/{site.public_key}/shipping", {"user-agent": DESKTOP}
    port = port_of(gloed.url)
    with fronted(name, port, port, consent=True) as front, front.client() as client:
        given = client.get(path, headers={**agent, "cookie": COOKIES})
        refused = client.get(path, headers={**agent, "cookie": "cookie-consent=no; cart=17"})
        silent = client.get(path, headers=agent)
    assert given.status_code == 302
    for answer in (refused, silent):
        assert answer.status_code == 200
        assert answer.content == b""
        assert answer.headers["x-gloed-drop"] == "no_consent"


# Gloed in trouble -----------------------------------------------------------------------------


@contextmanager
def nobody() -> Iterator[int]:
    """A port where nothing listens: Gloed was stopped."""
    yield free_port()


@contextmanager
def silence() -> Iterator[int]:
    """A port that takes connections and never answers: Gloed hangs."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("trouble", [nobody, silence])
def test_a_page_goes_on_while_gloed_is_away_and_no_address_is_logged(
    name: str, trouble: Any
) -> None:
    key = "gs_0123456789abcdef"
    with trouble() as port, served(echo) as (shop, _):
        with fronted(name, port, port_of(shop), patient=False) as front:
            with front.client("127.0.0.2") as client:
                sheets = [
                    client.get(f"/g/{key}/shipping"),
                    client.get(f"/g/{key}/shipping/order.js"),
                    client.get("/g/sometoken/s"),
                ]
                beacon = client.get("/g/sometoken/1.h")
                posts = [client.post(f"/g/{key}", content="{}"), client.post(f"/g/{key}/goal")]
            with front.client("127.0.0.3") as client:
                page = client.get("/kassa")
            logged = front.logged(until="127.0.0.3")
    for sheet in sheets:
        assert (sheet.status_code, sheet.content) == (200, b"")
        assert sheet.headers["content-type"].startswith("text/css")
        assert sheet.headers["cache-control"] == "no-store"
        assert sheet.headers["access-control-allow-origin"] == "*"
        assert "retry-after" not in sheet.headers
    assert beacon.status_code == 503
    for post in posts:
        assert post.status_code == 503
        assert int(post.headers["retry-after"]) > 0
    assert page.status_code == 200
    assert "127.0.0.3" in logged, "the shop's own access log goes on"
    assert "127.0.0.2" not in logged


def test_what_gloed_itself_refuses_passes_unchanged(name: str) -> None:
    with served(overburdened) as (url, _), fronted(name, port_of(url), port_of(url)) as front:
        with front.client() as client:
            answer = client.get("/g/sometoken/1.h")
    assert (answer.status_code, answer.content) == (503, GIF)
    assert answer.headers["retry-after"] == "7"
