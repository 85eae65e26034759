"""One stylesheet for everybody, its integrity checked; the view's token only in the redirect."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator

import pytest

from app.clock import SteppedClock
from collector.sites import Page
from snippets.sheet import Stylesheet, stylesheet
from tests.browser.drive import Browser
from tests.shop import Shop, shop_with_gloed

VIEWS = 3
PATIENCE_S = 30.0
ORIGINS = pytest.mark.parametrize("cross", [False, True], ids=["same origin", "cross origin"])


@pytest.fixture
def shop(database_url: str, clock: SteppedClock) -> Iterator[Shop]:
    with shop_with_gloed(database_url, clock) as opened:
        yield opened


def count(shop: Shop, condition: str) -> int:
    query = f"SELECT count(DISTINCT view_id) FROM beacon WHERE {condition}"
    return int(shop.running.do(shop.running.store.fetchval(query)))


def hovered(shop: Shop) -> int:
    """Views whose hover on the shipping cost arrived."""
    number = next(z.number for z in shop.page.zones if z.selector == "#shipping-cost")
    return count(shop, f"name = '{number}.h'")


def visit(browser: Browser, address: str) -> None:
    """Open the page and rest on the shipping cost."""
    browser.move(900, 30)  # away from it: some engines hover at load what lies under the pointer
    browser.goto(address)
    x0, y0, x1, y1 = browser.box("#shipping-cost")
    browser.move((x0 + x1) / 2, (y0 + y1) / 2, steps=2)


def until_hovered(shop: Shop, views: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while hovered(shop) < views:
        assert time.monotonic() < deadline, f"view {views} sent no hover"
        time.sleep(0.05)


@ORIGINS
def test_every_view_has_its_own_token_under_a_sheet_whose_integrity_holds(
    shop: Shop, browser: Browser, cross: bool
) -> None:
    for view in range(1, VIEWS + 1):
        visit(browser, shop.address(cross=cross, integrity=True))
        until_hovered(shop, view)
    assert (hovered(shop), count(shop, "name = 'open'")) == (VIEWS, VIEWS)


@ORIGINS
def test_a_sheet_that_was_changed_is_refused_by_the_browser(
    shop: Shop, browser: Browser, cross: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page bears the integrity of one wording, the collector serves another."""
    monkeypatch.setattr(shop.running.context.sheets, "make", longer)
    visit(browser, shop.address(cross=cross, integrity=True))
    # The next view accepts any sheet: when its hover has arrived, the first had its time.
    visit(browser, shop.address(cross=cross, integrity=False))
    until_hovered(shop, 1)
    assert (hovered(shop), count(shop, "name = 'open'")) == (1, 2)


def longer(page: Page) -> Stylesheet:
    right = stylesheet(page)
    css = right.css + b" "
    return Stylesheet(css, gzip.compress(css), right.integrity)
