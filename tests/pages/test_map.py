"""The map page: the picture, everything it says in words and numbers, and its form."""

from __future__ import annotations

import io
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from PIL import Image

from app.closing import close_day
from app.maps import LIVE_THRESHOLD
from app.shops import find_site, put_page, put_zones
from collector.sites import Site, Zone
from tests.build import PHONE, Walker, make_shop
from tests.conftest import NOON
from tests.pages.conftest import VISITS, put_picture
from tests.pages.sheet import Sheet
from tests.serving import Running


def page_of(site: Site, slug: str = "shipping", query: str = "") -> str:
    return f"/sites/{site.public_key}/pages/{slug}{query}"


def json_of(client: httpx.Client, site: Site, query: str = "") -> dict[str, object]:
    answer = client.get(f"/api/v1{page_of(site)}/heatmap.json{query}")
    assert answer.status_code == 200, answer.text
    told: dict[str, object] = answer.json()
    return told


# What the picture says ----------------------------------------------------------------------------


def test_the_page_says_the_numbers_of_the_json(designer: httpx.Client, shop: Site) -> None:
    for query in ("?kind=stall", "?kind=click", "?kind=click&device=phone"):
        assert_says_what_json_says(designer, shop, query)


def assert_says_what_json_says(designer: httpx.Client, shop: Site, query: str) -> None:
    told = json_of(designer, shop, query)
    sheet = Sheet(designer.get(page_of(shop, query=query)).text)
    facts = sheet.facts()
    assert facts["Visits"] == str(told["visits"]) == str(VISITS)
    assert facts["Page views"] == str(told["page_views"])
    assert told["coverage"] == 0.5
    assert facts["Coverage"] == "50 % of the page views"
    assert facts["Period"] == "20 October 2026 – 18 November 2026, Europe/Amsterdam"
    assert facts["Bandwidth"] == f"{told['bandwidth_px']:.0f} px"
    assert facts["Layout"] == "390 × 800 px, touch, since 15 November 2026"
    assert facts["Scale"].startswith("linear, full colour at ")
    zones = told["zones"]
    assert isinstance(zones, list)
    digits = 1 if "stall" in query else 0
    assert sheet.rows() == [
        [zone["name"], f"{zone['total']:.{digits}f}", str(zone["visits"])] for zone in zones
    ]
    assert zones


def test_the_caption_holds_what_is_said_when_the_picture_does_not_load(
    designer: httpx.Client, shop: Site
) -> None:
    caption = Sheet(designer.get(page_of(shop)).text).all("figcaption")[0].text
    assert "12 visits, 12 page views, 20 October 2026 – 18 November 2026." in caption
    assert "50 % of the page views sent signals." in caption
    assert "s per visit per 100 × 100 px" in caption


def test_scroll_depth_is_told_by_quarters(designer: httpx.Client, shop: Site) -> None:
    sheet = Sheet(designer.get(page_of(shop, query="?kind=scroll")).text)
    assert [row[:2] for row in sheet.rows()] == [
        ["25 %", "200"],
        ["50 %", "400"],
        ["75 %", "600"],
        ["100 %", "800"],
    ]
    assert sheet.rows()[0][2] == "100 %"
    assert sheet.rows()[3][2] == "0 %"
    assert "legend-reach-lajolla" in sheet.all("span", role="img")[0].attributes["class"]


def test_the_picture_is_the_map_on_its_page(designer: httpx.Client, shop: Site) -> None:
    sheet = Sheet(designer.get(page_of(shop, query="?kind=click")).text)
    (image,) = (e for e in sheet.all("img") if "heatmap" in e.attributes["src"])
    url = designer.base_url.join(page_of(shop)).join(image.attributes["src"])
    assert dict(parse_qsl(url.query.decode())) == {"kind": "click", "picture": "page"}
    answer = designer.get(url)
    assert answer.headers["content-type"] == "image/png"
    drawn = Image.open(io.BytesIO(answer.content))
    assert drawn.size == (390, 800)
    assert {"width": "390", "height": "800"}.items() <= image.attributes.items()
    assert drawn.getpixel((5, 790)) == (255, 255, 240)
    assert drawn.getpixel((100, 524)) != (255, 255, 240)


def test_every_download_is_what_it_says(designer: httpx.Client, shop: Site) -> None:
    sheet = Sheet(designer.get(page_of(shop, query="?device=phone")).text)
    links = [e.attributes for e in sheet.all("a") if "download" in e.attributes]
    name = "gloed-shipping-stall-2026-10-20-2026-11-18"
    assert [link["download"] for link in links] == [
        f"{name}-page.png",
        f"{name}-page@2x.png",
        f"{name}-legend.png",
        f"{name}.png",
        f"{name}@2x.png",
        f"{name}.json",
    ]
    answers = [designer.get(designer.base_url.join(page_of(shop)).join(a["href"])) for a in links]
    assert [answer.status_code for answer in answers] == [200] * 6
    page, page_2x, legend, plain, plain_2x = (
        Image.open(io.BytesIO(answer.content)) for answer in answers[:5]
    )
    assert [image.size for image in (page, page_2x)] == [(390, 800), (780, 1600)]
    assert [image.size for image in (plain, plain_2x)] == [(390, 800), (780, 1600)]
    assert legend.width == 390
    assert legend.height > 1000
    assert not any(image.has_transparency_data for image in (page, page_2x, legend))
    assert plain.has_transparency_data
    assert plain_2x.has_transparency_data
    assert answers[5].json()["visits"] == VISITS
    assert all("device=phone" in str(answer.url) for answer in answers)


def test_a_zone_of_the_table_is_pointed_out_in_the_picture(
    designer: httpx.Client, shop: Site
) -> None:
    sheet = Sheet(designer.get(page_of(shop)).text)
    (link,) = (e for e in sheet.all("a") if e.text == "verzendkosten")
    assert sheet.all("g", id=link.attributes["href"].removeprefix("#"))
    assert sheet.all("rect", x="20.0", y="200.0", width="350.0", height="50.0")


def test_holding_the_scale_asks_for_the_same_full_colour(
    designer: httpx.Client, shop: Site
) -> None:
    sheet = Sheet(designer.get(page_of(shop)).text)
    (link,) = (e for e in sheet.all("a") if e.text == "hold this scale to compare")
    held = json_of(designer, shop, link.attributes["href"])["scale"]
    free = json_of(designer, shop)["scale"]
    assert isinstance(held, dict)
    assert isinstance(free, dict)
    assert held["max"] == pytest.approx(free["max"], rel=1e-5)
    again = designer.get(page_of(shop) + link.attributes["href"])
    assert Sheet(again.text).chosen()["scale_max"] == f"{free['max']:.6g}"


# The form -----------------------------------------------------------------------------------------


def test_the_form_shows_what_the_address_asks_and_asks_it_again(
    designer: httpx.Client, shop: Site
) -> None:
    asked = {
        "kind": "click",
        "device": "phone",
        "outcome": "abandoned",
        "date_from": "2026-11-01",
        "date_to": "2026-11-18",
        "browser": "chrome",
        "os": "android",
        "language": "dutch",
        "capture": "css",
        "viewport_width_min": "320",
        "viewport_width_max": "480",
        "aggregation": "unique_visits",
        "palette": "viridis",
        "scale": "sqrt",
        "scale_max": "0.5",
        "bandwidth": "33.5",
        "layout": "",
    }
    answer = designer.get(page_of(shop), params=asked)
    assert answer.status_code == 200
    assert Sheet(answer.text).chosen() == asked


def test_an_empty_form_asks_for_nothing(designer: httpx.Client, shop: Site) -> None:
    page = designer.get(page_of(shop)).text
    sent = Sheet(page).chosen()
    assert sent["date_from"] == "2026-10-20"
    assert sent["date_to"] == "2026-11-18"
    answer = designer.get(page_of(shop), params=sent)
    assert answer.status_code == 200
    assert Sheet(answer.text).facts() == Sheet(page).facts()


WRONG = (
    ("?kind=heat", "Kind of map: heat"),
    ("?device=watch", "Device: watch"),
    ("?bandwidth=1e3", "Bandwidth, px: 1e3"),
    ("?bandwidth=900", "Bandwidth, px: 900"),
    ("?bandwidth=nan", "Bandwidth, px: nan"),
    ("?viewport_width_min=1_000", "Window from, px wide: 1_000"),
    ("?scale_max=0", "Full colour at, per px²: 0"),
    ("?date_from=18-11-2026", "Period:"),
    ("?date_from=2026-11-18&date_to=2026-11-01", "Period:"),
    ("?date_from=2027-01-01", "Period:"),
    ("?date_from=2021-01-01", "Period:"),
    ("?layout=xyz", "Drawn on: xyz"),
    ("?picture=none", "picture"),
    ("?dpr=2", "dpr"),
    ("?signature=abc", "signature"),
    ("?kind=click&kind=stall", "Kind of map:"),
    ("?device=%3Cscript%3Ealert(1)%3C/script%3E", "Device: <script>alert(1)</script>"),
    ("?%22onload=x", '"onload'),
)


def test_a_value_that_cannot_be_read_is_named_and_draws_nothing(
    gloed: Running, designer: httpx.Client
) -> None:
    site = gloed.do(make_shop(gloed.store, NOON))
    for query, told in WRONG:
        answer = designer.get(page_of(site, query=query))
        assert answer.status_code == 422, query
        sheet = Sheet(answer.text)
        assert told in sheet.all("div", role="alert")[0].text
        assert not sheet.all("figure")
        assert not sheet.all("script")
        assert sheet.all("form", method="get")


def test_a_layout_is_chosen_by_name_and_an_unknown_one_is_not_found(
    gloed: Running, designer: httpx.Client, shop: Site
) -> None:
    sheet = Sheet(designer.get(page_of(shop)).text)
    options = [e for e in sheet.all("option") if "390 × 800" in e.text]
    assert [option.text for option in options] == ["390 × 800 px, touch"]
    name = options[0].attributes["value"]
    answer = designer.get(page_of(shop, query=f"?layout={name}"))
    assert Sheet(answer.text).chosen()["layout"] == name
    assert designer.get(page_of(shop, query="?layout=0123456789abcdef")).status_code == 404


# Nothing to show ----------------------------------------------------------------------------------


@pytest.fixture
def young(gloed: Running) -> Site:
    """A live shop with four visits, all of today."""
    site = gloed.do(make_shop(gloed.store, NOON, "Bloemen", live=True))
    gloed.context.catalogue.forget()
    for number in range(4):
        Walker(gloed.url, PHONE, f"10.0.1.{number}").open(site, "shipping")
    gloed.do(close_day(gloed.store, site, site.day_of(NOON), NOON))
    return site


def test_below_the_threshold_the_page_says_how_many_and_how_long(
    designer: httpx.Client, young: Site
) -> None:
    answer = designer.get(page_of(young))
    assert answer.status_code == 200
    sheet = Sheet(answer.text)
    assert f"{LIVE_THRESHOLD - 4} more visits, and this map is shown" in sheet.text
    assert "It rests on 4 visits so far." in sheet.text
    assert "At the pace so far that takes about 2 days." in sheet.text
    assert not sheet.all("figure")
    assert sheet.chosen()["date_to"] == "2026-11-18"


@pytest.mark.parametrize("query", ["?date_to=2026-11-17", "?device=tablet"])
def test_what_has_no_pace_promises_no_day(designer: httpx.Client, young: Site, query: str) -> None:
    sheet = Sheet(designer.get(page_of(young, query=query)).text)
    assert "10 more visits" in sheet.text
    assert "pace" not in sheet.text


def test_a_page_without_a_picture_says_how_to_take_one(
    gloed: Running, designer: httpx.Client
) -> None:
    site = gloed.do(make_shop(gloed.store, NOON))
    sheet = Sheet(designer.get(page_of(site, "payment")).text)
    commands = [e.text for e in sheet.all("code")]
    assert f"gloed capture https://… --site {site.public_key} --page payment" in commands
    assert "--url http://127.0.0.1:8700 --key gld_…" in commands
    assert not [e for e in sheet.all("img") if "heatmap" in e.attributes["src"]]


def test_a_shop_on_trial_shows_the_first_visit_and_is_marked(
    gloed: Running, designer: httpx.Client
) -> None:
    site = gloed.do(make_shop(gloed.store, NOON))
    gloed.context.catalogue.forget()
    put_picture(gloed, site)
    walker = Walker(gloed.url, PHONE, "10.0.2.1")
    walker.tell(walker.open(site, "shipping"), "w400", "2.h5")
    sheet = Sheet(designer.get(page_of(site)).text)
    assert sheet.all("h1")[0].text == "shipping TEST"
    assert sheet.facts()["Visits"] == "1"
    assert sheet.rows()[0][0] == "verzendkosten"


def test_views_without_any_signal_point_at_the_check(
    gloed: Running, designer: httpx.Client
) -> None:
    site = gloed.do(make_shop(gloed.store, NOON))
    gloed.context.catalogue.forget()
    Walker(gloed.url, PHONE, "10.0.2.2").open(site, "shipping")
    text = Sheet(designer.get(page_of(site)).text).text
    assert "none sent a signal" in text
    assert "gloed check" in text


def test_what_the_layout_lacks_is_counted_and_said(
    gloed: Running, designer: httpx.Client, shop: Site
) -> None:
    page = shop.pages["shipping"]
    more = (*page.zones, Zone(0, "korting", "#coupon", "field"))
    gloed.do(put_zones(gloed.store, shop, page.page_id, more, NOON))
    gloed.context.catalogue.forget()
    walker = Walker(gloed.url, PHONE, "10.0.3.1")
    walker.tell(walker.open(shop, "shipping"), "w400", "4.h2")
    sheet = Sheet(designer.get(page_of(shop)).text)
    assert ["korting without a place in the picture"] in [row[:1] for row in sheet.rows()]
    assert sheet.facts()["Not placed"].startswith("1 mark; ")


# Names are text -----------------------------------------------------------------------------------


def test_names_that_look_like_markup_stay_text(gloed: Running, designer: httpx.Client) -> None:
    evil = "\"><script>alert('x')</script><img src=x onerror=y>{{ 7 * 7 }}"
    site = gloed.do(make_shop(gloed.store, NOON, evil))
    page_id = gloed.do(put_page(gloed.store, site, "shipping", NOON, title=evil))
    gloed.do(put_zones(gloed.store, site, page_id, [Zone(0, evil, "#x")], NOON))
    site = gloed.do(find_site(gloed.store, site.public_key))
    gloed.context.catalogue.forget()
    number = site.pages["shipping"].zones[0].number
    walker = Walker(gloed.url, PHONE, "10.0.4.1")
    walker.tell(walker.open(site, "shipping"), "w400", f"{number}.h5")
    for path in ("/", page_of(site)):
        sheet = Sheet(designer.get(path).text)
        assert not sheet.all("script")
        assert not [e for e in sheet.elements if "onerror" in e.attributes]
        assert sheet.text.count(evil) >= 2


def test_the_address_of_the_picture_keeps_to_its_own_parameters(
    designer: httpx.Client, shop: Site
) -> None:
    page = designer.get(page_of(shop, query="?device=phone&palette=&bandwidth=%20"))
    (image,) = (e for e in Sheet(page.text).all("img") if "heatmap" in e.attributes["src"])
    sent = parse_qsl(urlsplit(image.attributes["src"]).query, keep_blank_values=True)
    assert sent == [("device", "phone"), ("picture", "page")]


def test_a_page_opened_days_ago_counts_in_its_own_period_alone(
    designer: httpx.Client, shop: Site
) -> None:
    yesterday = (NOON - timedelta(days=1)).date().isoformat()
    text = Sheet(designer.get(page_of(shop, query=f"?date_to={yesterday}")).text).text
    assert "It rests on 0 visits so far." in text
