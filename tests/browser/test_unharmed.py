"""What visitors do on a shop's page, and what the page makes of it: as without the snippet."""

from __future__ import annotations

import re
import time
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from tests.browser.drive import NOT_DRIVABLE, Browser, Unsupported
from tests.browser.sheet_shop import PAGE, SheetShop, sheet_shop

Tell = Callable[[str, object], None]

PATIENCE_S = 10.0
CORNER = (1270, 790)
WHEEL_PX = 120

BODY = """
<ul class="menu"><li>Bonen<ul class="drop"><li id="filter">Filter</li></ul></li></ul>
<p id="text">Deze zin is lang genoeg om er een deel van te selecteren met de muis.</p>
<form id="form" action="/paid"><input name="email"><select id="land"><option>Nederland</option>
<option>Duitsland</option></select><label><input id="agree" type="checkbox"> Akkoord</label>
<button id="pay" type="button">Betalen</button></form>
<div id="drag" draggable="true">tas</div><div id="drop">mandje</div>
<div id="inner"><p>veel</p></div><p class="tall"></p>
<p id="terms"><a href="/terms">Voorwaarden</a></p>
"""
CSS = """
body { margin: 20px; font: 16px/24px sans-serif }
.menu, .drop { margin: 0; padding: 0; width: 120px }
.drop { display: none; position: absolute; background: #eee }
.menu > li:hover > .drop { display: block }
#drag, #drop { width: 120px; height: 48px; background: #eee; margin: 8px 0 }
#inner { height: 100px; width: 300px; overflow: auto } #inner p { height: 900px; margin: 0 }
.tall { height: 1800px }
"""
WITH_CELLS = replace(PAGE, cells=True, menus=(".menu",))

HEARD = (
    "click dblclick mousedown mouseup keydown keyup input change focusin focusout dragstart drop"
)
LISTENING = f"""void (window.heard = [],
window.note = e => heard.push(e.type + " " +
  (e.target.id || e.target.name || e.target.localName || "page") + " " + (e.key || "")),
"{HEARD}".split(" ").forEach(name => addEventListener(name, note, true)),
document.querySelector("#drop").addEventListener("dragover", e => e.preventDefault()),
[".menu > li", "#pay", "#agree", "select"].forEach(one => ["mouseenter", "mouseleave"].forEach(
  name => document.querySelector(one).addEventListener(name, note))))"""
CAME_OF_IT = """[document.querySelector("[name=email]").value,
document.querySelector("#land").value, document.querySelector("#agree").checked,
document.activeElement.localName,
document.querySelector("#inner").scrollTop, scrollY]"""
BOXES = """[...document.querySelectorAll("body, body *:not(gl-oed, gl-oed *, link)")]
.map(e => e.getBoundingClientRect()).map(r => [r.x, r.y, r.width, r.height])"""
SETTLED = "performance.getEntriesByType('navigation')[0].loadEventEnd > 0"


@pytest.fixture(scope="module")
def shop() -> Iterator[SheetShop]:
    with sheet_shop(WITH_CELLS, BODY, CSS) as shop:
        yield shop


def opened(browser: Browser, shop: SheetShop, page: str) -> None:
    browser.move(*CORNER)
    browser.goto(shop.url(page))
    browser.scroll_to(0)


def middle(browser: Browser, selector: str) -> tuple[float, float]:
    x0, y0, x1, y1 = browser.box(selector)
    return (x0 + x1) / 2, (y0 + y1) / 2 - browser.evaluate("scrollY")


def until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def everything_done(browser: Browser) -> tuple[list[str], Any, str]:
    """What the page heard of a visitor's hands, what came of it, and what text was selected."""
    browser.evaluate(LISTENING)
    by_mouse(browser)
    selected: str = browser.evaluate("getSelection().toString()")
    by_keyboard(browser)
    by_wheel(browser)
    heard: list[str] = browser.evaluate("heard")
    return heard, browser.evaluate(CAME_OF_IT), selected


def go_to(browser: Browser, x_px: float, y_px: float) -> None:
    """As a hand does, whose coming to rest is reported more than once, and which acts then: the
    cell that it came over is gone."""
    for step in (2, 1, 0):
        browser.move(x_px - step, y_px)
    ours = f"!!document.elementFromPoint({x_px}, {y_px}).closest('gl-oed')"
    until(lambda: not browser.evaluate(ours), "a cell stays under the pointer")


def by_mouse(browser: Browser) -> None:
    x_px, y_px = middle(browser, ".menu > li")
    browser.move(x_px, y_px)
    browser.move(x_px + 2, y_px)
    until(lambda: browser.evaluate("document.querySelector('#filter').offsetHeight > 0"), "closed")
    browser.click(*middle(browser, "#filter"))
    browser.click(*middle(browser, "#pay"))
    browser.click(*middle(browser, "#agree"))
    x0, y0, *_ = browser.box("#text")
    go_to(browser, x0 + 4, y0 + 12)
    browser.down()
    browser.move(x0 + 204, y0 + 12, steps=6)
    browser.up()


def by_keyboard(browser: Browser) -> None:
    browser.click(*middle(browser, "[name=email]"))
    browser.type("jan@example.nl")
    browser.key("Tab")
    browser.key("ArrowDown")
    browser.key("Tab")
    browser.key("Space")
    browser.key("Shift+Tab")


def by_wheel(browser: Browser) -> None:
    for over, scrolled in SCROLLERS.items():
        go_to(browser, *middle(browser, over))
        browser.wheel(WHEEL_PX)
        until(partial(is_scrolled, browser, scrolled), f"{scrolled} stays what it was")


SCROLLERS = {"#inner": "document.querySelector('#inner').scrollTop", "#text": "scrollY"}


def is_scrolled(browser: Browser, scrolled: str) -> bool:
    return bool(browser.evaluate(scrolled) == WHEEL_PX)


def test_mouse_keyboard_and_wheel_do_on_a_page_what_they_do_without_the_snippet(
    browser: Browser, shop: SheetShop
) -> None:
    opened(browser, shop, "without")
    bare = everything_done(browser)
    opened(browser, shop, "with")
    shop.wait_for("t1")
    guest = everything_done(browser)
    assert guest[1:] == bare[1:]
    assert guest[0] == bare[0]
    assert {"click filter ", "click pay ", "change agree ", "keydown email j"} <= set(bare[0])
    assert len(bare[2]) > 10, "nothing was selected"


def test_what_can_be_dragged_is_dragged_and_dropped(
    browser: Browser, shop: SheetShop, record_property: Tell
) -> None:
    opened(browser, shop, "with")
    browser.evaluate(LISTENING)
    x_px, y_px = middle(browser, "#drag")
    go_to(browser, x_px, y_px)
    browser.down()
    browser.move(x_px + 4, y_px + 8, steps=4)
    browser.move(*middle(browser, "#drop"), steps=8)
    browser.up()
    wanted = {"dragstart drag "}
    if browser.name == "chromium":
        wanted.add("drop drop ")
    else:
        tell = f"{browser.name}'s driver ends no drag with a drop, on no page; use chromium"
        record_property(NOT_DRIVABLE, tell)
    until(lambda: wanted <= set(browser.evaluate("heard")), f"{wanted} were not heard of")


def is_drivable(
    act: Callable[[], Any], browser: Browser, engines: Collection[str], tell: Tell
) -> bool:
    """Whether an engine's driver can do it; where it cannot, the run's summary says why."""
    if browser.name in engines:
        return True
    with pytest.raises(Unsupported) as refused:
        act()
    tell(NOT_DRIVABLE, str(refused.value))
    return False


def test_a_page_is_printed_as_without_the_snippet(
    browser: Browser, shop: SheetShop, record_property: Tell
) -> None:
    if is_drivable(browser.pdf, browser, ("chromium", "firefox"), record_property):
        assert printed(browser, shop, "with") == printed(browser, shop, "without")


def printed(browser: Browser, shop: SheetShop, page: str) -> list[bytes]:
    """All that the paper holds, but for the moment at which it was made and the table of places."""
    opened(browser, shop, page)
    found = re.finditer(
        rb"(<<[^\0]{0,400}?>>)\s*stream\r?\n(.*?)\r?\nendstream", browser.pdf(), re.S
    )
    parts = [one[2] for one in found if b"/XRef" not in one[1]]
    assert parts
    return [re.sub(rb"/(Creation|Mod)Date\s*\([^)]*\)", b"", unpacked(part)) for part in parts]


def unpacked(part: bytes) -> bytes:
    with suppress(zlib.error):
        return zlib.decompress(part)
    return part


def test_a_screen_reader_is_given_the_page_as_without_the_snippet(
    browser: Browser, shop: SheetShop, record_property: Tell
) -> None:
    if is_drivable(browser.accessibility, browser, ("chromium",), record_property):
        bare = given(browser, shop, "without")
        assert given(browser, shop, "with") == bare
        assert bare["button", "Betalen"] == 1


def given(browser: Browser, shop: SheetShop, page: str) -> Counter[tuple[str, str]]:
    opened(browser, shop, page)
    return Counter((role, name) for role, name, ignored in browser.accessibility() if not ignored)


def test_no_image_of_a_slow_collector_holds_up_the_load_event(browser: Browser) -> None:
    """The pointer rests on a zone from the beginning: that is asked for at once. And a shop of its
    own: over http, WebKit asks at once for a held image that it has in memory."""
    with sheet_shop(PAGE, BODY, CSS) as shop:
        opened(browser, shop, "without")
        browser.move(*middle(browser, "#pay"))
        with shop.slow("image"):
            browser.goto(shop.url("with"))
            until(lambda: browser.evaluate(SETTLED), "the load event waits for an image")
            assert shop.answered == 0
        shop.wait_for("t1")


def test_a_page_can_be_used_while_the_stylesheet_is_on_its_way(
    browser: Browser, shop: SheetShop
) -> None:
    opened(browser, shop, "without")
    boxes = browser.evaluate(BOXES)
    with shop.slow("sheet"):
        views = shop.views()
        browser.evaluate(f"void (location.href = {shop.url('with')!r})")
        until(lambda: shop.views() > views, "the sheet was never asked for")
        until(lambda: browser.evaluate(BOXES) == boxes, "not there as without it")
        browser.click(*middle(browser, "#agree"))
        assert browser.evaluate("document.querySelector('#agree').checked")
    until(lambda: browser.evaluate(SETTLED), "never loaded")


def test_a_page_loads_and_measures_as_without_the_snippet_where_nobody_answers(
    browser: Browser, shop: SheetShop
) -> None:
    opened(browser, shop, "without")
    boxes = browser.evaluate(BOXES)
    opened(browser, shop, "gone")
    assert browser.evaluate(BOXES) == boxes


def test_under_an_empty_stylesheet_a_page_asks_for_nothing(browser: Browser) -> None:
    """As whoever opted out or did not consent is sent; in a shop of its own, see above."""
    with sheet_shop(PAGE, BODY, CSS) as shop:
        opened(browser, shop, "away")
        browser.move(*middle(browser, "#pay"))
        until(lambda: browser.evaluate("performance.now() > 1500"), "the page's clock stands")
        assert (shop.asked(), shop.held) == ([], 0)
        opened(browser, shop, "with")
        until(lambda: shop.held == 1, "otherwise it is asked for")
