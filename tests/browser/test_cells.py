"""Pointer cells, states of fields, and depth without scroll timelines, in three engines."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise

import pytest

from collector.codes import Phase
from collector.sites import Page, Zone
from collector.wire import CELL_COLUMNS, CELL_PX
from tests.browser.drive import Browser, open_browser
from tests.browser.sheet_shop import SheetShop, sheet_shop

QUIET_S = 0.5
WIDTH_PX = 1280
CORNER = (1270, 790)
PAGE = Page(
    1,
    "checkout",
    "Checkout",
    Phase.CHECKOUT,
    False,
    None,
    (
        Zone(1, "Postcode", "#postcode", "field", watches=frozenset({"validity"})),
        Zone(2, "Terms", "#terms", "field", watches=frozenset({"checked"})),
        Zone(3, "Address", "#address", "text", states={"error": ".wrong", "busy": "#address.busy"}),
        Zone(4, "Card", "#card", "field", sensitive=True, watches=frozenset({"validity"})),
    ),
    cells=True,
    menus=(".mega",),
)
BODY = """
<div class="mega"><b>Shop</b><p class="drop">Beans</p></div>
<p id="text">Select some of these words, for they are many and stand in one line.</p>
<form id="form" action="/paid"><input id="postcode" required pattern="[0-9]{4}">
<input id="card" required pattern="[0-9]{4}"><input id="terms" type="checkbox">
<button id="pay" type="button">Pay</button></form>
<div id="address">address</div><div class="tall"></div>
"""
CSS = """
body { margin: 0; font: 16px/24px sans-serif } .mega { height: 40px; width: 200px }
.drop { display: none; position: absolute; top: 40px; left: 0; width: 200px; height: 120px;
  margin: 0; background: #eee; z-index: 5 }
.mega:hover .drop { display: block } #text { margin: 0; height: 80px }
#form { height: 120px } .tall { height: 3000px }
"""


@pytest.fixture(scope="module")
def shop() -> Iterator[SheetShop]:
    with sheet_shop(PAGE, BODY, CSS) as shop:
        yield shop


@pytest.fixture(scope="module")
def browser(engine: str) -> Iterator[Browser]:
    with open_browser(engine, width=WIDTH_PX) as browser:
        yield browser


@pytest.fixture
def opened(browser: Browser, shop: SheetShop) -> Browser:
    browser.move(*CORNER)
    browser.scroll_to(0)
    browser.goto(shop.url("with"))
    return browser


def cells(shop: SheetShop) -> list[tuple[int, int]]:
    """Row and column of the cells that were told, in their order."""
    told = [name[1:].split(".") for name in shop.asked() if name[0] == "c" and name[1].isdigit()]
    return [(int(row), int(column)) for row, column in told]


def under(x_px: float, y_px: float) -> tuple[int, int]:
    return int(y_px // CELL_PX), int(x_px // (WIDTH_PX / CELL_COLUMNS))


def middle(browser: Browser, selector: str) -> tuple[float, float]:
    x0, y0, x1, y1 = browser.box(selector)
    return (x0 + x1) / 2, (y0 + y1) / 2 - browser.evaluate("scrollY")


def test_the_way_of_the_pointer_is_told_cell_by_cell_and_once(
    opened: Browser, shop: SheetShop
) -> None:
    y_px = 620.0
    for x_px in (*range(420, 1000, 20), 420):
        opened.move(x_px, y_px)
        time.sleep(0.01)
    time.sleep(QUIET_S)
    way = [cell for cell in cells(shop) if cell[0] == under(0, y_px)[0]]
    assert sorted(set(way)) == sorted(way), "no cell twice"
    assert {under(x_px, y_px) for x_px in range(420, 1000, 20)} <= set(way)
    assert sum(before > after for before, after in pairwise(way)) <= 1


def test_cells_go_down_the_page_without_making_it_longer(opened: Browser, shop: SheetShop) -> None:
    assert opened.evaluate("document.documentElement.scrollHeight") == 3000 + opened.box(".tall")[1]
    assert opened.evaluate("document.documentElement.scrollWidth") == opened.evaluate(
        "document.documentElement.clientWidth"
    )
    opened.scroll_to(700)
    for y_px in (500, 540):
        opened.move(600, y_px)
        time.sleep(0.2)
    time.sleep(QUIET_S)
    assert under(600, 1240) in cells(shop)


def test_over_what_reacts_to_a_pointer_there_are_no_cells_and_clicks_arrive(
    opened: Browser, shop: SheetShop
) -> None:
    x_px, y_px = middle(opened, "#pay")
    opened.evaluate("void (window.clicks = 0, pay.onclick = () => { clicks += 1 })")
    opened.click(x_px, y_px)
    before = len(cells(shop))
    for step in range(4):
        opened.move(x_px + step, y_px)
    opened.click(x_px, y_px)
    time.sleep(QUIET_S)
    assert opened.evaluate("clicks") == 2
    assert len(cells(shop)) - before <= 1


def test_a_hover_menu_of_the_shop_stays_open_from_its_head_to_its_last_entry(
    opened: Browser, shop: SheetShop
) -> None:
    for y_px in range(10, 150, 5):
        opened.move(100, y_px)
        time.sleep(0.01)
    assert opened.evaluate("getComputedStyle(document.querySelector('.drop')).display") == "block"
    assert opened.evaluate("document.querySelector('.drop').matches(':hover')")


def test_text_can_be_selected_by_dragging(opened: Browser, shop: SheetShop) -> None:
    opened.move(40, 60)
    opened.down()
    opened.move(300, 60, steps=6)
    opened.up()
    assert len(opened.evaluate("getSelection().toString()")) > 10


def test_a_wrong_postcode_and_its_correction_are_told_but_nothing_of_a_sensitive_field(
    opened: Browser, shop: SheetShop
) -> None:
    opened.click(*middle(opened, "#card"))
    opened.type("x")
    opened.click(*middle(opened, "#postcode"))
    opened.type("12")
    opened.click(*middle(opened, "#terms"))
    shop.wait_for("1.i", "2.c")
    opened.click(*middle(opened, "#postcode"))
    opened.key("End")
    opened.type("34")
    opened.click(*middle(opened, "#terms"))
    shop.wait_for("1.v")
    assert shop.asked().index("1.i") < shop.asked().index("1.v")
    assert not {"4.i", "4.v", "4.o", "4.c"} & set(shop.asked())


def test_states_that_the_shop_marks_itself_are_told(opened: Browser, shop: SheetShop) -> None:
    time.sleep(QUIET_S)
    assert not {"3.e", "3.b"} & set(shop.asked())
    opened.evaluate("void document.querySelector('#address').classList.add('wrong')")
    shop.wait_for("3.e")
    opened.evaluate("void document.querySelector('#address').classList.add('busy')")
    shop.wait_for("3.b")


def test_how_far_down_is_told_in_every_engine(opened: Browser, shop: SheetShop) -> None:
    height_px = opened.evaluate("innerHeight")
    opened.scroll_to(1250)
    time.sleep(QUIET_S)
    opened.move(CORNER[0] - 2, CORNER[1])
    time.sleep(QUIET_S)
    scrolled = [int(name[1:]) for name in shop.asked() if name[0] == "y"]
    depths = [int(name[1:]) for name in shop.asked() if name[0] == "z"]
    if scrolled:
        assert depths == [], "an engine tells the one or the other"
        assert max(scrolled) == 1200
    else:
        assert max(depths) == (1250 + height_px) // 400 * 400
