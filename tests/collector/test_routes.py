"""The collector over real HTTP: what it answers is what it kept."""

from __future__ import annotations

import time
from datetime import timedelta

import httpx
import pytest

from app.shops import put_page
from collector.codes import unpack_codes
from collector.sites import Site
from collector.wire import GIF
from tests.build import DESKTOP, Walker, batch_body, make_shop
from tests.serving import Running


@pytest.fixture
def shop(gloed: Running) -> Site:
    site = gloed.do(make_shop(gloed.store, gloed.clock()))
    gloed.context.catalogue.forget()
    return site


@pytest.fixture
def walker(gloed: Running) -> Walker:
    return Walker(gloed.url)


def rows(gloed: Running, statement: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in gloed.do(gloed.store.fetch(statement))]


def test_a_view_opens_with_a_redirect_to_a_sheet_that_is_the_same_for_everybody(
    gloed: Running, shop: Site, walker: Walker
) -> None:
    first = walker.get(f"/g/{shop.public_key}/shipping")
    again = walker.get(f"/g/{shop.public_key}/shipping")
    assert first.status_code == 302
    assert first.headers["cache-control"] == "no-store"
    assert first.headers["location"] != again.headers["location"]
    sheets = [httpx.get(str(httpx.URL(a.url).join(a.headers["location"]))) for a in (first, again)]
    assert [s.status_code for s in sheets] == [200, 200]
    assert sheets[0].content == sheets[1].content
    assert sheets[0].headers["content-type"] == "text/css; charset=utf-8"
    assert sheets[0].headers["content-encoding"] == "gzip"
    assert sheets[0].headers["access-control-allow-origin"] == "*"
    assert rows(gloed, "SELECT count(*) FROM beacon WHERE name = 'open'") == [(2,)]


def test_a_beacon_is_kept_once_and_answered_with_43_bytes(
    gloed: Running, shop: Site, walker: Walker
) -> None:
    token = walker.open(shop, "shipping", "order-1234")
    kept = walker.get(f"/g/{token}/2.h5")
    assert (kept.status_code, kept.content, len(GIF)) == (200, GIF, 43)
    assert "x-gloed-drop" not in kept.headers
    again = walker.get(f"/g/{token}/2.h5")
    assert again.headers["x-gloed-drop"] == "repeat"
    assert rows(gloed, "SELECT name FROM beacon ORDER BY name") == [("2.h5",), ("open",)]
    stored = rows(gloed, "SELECT length(ref_hash), path_id FROM beacon WHERE name = 'open'")
    assert stored == [(16, None)]


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"sec-gpc": "1"}, "opt_out"),
        ({"dnt": "1"}, "opt_out"),
        ({"user-agent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}, "bot"),
        ({"user-agent": ""}, "bot"),
        ({"sec-purpose": "prefetch;prerender"}, "prefetch"),
    ],
)
def test_who_is_not_to_be_counted_gets_an_empty_sheet(
    gloed: Running, shop: Site, headers: dict[str, str], reason: str
) -> None:
    told = {"user-agent": DESKTOP, **headers}
    answer = httpx.get(f"{gloed.url}/g/{shop.public_key}/shipping", headers=told)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/css")
    assert answer.headers["x-gloed-drop"] == reason
    assert rows(gloed, "SELECT count(*) FROM beacon") == [(0,)]


def test_a_token_is_good_for_a_day_and_only_as_it_was_written(
    gloed: Running, shop: Site, walker: Walker
) -> None:
    token = walker.open(shop, "shipping")
    for wrong in (token[:-1] + "!", token[:-2] + "AA", "A" * 34, token + "A", "zzz"):
        answer = walker.get(f"/g/{wrong}/2.h")
        assert answer.headers["x-gloed-drop"] == "bad_token", wrong
        assert answer.content == GIF
    gloed.clock.set(gloed.clock() + timedelta(hours=25))
    assert walker.get(f"/g/{token}/2.h").headers["x-gloed-drop"] == "expired"


@pytest.mark.parametrize("name", ["0.h", "1.h3", "1.p9", "y", "t7", "1000.h", "open", "../s", "é"])
def test_a_name_outside_the_grammar_is_dropped(
    gloed: Running, shop: Site, walker: Walker, name: str
) -> None:
    token = walker.open(shop, "shipping")
    answer = walker.get(f"/g/{token}/{name}")
    assert answer.status_code == 200
    assert rows(gloed, "SELECT count(*) FROM beacon") == [(1,)]


def test_a_batch_is_answered_204_when_it_is_stored_and_again_when_it_is_repeated(
    gloed: Running, shop: Site, walker: Walker
) -> None:
    body = batch_body(m=int(gloed.clock().timestamp()) // 60)
    first, second = walker.post(shop, body), walker.post(shop, body)
    assert (first.status_code, second.status_code) == (204, 204)
    assert "x-gloed-drop" not in first.headers
    assert second.headers["x-gloed-drop"] == "repeat"
    ((*told, codes),) = rows(gloed, "SELECT n, seq, view_id, viewport_width_px, codes FROM batch")
    assert told == [2, 0, 0xAA, 1280]
    assert unpack_codes(codes).band == 4


def test_a_batch_dated_by_a_wrong_clock_is_dropped(
    gloed: Running, shop: Site, walker: Walker
) -> None:
    late = int((gloed.clock() - timedelta(hours=49)).timestamp()) // 60
    answer = walker.post(shop, batch_body(m=late))
    assert (answer.status_code, answer.headers["x-gloed-drop"]) == (204, "clock")


MALFORMED: list[tuple[str, bytes, int]] = [
    ("empty", b"", 400),
    ("cut", b'{"v":1', 400),
    ("two documents", b"{}{}", 400),
    ("null", b"null", 400),
    ("text", b'"x"', 400),
    ("array", b"[[1]]", 400),
    ("deep", b"[" * 100_0 + b"]" * 100_0, 400),
    ("deep object", b'{"v":' * 500 + b"1" + b"}" * 500, 400),
    ("too large", b" " * 70_000, 413),
    ("utf-16", '{"v":1}'.encode("utf-16"), 400),
    ("bad utf-8", b'{"v":1,"p":"\xff"}', 400),
    ("nan", b'{"v":NaN}', 400),
    ("infinity", b'{"v":Infinity}', 400),
    ("huge integer", b'{"v":' + b"9" * 5000 + b"}", 400),
    ("boolean", b'{"v":true,"s":0,"vp":[1,1],"pg":[1,1]}', 400),
    ("unknown field", b'{"v":1,"s":0,"vp":[1,1],"pg":[1,1],"__proto__":1}', 400),
    ("no view", b'{"v":1,"s":0,"vp":[1,1],"pg":[1,1]}', 400),
    ("viewport 0", b'{"v":1,"s":0,"vp":[0,1],"pg":[1,1]}', 400),
]


@pytest.mark.parametrize(("case", "body", "status"), MALFORMED, ids=[c[0] for c in MALFORMED])
def test_a_malformed_batch_is_refused_with_a_problem_and_keeps_nothing(
    gloed: Running, shop: Site, walker: Walker, case: str, body: bytes, status: int
) -> None:
    answer = walker.post(shop, body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 4096
    assert rows(gloed, "SELECT count(*) FROM batch") == [(0,)]


@pytest.mark.parametrize(
    "more",
    [
        {"r": [1, 2]},
        {"r": [-1, 2, 3]},
        {"r": [1, 2, 3, 0, 0, -1]},
        {"r": [20_000, 2, 3]},
        {"e": [[1, 2]]},
        {"e": [[99, 0, 0, 0, 0, 0, 0, 0, 0]]},
        {"e": [[16, 0, 0, 0, 0, 0, 0, 0, 0]]},
        {"id": "xyz"},
        {"v": 2},
        {"s": -1},
        {"s": 1.5},
        {"s": "0"},
        {"p": "../x"},
        {"ref": "a b"},
    ],
)
def test_numbers_and_names_outside_their_ranges_are_refused(
    gloed: Running, shop: Site, walker: Walker, more: dict[str, object]
) -> None:
    answer = walker.post(shop, batch_body(**{"m": int(gloed.clock().timestamp()) // 60, **more}))
    assert answer.status_code == 400
    assert "detail" in answer.json()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "multipart/form-data; boundary=x"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": "text/plain; charset=utf-16"}, 415),
        ({"content-encoding": "gzip"}, 415),
        ({"content-encoding": "br"}, 415),
    ],
)
def test_media_that_a_batch_does_not_come_in_are_refused(
    gloed: Running, shop: Site, walker: Walker, headers: dict[str, str], status: int
) -> None:
    assert walker.post(shop, batch_body(m=1), **headers).status_code == status


def test_an_unknown_shop_or_page_is_dropped_and_gives_nothing_away(
    gloed: Running, shop: Site, walker: Walker
) -> None:
    unknown = walker.get("/g/gs_aaaaaaaaaaaaaaaa/shipping")
    assert (unknown.status_code, unknown.headers["x-gloed-drop"]) == (200, "unknown_site")
    page = walker.get(f"/g/{shop.public_key}/nowhere")
    assert (page.status_code, page.headers["x-gloed-drop"]) == (200, "unknown_page")


@pytest.mark.parametrize("path", ["/g/hold/a/b", "/g/x/a/b", "/g/", "/g/a/b/c/d", "/g/%00/%ff"])
def test_other_gets_are_harmless(gloed: Running, walker: Walker, path: str) -> None:
    assert walker.get(path).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
def test_other_methods_are_not_allowed(gloed: Running, method: str) -> None:
    assert httpx.request(method, gloed.url + "/g/x").status_code == 405


def test_the_goal_image_counts_an_order_once(gloed: Running, shop: Site, walker: Walker) -> None:
    for _ in range(2):
        assert walker.get(f"/g/done/{shop.public_key}/order-77").status_code == 200
    assert walker.get(f"/g/done/{shop.public_key}").status_code == 200
    assert rows(gloed, "SELECT count(*), count(ref_hash), min(source) FROM goal") == [(2, 1, 2)]


# Headers, and what stores nothing -----------------------------------------------------------------

PROMISED = {
    "cache-control": "no-store",
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
}


def test_every_answer_bears_the_promised_headers_and_no_cookie(
    gloed: Running, shop: Site, walker: Walker
) -> None:
    token = walker.open(shop, "shipping")
    key = shop.public_key
    paths = ("x/a/b", "hold/a/b", f"{token}/s", f"{token}/1.h", f"{token}/nope", f"{key}/cart")
    answers = [walker.get(f"/g/{path}") for path in (*paths, f"{key}/nowhere", f"done/{key}")]
    answers += [walker.post(shop, b"{}"), walker.post(shop, batch_body(t=token))]
    answers += [httpx.request(method, f"{gloed.url}/g/x") for method in ("OPTIONS", "PUT", "HEAD")]
    for answer in answers:
        assert PROMISED.items() <= dict(answer.headers).items(), answer.url
        kind = answer.headers.get("content-type", "")
        if kind.startswith(("text/", "application/")):
            assert answer.headers["x-content-type-options"] == "nosniff"
        if kind.startswith("text/css"):
            assert answer.headers["referrer-policy"] == "no-referrer"
        assert "set-cookie" not in answer.headers
        assert "etag" not in answer.headers
        assert "last-modified" not in answer.headers


def test_head_is_answered_like_get_and_stores_nothing(
    gloed: Running, shop: Site, walker: Walker
) -> None:
    token = walker.open(shop, "shipping")
    before = rows(gloed, "SELECT count(*) FROM beacon")
    key = shop.public_key
    for path, kind in (
        (f"{key}/cart", "text/css; charset=utf-8"),
        (f"{key}/cart/order-1", "text/css; charset=utf-8"),
        (f"{token}/s", "text/css; charset=utf-8"),
        (f"{token}/1.h", "image/gif"),
        (f"done/{key}", "image/gif"),
        (f"done/{key}/order-1", "image/gif"),
        ("x/a/b", "text/javascript; charset=utf-8"),
    ):
        answer = httpx.head(f"{gloed.url}/g/{path}", headers={"user-agent": DESKTOP})
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-type"] == kind
    assert rows(gloed, "SELECT count(*) FROM beacon") == before
    assert rows(gloed, "SELECT count(*) FROM goal") == [(0,)]


def test_a_method_that_is_not_allowed_names_those_that_are(gloed: Running) -> None:
    answer = httpx.put(f"{gloed.url}/g/x")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, POST, OPTIONS"


def test_a_browser_may_post_from_any_origin(gloed: Running, shop: Site, walker: Walker) -> None:
    asked = {"origin": "https://shop.nl", "access-control-request-method": "POST"}
    answer = httpx.options(f"{gloed.url}/g/{shop.public_key}", headers=asked)
    assert answer.status_code == 204
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == "content-type"
    m = int(gloed.clock().timestamp()) // 60
    assert walker.post(shop, batch_body(m=m), origin="null").status_code == 204


@pytest.mark.parametrize("path", ["shipping", "shipping/", "shipping/order-1"])
def test_the_redirect_leads_to_the_sheet_from_every_spelling(
    gloed: Running, shop: Site, walker: Walker, path: str
) -> None:
    answer = walker.get(f"/g/{shop.public_key}/{path}")
    assert answer.headers["location"].startswith("../")
    sheet = httpx.get(str(httpx.URL(answer.url).join(answer.headers["location"])))
    assert (sheet.status_code, sheet.headers.get("x-gloed-drop")) == (200, None)
    assert b"background" in sheet.content


def test_a_sheet_comes_as_the_client_can_read_it(
    gloed: Running, shop: Site, walker: Walker
) -> None:
    token = walker.open(shop, "shipping")
    url = f"{gloed.url}/g/{token}/s"
    plain = httpx.get(url, headers={"accept-encoding": "identity"})
    packed = httpx.get(url, headers={"accept-encoding": "br, gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert plain.content == packed.content
    assert plain.headers["vary"] == packed.headers["vary"] == "accept-encoding"


# Tokens and pages ---------------------------------------------------------------------------------


def test_a_token_of_another_shop_is_none(gloed: Running, shop: Site, walker: Walker) -> None:
    neighbour = gloed.do(make_shop(gloed.store, gloed.clock(), "Boekhandel"))
    gloed.context.catalogue.forget()
    token = walker.open(neighbour, "shipping")
    answer = walker.post(shop, batch_body(t=token))
    assert (answer.status_code, answer.headers["x-gloed-drop"]) == (204, "bad_token")
    assert walker.post(neighbour, batch_body(t=token)).headers.get("x-gloed-drop") is None
    assert rows(gloed, "SELECT site_id FROM batch") == [(neighbour.site_id,)]


def test_a_batch_with_a_token_says_only_what_the_token_does_not(
    gloed: Running, shop: Site, walker: Walker
) -> None:
    token = walker.open(shop, "shipping")
    forged = batch_body(t=token, id="f" * 16, m=1, p="cart")
    assert walker.post(shop, forged).status_code == 204
    stored = rows(
        gloed,
        "SELECT o.view_id = b.view_id, o.page_id = b.page_id, o.day = b.day, o.visitor = b.visitor "
        "FROM batch AS b, beacon AS o WHERE o.name = 'open'",
    )
    assert stored == [(True,) * 4]
    expired = gloed.clock() + timedelta(hours=25)
    gloed.clock.set(expired)
    late = walker.post(shop, batch_body(t=token, s=1))
    assert (late.status_code, late.headers["x-gloed-drop"]) == (204, "expired")


def test_a_page_that_was_just_made_is_known_within_a_second(
    gloed: Running, shop: Site, walker: Walker
) -> None:
    path = f"/g/{shop.public_key}/new"
    assert walker.get(path).headers["x-gloed-drop"] == "unknown_page"
    gloed.do(put_page(gloed.store, shop, "new", gloed.clock()))
    deadline = time.monotonic() + 1.0
    while (answer := walker.get(path)).status_code != 302:
        assert time.monotonic() < deadline
    assert "x-gloed-drop" not in answer.headers


def test_what_was_dropped_is_counted_by_day_and_reason(
    gloed: Running, shop: Site, walker: Walker
) -> None:
    key = shop.public_key
    walker.get(f"/g/{key}/nowhere")
    Walker(gloed.url, headers={"dnt": "1"}).get(f"/g/{key}/cart")
    Walker(gloed.url, agent="curl/8").post(shop, batch_body(m=1))
    walker.post(shop, batch_body(t="x"))
    expected = {("unknown_page", 1): 1, ("opt_out", 1): 1, ("bot", 2): 1, ("bad_token", 2): 1}
    deadline = time.monotonic() + 20
    counted: dict[tuple[object, ...], object] = {}
    while counted != expected:
        assert time.monotonic() < deadline, counted
        found = rows(
            gloed, f"SELECT reason, capture, n FROM dropped WHERE site_id = {shop.site_id}"
        )
        counted = {tuple(row[:2]): row[2] for row in found}
        time.sleep(0.05)
