"""What people set up: shops, pages, zones, their configuration, and going live."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.configuration import configure
from app.shops import (
    DERIVED,
    ShopError,
    Unknown,
    add_site,
    find_page,
    find_site,
    go_live,
    list_sites,
    live_since,
    put_page,
    put_zones,
)
from app.store import Store
from collector.codes import Phase
from collector.sites import Site, Zone
from collector.tables import RAW
from collector.wire import MAX_ZONE
from snippets.errors import SelectorError
from tests.build import Walker, make_shop
from tests.conftest import NOON
from tests.serving import Running

MINUTE = timedelta(minutes=1)
EMPTY = Site(1, "gs_" + "a" * 16, "Leeg", ZoneInfo("UTC"), "trying", {}, 0)


@pytest.fixture
async def shop(store: Store) -> Site:
    return await find_site(store, await add_site(store, " Fietsenwinkel ", NOON))


def zones(*names: str) -> list[Zone]:
    return [Zone(0, name, f"#{name}") for name in names]


def numbers(found: tuple[Zone, ...]) -> dict[str, int]:
    return {zone.name: zone.number for zone in found}


async def test_a_shop_begins_on_trial_under_a_key_of_its_own(store: Store, shop: Site) -> None:
    assert (shop.name, shop.state, shop.time_zone.key) == (
        "Fietsenwinkel",
        "trying",
        "Europe/Amsterdam",
    )
    assert shop.public_key != await add_site(store, "Fietsenwinkel", NOON)


@pytest.mark.parametrize("zone", ["Europe/Amsterdm", "", "../../etc/passwd", "\0", "/etc/hosts"])
async def test_a_time_zone_that_is_none_is_refused(store: Store, zone: str) -> None:
    with pytest.raises(ShopError, match="is no time zone; write one such as Europe/Amsterdam"):
        await add_site(store, "Winkel", NOON, time_zone=zone)


async def test_a_shop_is_found_by_its_key_or_its_name(store: Store, shop: Site) -> None:
    assert (await find_site(store, shop.public_key)).site_id == shop.site_id
    assert (await find_site(store, "Fietsenwinkel")).site_id == shop.site_id
    with pytest.raises(Unknown, match="gloed site list"):
        await find_site(store, "Boekwinkel")


async def test_a_name_that_two_shops_bear_finds_neither(store: Store, shop: Site) -> None:
    other = await add_site(store, "Fietsenwinkel", NOON)
    with pytest.raises(ShopError, match=f"2 sites are called .*{other}"):
        await find_site(store, "Fietsenwinkel")
    assert (await find_site(store, other)).public_key == other


async def test_a_key_is_a_key_though_another_shop_is_called_so(store: Store, shop: Site) -> None:
    await add_site(store, shop.public_key, NOON)
    assert (await find_site(store, shop.public_key)).site_id == shop.site_id


async def test_a_page_keeps_its_number_whatever_is_said_of_it(store: Store, shop: Site) -> None:
    first = await put_page(store, shop, "cart", NOON, phase=Phase.CART)
    second = await put_page(store, shop, "pay", NOON, phase=Phase.PAYMENT)
    again = await put_page(store, shop, "cart", NOON, title="Winkelwagen", phase=Phase.CHECKOUT)
    assert (first, second, again) == (1, 2, 1)
    page = find_page(await find_site(store, shop.public_key), "cart")
    assert (page.title, page.phase) == ("Winkelwagen", Phase.CHECKOUT)


async def test_pages_that_are_made_at_once_have_numbers_of_their_own(
    store: Store, shop: Site
) -> None:
    slugs = [f"page-{n}" for n in range(12)]
    found = await asyncio.gather(*(put_page(store, shop, slug, NOON) for slug in slugs * 2))
    assert sorted(found) == sorted([*range(1, 13)] * 2)


@pytest.mark.parametrize("slug", ["", "Cart", "a/b", "a" * 65, "café", "cart\n", "../x"])
async def test_a_name_that_no_address_could_bear_is_refused(
    store: Store, shop: Site, slug: str
) -> None:
    with pytest.raises(ShopError, match="may hold a-z"):
        await put_page(store, shop, slug, NOON)


def test_a_page_that_is_not_there_is_told_with_those_that_are() -> None:
    site = replace(EMPTY, pages={})
    with pytest.raises(Unknown, match="none yet: `gloed snippet`"):
        find_page(site, "cart")


async def test_zones_keep_their_numbers_and_none_is_used_again(store: Store, shop: Site) -> None:
    page = await put_page(store, shop, "cart", NOON)
    put = [zones("a", "b"), zones("b", "c"), zones("d"), zones("c", "a", "d")]
    told = [
        numbers(await put_zones(store, shop, page, each, NOON + n * MINUTE))
        for n, each in enumerate(put)
    ]
    assert told == [{"a": 1, "b": 2}, {"b": 2, "c": 3}, {"d": 4}, {"c": 3, "a": 1, "d": 4}]
    present = find_page(await find_site(store, shop.public_key), "cart").zones
    assert [zone.number for zone in present] == [1, 3, 4]


async def test_a_changed_wording_is_a_version_and_the_same_wording_none(
    store: Store, shop: Site
) -> None:
    page = await put_page(store, shop, "cart", NOON)
    for _ in range(3):
        await put_zones(store, shop, page, zones("a"), NOON)
    version = (await find_site(store, shop.public_key)).data_version
    await put_zones(store, shop, page, zones("a"), NOON + MINUTE)
    assert (await find_site(store, shop.public_key)).data_version == version
    moved = [Zone(0, "a", "#elsewhere", "button")]
    await put_zones(store, shop, page, moved, NOON + MINUTE)
    rows = await store.fetch("SELECT selector, valid_from, valid_to FROM zone ORDER BY valid_from")
    assert [tuple(row) for row in rows] == [
        ("#a", NOON, NOON + MINUTE),
        ("#elsewhere", NOON + MINUTE, None),
    ]
    assert (await find_site(store, shop.public_key)).data_version == version + 1


async def test_wordings_of_one_moment_and_of_a_clock_set_back_follow_each_other(
    store: Store, shop: Site
) -> None:
    page = await put_page(store, shop, "cart", NOON)
    for n, selector in enumerate(("#a", "#b", "#a", "#c")):
        told = [Zone(0, "price", selector)]
        await put_zones(store, shop, page, told, NOON - n // 2 * MINUTE)
    rows = await store.fetch("SELECT selector, valid_from, valid_to FROM zone ORDER BY valid_from")
    assert [row["selector"] for row in rows] == ["#a", "#b", "#a", "#c"]
    assert all(row["valid_to"] is None or row["valid_to"] >= row["valid_from"] for row in rows)
    assert sum(row["valid_to"] is None for row in rows) == 1


async def test_zones_that_cannot_be_leave_everything_as_it_was(store: Store, shop: Site) -> None:
    page = await put_page(store, shop, "cart", NOON)
    await put_zones(store, shop, page, zones("a"), NOON)
    with pytest.raises(ShopError, match="two zones are called 'b'"):
        await put_zones(store, shop, page, zones("b", "b"), NOON)
    with pytest.raises(SelectorError):
        await put_zones(store, shop, page, [Zone(0, "x", "a:hover")], NOON)
    await store.execute("UPDATE zone SET number = $1", MAX_ZONE)
    with pytest.raises(ShopError, match="may have had 999 zones"):
        await put_zones(store, shop, page, zones("a", "b"), NOON)
    present = find_page(await find_site(store, shop.public_key), "cart").zones
    assert numbers(present) == {"a": MAX_ZONE}


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"window_h": 0}, "window_h"),
        ({"window_h": 169}, "window_h"),
        ({"window_h": "24"}, "window_h"),
        ({"window_h": 1.5}, "window_h"),
        ({"honour_opt_out": "yes"}, "honour_opt_out"),
        ({"consent": {"cookie": "c"}}, "consent.pattern"),
        ({"consent": {"cookie": "a b", "pattern": "yes"}}, "consent.cookie"),
        ({"consent": {"cookie": "c", "pattern": "yes", "else": 1}}, "consent.else"),
        ({"consent": True}, "consent"),
    ],
)
async def test_a_configuration_that_cannot_be_followed_is_refused(
    store: Store, shop: Site, config: dict[str, Any], told: str
) -> None:
    with pytest.raises(ShopError, match=f"^{told}: "):
        await configure(store, shop, config)
    assert (await find_site(store, shop.public_key)).config == {}


async def test_a_configuration_is_replaced_but_for_what_going_live_wrote(
    store: Store, shop: Site
) -> None:
    await configure(store, shop, {"window_h": 48, "live_since": "1970-01-01T00:00:00+00:00"})
    assert (await find_site(store, shop.public_key)).config == {"window_h": 48}
    await go_live(store, shop, NOON)
    consent = {"cookie": "cookie-consent", "pattern": "*yes*"}
    await configure(store, shop, {"consent": consent, "anything": [1]})
    live = await find_site(store, shop.public_key)
    assert live_since(live) == NOON
    assert {**live.config, "live_since": ""} == {
        "consent": consent,
        "anything": [1],
        "live_since": "",
    }
    assert live.consent is not None


async def test_going_live_empties_everything_that_was_tried_and_nothing_that_was_set_up(
    gloed: Running,
) -> None:
    await asyncio.to_thread(_try_and_go_live, gloed)


def _try_and_go_live(gloed: Running) -> None:
    site = gloed.do(make_shop(gloed.store, NOON))
    other = gloed.do(make_shop(gloed.store, NOON, "Boekwinkel"))
    gloed.context.catalogue.forget()
    walker = Walker(gloed.url)
    token = walker.open(site, "shipping")
    walker.open(site, "cart")
    walker.open(other, "cart")
    walker.tell(token, "2.h5", "w400")
    long_ago = site.day_of(NOON) - timedelta(days=9)
    noted = "INSERT INTO job (name, site_id, period, state) VALUES ('close', $1, $2, 'done')"
    gloed.do(gloed.store.execute(noted, site.site_id, long_ago))
    assert gloed.do(go_live(gloed.store, site, NOON + MINUTE)) == 2

    def rows(table: str, of: Site) -> int:
        # The house that runs meanwhile notes its jobs of the last days anew.
        when = f" AND period = '{long_ago}'" if table == "job" else ""
        statement = f"SELECT count(*) FROM {table} WHERE site_id = $1{when}"
        count: int = gloed.do(gloed.store.fetchval(statement, of.site_id))
        return count

    assert {table: rows(table, site) for table in (*RAW, *DERIVED)} == dict.fromkeys(
        (*RAW, *DERIVED), 0
    )
    assert rows("beacon", other) == 1
    live = gloed.do(find_site(gloed.store, site.public_key))
    assert (live.state, len(live.pages), len(live.pages["shipping"].zones)) == ("live", 4, 3)
    with pytest.raises(ShopError, match="is live already; its data stays"):
        gloed.do(go_live(gloed.store, live, NOON))
    walker.tell(token, "1.f2")
    assert rows("beacon", site) == 1, "acknowledged and kept, and counted nowhere"


async def test_of_two_who_go_live_at_once_one_is_told_that_it_is_done(
    store: Store, shop: Site
) -> None:
    results = await asyncio.gather(
        *(go_live(store, shop, NOON) for _ in range(4)), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["ShopError"] * 3 + ["int"]


async def test_shops_are_listed_in_the_order_they_were_added(store: Store) -> None:
    keys = [await add_site(store, name, NOON) for name in ("b", "a", "c")]
    assert [site.public_key for site in await list_sites(store)] == keys


async def test_a_shop_needs_a_name(store: Store) -> None:
    with pytest.raises(ShopError, match="needs a name"):
        await add_site(store, "  ", NOON)
