"""A shop's checkout page that forbids scripts, with a Gloed mounted on the same host."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from app.clock import SteppedClock
from app.embedding import mount
from app.shops import add_site, find_site, put_page, put_zones
from app.store import Store
from collector.sites import Page, Site
from snippets.html import snippet_html
from snippets.propose import propose_zones
from snippets.sheet import stylesheet
from tests.serving import Running, served, settings_for

MOUNTED = "/stats"
BODY = """
<h1>Verzending</h1>
<form action="/paid" method="get">
<p><label for="postcode">Postcode</label> <input id="postcode" name="postcode"></p>
<p id="shipping-cost">Verzendkosten: 12,95 euro</p>
<p class="filler"></p>
<p><button id="next" type="button">Verder naar betalen</button></p>
</form>
"""
STYLE = """
html { background: #fff; font: 16px/1.5 sans-serif }
body { margin: 40px; min-height: 1800px }
#shipping-cost { margin: 60px 0; width: 300px; height: 40px; background: #eef }
#next { position: absolute; left: 700px; top: 900px; width: 200px; height: 48px }
"""


def policy(*, collector: str = "") -> str:
    allowed = f"'self' {collector}".strip()
    return (
        f"default-src 'none'; style-src {allowed}; img-src {allowed}; "
        "form-action 'self'; script-src 'none'"
    )


@dataclass(frozen=True, slots=True)
class Shop:
    running: Running
    site: Site

    @property
    def page(self) -> Page:
        return self.site.pages["shipping"]

    def address(self, *, cross: bool = False, integrity: bool = False) -> str:
        told = f"?cross={int(cross)}&integrity={int(integrity)}"
        return f"{self.running.url}/shipping{told}"


def html(page: Page, site_key: str, base: str, integrity: str | None) -> str:
    pasted = snippet_html(site_key=site_key, page=page, base=base, integrity=integrity)
    return (
        '<!doctype html><html lang="nl"><head><meta charset="utf-8"><title>Verzending</title>'
        '<meta name="viewport" content="width=device-width">'
        '<link rel="icon" href="data:,"><link rel="stylesheet" href="/style.css"></head>'
        f"<body>{BODY}{pasted}</body></html>"
    )


@contextmanager
def shop_with_gloed(database_url: str, clock: SteppedClock) -> Iterator[Shop]:
    """One server, two names: 127.0.0.1 is the shop, localhost another origin."""
    held: list[Shop] = []

    async def shipping(request: Request) -> Response:
        shop = held[0]
        other = str(request.base_url).replace("127.0.0.1", "localhost").rstrip("/")
        base = f"{other}{MOUNTED}/g" if request.query_params["cross"] == "1" else f"{MOUNTED}/g"
        frozen = request.query_params["integrity"] == "1"
        integrity = stylesheet(shop.page).integrity if frozen else None
        text = html(shop.page, shop.site.public_key, base, integrity)
        return HTMLResponse(text, headers={"content-security-policy": policy(collector=other)})

    async def style(_request: Request) -> Response:
        return Response(STYLE, media_type="text/css")

    async def paid(_request: Request) -> Response:
        return HTMLResponse("<!doctype html><title>paid</title>")

    outer = Starlette(
        routes=[Route("/shipping", shipping), Route("/style.css", style), Route("/paid", paid)]
    )
    gloed = mount(outer, MOUNTED, settings_for(database_url), clock=clock)
    with served(outer) as (url, loop):
        running = Running(url, gloed, clock, loop, database_url)
        held.append(Shop(running, running.do(_prepared(running.store, clock))))
        yield held[0]


async def _prepared(store: Store, clock: SteppedClock) -> Site:
    key = await add_site(store, "Fietsenwinkel", clock())
    site = await find_site(store, key)
    page_id = await put_page(store, site, "shipping", clock())
    await put_zones(store, site, page_id, propose_zones(f"<body>{BODY}</body>"), clock())
    return await find_site(store, key)
