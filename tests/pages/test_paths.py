"""Pages by path: written by line, tried out on the paths that were seen, and in force at once."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from app.access.keys import add_key
from app.changes import changes_of
from app.closing.day import close_day
from app.configuration import configure
from app.page_rules import most_zones
from app.shops import find_site, put_page
from collector.codes import Phase
from collector.sites import Site
from tests.build import PHONE, Walker, make_shop
from tests.conftest import NOON
from tests.pages.sheet import Sheet
from tests.serving import FROM_OURS, Running

RULES = "/winkelwagen* cart\n\n /verzending  shipping\n"


@pytest.fixture
def pasted(gloed: Running) -> Site:
    """A shop whose theme bears one fragment, of a page without zones."""
    site = gloed.do(make_shop(gloed.store, NOON, live=True))
    gloed.do(put_page(gloed.store, site, "shop", NOON, phase=Phase.BROWSE))
    gloed.context.catalogue.forget()
    return gloed.do(find_site(gloed.store, site.public_key))


def room(site: Site) -> str:
    return f"/sites/{site.public_key}/settings/paths"


def walk(gloed: Running, site: Site, path: str | None, number: int) -> str:
    """A visit of one page by the theme's fragment; the token of its view."""
    told = {} if path is None else {"referer": f"https://fietsen.example{path}"}
    return Walker(gloed.url, PHONE, f"10.1.0.{number}", told).open(site, "shop")


def send(designer: httpx.Client, site: Site, what: str, rules: str) -> httpx.Response:
    return designer.post(room(site), data={"do": what, "rules": rules}, headers=FROM_OURS)


def close(gloed: Running, site: Site) -> None:
    gloed.do(close_day(gloed.store, site, site.day_of(NOON), NOON + timedelta(minutes=40)))


def counted(gloed: Running, site: Site) -> dict[str, int]:
    """Views by the page that they were counted as."""
    rows = gloed.do(
        gloed.store.fetch(
            "SELECT slug, count(*) AS n FROM view JOIN page USING (site_id, page_id) "
            "WHERE site_id = $1 GROUP BY slug",
            site.site_id,
        )
    )
    return {row["slug"]: row["n"] for row in rows}


def test_one_fragment_is_every_page_that_the_rules_say(
    gloed: Running, designer: httpx.Client, pasted: Site
) -> None:
    """With that page's own stylesheet, so that its zones tell."""
    assert send(designer, pasted, "save", RULES).status_code == 303
    sheet = Sheet(designer.get(room(pasted)).text)
    assert [e.text for e in sheet.all("textarea")] == ["/winkelwagen* cart /verzending shipping"]
    token = walk(gloed, pasted, "/verzending/?stap=2", 1)
    css = Walker(gloed.url, PHONE, "10.1.0.1").get(f"/g/{token}/s").text
    assert f"{pasted.pages['shipping'].zones[0].selector}" in css
    Walker(gloed.url, PHONE, "10.1.0.1").tell(token, "3.p1")
    walk(gloed, pasted, "/over-ons", 2)
    walk(gloed, pasted, "/winkelwagen/stap-1", 3)
    close(gloed, pasted)
    assert counted(gloed, pasted) == {"shipping": 1, "shop": 1, "cart": 1}
    presses = gloed.do(
        gloed.store.fetchval("SELECT count(*) FROM beacon WHERE name = '3.p1' AND site_id = $1",
                             pasted.site_id)
    )  # fmt: skip
    assert presses == 1


def test_rules_are_tried_out_on_what_was_seen_and_change_nothing(
    gloed: Running, designer: httpx.Client, pasted: Site
) -> None:
    gloed.do(configure(gloed.store, pasted, {"least_visits": 5}))
    for number in range(6):
        walk(gloed, pasted, "/verzending", number)
    walk(gloed, pasted, "/klant/jan-jansen", 7)
    walk(gloed, pasted, None, 8)
    close(gloed, pasted)
    tried = send(designer, pasted, "try", RULES)
    assert tried.status_code == 200
    sheet = Sheet(tried.text)
    assert sheet.rows() == [["/verzending", "6", "shop", "shipping"]]
    # One visit alone saw it: its path may name somebody.
    assert "jansen" not in tried.text
    assert "1 path is not told" in tried.text
    assert "1 page view came without a path" in tried.text
    assert Sheet(designer.get(room(pasted)).text).rows()[0][3] == "the fragment’s own page"
    assert gloed.do(find_site(gloed.store, pasted.public_key)).page_rules == ()


def test_what_changed_is_written_down_beside_the_maps_it_concerns(
    gloed: Running, designer: httpx.Client, pasted: Site
) -> None:
    send(designer, pasted, "save", RULES)
    send(designer, pasted, "save", RULES)
    send(designer, pasted, "save", "/verzending shipping")
    told = [(one.page_id, one.text) for one in gloed.do(changes_of(gloed.store, pasted))]
    numbers = {slug: page.page_id for slug, page in pasted.pages.items()}
    assert sorted(told[-4:]) == sorted(
        [
            (numbers["cart"], "Counted here by path from now on: /winkelwagen*"),
            (numbers["shipping"], "Counted here by path from now on: /verzending"),
            (numbers["thanks"], "Some paths are counted as other pages from now on"),
            (numbers["shop"], "Some paths are counted as other pages from now on"),
        ]
    )
    assert (numbers["cart"], "No path is counted here by a rule any more") in told[:-4]
    page = designer.get(f"/sites/{pasted.public_key}/settings/changes").text
    assert "Counted here by path from now on: /winkelwagen*" in page


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("/cart", "Line 1: write a path, a blank and the name of a page."),
        ("/cart cart\n/a b c", "Line 2: write a path"),
        ("/cart wagen", "Line 1: this shop has no page wagen."),
        ("/[a]* cart", "without [ and ]"),
        ("/a cart\n/a shipping", "two rules have the same pattern"),
        ("\n".join(f"/p{n} cart" for n in range(51)), "at most 50 rules"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_told_beside_the_field(
    designer: httpx.Client, pasted: Site, rules: str, said: str
) -> None:
    answer = send(designer, pasted, "save", rules)
    assert answer.status_code == 422
    (fault,) = [e for e in Sheet(answer.text).all("p") if e.attributes.get("class") == "fault"]
    assert said in fault.text
    (area,) = Sheet(answer.text).all("textarea")
    assert area.text.split() == rules.split()


def test_the_api_puts_the_rules_in_place_as_a_whole(gloed: Running, pasted: Site) -> None:
    keys = {
        scope: gloed.do(add_key(gloed.store, pasted.site_id, scope, "", NOON))
        for scope in ("read", "write")
    }
    url = f"{gloed.url}/api/v1/sites/{pasted.public_key}/page-rules"
    rules = {"rules": [{"glob": "/verzending/", "page": "shipping"}]}

    def put(scope: str, body: object) -> httpx.Response:
        return httpx.put(url, json=body, headers={"authorization": f"Bearer {keys[scope]}"})

    assert put("read", rules).status_code == 404
    kept = put("write", rules)
    assert kept.json() == {"rules": [{"glob": "/verzending", "page": "shipping"}]}
    read = httpx.get(url, headers={"authorization": f"Bearer {keys['read']}"})
    assert read.json() == kept.json()
    for wrong in (
        {"rules": [{"glob": "/x", "page": "nowhere"}]},
        {"rules": [{"glob": "x" * 300, "page": "cart"}]},
        {"rules": [{"glob": "/a*b*c*d*e*f*g", "page": "cart"}]},
        {"rules": "all"},
        {},
    ):
        assert put("write", wrong).status_code == 422
    assert put("write", {"rules": []}).json() == {"rules": []}


def test_the_fragment_has_room_for_the_zones_of_every_page_it_may_be(
    gloed: Running, designer: httpx.Client, pasted: Site
) -> None:
    assert most_zones(pasted, pasted.pages["shop"]) == 0
    send(designer, pasted, "save", RULES)
    ruled = gloed.do(find_site(gloed.store, pasted.public_key))
    zones = max(zone.number for zone in ruled.pages["shipping"].zones)
    assert most_zones(ruled, ruled.pages["shop"]) == zones > 0
    assert most_zones(ruled, ruled.pages["payment"]) == 2
