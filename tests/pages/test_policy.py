"""What holds for every page: nothing from elsewhere, no script, no inline style, one policy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from fastapi import FastAPI

from app.access.keys import new_sign_in_link
from app.clock import SteppedClock
from app.embedding import mount
from app.picturing.layouts import layout_name
from tests.build import make_shop
from tests.conftest import NOON, emptied
from tests.pages.conftest import PATIENCE_S, put_picture, signed_in, visited_shop
from tests.pages.sheet import Element, Sheet
from tests.serving import FROM_OURS, Running, served, settings_for

ADDRESSES = ("href", "src", "action", "srcset", "poster", "data", "formaction", "xlink:href")
UNLABELLED = ("radio", "checkbox", "hidden", "image")
"""Within their label, not to be seen, or named as pictures are."""

POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


ROOMS = (
    "settings",
    "settings/pages",
    "settings/pages/shipping",
    "settings/paths",
    "settings/changes",
    "settings/access",
    "snippet",
    "snippet?page=shipping&script=on",
    "snippet?page=shipping&base=//",
)
PRESSED = ("", "?at.x=5&at.y=9", "?from=5,9&to=90,80")


@pytest.fixture(scope="module")
def pages(house: Running) -> list[httpx.Response]:
    """One of each: shops, maps of every kind, few visits, wrong values, problems, the door."""
    gloed = emptied(house)
    shop = visited_shop(gloed)
    trying = gloed.do(make_shop(gloed.store, NOON, "Bloemen"))
    here = f"/sites/{shop.public_key}/pages"
    picture = layout_name(put_picture(gloed, shop))
    paths = [
        "/",
        "/?follow=on",
        *(f"{here}/shipping?kind={kind}" for kind in ("stall", "click", "move", "scroll")),
        f"{here}/cart",
        f"{here}/shipping/stalls",
        f"{here}/shipping/form",
        f"/sites/{trying.public_key}/pages/payment/stalls",
        f"{here}/shipping?bandwidth=0&foo=bar",
        f"/sites/{trying.public_key}/pages/payment",
        f"/sites/{trying.public_key}/privacy",
        f"/sites/{trying.public_key}/check",
        f"/sites/{shop.public_key}/check",
        f"{here}/shipping/layouts",
        f"{here}/cart/layouts",
        *(f"{here}/shipping/layouts/{picture}{pressed}" for pressed in PRESSED),
        *(f"/sites/{shop.public_key}/{room}" for room in ROOMS),
        f"/sites/{trying.public_key}/settings",
        "/shared/nothing",
        "/nothing/here",
        "/sign-in/used",
    ]
    stranger = httpx.get(f"{gloed.url}/", headers={"accept": "text/html"})
    with signed_in(gloed) as designer:
        looked = designer.post(f"/sites/{shop.public_key}/check", data={"html": "<p>"})
        return [stranger, looked, *(designer.get(path) for path in paths)]


def test_every_page_is_under_the_policy(pages: list[httpx.Response]) -> None:
    for page in pages:
        told = page.headers
        assert told["content-security-policy"] == POLICY, page.url
        assert told["x-content-type-options"] == "nosniff"
        assert told["referrer-policy"] == "no-referrer"
        assert told["cache-control"] == "private, no-store"
        assert told["content-type"] == "text/html; charset=utf-8"


def test_asked_for_its_headers_a_page_has_them_and_nothing_more(
    designer: httpx.Client, pages: list[httpx.Response]
) -> None:
    for page in pages[-3:]:
        asked = designer.head(page.url)
        assert (asked.status_code, asked.content) == (page.status_code, b"")


def test_no_page_has_a_script_or_an_inline_style(pages: list[httpx.Response]) -> None:
    for page in pages:
        for element in Sheet(page.text).elements:
            assert element.tag not in ("script", "style", "iframe", "object", "embed", "base")
            for name, value in element.attributes.items():
                assert name != "style", page.url
                assert not name.startswith("on"), page.url
                assert "javascript:" not in value.lower()


def test_nothing_is_loaded_from_elsewhere(pages: list[httpx.Response]) -> None:
    for page in pages:
        for address in addresses(Sheet(page.text)):
            there = urljoin(str(page.url), address)
            assert urlsplit(there).netloc == urlsplit(str(page.url)).netloc, address


def test_the_style_sheet_asks_for_nothing_and_may_be_kept(designer: httpx.Client) -> None:
    sheet = Sheet(designer.get("/").text).all("link", rel="stylesheet")[0]
    answer = designer.get(sheet.attributes["href"])
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"url\(|@import|expression", answer.text)


def test_every_page_can_be_read_aloud(pages: list[httpx.Response]) -> None:
    """One heading of the first level, a language, a title, a way past the header, named fields."""
    for page in pages:
        sheet = Sheet(page.text)
        assert sheet.all("html", lang="en")
        assert sheet.all("title")[0].text
        assert len(sheet.all("h1")) == 1, page.url
        assert sheet.all("a", href="#main")
        ids = [e.attributes["id"] for e in sheet.elements if "id" in e.attributes]
        assert len(ids) == len(set(ids)), page.url
        for element in sheet.elements:
            assert_named(element, sheet, ids)


def assert_named(element: Element, sheet: Sheet, ids: list[str]) -> None:
    given = element.attributes
    if element.tag in ("input", "select", "textarea") and given.get("type") not in UNLABELLED:
        assert given.get("aria-label") or sheet.all("label", **{"for": given["id"]})
    if given.get("type") == "image":
        assert given["alt"]
    if element.tag == "img":
        assert "alt" in given
        assert {"width", "height"} <= set(given)
    if element.tag in ("a", "button"):
        assert element.text
    for name in ("aria-labelledby", "aria-describedby"):
        assert set(given.get(name, "").split()) <= set(ids)


@pytest.fixture
def mounted(database_url: str, clock: SteppedClock) -> Iterator[tuple[httpx.Client, str]]:
    """A designer signed in to a Gloed below a path of another application."""
    outer = FastAPI()
    inner = mount(outer, "/insight", settings_for(database_url), clock=clock)
    browser = httpx.Client(headers={"accept": "text/html"}, timeout=PATIENCE_S)
    with served(outer) as (url, loop), browser as client:
        running = Running(url, inner, clock, loop, database_url)
        site = running.do(make_shop(running.store, NOON))
        link = running.do(new_sign_in_link(running.store, NOON))
        answer = client.post(f"{url}/insight{link}", headers=FROM_OURS)
        assert answer.next_request is not None
        assert str(answer.next_request.url) == f"{url}/insight/"
        yield client, f"{url}/insight/sites/{site.public_key}/pages/shipping"


def test_below_another_path_every_address_leads_back_into_gloed(
    mounted: tuple[httpx.Client, str],
) -> None:
    client, page = mounted
    root = page[: page.index("/sites/")]
    for start in (f"{root}/", page, f"{root}/nothing/here"):
        for address in addresses(Sheet(client.get(start).text)):
            there = urljoin(start, address)
            assert there.startswith(f"{root}/"), address
            if not there.endswith("/sign-out"):
                assert client.get(there).status_code == 200, there
    out = client.post(f"{root}/sign-out")
    assert out.next_request is not None
    assert str(out.next_request.url) == f"{root}/"


def addresses(sheet: Sheet) -> list[str]:
    found = [
        element.attributes[name]
        for element in sheet.elements
        for name in ADDRESSES
        if name in element.attributes
    ]
    return [address for address in found if not address.startswith("#")]
