"""One page's map: which views it rests on, on which layout it is drawn, what is said beside."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pytest

from app.closing.day import close_day
from app.configuration import LEAST_VISITS
from app.mapping.filters import MapQuery
from app.mapping.laying import EMPTY_PAGE_PX
from app.mapping.maps import page_map
from app.mapping.page_map import PageMap, summary
from app.picturing.layouts import Box, put_layout
from app.problems import NotFound, TooFewVisits
from app.shops import find_site, go_live
from app.store import Store
from collector.codes import Browser, Device, Language, System
from collector.sites import Site
from heatmap.bandwidth import auto_bandwidth
from heatmap.marks import clip, gather
from heatmap.page import Page as DrawnPage
from tests.app.build import batch, heard, opened, put_rows, put_views
from tests.build import make_shop, page_of
from tests.conftest import NOON

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
TODAY = date(2026, 11, 18)
BOXES = (Box(1, 20, 100, 370, 142), Box(2, 20, 200, 370, 250), Box(3, 20, 500, 180, 548))


@pytest.fixture
async def shop(store: Store) -> Site:
    return await make_shop(store, NOON - 30 * DAY)


async def ask(store: Store, site: Site, page: str = "shipping", **asked: Any) -> PageMap:
    return await page_map(store, site, page_of(site, page), MapQuery(**asked), NOON)


async def draw_on(
    store: Store, site: Site, width_px: int, pointer: str = "fine", boxes: Iterable[Box] = BOXES
) -> int:
    return await put_layout(
        store,
        site,
        page_of(site, "shipping"),
        width_px=width_px,
        height_px=1800,
        pointer=pointer,
        boxes=boxes,
        picture=None,
        source="api",
        now=NOON,
    )


async def visits(
    store: Store, site: Site, n: int, *names: str, first: int = 1, **more: Any
) -> None:
    at = more.pop("at", NOON)
    for number in range(first, first + n):
        rows = [heard(name, number, at, visitor=number) for name in names]
        await put_views(store, site, opened(number, at, visitor=number, **more), *rows)


async def test_an_empty_map_is_a_map(store: Store, shop: Site) -> None:
    for kind in ("click", "move", "scroll", "stall"):
        found = await ask(store, shop, kind=kind)
        assert (found.views, found.visits, found.coverage, found.zones) == (0, 0, None, ())
        assert (found.width_px, found.height_px) == EMPTY_PAGE_PX
        told = summary(found)
        assert (told["marks"], told["total"], told["layout"]) == (0, 0.0, None)


async def test_an_empty_map_lies_on_the_pages_picture_if_there_is_one(
    store: Store, shop: Site
) -> None:
    await draw_on(store, shop, 1280)
    phone = await draw_on(store, shop, 390, "coarse")
    assert (await ask(store, shop)).layout is not None
    asked = await ask(store, shop, device="phone")
    assert asked.layout is not None
    assert asked.layout.layout_id == phone


async def test_coverage_is_the_share_of_views_that_sent_anything(store: Store, shop: Site) -> None:
    await visits(store, shop, 3)
    await visits(store, shop, 1, "2.h5", first=10)
    found = await ask(store, shop)
    assert (found.views, found.signalled, found.coverage, found.visits) == (4, 1, 0.25, 4)


async def test_stalls_are_told_in_seconds_per_visit(store: Store, shop: Site) -> None:
    await draw_on(store, shop, 1280)
    await visits(store, shop, 1, "2.h5", "w1280", device=Device.DESKTOP)
    await visits(store, shop, 3, "w1280", first=10, device=Device.DESKTOP)
    found = await ask(store, shop)
    assert found.unit == "s/visit"
    assert list(found.box_weights) == [7.5 / 4]
    zone = found.zones[0]
    assert (zone.name, zone.total, zone.visits) == ("verzendkosten", 7.5 / 4, 1)
    assert zone.box_px == (20.0, 200.0, 370.0, 250.0)
    clicks = await ask(store, shop, kind="click")
    assert (clicks.unit, len(clicks.zones)) == ("events", 0)


async def test_views_of_one_visit_are_one_visit_once_the_day_was_closed(
    store: Store, shop: Site
) -> None:
    views = [opened(n, NOON + n * MINUTE, visitor=5) for n in (1, 2)]
    await put_views(store, shop, *views, heard("3.p1", 1), heard("3.p1", 2))
    await close_day(store, shop, TODAY, NOON + 5 * MINUTE)
    found = await ask(store, shop, kind="click")
    assert (found.views, found.visits, found.zones[0].total) == (2, 1, 2)
    once = await ask(store, shop, kind="click", aggregation="unique_visits")
    assert (once.zones[0].total, once.zones[0].visits) == (1, 1)


FILTERS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"device": Device.PHONE}, {"device": "phone"}),
    ({"browser": Browser.SAFARI}, {"browser": "safari"}),
    ({"os": System.IOS}, {"os": "ios"}),
    ({"language": Language.DUTCH}, {"language": "dutch"}),
]


@pytest.mark.parametrize(("columns", "asked"), FILTERS)
async def test_a_filter_keeps_what_it_names(
    store: Store, shop: Site, columns: dict[str, Any], asked: dict[str, Any]
) -> None:
    await visits(store, shop, 2, **columns)
    await visits(store, shop, 3, first=10)
    assert (await ask(store, shop, **asked)).views == 2
    assert (await ask(store, shop)).views == 5


async def test_filters_by_width_capture_page_and_day(store: Store, shop: Site) -> None:
    await visits(store, shop, 1, "w400")
    await visits(store, shop, 1, "w1280", first=2)
    await visits(store, shop, 1, first=3)
    await visits(store, shop, 1, first=4, at=NOON - 5 * DAY)
    await visits(store, shop, 1, first=5, page_id=1)
    await put_rows(store, shop, "batch", [batch(6, visitor=6, points=[(5, 6, 7)], width_px=800)])

    async def views(**asked: Any) -> int:
        return (await ask(store, shop, **asked)).views

    assert await views() == 5
    assert await views(viewport_width_min="400", viewport_width_max="800") == 2
    assert await views(viewport_width_min="401") == 2, "views of unknown width are in neither"
    assert await views(viewport_width_max="400") == 1
    assert (await views(capture="css"), await views(capture="script")) == (4, 1)
    assert (await ask(store, shop, "cart")).views == 1
    assert await views(date_from="2026-11-13", date_to="2026-11-13") == 1
    assert await views(date_from="2026-11-14") == 4
    assert await views(date_to="2026-11-17") == 1


async def test_an_outcome_keeps_the_views_of_visits_that_ended_so(store: Store, shop: Site) -> None:
    late = NOON + timedelta(hours=10, minutes=50)
    await put_views(
        store,
        shop,
        opened(1, NOON, visitor=1),
        opened(2, NOON, visitor=2),
        opened(3, NOON + MINUTE, 4, visitor=2),
        opened(4, late, 1, visitor=3),
        opened(5, late + 20 * MINUTE, visitor=13, visitor_before=3),
    )
    for day in (TODAY, TODAY + DAY):
        await close_day(store, shop, day, NOON + 9 * DAY)

    async def views(outcome: str, **asked: Any) -> int:
        return (await ask(store, shop, outcome=outcome, date_to="2026-11-19", **asked)).views

    assert (await views("abandoned"), await views("completed"), await views("open")) == (2, 1, 0)
    assert await views("abandoned", date_from="2026-11-19") == 1, "its visit began the day before"


async def test_a_copied_token_is_on_no_map(store: Store, shop: Site) -> None:
    await visits(store, shop, 1)
    copied = [heard(name, 2, visitor=n) for n, name in ((6, "t1"), (7, "t2"), (8, "3.p1"))]
    await put_views(store, shop, opened(2), *copied)
    assert (await ask(store, shop, kind="click")).views == 1


async def test_a_live_shop_shows_nothing_that_rests_on_fewer_than_ten_visits(
    store: Store, shop: Site
) -> None:
    await visits(store, shop, LEAST_VISITS - 1)
    assert (await ask(store, shop)).trying
    await go_live(store, shop, NOON - DAY)
    shop = await find_site(store, shop.public_key)
    await visits(store, shop, LEAST_VISITS - 1)
    with pytest.raises(TooFewVisits, match="rests on 9 visits; 1 more"):
        await ask(store, shop)
    await visits(store, shop, 1, first=LEAST_VISITS)
    assert (await ask(store, shop)).visits == LEAST_VISITS
    with pytest.raises(TooFewVisits, match="fewer than 10 visits fit these filters"):
        await ask(store, shop, device="tablet")


async def test_the_layout_is_the_one_that_most_views_were_seen_in(store: Store, shop: Site) -> None:
    wide = await draw_on(store, shop, 1280)
    phone = await draw_on(store, shop, 390, "coarse")

    async def used(**asked: Any) -> int | None:
        found = await ask(store, shop, **asked)
        return found.layout.layout_id if found.layout else None

    await visits(store, shop, 2, "w400", device=Device.PHONE)
    await visits(store, shop, 1, "w1280", first=10)
    assert await used() == phone
    assert await used(device="unknown") == wide
    name = f"{wide & (2**64 - 1):016x}"
    assert await used(layout=name) == wide
    assert (await ask(store, shop, layout=name)).width_px == 1280


async def test_a_layout_of_another_page_is_not_found(store: Store, shop: Site) -> None:
    wide = await draw_on(store, shop, 1280)
    with pytest.raises(NotFound, match="no layout"):
        await ask(store, shop, "cart", layout=f"{wide & (2**64 - 1):016x}")


async def test_phones_are_drawn_through_the_boxes_of_a_page_captured_for_the_mouse_alone(
    store: Store, shop: Site
) -> None:
    await draw_on(store, shop, 1280)
    await visits(store, shop, 2, "3.p1", "w400", "coarse", device=Device.PHONE)
    found = await ask(store, shop, kind="click")
    assert found.layout is not None
    assert (found.boxes, found.unplaced) == ((BOXES[2].edges_px,) * 2, 0)


async def test_scroll_reach_holds_each_views_deepest_row(store: Store, shop: Site) -> None:
    await draw_on(store, shop, 1280)
    await visits(store, shop, 1, "w1280", "g720", "y400")
    await visits(store, shop, 1, "w1280", "g720", first=2)
    await visits(store, shop, 1, "w400", "g720", first=3)
    await visits(store, shop, 1, first=4)
    found = await ask(store, shop, kind="scroll")
    assert sorted(found.depths_px) == [720.0, 1120.0]
    assert (found.unit, found.unplaced) == ("share of views", 1)


async def test_without_a_layout_the_page_is_as_large_as_what_was_seen_of_it(
    store: Store, shop: Site
) -> None:
    await visits(store, shop, 1, "w1280", "g720", "y900")
    found = await ask(store, shop)
    assert (found.width_px, found.height_px) == (1280, 1620)
    await visits(store, shop, 1, "w9999", "y999999", "g720", first=2)
    found = await ask(store, shop)
    assert (found.width_px, found.height_px) == (4000, 10_000), "what can be drawn"


@pytest.mark.parametrize(
    ("asked", "bandwidth_px"),
    [({}, 40), ({"kind": "click"}, 24), ({"bandwidth": "33.5"}, 33.5)],
)
async def test_the_bandwidth_is_said(
    store: Store, shop: Site, asked: dict[str, Any], bandwidth_px: float
) -> None:
    await visits(store, shop, 1, "w1280", device=Device.DESKTOP)
    assert (await ask(store, shop, **asked)).bandwidth_px == bandwidth_px
    await store.execute("UPDATE page SET bandwidth_px = 60")
    site = await find_site(store, shop.public_key)
    own = 33.5 if "bandwidth" in asked else 60
    assert (await ask(store, site, **asked)).bandwidth_px == own


async def test_an_automatic_bandwidth_follows_the_marks_inside_the_page(
    store: Store, shop: Site
) -> None:
    narrow = (Box(1, 20, 100, 60, 142), Box(2, 20, 200, 60, 250), Box(3, 20, 1000, 60, 1800))
    await draw_on(store, shop, 1280, boxes=narrow)
    await visits(store, shop, 1, "1.h5", "2.h5", "3.h5", "w1280", device=Device.DESKTOP)
    found = await ask(store, shop, bandwidth="auto")
    shown = gather(found.points, found.point_weights, found.boxes, found.box_weights)
    page = DrawnPage(found.width_px, found.height_px)
    assert found.bandwidth_px == auto_bandwidth(clip(shown, page).marks)
    assert 24 < found.bandwidth_px < 64
    assert summary(found)["bandwidth_px"] == found.bandwidth_px
    await store.execute("UPDATE page SET bandwidth_px = 60")
    site = await find_site(store, shop.public_key)
    assert (await ask(store, site, bandwidth="auto")).bandwidth_px == found.bandwidth_px


async def test_touch_has_the_finer_bandwidth(store: Store, shop: Site) -> None:
    await visits(store, shop, 2, "coarse")
    assert (await ask(store, shop)).bandwidth_px == 24


async def test_a_zone_that_is_gone_is_called_by_its_number(store: Store, shop: Site) -> None:
    await visits(store, shop, 1, "77.h5", device=Device.DESKTOP)
    found = await ask(store, shop)
    assert [(zone.name, zone.box_px) for zone in found.zones] == [("#77", None)]
    assert found.unplaced == 1
