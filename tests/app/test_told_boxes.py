"""Layouts from the boxes of zones that the script told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.picturing.layouts import Box, find_layout, layouts_of, put_layout
from app.picturing.told_boxes import FEWEST_VIEWS, MOVED_PX, keep_told_layouts, middles, told_in
from app.store import Store
from collector.codes import Device
from collector.packing import Told
from collector.sites import Page, Site
from collector.wire import Kind
from tests.app.build import AT, batch, day_of, put_rows, scrolled
from tests.build import make_shop, page_of

pytestmark = pytest.mark.anyio
ZONES = {1, 2, 3}


def box(zone: int, x: int, y: int, w: int, h: int, t: int = 200, fixed: int = 0) -> Told:
    return (Kind.VIEWPORT, t, x, y, zone, w, h, 0, fixed)


def seen(view_id: int, *events: Told, **more: Any) -> dict[str, Any]:
    return batch(view_id, events=(scrolled(0, 200), *events), **more)


def several(*events: Told, **more: Any) -> list[dict[str, Any]]:
    return [seen(view_id, *events, **more) for view_id in range(1, FEWEST_VIEWS + 1)]


def boxes_of(*rows: dict[str, Any]) -> list[tuple[Any, ...]]:
    (middle,) = middles(told_in(rows), ZONES)
    return [(one.number, *one.edges_px, one.placement) for one in middle.boxes]


def test_a_layout_is_what_the_middle_visitor_saw() -> None:
    lefts = (80, 80, 82, 81, 400)
    rows = [seen(n, box(1, x, 60, 200, 40)) for n, x in enumerate(lefts)]
    assert boxes_of(*rows) == [(1, 81, 60, 281, 100, "flow")]


def test_fewer_visitors_make_none_and_neither_do_those_who_told_of_no_box() -> None:
    few = several(box(1, 80, 60, 200, 40))[1:]
    assert middles(told_in([*few, seen(99)]), ZONES) == []


def test_what_most_did_not_have_is_no_zone_of_it_and_nor_is_what_is_hidden_or_unknown() -> None:
    usual = box(1, 80, 60, 200, 40), box(2, 0, 0, 0, 0), box(9, 0, 0, 50, 50)
    rows = [seen(n, *usual, *([box(3, 0, 300, 100, 20)] if n < 2 else [])) for n in range(5)]
    assert [told[0] for told in boxes_of(*rows)] == [1]


def test_of_a_zones_elements_the_largest_counts_and_of_its_boxes_the_first() -> None:
    told = (
        box(1, 0, 500, 300, 90, t=9000),
        box(1, 80, 60, 20, 20),
        box(1, 80, 160, 200, 40),
    )
    assert boxes_of(*several(*told)) == [(1, 80, 160, 280, 200, "flow")]


def test_what_is_fixed_counts_as_it_lay_before_the_page_was_scrolled() -> None:
    before, after = box(1, 0, 660, 390, 60, fixed=1), box(1, 0, 960, 390, 60, t=3000, fixed=1)
    late = box(2, 0, 960, 90, 60, t=3000, fixed=1)
    told = (before, scrolled(300, 3000), after, late)
    assert boxes_of(*several(*told)) == [(1, 0, 660, 390, 720, "fixed")]


def test_each_width_and_pointer_has_a_layout_of_its_own() -> None:
    wide = several(box(1, 80, 60, 200, 40))
    phone = {"width_px": 390, "device": Device.PHONE}
    narrow = [seen(n + 50, box(1, 10, 90, 370, 44), **phone) for n in range(FEWEST_VIEWS)]
    made = {middle.kind[1]: middle for middle in middles(told_in([*wide, *narrow]), ZONES)}
    assert made["fine"].width_px == 1280
    assert made["coarse"].width_px == 390
    assert made["coarse"].boxes == (Box(1, 10, 90, 380, 134),)


@pytest.fixture
async def shop(store: Store, now: datetime) -> tuple[Site, Page]:
    site = await make_shop(store, now)
    return site, page_of(site, "shipping")


async def keep(store: Store, shop: tuple[Site, Page], left_px: int, days: int = 0) -> int:
    """Visitors of one day to whom the postcode lay so far from the left."""
    site, page = shop
    at = AT + timedelta(days=days)
    rows = several(box(1, left_px, 60, 200, 40), opened_at=at, page_id=page.page_id)
    await put_rows(store, site, "batch", rows)
    return await keep_told_layouts(store, site, day_of(at, site), at)


async def test_the_layout_is_kept_once_and_anew_when_the_page_has_moved(
    store: Store, shop: tuple[Site, Page]
) -> None:
    site, page = shop
    assert await keep(store, shop, 80) == 1
    assert await keep_told_layouts(store, site, day_of(AT, site), AT) == 0
    assert await keep(store, shop, 80 + round(MOVED_PX), days=1) == 0
    assert await keep(store, shop, 120, days=2) == 1
    newest, oldest = await layouts_of(store, site, page.page_id)
    assert (newest.source, newest.picture_hash) == ("script", None)
    assert (newest.width_px, newest.height_px, newest.pointer) == (1280, 2000, "fine")
    assert [one.boxes[0].x0_px for one in (newest, oldest)] == [120, 80]


async def test_a_layout_that_the_shop_captured_holds(
    store: Store, shop: tuple[Site, Page], now: datetime
) -> None:
    site, page = shop
    mine = (Box(1, 0, 0, 10, 10),)
    size = {"width_px": 1280, "height_px": 900, "pointer": "fine"}
    await put_layout(store, *shop, **size, boxes=mine, picture=None, source="capture", now=now)  # type: ignore[arg-type]
    assert await keep(store, shop, 80) == 0
    found = await find_layout(store, site, page.page_id)
    assert found is not None
    assert found.boxes == mine
