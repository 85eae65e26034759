"""One event's whole way: a pasted snippet in a real browser, and at the end a coloured pixel."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from app.access.keys import add_key
from app.clock import SteppedClock
from app.picturing.capture import capture, store_captures
from app.picturing.layouts import find_layout
from collector.sites import Site
from tests.browser.drive import Browser, open_browser
from tests.shop import BODY, MOUNTED, STYLE, Shop, shop_with_gloed

PATIENCE_S = 20.0
WIDTH_PX, HEIGHT_PX = 1280, 800


@pytest.fixture
def shop(database_url: str, clock: SteppedClock) -> Iterator[Shop]:
    with shop_with_gloed(database_url, clock) as opened:
        yield opened


def arrived(shop: Shop) -> list[str]:
    rows = shop.running.do(shop.running.store.fetch("SELECT name FROM beacon ORDER BY name"))
    return [row["name"] for row in rows]


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def hesitate_and_press(browser: Browser, shop: Shop) -> None:
    """Rest on the shipping cost until its clock says 2 s, then press the button."""
    cost, button = browser.box("#shipping-cost"), browser.box("#next")
    zones = {zone.selector: zone.number for zone in shop.page.zones}
    browser.move((cost[0] + cost[2]) / 2, (cost[1] + cost[3]) / 2, steps=3)
    wait_until(lambda: f"{zones['#shipping-cost']}.h2" in arrived(shop))
    browser.scroll_to(400)
    browser.click((button[0] + button[2]) / 2, (button[1] + button[3]) / 2 - 400)
    wait_until(lambda: f"{zones['#next']}.p1" in arrived(shop))


def captured(shop: Shop, tmp_path: Path) -> None:
    saved = tmp_path / "shipping.html"
    saved.write_text(
        '<!doctype html><html lang="nl"><meta charset="utf-8"><title>Verzending</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{STYLE}</style><body>{BODY}</body></html>"
    )
    taken = capture(str(saved), shop.page.zones, widths=[WIDTH_PX])
    store, now = shop.running.store, shop.running.clock()
    shop.running.do(store_captures(store, shop.site, shop.page, taken, now))


def ask(shop: Shop, key: str, name: str, **parameters: str) -> httpx.Response:
    path = f"{MOUNTED}/api/v1/sites/{shop.site.public_key}/pages/shipping/heatmap.{name}"
    headers = {"authorization": f"Bearer {key}"}
    answer = httpx.get(shop.running.url + path, params=parameters, headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer


def zone_box(shop: Shop, selector: str) -> tuple[float, float, float, float]:
    """Where the captured layout has the zone."""
    number = next(zone.number for zone in shop.page.zones if zone.selector == selector)
    find = find_layout(shop.running.store, shop.site, shop.page.page_id)
    layout = shop.running.do(find)
    assert layout is not None
    box = next(box for box in layout.boxes if box.number == number)
    return box.x0_px, box.y0_px, box.x1_px, box.y1_px


def alpha(picture: Image.Image, x_px: float, y_px: float) -> int:
    return int(picture.convert("RGBA").getpixel((round(x_px), round(y_px)))[3])  # type: ignore[index]


def test_a_hesitation_in_a_checkout_becomes_a_coloured_pixel_where_it_happened(
    shop: Shop, tmp_path: Path
) -> None:
    captured(shop, tmp_path)
    with open_browser("chromium", width=WIDTH_PX, height=HEIGHT_PX) as browser:
        browser.goto(shop.address())
        hesitate_and_press(browser, shop)
    key = key_of(shop, shop.site)

    stalled = ask(shop, key, "json", kind="stall").json()
    cost = zone_box(shop, "#shipping-cost")
    assert cost[0] <= stalled["peak"]["x_px"] <= cost[2]
    assert cost[1] <= stalled["peak"]["y_px"] <= cost[3]
    assert stalled["zones"][0]["name"] == "Shipping cost"
    assert stalled["zones"][0]["total"] >= 2
    assert (stalled["visits"], stalled["page_views"], stalled["coverage"]) == (1, 1, 1.0)
    assert stalled["state"] == "trying"

    answer = ask(shop, key, "png", kind="click", bandwidth="24")
    picture = Image.open(io.BytesIO(answer.content))
    assert picture.mode == "P"
    assert picture.size[0] == WIDTH_PX
    button = zone_box(shop, "#next")
    middle = ((button[0] + button[2]) / 2, (button[1] + button[3]) / 2)
    assert alpha(picture, *middle) > 100
    away = [alpha(picture, x, y) for x in range(10, 500, 7) for y in range(1200, 1700, 7)]
    assert min(away) == 0, "far from the press only the TEST mark is drawn"

    again = httpx.get(
        str(answer.url), headers={**answer.request.headers, "if-none-match": answer.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


def key_of(shop: Shop, site: Site) -> str:
    store, now = shop.running.store, shop.running.clock()
    return shop.running.do(add_key(store, site.site_id, "read", "journey", now))
