"""Setting a shop up on its pages: who may, what each form does, and how a fault is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import timedelta

import httpx
import pytest

from app.access.accounts import add_account, find_account, put_role
from app.access.keys import Session, add_key
from app.access.session import COOKIE, GUEST_COOKIE
from app.access.shares import add_share
from app.changes import changes_of
from app.shops import find_site
from collector.codes import Phase
from collector.sites import Site, Zone
from tests.build import PHONE, Walker, make_shop
from tests.conftest import NOON
from tests.pages.sheet import Sheet
from tests.serving import FROM_OURS, Running

WEEK = timedelta(days=7)
ROLES = ("reader", "editor", "owner")
EDITED = ("settings/pages", "settings/pages/shipping", "settings/paths", "settings/changes")
ROOMS = ("settings", *EDITED, "snippet")


@pytest.fixture
def tried(gloed: Running) -> Site:
    site = gloed.do(make_shop(gloed.store, NOON))
    gloed.context.catalogue.forget()
    return site


@pytest.fixture
def people(gloed: Running, tried: Site) -> Iterator[Mapping[str, httpx.Client]]:
    """Somebody of each role, signed in."""
    with ExitStack() as stack:
        found = {}
        for role in ROLES:
            number = gloed.do(add_account(gloed.store, f"{role}s", NOON))
            gloed.do(put_role(gloed.store, f"{role}s", tried, role))
            found[role] = stack.enter_context(client(gloed, number))
        yield found


def client(gloed: Running, account_id: int) -> httpx.Client:
    account = gloed.do(find_account(gloed.store, account_id))
    assert account is not None
    cookie = gloed.context.signer.cookie(Session(account_id, account.sessions), NOON)
    return httpx.Client(
        base_url=gloed.url, cookies={COOKIE: cookie}, headers=FROM_OURS, timeout=60.0
    )


def at(site: Site, room: str) -> str:
    return f"/sites/{site.public_key}/{room}"


def now_of(gloed: Running, site: Site) -> Site:
    return gloed.do(find_site(gloed.store, site.public_key))


def fault_of(answer: httpx.Response) -> tuple[str, str]:
    """Which field is wrong, and what is said beside it; the field leads to the sentence."""
    assert answer.status_code == 422, answer.text
    sheet = Sheet(answer.text)
    (said,) = [one for one in sheet.all("p") if one.attributes.get("class") == "fault"]
    wrong = [one for one in sheet.elements if one.attributes.get("aria-invalid")]
    for one in wrong:
        assert one.attributes["aria-describedby"] == said.attributes["id"]
    return said.attributes["id"].removeprefix("fault-"), said.text


# Who may ------------------------------------------------------------------------------------------


def test_readers_see_every_room_and_change_none(
    gloed: Running, tried: Site, people: Mapping[str, httpx.Client]
) -> None:
    before = now_of(gloed, tried)
    for room in (*ROOMS, "settings/access"):
        assert people["reader"].get(at(tried, room)).status_code == 200, room
        shown = Sheet(people["reader"].get(at(tried, room)).text)
        posted = [form.attributes["action"] for form in shown.all("form", method="post")]
        assert all(action.endswith("sign-out") for action in posted), room
        if room != "snippet":
            answer = people["reader"].post(at(tried, room), data={"do": "zone"})
            assert answer.status_code == 403, room
            assert "Your role for this shop" in answer.text
    assert now_of(gloed, tried) == before


def test_editors_change_pages_and_changes_and_owners_all_else(
    tried: Site, people: Mapping[str, httpx.Client]
) -> None:
    for room in ("settings", "settings/access"):
        assert people["editor"].post(at(tried, room), data={"do": "x"}).status_code == 403
        assert people["owner"].post(at(tried, room), data={"do": "x"}).status_code in (303, 422)
    for room in EDITED:
        assert people["editor"].post(at(tried, room), data={"do": "x"}).status_code == 422


def test_forms_that_stood_elsewhere_change_nothing(
    gloed: Running, tried: Site, people: Mapping[str, httpx.Client]
) -> None:
    for room in ("settings", *EDITED, "settings/access"):
        for said in ("cross-site", "same-site", "none"):
            headers = {"sec-fetch-site": said}
            answer = people["owner"].post(at(tried, room), data={"do": "live"}, headers=headers)
            assert answer.status_code == 403, room
    assert now_of(gloed, tried).state == "trying"


def test_no_room_opens_for_a_stranger_or_another_shop_s_owner(
    gloed: Running, people: Mapping[str, httpx.Client]
) -> None:
    other = gloed.do(make_shop(gloed.store, NOON, "Bloemen"))
    for room in (*ROOMS, "settings/access"):
        assert httpx.get(gloed.url + at(other, room)).status_code == 401
        assert people["owner"].get(at(other, room)).status_code == 404


# Pages and zones ----------------------------------------------------------------------------------


def test_a_page_is_named_with_its_place_in_the_journey(
    gloed: Running, tried: Site, people: Mapping[str, httpx.Client]
) -> None:
    form = {"slug": "betaald", "title": "Bedankt!", "phase": "done", "goal": "on"}
    answer = people["editor"].post(at(tried, "settings/pages"), data={**form, "bandwidth": "32,5"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "pages/betaald"
    page = now_of(gloed, tried).pages["betaald"]
    assert (page.title, page.phase, page.goal, page.bandwidth_px) == (
        "Bedankt!",
        Phase.DONE,
        True,
        32.5,
    )
    again = {"do": "page", "title": "Klaar", "phase": "checkout"}
    where = at(tried, "settings/pages/betaald")
    assert people["editor"].post(where, data=again).status_code == 303
    page = now_of(gloed, tried).pages["betaald"]
    assert (page.title, page.phase, page.goal, page.bandwidth_px) == (
        "Klaar",
        Phase.CHECKOUT,
        False,
        None,
    )


@pytest.mark.parametrize(
    ("form", "field", "told"),
    [
        ({"slug": "Kassa!"}, "slug", "a-z, 0-9"),
        ({"title": "Kassa"}, "slug", "a-z, 0-9"),
        ({"slug": "shipping"}, "slug", "has a page of that name"),
        ({"slug": "x", "phase": "later"}, "phase", "Choose where"),
        ({"slug": "x", "bandwidth": "0"}, "bandwidth", "A number of px"),
        ({"slug": "x", "bandwidth": "nan"}, "bandwidth", "A number of px"),
        ({"slug": "x", "title": "x" * 81}, "title", "At most 80"),
    ],
)
def test_what_no_page_can_be_called_is_said_beside_its_field(
    tried: Site,
    people: Mapping[str, httpx.Client],
    form: dict[str, str],
    field: str,
    told: str,
) -> None:
    wrong, said = fault_of(people["editor"].post(at(tried, "settings/pages"), data=form))
    assert wrong == field
    assert told in said


def test_a_zone_is_renamed_and_reworded_under_its_number(
    gloed: Running, tried: Site, people: Mapping[str, httpx.Client]
) -> None:
    where = at(tried, "settings/pages/shipping")
    form = {
        "do": "zone",
        "number": "2",
        "name": "Verzend\0kosten  totaal",
        "selector": ".totals  #shipping",
        "role": "text",
        "sensitive": "on",
        "validity": "on",
        "error": ".totals.wrong",
        "also": "#other\r\n\r\n.third",
    }
    assert people["editor"].post(where, data=form).status_code == 303
    zone = now_of(gloed, tried).pages["shipping"].zones[1]
    assert zone == Zone(
        2,
        "Verzendkosten totaal",
        ".totals #shipping",
        "text",
        True,
        {"error": ".totals.wrong"},
        frozenset({"validity"}),
        ("#other", ".third"),
    )
    shown = Sheet(people["editor"].get(where).text)
    assert "2 Verzendkosten totaal" in shown.text
    new = {"do": "zone", "number": "0", "name": "verzendkosten", "selector": "#x", "role": "field"}
    assert people["editor"].post(where, data=new).status_code == 303
    zones = now_of(gloed, tried).pages["shipping"].zones
    assert [(zone.number, zone.name) for zone in zones][-1] == (4, "verzendkosten"), "not 2 again"


def test_an_ended_zone_leaves_its_number_to_nobody(
    gloed: Running, tried: Site, people: Mapping[str, httpx.Client]
) -> None:
    where = at(tried, "settings/pages/shipping")
    assert people["editor"].post(where, data={"do": "end", "number": "3"}).status_code == 303
    assert [zone.number for zone in now_of(gloed, tried).pages["shipping"].zones] == [1, 2]
    renamed = {"do": "zone", "number": "1", "name": "verder", "selector": "#a", "role": "field"}
    assert people["editor"].post(where, data=renamed).status_code == 303
    new = {"do": "zone", "number": "0", "name": "kassa", "selector": "#b", "role": "button"}
    assert people["editor"].post(where, data=new).status_code == 303
    zones = now_of(gloed, tried).pages["shipping"].zones
    assert [(zone.number, zone.name) for zone in zones] == [
        (1, "verder"),
        (2, "verzendkosten"),
        (4, "kassa"),
    ]


ZONE = {"do": "zone", "number": "1", "name": "postcode", "selector": "#postcode", "role": "field"}


@pytest.mark.parametrize(
    ("more", "field", "told"),
    [
        ({"name": ""}, "name", "1 to 80"),
        ({"name": "verder"}, "name", "called 'verder' already"),
        ({"selector": ""}, "selector", ""),
        ({"selector": "input:hover"}, "selector", ":hover"),
        ({"selector": 'a[href^="x"]'}, "selector", ""),
        ({"role": "wizard"}, "role", "Choose what"),
        ({"error": "*"}, "error", ""),
        ({"also": "\n".join(["#a"] * 21)}, "also", "At most 20"),
        ({"also": "#a\n}body{"}, "also", ""),
    ],
)
def test_a_zone_that_cannot_be_is_said_beside_its_field_and_stays_typed(
    gloed: Running,
    tried: Site,
    people: Mapping[str, httpx.Client],
    more: dict[str, str],
    field: str,
    told: str,
) -> None:
    before = now_of(gloed, tried)
    form = {**ZONE, **more}
    answer = people["editor"].post(at(tried, "settings/pages/shipping"), data=form)
    wrong, said = fault_of(answer)
    assert wrong == f"zone-{form['number']}-{field}"
    assert told in said
    assert now_of(gloed, tried) == before
    if form["number"] == "1" and field not in ("role", "also"):
        (typed,) = Sheet(answer.text).all("input", id=f"zone-1-{field}")
        assert typed.attributes["value"] == form[field]


def test_a_zone_that_was_ended_meanwhile_is_not_brought_back_by_an_old_form(
    gloed: Running, tried: Site, people: Mapping[str, httpx.Client]
) -> None:
    form = {**ZONE, "number": "9", "name": "x"}
    wrong, said = fault_of(people["editor"].post(at(tried, "settings/pages/shipping"), data=form))
    assert wrong == "do"
    assert "no zone 9" in said


# What is collected --------------------------------------------------------------------------------


def test_the_owner_says_of_whom_and_how_long(
    gloed: Running, tried: Site, people: Mapping[str, httpx.Client]
) -> None:
    form = {
        "mode": "consent",
        "tool": "cookiebot",
        "exclude_networks": "192.0.2.0/24\r\n2001:db8::/48",
        "origins": "shop.nl",
        "raw_days": "20",
        "least_visits": "15",
    }
    assert people["owner"].post(at(tried, "settings"), data=form).status_code == 303
    config = dict(now_of(gloed, tried).config)
    assert config == {
        "consent": {"cookie": "CookieConsent", "pattern": "{*statistics:true*}"},
        "exclude_networks": ["192.0.2.0/24", "2001:db8::/48"],
        "origins": ["shop.nl"],
        "honour_opt_out": False,
        "raw_days": 20,
        "least_visits": 15,
    }
    sheet = Sheet(people["owner"].get(at(tried, "settings")).text)
    assert "selected" in sheet.all("option", value="cookiebot")[0].attributes
    assert sheet.all("input", name="raw_days")[0].attributes["value"] == "20"
    assert "checked" not in sheet.all("input", name="honour_opt_out")[0].attributes
    assert people["owner"].post(at(tried, "settings"), data={"honour_opt_out": "on"}).is_redirect
    assert now_of(gloed, tried).config == {}, "what is left empty is as usual again"


def test_what_other_commands_configured_stays(
    gloed: Running, tried: Site, people: Mapping[str, httpx.Client]
) -> None:
    menus = '{"menus": [".mega"], "quarantined_origins": ["bad.nl"]}'
    gloed.do(gloed.store.execute("UPDATE site SET config = $1::jsonb", menus))
    form = {"honour_opt_out": "on", "raw_days": "40"}
    assert people["owner"].post(at(tried, "settings"), data=form).status_code == 303
    assert now_of(gloed, tried).config == {
        "menus": [".mega"],
        "quarantined_origins": ["bad.nl"],
        "raw_days": 40,
    }


@pytest.mark.parametrize(
    ("form", "field", "told"),
    [
        ({"raw_days": "1"}, "raw_days", "at least"),
        ({"raw_days": "91"}, "raw_days", "At most 90"),
        ({"raw_days": "2.5"}, "raw_days", "whole number"),
        ({"least_visits": "4"}, "least_visits", "At least 5"),
        ({"view_days": "20"}, "raw_days", "must not fall"),
        ({"exclude_networks": "the office"}, "exclude_networks", "192.0.2.0/24"),
        ({"origins": "https://shop.nl/x"}, "origins", "without https://"),
        ({"tool": "own", "cookie": "a b", "pattern": "x"}, "cookie", "name of a cookie"),
        ({"tool": "own", "cookie": "a", "pattern": "*"}, "pattern", "every visitor"),
        ({"mode": "exempt"}, "mode", "honour_opt_out"),
        ({"mode": "all"}, "mode", ""),
    ],
)
def test_settings_that_cannot_hold_are_said_beside_their_field(
    gloed: Running,
    tried: Site,
    people: Mapping[str, httpx.Client],
    form: dict[str, str],
    field: str,
    told: str,
) -> None:
    wrong, said = fault_of(people["owner"].post(at(tried, "settings"), data=form))
    assert wrong == field
    assert told in said
    assert now_of(gloed, tried).config == {}


def test_a_change_of_settings_is_collected_by_at_once(
    gloed: Running, tried: Site, people: Mapping[str, httpx.Client]
) -> None:
    walker = Walker(gloed.url, PHONE, "192.0.2.7")
    path = f"/g/{tried.public_key}/shipping"
    assert "x-gloed-drop" not in walker.get(path).headers
    form = {"honour_opt_out": "on", "exclude_networks": "192.0.2.0/24"}
    assert people["owner"].post(at(tried, "settings"), data=form).status_code == 303
    assert walker.get(path).headers["x-gloed-drop"] == "staff"


def test_going_live_is_asked_for_twice(
    gloed: Running, tried: Site, people: Mapping[str, httpx.Client]
) -> None:
    wrong, _ = fault_of(people["owner"].post(at(tried, "settings"), data={"do": "live"}))
    assert wrong == "sure"
    assert now_of(gloed, tried).state == "trying"
    form = {"do": "live", "sure": "on"}
    assert people["owner"].post(at(tried, "settings"), data=form).status_code == 303
    assert now_of(gloed, tried).state == "live"


# Keys and people ----------------------------------------------------------------------------------


def test_a_key_is_shown_once_works_and_is_revoked(
    gloed: Running, tried: Site, people: Mapping[str, httpx.Client]
) -> None:
    where = at(tried, "settings/access")
    made = people["owner"].post(where, data={"do": "key", "scope": "read", "label": "Figma <b>"})
    assert made.status_code == 200
    assert made.headers["cache-control"] == "private, no-store"
    (key,) = [
        word
        for code in Sheet(made.text).all("code")
        for word in code.text.split()
        if word.startswith("gld_")
    ]
    ask = f"{gloed.url}/api/v1/sites/{tried.public_key}"
    headers = {"authorization": f"Bearer {key}"}
    assert httpx.get(ask, headers=headers).status_code == 200
    listed = people["owner"].get(where).text
    assert key not in listed
    assert "Figma &lt;b&gt;" in listed
    number = Sheet(listed).all("input", name="number")[0].attributes["value"]
    assert people["owner"].post(where, data={"do": "revoke", "number": number}).status_code == 303
    assert httpx.get(ask, headers=headers).status_code == 401


def test_no_owner_revokes_another_shop_s_key(
    gloed: Running, tried: Site, people: Mapping[str, httpx.Client]
) -> None:
    other = gloed.do(make_shop(gloed.store, NOON, "Bloemen"))
    key = gloed.do(add_key(gloed.store, other.site_id, "read", "", NOON))
    number = gloed.do(gloed.store.fetchval("SELECT max(api_key_id) FROM api_key"))
    form = {"do": "revoke", "number": str(number)}
    assert people["owner"].post(at(tried, "settings/access"), data=form).status_code == 422
    ask = f"{gloed.url}/api/v1/sites/{other.public_key}"
    assert httpx.get(ask, headers={"authorization": f"Bearer {key}"}).status_code == 200


def test_somebody_is_invited_by_a_link_that_signs_in_once(
    gloed: Running, tried: Site, people: Mapping[str, httpx.Client]
) -> None:
    where = at(tried, "settings/access")
    form = {"do": "invite", "name": "Anna@shop.nl", "role": "reader"}
    made = people["owner"].post(where, data=form)
    assert made.status_code == 200
    (link,) = [code.text for code in Sheet(made.text).all("code") if "/sign-in/" in code.text]
    path = "/sign-in/" + link.rpartition("/")[2]
    with httpx.Client(base_url=gloed.url, headers=FROM_OURS) as anna:
        assert anna.post(path).status_code == 303
        assert anna.get(at(tried, "settings")).status_code == 200
        assert anna.post(at(tried, "settings"), data={"do": "x"}).status_code == 403
        change = {"do": "role", "name": "anna@shop.nl", "role": "owner"}
        assert people["owner"].post(where, data=change).status_code == 303
        assert anna.post(at(tried, "settings"), data={"honour_opt_out": "on"}).status_code == 303
        people["owner"].post(where, data={"do": "end", "name": "anna@shop.nl"})
        assert anna.get(at(tried, "settings")).status_code == 404


def test_an_owner_makes_no_link_for_who_belongs_to_another_shop_too(
    gloed: Running, tried: Site, people: Mapping[str, httpx.Client]
) -> None:
    other = gloed.do(make_shop(gloed.store, NOON, "Bloemen"))
    gloed.do(add_account(gloed.store, "bram", NOON))
    gloed.do(put_role(gloed.store, "bram", other, "owner"))
    where = at(tried, "settings/access")
    made = people["owner"].post(where, data={"do": "invite", "name": "bram", "role": "reader"})
    assert made.status_code == 200
    assert "/sign-in/" not in made.text
    assert "was here before" in made.text
    answer = people["owner"].post(where, data={"do": "link", "name": "bram"})
    assert answer.status_code == 422
    assert "other shops" in answer.text
    assert gloed.do(gloed.store.fetchval("SELECT count(*) FROM sign_in_link")) == 0


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"do": "invite", "name": "no spaces", "role": "reader"}, "name"),
        ({"do": "invite", "name": "owner", "role": "reader"}, "name"),
        ({"do": "invite", "name": "anna", "role": "king"}, "name"),
        ({"do": "key", "scope": "all"}, "scope"),
        ({"do": "revoke", "number": "-1"}, "do"),
        ({"do": "role", "name": "nobody", "role": "reader"}, "do"),
        ({"do": "role", "name": "readers", "role": "king"}, "do"),
        ({"do": "link", "name": "nobody"}, "do"),
        ({"do": "burn"}, "do"),
    ],
)
def test_access_that_cannot_be_given_is_refused_with_its_cause(
    tried: Site, people: Mapping[str, httpx.Client], form: dict[str, str], field: str
) -> None:
    wrong, said = fault_of(people["owner"].post(at(tried, "settings/access"), data=form))
    assert wrong == field
    assert said


# Changes ------------------------------------------------------------------------------------------


def test_a_change_is_written_down_in_the_shop_s_time_and_taken_back(
    gloed: Running, tried: Site, people: Mapping[str, httpx.Client]
) -> None:
    where = at(tried, "settings/changes")
    form = {"do": "add", "text": "Nieuwe  knop", "page": "shipping", "at": "2026-11-17T09:30"}
    assert people["editor"].post(where, data=form).status_code == 303
    assert people["editor"].post(where, data={"do": "add", "text": "Ander lettertype"}).is_redirect
    newest, first = gloed.do(changes_of(gloed.store, tried))
    assert (newest.text, newest.page_id, newest.at) == ("Ander lettertype", None, NOON)
    assert first.text == "Nieuwe knop"
    assert first.at.isoformat() == "2026-11-17T08:30:00+00:00"
    page = tried.pages["cart"]
    assert [one.text for one in gloed.do(changes_of(gloed.store, tried, page))] == [newest.text]
    assert "17 Nov 2026 09:30" in Sheet(people["reader"].get(where).text).text
    gone = {"do": "drop", "number": str(first.change_id)}
    assert people["editor"].post(where, data=gone).status_code == 303
    assert gloed.do(changes_of(gloed.store, tried)) == (newest,)


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": "x" * 201}, "text"),
        ({"text": "a\x07b"}, "text"),
        ({"text": "x", "page": "nothing"}, "page"),
        ({"text": "x", "at": "yesterday"}, "at"),
        ({"text": "x", "at": "2026-11-19T00:00"}, "at"),
    ],
)
def test_a_change_that_cannot_be_is_said_beside_its_field(
    gloed: Running,
    tried: Site,
    people: Mapping[str, httpx.Client],
    form: dict[str, str],
    field: str,
) -> None:
    wrong, _ = fault_of(people["editor"].post(at(tried, "settings/changes"), data=form))
    assert wrong == field
    assert gloed.do(changes_of(gloed.store, tried)) == ()


# The snippet --------------------------------------------------------------------------------------


def test_each_system_is_told_where_the_fragment_goes(
    tried: Site, people: Mapping[str, httpx.Client]
) -> None:
    asked = {"page": "shipping", "base": "https://stats.shop.nl/g"}
    sheet = Sheet(people["reader"].get(at(tried, "snippet"), params=asked).text)
    lines = [block.text for block in sheet.all("pre")]
    link = f"https://stats.shop.nl/g/{tried.public_key}/shipping"
    assert sum(link in text for text in lines) == 5, "plain and in each of four systems"
    assert any("is_checkout() && ! is_order_received_page()" in text for text in lines)
    assert "checkout_index_index.xml" in sheet.text
    assert "checkout/checkout.tpl" in sheet.text
    assert "checkout/confirm/index.html.twig" in sheet.text
    assert "style-src https://stats.shop.nl/g/; img-src https://stats.shop.nl/g/" in lines
    own = Sheet(people["reader"].get(at(tried, "snippet"), params={"page": "thanks"}).text)
    assert "is_order_received_page()" in own.text
    assert "style-src 'self'; img-src 'self'" in own.text


def test_the_script_and_a_reference_are_added_if_that_is_asked_for(
    tried: Site, people: Mapping[str, httpx.Client]
) -> None:
    plain = people["reader"].get(at(tried, "snippet"), params={"page": "shipping"}).text
    asked = {"page": "shipping", "script": "on", "ref": "ORDER_REF"}
    more = people["reader"].get(at(tried, "snippet"), params=asked).text
    assert "&lt;script" not in plain
    assert "&lt;script" in more
    assert "shipping/ORDER_REF" in more
    assert "connect-src" in more


@pytest.mark.parametrize(
    ("more", "field"),
    [({"base": "javascript:x"}, "base"), ({"base": "//evil"}, "base"), ({"ref": "a b"}, "ref")],
)
def test_an_address_that_cannot_be_pasted_is_said_beside_its_field(
    tried: Site, people: Mapping[str, httpx.Client], more: dict[str, str], field: str
) -> None:
    asked = {"page": "shipping", **more}
    wrong, _ = fault_of(people["reader"].get(at(tried, "snippet"), params=asked))
    assert wrong == field


def test_in_dutch_the_rooms_say_the_same(tried: Site, people: Mapping[str, httpx.Client]) -> None:
    for room in (*ROOMS, "settings/access"):
        dutch = people["owner"].get(at(tried, room), headers={"accept-language": "nl"})
        assert Sheet(dutch.text).all("h1")[0].text == "Instellingen", room


def test_a_map_over_a_change_of_its_page_says_so_to_the_shop_s_own_people(
    gloed: Running, tried: Site, people: Mapping[str, httpx.Client]
) -> None:
    for text, moment in (("Nieuwe knop", "2026-11-17T09:30"), ("Lang geleden", "2026-01-01T12:00")):
        form = {"do": "add", "text": f"{text} <b>", "page": "shipping", "at": moment}
        assert people["editor"].post(at(tried, "settings/changes"), data=form).is_redirect
    shown = people["reader"].get(at(tried, "pages/shipping")).text
    day = "17\N{NO-BREAK SPACE}Nov"
    told = f"Within this period the page changed, on {day} 2026 09:30: Nieuwe knop &lt;b&gt;"
    assert told in shown
    assert "Lang geleden" not in shown
    assert "Nieuwe knop" not in people["reader"].get(at(tried, "pages/cart")).text
    after = {"date_from": "2026-11-18"}
    assert "Nieuwe knop" not in people["reader"].get(at(tried, "pages/shipping"), params=after).text
    share = gloed.do(add_share(gloed.store, tried.site_id, "shipping", WEEK, NOON, picture=False))
    token = gloed.context.signer.share(share.share_id, share.expires_at)
    guest = {"cookie": f"{GUEST_COOKIE}={token}"}
    seen = httpx.get(gloed.url + at(tried, "pages/shipping"), headers=guest)
    assert seen.status_code == 200
    assert "Nieuwe knop" not in seen.text
    for room in (*ROOMS, "pages/shipping/layouts"):
        assert httpx.get(gloed.url + at(tried, room), headers=guest).status_code in (401, 404), room
