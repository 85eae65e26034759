"""What `gloed capture --engines` measures, in every engine: the same zones in the same places.

Playwright's own Firefox and WebKit may lack on a machine; here each engine is driven as all browser
tests drive it, and looks at a saved page by the capture's own measure.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from app.picturing import headless
from app.picturing.capture import Captured, capture, compare_engines
from collector.sites import Zone
from tests.browser.drive import Browser

T = TypeVar("T")
WIDTHS_PX = (1280, 1024)

ZONES = (
    Zone(1, "Menu", "#menu"),
    Zone(2, "Betalen", "#pay"),
    Zone(3, "Regel", "#row"),
    Zone(4, "Verborgen", "#hidden"),
)
PAGE = """<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<style>
  html { scrollbar-width: none }
  body { margin: 0; height: 2400px; font: 16px sans-serif }
  #menu { position: sticky; top: 0; height: 60px }
  #list { position: absolute; left: 100px; top: 300px; width: 400px; height: 200px; overflow: auto }
  #row { height: 50px; width: 300px; margin-top: 20px }
  #long { height: 900px }
  #pay { position: absolute; left: 40%; top: 1200px; width: 30%; height: 48px }
  #hidden { visibility: hidden; height: 40px }
</style>
<div id="menu"></div><div id="list"><div id="row"></div><div id="long"></div></div>
<div id="pay"></div><div id="hidden"></div>"""


class Looking:
    """An engine as a capture asks for it, by the driver of these tests."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.engine = browser.name

    def visit(self, url: str, width_px: int, see: Callable[[Any], T], **_: object) -> T:
        self._browser.viewport(width_px, headless.DESKTOP_HEIGHT_PX)
        self._browser.goto(url)
        return see(self)

    def evaluate(self, script: str, selectors: list[str]) -> Any:
        return self._browser.evaluate(f"({script})({json.dumps(selectors)})")

    def wait_for_timeout(self, _milliseconds: float) -> None:
        """The driver's own way to and from the browser takes as long."""

    def screenshot(self, **_: object) -> bytes:
        return self._browser.screenshot()


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(PAGE)
    return path


@pytest.fixture(scope="module")
def captures(saved: Path) -> list[Captured]:
    """As the first engine has it: Chromium, by Playwright."""
    return capture(str(saved), ZONES, widths=WIDTHS_PX)


def test_every_engine_measures_the_zones_where_the_capture_has_them(
    browser: Browser, saved: Path, captures: list[Captured]
) -> None:
    there: Any = Looking(browser)
    assert (
        compare_engines(str(saved), ZONES, captures, [], widths=WIDTHS_PX, browsers=[there]) == []
    )
    placements = {box.number: box.placement for box in captures[0].boxes}
    assert placements == {1: "fixed", 2: "flow", 3: "inner"}


def test_a_zone_that_an_engine_puts_elsewhere_is_told(
    browser: Browser, saved: Path, captures: list[Captured]
) -> None:
    moved = saved.with_name("moved.html")
    moved.write_text(PAGE.replace("top: 1200px", "top: 1210px"))
    there: Any = Looking(browser)
    told = compare_engines(str(moved), ZONES, captures, [], widths=WIDTHS_PX, browsers=[there])
    assert [one.width_px for one in told] == list(WIDTHS_PX)
    for one in told:
        assert one.engine == browser.name
        assert one.off_px == pytest.approx({"Betalen": 10.0}, abs=0.5)
