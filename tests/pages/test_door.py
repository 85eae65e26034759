"""Signing in by a link that works once, and out again."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from app.access.keys import COOKIE_LIVES, OWNER, SIGN_IN_LINK_LIVES, new_sign_in_link
from app.access.session import COOKIE
from tests.conftest import NOON
from tests.pages.sheet import Sheet
from tests.serving import FROM_OURS, Running

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "accept-language": "en-GB"}


def link_of(gloed: Running) -> str:
    return gloed.do(new_sign_in_link(gloed.store, gloed.clock()))


def visit(gloed: Running, path: str, **more: str) -> httpx.Response:
    """One request of a browser that holds no cookie."""
    return httpx.get(gloed.url + path, headers=BROWSER | more)


def press(gloed: Running, link: str) -> httpx.Response:
    return httpx.post(gloed.url + link, headers=BROWSER | FROM_OURS)


def test_looking_at_a_link_uses_nothing_up(gloed: Running) -> None:
    """Chats, mail scanners and prefetching browsers open links before anybody reads them."""
    link = link_of(gloed)
    looked = [visit(gloed, link) for _ in range(2)]
    assert [one.status_code for one in looked] == [200, 200]
    assert not any("set-cookie" in one.headers for one in looked)
    sheet = Sheet(looked[0].text)
    assert OWNER in sheet.text
    (form,) = sheet.all("form")
    assert form.attributes["method"] == "post"
    assert press(gloed, link).status_code == 303


def test_a_form_that_stood_elsewhere_signs_nobody_in(gloed: Running) -> None:
    link = link_of(gloed)
    elsewhere = httpx.post(gloed.url + link, headers=BROWSER | {"sec-fetch-site": "cross-site"})
    assert elsewhere.status_code == 403
    assert "GLOED_PUBLIC_URL" in Sheet(elsewhere.text).text
    assert "set-cookie" not in elsewhere.headers
    assert press(gloed, link).status_code == 303, "and the link is still good"


def test_a_link_signs_in_once_and_leads_home(gloed: Running) -> None:
    link = link_of(gloed)
    with httpx.Client(base_url=gloed.url, headers=BROWSER | FROM_OURS) as client:
        first = client.post(link)
        assert first.status_code == 303
        assert first.next_request is not None
        assert first.next_request.url == f"{gloed.url}/"
        assert client.send(first.next_request).status_code == 200
    for again in (visit(gloed, link), press(gloed, link)):
        assert again.status_code == 403
        assert "set-cookie" not in again.headers
        assert "gloed account link" in Sheet(again.text).text


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(gloed: Running) -> None:
    told = press(gloed, link_of(gloed)).headers["set-cookie"].lower()
    assert "httponly" in told
    assert "samesite=lax" in told


@pytest.mark.parametrize("next_", ["https://elsewhere.example/", "//elsewhere.example"])
def test_a_link_can_send_nobody_elsewhere(gloed: Running, next_: str) -> None:
    answer = press(gloed, f"{link_of(gloed)}?next={next_}&redirect={next_}")
    assert answer.next_request is not None
    assert answer.next_request.url == f"{gloed.url}/"


def test_a_link_that_is_too_old_says_how_to_get_another(gloed: Running) -> None:
    link = link_of(gloed)
    gloed.clock.set(NOON + SIGN_IN_LINK_LIVES)
    assert visit(gloed, link).status_code == 403
    assert press(gloed, link).status_code == 403


@pytest.mark.parametrize("secret", ["unknown", "%00", "a" * 500, "%F0%9F%94%A5", "<script>"])
def test_an_unknown_link_does_not_sign_in(gloed: Running, secret: str) -> None:
    for answer in (visit(gloed, f"/sign-in/{secret}"), press(gloed, f"/sign-in/{secret}")):
        assert answer.status_code == 403
        assert "script>" not in answer.text


@pytest.mark.parametrize("path", ["/", "/sites/gs_abcdefghijklmnop/pages/shipping"])
def test_without_a_session_a_page_says_where_the_link_is_printed(gloed: Running, path: str) -> None:
    answer = visit(gloed, path)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "gloed account link" in Sheet(answer.text).text


def test_a_cookie_that_was_changed_or_is_too_old_opens_nothing(
    gloed: Running, designer: httpx.Client
) -> None:
    good = designer.cookies[COOKIE]
    account, sessions, until, mac = good.split(".")
    changed = [
        f"2{account}.{sessions}.{until}.{mac}",
        f"{account}.{int(sessions) + 1}.{until}.{mac}",
        f"{account}.{sessions}.{int(until) + 1}.{mac}",
        f"{account}.{sessions}.{until}.{mac[:-1]}{'A' if mac[-1] != 'A' else 'B'}",
        f"{account}.{sessions}.{until}.",
        f"{account}.{sessions}.{until}",
        "",
        "1",
        "..",
    ]
    for cookie in changed:
        assert visit(gloed, "/", cookie=f"{COOKIE}={cookie}").status_code == 401, cookie
    assert visit(gloed, "/", cookie=f"{COOKIE}={good}").status_code == 200
    gloed.clock.set(NOON + COOKIE_LIVES + timedelta(seconds=1))
    assert visit(gloed, "/", cookie=f"{COOKIE}={good}").status_code == 401


@pytest.mark.parametrize(
    "said",
    [
        {"sec-fetch-site": "same-origin"},
        {"origin": "null"},  # what a page without referrers says where there is no Sec-Fetch-Site
        {},
    ],
)
def test_our_own_page_signs_out(designer: httpx.Client, said: dict[str, str]) -> None:
    answer = designer.post("/sign-out", headers=said)
    assert answer.status_code == 303
    assert COOKIE not in designer.cookies
    assert designer.get("/").status_code == 401


def test_our_own_origin_signs_out(gloed: Running, designer: httpx.Client) -> None:
    assert designer.post("/sign-out", headers={"origin": gloed.url}).status_code == 303


@pytest.mark.parametrize(
    "said",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "https://elsewhere.example"},
    ],
)
def test_a_page_from_elsewhere_signs_nobody_out(
    designer: httpx.Client, said: dict[str, str]
) -> None:
    answer = designer.post("/sign-out", headers=said)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert designer.get("/").status_code == 200


def test_signing_out_without_a_session_changes_nothing(gloed: Running) -> None:
    answer = httpx.post(f"{gloed.url}/sign-out", headers=BROWSER | {"origin": "null"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_signing_out_takes_a_form_and_no_link(designer: httpx.Client) -> None:
    assert designer.get("/sign-out").status_code == 405
    assert designer.get("/").status_code == 200
