"""Clicks of visitors of every width lie on the zones that they meant, in each picture of the page.

A real browser captures the page at two widths and visits it at twenty-five others, with the
snippet in it; what it measures there a script would have told, and the test sends that too.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page as Tab

from app.access.keys import add_key
from app.picturing import headless
from app.picturing.capture import capture, store_captures
from app.picturing.layouts import Layout, layouts_of
from app.shops import find_site, put_zones
from collector.codes import width_band
from collector.sites import Site, Zone
from snippets.html import snippet_html
from tests.absent import need
from tests.app.conftest import settle
from tests.build import DESKTOP, PHONE, Walker, batch_body, make_shop
from tests.conftest import NOON, emptied
from tests.serving import Running

WIDTHS_PX = [*range(340, 480, 14), 600, 700, 800, 960, *range(1100, 1430, 33), 1600]
"""Twenty-five; ten in each of the bands that are captured, since a live shop shows no fewer."""

CAPTURED_PX = (390, 1280)
WINDOW_PX = 900
NEAR_PX = 4.0
BANDWIDTH_PX = 24
CENTRE = 1 << 15
"""Half of 65,536: the middle of a zone's box, as scripts tell a place in one."""

BESIDE_PX = (10, 700)
"""Where each visitor clicks beside all zones: known in page px alone."""

ZONES = (
    Zone(0, "postcode", "#postcode", "field"),
    Zone(0, "cost", "#cost", "text"),
    Zone(0, "row", "#row", "button"),
    Zone(0, "help", "#help", "button"),
)
PAGE = """<!doctype html><html lang="nl"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
  body { margin: 0; font: 16px/24px sans-serif } main { padding: 3vw 5% }
  button, input, output { display: block; box-sizing: border-box; height: 44px; width: 30% }
  #postcode { margin-top: 40px } #cost { margin: 180px 0 0 auto; background: #eee }
  .list { height: 220px; margin-top: 160px; overflow: auto } .list p { height: 500px }
  #row { margin: 60px auto 0 } #help { position: fixed; right: 4%; bottom: 60px; width: 90px }
  @media (max-width: 767px) { button, input, output { width: 70% } #cost { margin-top: 260px } }
</style>
<main><input id="postcode"><output id="cost">12,95</output>
<div class="list"><button id="row">Kies</button><p></p></div></main>
<button id="help">Hulp</button>
<!-- snippet --></html>"""


@dataclass(frozen=True, slots=True)
class Visited:
    gloed: Running
    site: Site
    layouts: tuple[Layout, ...]
    client: httpx.Client

    def ask(self, what: str, **query: str) -> httpx.Response:
        path = f"/api/v1/sites/{self.site.public_key}/pages/cart/heatmap.{what}"
        answer = self.client.get(path, params={"kind": "click", **query})
        assert answer.status_code == 200, answer.text
        return answer


@pytest.fixture(scope="module")
def visited(house: Running) -> Iterator[Visited]:
    need("chromium")
    gloed = emptied(house)
    site = gloed.do(_shop(gloed))
    gloed.context.catalogue.forget()
    page = site.pages["cart"]
    html = PAGE.replace(
        "<!-- snippet -->",
        snippet_html(site_key=site.public_key, page=page, base=f"{gloed.url}/g"),
    )
    with headless.Browsers() as browsers, _served(html) as url:
        taken = capture(url, page.zones, widths=CAPTURED_PX, browsers=browsers)
        gloed.do(store_captures(gloed.store, site, page, taken, NOON))
        seen = browsers.visit(
            url,
            CAPTURED_PX[1],
            lambda tab: [_walk(tab, url, *visitor) for visitor in enumerate(WIDTHS_PX)],
            scripts=True,
            storage_state=None,
        )
    for number, (width_px, boxes) in enumerate(zip(WIDTHS_PX, seen, strict=True)):
        _send(gloed, site, number, width_px, boxes)
    settle(gloed)
    layouts = gloed.do(layouts_of(gloed.store, site, page.page_id))
    key = gloed.do(add_key(gloed.store, site.site_id, "read", "", NOON))
    headers = {"authorization": f"Bearer {key}"}
    with httpx.Client(base_url=gloed.url, headers=headers, timeout=60.0) as client:
        yield Visited(gloed, site, layouts, client)


async def _shop(gloed: Running) -> Site:
    site = await make_shop(gloed.store, NOON, live=True)
    await put_zones(gloed.store, site, site.pages["cart"].page_id, ZONES, NOON)
    return await find_site(gloed.store, site.public_key)


class _Served(ThreadingHTTPServer):
    daemon_threads = True
    html = b""


class _Answering(BaseHTTPRequestHandler):
    server: _Served

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.server.html)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def _served(html: str) -> Iterator[str]:
    with _Served(("127.0.0.1", 0), _Answering) as server:
        server.html = html.encode()
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


Boxes = list[tuple[float, float, float, float]]


def _walk(tab: Tab, url: str, number: int, width_px: int) -> Boxes:
    """A stranger presses the middle of each zone, as wide as this; where the zones lay."""
    browser = tab.context.browser
    assert browser is not None
    phone = width_px < headless.PHONE_BELOW_PX
    with browser.new_context(
        viewport={"width": width_px, "height": WINDOW_PX},
        user_agent=PHONE if phone else DESKTOP,
        extra_http_headers={"x-forwarded-for": f"10.1.0.{number}"},
    ) as context:
        page = context.new_page()
        # The page tells its width once it was open for a second.
        with page.expect_response(re.compile(r"/w[0-9]+$")):
            page.goto(url, wait_until="load")
            found: Boxes = page.evaluate(MEASURE, [zone.selector for zone in ZONES])
            for zone, (x0, y0, x1, y1) in enumerate(found, start=1):
                page.mouse.move((x0 + x1) / 2, (y0 + y1) / 2)
                with page.expect_response(re.compile(rf"/{zone}\.p1$")) as pressed:
                    page.mouse.down()
                page.mouse.up()
                assert pressed.value.status == 200
    return found


MEASURE = """selectors => selectors.map(selector => {
  const {left, top, right, bottom} = document.querySelector(selector).getBoundingClientRect();
  return [left, top, right, bottom];
})"""


def _send(gloed: Running, site: Site, number: int, width_px: int, boxes: Boxes) -> None:
    """What the script of another visitor of this width would have told, and a click beside."""
    phone = width_px < headless.PHONE_BELOW_PX
    walker = Walker(gloed.url, PHONE if phone else DESKTOP, f"10.2.0.{number}")
    clicks = [
        [1, 500 * zone, round((x0 + x1) / 2), round((y0 + y1) / 2), zone, CENTRE, CENTRE, 0, fixed]
        for zone, (x0, y0, x1, y1) in enumerate(boxes, start=1)
        for fixed in (int(zone == len(ZONES)),)
    ]
    beside = [1, 5_000, *BESIDE_PX, 0, 0, 0, 0, 0]
    told: dict[str, Any] = {
        "p": "cart",
        "id": f"{number + 1:016x}",
        "m": int(gloed.clock().timestamp()) // 60,
        "vp": [width_px, WINDOW_PX],
        "pg": [width_px, 1000],
        "e": [*clicks, beside],
    }
    answer = walker.post(site, batch_body(**told))
    assert answer.status_code == 204, answer.text
    assert "x-gloed-drop" not in answer.headers, answer.headers["x-gloed-drop"]


def peak_of(levels: NDArray[np.uint8], box: tuple[float, float, float, float]) -> Any:
    """The middle of where heat is highest in the box: of an even one it is a field, not a point."""
    x0, y0, x1, y1 = (round(edge) for edge in box)
    within = levels[y0:y1, x0:x1]
    rows, columns = np.nonzero(within == within.max())
    return np.array([x0 + columns.mean() + 0.5, y0 + rows.mean() + 0.5])


@pytest.mark.parametrize("form", ["css", "script"])
@pytest.mark.parametrize("width_px", CAPTURED_PX)
def test_the_peaks_of_every_width_s_clicks_lie_on_the_middles_of_their_zones(
    visited: Visited, form: str, width_px: int
) -> None:
    (layout,) = [one for one in visited.layouts if one.width_px == width_px]
    query = {"capture": form, "layout": layout.name, "bandwidth": str(BANDWIDTH_PX)}
    levels = np.asarray(Image.open(io.BytesIO(visited.ask("png", **query).content)))
    assert levels.shape == (layout.height_px, width_px)
    assert [box.placement for box in layout.boxes] == ["flow", "flow", "inner", "fixed"]
    for box in layout.boxes:
        x0, y0, x1, y1 = box.edges_px
        middle = np.array([x0 + x1, y0 + y1]) / 2
        off_px = float(np.hypot(*(peak_of(levels, box.edges_px) - middle)))
        assert off_px <= NEAR_PX, (ZONES[box.number - 1].name, off_px)


@pytest.mark.parametrize("width_px", CAPTURED_PX)
def test_a_place_in_page_px_alone_is_drawn_at_its_own_width_and_counted_at_others(
    visited: Visited, width_px: int
) -> None:
    (layout,) = [one for one in visited.layouts if one.width_px == width_px]
    told = visited.ask("json", capture="script", layout=layout.name).json()
    own = sum(width_band(width) == layout.band for width in WIDTHS_PX)
    assert 0 < own < len(WIDTHS_PX)
    assert told["unplaced"] == len(WIDTHS_PX) - own
    assert told["marks"] == len(ZONES) * len(WIDTHS_PX) + own
    assert told["layout"] == layout.name


def test_every_press_without_a_script_finds_its_zone_in_either_picture(visited: Visited) -> None:
    for layout in visited.layouts:
        told = visited.ask("json", capture="css", layout=layout.name).json()
        assert told["unplaced"] == 0
        totals = {zone["name"]: zone["total"] for zone in told["zones"]}
        assert totals == {zone.name: len(WIDTHS_PX) for zone in ZONES}
