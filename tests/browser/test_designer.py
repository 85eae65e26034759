"""A designer's way through the demo in every engine, scripts switched off in the browser itself:
from the link that signs in to a share that is opened signed out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.demo.checkout import SHIPPING_PAGE, STALL_ZONE, checkout_page
from app.demo.pictures import captured
from tests.browser.drive import Browser, BrowserError, open_browser
from tests.conftest import own_database
from tests.demo.standing import Standing, standing

PATIENCE_S = 30.0
MARGIN_PX = 200
WORST_PAGE = checkout_page(SHIPPING_PAGE).title
SIZES = {(one.width_px, one.height_px) for one in captured()[SHIPPING_PAGE]}
OVERLAY = ".take a[download$='.png']:not([download*='-page']):not([download*='-legend'])"
SCRIPTED = "data:text/html,<title>off</title><script>document.title = 'on'</script>"


@pytest.fixture(scope="module")
def demo(server_url: str, template: str) -> Iterator[Standing]:
    """Filled once, for all engines."""
    with own_database(server_url, template) as url, standing(url) as stands:
        yield stands


class Way:
    """Goes by what can be seen and pressed: every page is looked at for scripts on the way."""

    def __init__(self, browser: Browser, base: str) -> None:
        self._browser, self._base = browser, base

    def open(self, address: str) -> None:
        self._browser.goto(address if "://" in address else self._base + address)
        self._arrived()

    def press(self, selector: str, *, leads_on: bool = True) -> None:
        """Press the middle of an element; wait for the page that it leads to."""
        here = self.address
        x0, y0, x1, y1 = self._browser.box(selector)
        self._browser.scroll_to(max(y0 - MARGIN_PX, 0))
        below_px = self._browser.evaluate("scrollY")
        self._browser.click((x0 + x1) / 2, (y0 + y1) / 2 - below_px)
        if leads_on:
            self.until(lambda: self.address != here, f"{selector} leads nowhere from {here}")
        self._arrived()

    @property
    def address(self) -> str:
        found: str = self._browser.evaluate("location.href")
        return found

    def read(self, selector: str) -> str:
        found: str = self._browser.evaluate(
            f"document.querySelector({json.dumps(selector)}).innerText"
        )
        return found

    def ask(self, js: str) -> Any:
        return self._browser.evaluate(js)

    def _arrived(self) -> None:
        is_complete = partial(self._browser.evaluate, "document.readyState === 'complete'")
        self.until(is_complete, "the page does not finish")
        assert self._browser.evaluate("document.scripts.length") == 0

    def until(self, holds: Callable[[], bool], otherwise: str) -> None:
        """While one page gives way to another there may be none to ask."""
        until = time.monotonic() + PATIENCE_S
        while True:
            with suppress(BrowserError):
                if holds():
                    return
            assert time.monotonic() < until, otherwise
            time.sleep(0.05)


def test_a_designer_finds_the_worst_page_and_shares_it(
    demo: Standing, engine: str, tmp_path: Path
) -> None:
    with open_browser(engine, scripts=False, downloads=tmp_path) as browser:
        browser.goto(SCRIPTED)
        assert browser.evaluate("document.title") == "off"
        way = Way(browser, demo.base)
        find_the_worst_page(way, demo.sign_in_link())
        take_the_overlay_along(way, tmp_path)
        link = share_it(way)
        way.press(".top form button")
        open_signed_out(way, link)


def find_the_worst_page(way: Way, link: str) -> None:
    """The shop opens with it, and says why; its map shows where."""
    way.open(link)
    way.press(".door button")
    way.press(".findings a")
    assert way.read("h1") == WORST_PAGE
    assert STALL_ZONE in way.read(".finding")
    assert STALL_ZONE in way.read(".ranked tbody tr")
    way.press(".tabs a[href*='kind=stall']")
    assert STALL_ZONE in way.read(".beside tbody")
    shown = way.ask(
        "(i => [i.naturalWidth, i.naturalHeight])(document.querySelector('.sheet img'))"
    )
    assert tuple(shown) in SIZES


def take_the_overlay_along(way: Way, folder: Path) -> None:
    """By the browser's own download: a picture of the page's size that one can lay over it."""
    name = way.ask(f"document.querySelector({json.dumps(OVERLAY)}).download")
    way.press(OVERLAY, leads_on=False)
    way.until(partial(is_picture, way, folder / name), f"nothing was downloaded as {name}")
    with Image.open(folder / name) as overlay:
        assert overlay.size in SIZES
        alpha = np.asarray(overlay.convert("RGBA"))[..., 3]
    assert alpha.min() == 0, "the page shows through"
    assert alpha.max() > 0


def is_picture(way: Way, path: Path) -> bool:
    """Whether it has come whole. The page is asked for something: some drivers move on by that."""
    way.ask("document.readyState")
    try:
        with Image.open(path) as image:
            image.load()
    except (FileNotFoundError, OSError):
        return False
    return True


def share_it(way: Way) -> str:
    way.press(".share summary", leads_on=False)
    way.press(".share button")
    assert way.read("h1") == "Links in use"
    return way.read("pre code")


def open_signed_out(way: Way, link: str) -> None:
    """The page with its map, and nothing else of the shop."""
    way.open("/")
    assert way.read("h1") == "Sign in"
    way.open(link)
    assert way.read("h1") == WORST_PAGE
    assert way.ask("document.querySelector('.sheet img').naturalWidth") > 0
    assert way.ask("document.querySelectorAll('form[method=post]').length") == 0
    way.open("/")
    assert way.read("h1") == "Sign in"
