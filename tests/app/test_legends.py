"""Legends as the API draws them: in the language asked for, beneath an unmoved map."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from PIL import Image

from app.mapping.audience import PAGE_VIEWS, Audience
from app.mapping.classes import REST, DotClass
from app.mapping.filters import MapQuery
from app.mapping.page_map import PageMap
from app.pages.reading.legends import legend_of
from app.pages.words import WORDS
from app.picturing.layouts import Box, Layout
from collector.codes import Phase
from collector.sites import Page, Site, Zone
from collector.wire import Reason
from heatmap.drawing import Drawing
from heatmap.legend import Legend, draw_legend
from tests.app.conftest import Asker
from tests.heatmap.pictures import as_seen

PAGE = "/sites/{site}/pages/shipping"
PNG, JSON = f"{PAGE}/heatmap.png", f"{PAGE}/heatmap.json"


BOX = {"zone": 2, "x0_px": 100, "y0_px": 300, "x1_px": 600, "y1_px": 360}
LAYOUT = {"width_px": 1280, "height_px": 700, "pointer": "fine", "boxes": [BOX]}


@pytest.fixture
def laid(walked: Asker) -> Asker:
    """The hesitation has its place on the page."""
    put = walked(f"{PAGE}/layouts", "PUT", key=walked.new_key("write"), json=LAYOUT)
    assert put.status_code == 200, put.text
    return walked


def opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png))


def test_a_legend_stands_under_the_same_map(laid: Asker) -> None:
    for language, query in (("nl", {}), ("en", {"kind": "scroll", "picture": "white"})):
        alone = laid(PNG, params=query).content
        longer = laid(PNG, params={**query, "legend": language}).content
        plain, told = opened(alone), opened(longer)
        assert told.mode == plain.mode
        assert told.width == plain.width
        assert told.height > plain.height + 100
        assert np.abs(as_seen(longer)[: plain.height] - as_seen(alone)).max() <= 4
        assert told.text == plain.text  # type: ignore[attr-defined]


def test_each_language_has_its_own_legend_and_name(laid: Asker) -> None:
    dutch, english, none = (
        laid(PNG, params={"legend": language}) for language in ("nl", "en", "none")
    )
    assert len({answer.headers["etag"] for answer in (dutch, english, none)}) == 3
    assert dutch.content != english.content
    assert none.content == laid(PNG).content


def test_the_picture_tells_of_itself_though_it_lies_on_its_page(laid: Asker) -> None:
    numbers = laid(JSON).json()
    for query in ({}, {"picture": "white"}, {"legend": "nl"}):
        text = opened(laid(PNG, params=query).content).text  # type: ignore[attr-defined]
        assert text["gloed:page_views"] == str(numbers["page_views"])
        assert text["gloed:visits"] == str(numbers["visits"])
        assert float(text["gloed:bandwidth_px"]) == numbers["bandwidth_px"]
        assert text["gloed:scale"] == "linear"
        assert float(text["gloed:scale_max"]) == numbers["scale"]["max"]
        assert text["gloed:date_to"] == numbers["date_to"]
        assert text["Software"].startswith("Gloed ")


def test_a_picture_that_was_passed_on_says_of_whom_and_where_it_is(laid: Asker) -> None:
    told = laid(JSON, params={"device": "phone", "outcome": "open"}).json()
    answer = laid(PNG, params={"device": "phone", "outcome": "open"})
    text = opened(answer.content).text  # type: ignore[attr-defined]
    assert text["gloed:filters"] == "device=phone, outcome=open"
    assert (text["gloed:site"], text["gloed:page"]) == (told["site"], told["page"])
    assert (text["gloed:layout"], text["gloed:scale_unit"]) == (
        str(told["layout"]),
        told["scale"]["unit"],
    )
    assert opened(laid(PNG).content).text["gloed:filters"] == "none"  # type: ignore[attr-defined]


def test_the_scale_that_one_map_prints_is_taken_by_another_as_it_is(laid: Asker) -> None:
    printed = laid(JSON).json()["scale"]["max"]
    assert printed > 0
    again = laid(JSON, params={"scale_max": repr(printed)})
    assert again.status_code == 200, again.text
    assert again.json()["scale"]["max"] == printed


# The words ----------------------------------------------------------------------------------------


def page_map(name: str = "Brandt & Boon", title: str = "Verzending", **asked: Any) -> PageMap:
    site = Site(1, "gs_x", name, ZoneInfo("Europe/Amsterdam"), "live", {}, 1)
    page = Page(1, "verzending", title, Phase.CHECKOUT, False, None)
    return PageMap(
        site=site,
        page=page,
        query=MapQuery(**asked),
        date_from=date(2026, 10, 24),
        date_to=date(2026, 11, 22),
        layout=None,
        width_px=390,
        height_px=1175,
        bandwidth_px=24.0,
        views=1204,
        signalled=1011,
        visits=987,
        points=np.array([(100.0, 200.0)]),
        point_weights=np.array([3.0]),
        boxes=(),
        box_weights=(),
        depths_px=(),
        marks=1,
        unplaced=0,
        zones=(),
    )


def drawn(scale_max: float = 0.00037219) -> Drawing:
    return Drawing(b"", scale_max, 100.0, 200.0, scale_max, 3.0, 0.0, 0, 390, 1175)


COUNTED = Audience(6, {Reason.NO_CONSENT: 3, Reason.BOT: 1, Reason.STAFF: 0})


def told_of(found: PageMap, drawing: Drawing, language: str) -> Legend:
    return legend_of(found, COUNTED, drawing, language)


def ticks(legend: Legend) -> list[str]:
    assert legend.bar is not None
    return [label for _, label in legend.bar.ticks]


def test_a_dutch_legend_says_everything_in_dutch() -> None:
    legend = told_of(page_map(), drawn(), "nl")
    assert legend.title == "Waar bezoekers blijven steken"
    assert legend.subtitle == "Verzending, Brandt & Boon"
    assert legend.bar is not None
    assert legend.bar.unit == "seconden per bezoek, per 100\xa0×\xa0100\xa0px"
    assert ticks(legend) == ["0", "1", "2", "3", "3,72"]
    assert dict(legend.facts) == {
        "Bezoeken": "987",
        "Paginaweergaven": "1.204",
        "Dekking": "84\xa0%",
        "Periode": "24\xa0okt\u2009–\u200922\xa0nov 2026",
        "Bandbreedte": "24 px",
        "Schaal": "lineair",
        "Lay-out": "390 × 1.175 px",
        "Gegevensversie": "1",
        "Geteld van de winkel": "60\xa0%; de rest: geen toestemming 30\xa0%, bots 10\xa0%",
    }


def test_a_legend_says_of_how_much_of_the_shop_it_tells() -> None:
    def counted(of_shop: Audience) -> str | None:
        facts = dict(legend_of(page_map(), of_shop, drawn(), "en").facts)
        return facts.get("Counted of the shop")

    told = "60\xa0%; the rest: no consent 30\xa0%, bots 10\xa0%"
    assert counted(COUNTED) == told
    assert counted(Audience(5, dict.fromkeys(PAGE_VIEWS, 0))) == "100\xa0%"
    assert counted(Audience(0, {})) is None
    everything = Audience(1, dict.fromkeys(PAGE_VIEWS, 1))
    legend = legend_of(page_map(), everything, drawn(), "nl")
    assert draw_legend(legend, width_px=320)


def test_every_answer_tells_how_much_was_counted_and_has_another_name_when_more_was_left_out(
    laid: Asker,
) -> None:
    asked = (PNG, f"{PNG}?legend=en", JSON)

    def names() -> set[str]:
        return {laid(path).headers["etag"] for path in asked}

    before = names()
    assert names() == before
    text = opened(laid(PNG).content).text  # type: ignore[attr-defined]
    assert text["gloed:counted"] == "100% of the page views"
    store, site = laid.gloed.store, laid.site
    today = site.day_of(laid.gloed.clock())
    views = laid(JSON).json()["audience"]["page_views"]
    sql = "INSERT INTO dropped (site_id, day, reason, capture, n) VALUES ($1, $2, 'bot', 0, $3)"
    laid.gloed.do(store.execute(sql, site.site_id, today, views))
    assert not before & names()
    assert laid(JSON).json()["audience"]["left_out"]["bot"] == views
    text = opened(laid(PNG).content).text  # type: ignore[attr-defined]
    assert text["gloed:counted"] == "50% of the page views; the rest: bot 50%"


def test_an_english_legend_says_everything_in_english() -> None:
    legend = told_of(page_map(kind="click", scale="log", bandwidth="33.5"), drawn(0.15), "en")
    assert legend.title == "Where visitors click or tap"
    assert ticks(legend) == ["0", "100", "1,000", "1,500"]
    assert dict(legend.facts)["Page views"] == "1,204"
    assert dict(legend.facts)["Scale"] == "logarithmic"
    assert dict(legend.facts)["Period"] == "24\xa0Oct\u2009–\u200922\xa0Nov 2026"


def test_what_was_selected_is_said() -> None:
    asked = {"device": "phone", "outcome": "abandoned", "viewport_width_max": "480"}
    facts = dict(told_of(page_map(**asked), drawn(), "nl").facts)
    assert facts["Selectie"] == "telefoons, afgehaakt, 0 - 480\xa0px"
    facts = dict(told_of(page_map(viewport_width_min="800"), drawn(), "en").facts)
    assert facts["Selection"] == ">= 800\xa0px"
    once = dict(told_of(page_map(aggregation="unique_visits"), drawn(), "en").facts)
    assert once["Selection"] == "once per visit"


def test_reach_counts_in_shares_and_has_no_bandwidth() -> None:
    legend = told_of(page_map(kind="scroll"), drawn(1.0), "nl")
    assert ticks(legend)[-2:] == ["80\xa0%", "100\xa0%"]
    assert not {"Bandbreedte", "Schaal"} & set(dict(legend.facts))


def test_lines_and_dots_have_their_key_and_zones_their_names() -> None:
    found = page_map(kind="click", marks="contours,folds,zones", per="visit")
    zones = (Zone(1, "Postcode", "#a"), Zone(2, "Ταμείο", "#b"))
    boxes = (Box(1, 20, 100, 370, 142), Box(2, 20, 200, 370, 250))
    layout = Layout(
        1, 1, 390, 1175, 1, 0, 0, "coarse", datetime(2026, 11, 1, tzinfo=UTC), "api", None, boxes
    )
    found = replace(
        found, page=replace(found.page, zones=zones), layout=layout, folds_px=(600.0, 700.0, 720.0)
    )
    legend = told_of(found, drawn(), "nl")
    assert legend.bar is not None
    assert legend.bar.unit == "klikken en tikken per bezoek, per 100\xa0×\xa0100\xa0px"
    assert [(key.sample, key.label) for key in legend.keys] == [
        ("solid", "25\xa0%, 50\xa0%, 75\xa0% van de volle kleur"),
        ("broken", "vensters eindigen: 25\xa0%, 50\xa0%, 75\xa0%"),
    ]
    assert dict(legend.facts)["Zones"] == "1 Postcode, 2"
    assert draw_legend(legend, width_px=320)


def test_filled_zones_are_told_by_zone_and_confetti_by_its_dots() -> None:
    legend = told_of(page_map(style="zones"), drawn(7.3), "en")
    assert legend.bar is not None
    assert legend.bar.unit == "seconds per visit, in a zone"
    assert ticks(legend)[-1] == "7.3"
    assert "Bandwidth" not in dict(legend.facts)
    many = replace(
        page_map(style="confetti", kind="click"),
        dots=np.zeros((30_000, 2)),
        dots_in_zones=7,
    )
    legend = told_of(many, drawn(1.0), "en")
    assert legend.bar is None
    assert [(key.sample, key.label) for key in legend.keys] == [(0, "a click or tap")]
    facts = dict(legend.facts)
    assert facts["Dots"] == "20,000 of 30,000; 7 known by zone alone, in rows"
    assert not {"Bandwidth", "Scale"} & set(facts)


def test_coloured_dots_are_told_by_their_classes_in_both_languages() -> None:
    found = replace(
        page_map(style="confetti", kind="click", colour_by="variant"),
        dots=np.zeros((5, 2)),
        dot_colours=np.array([0, 0, 1, REST, REST]),
        classes=(DotClass(0, 0, 12), DotClass(3, 1, 1), DotClass(None, REST, 20)),
    )
    told = {
        language: [(key.sample, key.label) for key in told_of(found, drawn(1.0), language).keys]
        for language in ("en", "nl")
    }
    assert told["en"] == [
        (0, "no variant: 2 in 12 visits"),
        (1, "variant 3: 1 in 1 visit"),
        (REST, "the rest: 2 in 20 visits"),
    ]
    assert told["nl"][2] == (REST, "de rest: 2 in 20 bezoeken")
    legend = told_of(found, drawn(1.0), "en")
    assert dict(legend.facts)["Each dot"] == "a click or tap"
    assert draw_legend(legend, width_px=390)


def test_a_map_without_heat_has_a_legend_too() -> None:
    legend = told_of(page_map(), drawn(0.0), "nl")
    assert ticks(legend) == ["0"]
    assert draw_legend(legend, width_px=390)


def test_names_in_another_script_give_way_to_the_pages_slug() -> None:
    legend = told_of(page_map(name="Τσάντα", title="Ταμείο"), drawn(), "en")
    assert legend.subtitle == "verzending"
    assert draw_legend(legend, width_px=390)


def test_a_trial_is_called_one() -> None:
    trial = page_map()
    legend = told_of(replace(trial, site=replace(trial.site, state="trying")), drawn(), "nl")
    assert legend.subtitle.endswith("testgegevens")


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("kind", ["click", "move", "scroll", "stall"])
@pytest.mark.parametrize("width_px", [320, 1280])
def test_every_legend_can_be_drawn(language: str, kind: str, width_px: int) -> None:
    legend = told_of(page_map(kind=kind), drawn(0.0123), language)
    assert opened(draw_legend(legend, width_px=width_px)).width == width_px
