"""Links for people without an account: made by a form, listed, opened signed out, and ended."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from PIL import Image

from app.access.accounts import add_account, find_account, put_role
from app.access.keys import Session
from app.access.session import COOKIE
from collector.sites import Site
from tests.conftest import NOON
from tests.pages.conftest import PATIENCE_S
from tests.pages.sheet import Sheet
from tests.serving import FROM_OURS, Running


def shares_of(site: Site, more: str = "") -> str:
    return f"/sites/{site.public_key}/pages/shipping/shares{more}"


def made(
    designer: httpx.Client, site: Site, shows: str, view: str = "map", query: str = ""
) -> httpx.Response:
    sent = {"view": view, "query": query, "shows": shows, "days": "7"}
    return designer.post(shares_of(site), data=sent, headers=FROM_OURS)


def listed(designer: httpx.Client, site: Site) -> list[str]:
    sheet = Sheet(designer.get(shares_of(site)).text)
    return [e.text for e in sheet.all("code")]


@pytest.fixture
def stranger(gloed: Running) -> Iterator[httpx.Client]:
    headers = {"accept": "text/html", "accept-language": "en"}
    with httpx.Client(base_url=gloed.url, headers=headers, timeout=PATIENCE_S) as client:
        yield client


def test_the_form_on_a_map_makes_a_link_that_opens_just_that_map(
    gloed: Running, designer: httpx.Client, shop: Site, stranger: httpx.Client
) -> None:
    page = f"/sites/{shop.public_key}/pages/shipping"
    sheet = Sheet(designer.get(page, params={"kind": "click", "device": "phone"}).text)
    sent = {e.attributes["name"]: e.attributes["value"] for e in sheet.all("input", type="hidden")}
    assert sent["query"] == "kind=click&device=phone"
    answer = made(designer, shop, "page", sent["view"], sent["query"])
    assert answer.status_code == 303
    number = answer.headers["location"].removeprefix("shares#share-")
    assert Sheet(designer.get(shares_of(shop)).text).all("li", id=f"share-{number}")
    (link,) = listed(designer, shop)
    opened = stranger.get(urlsplit(link).path)
    assert opened.next_request is not None
    assert dict(opened.next_request.url.params) == {"kind": "click", "device": "phone"}
    seen = stranger.get(opened.next_request.url)
    assert seen.status_code == 200
    shown = Sheet(seen.text)
    assert shown.chosen()["device"] == "phone"
    assert not shown.all("form", method="post"), "a guest shares nothing, and cannot sign out"
    assert stranger.get(shares_of(shop)).status_code in (401, 404)


def test_a_picture_lives_elsewhere_until_it_is_ended(
    designer: httpx.Client, shop: Site, stranger: httpx.Client
) -> None:
    made(designer, shop, "picture", query="kind=click")
    made(designer, shop, "overlay")
    overlay, picture = map(urlsplit, listed(designer, shop))
    asked = dict(parse_qsl(picture.query))
    assert {"kind": "click", "picture": "page", "legend": "en"}.items() <= asked.items()
    drawn = [stranger.get(f"{one.path}?{one.query}") for one in (overlay, picture)]
    assert [one.headers["content-type"] for one in drawn] == ["image/png"] * 2
    sizes = [Image.open(io.BytesIO(one.content)).size for one in drawn]
    assert sizes[0] == (390, 800)
    assert sizes[1][1] > 800, "the legend stands under it"
    changed = picture.query.replace("kind=click", "kind=stall")
    assert stranger.get(f"{picture.path}?{changed}").status_code == 403
    *_, older = Sheet(designer.get(shares_of(shop)).text).all("input", name="share")
    sent = {"share": older.attributes["value"]}
    ended = designer.post(shares_of(shop, "/end"), data=sent, headers=FROM_OURS)
    assert ended.headers["location"] == "../shares"
    assert len(listed(designer, shop)) == 1
    assert stranger.get(f"{picture.path}?{picture.query}").status_code == 403
    assert stranger.get(f"{overlay.path}?{overlay.query}").status_code == 200


def test_a_link_is_over_on_its_day(
    gloed: Running, designer: httpx.Client, shop: Site, stranger: httpx.Client
) -> None:
    made(designer, shop, "page")
    (link,) = listed(designer, shop)
    gloed.clock.set(NOON + timedelta(days=7, seconds=-1))
    assert stranger.get(urlsplit(link).path).status_code == 303
    gloed.clock.set(NOON + timedelta(days=7))
    assert stranger.get(urlsplit(link).path).status_code == 403
    assert "No link is in use" in designer.get(shares_of(shop)).text


@pytest.mark.parametrize("view", ["stalls", "form", "compare"])
def test_every_view_of_a_page_can_be_shared(
    designer: httpx.Client, shop: Site, stranger: httpx.Client, view: str
) -> None:
    made(designer, shop, "page", view, "device=phone")
    (link,) = listed(designer, shop)
    opened = stranger.get(urlsplit(link).path, follow_redirects=True)
    assert opened.url.path == f"/sites/{shop.public_key}/pages/shipping/{view}"
    assert opened.status_code == 200
    # No link of a guest's page leads to a closed door, the name of the house on top among them.
    named = re.findall(r'<a [^>]*href="([^"]+)"', opened.text)
    ways = {opened.url.join(unescape(way)) for way in named}
    for way in ways:
        if "/api/" not in way.path:
            assert stranger.get(way.path, params=way.params).status_code == 200, way


@pytest.mark.parametrize(
    "sent",
    [
        {"view": "map", "shows": "page", "days": "8"},
        {"view": "map", "shows": "poster", "days": "7"},
        {"view": "form", "shows": "picture", "days": "7"},
        {"view": "map", "shows": "page", "days": "7", "query": "kind=heat"},
        {"view": "map", "shows": "picture", "days": "7", "query": "expires=1"},
        {"view": "elsewhere", "shows": "page", "days": "7"},
    ],
)
def test_what_no_form_of_ours_sends_makes_no_share(
    designer: httpx.Client, shop: Site, sent: dict[str, str]
) -> None:
    assert designer.post(shares_of(shop), data=sent, headers=FROM_OURS).status_code == 422
    assert listed(designer, shop) == []


def test_a_form_elsewhere_and_a_reader_make_none(
    gloed: Running, designer: httpx.Client, shop: Site, stranger: httpx.Client
) -> None:
    sent = {"view": "map", "shows": "page", "days": "7"}
    elsewhere = {"sec-fetch-site": "cross-site"}
    assert designer.post(shares_of(shop), data=sent, headers=elsewhere).status_code == 403
    number = gloed.do(add_account(gloed.store, "lezer", NOON))
    gloed.do(put_role(gloed.store, "lezer", shop, "reader"))
    account = gloed.do(find_account(gloed.store, number))
    assert account is not None
    stranger.cookies.set(
        COOKIE, gloed.context.signer.cookie(Session(number, account.sessions), NOON)
    )
    page = stranger.get(f"/sites/{shop.public_key}/pages/shipping").text
    assert "Make a link" not in page
    assert stranger.get(shares_of(shop)).status_code == 403
    assert stranger.post(shares_of(shop), data=sent, headers=FROM_OURS).status_code == 403
    assert listed(designer, shop) == []
