"""The pages in a real browser that runs no scripts: pictures, keyboard, dark and light."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from app.access.session import COOKIE
from collector.sites import Site
from tests import provide
from tests.absent import need
from tests.serving import Running

T = TypeVar("T")
WIDE, NARROW = (1280, 900), (390, 844)


@pytest.fixture(scope="module", autouse=True)
def _needs_chromium() -> None:
    need("chromium")


class Tab:
    """A page in a thread of its own, where Playwright's loop disturbs nobody."""

    def __init__(self, thread: ThreadPoolExecutor, page: Page) -> None:
        self._thread = thread
        self._page = page
        self.said: list[str] = []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("requestfailed", lambda request: self.said.append(request.url))

    def do(self, step: Callable[[Page], T]) -> T:
        return self._thread.submit(step, self._page).result()


@pytest.fixture(scope="module")
def chromium() -> Iterator[tuple[ThreadPoolExecutor, Browser]]:
    """One browser for all of this, and the thread it lives in."""
    with ThreadPoolExecutor(1, "playwright") as thread, ExitStack() as stack:
        programs = provide.programs("chromium")

        def start() -> Browser:
            playwright = stack.enter_context(sync_playwright())
            return stack.enter_context(
                playwright.chromium.launch(
                    executable_path=programs["chromium"] if programs else None,
                    args=["--no-sandbox", "--disable-gpu"],
                )
            )

        yield thread, thread.submit(start).result()
        thread.submit(stack.close).result()


@pytest.fixture
def open_tab(
    gloed: Running, designer: httpx.Client, chromium: tuple[ThreadPoolExecutor, Browser]
) -> Any:
    """Opens a stranger's window without scripts that is signed in."""
    thread, browser = chromium
    cookie = {"name": COOKIE, "value": designer.cookies[COOKIE], "url": gloed.url}

    @contextmanager
    def opened(size: tuple[int, int] = WIDE, **more: Any) -> Iterator[Tab]:
        context = thread.submit(_context, browser, cookie, size, more).result()
        try:
            yield thread.submit(lambda: Tab(thread, context.new_page())).result()
        finally:
            thread.submit(context.close).result()

    return opened


def _context(browser: Browser, cookie: Any, size: tuple[int, int], more: Any) -> BrowserContext:
    context = browser.new_context(
        java_script_enabled=False, viewport={"width": size[0], "height": size[1]}, **more
    )
    context.add_cookies([cookie])
    return context


def map_of(gloed: Running, site: Site) -> str:
    return f"{gloed.url}/sites/{site.public_key}/pages/shipping"


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_picture_loads_and_nothing_is_wider_than_the_window(
    gloed: Running, shop: Site, open_tab: Any, size: tuple[int, int]
) -> None:
    with open_tab(size) as tab:
        tab.do(lambda page: page.goto(map_of(gloed, shop)))
        shown = tab.do(
            lambda page: page.locator("figure img").evaluate(
                "image => [image.complete, image.naturalWidth, image.naturalHeight]"
            )
        )
        wide = tab.do(lambda page: page.evaluate("document.documentElement.scrollWidth"))
        picture = tab.do(lambda page: page.locator("figure").bounding_box())
        beside = tab.do(lambda page: page.locator(".beside").bounding_box())
        assert tab.said == []
    assert shown == [True, 390, 800]
    assert wide == size[0]
    if size == WIDE:
        assert picture["x"] + picture["width"] <= beside["x"]
    else:
        assert picture["y"] + picture["height"] <= beside["y"]


@pytest.mark.parametrize("locale", ["en-GB", "nl-NL"])
def test_on_a_phone_the_check_is_no_wider_than_the_window_and_looks_at_a_page(
    gloed: Running, shop: Site, open_tab: Any, locale: str
) -> None:
    with open_tab(NARROW, locale=locale) as tab:
        tab.do(lambda page: page.goto(f"{gloed.url}/sites/{shop.public_key}/check"))
        widths = [tab.do(lambda page: page.evaluate("document.documentElement.scrollWidth"))]
        tab.do(lambda page: page.locator("#html").fill("<p>niets</p>" + "x" * 500))
        tab.do(lambda page: page.locator(".paste button").click())
        found = tab.do(lambda page: page.locator("#result li.bad").count())
        widths.append(tab.do(lambda page: page.evaluate("document.documentElement.scrollWidth")))
        assert tab.said == []
    assert found == 1
    assert widths == [NARROW[0]] * 2


@pytest.mark.parametrize(
    ("size", "begins_px", "follow"), [((1280, 800), 350, False), (NARROW, 520, True)]
)
def test_the_picture_begins_on_the_first_screen_and_its_downloads_do_or_follow_it(
    gloed: Running, shop: Site, open_tab: Any, size: tuple[int, int], begins_px: int, follow: bool
) -> None:
    with open_tab(size, locale="nl-NL") as tab:
        tab.do(lambda page: page.goto(map_of(gloed, shop)))
        sheet = tab.do(lambda page: page.locator(".sheet").bounding_box())
        take = tab.do(lambda page: page.locator(".take").bounding_box())
        inner = tab.do(
            lambda page: page.locator(".beside").evaluate(
                "column => column.scrollHeight > column.clientHeight"
            )
        )
    assert sheet["y"] < begins_px
    if follow:  # on a phone what they are of comes first
        assert take["y"] >= sheet["y"] + sheet["height"]
    else:
        assert take["y"] + take["height"] < size[1]
    assert not inner, "the page scrolls, not the column"


def test_the_keyboard_alone_changes_the_map(gloed: Running, shop: Site, open_tab: Any) -> None:
    with open_tab() as tab:
        tab.do(lambda page: page.goto(map_of(gloed, shop)))
        reached = [_next(tab) for _ in range(26)]
        assert [name for name in reached if name][:20] == [
            "Skip to content", "Gloed", "Sign out", "Fietsenwinkel", "Pictures", "Zones",
            "Form report", "Abandoners", "Stalls", "Clicks", "Movement", "Scroll depth",
            "Attention", "Rage clicks", "Dead clicks", "Zone map", "Dots", "Side by side",
            "Filters all devices 20\xa0Oct\u2009–\u200918\xa0Nov 2026", "Share",
        ]  # fmt: skip
        tab.do(lambda page: page.get_by_role("link", name="Clicks", exact=True).focus())
        tab.do(lambda page: page.keyboard.press("Enter"))
        tab.do(lambda page: page.wait_for_url("**kind=click**"))
        here = tab.do(lambda page: page.locator(".tabs [aria-current]").inner_text())
        assert here == "Clicks"


def test_lines_are_ticked_and_auto_is_typed_without_a_script(
    gloed: Running, shop: Site, open_tab: Any
) -> None:
    with open_tab() as tab:
        tab.do(lambda page: page.goto(map_of(gloed, shop)))
        tab.do(lambda page: page.locator(".filters summary").click())
        tab.do(lambda page: page.get_by_label("lines of heat").check())
        tab.do(lambda page: page.get_by_label("zones with numbers").check())
        tab.do(lambda page: page.get_by_label("Bandwidth, px").fill("auto"))
        tab.do(lambda page: page.get_by_role("button", name="Show").click())
        tab.do(lambda page: page.wait_for_url("**marks=contours&marks=zones**"))
        assert tab.do(lambda page: page.get_by_label("lines of heat").is_checked())
        assert tab.do(lambda page: page.get_by_label("Bandwidth, px").input_value()) == "auto"
        source = tab.do(lambda page: page.locator("figure img").get_attribute("src"))
        assert "marks=contours%2Czones" in source
        assert tab.said == []


def _next(tab: Tab) -> str:
    """Name or text of what the next Tab reaches; its focus must be seen."""
    tab.do(lambda page: page.keyboard.press("Tab"))
    name, outline = tab.do(
        lambda page: page.evaluate(
            """() => {
                const at = document.activeElement, seen = at.name === 'kind' ?
                  at.nextElementSibling : at;
                return [at.name || at.textContent.trim(), getComputedStyle(seen).outlineStyle];
            }"""
        )
    )
    assert outline != "none", name
    return str(name)


def test_a_zone_of_the_table_lights_up_in_the_picture(
    gloed: Running, shop: Site, open_tab: Any
) -> None:
    stroke = "zone => getComputedStyle(zone.querySelector('rect')).stroke"
    with open_tab() as tab:
        tab.do(lambda page: page.goto(map_of(gloed, shop)))
        assert tab.do(lambda page: page.locator("#zone-2").evaluate(stroke)) == "none"
        tab.do(lambda page: page.get_by_role("link", name="verzendkosten").click())
        assert tab.do(lambda page: page.locator("#zone-2").evaluate(stroke)) != "none"


@pytest.mark.parametrize("locale", ["nl-NL", "en-GB"])
def test_light_is_light_and_dark_is_dark(
    gloed: Running, shop: Site, open_tab: Any, locale: str
) -> None:
    brightness = {}
    for scheme in ("light", "dark"):
        with open_tab(color_scheme=scheme, locale=locale) as tab:
            tab.do(lambda page: page.goto(map_of(gloed, shop)))
            assert tab.do(lambda page: page.locator("html").get_attribute("lang")) == locale[:2]
            shot = Image.open(io.BytesIO(tab.do(lambda page: page.screenshot()))).convert("L")
            assert np.asarray(shot).std() > 5
            brightness[scheme] = float(np.median(np.asarray(shot)))
    assert brightness["light"] > 200
    assert brightness["dark"] < 60


def test_on_paper_the_map_and_its_numbers_remain(gloed: Running, shop: Site, open_tab: Any) -> None:
    with open_tab() as tab:
        tab.do(lambda page: page.goto(map_of(gloed, shop)))
        tab.do(lambda page: page.emulate_media(media="print"))
        seen = {
            name: tab.do(lambda page, name=name: page.locator(name).first.is_visible())
            for name in ("figure img", "table", "dl", ".legend", ".tools", ".take")
        }
    assert seen == {
        "figure img": True, "table": True, "dl": True, ".legend": True,
        ".tools": False, ".take": False,
    }  # fmt: skip
