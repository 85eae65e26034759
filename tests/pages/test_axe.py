"""Every page by the rules of WCAG 2.2 AA, as axe reads them, in both languages and colour schemes.

The pages are those of the router, so that a new one is looked at without being named here.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from playwright.sync_api import Browser

from app.access.session import COOKIE
from app.pages import router
from collector.sites import Site
from tests.absent import leave_out
from tests.app.test_isolation import filled, paths_of
from tests.build import PHONE, Walker, make_shop
from tests.conftest import NOON
from tests.pages.test_browser import WIDE
from tests.pages.test_browser import _needs_chromium as _needs_chromium
from tests.pages.test_browser import chromium as chromium
from tests.serving import Running

BUNDLED_IN = "axe_playwright_python"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LOOKS = tuple(product(("en", "nl"), SCHEMES))
"""Pictures stay away: their size is known, and axe reads no pixels."""
STATES = (
    "?kind=scroll",
    "?kind=attention",
    "?kind=rageclick",
    "?style=zones&marks=folds",
    "?style=confetti&kind=click&colour_by=device",
    "?device=tablet",
    "?kind=heat",
)
"""A map in its other shapes: what has no place, too few visits, a question that cannot be read."""

UNFOLD = "document.querySelectorAll('details').forEach(one => { one.open = true })"
"""What is folded away is hidden from axe too."""

RUN = """tags => axe.run(document, {
    runOnly: {type: 'tag', values: tags}, resultTypes: ['violations'],
}).then(found => found.violations.map(one =>
    `${one.id}: ${one.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(' | ')}`))"""


@pytest.fixture(scope="module")
def axe() -> str:
    found = find_spec(BUNDLED_IN)
    if found is None or found.origin is None:
        leave_out("axe is missing: it comes with the wheel axe-playwright-python")
    return Path(found.origin).with_name("axe.min.js").read_text()


@pytest.fixture
def pages(gloed: Running, designer: httpx.Client, shop: Site) -> list[str]:
    """Addresses of everything that answers with a page, and a shop on trial beside the live one."""
    trial = gloed.do(make_shop(gloed.store, NOON, "Op proef"))
    gloed.context.catalogue.forget()
    walker = Walker(gloed.url, PHONE, "10.0.9.1")
    walker.tell(walker.open(trial, "shipping"), "w400", "coarse", "2.h5")
    designer.post(
        f"/sites/{shop.public_key}/pages/shipping/shares",
        data={"view": "map", "shows": "page", "days": "7"},
        headers={"sec-fetch-site": "same-origin"},
    )
    return list(addresses(designer, shop, trial))


def addresses(designer: httpx.Client, shop: Site, trial: Site) -> Iterator[str]:
    (layout,) = designer.get(
        f"/api/v1/sites/{shop.public_key}/pages/shipping/layouts",
        headers={"accept": "application/json"},
    ).json()["layouts"]
    templates = sorted(set(paths_of(router)))
    for template in templates:
        path = template.replace("{layout}", layout["layout"] if "layout" in layout else "")
        path = filled(path, shop.public_key).replace("{secret}", "x").replace("{token}", "x")
        if "{name}" in path or path == "/sign-out":
            continue
        answer = designer.get(path)
        if answer.headers.get("content-type", "").startswith("text/html"):
            yield path
    page = f"/sites/{shop.public_key}/pages/shipping"
    yield from (page + state for state in STATES)
    yield from (f"/sites/{trial.public_key}{rest}" for rest in ("", "/pages/shipping"))
    yield "/nothing-here"


def looked_at(browser: Browser, cookie: Any, base: str, pages: list[str], axe: str) -> list[str]:
    """What is wrong, by page; runs in the browser's own thread."""
    wrong = []
    for language, scheme in LOOKS:
        context = browser.new_context(
            locale=language,
            color_scheme=scheme,
            viewport={"width": WIDE[0], "height": WIDE[1]},
        )
        context.add_cookies([cookie])
        window = context.new_page()
        window.route("**/*.png*", lambda route: route.abort())
        for path in pages:
            window.goto(base + path)
            window.evaluate(UNFOLD)
            window.evaluate(axe)
            found = window.evaluate(RUN, RULES)
            wrong += [f"{path} ({language}, {scheme}): {one}" for one in found]
        context.close()
    return wrong


def test_no_page_breaks_a_rule(
    gloed: Running,
    designer: httpx.Client,
    pages: list[str],
    chromium: tuple[ThreadPoolExecutor, Browser],
    axe: str,
) -> None:
    thread, browser = chromium
    cookie = {"name": COOKIE, "value": designer.cookies[COOKIE], "url": gloed.url}
    assert len(pages) >= 20
    wrong = thread.submit(looked_at, browser, cookie, gloed.url, pages, axe).result()
    assert "\n".join(wrong) == ""
