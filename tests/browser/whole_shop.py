"""A shop on one host with a real collector behind a proxy that speaks a newer HTTP, and its store.

The pages forbid scripts. What browsers ask the collector is noted on its way, and the store is read
for what came of it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from app.clock import SteppedClock
from app.context import Context
from app.demo.seeding import make_shop as make_demo_shop
from app.demo.shop import BASE, Shop, mounted
from app.main import create_app
from app.shops import add_site, find_site, put_page, put_zones
from app.store import Store
from collector.codes import Phase
from collector.sites import Page, Site, Zone
from snippets.html import snippet_html
from tests.serving import Running, served, settings_for

POSTCODE, COST, PAY = 1, 2, 3
ZONES = (
    Zone(0, "Postcode", "#postcode", "field", watches=frozenset({"validity"})),
    Zone(0, "Verzendkosten", "#cost", "text"),
    Zone(0, "Betalen", "#pay", "pay"),
)
BODY = """
<h1 id="top">Afrekenen</h1><form action="/paid">
<p><label>Postcode <input id="postcode" required pattern="[0-9]{4}" autocomplete="off"></label></p>
<p id="cost">Verzendkosten: 12,95 euro</p>
<p><button id="pay" type="button">Betalen</button></p></form><p class="tall"></p>
"""
CSS = """
body { margin: 0; padding: 20px; font: 16px/24px sans-serif } h1 { margin: 0; height: 60px }
#postcode { width: 200px; height: 40px } #cost { width: 400px; height: 60px; background: #eef }
#pay { width: 200px; height: 48px } .tall { height: 2600px; margin: 0 }
"""
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; script-src 'none'"
)
RULES_WITHIN = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'").replace(
    "img-src 'self'", "img-src 'self' data:"
)
"""What a shop allows that lets optimisers put rules into its pages, and images of their own."""

EMPTY = "<!doctype html><title>away</title>"


@dataclass(frozen=True, slots=True)
class WholeShop:
    """`walk` is a checkout page, `bare` the same without the snippet; `press` one whose link leads
    to itself; and the demo's shop."""

    running: Running
    site: Site
    demo: Site
    asked: list[bytes] = field(default_factory=list)
    """Line, headers and body of every request to the collector."""
    placed: dict[str, tuple[str, str]] = field(default_factory=dict)
    """More of the shop's files, by path: their kind and their text."""
    addresses: list[str] = field(default_factory=list)
    """Whom the proxy names as the visitor: the last one; nobody while it is empty."""
    came_s: list[float] = field(default_factory=list)
    """When each page that a press leads to was asked for, by `time.monotonic`."""

    def url(self, path: str) -> str:
        return f"{self.running.url}/{path}"

    def page(self, slug: str) -> Page:
        return self.site.pages[slug]

    def views(self, slug: str) -> list[int]:
        """Views of a page of either shop in order of opening."""
        site = self.site if slug in self.site.pages else self.demo
        rows = self.fetch(
            "SELECT view_id FROM beacon "
            "WHERE name = 'open' AND site_id = $1 AND page_id = $2 ORDER BY at",
            site.site_id,
            site.pages[slug].page_id,
        )
        return [row["view_id"] for row in rows]

    def arrived(self, view_id: int) -> dict[str, datetime]:
        rows = self.fetch("SELECT name, at FROM beacon WHERE view_id = $1 ORDER BY at", view_id)
        return {row["name"]: row["at"] for row in rows}

    def fetch(self, statement: str, *values: object) -> list[Any]:
        found: list[Any] = self.running.do(self.running.store.fetch(statement, *values))
        return found


class _Front:
    """The shop's server: its own pages, its collector below /g, the demo's shop below its base."""

    def __init__(self, database_url: str, clock: SteppedClock) -> None:
        self.gloed = create_app(
            settings_for(database_url, trusted_proxies=("127.0.0.1",)), clock=clock
        )
        self.keys: dict[str, str] = {}
        self.asked: list[bytes] = []
        self.placed: dict[str, tuple[str, str]] = {}
        self.addresses: list[str] = []
        self.came_s: list[float] = []
        self._demo = mounted(Shop("http://127.0.0.1:9", self._pasted))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and path.startswith("/g/"):
            passed = [(b"x-forwarded-for", one.encode()) for one in self.addresses[-1:]]
            told = [*scope["headers"], *passed, (b"x-gloed-proto", b"HTTP/2.0")]
            scope = {**scope, "headers": told}
            self.asked.append(repr((path, scope["query_string"], scope["headers"])).encode())
            await self.gloed(scope, self._noting(receive), send)
        elif scope["type"] == "http" and path.startswith(BASE):
            await self._demo(scope, receive, send)
        elif scope["type"] == "http" and path in PAGES:
            await _answer(send, *await PAGES[path](self, scope))
        elif scope["type"] == "http" and path in self.placed:
            await _answer(send, *self.placed[path], RULES_WITHIN)
        else:
            await self.gloed(scope, receive, send)

    def _noting(self, receive: Receive) -> Receive:
        async def noted() -> Any:
            message = await receive()
            self.asked.append(bytes(message.get("body", b"")))
            return message

        return noted

    async def _pasted(self, slug: str, ref: str | None = None) -> str:
        context: Context = self.gloed.state.gloed
        key = self.keys["own" if slug in ("walk", "press") else "demo"]
        site = await context.catalogue.by_key(key)
        if site is None or slug not in site.pages:
            return ""
        return snippet_html(site_key=key, page=site.pages[slug], base="/g", ref=ref)

    async def walk(self, _scope: Scope) -> tuple[str, str]:
        return "text/html; charset=utf-8", _html(BODY + await self._pasted("walk"))

    async def press(self, scope: Scope) -> tuple[str, str]:
        self.came_s.append(time.monotonic())
        n = int(parse_qs(scope["query_string"].decode()).get("n", ["0"])[0])
        link = f'<p><a id="pay" href="/press?n={n + 1}">Verder</a></p>'
        return "text/html; charset=utf-8", _html(link + await self._pasted("press"))

    async def style(self, _scope: Scope) -> tuple[str, str]:
        return "text/css", CSS

    async def bare(self, _scope: Scope) -> tuple[str, str]:
        return "text/html; charset=utf-8", _html(BODY)

    async def away(self, _scope: Scope) -> tuple[str, str]:
        return "text/html; charset=utf-8", EMPTY


PAGES = {
    "/walk": _Front.walk,
    "/press": _Front.press,
    "/style.css": _Front.style,
    "/bare": _Front.bare,
    "/away": _Front.away,
}


def _html(body: str) -> str:
    return (
        '<!doctype html><html lang="nl"><head><meta charset="utf-8"><title>Afrekenen</title>'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        f'<link rel="stylesheet" href="/style.css"></head><body>{body}</body></html>'
    )


async def _answer(send: Send, kind: str, text: str, policy: str = POLICY) -> None:
    body = text.encode()
    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"content-security-policy", policy.encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def whole_shop(database_url: str) -> Iterator[WholeShop]:
    """Everything at the real time."""
    clock = SteppedClock(datetime.now(UTC))
    clock.release()
    front = _Front(database_url, clock)
    with served(front) as (url, loop):
        running = Running(url, front.gloed, clock, loop, database_url)
        site, demo = running.do(_prepared(running.store, front, datetime.now(UTC)))
        holding = running.context.collector.holding
        holding.begin()
        try:
            yield WholeShop(
                running, site, demo, front.asked, front.placed, front.addresses, front.came_s
            )
        finally:
            loop.call_soon_threadsafe(holding.end)


async def _prepared(store: Store, front: _Front, now: datetime) -> tuple[Site, Site]:
    key = await add_site(store, "Fietsenwinkel", now)
    site = await find_site(store, key)
    walk = await put_page(store, site, "walk", now, phase=Phase.CHECKOUT)
    await put_zones(store, site, walk, ZONES, now)
    press = await put_page(store, site, "press", now, phase=Phase.CHECKOUT)
    await put_zones(store, site, press, [Zone(0, "Verder", "#pay", "button")], now)
    demo = await make_demo_shop(store, None, now)
    # A shop that counts for real shows nothing that rests on one visit.
    await store.execute("UPDATE site SET state = 'trying' WHERE public_key = $1", demo)
    front.keys |= {"own": key, "demo": demo}
    return await find_site(store, key), await find_site(store, demo)
