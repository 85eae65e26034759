"""A zone drawn by hand in a real browser without scripts: two presses on a picture, and a name."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from playwright.sync_api import Page

from app.picturing.layouts import layouts_of
from collector.sites import Site
from tests.build import make_shop, page_of
from tests.conftest import NOON
from tests.pages.conftest import put_picture
from tests.pages.test_browser import NARROW, WIDE
from tests.pages.test_browser import _needs_chromium as _needs_chromium
from tests.pages.test_browser import chromium as chromium
from tests.pages.test_browser import open_tab as open_tab
from tests.serving import Running

CORNERS = ((40, 620), (351, 688))


def draw(page: Page, address: str, zone: str) -> list[str]:
    """What the page asks for, step by step."""
    asked = []
    page.goto(address)
    for x_px, y_px in CORNERS:
        asked.append(page.locator("#step").inner_text())
        page.locator("input[type=image]").click(position={"x": x_px, "y": y_px})
    asked.append(page.locator("#step").inner_text())
    page.locator("#zone").select_option(zone)
    page.locator(".named button").click()
    asked.append(page.locator("#step").inner_text())
    return asked


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_what_is_pressed_are_pixels_of_the_page_however_wide_the_window(
    gloed: Running, designer: httpx.Client, open_tab: Any, size: tuple[int, int]
) -> None:
    site: Site = gloed.do(make_shop(gloed.store, NOON))
    put_picture(gloed, site)
    page_id = page_of(site, "shipping").page_id
    (before,) = gloed.do(layouts_of(gloed.store, site, page_id))
    address = f"{gloed.url}/sites/{site.public_key}/pages/shipping/layouts/{before.name}"
    with open_tab(size) as tab:
        asked = tab.do(lambda page: draw(page, address, "2"))
        wide = tab.do(lambda page: page.evaluate("document.documentElement.scrollWidth"))
        assert tab.said == []
    assert asked == [
        "Draw a zone by two presses",
        "Now the opposite corner",
        "Which zone is it?",
        "Draw a zone by two presses",
    ]
    assert wide == size[0], "the picture scrolls, and not the page"
    (after,) = gloed.do(layouts_of(gloed.store, site, page_id))
    (box,) = [box for box in after.boxes if box.number == 2]
    assert after.layout_id == before.layout_id, "the page looks as it did"
    assert list(box.edges_px) == [*CORNERS[0], *CORNERS[1]]
