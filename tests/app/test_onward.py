"""A press of which nothing told, told by the page that it led to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.closing.day import close_day
from app.folding.onward import Onward, way_on
from app.folding.raw import Span, page_views
from app.mapping.filters import MapQuery
from app.mapping.maps import page_map
from app.store import Store
from collector.codes import Device, System
from collector.sites import Site, Zone
from tests.app.build import AT, PAYMENT, SHIPPING, SHOP, heard, opened, put_views
from tests.build import make_shop
from tests.conftest import NOON

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
CART, CHECKOUT, PAY, THANKS = 1, 2, 3, 4
IPHONE = {"device": int(Device.PHONE), "os": int(System.IOS)}
NEXT = 3
"""The one button of the page of the checkout."""


@pytest.fixture
async def shop(store: Store) -> Site:
    return await make_shop(store, NOON - timedelta(days=30))


def open_at(n: int, after: timedelta, page_id: int, **more: Any) -> dict[str, Any]:
    return opened(n, AT + after, page_id, **{**IPHONE, **more})


def test_a_page_leads_on_by_its_pay_button_or_by_its_only_button() -> None:
    assert way_on(SHIPPING) == NEXT
    assert way_on(PAYMENT) == 2
    two = (*SHIPPING.zones, Zone(9, "kortingscode", "#code", "button"))
    assert way_on(replace(SHIPPING, zones=two)) is None
    assert way_on(replace(SHIPPING, zones=(*two, Zone(8, "betalen", "#pay", "pay")))) == 8
    assert way_on(replace(SHIPPING, zones=())) is None


def test_from_the_cart_on_pages_lead_to_those_of_later_phases() -> None:
    onward = Onward.of(SHOP)
    assert onward.leads(CHECKOUT, PAY)
    assert onward.leads(CHECKOUT, THANKS)
    assert not onward.leads(PAY, CHECKOUT)
    assert not onward.leads(CART, CHECKOUT), "it has no button"
    assert onward.pages == {CHECKOUT, PAY, THANKS}


ALIVE = [heard(f"t{s}", 1, AT + s * SECOND) for s in (1, 2, 5, 10)]

LEFT_AFTER_15_S = (open_at(1, 0 * SECOND, CHECKOUT), *ALIVE, open_at(2, 15 * SECOND, PAY))


async def presses(store: Store, shop: Site, *rows: Any) -> dict[int, int]:
    await put_views(store, shop, *rows)
    async with store.transaction() as connection:
        span = Span.of(shop, AT.date(), AT.date())
        views = await page_views(connection, span, CHECKOUT)
    (view,) = [view for view in views if view.view_id == 1]
    return dict(view.pressed_zones)


@pytest.mark.parametrize(
    ("rows", "pressed"),
    [
        pytest.param(LEFT_AFTER_15_S, {NEXT: 1}, id="the next page came when this one ended"),
        pytest.param(
            (*LEFT_AFTER_15_S, heard("leave", 1, AT + 14 * SECOND)),
            {NEXT: 1},
            id="the leave says the same",
        ),
        pytest.param(
            (*LEFT_AFTER_15_S[:-1], open_at(2, 15 * SECOND, PAY, visitor=6)),
            {},
            id="somebody else opened it",
        ),
        pytest.param(
            (*LEFT_AFTER_15_S[:-1], open_at(2, 15 * SECOND, CART)), {}, id="it leads back"
        ),
        pytest.param(
            (*LEFT_AFTER_15_S[:-1], open_at(2, 90 * SECOND, PAY)),
            {},
            id="this one had ended long before",
        ),
        pytest.param(
            (*LEFT_AFTER_15_S[:-1], open_at(2, 4 * SECOND, PAY)),
            {},
            id="this one went on, in another tab",
        ),
        pytest.param(
            (*LEFT_AFTER_15_S, heard("leave", 1, AT + 2 * SECOND)),
            {NEXT: 1},
            id="a leave that the page outlived says nothing",
        ),
        pytest.param(
            (*LEFT_AFTER_15_S, heard("2.p1", 1, AT + 3 * SECOND)), {2: 1}, id="it tells of presses"
        ),
        pytest.param(
            (open_at(3, -MINUTE, PAY), *LEFT_AFTER_15_S), {}, id="somebody goes back and forth"
        ),
        pytest.param(
            (
                *LEFT_AFTER_15_S[1:-1],
                *(open_at(1, 0 * SECOND, CHECKOUT, os=int(System.ANDROID)),),
                open_at(2, 15 * SECOND, PAY, os=int(System.ANDROID)),
            ),
            {},
            id="an engine that is known to tell",
        ),
    ],
)
async def test_the_next_page_tells_the_press_of_what_leads_there(
    store: Store, shop: Site, rows: tuple[Any, ...], pressed: dict[int, int]
) -> None:
    assert await presses(store, shop, *rows) == pressed


async def test_a_press_told_by_its_arrival_is_on_the_map_and_in_the_view(
    store: Store, shop: Site
) -> None:
    await put_views(store, shop, *LEFT_AFTER_15_S)
    await close_day(store, shop, AT.date(), AT + timedelta(hours=1))
    stored = await store.fetch("SELECT view_id, presses FROM view ORDER BY view_id")
    assert [tuple(row) for row in stored] == [(1, 1), (2, 0)]
    found = await page_map(
        store, shop, shop.pages["shipping"], MapQuery(kind="click"), AT + timedelta(hours=1)
    )
    assert [(zone.number, zone.total) for zone in found.zones] == [(NEXT, 1)]
