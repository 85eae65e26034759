"""The read API over real HTTP: who may see what, and what is answered."""

from __future__ import annotations

import asyncio
import io
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
from PIL import Image

from app.access.keys import COOKIE_LIVES, new_sign_in_link, revoke_key
from app.access.session import COOKIE
from app.drawing.renders import WAITING
from app.shops import go_live, put_page
from collector.sites import Site
from tests.app.conftest import Asker, is_problem, settle
from tests.build import PHONE, Walker, make_shop
from tests.serving import FROM_OURS, Running

PAGE = "/sites/{site}/pages/shipping"
PNG, JSON = f"{PAGE}/heatmap.png", f"{PAGE}/heatmap.json"
CONTRASTS = [f"{PAGE}/{name}" for name in ("zones.json", "zones.csv", "fields.json", "fields.csv")]
PAGES = ["/sites", "/sites/{site}", "/sites/{site}/pages", PAGE, f"{PAGE}/layouts"]
PAGES += ["/sites/{site}/quarantine", "/sites/{site}/page-rules"]
CONTRASTS += [
    f"{PAGE}/heatmap.csv",
    f"{PAGE}/stalls.json",
    f"{PAGE}/compare.json?a=device:phone&b=device:tablet",
]
PICTURES = [f"{PAGE}/stalls.png", f"{PAGE}/compare.png"]
"""Of a page without visits there is nothing to draw: see `test_differences`."""

READS = [*PAGES, PNG, JSON, *CONTRASTS]
SHOPS_OWN = [path for path in READS if "{site}" in path]
DAY = timedelta(days=1)


def test_every_route_that_reads_is_asked_here(ask: Asker) -> None:
    paths = ask("/openapi.json").json()["paths"]
    ours = [path for path, told in paths.items() if path.startswith("/api/v1/") and "get" in told]
    asked = {path.removeprefix("/api/v1").replace("{page}", "shipping") for path in ours}
    assert asked == {path.partition("?")[0] for path in [*READS, *PICTURES]}


@pytest.mark.parametrize("path", READS)
def test_with_a_key_it_is_answered_and_without_a_good_one_it_is_not(ask: Asker, path: str) -> None:
    assert ask(path).status_code == 200
    for key in ("gld_wrong", "\xe9", ask.key + "x", ask.key.swapcase(), "x" * 8000):
        refused = ask(path, key=None, headers={"authorization": f"Bearer {key}".encode("latin-1")})
        is_problem(refused, 401, "unauthorized")
        assert refused.headers["www-authenticate"] == "Bearer"
    for header in ({}, {"authorization": "Bearer"}, {"authorization": ""}):
        is_problem(ask(path, key=None, headers=header), 401, "unauthorized")
    is_problem(ask(path, key=None, params={"key": ask.key}), 401, "unauthorized")
    number = ask.gloed.do(ask.gloed.store.fetchval("SELECT max(api_key_id) FROM api_key"))
    ask.gloed.do(revoke_key(ask.gloed.store, number, ask.gloed.clock()))
    is_problem(ask(path), 401, "unauthorized")


@pytest.mark.parametrize("path", SHOPS_OWN)
def test_another_shop_looks_like_one_that_there_is_not(ask: Asker, path: str) -> None:
    other = ask.gloed.do(make_shop(ask.gloed.store, ask.gloed.clock(), "Boekwinkel"))
    foreign = ask(path.replace("{site}", other.public_key))
    absent = ask(path.replace("{site}", "gs_" + "z" * 16))
    told = [is_problem(answer, 404, "not-found") for answer in (foreign, absent)]
    assert [{**one, "instance": ""} for one in told] == [{**told[0], "instance": ""}] * 2
    assert ask(path.replace("{site}", other.public_key), key=ask.new_key(site=other)).is_success
    is_problem(ask(path, key=ask.new_key("goal")), 404, "not-found")


def test_the_list_holds_what_the_key_may_see(ask: Asker) -> None:
    other = ask.gloed.do(make_shop(ask.gloed.store, ask.gloed.clock(), "Boekwinkel"))

    def listed(key: str) -> list[str]:
        return [site["key"] for site in ask("/sites", key=key).json()["sites"]]

    assert listed("own") == [ask.site.public_key]
    assert listed(ask.new_key("write")) == [ask.site.public_key]
    assert listed(ask.new_key("read", other)) == [other.public_key]
    assert listed(ask.new_key("goal")) == []


def named(problem: dict[str, Any]) -> Counter[str]:
    return Counter(re.findall(r"[\w-]+", problem["detail"]))


def test_a_page_of_another_shop_looks_like_one_that_there_is_not(ask: Asker) -> None:
    other = ask.gloed.do(make_shop(ask.gloed.store, ask.gloed.clock(), "Boekwinkel"))
    ask.gloed.do(put_page(ask.gloed.store, other, "theirs", ask.gloed.clock()))
    for rest in ("", "/layouts", "/heatmap.png", "/heatmap.json"):
        told = [
            is_problem(ask(f"/sites/{{site}}/pages/{page}{rest}"), 404, "not-found")
            for page in ("theirs", "nobodys")
        ]
        # Own pages are listed by how much their names are like the one that was asked for.
        theirs, nobodys = ({**one, "instance": "", "detail": ""} for one in told)
        assert theirs == nobodys
        assert named(told[0]) == named(told[1])


def test_a_site_tells_of_itself_its_pages_and_their_zones(ask: Asker) -> None:
    assert ask("/sites/{site}").json() == {
        "key": ask.site.public_key,
        "name": "Fietsenwinkel",
        "state": "trying",
        "time_zone": "Europe/Amsterdam",
    }
    pages = ask("/sites/{site}/pages").json()
    assert [page["slug"] for page in pages["pages"]] == ["cart", "shipping", "payment", "thanks"]
    assert pages["next"] is None
    page = ask(PAGE).json()
    assert page in pages["pages"]
    assert (page["phase"], page["goal"], page["bandwidth_px"]) == ("checkout", False, None)
    assert page["zones"][1] == {
        "number": 2,
        "name": "verzendkosten",
        "selector": "#shipping-cost",
        "role": "text",
        "sensitive": False,
    }


def test_whoever_signed_in_sees_every_shop_and_garbage_for_a_cookie_is_nobody(ask: Asker) -> None:
    gloed = ask.gloed
    link = gloed.do(new_sign_in_link(gloed.store, gloed.clock()))
    with httpx.Client(base_url=gloed.url) as browser:
        assert browser.post(link, headers=FROM_OURS).status_code == 303
        cookie = browser.cookies[COOKIE]
        assert browser.get("/api/v1/sites").status_code == 200
        assert browser.post(link, headers=FROM_OURS).status_code == 403, "a link signs in once"
    for value in ("a.b.c", cookie[:-1], f"9{cookie}", "\xe9", "1." + "9" * 400 + ".x", '"', "..."):
        garbage = {"cookie": f"{COOKIE}={value}".encode("latin-1")}
        is_problem(ask("/sites", key=None, headers=garbage), 401, "unauthorized")
    header = {"cookie": f"{COOKIE}={cookie}"}
    assert ask("/sites", key=None, headers=header).status_code == 200
    is_problem(ask("/sites", key="gld_wrong", headers=header), 401, "unauthorized")
    gloed.clock.set(gloed.clock() + COOKIE_LIVES)
    is_problem(ask("/sites", key=None, headers=header), 401, "unauthorized")


def test_the_picture_and_its_numbers_say_the_same(walked: Asker) -> None:
    for query in ({"kind": "stall"}, {"kind": "click"}, {"kind": "scroll"}, {"kind": "move"}):
        picture = walked(PNG, params=query)
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
        told = walked(JSON, params=query).json()
        image = Image.open(io.BytesIO(picture.content))
        assert image.size == (told["width_px"], told["height_px"])
        text: dict[str, str] = image.text  # type: ignore[attr-defined]
        names = ("kind", "unit", "visits", "page_views", "date_from", "date_to", "bandwidth_px")
        assert {name: text[f"gloed:{name}"] for name in names} == {
            name: str(told[name]) for name in names
        }
        assert text["gloed:scale"] == told["scale"]["curve"]


def test_the_numbers_are_those_of_what_was_sent(walked: Asker) -> None:
    told = walked(JSON, params={"kind": "stall"}).json()
    expected = {
        "site": walked.site.public_key,
        "page": "shipping",
        "kind": "stall",
        "unit": "s/visit",
        "state": "trying",
        "date_from": "2026-10-20",
        "date_to": "2026-11-18",
        "time_zone": "Europe/Amsterdam",
        "page_views": 1,
        "visits": 1,
        "coverage": 1.0,
        "unplaced": 1,
        "layout": None,
    }
    assert {name: told[name] for name in expected} == expected
    (zone,) = told["zones"]
    assert zone == {
        "number": 2,
        "name": "verzendkosten",
        "total": 7.5,
        "visits": 1,
        "box_px": None,
    }


def test_an_answer_is_named_by_what_it_rests_on(walked: Asker) -> None:
    for path in (PNG, JSON):
        first = walked(path)
        name = first.headers["etag"]
        assert name.startswith('"')
        for header in (name, f"W/{name}", f'"x", {name}', "*"):
            again = walked(path, headers={"if-none-match": header})
            assert (again.status_code, again.content) == (304, b""), header
            assert again.headers["etag"] == name
        for header in ('"x"', name.strip('"'), ""):
            assert walked(path, headers={"if-none-match": header}).status_code == 200, header
        assert walked(path).content == first.content
    assert walked(PNG, params={"opacity": "0.5"}).headers["etag"] != walked(PNG).headers["etag"]


def test_a_new_beacon_is_a_new_answer_at_once(walked: Asker) -> None:
    before = walked(JSON)
    walker = Walker(walked.gloed.url, PHONE, "192.0.2.9")
    walker.tell(walker.open(walked.site, "shipping"), "2.h5")
    after = walked(JSON, headers={"if-none-match": before.headers["etag"]})
    assert (after.status_code, after.json()["page_views"]) == (200, 2)


def test_maps_of_closed_days_keep_their_names_while_today_goes_on(walked: Asker) -> None:
    gloed = walked.gloed
    gloed.clock.set(gloed.clock() + 5 * DAY)
    settle(gloed)
    old = {"date_from": "2026-11-18", "date_to": "2026-11-18"}
    before = walked(JSON, params=old)
    assert before.headers["cache-control"] == "private, max-age=3600"
    Walker(gloed.url, PHONE).open(walked.site, "shipping")
    assert walked(JSON, params=old).headers["etag"] == before.headers["etag"]
    assert walked(JSON).headers["cache-control"] == "private, max-age=60"


def test_a_live_shop_with_few_visits_shows_nothing(walked: Asker) -> None:
    gloed = walked.gloed
    assert walked(JSON).status_code == 200
    gloed.do(go_live(gloed.store, walked.site, gloed.clock()))
    for path in (PNG, JSON):
        body = is_problem(walked(path), 409, "too-few-visits")
        assert body["detail"] == "this map rests on 0 visits; 10 more and it is shown"


@pytest.mark.parametrize("path", [*READS, "/openapi.json"])
def test_head_is_answered_like_get_without_a_body(ask: Asker, path: str) -> None:
    got, asked = ask(path), ask(path, "HEAD")
    assert (asked.status_code, asked.content) == (200, b"")
    assert got.headers["x-content-type-options"] == "nosniff"
    for name in ("content-type", "content-length", "etag"):
        assert asked.headers.get(name) == got.headers.get(name)
    refused = ask(path.replace("{site}", "gs_" + "z" * 16), "HEAD", key="gld_wrong")
    assert refused.status_code == (200 if path == "/openapi.json" else 401)
    assert refused.content == b""


@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH"])
def test_another_method_is_refused(ask: Asker, method: str) -> None:
    for path in READS:
        if path.endswith("/quarantine"):
            continue  # takes a body, of whoever may write
        refused = ask(path, method)
        is_problem(refused, 405, "method-not-allowed")
        assert refused.headers["allow"] in ("GET, HEAD", "PUT", "GET, PUT, HEAD"), path


@pytest.mark.parametrize(
    "path", ["/docs", "/redoc", "/openapi.json", "/metrics", "/.env", "/api", "/api/v2/sites"]
)
def test_what_is_not_there_is_not_found(gloed: Running, path: str) -> None:
    for one in (path, path + "/"):
        answer = httpx.get(gloed.url + one, headers={"host": "evil.example"})
        is_problem(answer, 404, "not-found")


class Link:
    """A signed link of the shop's map, and what became of it."""

    def __init__(self, ask: Asker, **query: str) -> None:
        self.ask = ask
        self.path = "/api/v1" + PNG.replace("{site}", ask.site.public_key)
        until = ask.gloed.clock() + DAY
        self.address = ask.gloed.context.signer.signed(self.path, query, until)

    def open(self, address: str | None = None) -> httpx.Response:
        return self.ask.client.get(self.address if address is None else address)


def test_a_signed_link_needs_no_key_until_it_expires(walked: Asker) -> None:
    link = Link(walked, kind="stall", picture="white")
    opened = link.open()
    assert (opened.status_code, opened.headers["content-type"]) == (200, "image/png")
    same = walked(PNG, params={"kind": "stall", "picture": "white"})
    assert (same.content, same.headers["etag"]) == (opened.content, opened.headers["etag"])
    walked.gloed.clock.set(walked.gloed.clock() + DAY)
    is_problem(link.open(), 403, "link-refused")


def test_a_link_that_was_changed_anywhere_is_refused(walked: Asker) -> None:
    link = Link(walked, kind="stall", device="desktop")
    address = link.address
    path, _, query = address.partition("?")
    parts = query.split("&")
    changed = [
        address.replace("shipping", "payment"),
        address.replace("stall", "click"),
        address.replace("heatmap.png", "heatmap.png/"),
        address + "&opacity=1",
        address + "&kind=stall",
        address + "x",
        address[:-1],
        address.replace("expires=1", "expires=2"),
        *(f"{path}?{'&'.join(p for p in parts if p != part)}" for part in parts),
    ]
    for one in changed:
        answer = link.open(one)
        assert answer.status_code in (401, 403, 404), one
    assert link.open(address.replace("stall", "click")).status_code == 403
    signature = next(part for part in parts if part.startswith("signature="))
    is_problem(link.open(address.replace(signature, "signature=")), 403, "link-refused")
    is_problem(walked(PNG, params={"expires": "99999999999"}), 403, "link-refused")
    numbers = address.replace("heatmap.png", "heatmap.json")
    is_problem(link.open(numbers), 401, "unauthorized")


def test_a_link_of_a_parameter_that_cannot_be_is_refused_for_it(walked: Asker) -> None:
    is_problem(Link(walked, kind="nonsense").open(), 422, "bad-parameters")


def test_the_same_question_asked_twice_at_once_is_drawn_once(
    walked: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    renders = walked.gloed.context.renders
    drawn: list[Any] = []
    run = renders.run

    async def counted(*args: Any, **kwargs: Any) -> Any:
        drawn.append(args)
        await asyncio.sleep(0.3)  # long enough for every request to arrive meanwhile
        return await run(*args, **kwargs)

    monkeypatch.setattr(renders, "run", counted)
    with ThreadPoolExecutor(6) as pool:
        query = {"opacity": "0.31"}
        answers = list(pool.map(lambda path: walked(path, params=query), [PNG] * 4 + [JSON] * 2))
    assert [answer.status_code for answer in answers] == [200] * 6
    assert len({answer.content for answer in answers[:4]}) == 1
    names = [answer.headers["etag"] for answer in answers]
    assert len(drawn) == 1, names


def test_when_too_many_pictures_are_drawn_the_next_is_told_to_come_back(walked: Asker) -> None:
    renders = walked.gloed.context.renders
    places = [
        renders.place() for _ in range(walked.gloed.context.settings.render_workers + WAITING)
    ]
    for place in places:
        place.__enter__()
    try:
        for path in (PNG, JSON):
            busy = walked(path, params={"opacity": "0.41"})
            is_problem(busy, 503, "busy")
            assert int(busy.headers["retry-after"]) >= 1
        assert walked("/sites").status_code == 200
    finally:
        for place in places:
            place.__exit__(None, None, None)
    assert walked(PNG, params={"opacity": "0.41"}).status_code == 200


def test_layouts_are_listed_with_their_boxes(ask: Asker) -> None:
    assert ask(f"{PAGE}/layouts").json() == {"layouts": [], "next": None}


def test_a_site_is_known_by_its_key_and_not_by_its_name(ask: Asker) -> None:
    site: Site = ask.site
    for name in (site.name, "gs_short", site.public_key.upper(), "%00", ".."):
        assert ask(f"/sites/{name}").status_code in (404, 422)
