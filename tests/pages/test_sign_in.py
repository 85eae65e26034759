"""Name and password at the door, roles behind it, shares beside it, and a proxy before it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlencode

import httpx
import pytest

from app.access.accounts import TRIES_OF_ONE, add_account, put_password, put_role, revoke_account
from app.access.keys import new_sign_in_link
from app.access.session import COOKIE, GUEST_COOKIE
from app.access.shares import Share, add_share, revoke_share
from collector.sites import Site
from tests.build import make_shop
from tests.conftest import NOON
from tests.pages.conftest import PATIENCE_S
from tests.pages.sheet import Sheet
from tests.serving import FROM_OURS, Running, serving

BROWSER = {"accept": "text/html", "accept-language": "en"}
WORDS = "vier losse woorden hier"
FORM = {"name": "anna", "password": WORDS}


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a hash costs is looked at elsewhere."""
    monkeypatch.setattr("app.access.passwords.LOG2_N", 4)


@pytest.fixture
def anna(gloed: Running) -> Site:
    """A shop that anna reads; she has a password."""
    site = gloed.do(make_shop(gloed.store, NOON))
    gloed.do(add_account(gloed.store, "anna", NOON))
    gloed.do(put_role(gloed.store, "anna", site, "reader"))
    gloed.do(put_password(gloed.store, "anna", WORDS))
    return site


@pytest.fixture
def browser(gloed: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=gloed.url, headers=BROWSER, timeout=PATIENCE_S) as client:
        yield client


def knock(browser: httpx.Client, **form: str) -> httpx.Response:
    return browser.post("/sign-in", data=FORM | form, headers=FROM_OURS)


def test_a_name_and_its_password_sign_in(anna: Site, browser: httpx.Client) -> None:
    door = browser.get("/sign-in")
    assert door.headers["content-security-policy"].startswith("default-src 'none'; ")
    assert door.headers["referrer-policy"] == "same-origin"
    form = Sheet(door.text)
    assert form.all("input", type="password", autocomplete="current-password")
    answer = knock(browser)
    assert answer.status_code == 303
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert "Fietsenwinkel" in browser.get("/").text


def test_an_unknown_name_and_a_wrong_password_are_told_alike(
    anna: Site, browser: httpx.Client
) -> None:
    answers = [knock(browser, password="wrong"), knock(browser, name="nobody")]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text for answer in answers}) == 1
    assert all("set-cookie" not in answer.headers for answer in answers)
    assert WORDS not in answers[0].text


@pytest.mark.parametrize(
    "body", ["", "name=anna", f"{urlencode(FORM)}&password=x", "%", "name=%00&password=%FF", "="]
)
def test_a_form_that_is_not_ours_signs_nobody_in(
    anna: Site, browser: httpx.Client, body: str
) -> None:
    kind = {"content-type": "application/x-www-form-urlencoded"}
    answer = browser.post("/sign-in", content=body, headers=FROM_OURS | kind)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_other_bodies_are_refused_before_they_are_read(browser: httpx.Client) -> None:
    assert browser.post("/sign-in", json=FORM, headers=FROM_OURS).status_code == 415
    assert knock(browser, password="x" * 5000).status_code == 413


@pytest.mark.parametrize(
    "said",
    [{"sec-fetch-site": "cross-site"}, {"origin": "https://elsewhere.example"}, {"origin": "null"}],
)
def test_a_page_from_elsewhere_signs_nobody_in(
    anna: Site, browser: httpx.Client, said: dict[str, str]
) -> None:
    answer = browser.post("/sign-in", data=FORM, headers=said)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_too_many_tries_are_told_with_when_to_come_back(
    anna: Site, browser: httpx.Client, gloed: Running
) -> None:
    for _ in range(TRIES_OF_ONE):
        knock(browser, password="wrong")
    answer = knock(browser)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert "gloed account link" in Sheet(answer.text).text
    link = gloed.do(new_sign_in_link(gloed.store, NOON))
    assert browser.post(link, headers=FROM_OURS).status_code == 303, "links are never held up"


def test_signing_out_ends_copies_of_the_cookie_too(
    anna: Site, browser: httpx.Client, gloed: Running
) -> None:
    knock(browser)
    copied = {COOKIE: browser.cookies[COOKIE]}
    assert httpx.get(f"{gloed.url}/", headers=BROWSER, cookies=copied).status_code == 200
    assert browser.post("/sign-out", headers=FROM_OURS).status_code == 303
    assert httpx.get(f"{gloed.url}/", headers=BROWSER, cookies=copied).status_code == 401


def test_a_revoked_account_sees_nothing_at_once(
    anna: Site, browser: httpx.Client, gloed: Running
) -> None:
    knock(browser)
    gloed.do(revoke_account(gloed.store, "anna"))
    assert browser.get("/").status_code == 401
    assert browser.get("/api/v1/sites").status_code == 401


def test_an_account_sees_its_own_shops_alone(
    anna: Site, browser: httpx.Client, gloed: Running
) -> None:
    other = gloed.do(make_shop(gloed.store, NOON, "Bloemen"))
    knock(browser)
    assert "Bloemen" not in browser.get("/").text
    listed = browser.get("/api/v1/sites").json()["sites"]
    assert [site["key"] for site in listed] == [anna.public_key]
    foreign = browser.get(f"/sites/{other.public_key}/pages/shipping")
    absent = browser.get("/sites/gs_aaaaaaaaaaaaaaaa/pages/shipping")
    assert (foreign.status_code, absent.status_code) == (404, 404)
    assert foreign.text == absent.text


def shared(gloed: Running, site: Site, page: str, *, picture: bool = False) -> tuple[Share, str]:
    week = timedelta(days=7)
    share = gloed.do(
        add_share(gloed.store, site.site_id, page, week, gloed.clock(), picture=picture)
    )
    return share, gloed.context.signer.share(share.share_id, share.expires_at)


def test_a_share_opens_its_page_and_nothing_else(
    shop: Site, browser: httpx.Client, gloed: Running
) -> None:
    _, token = shared(gloed, shop, "shipping")
    answer = browser.get(f"/shared/{token}")
    page = f"/sites/{shop.public_key}/pages/shipping"
    assert answer.next_request is not None
    assert answer.next_request.url.path == page
    assert browser.get(page).status_code == 200
    png = f"/api/v1{page}/heatmap.png"
    assert browser.get(png, params={"kind": "stall"}).status_code == 200
    layout = browser.put(f"/api/v1{page}/layouts", json={})
    assert layout.status_code in (404, 405), "a guest writes nothing"
    for path in (
        "/",
        f"/sites/{shop.public_key}/pages/payment",
        f"/api/v1/sites/{shop.public_key}",
    ):
        assert browser.get(path).status_code in (401, 404), path
    assert browser.get("/api/v1/sites").json()["sites"] == []


def test_a_share_ends_when_it_is_revoked_or_over(
    shop: Site, browser: httpx.Client, gloed: Running
) -> None:
    share, token = shared(gloed, shop, "shipping")
    browser.get(f"/shared/{token}")
    cookie = {GUEST_COOKIE: browser.cookies[GUEST_COOKIE]}
    page = f"{gloed.url}/sites/{shop.public_key}/pages/shipping"
    gloed.clock.set(share.expires_at)
    assert httpx.get(page, cookies=cookie, headers=BROWSER).status_code == 401
    gloed.clock.set(NOON)
    assert httpx.get(page, cookies=cookie, headers=BROWSER).status_code == 200
    gloed.do(revoke_share(gloed.store, share.share_id, NOON))
    assert httpx.get(page, cookies=cookie, headers=BROWSER).status_code == 401
    assert browser.get(f"/shared/{token}").status_code == 403


@pytest.mark.parametrize("change", ["1{}", "{}x", "{}.", "", "%00", "<script>"])
def test_a_share_that_was_changed_opens_nothing(
    shop: Site, browser: httpx.Client, gloed: Running, change: str
) -> None:
    token = change.format(shared(gloed, shop, "shipping")[1])
    answer = browser.get(f"/shared/{token}")
    assert answer.status_code in (403, 404)
    assert GUEST_COOKIE not in browser.cookies
    assert "<script>" not in answer.text


def test_a_link_to_a_picture_opens_that_picture_until_it_is_revoked(
    shop: Site, browser: httpx.Client, gloed: Running
) -> None:
    share, token = shared(gloed, shop, "shipping", picture=True)
    path = f"/api/v1/sites/{shop.public_key}/pages/shipping/heatmap.png"
    signer = gloed.context.signer
    link = signer.signed(path, {"kind": "stall"}, share.expires_at, share.share_id)
    assert browser.get(link).status_code == 200
    assert browser.get(f"/shared/{token}").status_code == 403, "it is no door"
    assert browser.get(link.replace("heatmap.png", "heatmap.json")).status_code == 401
    gloed.do(revoke_share(gloed.store, share.share_id, NOON))
    assert browser.get(link).status_code == 403


@pytest.fixture
def proxied(database_url: str, gloed: Running) -> Iterator[Running]:
    public = "https://stats.shop.example"
    with serving(database_url, gloed.clock, sign_in="none", public_url=public) as running:
        yield running


def test_behind_the_owners_proxy_nobody_is_asked_and_other_names_are(proxied: Running) -> None:
    site = proxied.do(make_shop(proxied.store, NOON))
    page = f"/sites/{site.public_key}/pages/shipping"
    statuses = {
        host: httpx.get(
            proxied.url + page, headers=BROWSER | {"host": host}, timeout=PATIENCE_S
        ).status_code
        for host in ("stats.shop.example", "127.0.0.1:8700", "localhost", "elsewhere.example", "")
    }
    assert statuses == {
        "stats.shop.example": 200,
        "127.0.0.1:8700": 200,
        "localhost": 200,
        "elsewhere.example": 401,
        "": 401,
    }
    listed = httpx.get(f"{proxied.url}/api/v1/sites", timeout=PATIENCE_S).json()["sites"]
    assert [one["key"] for one in listed] == [site.public_key]
    wrong_key = {"authorization": "Bearer gld_wrong"}
    assert httpx.get(f"{proxied.url}/api/v1/sites", headers=wrong_key).status_code == 401
    layouts = f"{proxied.url}/api/v1{page}/layouts"
    written = {
        where: httpx.put(layouts, json={}, headers={"sec-fetch-site": where}).status_code
        for where in ("cross-site", "same-site", "same-origin")
    }
    assert (written["cross-site"], written["same-site"]) == (401, 401)
    assert written["same-origin"] != 401
    form = httpx.post(f"{proxied.url}/sign-in", data=FORM, headers=FROM_OURS)
    assert form.status_code == 403, "there is no password to try"
