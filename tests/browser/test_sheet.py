"""The script-free snippet in three engines, on a page whose policy forbids every script."""

import io
import re
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PIL import Image, ImageChops

from collector.wire import BEACON_NAME
from tests.absent import need
from tests.browser.drive import Browser, open_browser
from tests.browser.sheet_shop import PAGE, SheetShop, sheet_shop
from tests.browser.templates import TEMPLATES, Template

CORNER = (1270, 790)
"""Where the pointer rests on nothing."""

SETTLED_S = 0.25
"""A page without animations of its own looks as it will."""

QUIET_S = 0.5
"""Long enough for a beacon that should not come to come."""


@pytest.fixture(scope="module")
def shop() -> Iterator[SheetShop]:
    with sheet_shop() as shop:
        yield shop


SCROLLBAR_PX = 16


def opened(browser: Browser, shop: SheetShop, page: str = "with") -> None:
    browser.move(*CORNER)
    browser.scroll_to(0)
    browser.goto(shop.url(page))


def middle(browser: Browser, selector: str) -> tuple[float, float]:
    x0, y0, x1, y1 = browser.box(selector)
    return (x0 + x1) / 2, (y0 + y1) / 2 - browser.evaluate("scrollY")


@pytest.fixture(scope="module")
def two_seconds(browser: Browser, shop: SheetShop) -> list[str]:
    """What a view asked for whose pointer rested on the e-mail field for two seconds."""
    opened(browser, shop)
    browser.move(*middle(browser, "input"))
    shop.wait_for("1.h2", "t2", "w1280", "g800")
    return shop.asked()


def test_resting_on_a_field_is_told_at_once_and_after_one_and_two_seconds(
    two_seconds: list[str],
) -> None:
    assert [name for name in two_seconds if name.startswith("1.")] == ["1.h", "1.h1", "1.h2"]


def test_the_page_tells_its_age_and_its_viewport_and_asks_for_nothing_unknown(
    two_seconds: list[str],
) -> None:
    assert {name for name in two_seconds if name[0] in "wgcdh"} == {"w1280", "g800"}
    assert two_seconds.index("t1") < two_seconds.index("t2")
    assert [name for name in two_seconds if not BEACON_NAME.fullmatch(name)] == []


def test_dwell_adds_up_over_visits_and_stands_still_between_them(
    browser: Browser, shop: SheetShop
) -> None:
    opened(browser, shop)
    for rest, away_s in enumerate((0.9, 0.05, 0.05, 0.05)):
        browser.move(*middle(browser, "#pay"))
        time.sleep(0.3)
        browser.move(*CORNER)
        time.sleep(away_s)
        if rest == 0:
            assert shop.asked(zone=2) == ["2.h"]
    shop.wait_for("2.h1")
    assert shop.asked(zone=2) == ["2.h", "2.h1"]


def test_every_press_is_told_and_every_click_reaches_the_shop(
    browser: Browser, shop: SheetShop
) -> None:
    opened(browser, shop)
    browser.evaluate(
        "void (window.clicks = [], addEventListener('click', e => clicks.push(e.target.id)))"
    )
    for press in (1, 2, 3):
        browser.click(*middle(browser, "#pay"))
        shop.wait_for(f"2.p{press}")
    browser.click(*middle(browser, "#agree"))
    assert browser.evaluate("[clicks, document.querySelector('#agree').checked]") == [
        ["pay", "pay", "pay", "agree"],
        True,
    ]
    assert [name for name in shop.asked(zone=2) if ".p" in name] == ["2.p1", "2.p2", "2.p3"]


def test_focus_is_told_at_once_and_its_clock_outlives_the_pointer(
    browser: Browser, shop: SheetShop
) -> None:
    opened(browser, shop)
    browser.click(*middle(browser, "input"))
    browser.move(*CORNER)
    shop.wait_for("1.f1")
    assert [name for name in shop.asked(zone=1) if ".f" in name] == ["1.f", "1.f1"]
    assert "1.h1" not in shop.asked()


def test_a_sensitive_zone_tells_presses_and_dwell_alone(browser: Browser, shop: SheetShop) -> None:
    opened(browser, shop)
    browser.click(*middle(browser, ".frame"))
    shop.wait_for("3.h1")
    assert shop.asked(zone=3) == ["3.p1", "3.h1"]


def test_depth_and_bands_in_view_are_told_where_the_engine_has_scroll_timelines(
    browser: Browser, shop: SheetShop
) -> None:
    opened(browser, shop)
    known = browser.evaluate("CSS.supports('animation-timeline: scroll()')")
    top, below = (["b0.1", "b1.1"], ["b4.1", "b5.1", "b6.1"]) if known else ([], [])
    shop.wait_for("t1", *top)
    browser.scroll_to(1700)
    shop.wait_for("t2", *below)
    asked = shop.asked()
    assert [name for name in asked if name[0] == "y"] == (["y1700"] if known else [])
    assert sorted(name for name in asked if re.fullmatch(r"b\d+\.1", name)) == [*top, *below]


def test_clocks_run_although_the_page_is_scrolled_far_from_its_top(
    browser: Browser, shop: SheetShop
) -> None:
    opened(browser, shop)
    browser.scroll_to(100_000)
    time.sleep(0.2)
    browser.move(*middle(browser, "#terms > a"))
    shop.wait_for("4.h1")
    assert shop.asked(zone=4) == ["4.h", "4.h1"]


def test_the_token_can_be_read_although_nothing_ever_asks_for_it(
    browser: Browser, shop: SheetShop
) -> None:
    opened(browser, shop)
    seen = browser.evaluate(
        "getComputedStyle(document.querySelector('#gloed gl-t')).backgroundImage"
    )
    assert seen == f'url("{shop.url("g")}/{shop.token()}/t")'


def test_another_origin_is_asked_under_its_own_token_while_its_sheet_is_the_right_one(
    browser: Browser, shop: SheetShop
) -> None:
    opened(browser, shop, "cross")
    browser.move(*middle(browser, "input"))
    shop.wait_for("1.h")
    opened(browser, shop, "changed")
    browser.move(*middle(browser, "input"))
    time.sleep(QUIET_S)
    assert shop.asked() == []


def test_the_page_looks_and_measures_as_without_the_snippet_also_while_the_collector_is_away(
    browser: Browser, shop: SheetShop
) -> None:
    bare, guest, away = (at_rest(browser, shop, page) for page in ("without", "with", "away"))
    assert guest[1:] == away[1:] == bare[1:]
    assert ImageChops.difference(content(guest[0]), content(bare[0])).getbbox() is None
    assert ImageChops.difference(content(away[0]), content(bare[0])).getbbox() is None


def content(shot: Image.Image) -> Image.Image:
    """Without the strip in which WebKit fades its overlay scrollbar in and out."""
    return shot.crop((0, 0, shot.width - SCROLLBAR_PX, shot.height))


AtRest = tuple[Image.Image, list[int], list[list[float]]]
"""A picture of the window, the page's size, and the boxes of the shop's elements."""


def at_rest(browser: Browser, shop: SheetShop, page: str, settled_s: float = QUIET_S) -> AtRest:
    opened(browser, shop, page)
    time.sleep(settled_s)
    sizes = browser.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    )
    boxes = browser.evaluate(
        "[...document.querySelectorAll('body, body *:not(gl-oed, gl-oed *, link)')]"
        ".map(e => e.getBoundingClientRect()).map(r => [r.x, r.y, r.width, r.height])"
    )
    with Image.open(io.BytesIO(browser.screenshot())) as picture:
        return picture.convert("RGB"), sizes, boxes


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_every_template_measures_and_looks_as_without_the_snippet_and_its_menus_stay_open(
    browser: Browser, template: Template
) -> None:
    with sheet_shop(PAGE, template.body, template.css) as own:
        bare = at_rest(browser, own, "without", SETTLED_S)
        check_same(at_rest(browser, own, "with", SETTLED_S), bare)
    page = replace(PAGE, cells=True, menus=(".menu",))
    with sheet_shop(page, template.body, template.css) as own:
        check_same(at_rest(browser, own, "with", SETTLED_S), bare)
        if template.menu:
            check_menu(browser, *template.menu)


def check_same(guest: AtRest, bare: AtRest) -> None:
    assert guest[1:] == bare[1:]
    assert len(bare[2]) > 10
    assert ImageChops.difference(content(guest[0]), content(bare[0])).getbbox() is None


def check_menu(browser: Browser, head: str, last: str) -> None:
    x_px, y_px = middle(browser, head)
    for step in range(3):  # a hand that comes to rest is reported more than once
        browser.move(x_px + step, y_px)
        time.sleep(0.02)
    browser.move(x_px, middle(browser, last)[1], steps=20)
    assert browser.evaluate(f"document.querySelector('{last}').matches(':hover')")


def test_the_keyboard_never_stops_in_the_snippet(browser: Browser, shop: SheetShop) -> None:
    opened(browser, shop)
    browser.click(*middle(browser, "input"))
    stops = set()
    for _ in range(6):
        browser.key("Tab")
        stops.add(browser.evaluate("document.activeElement.closest('#gloed') !== null"))
    assert stops == {False}


def test_on_a_phone_a_tap_is_a_press_and_stays_until_the_next_one(shop: SheetShop) -> None:
    need("chromium")
    with open_browser("chromium", width=390, height=844, touch=True) as phone:
        phone.goto(shop.url("with"))
        phone.tap(*middle(phone, "input"))
        shop.wait_for("1.p1", "1.h", "1.f", "1.h1", "1.f1", "coarse", "w360", "g800")
        phone.tap(*middle(phone, "#pay"))
        shop.wait_for("2.p1", "2.h", "2.h1")
        assert phone.evaluate("document.documentElement.scrollWidth") == 390
        assert "1.h5" not in shop.asked()
