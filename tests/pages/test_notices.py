"""What a shop must tell: from its settings, in both languages, on a page and as a file."""

from __future__ import annotations

import re

import httpx
import pytest

from app.configuration import configure
from app.pages.setting_up.notices import HOLDS, Notice, markdown, notice
from app.shops import find_site
from collector.sites import Site
from collector.tables import PARTITIONED, metadata
from tests.build import make_shop
from tests.conftest import NOON
from tests.pages.sheet import Sheet
from tests.serving import Running

LANGUAGES = ("nl", "en")
PER_SHOP = {"salt", "path", "dropped", "erasure", *PARTITIONED}
CONSENT = {"cookie": "cmplz_statistics", "pattern": "allow"}


@pytest.fixture
def shop(gloed: Running) -> Site:
    return gloed.do(make_shop(gloed.store, NOON, "Fietsen & <Zonen>"))


def configured(gloed: Running, site: Site, **config: object) -> Site:
    gloed.do(configure(gloed.store, site, config))
    return gloed.do(find_site(gloed.store, site.public_key))


def whole(told: Notice) -> str:
    return " ".join(told.paragraph)


@pytest.mark.parametrize("language", LANGUAGES)
def test_periods_are_those_of_the_shop(gloed: Running, shop: Site, language: str) -> None:
    periods = {"raw_days": 17, "view_days": 113, "tile_days": 457, "window_h": 72}
    told = notice(configured(gloed, shop, **periods), language)
    # A reference may be told as a day begins, and is kept for the window after its end.
    of_refs = "5 days" if language == "en" else "5 dagen"
    for days in (*map(str, (17, 113, 457)), of_refs):
        assert days in whole(told)
        assert days in dict(told.register)["Erasure" if language == "en" else "Bewaartermijn"]
    kept = {one.table: one.kept for one in told.stored}
    assert kept["beacon"].startswith("17 ")
    assert kept["visit"].startswith("113 ")
    assert kept["tile"].startswith("457 ")
    assert kept["salt"].find("48") >= 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_kept_for_good_is_said_to_be(gloed: Running, shop: Site, language: str) -> None:
    told = notice(configured(gloed, shop, imported=True), language)
    assert not re.search(r"\d+ (days|dagen)", whole(told))
    assert {one.kept for one in told.stored if one.table in PARTITIONED} <= {
        "until it is deleted",
        "tot het wordt verwijderd",
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_consent_is_told_as_it_is_decided(gloed: Running, shop: Site, language: str) -> None:
    """Without a cookie that decides, the shop itself must say how it asks."""
    assert "[" in whole(notice(shop, language))
    asked = whole(notice(configured(gloed, shop, consent=CONSENT), language))
    assert "cmplz_statistics" in asked
    assert "[" not in asked


@pytest.mark.parametrize("language", LANGUAGES)
def test_signals_that_are_not_honoured_are_not_said_to_be(
    gloed: Running, shop: Site, language: str
) -> None:
    honoured = notice(shop, language).paragraph[3]
    ignored = notice(configured(gloed, shop, honour_opt_out=False), language).paragraph[3]
    assert "Global Privacy Control" in honoured
    assert "Global Privacy Control" in ignored
    assert honoured != ignored
    assert re.search(r"not taken|geen rekening", ignored)


def test_every_table_and_column_about_visitors_is_listed(shop: Site) -> None:
    for language in LANGUAGES:
        told = notice(shop, language)
        assert {one.table for one in told.stored} == set(HOLDS) == PER_SHOP
        for one in told.stored:
            assert [name for name, _ in one.columns] == [
                column.name for column in metadata.tables[one.table].columns
            ]


def test_no_notice_promises_what_the_law_decides(shop: Site) -> None:
    for language in LANGUAGES:
        told = markdown(notice(shop, language)).lower()
        for claim in ("anonym", "no consent", "geen toestemming", "gdpr-compliant", "avg-proof"):
            assert claim not in told


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_says_what_the_file_says(
    designer: httpx.Client, gloed: Running, language: str
) -> None:
    site = gloed.do(make_shop(gloed.store, NOON, "Fietsen & <Zonen>"))
    headers = {"accept-language": language}
    answer = designer.get(f"/sites/{site.public_key}/privacy", headers=headers)
    assert "<Zonen>" not in answer.text
    sheet, told = Sheet(answer.text), notice(site, language)
    assert sheet.all("html", lang=language)
    for part in (*told.paragraph, *(what for _, what in told.register)):
        assert part in sheet.text
        assert part in markdown(told)
    listed = {element.text for element in sheet.all("code")}
    assert listed >= {name for one in told.stored for name, _ in one.columns}


def test_the_list_of_shops_leads_to_it(designer: httpx.Client, shop: Site) -> None:
    links = [e.attributes["href"] for e in Sheet(designer.get("/").text).all("a")]
    (link,) = [one for one in links if one.endswith("/privacy")]
    assert designer.get("/" + link.removeprefix("./")).status_code == 200


def test_a_mode_is_told_as_it_is(gloed: Running, shop: Site) -> None:
    exempt = whole(notice(configured(gloed, shop, mode="exempt"), "en"))
    assert "Every visit is counted" in exempt
    assert "No reference to your order is kept." in exempt
    assert "hashed" not in exempt
    assert "keyed hash" in whole(notice(configured(gloed, shop, mode="consent"), "en"))
    assert "nothing is recorded" in whole(notice(configured(gloed, shop, mode="off"), "en"))
