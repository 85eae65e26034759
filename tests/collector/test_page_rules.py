"""Pages by path: which page a view is of where one fragment stands on every page alike."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from collector.codes import Phase
from collector.decode import Batch
from collector.hits import Beacon, Hit, Opening, Script, Thanks
from collector.page_rules import (
    LONGEST_GLOB,
    MOST_STARS,
    PageRule,
    page_by_path,
    plain_glob,
    wrong_glob,
)
from collector.sieve import known_page, of_its_path, sift
from collector.sites import Page, Zone
from collector.tokens import Token
from collector.wire import MAX_PATH_BYTES
from tests.collector.build import PAGE, SITE, a_hit

SHOP = Page(1, "shop", "Shop", Phase.BROWSE, goal=False, bandwidth_px=None)
PRODUCT = replace(PAGE, page_id=2, slug="product", zones=(Zone(1, "buy", "#buy"),))
CHECKOUT = replace(PAGE, page_id=3, slug="checkout")
RULES = (
    PageRule("/product/cadeaubon", 3),
    PageRule("/product/*", 2),
    PageRule("/*/kassa", 3),
    PageRule("/weg", 99),
)
RULED = replace(SITE, pages={one.slug: one for one in (SHOP, PRODUCT, CHECKOUT)}, page_rules=RULES)


def page_of(hit: Hit) -> str | None:
    kept = sift(hit, (known_page, of_its_path))
    assert isinstance(kept, Hit)
    return kept.page.slug if kept.page else None


@pytest.mark.parametrize(
    ("referrer", "slug"),
    [
        ("https://shop.nl/product/rode-fiets?ref=mail#top", "product"),
        ("https://shop.nl/product/cadeaubon/", "checkout"),
        ("https://shop.nl/product/a/b", "product"),
        ("https://shop.nl/nl/kassa", "checkout"),
        ("https://shop.nl/%6bassa/kassa", "checkout"),
        ("https://shop.nl/Product/x", "shop"),
        ("https://shop.nl/over-ons", "shop"),
        ("https://shop.nl/weg", "shop"),
        ("https://shop.nl/", "shop"),
        ("https://shop.nl", "shop"),
        ("", "shop"),
    ],
)
def test_the_first_rule_that_matches_the_path_says_which_page_it_is(
    referrer: str, slug: str
) -> None:
    assert page_of(a_hit(Opening("shop", None), site=RULED, referrer=referrer)) == slug


def test_a_page_with_zones_is_pasted_for_itself() -> None:
    """Its fragment, and the script in it, number the zones of that page."""
    hit = a_hit(Opening("product", None), site=RULED, referrer="https://shop.nl/nl/kassa")
    assert page_of(hit) == "product"


def a_script(path: str | None, token: Token | None = None) -> Script:
    told: dict[str, Any] = {"seq": 0, "ref": None, "viewport": (1, 1), "page": (1, 1), "n": 0}
    batch = Batch(
        token=None, view_id=1, opened_min=1, slug="shop", path=path, trail=b"", events=b"", **told
    )
    return Script(batch, token)


def test_the_script_tells_its_path_and_a_sheet_that_was_given_out_decides_for_good() -> None:
    referrer = "https://shop.nl/nl/kassa"
    assert page_of(a_hit(a_script("/product/x"), site=RULED, referrer=referrer)) == "product"
    assert page_of(a_hit(a_script(None), site=RULED, referrer=referrer)) == "checkout"
    token = Token(1, 1, 1, 1)
    assert page_of(a_hit(a_script("/product/x", token), site=RULED)) == "shop"
    assert page_of(a_hit(Beacon(token, "7.h"), site=RULED, referrer=referrer)) == "shop"
    assert page_of(a_hit(Thanks(None), site=RULED, referrer=referrer)) is None


@pytest.mark.parametrize(
    "glob",
    [
        "product",
        "/",
        "",
        "/*" * (MOST_STARS + 1),
        "/[a-z]*",
        "/a b",
        "/a?b",
        "/a#b",
        "/a;b",
        "/a\n",
        "/" + "a" * LONGEST_GLOB,
    ],
)
def test_a_pattern_that_would_surprise_is_refused(glob: str) -> None:
    assert wrong_glob(glob)


def test_a_pattern_is_read_as_paths_are_written() -> None:
    assert plain_glob(" //product//*/ ") == "/product/*"
    assert plain_glob("checkout/") == "/checkout"
    assert wrong_glob("/product/*") is None


def test_no_path_takes_a_pattern_long() -> None:
    """Ways to divide it among the stars there are 10^13 of: whoever tried them would not end."""
    glob = "/" + "*a" * MOST_STARS + "b"
    assert wrong_glob(glob) is None
    path = "/" + "a" * (MAX_PATH_BYTES - 1)
    assert page_by_path((PageRule(glob, 1),), path) is None
