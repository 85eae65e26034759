"""The shops, their pages, and what a shop on trial just sent."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from app.shops import add_site
from collector.sites import Site
from tests.build import PHONE, Walker, batch_body, make_shop
from tests.conftest import NOON
from tests.pages.conftest import VISITS
from tests.pages.sheet import Sheet
from tests.serving import Running


@pytest.fixture
def tried(gloed: Running) -> Site:
    site = gloed.do(make_shop(gloed.store, NOON))
    gloed.context.catalogue.forget()
    return site


def signals(designer: httpx.Client, language: str = "en") -> list[str]:
    """What the page lists, view by view, without the hours."""
    sheet = Sheet(designer.get("/", headers={"accept-language": language}).text)
    hours = {time.text for time in sheet.all("time")}
    listed = []
    for item in sheet.all("li"):
        words = [word for word in item.text.split() if word not in hours]
        listed.append(" ".join(words))
    return listed


def test_pages_are_listed_along_the_journey_with_their_visits(
    designer: httpx.Client, shop: Site
) -> None:
    sheet = Sheet(designer.get("/").text)
    rows = sheet.rows()
    assert [row[0].split()[0] for row in rows] == ["cart", "shipping", "payment", "thanks"]
    assert rows[1][1:] == [str(VISITS), str(VISITS)]
    assert "shown after 10 more visits" in rows[0][0]
    assert "shown after" not in rows[1][0]
    links = [e.attributes["href"] for e in sheet.all("a") if "/pages/" in e.attributes["href"]]
    assert links == [f"./sites/{shop.public_key}/pages/{row[0].split()[0]}" for row in rows]
    assert designer.get(links[0].removeprefix(".")).is_success


def test_without_a_shop_the_page_says_how_to_add_one(designer: httpx.Client) -> None:
    sheet = Sheet(designer.get("/").text)
    assert sheet.all("h1")[0].text == "Your first shop"
    assert [e.text for e in sheet.all("code")] == ["gloed site add 'My shop'"]


def test_a_shop_without_pages_says_how_to_name_one(gloed: Running, designer: httpx.Client) -> None:
    key = gloed.do(add_site(gloed.store, "Leeg", NOON))
    codes = [e.text for e in Sheet(designer.get("/").text).all("code")]
    assert f"gloed snippet --site {key} --page shipping --from shipping.html" in codes


def test_a_shop_that_sent_nothing_says_what_to_do(designer: httpx.Client, tried: Site) -> None:
    text = Sheet(designer.get("/").text).text
    assert "Nothing arrived today or yesterday." in text
    assert "gloed check" in text


def test_a_trial_is_told_as_it_arrives_the_newest_first(
    gloed: Running, designer: httpx.Client, tried: Site
) -> None:
    walker = Walker(gloed.url, PHONE, "10.0.0.1")
    first = walker.open(tried, "shipping")
    gloed.clock.set(NOON + timedelta(seconds=6))
    walker.tell(first, "w400", "2.h", "2.h1", "2.h2", "2.h5", "t5")
    gloed.clock.set(NOON + timedelta(seconds=8))
    walker.tell(first, "3.p1")
    assert signals(designer) == [
        "shipping phone 400 px press on verder hesitation of 5 seconds at verzendkosten",
        "press on verder",
        "hesitation of 5 seconds at verzendkosten",
    ]
    gloed.clock.set(NOON + timedelta(seconds=20))
    second = walker.open(tried, "payment")
    gloed.clock.set(NOON + timedelta(seconds=22))
    walker.tell(second, "t1", "2.p1", "2.p2")
    assert signals(designer)[1:] == [
        "2 presses on betalen",
        "shipping phone 400 px left after at least 8 seconds press on verder "
        "hesitation of 5 seconds at verzendkosten",
        "left after at least 8 seconds",
        "press on verder",
        "hesitation of 5 seconds at verzendkosten",
    ]


def test_a_trial_is_told_in_dutch(gloed: Running, designer: httpx.Client, tried: Site) -> None:
    walker = Walker(gloed.url, PHONE, "10.0.0.1")
    walker.tell(walker.open(tried, "shipping"), "t5", "2.h5")
    walker.tell(walker.open(tried, "payment"), "t5", "2.p1")
    gloed.clock.set(NOON + timedelta(minutes=1))
    told = signals(designer, "nl")
    assert "aarzeling 5 s op verzendkosten" in told
    assert "klik op betalen" in told
    assert "weg na minstens 5 seconden" in told


def test_the_hours_are_the_shops_own(gloed: Running, designer: httpx.Client, tried: Site) -> None:
    Walker(gloed.url, PHONE, "10.0.0.1").open(tried, "cart")
    (time,) = Sheet(designer.get("/").text).all("time")
    assert time.text == "13:00:00"
    assert time.attributes["datetime"] == "2026-11-18T12:00:00+00:00"


def test_the_scripts_batches_are_told_too(
    gloed: Running, designer: httpx.Client, tried: Site
) -> None:
    minute = int(NOON.timestamp()) // 60
    click, again = ([1, at_ms, 640, 480, 3, 0, 0, 0, 0] for at_ms in (500, 900))
    leave = [14, 9000, 0, 0, 0, 0, 0, 0, 0]
    body = batch_body(m=minute, e=[click, again, leave])
    gloed.clock.set(NOON + timedelta(seconds=9))
    assert Walker(gloed.url).post(tried, body).status_code == 204
    assert signals(designer)[1:] == [
        "left after at least 9 seconds",
        "2 presses on verder",
        "pointer moved over the page",
    ]


def test_a_live_shop_lists_nobody(gloed: Running, designer: httpx.Client) -> None:
    site = gloed.do(make_shop(gloed.store, NOON, live=True))
    gloed.context.catalogue.forget()
    walker = Walker(gloed.url, PHONE, "10.0.0.1")
    walker.tell(walker.open(site, "shipping"), "2.h5")
    sheet = Sheet(designer.get("/").text)
    assert not sheet.all("time")
    assert "hesitation" not in sheet.text


def test_the_page_loads_by_itself_for_those_who_ask_alone(
    designer: httpx.Client, tried: Site
) -> None:
    assert not Sheet(designer.get("/").text).all("meta", **{"http-equiv": "refresh"})
    followed = Sheet(designer.get("/?follow=on").text)
    (refresh,) = followed.all("meta", **{"http-equiv": "refresh"})
    assert refresh.attributes["content"] == "5"
    assert [e.text for e in followed.all("a") if "Stop" in e.text] == ["Stop following"]
