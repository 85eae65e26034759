"""What a shop opens with, and its pages as small maps; one page's views, with filters kept."""

from __future__ import annotations

import math
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from app.closing.day import close_day
from app.pages.labels import KINDS, VIEWS
from app.pages.queries import Ends
from app.pages.shops.opening import change_sentence, conversion_sentence
from app.pages.words import WORDS
from collector.sites import Site
from heatmap.intervals import rate_difference
from tests.build import PHONE, Walker, make_shop
from tests.conftest import NOON
from tests.pages.conftest import BOXES, put_picture
from tests.pages.sheet import Sheet
from tests.serving import Running

ENGLISH = WORDS["en"]
TRIES = 3
DAY = timedelta(days=1)


# What a shop opens with ---------------------------------------------------------------------------


def test_a_share_of_orders_is_told_with_its_interval_and_its_change(shop: Site) -> None:
    told = conversion_sentence(shop, (Ends(40, 60), Ends(60, 40)), ENGLISH)
    assert told == (
        "Of 100 visits that reached the checkout in the last 30 days 40\N{NO-BREAK SPACE}% ordered "
        "(31\N{NO-BREAK SPACE}% to 50\N{NO-BREAK SPACE}%). That is 20 points less than in the 30 "
        "days before (\N{MINUS SIGN}33 to \N{MINUS SIGN}6)."
    )
    grown = change_sentence(Ends(60, 40), Ends(40, 60), 10, ENGLISH)
    assert grown == "That is 20 points more than in the 30 days before (+6 to +33)."


def test_a_change_that_may_be_chance_is_called_unsure(shop: Site) -> None:
    told = change_sentence(Ends(10, 12), Ends(11, 11), 10, ENGLISH)
    assert told.startswith("Whether that is a change from the 30 days before is not sure (")
    assert "too few such visits" in change_sentence(Ends(10, 12), Ends(2, 3), 10, ENGLISH)


def test_a_small_shop_is_told_what_it_takes(shop: Site) -> None:
    assert "that takes 10." in conversion_sentence(shop, (Ends(1, 8), Ends()), ENGLISH)
    assert "No visit reached the checkout" in conversion_sentence(shop, (Ends(), Ends()), ENGLISH)


def test_the_interval_of_a_difference_is_the_published_one() -> None:
    """Newcombe 1998, table II, method 10: 56/70 against 48/80."""
    found = rate_difference(56, 70, 48, 80)
    assert found.value == pytest.approx(0.2)
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert math.isnan(rate_difference(0, 0, 1, 2).value)


def test_both_the_shops_and_the_shops_own_page_open_with_it(
    gloed: Running, designer: httpx.Client
) -> None:
    site = gloed.do(make_shop(gloed.store, NOON))
    gloed.context.catalogue.forget()
    for number in range(4):
        walker = Walker(gloed.url, PHONE, f"10.0.0.{number}")
        gloed.clock.set(NOON - 3 * DAY - timedelta(minutes=number))
        walker.tell(walker.open(site, "shipping"), "w400", "coarse", "2.h5")
        if number == 0:
            walker.open(site, "thanks")
    gloed.clock.set(NOON)

    def opened_with(path: str) -> str:
        gloed.do(close_day(gloed.store, site, site.day_of(NOON - 3 * DAY), NOON))
        return Sheet(designer.get(path).text).text

    said = "Of 4 visits that reached the checkout in the last 30 days 25"
    for path in ("/", f"/sites/{site.public_key}"):
        # The house's own job may have begun at the earlier hour, and end after this one.
        tries = (opened_with(path) for _ in range(TRIES))
        text = next((text for text in tries if said in text), "")
        assert said in text, path
        assert "shipping: " in text
        assert text.count("went no further") == 1, "of pages before the order that somebody left"
        assert "3 went no further" in text


# A shop's page ------------------------------------------------------------------------------------


def test_pages_are_small_maps_along_the_journey_each_with_its_stall(
    designer: httpx.Client, shop: Site
) -> None:
    sheet = Sheet(designer.get(f"/sites/{shop.public_key}").text)
    assert [e.text for e in sheet.all("b")] == ["cart", "shipping", "payment", "thanks"]
    (image,) = sheet.all("img", loading="lazy")
    picture = designer.get(designer.base_url.join("/sites/x").join(image.attributes["src"]))
    assert picture.headers["content-type"] == "image/png"
    items = [e.text for e in sheet.all("li")]
    assert "Longest at verzendkosten: " in items[1]
    assert "measured in 6 visits" in items[1]
    assert "No page view in the last 30 days." in items[0]


def test_a_page_without_a_picture_shows_its_zones(
    gloed: Running, designer: httpx.Client, shop: Site
) -> None:
    gloed.do(gloed.store.execute("UPDATE layout SET picture_hash = NULL"))
    gloed.do(gloed.store.execute("UPDATE site SET data_version = data_version + 1"))
    gloed.context.catalogue.forget()
    sheet = Sheet(designer.get(f"/sites/{shop.public_key}").text)
    (image,) = sheet.all("img", loading="lazy")
    assert image.attributes["src"].endswith("heatmap.png?marks=zones")
    assert len(BOXES) == 3


def test_a_shop_without_pages_says_how_to_name_one(
    gloed: Running, designer: httpx.Client, shop: Site
) -> None:
    gloed.do(gloed.store.execute("DELETE FROM zone_box"))
    gloed.do(gloed.store.execute("DELETE FROM layout"))
    gloed.do(gloed.store.execute("DELETE FROM page"))
    text = Sheet(designer.get(f"/sites/{shop.public_key}").text).text
    assert f"gloed snippet --site {shop.public_key}" in text


# One page's views ---------------------------------------------------------------------------------


def tabs_of(html: str) -> dict[str, str]:
    sheet = Sheet(html)
    links = [e for e in sheet.all("a") if "/pages/shipping" in e.attributes["href"]]
    return {e.text: e.attributes["href"] for e in links if e.text in VIEWS.values()}


def test_every_view_is_a_tab_and_keeps_what_was_asked(designer: httpx.Client, shop: Site) -> None:
    asked = {
        "device": "phone",
        "date_from": "2026-11-01",
        "date_to": "2026-11-18",
        "outcome": "open",
    }
    base = f"/sites/{shop.public_key}/pages/shipping"
    start = designer.get(base, params={**asked, "kind": "click", "full_colour": "2"})
    tabs = tabs_of(start.text)
    assert list(tabs) == list(VIEWS.values())
    for name, label in VIEWS.items():
        address = designer.base_url.join(base).join(tabs[label])
        told = dict(parse_qsl(urlsplit(str(address)).query))
        assert asked.items() <= told.items(), name
        page = designer.get(address)
        assert page.status_code == 200, (name, page.text)
        (here,) = [e for e in Sheet(page.text).all("a") if e.attributes.get("aria-current")]
        assert here.text == label
        again = tabs_of(page.text)
        for other in again.values():
            assert asked.items() <= dict(parse_qsl(urlsplit(other).query)).items()
    assert "full_colour" not in tabs["Stalls"], "one kind's amounts are no scale for another's"


def test_a_view_says_what_it_does_not_choose_by_and_its_form_keeps_it(
    designer: httpx.Client, shop: Site
) -> None:
    base = f"/sites/{shop.public_key}/pages/shipping"
    sheet = Sheet(designer.get(f"{base}/form?outcome=open&kind=click").text)
    assert "This view does not choose by: How the visit ended." in sheet.text
    assert {"outcome": "open", "kind": "click"}.items() <= sheet.chosen().items()
    plain = Sheet(designer.get(f"{base}/form?kind=click").text)
    assert "does not choose by" not in plain.text


def test_attention_is_told_for_each_part_of_the_page(
    gloed: Running, designer: httpx.Client
) -> None:
    site = gloed.do(make_shop(gloed.store, NOON))
    gloed.context.catalogue.forget()
    put_picture(gloed, site)
    for number in range(2):
        walker = Walker(gloed.url, PHONE, f"10.0.1.{number}")
        walker.tell(walker.open(site, "shipping"), "w400", "coarse", "b0.5", "b1.2")
    sheet = Sheet(
        designer.get(f"/sites/{site.public_key}/pages/shipping?kind=attention&per=period").text
    )
    assert [row[:2] for row in sheet.rows()] == [["0 – 400", "10.0"], ["400 – 800", "4.0"]]


def test_presses_in_anger_are_counted_once_a_burst(gloed: Running, designer: httpx.Client) -> None:
    site = gloed.do(make_shop(gloed.store, NOON))
    gloed.context.catalogue.forget()
    put_picture(gloed, site)
    walker = Walker(gloed.url, PHONE, "10.0.2.1")
    token = walker.open(site, "shipping")
    walker.tell(token, "w400", "coarse", "3.p1", "3.p2", "3.p3")
    calm = Walker(gloed.url, PHONE, "10.0.2.2")
    token = calm.open(site, "shipping")
    for press in range(1, 4):
        gloed.clock.set(NOON + timedelta(seconds=5 * press))
        calm.tell(token, f"3.p{press}")
    sheet = Sheet(designer.get(f"/sites/{site.public_key}/pages/shipping?kind=rageclick").text)
    assert sheet.rows() == [["verder", "1", "1"]]


def test_every_kind_has_a_legend_in_both_languages(designer: httpx.Client, shop: Site) -> None:
    png = f"/api/v1/sites/{shop.public_key}/pages/shipping/heatmap.png"
    for kind in KINDS:
        for language in WORDS:
            drawn = designer.get(png, params={"kind": kind, "legend": language})
            assert drawn.headers["content-type"] == "image/png", (kind, drawn.text)


def test_filters_by_origin_and_variant_choose(designer: httpx.Client, shop: Site) -> None:
    for query in ("channel=unknown", "variant=0"):
        told = designer.get(
            f"/api/v1/sites/{shop.public_key}/pages/shipping/heatmap.json?{query}"
        ).json()
        assert told["visits"] == 12, query
    other = designer.get(f"/api/v1/sites/{shop.public_key}/pages/shipping/heatmap.json?variant=3")
    assert other.status_code == 409, "nobody met it, which a live shop does not tell"


# Side by side -------------------------------------------------------------------------------------


def test_two_cohorts_stand_side_by_side_on_one_scale(
    gloed: Running, designer: httpx.Client
) -> None:
    site = gloed.do(make_shop(gloed.store, NOON))
    gloed.context.catalogue.forget()
    put_picture(gloed, site)
    for number in range(8):
        walker = Walker(gloed.url, PHONE, f"10.0.3.{number}")
        gloed.clock.set(NOON - 3 * DAY - timedelta(minutes=number))
        clock = ("2.h", "2.h1", "2.h2", "2.h5", "2.h10") if number % 2 else ("2.h", "2.h1")
        walker.tell(walker.open(site, "shipping"), "w400", "coarse", *clock)
        if number % 2 == 0:
            walker.open(site, "thanks")
    gloed.clock.set(NOON)
    gloed.do(close_day(gloed.store, site, site.day_of(NOON - 3 * DAY), NOON))
    page = f"/sites/{site.public_key}/pages/shipping/compare"
    sheet = Sheet(designer.get(page).text)
    assert [e.text for e in sheet.all("h2")][:3] == [
        "Abandoners",
        "Completers",
        "Difference in stalls",
    ]
    pictures = [e.attributes["src"] for e in sheet.all("img") if "heatmap" in e.attributes["src"]]
    asked = [dict(parse_qsl(urlsplit(source).query)) for source in pictures]
    assert [one["outcome"] for one in asked] == ["abandoned", "completed"]
    assert asked[0]["scale_max"] == asked[1]["scale_max"]
    first, second = (e.text.partition("nothing ")[2] for e in sheet.all("figcaption")[:2])
    assert first == second == f"{first.split()[0]} s per visit per 100 × 100 px", "one legend"
    assert float(first.split()[0]) == pytest.approx(1e4 * float(asked[0]["scale_max"]), rel=0.05)
    for source in pictures:
        drawn = designer.get(designer.base_url.join(page).join(source))
        assert drawn.headers["content-type"] == "image/png", drawn.text
    (zone,) = sheet.rows()
    assert zone[0] == "verzendkosten"
    assert float(zone[1].split()[0]) > float(zone[2].split()[0])


def test_cohorts_that_cannot_be_are_said_and_not_drawn(designer: httpx.Client, shop: Site) -> None:
    page = f"/sites/{shop.public_key}/pages/shipping/compare"
    wrong = designer.get(page, params={"a": "phone"})
    assert wrong.status_code == 422
    assert "cannot be read" in wrong.text
    none = designer.get(
        page, params={"device": "phone", "a": "device:desktop", "b": "browser:edge"}
    )
    assert none.status_code == 200
    assert not [e for e in Sheet(none.text).all("img") if "desktop" in e.attributes["src"]]
