"""One stylesheet for everybody, its integrity checked; the view's token only in the redirect."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from app.clock import SteppedClock
from tests.browser.drive import open_browser
from tests.shop import Shop, shop_with_gloed

VIEWS = 3
PATIENCE_S = 20.0
QUIET_S = 0.3


@pytest.fixture
def shop(database_url: str, clock: SteppedClock) -> Iterator[Shop]:
    with shop_with_gloed(database_url, clock) as opened:
        yield opened


def hovered(shop: Shop) -> int:
    """Views whose hover on the shipping cost arrived."""
    number = next(z.number for z in shop.page.zones if z.selector == "#shipping-cost")
    query = "SELECT count(DISTINCT view_id) FROM beacon WHERE name = $1"
    return int(shop.running.do(shop.running.store.fetchval(query, f"{number}.h")))


@pytest.mark.parametrize("cross", [False, True], ids=["same origin", "cross origin"])
def test_every_view_has_its_own_token_under_a_sheet_whose_integrity_holds(
    shop: Shop, engine: str, cross: bool
) -> None:
    with open_browser(engine) as browser:
        for view in range(1, VIEWS + 1):
            browser.goto(shop.address(cross=cross, integrity=True))
            x0, y0, x1, y1 = browser.box("#shipping-cost")
            browser.move((x0 + x1) / 2, (y0 + y1) / 2, steps=2)
            deadline = time.monotonic() + PATIENCE_S
            while hovered(shop) < view:
                assert time.monotonic() < deadline, f"{engine}: view {view} sent no hover"
                time.sleep(0.05)
            browser.move(900, 30)
    opened = shop.running.do(
        shop.running.store.fetchval("SELECT count(*) FROM beacon WHERE name = 'open'")
    )
    assert hovered(shop) == VIEWS
    assert opened == VIEWS


@pytest.mark.parametrize("cross", [False, True], ids=["same origin", "cross origin"])
def test_a_sheet_that_was_changed_is_refused_by_the_browser(
    shop: Shop, engine: str, cross: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page bears the integrity of one wording, the collector serves another."""
    from dataclasses import replace

    parts = shop.running.context.collector._parts
    changed = replace(parts, sheet=lambda page: _longer(parts.sheet(page)))
    monkeypatch.setattr(shop.running.context.collector, "_parts", changed)
    with open_browser(engine) as browser:
        browser.goto(shop.address(cross=cross, integrity=True))
        x0, y0, x1, y1 = browser.box("#shipping-cost")
        browser.move((x0 + x1) / 2, (y0 + y1) / 2, steps=2)
        browser.move(900, 30)
        # The page's own sheet, fetched afterwards, shows that the browser had its time.
        browser.goto(shop.address(cross=cross, integrity=False))
        time.sleep(QUIET_S)
    names = shop.running.do(shop.running.store.fetch("SELECT name FROM beacon"))
    assert {row["name"] for row in names if "." in row["name"]} == set()


def _longer(sheet: object) -> object:
    import gzip
    from dataclasses import replace

    css = sheet.css + b" "  # type: ignore[attr-defined]
    return replace(sheet, css=css, gzip=gzip.compress(css))  # type: ignore[type-var]
