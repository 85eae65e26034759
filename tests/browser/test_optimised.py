"""Pages that an optimiser has been over: the snippet works, or is silent and hurts nothing; and
either way it is recognised what happened to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
import pytest

from app.checking.pasted import read_pasted
from app.closing.day import QUARANTINED, close_day
from tests.browser.drive import Browser
from tests.browser.optimisers import WORDPRESS, Optimised, combined, lazy, minified, without_unused
from tests.browser.whole_shop import COST, PAY, POSTCODE, WholeShop, whole_shop
from tests.conftest import own_database

PATIENCE_S = 10.0
Optimiser = Callable[[str, str], Optimised]

WORKING: dict[str, Optimiser] = {
    "minified": minified,
    "combined, marks obeyed": partial(combined, obeying=True),
    "unused rules removed, marks obeyed": partial(without_unused, obeying=True),
    "lazy, marks obeyed": partial(lazy, obeying=True),
    "lazy": lazy,
}
SILENT: dict[str, Optimiser] = {
    "combined by a robot": partial(combined, agent=WORDPRESS),
    "unused rules removed by a robot": partial(without_unused, agent=WORDPRESS),
}
COPYING: dict[str, Optimiser] = {"combined": combined, "unused rules removed": without_unused}
DO = {
    "198.51.100.1": ("#pay", f"{PAY}.p1"),
    "198.51.100.2": ("#postcode", f"{POSTCODE}.p1"),
    "198.51.100.3": ("#cost", f"{COST}.p1"),
}
"""What each visitor does, by address: a view's beacon is kept once, so that visitors who do all the
same add nothing to it, and are not told apart."""


@pytest.fixture(scope="module")
def shop(server_url: str, template: str) -> Iterator[WholeShop]:
    with own_database(server_url, template) as url, whole_shop(url) as shop:
        yield shop


def placed(shop: WholeShop, name: str, optimiser: Optimiser) -> str:
    """The address of the page as the optimiser makes it; its own fetch is a view of nobody's."""
    made = optimiser(httpx.get(shop.url("walk")).text, shop.url("walk"))
    path = f"/optimised/{name.replace(' ', '-').replace(',', '')}"
    shop.placed[path] = "text/html; charset=utf-8", made.html
    for file, content in made.files.items():
        shop.placed[f"/{file}"] = "text/css", content.decode()
    return f"{shop.running.url}{path}"


def at_rest(browser: Browser, url: str) -> Any:
    """The page's size and the boxes of the shop's elements."""
    browser.move(1270, 790)
    browser.goto(url)
    return browser.evaluate(
        "[document.documentElement.scrollHeight, ...[...document.querySelectorAll("
        "'body, body *:not(gl-oed, gl-oed *, link)')]"
        ".map(e => e.getBoundingClientRect()).map(r => [r.x, r.y, r.width, r.height])]"
    )


def click(browser: Browser, selector: str) -> None:
    x0, y0, x1, y1 = browser.box(selector)
    browser.click((x0 + x1) / 2, (y0 + y1) / 2)


def wait_for(shop: WholeShop, view_id: int, *names: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while missing := set(names) - set(shop.arrived(view_id)):
        assert time.monotonic() < deadline, f"{missing} never arrived"
        time.sleep(0.02)


def faults(shop: WholeShop, url: str) -> str:
    return "; ".join(fault.told for fault in read_pasted(httpx.get(url).text).faults())


@pytest.mark.parametrize("name", WORKING)
def test_the_snippet_works_on_a_page_whose_optimiser_leaves_its_stylesheet_alone(
    browser: Browser, shop: WholeShop, name: str
) -> None:
    url = placed(shop, name, WORKING[name])
    bare = at_rest(browser, shop.url("bare"))
    assert at_rest(browser, url) == bare
    click(browser, "#pay")
    wait_for(shop, shop.views("walk")[-1], f"{PAY}.p1", "t1")
    told = faults(shop, url)
    assert told == "" if "obeyed" in name or name == "minified" else "lazy loader" in told


@pytest.mark.parametrize("name", SILENT)
def test_an_optimiser_that_says_what_it_is_copies_an_empty_sheet(
    browser: Browser, shop: WholeShop, name: str
) -> None:
    views = shop.views("walk")
    url = placed(shop, name, SILENT[name])
    bare = at_rest(browser, shop.url("bare"))
    assert at_rest(browser, url) == bare
    assert shop.views("walk") == views
    assert "its stylesheet's link is not" in faults(shop, url)


@pytest.mark.parametrize("name", COPYING)
def test_a_copied_stylesheet_hurts_nothing_and_what_it_tells_is_set_aside(
    browser: Browser, shop: WholeShop, name: str
) -> None:
    bare = at_rest(browser, shop.url("bare"))
    url = placed(shop, name, COPYING[name])
    view_id = shop.views("walk")[-1]
    for address, (selector, beacon) in DO.items():
        shop.addresses.append(address)
        assert at_rest(browser, url) == bare
        click(browser, selector)
        wait_for(shop, view_id, beacon)
    shop.addresses.clear()
    assert shop.views("walk")[-1] == view_id, "none of them opened a view"
    assert quarantined(shop, view_id)
    assert "its stylesheet's link is not" in faults(shop, url)


def quarantined(shop: WholeShop, view_id: int) -> bool:
    now = datetime.now(UTC)
    shop.running.do(close_day(shop.running.store, shop.site, shop.site.day_of(now), now))
    (row,) = shop.fetch(
        "SELECT flags FROM visit JOIN view USING (site_id, visit_id) WHERE view_id = $1", view_id
    )
    return bool(row["flags"] & QUARANTINED)
