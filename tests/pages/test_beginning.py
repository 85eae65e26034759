"""Beginning with a shop system: its pages and zones taken over, and none of the shop's own lost."""

from __future__ import annotations

import httpx

from app.pages.setting_up.systems import NAMES, SYSTEMS, plan_of
from app.pages.words import WORDS
from app.shops import find_site
from snippets.plan import PRESETS, preset
from tests.build import make_shop
from tests.conftest import NOON
from tests.pages.sheet import Sheet
from tests.serving import FROM_OURS, Running


def test_every_system_that_is_known_is_offered() -> None:
    assert set(SYSTEMS) == set(PRESETS)


def test_what_is_taken_over_is_called_in_the_readers_language() -> None:
    plans = [preset(system) for system in SYSTEMS]
    called = {zone.name for plan in plans for page in plan.page for zone in page.zone}
    titles = {page.title for plan in plans for page in plan.page if page.title}
    assert called | titles == NAMES
    cart, checkout, thanks = plan_of("woocommerce", {"checkout": None}, WORDS["nl"]).page
    assert [cart.title, checkout.title, thanks.title] == ["Winkelwagen", "", "Bedankt"]
    assert {"Verzendkosten", "Naar afrekenen"} <= {zone.name for zone in cart.zone}
    assert plan_of("shopware", {}, WORDS["en"]).page[0].zone == preset("shopware").page[0].zone


def test_a_systems_pages_are_taken_over_beside_those_with_zones_of_their_own(
    gloed: Running, designer: httpx.Client
) -> None:
    site = gloed.do(make_shop(gloed.store, NOON))
    room = f"/sites/{site.public_key}/settings/pages"
    plan = {page.slug: page for page in preset("woocommerce").page}
    # The shop has a cart without zones and a thanks page; its payment has zones.
    before = site.pages
    answer = designer.post(room, data={"do": "preset", "system": "woocommerce"}, headers=FROM_OURS)
    assert answer.status_code == 303, answer.text
    after = gloed.do(find_site(gloed.store, site.public_key)).pages
    assert set(after) == set(before) | set(plan)
    for slug, page in after.items():
        if slug in before and before[slug].zones:
            assert page.zones == before[slug].zones
        elif slug in plan:
            assert {zone.name for zone in page.zones} == {z.name for z in plan[slug].zones()}
            assert page.phase == plan[slug].stands_at
    again = designer.post(room, data={"do": "preset", "system": "woocommerce"}, headers=FROM_OURS)
    assert again.status_code == 303
    assert gloed.do(find_site(gloed.store, site.public_key)).pages == after


def test_no_system_and_an_unknown_one_are_refused_beside_the_field(
    gloed: Running, designer: httpx.Client
) -> None:
    site = gloed.do(make_shop(gloed.store, NOON))
    for system in ("", "oscommerce"):
        answer = designer.post(
            f"/sites/{site.public_key}/settings/pages",
            data={"do": "preset", "system": system},
            headers=FROM_OURS,
        )
        assert answer.status_code == 422
        faults = [e for e in Sheet(answer.text).all("p") if e.attributes.get("class") == "fault"]
        assert [fault.text for fault in faults] == ["Choose the system that your shop runs on."]
    assert gloed.do(find_site(gloed.store, site.public_key)).pages == site.pages
