"""`gloed capture` with a real browser, a real shop's server and a real Gloed."""

from __future__ import annotations

import dataclasses
import io
import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image

from app.access.keys import add_key
from app.drawing.redraw import MAX_PX
from app.picturing import headless
from app.picturing.boxes import Box
from app.picturing.capture import (
    Captured,
    CaptureError,
    Elsewhere,
    capture,
    compare_engines,
    store_captures,
    upload_captures,
)
from app.picturing.layouts import find_layout, layouts_of, picture
from app.shops import add_site, find_page, find_site, put_page, put_zones
from app.store import Store
from collector.agents import read_agent
from collector.codes import Device
from collector.sites import Page, Site, Zone
from tests.absent import need
from tests.serving import Running

CHECKOUT = """<!doctype html><html lang="nl"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Afrekenen</title><style>
  body { margin: 0; height: 3000px; display: flow-root; background: white }
  .zone { position: absolute; left: 20px; right: 20px; height: 40px }
  #menu { position: fixed; inset: 0 0 auto 0; height: 60px; background: rgb(250,0,0) }
  #cart { position: absolute; right: 10px; top: 10px; width: 40px; height: 40px;
          background: rgb(0,250,0) }
  #total { position: sticky; top: 70px; margin: 100px 0 0 50px; width: 100px; height: 30px;
           background: rgb(0,0,250) }
  #email { top: 200px; background: rgb(250,250,0) }
  #terms { top: 300px; height: 100px; overflow: auto }
  #agree { width: 50px; height: 20px; background: rgb(0,250,250) }
  #pay { top: 2900px; background: rgb(250,0,250) }
  #bar { position: fixed; inset: auto 0 0 0; height: 50px; background: rgb(0,120,120) }
  #far { left: -9999px; right: auto; width: 100px; top: 500px }
  #touch { top: 600px; background: rgb(1,1,1) }
  @media (pointer: coarse) and (hover: none) { #touch { background: rgb(120,120,0) } }
</style></head><body>
  <div id="menu"><a id="cart" href="#"></a></div><div id="total"></div>
  <form class="email" hidden></form><form class="email zone" id="email"></form>
  <div id="terms" class="zone"><div id="agree"></div><p style="height:500px"></div>
  <div id="touch" class="zone"></div><div id="far" class="zone"></div>
  <button id="pay" class="zone" style="border:0;padding:0"></button><div id="bar"></div>
  <div id="closed" style="visibility:hidden">later</div><details><i id="folded">x</i></details>
</body></html>"""

ZONES = tuple(
    Zone(number, name, selector)
    for number, (name, selector) in enumerate(
        {
            "menu": "#menu",
            "cart": "#menu a",
            "total": "#total",
            "email": ".email",
            "terms": "#terms",
            "agree": "#agree",
            "touch": "#touch",
            "pay": "#pay",
            "bar": "#bar",
            "far": "#far",
            "closed": "#closed",
            "folded": "#folded",
            "coupon": "#coupon",
        }.items(),
        start=1,
    )
)
SEEN = {
    "menu": (0, 0, 0, 60, "fixed", (250, 0, 0)),
    "cart": (-50, 10, -10, 50, "fixed", (0, 250, 0)),
    "total": (50, 100, 150, 130, "fixed", (0, 0, 250)),
    "email": (20, 200, -20, 240, "flow", (250, 250, 0)),
    "terms": (20, 300, -20, 400, "flow", (255, 255, 255)),
    "agree": (20, 300, 70, 320, "inner", (0, 250, 250)),
    "pay": (20, 2900, -20, 2940, "flow", (250, 0, 250)),
}
"""Edges (from the right where not positive), placement and colour, at every width."""

MISSING = ("far", "closed", "folded", "coupon")


@pytest.fixture(autouse=True, scope="module")
def _chromium() -> None:
    need("chromium")


Take = Callable[..., list[Captured]]


@pytest.fixture(scope="module")
def take() -> Iterator[Take]:
    """`capture` with browsers that are started once; it starts and ends its own in `captures`."""
    with headless.Browsers() as browsers:
        yield partial(capture, browsers=browsers)


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> list[Captured]:
    path = tmp_path_factory.mktemp("saved") / "checkout.html"
    path.write_text(CHECKOUT)
    return capture(str(path), ZONES)


@pytest.fixture
def saved(tmp_path: Path) -> str:
    path = tmp_path / "checkout page.html"
    path.write_text(CHECKOUT)
    return str(path)


def shown(taken: Captured) -> Image.Image:
    return Image.open(io.BytesIO(taken.png), formats=("PNG",)).convert("RGB")


def named(taken: Captured) -> dict[str, Box]:
    names = {zone.number: zone.name for zone in ZONES}
    return {names[box.number]: box for box in taken.boxes}


# A shop's server ----------------------------------------------------------------------------------


class Shop(ThreadingHTTPServer):
    """Answers pages by path, and remembers what was asked with which headers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.pages: dict[str, tuple[int, str, bytes]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []

    def page(self, path: str, html: str, status: int = 200) -> str:
        self.pages[path] = (status, "text/html; charset=utf-8", html.encode())
        return self.url + path

    def headers_of(self, path: str) -> list[dict[str, str]]:
        return [headers for asked, headers in self.asked if asked == path]


class Answering(BaseHTTPRequestHandler):
    server: Shop

    def do_GET(self) -> None:
        self.server.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
        status, kind, body = self.server.pages.get(self.path, (204, "text/plain", b""))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


# What is seen -------------------------------------------------------------------------------------


def test_each_zone_lies_in_the_picture_where_its_box_says(captures: list[Captured]) -> None:
    phone, desktop = captures
    assert (phone.width_px, phone.pointer) == (390, "coarse")
    assert (desktop.width_px, desktop.pointer) == (1280, "fine")
    for taken in (phone, desktop):
        image, boxes = shown(taken), named(taken)
        assert image.size == (taken.width_px, taken.height_px) == (taken.width_px, 3000)
        for name, (x0_px, y0_px, x1_px, y1_px, placement, colour) in SEEN.items():
            box = boxes[name]
            left = x0_px if x0_px >= 0 else taken.width_px + x0_px
            right = x1_px if x1_px > 0 else taken.width_px + x1_px
            assert (box.edges_px, box.placement) == ((left, y0_px, right, y1_px), placement), name
            # Near the lower left corner: the menu's middle is clear, the cart covers its right.
            assert image.getpixel((left + 2, y1_px - 2)) == colour, name
        assert taken.missing == MISSING


def test_a_phone_has_fingers_and_its_own_viewport(captures: list[Captured]) -> None:
    phone, desktop = captures
    for taken, colour, screen_px in ((phone, (120, 120, 0), 844), (desktop, (1, 1, 1), 800)):
        assert shown(taken).getpixel((100, 620)) == colour
        bar = named(taken)["bar"]
        edges_px = (0, screen_px - 50, taken.width_px, screen_px)
        assert (bar.edges_px, bar.placement) == (edges_px, "fixed")
        assert shown(taken).getpixel((5, screen_px - 5)) == (0, 120, 120)


def test_a_page_that_moves_gives_the_same_picture_every_time(take: Take, shop: Shop) -> None:
    url = shop.page(
        "/",
        """<!doctype html><meta name="viewport" content="width=device-width"><style>
        @keyframes turn { to { transform: rotate(1turn); margin-left: 200px } }
        @keyframes arrive { from { margin-left: 300px; opacity: 0 } }
        div { width: 90px; height: 30px; background: teal }
        #spin { animation: turn 1.3s linear infinite }
        #once { animation: arrive 60s }
        </style><div id="spin"></div><div id="once">€ 12,50</div>
        <input autofocus value="caret"><script>document.querySelector('input').select()</script>""",
    )
    zones = (Zone(1, "once", "#once"), Zone(2, "spin", "#spin"))
    first = take(url, zones)
    assert take(url, zones) == first
    assert first[1].boxes == (Box(1, 8, 38, 98, 68), Box(2, 8, 8, 98, 38))


def test_what_scripts_and_late_images_bring_is_waited_for(take: Take, shop: Shop) -> None:
    written = io.BytesIO()
    Image.new("RGB", (40, 70), (200, 10, 10)).save(written, "PNG")
    shop.pages["/late.png"] = (200, "image/png", written.getvalue())
    url = shop.page(
        "/",
        """<!doctype html><body style="margin:0"><div style="height:9000px"></div>
        <img loading="lazy" src="/late.png" style="display:block"><script>
        setTimeout(() => {
          const button = document.createElement('button');
          button.id = 'pay';
          button.style = 'display:block;width:100px;height:30px';
          document.body.append(button);
        }, 700)</script>""",
    )
    (taken,) = take(url, (Zone(1, "pay", "#pay"),), widths=(1280,))
    assert taken.boxes == (Box(1, 0, 9070, 100, 9100),)
    assert shown(taken).getpixel((20, 9035)) == (200, 10, 10)


def test_the_scripts_of_a_saved_page_stay_off(take: Take, tmp_path: Path) -> None:
    path = tmp_path / "saved.htm"
    path.write_text(
        "<!doctype html><p id=pay>Betalen</p><script>document.body.innerHTML = ''</script>"
    )
    (taken,) = take(str(path), (Zone(1, "pay", "#pay"),), widths=(800,))
    assert taken.missing == ()


def test_a_link_into_the_page_is_measured_from_its_top(take: Take, shop: Shop) -> None:
    url = shop.page("/", CHECKOUT)
    (taken,) = take(url + "#pay", ZONES, widths=(1280,))
    assert named(taken)["menu"].edges_px == (0, 0, 1280, 60)
    assert named(taken)["pay"].y0_px == 2900
    assert shown(taken).getpixel((5, 5)) == (250, 0, 0)


def test_a_page_without_a_viewport_tag_is_as_wide_as_phones_make_it(
    take: Take, tmp_path: Path
) -> None:
    path = tmp_path / "old.html"
    path.write_text("<!doctype html><body style='margin:0'><div style='height:2000px'>")
    (taken,) = take(str(path), (Zone(1, "all", "div"),), widths=(390,))
    assert (taken.width_px, taken.pointer) == (980, "coarse")
    assert shown(taken).size == (taken.width_px, taken.height_px)
    assert taken.boxes[0].x1_px == 980


def test_a_zone_of_several_elements_has_one_box_around_those_that_show(
    take: Take, tmp_path: Path
) -> None:
    path = tmp_path / "choice.html"
    rows = "".join(
        f'<label style="position:absolute;left:20px;top:{y}px"><input type="radio" name="way" '
        f'style="margin:0;width:13px;height:13px;{more}">Way</label>'
        for y, more in ((100, ""), (140, ""), (180, "display:none"))
    )
    path.write_text(f"<!doctype html><title>Choice</title>{rows}")
    (taken,) = take(str(path), [Zone(1, "Way", 'input[name="way"]')], widths=(1280,))
    ((left, top, right, bottom),) = (box.edges_px for box in taken.boxes)
    assert (left, right) == (20, 33)
    assert 100 <= top < 110
    assert 150 <= bottom < 160
    assert taken.several == (("Way", 2),)


def test_a_page_without_end_is_cut_and_says_what_is_below(take: Take, tmp_path: Path) -> None:
    path = tmp_path / "long.html"
    path.write_text(
        "<!doctype html><style>body{margin:0}div{height:20000px}</style><div id=a style="
        "'background:rgb(9,99,9)'></div><div id=b></div><p id=c>c</p>"
    )
    zones = [Zone(n, name, f"#{name}") for n, name in enumerate("abc", start=1)]
    (taken,) = take(str(path), zones, widths=(1280,))
    height_px = MAX_PX // 1280
    assert (taken.width_px, taken.height_px) == shown(taken).size == (1280, height_px)
    assert taken.boxes == (Box(1, 0, 0, 1280, 20_000), Box(2, 0, 20_000, 1280, height_px))
    assert taken.missing == ("c",)
    # Past 16,384 px, the largest texture of many graphics cards.
    assert shown(taken).getpixel((640, 19_990)) == (9, 99, 9)


def test_a_visit_by_capture_is_known_as_one_and_not_counted(take: Take, shop: Shop) -> None:
    take(shop.page("/", CHECKOUT), ())
    agents = [read_agent(headers["user-agent"]) for headers in shop.headers_of("/")]
    assert [agent.device for agent in agents] == [Device.PHONE, Device.DESKTOP]
    assert all(agent.bot for agent in agents)


def test_a_saved_sign_in_goes_along(take: Take, shop: Shop, tmp_path: Path) -> None:
    url = shop.page("/account", CHECKOUT)
    state = tmp_path / "state.json"
    cookie = {
        "name": "session",
        "value": "abc",
        "domain": "127.0.0.1",
        "path": "/",
        "expires": -1,
        "httpOnly": True,
        "secure": False,
        "sameSite": "Lax",
    }
    state.write_text(json.dumps({"cookies": [cookie], "origins": []}))
    take(url, (), widths=(390,), storage_state=state)
    assert [headers["cookie"] for headers in shop.headers_of("/account")] == ["session=abc"]


# What is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    ["", "no-such.html", "--remote-debugging-port=1", "javascript:1", "file:///etc/passwd"],
)
def test_what_is_no_page_is_refused(target: str) -> None:
    with pytest.raises(CaptureError, match="neither an address nor a saved page"):
        capture(target, ())


def test_other_files_than_pages_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    path.write_bytes(b"")
    with pytest.raises(CaptureError, match=r"path of a \.html file"):
        capture(str(path), ())


@pytest.mark.parametrize("width_px", [0, 239, 4001])
def test_a_width_that_no_screen_has_is_refused(saved: str, width_px: int) -> None:
    with pytest.raises(CaptureError, match=f"240 to 4000 px, got {width_px}"):
        capture(saved, (), widths=(390, width_px))


def test_a_sign_in_that_was_never_saved_is_refused(saved: str, tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="--save-storage="):
        capture(saved, (), storage_state=tmp_path / "none.json")


def test_a_broken_sign_in_is_refused(take: Take, saved: str, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text("[]")
    with pytest.raises(CaptureError):
        take(saved, (), storage_state=state)


def test_a_page_that_answers_an_error_is_not_captured(take: Take, shop: Shop) -> None:
    url = shop.page("/gone", "gone", status=410)
    with pytest.raises(CaptureError, match="/gone answers 410: give an address that opens"):
        take(url, ())


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def test_a_page_that_does_not_open_is_told_with_its_cause(take: Take) -> None:
    with pytest.raises(CaptureError, match=r"does not open: .*ERR_CONNECTION_REFUSED"):
        take(f"http://127.0.0.1:{closed_port()}/", ())


def test_without_the_driver_the_error_says_what_to_install(
    saved: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    with pytest.raises(CaptureError, match=r"pip install 'gloed\[capture\]'"):
        capture(saved, ())


def test_without_a_browser_the_error_says_what_to_run(
    saved: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(headless, "PROGRAMS", ("false", "no-such-browser"))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    with pytest.raises(CaptureError, match=r"playwright install chromium \(tried \S*/false: "):
        capture(saved, ())


@pytest.mark.parametrize("engine", ["firefox", "webkit"])
def test_without_another_engine_the_error_says_what_to_run(
    saved: str,
    captures: list[Captured],
    engine: headless.Engine,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    with pytest.raises(CaptureError, match=f"playwright install {engine}"):
        compare_engines(saved, ZONES, captures, [engine])


def test_no_engine_s_visit_is_counted() -> None:
    for engine in headless.ENGINES:
        for phone in (True, False):
            agent = headless._agent(engine, "142.0.1", phone)
            if agent is None:
                continue  # Chromium without a window says so by itself
            assert read_agent(agent).bot
            assert read_agent(agent).device == (Device.PHONE if phone else Device.DESKTOP)


def test_where_another_engine_lays_a_zone_out_elsewhere_is_told(
    saved: str, captures: list[Captured]
) -> None:
    with headless.Browsers() as same:
        assert compare_engines(saved, ZONES, captures, [], browsers=[same]) == []
        phone, desktop = captures
        pay = next(box for box in phone.boxes if ZONES[box.number - 1].name == "pay")
        moved = dataclasses.replace(pay, y0_px=pay.y0_px + 3, y1_px=pay.y1_px - 12)
        kept = tuple(box for box in phone.boxes if box.number not in (pay.number, 1))
        other = dataclasses.replace(phone, boxes=(*kept, moved))
        told = compare_engines(saved, ZONES, [other, desktop], [], browsers=[same])
    assert told == [Elsewhere("chromium", 390, {"menu": None, "pay": 12.0})]


# Where it goes ------------------------------------------------------------------------------------


async def checkout_of(store: Store, now: datetime) -> tuple[Site, Page]:
    key = await add_site(store, "Bloemen", now)
    site = await find_site(store, key)
    page_id = await put_page(store, site, "checkout", now)
    await put_zones(store, site, page_id, ZONES, now)
    site = await find_site(store, key)
    return site, find_page(site, "checkout")


@pytest.mark.anyio
async def test_captures_become_the_page_s_layouts(
    store: Store, now: datetime, captures: list[Captured]
) -> None:
    site, page = await checkout_of(store, now)
    numbers = await store_captures(store, site, page, captures, now)
    assert await store_captures(store, site, page, captures, now) == numbers
    for taken, number, band in zip(captures, numbers, (1, 4), strict=True):
        found = await find_layout(store, site, page.page_id, band=band, pointer=taken.pointer)
        assert found is not None
        assert (found.layout_id, found.source) == (number, "capture")
        assert found.boxes == taken.boxes
        assert found.picture_hash is not None
        assert await picture(store, site.site_id, found.picture_hash) == taken.png


def test_captures_travel_through_the_write_api(
    gloed: Running, now: datetime, captures: list[Captured]
) -> None:
    site, page = gloed.do(checkout_of(gloed.store, now))
    key = gloed.do(add_key(gloed.store, site.site_id, "write", "laptop", now))
    upload_captures(gloed.url + "/", key, site.public_key, page.slug, captures)
    layouts = gloed.do(layouts_of(gloed.store, site, page.page_id))
    assert [layout.source for layout in layouts] == ["api", "api"]
    assert [layout.boxes for layout in layouts] == [taken.boxes for taken in captures]
    for layout, taken in zip(layouts, captures, strict=True):
        assert layout.picture_hash is not None
        kept = gloed.do(picture(gloed.store, site.site_id, layout.picture_hash))
        assert kept == taken.png


def test_what_the_api_refuses_is_told_with_a_remedy(
    gloed: Running, now: datetime, captures: list[Captured]
) -> None:
    site, page = gloed.do(checkout_of(gloed.store, now))
    key = gloed.do(add_key(gloed.store, site.site_id, "write", "laptop", now))
    with pytest.raises(CaptureError, match=r"answers 401: .*gloed key add gs_\w+ --scope write"):
        upload_captures(gloed.url, "gld_unknown", site.public_key, page.slug, captures)
    with pytest.raises(CaptureError, match=r"answers 404: there is no page 'basket'"):
        upload_captures(gloed.url, key, site.public_key, "basket", captures)
    alien = dataclasses.replace(captures[0], boxes=(Box(77, 0, 0, 9, 9),))
    with pytest.raises(CaptureError, match="answers 422: page 'checkout' has no zone 77"):
        upload_captures(gloed.url, key, site.public_key, page.slug, [alien])
    assert gloed.do(layouts_of(gloed.store, site, page.page_id)) == ()


@pytest.mark.parametrize(
    ("status", "told"),
    [(403, "may not write"), (413, "or for a proxy in front"), (502, "answers 502: Bad Gateway")],
)
def test_what_stands_before_the_api_is_told_too(
    shop: Shop, captures: list[Captured], status: int, told: str
) -> None:
    path = "/api/v1/sites/gs_a/pages/checkout/layouts"
    shop.page(path, "<h1>no JSON</h1>", status)
    with pytest.raises(CaptureError, match=told):
        upload_captures(shop.url, "gld_key", "gs_a", "checkout", captures)
    assert shop.headers_of(path)[0]["authorization"] == "Bearer gld_key"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{closed}", "gloed.example", "ftp://127.0.0.1", "http://[::"]
)
def test_where_no_gloed_answers_the_address_is_named(url: str, captures: list[Captured]) -> None:
    url = url.replace("{closed}", str(closed_port()))
    with pytest.raises(CaptureError, match=r"no Gloed answers at .*check the address"):
        upload_captures(url, "gld_key", "gs_a", "checkout", captures)
