"""A shop that allows Gloed's script and nothing else, behind a proxy that notes what is told."""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from app.clock import SteppedClock
from app.embedding import mount
from app.folding.raw import rows_of
from app.folding.seen import Seen, fold
from app.shops import add_site, find_site, put_page, put_zones
from app.store import Store
from collector.sites import Site, Zone
from collector.tokens import Token, read_token
from snippets.html import Scripted, script_html, snippet_html, wrap_csp
from snippets.script.build import script
from tests.serving import SECRET, Running, served, settings_for

MOUNTED = "/stats"
BASE = f"{MOUNTED}/g"
OPENING = re.compile(rf"{BASE}/gs_\w+/shipping")
SECRET_TEXT = "zeer-geheime-tekst"
SECRET_VALUE = "geheime-waarde"
ZONES = (
    Zone(0, "Postcode", "#postcode", "field"),
    Zone(0, "Verzendkosten", "#costs", "text"),
    Zone(0, "Kaartnummer", "#card", "field", sensitive=True),
    Zone(0, "Balk", "#bar", "button"),
    Zone(0, "Akkoord", "label.agree", "text"),
)
STYLE = """
html { background: #fff; font: 16px/24px sans-serif }
body { margin: 0; height: 2400px }
body > * { position: absolute; box-sizing: border-box; margin: 0 }
#postcode { left: 80px; top: 60px; width: 200px; height: 40px }
#card { left: 80px; top: 120px; width: 200px; height: 40px }
#costs { left: 80px; top: 200px; width: 300px; height: 60px; background: #eef }
.agree { left: 80px; top: 300px; width: 200px; height: 30px }
#elsewhere { left: 400px; top: 60px; width: 120px; height: 40px }
#leave { left: 400px; top: 120px; width: 120px; height: 40px; background: #fee }
#bar { position: fixed; left: 0; bottom: 0; width: 300px; height: 60px }
"""
BODY = f"""
<input id="postcode" name="postcode" value="{SECRET_VALUE}"><input id="card" name="card">
<p id="costs">{SECRET_TEXT}</p>
<label class="agree"><input type="checkbox"> Akkoord</label>
<button id="elsewhere" type="button">Verder</button><a id="leave" href="/left">Weg</a>
<button id="bar" type="button">Bestel</button>
"""
PAGES = """document.querySelector("#elsewhere").onclick =
  () => history.pushState(null, "", "/shipping/pickup")"""


class Proxy(ThreadingHTTPServer):
    """Passes on what it is asked, and notes the batches. Their answers it loses every third time,
    the first among them, after they were stored; `more` is added to each request's headers, and
    openings wait for `opens_after_s`."""

    daemon_threads = True

    def __init__(self, origin: str, more: dict[str, str], opens_after_s: float) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.origin = urlsplit(origin).netloc
        self.more = more
        self.opens_after_s = opens_after_s
        self.bodies: list[bytes] = []
        self.answers: list[tuple[int, str]] = []
        """Status of each, and why it was dropped."""
        self.lost = 0
        self.set_cookies = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def batches(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.bodies]

    def until(self, told: Callable[[list[dict[str, Any]]], bool], patience_s: float = 60.0) -> None:
        """Wait until the batches that came are so. Raises AssertionError where that never is."""
        end = time.monotonic() + patience_s
        while not told(self.batches):
            assert time.monotonic() < end, f"what was waited for never came: {self.bodies}"
            time.sleep(0.02)

    def loses(self, body: bytes, answer: http.client.HTTPResponse) -> bool:
        with self.lock:
            self.answers.append((answer.status, answer.headers.get("x-gloed-drop", "")))
            self.bodies.append(body)
            lost = len(self.bodies) % 3 == 1
            self.lost += lost
            return lost


class _Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        if OPENING.fullmatch(self.path):
            time.sleep(self.server.opens_after_s)
        self._pass(b"")

    def do_POST(self) -> None:
        self._pass(self.rfile.read(int(self.headers.get("content-length", 0))))

    def _pass(self, body: bytes) -> None:
        line = http.client.HTTPConnection(self.server.origin, timeout=30)
        try:
            headers = {**self.headers, **self.server.more}
            # Chromium's driver tells pages to speak as a shopper's Chrome; what is sent while a
            # page goes away still names the program, which no collector counts.
            headers["User-Agent"] = headers["User-Agent"].replace("Headless", "")
            line.request(self.command, self.path, body, headers)
            answer = line.getresponse()
            read = answer.read()
            self.server.set_cookies += len(answer.headers.get_all("set-cookie", []))
            if self.command == "POST" and self.server.loses(body, answer):
                self.close_connection = True
                return
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "transfer-encoding"):
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(read)
        finally:
            line.close()


@dataclass(slots=True)
class ScriptShop:
    """`/shipping` bears both forms, `/alone` the script alone; `/left` is left for."""

    running: Running
    site: Site
    proxies: list[Proxy] = field(default_factory=list)

    @contextmanager
    def proxy(self, opens_after_s: float = 0.0, **more: str) -> Iterator[Proxy]:
        headers = {name.replace("_", "-"): value for name, value in more.items()}
        with Proxy(self.running.url, headers, opens_after_s) as proxy:
            thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            try:
                yield proxy
            finally:
                proxy.shutdown()
                thread.join()

    def zone(self, name: str) -> int:
        return next(z.number for z in self.site.pages["shipping"].zones if z.name == name)

    def views(self) -> list[Seen]:
        """What the store holds of every view, as the maps read it."""
        return self.running.do(_views(self.running.store, self.site.site_id))

    def view(self, view_id: int) -> Seen:
        (found,) = (view for view in self.views() if view.view_id == view_id)
        return found

    def view_of(self, batches: list[dict[str, Any]]) -> Seen:
        """The view whose token these batches bear."""
        text = next(batch["t"] for batch in batches if "t" in batch)
        token = read_token(text, SECRET.encode(), self.running.clock())
        assert isinstance(token, Token)
        return self.view(token.view_id)

    def count(self, table: str) -> int:
        return int(self.running.do(self.running.store.fetchval(f"SELECT count(*) FROM {table}")))


async def _views(store: Store, site_id: int) -> list[Seen]:
    async with store.transaction() as connection:
        keys = await connection.fetch(
            "SELECT DISTINCT day, view_id FROM batch UNION SELECT day, view_id FROM beacon"
        )
        views = []
        for day in {key["day"] for key in keys}:
            of_day = [key["view_id"] for key in keys if key["day"] == day]
            views += fold(*await rows_of(connection, site_id, day, of_day))
    return views


@contextmanager
def script_shop(database_url: str) -> Iterator[ScriptShop]:
    held: list[ScriptShop] = []

    async def page(request: Request) -> Response:
        site = held[0].site
        told: dict[str, Any] = {
            "site_key": site.public_key,
            "page": site.pages["shipping"],
            "base": BASE,
            "scripted": Scripted(script(), frozen=True),
        }
        alone = request.url.path == "/alone"
        pasted = script_html(**told) if alone else snippet_html(**told)
        return HTMLResponse(
            '<!doctype html><html lang="nl"><head><meta charset="utf-8"><title>Verzending</title>'
            '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
            '<link rel="stylesheet" href="/style.css">'
            f'<script defer src="/pages.js"></script></head><body>{BODY}{pasted}</body></html>',
            headers={
                "content-security-policy": f"default-src 'none'; {wrap_csp(BASE, script=True)}"
            },
        )

    async def style(_request: Request) -> Response:
        return Response(STYLE, media_type="text/css")

    async def pages(_request: Request) -> Response:
        return Response(PAGES, media_type="text/javascript")

    async def left(_request: Request) -> Response:
        return HTMLResponse("<!doctype html><title>left</title>")

    routes = [Route("/shipping", page), Route("/alone", page), Route("/style.css", style)]
    outer = Starlette(routes=[*routes, Route("/pages.js", pages), Route("/left", left)])
    # The browser dates views without a token by the real clock, so the house goes by it too.
    clock = SteppedClock(datetime.now(UTC))
    gloed = mount(outer, MOUNTED, settings_for(database_url), clock=clock)
    with served(outer) as (url, loop):
        running = Running(url, gloed, clock, loop, database_url)
        held.append(ScriptShop(running, running.do(_prepared(running.store, clock))))
        yield held[0]


async def _prepared(store: Store, clock: SteppedClock) -> Site:
    key = await add_site(store, "Fietsenwinkel", clock())
    site = await find_site(store, key)
    page_id = await put_page(store, site, "shipping", clock())
    await put_zones(store, site, page_id, ZONES, clock())
    return await find_site(store, key)
