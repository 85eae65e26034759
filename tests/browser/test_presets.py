"""Presets of shop systems against pages built like those systems build them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from snippets.plan import PRESETS, PlannedZone, preset
from tests.absent import need
from tests.browser.drive import Browser, open_browser

SHOPS = Path(__file__).parents[1] / "snippets" / "shops"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    need("chromium")
    with open_browser("chromium") as browser:
        yield browser


def matches(browser: Browser, page: str, selector: str) -> int:
    """How many elements of that page of the shop; an engine that refuses the selector raises."""
    own = f"[data-page={page}]"
    found = browser.evaluate(
        f"[...document.querySelectorAll({selector!r})].filter(e => e.closest({own!r})).length"
    )
    return int(found)


def as_css(zone: PlannedZone) -> str:
    return zone.zone().selector


@pytest.mark.parametrize("name", PRESETS)
def test_every_zone_of_a_preset_is_on_its_page_and_no_state_holds_at_rest(
    browser: Browser, name: str
) -> None:
    browser.goto((SHOPS / f"{name}.html").as_uri())
    for page in preset(name).page:
        for zone in page.zone:
            if zone.role == "banner":
                assert not any(
                    matches(browser, page.slug, selector)
                    for selector in (zone.selector, *zone.also)
                )
                continue
            assert matches(browser, page.slug, as_css(zone)) >= 1, (page.slug, zone.name)
            for state, selector in zone.zone().states.items():
                assert matches(browser, page.slug, selector) == 0, (page.slug, zone.name, state)
