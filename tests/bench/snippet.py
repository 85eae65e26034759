"""What the script-free snippet costs a page: bytes, requests of a visit, style and load time.

`make bench-snippet`. A checkout page is opened in Chromium without the snippet, with it, and with
pointer cells, by turns; what is printed as time is the difference of medians to the page without.
"""

from __future__ import annotations

import gzip
import json
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from snippets.html import snippet_html
from snippets.script.build import script
from snippets.sheet import WATCHES, stylesheet
from tests.bench.script_cost import script_cost
from tests.browser.by_playwright import PlaywrightEngine
from tests.browser.drive import Browser, open_browser
from tests.browser.sheet_shop import BODY, PAGE, SHOP_CSS, SITE_KEY, SheetShop, sheet_shop
from tests.snippets.build import FIVE, page_of

ROUNDS = 15
"""Page loads of each form: their median differs by a tenth from run to run."""

SETTLED_S = 0.3
"""After the load event: style work of the first frames is done."""

PEERS_GZ = {
    "GoatCounter count.js (page views)": 3300,
    "Medama (page views and clicks)": 1000,
}
"""Published sizes, taken over and not measured here; of Medama the upper end of 0.8 to 1.0 KB."""

FORMS = ("without", "plain", "cells")


def sizes() -> dict[str, int]:
    """Bytes, gzipped, of five zones with every timer and state."""
    page = page_of(*(replace(zone, watches=frozenset(WATCHES)) for zone in FIVE))
    found = {"script_gz": len(script().gzip)}
    for name, one in (("", page), ("_cells", replace(page, cells=True))):
        html = snippet_html(site_key=SITE_KEY, page=one)
        found[f"html{name}_gz"] = len(gzip.compress(html.encode(), 9, mtime=0))
        found[f"stylesheet{name}_gz"] = len(stylesheet(one).gzip)
    return found


@contextmanager
def shops() -> Iterator[dict[str, SheetShop]]:
    with ExitStack() as stack:
        plain = stack.enter_context(sheet_shop(PAGE, BODY, SHOP_CSS))
        cells = stack.enter_context(sheet_shop(replace(PAGE, cells=True), BODY, SHOP_CSS))
        yield {"without": plain, "plain": plain, "cells": cells}


def load(browser: PlaywrightEngine, shop: SheetShop, form: str) -> dict[str, float]:
    """Milliseconds that Chromium spent on one load: on style, on layout, and until `load`."""
    browser.goto("about:blank")
    before = browser.work()
    browser.goto(shop.url("without" if form == "without" else "with"))
    time.sleep(SETTLED_S)
    after = browser.work()
    loaded_ms = browser.evaluate("performance.getEntriesByType('navigation')[0].loadEventStart")
    spent = {
        name: (after[metric] - before[metric]) * 1000
        for name, metric in (("style", "RecalcStyleDuration"), ("layout", "LayoutDuration"))
    }
    return {**spent, "load": float(loaded_ms)}


def costs(browser: PlaywrightEngine, of: dict[str, SheetShop]) -> dict[str, dict[str, float]]:
    rounds: dict[str, list[dict[str, float]]] = {form: [] for form in FORMS}
    for _ in range(ROUNDS):
        for form in FORMS:
            rounds[form].append(load(browser, of[form], form))
    return {
        form: {name: statistics.median(one[name] for one in seen) for name in seen[0]}
        for form, seen in rounds.items()
    }


def visit(browser: Browser, shop: SheetShop) -> int:
    """How many requests a short, lively visit makes, the sheet's two among them."""
    browser.goto(shop.url("with"))
    x0, y0, x1, y1 = browser.box("input")
    browser.move((x0 + x1) / 2, (y0 + y1) / 2, steps=30)
    browser.click((x0 + x1) / 2, (y0 + y1) / 2)
    browser.type("jan@example.nl")
    time.sleep(2.2)
    x0, y0, x1, y1 = browser.box("#pay")
    for _ in range(3):
        browser.click((x0 + x1) / 2, (y0 + y1) / 2)
        time.sleep(0.2)
    browser.move(900, 600, steps=40)
    for _ in range(8):
        browser.wheel(200)
        time.sleep(0.2)
    time.sleep(1.5)
    return len(shop.asked()) + 2


def main() -> None:
    figures: dict[str, float] = dict(sizes())
    with shops() as of, open_browser("chromium") as browser:
        assert isinstance(browser, PlaywrightEngine)
        spent = costs(browser, of)
        figures["requests_per_visit"] = visit(browser, of["plain"])
        figures["requests_per_visit_cells"] = visit(browser, of["cells"])
        figures |= script_cost(browser)
    print(f"{'':10}{'style ms':>10}{'layout ms':>11}{'load ms':>9}")
    for form, told in spent.items():
        print(f"{form:10}{told['style']:10.1f}{told['layout']:11.1f}{told['load']:9.1f}")
    for form, suffix in (("plain", ""), ("cells", "_cells")):
        for name in ("style", "load"):
            figures[f"{name}_ms{suffix}"] = round(spent[form][name] - spent["without"][name], 1)
    for name, size in {"Gloed's script": figures["script_gz"], **PEERS_GZ}.items():
        print(f"{name:36}{size:8.0f} bytes gzipped")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
