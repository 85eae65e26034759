"""The file in which a shop names its pages and zones."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.codes import Phase
from snippets.errors import SnippetError
from snippets.plan import (
    PHASES,
    PRESETS,
    ROLES,
    Plan,
    PlannedPage,
    PlannedZone,
    preset,
    read_plan,
    write_plan,
)
from snippets.sheet import STATES, WATCHES, stylesheet
from tests.snippets.build import page_of

SMALL = """
menus = [".mega-menu"]

[[page]]
slug = "verzending"
title = "Verzending"
phase = "checkout"
cells = true

[[page.zone]]
name = "Postcode"
selector = "#postcode"
role = "field"
watches = ["validity"]
states = { error = ".wrong #postcode" }
"""


def test_a_small_plan_is_read() -> None:
    (page,) = read_plan(SMALL).page
    (zone,) = page.zones()
    assert (page.slug, page.stands_at, page.goal, page.cells) == (
        "verzending",
        Phase.CHECKOUT,
        False,
        True,
    )
    assert (zone.name, zone.selector, zone.role) == ("Postcode", "#postcode", "field")
    assert zone.watches == {"validity"}
    assert zone.states == {"error": ".wrong #postcode"}


@pytest.mark.parametrize(
    ("changed", "by", "told"),
    [
        ("[[page]]", "[[page", "no TOML"),
        ('slug = "verzending"', 'slug = "Ver zending"', "slug 'Ver zending'"),
        ('phase = "checkout"', 'phase = "later"', "phase 'later' of page 'verzending'"),
        ("cells = true", 'cells = "yes"', r"\$.page\[0\].cells"),
        ("cells = true", "cell = true", "unknown field `cell`"),
        ('role = "field"', 'role = "box"', "zone 'Postcode': role 'box'"),
        ('"#postcode"', '"#postcode:hover"', "page 'verzending', zone 'Postcode': selector"),
        ('["validity"]', '["value"]', "watch 'value'"),
        ("error =", "wrong =", "state 'wrong'"),
        ('".mega-menu"', '"nav *"', r"selector 'nav \*'"),
        ('name = "Postcode"', 'name = ""', "length >= 1"),
    ],
)
def test_what_cannot_be_followed_is_told_with_its_place(changed: str, by: str, told: str) -> None:
    assert changed in SMALL
    with pytest.raises(SnippetError, match=told):
        read_plan(SMALL.replace(changed, by, 1))


def test_a_page_that_stands_twice_is_refused() -> None:
    with pytest.raises(SnippetError, match="'verzending' stands twice"):
        read_plan(SMALL + SMALL.replace('menus = [".mega-menu"]', ""))


PRINTABLE = st.text(min_size=1, max_size=80).filter(lambda text: text.strip() != "")
ZONES = st.builds(
    PlannedZone,
    name=PRINTABLE,
    selector=st.sampled_from(["#a", 'form > input[name="b[c]"]', ".d .e"]),
    role=st.sampled_from(ROLES),
    sensitive=st.booleans(),
    watches=st.lists(st.sampled_from(sorted(WATCHES)), unique=True),
    states=st.dictionaries(st.sampled_from(sorted(STATES)), st.sampled_from(["#x", ".y[role]"])),
    also=st.lists(st.sampled_from(["#m", ".n"])),
    why=st.text(),
)
PAGES = st.builds(
    PlannedPage,
    slug=st.from_regex(r"[a-z0-9-]{1,64}", fullmatch=True),
    title=st.text(),
    phase=st.sampled_from(sorted(PHASES)),
    goal=st.booleans(),
    cells=st.booleans(),
    zone=st.lists(ZONES, max_size=3),
)


@given(st.lists(PAGES, max_size=3, unique_by=lambda page: page.slug))
def test_what_is_written_is_read_again_as_it_was(pages: list[PlannedPage]) -> None:
    plan = Plan(menus=["nav.main"], page=pages)
    assert read_plan(write_plan(plan)) == plan


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_a_plan_that_ends_in_a_goal_and_makes_a_sheet_for_each_page(name: str) -> None:
    plan = preset(name)
    assert plan.page[0].phase == "cart"
    assert [page.slug for page in plan.page if page.goal] == ["thanks"]
    assert any(zone.role == "pay" for page in plan.page for zone in page.zone)
    for page in plan.page:
        numbered = [
            replace(zone, number=number) for number, zone in enumerate(page.zones(), start=1)
        ]
        assert stylesheet(page_of(*numbered, slug=page.slug)).css
        assert len({zone.name for zone in page.zone}) == len(page.zone)


def test_time_on_a_banner_is_told_apart_on_every_page_with_zones() -> None:
    for page in preset("woocommerce").page:
        banners = [zone for zone in page.zone if zone.role == "banner"]
        assert len(banners) == bool(page.zone)
        for zone in banners:
            assert "#CybotCookiebotDialog" in zone.also


def test_a_preset_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(SnippetError, match="use one of magento-luma, prestashop"):
        preset("../woocommerce")
