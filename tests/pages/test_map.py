"""The map page: the picture, everything it says in words and numbers, and its form."""

from __future__ import annotations

import csv
import io
import time
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import numpy as np
import pytest
from PIL import Image

from app.closing.day import close_day
from app.configuration import LEAST_VISITS
from app.pages.labels import DROPS
from app.shops import find_site, put_page, put_zones
from collector.sites import Site, Zone
from collector.wire import Reason
from tests.build import PHONE, Walker, batch_body, make_shop
from tests.conftest import NOON
from tests.pages.conftest import PATIENCE_S, VISITS, put_picture
from tests.pages.sheet import Sheet
from tests.serving import Running


def page_of(site: Site, slug: str = "shipping", query: str = "") -> str:
    return f"/sites/{site.public_key}/pages/{slug}{query}"


def json_of(client: httpx.Client, site: Site, query: str = "") -> dict[str, object]:
    answer = client.get(f"/api/v1{page_of(site)}/heatmap.json{query}")
    assert answer.status_code == 200, answer.text
    told: dict[str, object] = answer.json()
    return told


# Why there is nothing -----------------------------------------------------------------------------


def test_a_choice_that_is_too_narrow_says_so_and_leads_out_of_it(
    designer: httpx.Client, shop: Site
) -> None:
    query = "?device=desktop&kind=click&date_from=2026-11-01"
    sheet = Sheet(designer.get(page_of(shop, query=query)).text)
    assert "in this period there were 12 page views, and too few of them pass" in sheet.text
    (link,) = [e for e in sheet.all("a") if e.text == "Show it without filters"]
    out = Sheet(designer.get(page_of(shop) + link.attributes["href"]).text)
    assert out.facts()["Visits"] == "12"
    assert out.chosen()["kind"] == "click"


def test_a_snippet_that_fell_silent_is_told_with_its_last_hour(
    gloed: Running, designer: httpx.Client
) -> None:
    site = gloed.do(make_shop(gloed.store, NOON))
    gloed.context.catalogue.forget()
    never = Sheet(designer.get(page_of(site, "payment")).text).text
    assert "Nothing was heard of this page in the last 30 days." in never
    gloed.clock.set(NOON - timedelta(days=1, hours=2))
    Walker(gloed.url, PHONE, "10.0.4.1").open(site, "payment")
    gloed.clock.set(NOON)
    today = "?date_from=2026-11-18"
    told = Sheet(designer.get(page_of(site, "payment", today)).text).text
    assert "This page was last heard of on Tuesday 17 November 11:00." in told
    dutch = designer.get(page_of(site, "payment", today), headers={"accept-language": "nl"})
    assert "dinsdag 17 november 11:00" in Sheet(dutch.text).text


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
    assert facts["Period"] == "20 Oct – 18 Nov 2026, Europe/Amsterdam"
    assert facts["Bandwidth"] == f"{told['bandwidth_px']:.0f} px"
    assert facts["Layout"] == "390 × 800 px, touch, since 15 November 2026"
    assert facts["Scale"].startswith("linear, full colour at ")
    zones = told["zones"]
    assert isinstance(zones, list)
    amount = "about {:.1f}" if "stall" in query else "{:.0f}"
    assert sheet.rows() == [
        [zone["name"], amount.format(zone["total"]), str(zone["visits"])] for zone in zones
    ]
    assert zones


def test_the_caption_holds_what_is_said_when_the_picture_does_not_load(
    designer: httpx.Client, shop: Site
) -> None:
    caption = Sheet(designer.get(page_of(shop)).text).all("figcaption")[0].text
    # A thin space on either side of the dash.
    assert "12 visits, 12 page views, 20 Oct – 18 Nov 2026. 50 % sent signals." in caption
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


def test_what_is_ticked_is_drawn_over_the_map_and_said(designer: httpx.Client, shop: Site) -> None:
    ticked = "?kind=click&marks=zones&marks=folds&marks=contours"
    sheet = Sheet(designer.get(page_of(shop, query=ticked)).text)
    assert sheet.chosen()["marks"] == "contours,folds,zones"
    caption = sheet.all("figcaption")[0].text
    assert "The lines lie where heat reaches 25 %, 50 %, 75 % of full colour." in caption
    assert "No page view at this width told how high its window was." in caption
    (image,) = (e for e in sheet.all("img") if "heatmap" in e.attributes["src"])
    url = designer.base_url.join(page_of(shop)).join(image.attributes["src"])
    assert dict(parse_qsl(url.query.decode()))["marks"] == "zones,folds,contours"
    over = designer.get(url)
    assert over.status_code == 200, over.text
    plain = designer.get(url.copy_remove_param("marks"))
    pixels = [np.asarray(Image.open(io.BytesIO(a.content)).convert("L")) for a in (plain, over)]
    assert [int((picture < 60).sum()) > 500 for picture in pixels] == [False, True]


def test_other_styles_are_told_in_their_own_amounts(designer: httpx.Client, shop: Site) -> None:
    zones = Sheet(designer.get(page_of(shop, query="?style=zones")).text)
    told = json_of(designer, shop, "?style=zones")
    hottest = told["zones"][0]["total"]  # type: ignore[index]
    assert f"about {hottest:.1f} s per visit in a zone" in zones.all("figcaption")[0].text
    assert "Bandwidth" not in zones.facts()
    dots = Sheet(designer.get(page_of(shop, query="?style=confetti&kind=click&per=visit")).text)
    caption = dots.all("figcaption")[0].text
    assert "6 dots. All of them are known by their zone alone" in caption
    assert not {"Bandwidth", "Scale"} & set(dots.facts())
    assert dots.rows()[0][1] == "0.50"
    whole = Sheet(designer.get(page_of(shop, query="?per=period")).text)
    assert "s per 100 × 100 px" in whole.all("figcaption")[0].text
    assert "per visit" not in whole.all("figcaption")[0].text


def test_numbers_in_a_picture_are_written_as_its_reader_writes_them(
    designer: httpx.Client, shop: Site
) -> None:
    drawn = {}
    for language, mark in (("en", None), ("nl", "comma")):
        address = page_of(shop, query="?style=zones")
        page = Sheet(designer.get(address, headers={"accept-language": language}).text)
        (image,) = (e for e in page.all("img") if "heatmap" in e.attributes["src"])
        url = designer.base_url.join(page_of(shop)).join(image.attributes["src"])
        assert url.params.get("decimal") == mark
        answer = designer.get(url)
        assert answer.status_code == 200, answer.text
        drawn[language] = np.asarray(Image.open(io.BytesIO(answer.content)).convert("L"))
    differing = np.argwhere(drawn["en"] != drawn["nl"])
    rows, columns = np.ptp(differing, axis=0)
    assert 0 < rows < 10, "a mark is some pixels high"
    assert 0 < columns


def test_the_bandwidth_may_follow_the_marks(designer: httpx.Client, shop: Site) -> None:
    sheet = Sheet(designer.get(page_of(shop, query="?bandwidth=auto")).text)
    assert sheet.chosen()["bandwidth"] == "auto"
    assert sheet.facts()["Bandwidth"] == (
        f"{json_of(designer, shop, '?bandwidth=auto')['bandwidth_px']:.0f} px"
    )


def test_every_download_is_what_it_says(designer: httpx.Client, shop: Site) -> None:
    sheet = Sheet(designer.get(page_of(shop, query="?device=phone")).text)
    links = [e.attributes for e in sheet.all("a") if "download" in e.attributes]
    name = "gloed-shipping-stall-2026-10-20-2026-11-18"
    assert [link["download"] for link in links] == [
        f"{name}-page.png",
        f"{name}-page@2x.png",
        f"{name}-page-legend.png",
        f"{name}-page-legend@2x.png",
        f"{name}.png",
        f"{name}@2x.png",
        f"{name}-legend.png",
        f"{name}-legend@2x.png",
        f"{name}.json",
        f"{name}.csv",
    ]
    answers = [designer.get(designer.base_url.join(page_of(shop)).join(a["href"])) for a in links]
    assert [answer.status_code for answer in answers] == [200] * 10
    pictures = [Image.open(io.BytesIO(answer.content)) for answer in answers[:8]]
    for page, page_2x, legend, legend_2x in (pictures[:4], pictures[4:]):
        assert [image.size for image in (page, page_2x)] == [(390, 800), (780, 1600)]
        assert [image.width for image in (legend, legend_2x)] == [390, 780]
        assert legend.height > 1000
        assert legend_2x.height == 2 * legend.height
    assert [image.has_transparency_data for image in pictures] == [False] * 4 + [True] * 4
    told = answers[8].json()
    assert told["visits"] == VISITS
    rows = list(csv.reader(io.StringIO(answers[9].text)))
    assert rows[0] == ["number", "name", "total", "visits"]
    assert [row[1] for row in rows[1:]] == [zone["name"] for zone in told["zones"]]
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
    again = Sheet(designer.get(page_of(shop) + link.attributes["href"]).text)
    full = again.chosen()["full_colour"]
    held = scale_of(designer, shop, again)
    assert held == pytest.approx(scale_of(designer, shop, sheet), rel=1e-5)
    assert float(full) == pytest.approx(10_000 * held, rel=1e-5)
    assert again.facts()["Scale"] == sheet.facts()["Scale"].removesuffix(f"; {link.text}")


def scale_of(designer: httpx.Client, shop: Site, sheet: Sheet) -> float:
    """Full colour of the picture that is shown, per px², as the API tells it."""
    (image,) = (e for e in sheet.all("img") if "heatmap" in e.attributes["src"])
    asked = dict(parse_qsl(urlsplit(image.attributes["src"]).query))
    del asked["picture"]
    scale = json_of(designer, shop, f"?{urlencode(asked)}")["scale"]
    assert isinstance(scale, dict)
    return float(scale["max"])


def test_full_colour_of_zones_is_an_amount_in_one(designer: httpx.Client, shop: Site) -> None:
    sheet = Sheet(designer.get(page_of(shop, query="?style=zones&full_colour=5")).text)
    assert scale_of(designer, shop, sheet) == 5
    assert "full colour at about 5.0 s per visit in a zone" in sheet.facts()["Scale"]
    assert sheet.all("label", **{"for": "full_colour"})[0].text == "Full colour at, in a zone"


# What must not mislead ----------------------------------------------------------------------------


def test_why_the_list_and_the_colours_differ_is_said_where_they_do(
    designer: httpx.Client, shop: Site
) -> None:
    said = "the smaller one glows hotter"
    assert said in Sheet(designer.get(page_of(shop)).text).text
    assert said not in Sheet(designer.get(page_of(shop, query="?style=zones")).text).text


def test_seconds_of_clocks_are_told_as_estimates_and_those_of_the_script_are_not(
    gloed: Running, designer: httpx.Client
) -> None:
    site = gloed.do(make_shop(gloed.store, NOON))
    gloed.context.catalogue.forget()
    put_picture(gloed, site)
    answer = Walker(gloed.url, PHONE, "10.0.5.1").post(
        site, batch_body(vp=[390, 700], m=int(NOON.timestamp()) // 60)
    )
    assert "x-gloed-drop" not in answer.headers, answer.headers
    exact = Sheet(designer.get(page_of(site)).text)
    assert exact.facts()["Visits"] == "1"
    assert "estimates" not in exact.text
    walker = Walker(gloed.url, PHONE, "10.0.5.2")
    walker.tell(walker.open(site, "shipping"), "w400", "2.h5")
    guessed = Sheet(designer.get(page_of(site)).text)
    assert "a clock speaks after 1, 2, 5, 10, 20 s" in guessed.text
    assert guessed.rows()[0][1].startswith("about ")


def test_a_map_without_heat_has_no_colour_bar_and_says_why(
    designer: httpx.Client, shop: Site
) -> None:
    sheet = Sheet(designer.get(page_of(shop, query="?kind=move")).text)
    assert not sheet.all("span", role="img")
    assert "Nothing is coloured: no page view here told" in sheet.all("figcaption")[0].text


def test_a_page_that_fits_the_window_is_not_told_in_depths(
    gloed: Running, designer: httpx.Client
) -> None:
    told = {}
    for number, height in enumerate(("g640", "g800")):
        site = gloed.do(make_shop(gloed.store, NOON))
        gloed.context.catalogue.forget()
        put_picture(gloed, site)
        walker = Walker(gloed.url, PHONE, f"10.0.6.{number}")
        walker.tell(walker.open(site, "shipping"), "w400", height)
        gloed.do(close_day(gloed.store, site, site.day_of(NOON), NOON))
        told[height] = Sheet(designer.get(page_of(site, query="?kind=scroll")).text)
    assert "The page fits the window" not in told["g640"].text
    assert told["g640"].rows()
    assert "The page fits the window" in told["g800"].text
    assert not told["g800"].rows()


def test_where_nothing_was_counted_the_page_says_what_was_dropped(
    gloed: Running, designer: httpx.Client
) -> None:
    site = gloed.do(make_shop(gloed.store, NOON))
    gloed.context.catalogue.forget()
    robot = Walker(gloed.url, "Mozilla/5.0 HeadlessChrome/156.0.0.0 Safari/537.36", "10.0.7.1")
    for _ in range(2):
        answer = robot.get(f"/g/{site.public_key}/shipping")
        assert answer.headers["x-gloed-drop"] == Reason.BOT
    # Drops are counted in memory and written by the second.
    deadline = time.monotonic() + PATIENCE_S
    while "robots" not in (sheet := Sheet(designer.get(page_of(site)).text)).text:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert "No page view was counted in this period." in sheet.text
    assert [item.text for item in sheet.all("li") if "robots" in item.text] == [
        "robots, test browsers without a window among them: 2"
    ]
    later = Sheet(designer.get(page_of(site, query="?date_to=2026-11-17")).text)
    assert "No page view was counted in this period." in later.text
    assert "robots" not in later.text


def test_every_reason_to_drop_something_of_a_shop_has_its_words() -> None:
    assert set(Reason) - set(DROPS) == {Reason.UNKNOWN_SITE, Reason.UNTRUSTED_PROXY}


def test_the_page_and_its_phase_are_told_apart(designer: httpx.Client, shop: Site) -> None:
    sheet = Sheet(designer.get(page_of(shop)).text)
    assert sheet.all("nav")[0].text == "Fietsenwinkel /"
    assert sheet.all("h1")[0].text == "shipping"
    assert "phase: checkout" in sheet.text
    assert "phase: checkout" in Sheet(designer.get("/").text).text


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
        "channel": "search",
        "variant": "2",
        "capture": "css",
        "viewport_width_min": "480",
        "viewport_width_max": "767",
        "aggregation": "unique_visits",
        "per": "visit",
        "style": "zones",
        "marks": "folds,zones",
        "palette": "viridis",
        "scale": "sqrt",
        "full_colour": "0.5",
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
    ("?marks=folds&marks=lines", "Drawn over it: folds,lines"),
    ("?style=zones&marks=contours", "Drawn over it: contours"),
    ("?kind=scroll&per=visit", "Amounts for: visit"),
    ("?bandwidth=1e3", "Bandwidth, px: 1e3"),
    ("?bandwidth=900", "Bandwidth, px: 900"),
    ("?bandwidth=automatic", "Bandwidth, px: automatic"),
    ("?viewport_width_min=1_000", "Window from, px wide: 1_000"),
    ("?full_colour=0", "Full colour at, per 100 × 100 px: 0"),
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
    assert f"{LEAST_VISITS - 4} more visits, and this map is shown" in sheet.text
    assert "It rests on 4 visits so far." in sheet.text
    assert "At the pace so far there are enough about 20 November 2026." in sheet.text
    assert not sheet.all("figure")
    assert sheet.chosen()["date_to"] == "2026-11-18"


@pytest.mark.parametrize("query", ["?date_to=2026-11-17", "?device=tablet"])
def test_what_has_no_pace_promises_no_day(designer: httpx.Client, young: Site, query: str) -> None:
    sheet = Sheet(designer.get(page_of(young, query=query)).text)
    assert sheet.text.count("Too few visits") == 1
    assert "more visits, and" not in sheet.text
    assert "pace" not in sheet.text


def test_a_period_beside_a_day_of_few_is_refused_with_one_that_is_shown(
    gloed: Running, designer: httpx.Client, young: Site
) -> None:
    for number in range(4, LEAST_VISITS + 4):
        gloed.clock.set(NOON - timedelta(days=1))
        Walker(gloed.url, PHONE, f"10.0.1.{number}").open(young, "shipping")
    gloed.clock.set(NOON)
    sheet = Sheet(designer.get(page_of(young, query="?date_to=2026-11-17")).text)
    assert "would differ by a few visits only" in sheet.text
    (link,) = [e for e in sheet.all("a") if "instead" in e.text]
    shown = Sheet(designer.get(page_of(young) + link.attributes["href"]).text)
    assert shown.facts()["Visits"] == str(LEAST_VISITS + 4)


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
