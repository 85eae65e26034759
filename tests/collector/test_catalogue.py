"""What is known of the shops, how fresh it is, and that nothing is unknown by accident."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.configuration import configure
from app.shops import find_page, put_page
from app.store import Store
from collector.catalogue import MISS_S, Catalogue
from collector.errors import NotStored
from collector.sites import Site
from tests.build import SHIPPING, make_shop
from tests.collector.build import AT

pytestmark = pytest.mark.anyio
WITHIN_S = 1.0


class Counted:
    """The store, and how often it was asked; away when told so."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.asked = 0
        self.away = False

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        self.asked += 1
        if self.away:
            raise ConnectionRefusedError
        async with self._store.connection() as connection:
            yield connection


@pytest.fixture
async def counted(store: Store) -> Counted:
    return Counted(store)


@pytest.fixture
async def shop(store: Store) -> Site:
    return await make_shop(store, AT)


async def test_a_shop_is_found_by_its_key_and_by_its_number(counted: Counted, shop: Site) -> None:
    catalogue = Catalogue(counted)
    found = await catalogue.by_key(shop.public_key, "shipping")
    assert found == shop
    page = find_page(shop, "shipping")
    assert await catalogue.by_id(shop.site_id, page.page_id) == shop
    assert shop.page(page.page_id) == page
    assert shop.page(999) is None
    assert [(zone.number, zone.name) for zone in page.zones] == [
        (n + 1, zone.name) for n, zone in enumerate(SHIPPING)
    ]
    assert counted.asked == 1


async def test_a_crowd_asks_the_store_one_question(counted: Counted, shop: Site) -> None:
    catalogue = Catalogue(counted)
    found = await asyncio.gather(*(catalogue.by_key(shop.public_key) for _ in range(50)))
    assert set(map(id, found)) == {id(found[0])}
    assert found[0] is not None
    assert counted.asked == 1


async def test_a_flood_of_unknown_keys_asks_no_more_often_than_now_and_then(
    counted: Counted, shop: Site
) -> None:
    catalogue = Catalogue(counted)
    began = time.monotonic()
    for n in range(200):
        assert await catalogue.by_key(f"gs_{n:016d}") is None
    assert counted.asked <= 1 + (time.monotonic() - began) / MISS_S


async def test_a_new_page_is_known_soon_after_it_was_missed(
    store: Store, counted: Counted, shop: Site
) -> None:
    catalogue = Catalogue(counted)
    found = await catalogue.by_key(shop.public_key, "new")
    assert found is not None
    assert "new" not in found.pages
    page_id = await put_page(store, shop, "new", AT)
    deadline = time.monotonic() + WITHIN_S
    while "new" not in found.pages:
        assert time.monotonic() < deadline
        found = await catalogue.by_key(shop.public_key, "new")
        assert found is not None
        await asyncio.sleep(0.02)
    assert await catalogue.by_id(shop.site_id, page_id) == found


async def test_a_token_of_a_page_that_another_collector_knows_is_looked_up(
    store: Store, counted: Counted, shop: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = Catalogue(counted)
    await catalogue.by_key(shop.public_key)
    page_id = await put_page(store, shop, "new", AT)
    monkeypatch.setattr("collector.catalogue.MISS_S", 0.0)
    found = await catalogue.by_id(shop.site_id, page_id)
    assert found is not None
    assert found.page(page_id) is not None


async def test_what_was_changed_in_this_process_is_in_force_at_once(
    store: Store, counted: Counted, shop: Site
) -> None:
    catalogue = Catalogue(counted)
    before = await catalogue.by_key(shop.public_key)
    await configure(store, shop, {"honour_opt_out": False})
    assert await catalogue.by_key(shop.public_key) is before
    catalogue.forget()
    after = await catalogue.by_key(shop.public_key)
    assert after is not None
    assert not after.honours_opt_out


async def test_a_change_elsewhere_is_in_force_after_a_while(
    store: Store, counted: Counted, shop: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = Catalogue(counted)
    await catalogue.by_key(shop.public_key)
    await configure(store, shop, {"honour_opt_out": False})
    monkeypatch.setattr("collector.catalogue.AHEAD_S", 0.0)
    monkeypatch.setattr("collector.catalogue.REFRESH_S", 0.0)
    after = await catalogue.by_key(shop.public_key)
    assert after is not None
    assert not after.honours_opt_out


async def test_a_store_that_is_away_makes_nothing_unknown(counted: Counted, shop: Site) -> None:
    catalogue = Catalogue(counted)
    counted.away = True
    with pytest.raises(NotStored):
        await catalogue.by_key(shop.public_key)
    with pytest.raises(NotStored):
        await catalogue.by_id(shop.site_id, 1)
    counted.away = False
    assert await catalogue.by_key(shop.public_key) == shop


async def test_what_is_known_serves_on_while_the_store_is_away(
    counted: Counted, shop: Site
) -> None:
    catalogue = Catalogue(counted)
    await catalogue.by_key(shop.public_key)
    counted.away = True
    catalogue.forget()
    for _ in range(20):
        assert await catalogue.by_key(shop.public_key, "cart") == shop
    # The store is asked once, and then left alone for a while.
    assert counted.asked == 2
    with pytest.raises(NotStored):
        await catalogue.by_key("gs_" + "z" * 16)
    with pytest.raises(NotStored):
        await catalogue.by_key(shop.public_key, "new")


async def test_a_store_that_says_nothing_counts_as_away(
    store: Store, shop: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.catalogue.ASK_WITHIN_S", 0.02)

    class Silent:
        @asynccontextmanager
        async def connection(self) -> AsyncIterator[Any]:
            await asyncio.Event().wait()
            yield None

    with pytest.raises(NotStored):
        await Catalogue(Silent()).by_key(shop.public_key)
