"""The page that says what is wrong with a shop's snippet, and which signals arrived."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from app.access.accounts import add_account, find_account, put_role
from app.access.keys import Session
from app.access.session import COOKIE
from app.closing.day import close_day
from app.pages.setting_up.check import MOST_FORM_BYTES, MOST_POLICY, WALKED
from app.pages.shops.arrivals import QUIET_AFTER_DAYS
from collector.sites import Site
from collector.wire import Reason
from snippets.html import snippet_html
from tests.build import PHONE, Walker, make_shop
from tests.conftest import NOON
from tests.pages.sheet import Sheet
from tests.serving import Running

ELSEWHERE = "https://stats.shop.example/g"
MARKS = ("good", "bad")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def tried(gloed: Running) -> Site:
    """A shop on trial that a phone just walked through."""
    site = gloed.do(make_shop(gloed.store, NOON))
    gloed.context.catalogue.forget()
    walker = Walker(gloed.url, PHONE, "10.0.0.1")
    token = walker.open(site, "shipping")
    walker.tell(token, "t1", "w400", "coarse", "2.f", "3.p1")
    gloed.do(close_day(gloed.store, site, site.day_of(NOON), NOON))
    return site


def check_of(site: Site) -> str:
    return f"/sites/{site.public_key}/check"


def told(client: httpx.Client, site: Site, language: str = "en") -> Sheet:
    answer = client.get(check_of(site), headers={"accept-language": language})
    assert answer.status_code == 200
    return Sheet(answer.text)


def lines(sheet: Sheet) -> list[str]:
    """Every finding with its mark, in order."""
    return [item.text for item in sheet.all("li") if item.attributes.get("class") in MARKS]


def looked(client: httpx.Client, site: Site, language: str = "en", **fields: str) -> list[str]:
    """What the form says of a pasted page."""
    headers = {"accept-language": language}
    answer = client.post(check_of(site), data=fields, headers=headers)
    assert answer.status_code == 200, answer.status_code
    section = answer.text.split('id="result"')[1].split("</section>")[0]
    return lines(Sheet(section))


def page_of(site: Site, slug: str = "shipping", base: str = "/g") -> str:
    html = snippet_html(site_key=site.public_key, page=site.pages[slug], base=base)
    return f"<!doctype html><title>Verzending</title><body>{html}</body>"


def drop(gloed: Running, site: Site, reason: str, n: int) -> None:
    gloed.do(
        gloed.store.execute(
            "INSERT INTO dropped (site_id, day, reason, n, capture) VALUES ($1, $2, $3, $4, 1)",
            site.site_id,
            site.day_of(NOON),
            reason,
            n,
        )
    )


def test_what_arrived_is_told_page_by_page(designer: httpx.Client, tried: Site) -> None:
    found = lines(told(designer, tried))
    assert found[0] == "good page views reach Gloed: the last at 18 Nov 2026 13:00, of shipping"
    assert found[1].startswith("to do cart: its fragment was not seen in 30 days.")
    assert f"gloed snippet --site {tried.public_key} --page cart" in found[1]
    assert found[2] == "good shipping: last seen at 18 Nov 2026 13:00"
    assert "good visitors stay different" in " ".join(found)


def test_in_dutch_it_says_the_same(designer: httpx.Client, tried: Site) -> None:
    sheet = told(designer, tried, "nl")
    found = lines(sheet)
    assert found[0] == "goed paginaweergaven bereiken Gloed: de laatste op 18 nov 2026 13:00, " + (
        "van shipping"
    )
    assert found[1].startswith("te doen cart: het fragment is in 30 dagen niet gezien.")
    row = sheet.rows()[0]
    assert row[0].startswith("Chrome, Android telefoons; 1 van 1 paginaweergave stuurde signalen")
    assert row[1].startswith("zones, geldigheid")


def test_a_page_that_fell_silent_is_told_with_its_last_day(
    gloed: Running, designer: httpx.Client, tried: Site
) -> None:
    gloed.clock.set(NOON + QUIET_AFTER_DAYS * DAY)
    assert "good shipping: last seen on 18 November 2026" in lines(told(designer, tried))
    gloed.clock.set(NOON + (QUIET_AFTER_DAYS + 1) * DAY)
    # The sign-in of the fixture holds: it lasts two weeks.
    found = lines(told(designer, tried))
    assert found[0].startswith("to do no page view arrived since yesterday")
    assert any(
        line.startswith("to do shipping: its fragment was not seen since 18 November 2026")
        for line in found
    )
    assert "visitors stay different" not in " ".join(found)


def test_drops_and_an_untrusted_proxy_are_told_with_their_remedy(
    gloed: Running, designer: httpx.Client, tried: Site
) -> None:
    drop(gloed, tried, Reason.UNTRUSTED_PROXY, 1500)
    drop(gloed, tried, Reason.BOT, 3)
    drop(gloed, tried, Reason.UNKNOWN_PAGE, 2)
    drop(gloed, tried, "of_a_<later>_version", 1)
    found = lines(told(designer, tried))
    (proxy,) = [line for line in found if "GLOED_TRUSTED_PROXIES" in line]
    assert proxy.startswith("to do 1,500 requests came through a proxy that is not trusted")
    assert "visitors stay different" not in " ".join(found)
    assert "good 3 dropped: robots" in found
    assert "good 1 dropped: of_a_<later>_version" in found
    assert "to do 2 dropped: the snippet names a page that gloed snippet never made" in found
    assert "goed 3 weggelaten: robots" in lines(told(designer, tried, "nl"))


def test_a_phone_on_trial_sees_what_it_sent_in_the_last_half_hour(
    gloed: Running, designer: httpx.Client, tried: Site
) -> None:
    sheet = told(designer, tried)
    assert [item.text for item in sheet.all("b") if item.text == "shipping"]
    assert "press on verder" in sheet.text
    assert sheet.rows()[0][0].startswith("Chrome, Android phones; 1 of 1 page view sent signals")
    gloed.clock.set(NOON + WALKED + MINUTE)
    later = told(designer, tried)
    assert "press on verder" not in later.text
    assert "Nothing so far." in later.text


def test_of_a_live_shop_no_single_visitor_is_listed(
    designer: httpx.Client, shop: Site, gloed: Running
) -> None:
    sheet = told(designer, shop)
    assert "This shop is live" in sheet.text
    assert "press on" not in sheet.text
    assert lines(sheet)[0] == "good page views reach Gloed: the last within the last hour"
    assert "13:00" not in sheet.text
    (row,) = sheet.rows()
    assert row[0] == "Chrome, Android phones; 50 % of the page views sent signals"
    more = '{"least_visits": 13}'
    gloed.do(gloed.store.execute("UPDATE site SET config = config || $1::jsonb", more))
    gloed.context.catalogue.forget()
    few = told(designer, shop)
    assert few.rows() == []
    assert "browsers of at least 13 visits" in few.text


def test_a_whole_snippet_is_found_well(designer: httpx.Client, tried: Site) -> None:
    assert looked(designer, tried, html=page_of(tried)) == [
        "good the snippet is there",
        "good it is this shop’s snippet of the page shipping",
    ]
    assert looked(designer, tried, "nl", html=page_of(tried)) == [
        "goed het fragment is er",
        "goed het is het fragment van deze winkel voor de pagina shipping",
    ]


def test_what_an_optimiser_did_is_told_in_both_languages(
    designer: httpx.Client, tried: Site
) -> None:
    lazy = page_of(tried).replace(' src="', ' src="data:," data-src="')
    assert any("rewrote the held image" in line for line in looked(designer, tried, html=lazy))
    twice = page_of(tried) + page_of(tried)
    assert "te doen het fragment staat er 2 keer: plak het één keer" in looked(
        designer, tried, "nl", html=twice
    )
    assert looked(designer, tried, html="<p>niets</p>") == [
        "to do no snippet found: paste it before </body>"
    ]


@pytest.mark.parametrize(
    ("policy", "address", "needs"),
    [
        ("", "", []),
        ("default-src *", "", []),
        ("default-src 'self'", "", ["style-src", "img-src"]),
        ("default-src 'self'", "https://stats.shop.example/verzending", []),
        ("default-src *; img-src 'none'", "", ["img-src"]),
        ("Content-Security-Policy: img-src 'none';\n default-src *", "", ["img-src"]),
        ("default-src *, style-src 'none'", "", ["style-src"]),
    ],
)
def test_what_a_policy_blocks_is_told_with_what_to_add(
    designer: httpx.Client, tried: Site, policy: str, address: str, needs: list[str]
) -> None:
    html = page_of(tried, base=ELSEWHERE)
    found = looked(designer, tried, html=html, policy=policy, address=address)
    bad = [line for line in found if line.startswith("to do")]
    assert [line.split()[6] for line in bad] == needs
    assert all("add https://stats.shop.example/g/ to it" in line for line in bad)


def test_a_snippet_of_another_shop_or_page_is_noticed(
    gloed: Running, designer: httpx.Client, tried: Site
) -> None:
    other = gloed.do(make_shop(gloed.store, NOON, "Bloemen"))
    found = looked(designer, tried, html=page_of(other))
    assert found[-1] == f"to do the snippet bears the key {other.public_key}, " + (
        "which is not this shop’s"
    )
    renamed = page_of(tried).replace(f"{tried.public_key}/shipping", f"{tried.public_key}/nergens")
    assert "“nergens”" in looked(designer, tried, html=renamed)[-1]


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"html": ""}, 422, "Paste the page’s source first."),
        ({"html": " "}, 422, "Paste the page’s source first."),
        ({"html": "<p>", "policy": "x" * (MOST_POLICY + 1)}, 422, "longer than any server"),
        ({"html": "<p>", "address": "file:///etc/passwd"}, 422, "begin with http:// or https://"),
        ({"html": "x" * MOST_FORM_BYTES}, 413, "more than a megabyte"),
    ],
)
def test_what_cannot_be_looked_at_says_why(
    designer: httpx.Client, tried: Site, fields: dict[str, str], status: int, said: str
) -> None:
    answer = designer.post(check_of(tried), data=fields)
    assert answer.status_code == status
    (alert,) = Sheet(answer.text).all("p", role="alert")
    assert said in alert.text


@pytest.mark.parametrize("address", ["https://[", "https://stats.shop.example:y/"])
def test_an_address_that_cannot_be_read_is_said_to_be_one(
    designer: httpx.Client, tried: Site, address: str
) -> None:
    fields = {"html": page_of(tried, base=ELSEWHERE), "policy": "img-src 'self'"}
    answer = designer.post(check_of(tried), data={**fields, "address": address})
    assert answer.status_code == 422
    assert "cannot be read" in Sheet(answer.text).text


def test_more_fields_than_the_form_has_are_refused(designer: httpx.Client, tried: Site) -> None:
    fields = {f"f{number}": "x" for number in range(99)}
    assert designer.post(check_of(tried), data=fields).status_code == 422


def test_nothing_that_was_pasted_is_shown_as_it_came(designer: httpx.Client, tried: Site) -> None:
    evil = page_of(tried).replace("/g/gs_", '/&lt;img src=x onerror="kanarie()">/g/gs_')
    policy = "img-src 'none' <script>kanarie()</script>"
    answer = designer.post(check_of(tried), data={"html": evil, "policy": policy})
    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert 'onerror="' not in answer.text
    assert not Sheet(answer.text).all("img", src="x")
    assert "Verzending" not in answer.text
    assert "kanarie" not in Sheet(answer.text).all("textarea")[0].text


def test_comments_without_an_end_do_not_keep_the_parser_busy(
    designer: httpx.Client, tried: Site
) -> None:
    """Looked for one after another to the end of the page, these would take minutes."""
    found = looked(designer, tried, html="<!--" * 100_000 + page_of(tried))
    assert found[0] == "good the snippet is there"


def test_a_source_that_takes_too_long_is_given_up(
    designer: httpx.Client, tried: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.checking.pasted.MAX_READ_S", -1.0)
    found = looked(designer, tried, html=page_of(tried))
    assert found == ["to do the source is too tangled to be read to its end"]


@pytest.fixture
def reader(gloed: Running, tried: Site) -> Iterator[httpx.Client]:
    """Signed in with the role of a reader of one shop."""
    number = gloed.do(add_account(gloed.store, "lezer", NOON))
    gloed.do(put_role(gloed.store, "lezer", tried, "reader"))
    account = gloed.do(find_account(gloed.store, number))
    assert account is not None
    cookie = gloed.context.signer.cookie(Session(number, account.sessions), NOON)
    headers = {"accept": "text/html", "cookie": f"{COOKIE}={cookie}"}
    with httpx.Client(base_url=gloed.url, headers=headers) as client:
        yield client


def test_another_shop_s_account_finds_nothing_there(
    gloed: Running, reader: httpx.Client, tried: Site
) -> None:
    other = gloed.do(make_shop(gloed.store, NOON, "Bloemen"))
    assert reader.get(check_of(tried)).status_code == 200
    foreign, absent = reader.get(check_of(other)), reader.get("/sites/gs_aaaaaaaaaaaaaaaa/check")
    assert foreign.status_code == absent.status_code == 404
    assert foreign.text == absent.text
    assert reader.post(check_of(other), data={"html": "<p>"}).status_code == 404


def test_a_stranger_and_a_form_from_elsewhere_are_refused(
    gloed: Running, designer: httpx.Client, tried: Site
) -> None:
    assert httpx.get(gloed.url + check_of(tried)).status_code == 401
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        answer = designer.post(check_of(tried), data={"html": "<p>"}, headers=headers)
        assert answer.status_code == 403, headers
    assert designer.post(check_of(tried), json={"html": "<p>"}).status_code == 415


def test_the_shop_leads_to_it(designer: httpx.Client, tried: Site) -> None:
    links = [link.attributes["href"] for link in Sheet(designer.get("/").text).all("a")]
    assert f".{check_of(tried)}" in links
