"""Tabs of what scripts alone tell: dots in the colours of their classes, and dead clicks."""

from __future__ import annotations

from urllib.parse import parse_qsl

import httpx
import pytest

from collector.sites import Site
from collector.wire import Kind
from tests.build import PHONE, Walker, batch_body, make_shop
from tests.conftest import NOON
from tests.pages.conftest import put_picture
from tests.pages.sheet import Sheet
from tests.serving import Running

DEAD = [int(Kind.DEADCLICK), 500, 100, 225, 2, 32767, 32767, 0, 0]
CLICK = [int(Kind.CLICK), 900, 200, 700, 0, 0, 0, 0, 0]


@pytest.fixture
def clicked(gloed: Running) -> Site:
    """A shop on trial: a phone's click and dead click, and a computer's at the phone's width."""
    site = gloed.do(make_shop(gloed.store, NOON))
    gloed.context.catalogue.forget()
    put_picture(gloed, site)
    minute = int(gloed.clock().timestamp()) // 60
    for number, agent in enumerate((PHONE, Walker(gloed.url).agent), 1):
        body = batch_body(
            id=f"{number:016x}", m=minute, vp=[390, 700], pg=[390, 800], r=[], e=[DEAD, CLICK]
        )
        answer = Walker(gloed.url, agent, f"10.0.0.{number}").post(site, body)
        assert answer.status_code == 204, answer.text
    return site


def at(site: Site, query: str) -> str:
    return f"/sites/{site.public_key}/pages/shipping?{query}"


@pytest.mark.parametrize(
    ("language", "label", "told"),
    [
        ("en", "Dots coloured by", ["computers: 1 in 1 visit", "phones: 1 in 1 visit"]),
        ("nl", "Kleur van de stippen", ["computers: 1 in 1 bezoek", "telefoons: 1 in 1 bezoek"]),
    ],
)
def test_dots_are_coloured_by_what_the_form_chooses(
    designer: httpx.Client, clicked: Site, language: str, label: str, told: list[str]
) -> None:
    asked = at(clicked, "kind=click&style=confetti&colour_by=device")
    answer = designer.get(asked, headers={"accept-language": language})
    assert answer.status_code == 200
    sheet = Sheet(answer.text)
    assert sheet.chosen()["colour_by"] == "device"
    assert label in [one.text for one in sheet.all("label")]
    (classes,) = [one for one in sheet.all("ul") if one.attributes.get("class") == "classes"]
    assert [one.text for one in sheet.all("li") if one.text in classes.text] == told
    colours = [one.attributes["fill"] for one in sheet.all("circle")]
    assert len(set(colours)) == len(told)
    legends = [e for e in sheet.all("a") if "-legend.png" in e.attributes.get("download", "")]
    for link in legends:
        url = designer.base_url.join(asked).join(link.attributes["href"])
        assert dict(parse_qsl(url.query.decode()))["colour_by"] == "device"
        assert designer.get(url).status_code == 200


def test_whoever_goes_back_to_heat_leaves_the_colours_behind(
    designer: httpx.Client, clicked: Site
) -> None:
    answer = designer.get(at(clicked, "kind=click&style=heat&colour_by=device"))
    assert answer.status_code == 200
    assert "colour_by" not in answer.text
    both = designer.get(at(clicked, "kind=click&style=confetti&colour_by=device&device=phone"))
    assert both.status_code == 422
    assert "Dots coloured by" in both.text


def test_dead_clicks_have_a_tab_with_their_zones(designer: httpx.Client, clicked: Site) -> None:
    answer = designer.get(at(clicked, "kind=deadclick"))
    assert answer.status_code == 200
    sheet = Sheet(answer.text)
    assert "Clicks that nothing answered." in sheet.all("figcaption")[0].text
    assert [row[1:] for row in sheet.rows()] == [["2", "2"]]
    assert sheet.facts()["Placed"] == "2 marks by their zones, for every width"
    (image,) = (e for e in sheet.all("img") if "heatmap" in e.attributes["src"])
    url = designer.base_url.join(at(clicked, "")).join(image.attributes["src"])
    assert designer.get(url).headers["content-type"] == "image/png"
    told = designer.get(str(url).replace("heatmap.png", "heatmap.json")).json()
    assert (told["marks"], told["in_zones"], told["unplaced"]) == (2, 2, 0)
    # The middle of the zone's box.
    assert abs(told["peak"]["x_px"] - 195) <= 4
    assert abs(told["peak"]["y_px"] - 225) <= 4
