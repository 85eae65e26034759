"""A designer's way through the pages in every engine, none of which holds a script: from the link
that signs in to a share that somebody else opens signed out."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image

from app.access.keys import new_sign_in_link
from app.closing.day import close_day
from collector.sites import Site
from tests.browser.drive import Browser, BrowserError, open_browser
from tests.build import PHONE, Walker, make_shop
from tests.conftest import NOON
from tests.pages.conftest import put_picture, signed_in
from tests.serving import Running

PATIENCE_S = 30.0
MARGIN_PX = 200
AGO = timedelta(days=3)
VISITS = 12
LONG, SHORT = ("2.h", "2.h1", "2.h2", "2.h5", "2.h10"), ("2.h", "2.h1")
WORST_PAGE, WORST_ZONE = "shipping", "verzendkosten"


@pytest.fixture
def shop(gloed: Running) -> Site:
    """On trial: those who rest at the shipping cost go, the others order."""
    site = gloed.do(make_shop(gloed.store, NOON))
    gloed.context.catalogue.forget()
    put_picture(gloed, site)
    for number in range(VISITS):
        walker = Walker(gloed.url, PHONE, f"10.1.0.{number}")
        gloed.clock.set(NOON - AGO - timedelta(minutes=number))
        walker.open(site, "cart")
        stays = LONG if number % 2 else SHORT
        walker.tell(walker.open(site, WORST_PAGE), "w400", "coarse", *stays)
        if number % 2 == 0:
            walker.open(site, "thanks")
    gloed.clock.set(NOON)
    gloed.do(close_day(gloed.store, site, site.day_of(NOON - AGO), NOON))
    return site


class Way:
    """Goes by what can be seen and pressed: every page is looked at for scripts on the way."""

    def __init__(self, browser: Browser, base: str) -> None:
        self._browser, self._base = browser, base

    def open(self, path: str) -> None:
        self._browser.goto(self._base + path)
        self._arrived()

    def press(self, selector: str, *, leads_on: bool = True) -> None:
        """Press the middle of an element; wait for the page that it leads to."""
        here = self.address
        x0, y0, x1, y1 = self._browser.box(selector)
        self._browser.scroll_to(max(y0 - MARGIN_PX, 0))
        below_px = self._browser.evaluate("scrollY")
        self._browser.click((x0 + x1) / 2, (y0 + y1) / 2 - below_px)
        if leads_on:
            self._until(lambda: self.address != here, f"{selector} leads nowhere from {here}")
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
        self._until(is_complete, "the page does not finish")
        assert self._browser.evaluate("document.scripts.length") == 0

    def _until(self, holds: Callable[[], bool], otherwise: str) -> None:
        """While one page gives way to another there may be none to ask."""
        until = time.monotonic() + PATIENCE_S
        while True:
            with suppress(BrowserError):
                if holds():
                    return
            assert time.monotonic() < until, otherwise
            time.sleep(0.05)


def test_a_designer_finds_the_worst_page_and_shares_it(
    gloed: Running, shop: Site, engine: str
) -> None:
    with open_browser(engine) as browser:
        link = as_designer(gloed, Way(browser, gloed.url))
    with open_browser(engine) as browser:
        as_stranger(Way(browser, gloed.url), link)


def as_designer(gloed: Running, way: Way) -> str:
    """Sign in, find the worst page, read why, take the overlay along; the link that was shared."""
    way.open(gloed.do(new_sign_in_link(gloed.store, gloed.clock())))
    way.press(".findings a")
    assert way.read("h1").startswith(WORST_PAGE)
    assert WORST_ZONE in way.read("main")
    way.press(".tabs a[href*='kind=stall']")
    assert WORST_ZONE in way.read(".beside tbody tr")
    overlay = Image.open(io.BytesIO(downloaded(gloed, way)))
    assert overlay.size == (390, 800)
    assert overlay.has_transparency_data
    way.press(".share summary", leads_on=False)
    way.press(".share button")
    assert way.read("h1") == "Links in use"
    return way.read("pre code")


def downloaded(gloed: Running, way: Way) -> bytes:
    """What the link to the transparent overlay gives to whoever is signed in."""
    address = way.ask(
        "document.querySelector(\"a[download$='.png']:not([download*='page'])\").href"
    )
    with signed_in(gloed) as client:
        answer = client.get(address)
    assert answer.headers["content-type"] == "image/png"
    return answer.content


def as_stranger(way: Way, link: str) -> None:
    """Signed out: the page with its map, and nothing else of the shop."""
    way.open(urlsplit(link).path)
    assert way.read("h1").startswith(WORST_PAGE)
    assert way.ask("document.querySelector('figure img').naturalWidth") == 390
    assert way.ask("document.querySelectorAll('form[method=post]').length") == 0
    way.open("/")
    assert way.read("h1") == "Sign in"
