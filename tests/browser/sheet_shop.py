"""A small shop that forbids scripts, and a collector beside it that only notes what it is asked.

Its style sheet holds what shops' sheets are known to hold and what could hurt a guest on the page:
resets for reduced motion, rules for every element, for undefined elements, for siblings of a body
that is laid out as a column with gaps.
"""

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from collector.codes import Phase
from collector.sites import Page, Zone
from collector.wire import GIF
from snippets.html import snippet_html, wrap_csp
from snippets.sheet import stylesheet

SITE_KEY = "gs_0123456789abcdef"
PAGES = ("without", "with", "away", "gone", "cross", "changed")
NOBODY_THERE = "http://127.0.0.1:1/g"
"""Port 1 is reserved and never served: a connection is refused at once."""

PATIENCE_S = 10.0
ZONES = (
    Zone(1, "E-mail", 'form input[name="email"]', "field"),
    Zone(2, "Pay", "#pay", "pay"),
    Zone(3, "Payment frame", ".frame", "frame", sensitive=True),
    Zone(4, "Terms", "#terms > a", "text"),
)
PAGE = Page(1, "checkout", "Checkout", Phase.CHECKOUT, False, None, ZONES)

SHOP_CSS = """
*, ::before, ::after { box-sizing: border-box; transition: color .3s, width 1s;
  animation-delay: -1ms !important; animation-duration: 1ms !important;
  animation-iteration-count: 1 !important; transition-duration: 0s !important;
  transition-delay: 0s !important }
*::before { content: "" }
:not(:defined) { display: none }
html { font: 16px/24px sans-serif }
body { display: flex; flex-direction: column; gap: 20px; margin: 20px }
body > * + * { margin-top: 7px; border-top: 1px solid #ccc }
[class] { outline: 1px dotted green }
input, #pay { width: 220px; height: 44px }
.frame { width: 320px; height: 90px; background: #eee }
.tall { height: 2600px; background: linear-gradient(#fff, #cde) }
"""
BODY = """
<h1>Checkout</h1>
<form action="/paid"><label>E-mail <input name="email" type="email" autocomplete="off"></label>
<label><input id="agree" type="checkbox"> I agree</label>
<button id="pay" type="button">Pay</button></form>
<div class="frame">card</div><div class="tall"></div><p id="terms"><a href="#end">Terms</a></p>
"""


class SheetShop(ThreadingHTTPServer):
    """Serves one of PAGES under its name.

    without  no snippet; with  frozen by integrity; away  the collector answers an empty sheet;
    gone  nothing answers at its address; cross  the collector is another origin; changed  so too,
    and its sheet differs by one byte
    """

    daemon_threads = True

    def __init__(self, page: Page = PAGE, body: str = BODY, css: str = SHOP_CSS) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.page, self.body, self.css = page, body, css
        self.sheet = stylesheet(page)
        self._answers: dict[str, threading.Event] = {}
        self.answered = 0
        """Beacons, while it is not slow."""
        self.held = 0
        """How often the held image was asked for."""
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._asked: list[tuple[str, str]] = []

    def url(self, page: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{page}"

    @contextmanager
    def slow(self, kind: str) -> Iterator[None]:
        """Meanwhile the collector answers no `sheet` or no `image`."""
        self._answers[kind] = threading.Event()
        try:
            yield
        finally:
            self._answers.pop(kind).set()

    def wait_turn(self, kind: str) -> None:
        held = self._answers.get(kind)
        if held is not None:
            held.wait(PATIENCE_S)

    def html(self, page: str) -> bytes:
        pasted = "" if page == "without" else self._pasted(page)
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width"><title>Checkout</title>'
            '<link rel="icon" href="data:,"><link rel="stylesheet" href="/shop.css"></head>'
            f"<body>{self.body}{pasted}</body></html>"
        ).encode()

    def _pasted(self, page: str) -> str:
        integrity = None if page == "away" else self.sheet.integrity
        return snippet_html(
            site_key=SITE_KEY,
            page=self.page,
            base=self.base(page),
            ref=page,
            integrity=integrity,
        )

    def base(self, page: str) -> str:
        """Where the collector is: the shop's own host, or the same machine by another name."""
        if page == "gone":
            return NOBODY_THERE
        another = f"http://localhost:{self.server_address[1]}/g"
        return another if page in ("cross", "changed") else "/g"

    def policy(self, page: str) -> str:
        """What the shop allows: its own sheet, and what the snippet asks it to allow."""
        hint = wrap_csp(self.base(page)).replace("style-src ", "style-src 'self' ")
        return f"default-src 'none'; script-src 'none'; {hint}"

    def sheet_for(self, token: str) -> bytes:
        """What stands behind a token; which page it is for is its last part."""
        if token.endswith("away"):
            return b""
        return self.sheet.css + (b" " if token.endswith("changed") else b"")

    def new_token(self) -> str:
        with self._lock:
            return f"view{next(self._numbers)}"

    def note(self, token: str, name: str) -> None:
        with self._lock:
            self._asked.append((token, name))

    def views(self) -> int:
        """How many have asked for their sheet."""
        with self._lock:
            return [name for _, name in self._asked].count("s")

    def token(self) -> str:
        """The latest view's."""
        with self._lock:
            return [token for token, name in self._asked if name == "s"][-1]

    def asked(self, zone: int | None = None) -> list[str]:
        """What the latest view asked for, in order: of one zone, or of all."""
        latest = self.token()
        with self._lock:
            names = [name for token, name in self._asked if token == latest and name != "s"]
        return [name for name in names if zone is None or name.startswith(f"{zone}.")]

    def wait_for(self, *names: str, patience_s: float = PATIENCE_S) -> None:
        """Until the latest view has asked for all of these."""
        end = time.monotonic() + patience_s
        while missing := set(names) - set(self.asked()):
            assert time.monotonic() < end, f"never asked for {missing}; got {self.asked()}"
            time.sleep(0.02)


@contextmanager
def sheet_shop(page: Page = PAGE, body: str = BODY, css: str = SHOP_CSS) -> Iterator[SheetShop]:
    with SheetShop(page, body, css) as shop:
        thread = threading.Thread(target=shop.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield shop
        finally:
            shop.shutdown()
            thread.join()


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: SheetShop

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        match self.path.split("?")[0].strip("/").split("/"):
            case ["shop.css"]:
                self._answer("text/css", self.server.css.encode())
            case ["g", site, _, ref] if site == SITE_KEY:
                token = f"{self.server.new_token()}-{ref}"
                self._answer("text/plain", b"", 302, ("Location", f"/g/{token}/s"))
            case ["g", "hold", *_]:
                self.server.held += 1
                self.server.wait_turn("image")
                self._answer("image/gif", GIF)
            case ["g", token, "s"]:
                self.server.note(token, "s")
                self.server.wait_turn("sheet")
                self._answer("text/css", self.server.sheet_for(token))
            case ["g", token, name]:
                self.server.note(token, name)
                self.server.wait_turn("image")
                self.server.answered += 1
                self._answer("image/gif", GIF)
            case [page] if page in PAGES:
                policy = ("Content-Security-Policy", self.server.policy(page))
                self._answer("text/html; charset=utf-8", self.server.html(page), 200, policy)
            case _:
                self._answer("text/plain", b"there is no such page", 404)

    def _answer(self, kind: str, body: bytes, status: int = 200, *more: tuple[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Access-Control-Allow-Origin", "*")
        for name, value in more:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
