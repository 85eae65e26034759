"""The sealing job, and that maps of sealed days say what maps of raw rows say."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from app.configuration import configure
from app.drawing.orders import options, paint
from app.drawing.states import SOURCES
from app.jobs import run_due
from app.mapping.audience import NOBODY
from app.mapping.filters import MapQuery
from app.mapping.maps import page_map
from app.mapping.page_map import PageMap
from app.mapping.tile_rows import Wanted, tiles_asked
from app.picturing.layouts import Box, put_layout
from app.sealing.cells import CELL_PX
from app.sealing.day import WRITES, seal_day
from app.shops import find_site
from app.store import Store
from collector.codes import Browser, Device
from collector.sites import Site
from collector.tables import RAW
from tests.app.build import batch, goal, heard, opened, put_rows, put_views
from tests.build import make_shop, page_of
from tests.conftest import NOON

TODAY = date(2026, 11, 18)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
LATER = NOON + 2 * DAY
"""The day had its last run and is sealed."""

REF = b"r" * 16
VIEWS = 11
"""Page views of each day."""

MOUSE: dict[str, Any] = {"device": Device.DESKTOP}
TOUCH: dict[str, Any] = {"device": Device.PHONE}


@pytest.fixture
async def shop(store: Store) -> Site:
    site = await make_shop(store, NOON - 30 * DAY)
    boxes = (Box(1, 20, 100, 370, 142), Box(2, 20, 200, 370, 250), Box(3, 20, 500, 180, 548))
    for width_px, pointer in ((1280, "fine"), (390, "coarse")):
        await capture(store, site, width_px, pointer, boxes, NOON - 20 * DAY)
    return site


async def capture(
    store: Store, site: Site, width_px: int, pointer: str, boxes: tuple[Box, ...], now: datetime
) -> None:
    await put_layout(
        store,
        site,
        page_of(site, "shipping"),
        width_px=width_px,
        height_px=1800,
        pointer=pointer,
        boxes=boxes,
        picture=None,
        source="api",
        now=now,
    )


async def a_day(store: Store, site: Site, day: date = TODAY, first: int = 1) -> None:
    """Visitors with a mouse and by touch, seen by the form, by the script, by both."""
    at = NOON + (day - TODAY)
    rows = []
    seen: list[tuple[Mapping[str, Any], tuple[str, ...]]] = [
        (MOUSE, ("w1280", "g720", "y300", "2.h5", "3.p2")),
        (MOUSE, ("w1280", "g720", "1.h10", "1.p1")),
        (TOUCH, ("w360", "g640", "y600", "coarse", "1.f10", "b1.20", "b2.5", "3.p1")),
        (MOUSE, ("2.h2", "3.p1")),
        (MOUSE, ()),
        (MOUSE, ("w1280",)),
        (TOUCH, ("w360", "coarse", "3.p1")),
    ]
    for number, (codes, names) in enumerate(seen, first):
        rows.append({"name": "open", **opened(number, at, visitor=number, **codes)})
        rows += [heard(name, number, at + MINUTE, visitor=number) for name in names]
    # One visitor came back by a window of another width.
    rows.append({"name": "open", **opened(first + 50, at + 5 * MINUTE, visitor=first, **MOUSE)})
    rows += [heard(n, first + 50, at + 6 * MINUTE, visitor=first) for n in ("w800", "3.p1")]
    await put_rows(store, site, "beacon", rows)
    trail = [
        (150, 120, 0),
        (151, 119, 900),
        (152, 121, 950),
        (900, 900, 4000),
        (900, 901, 9000),
        (30, 520, 12_000),
    ]
    clicks = [
        {"x": 150, "y": 120, "zone": 1, "u": 24_000, "v": 30_000, "t": 10},
        {"x": 700, "y": 801, "t": 20},
        {"x": 702, "y": 802, "t": 30},
        {"x": 9, "y": 9, "zone": 77, "u": 1, "v": 1, "t": 40},
    ]
    script: dict[str, Any] = {"points": trail, "clicks": clicks, "opened_at": at}
    await put_rows(
        store,
        site,
        "batch",
        [
            batch(first + 5, visitor=first + 5, **MOUSE, **script),
            batch(first + 20, visitor=first + 20, **MOUSE, **script),
            batch(first + 20, 1, visitor=first + 20, **MOUSE, **{**script, "points": []}),
            batch(first + 21, visitor=first + 21, width_px=390, **TOUCH, **script),
            batch(first + 22, visitor=first + 22, width_px=1100, **MOUSE, **script),
        ],
    )


async def ask(store: Store, site: Site, now: datetime = LATER, **asked: Any) -> PageMap:
    return await page_map(store, site, page_of(site, "shipping"), MapQuery(**asked), now)


async def sealed(store: Store) -> None:
    """Two days are closed, and then sealed."""
    await run_due(store, NOON)
    await run_due(store, LATER)


async def forget_rows(store: Store) -> None:
    for table in RAW:
        await store.execute(f"DELETE FROM {table}")


def told(found: PageMap) -> dict[str, Any]:
    names = ("views", "signalled", "visits", "marks", "unplaced", "width_px", "height_px")
    return {name: getattr(found, name) for name in names} | {
        "layout": found.layout and found.layout.width_px,
        "zones": {zone.number: (round(zone.total, 9), zone.visits) for zone in found.zones},
        "points": round(float(found.point_weights.sum()), 9),
        "boxes": boxed(found),
        "depths": sorted(found.depths_px),
    }


def boxed(found: PageMap) -> dict[tuple[float, ...], float]:
    sums: dict[tuple[float, ...], float] = {}
    for box, weight in zip(found.boxes, found.box_weights, strict=True):
        sums[box] = sums.get(box, 0) + weight
    return {box: round(weight, 9) for box, weight in sums.items()}


async def derived(store: Store) -> dict[str, set[tuple[Any, ...]]]:
    return {
        table: {tuple(row) for row in await store.fetch(f"SELECT * FROM {table}")}
        for table in WRITES
    }


ASKED: list[dict[str, Any]] = [
    {},
    {"aggregation": "unique_visits"},
    {"capture": "css"},
    {"capture": "script"},
    {"viewport_width_max": "479"},
    {"viewport_width_min": "480", "viewport_width_max": "1023"},
    {"viewport_width_min": "1024"},
]


@pytest.mark.parametrize("kind", ["click", "move", "stall", "scroll"])
async def test_a_map_of_sealed_days_says_what_one_of_their_rows_says(
    store: Store, shop: Site, kind: str
) -> None:
    await a_day(store, shop)
    await a_day(store, shop, TODAY - DAY, first=200)
    layouts = await store.fetch("SELECT layout_id FROM layout")
    names = [f"{row['layout_id'] & (2**64 - 1):016x}" for row in layouts]
    asked = [*ASKED, *({"layout": name} for name in names)]
    await run_due(store, NOON)
    from_rows = [told(await ask(store, shop, kind=kind, **one)) for one in asked]
    await run_due(store, LATER)
    await forget_rows(store)
    from_tiles = [told(await ask(store, shop, kind=kind, **one)) for one in asked]
    assert from_tiles == from_rows
    assert from_rows[0]["views"] == 2 * VIEWS


@pytest.mark.parametrize("kind", ["click", "move", "stall"])
async def test_the_peak_lies_in_the_same_cell(store: Store, shop: Site, kind: str) -> None:
    await a_day(store, shop)
    await sealed(store)
    found = [await ask(store, shop, kind=kind, browser=asked) for asked in (None, "other")]
    drawn = [paint(options(one, NOBODY)) for one in found]
    peaks = np.array([(one.peak_x_px, one.peak_y_px) for one in drawn])
    assert np.abs(np.diff(peaks, axis=0)).max() <= CELL_PX
    assert drawn[0].mass == pytest.approx(drawn[1].mass)
    assert drawn[0].peak == pytest.approx(drawn[1].peak, rel=0.02)


async def test_what_tiles_do_not_know_is_read_from_raw_rows(store: Store, shop: Site) -> None:
    await a_day(store, shop)
    await put_views(store, shop, opened(99, visitor=99, browser=Browser.SAFARI, **TOUCH))
    await sealed(store)
    asked: list[tuple[dict[str, Any], int]] = [
        ({"browser": "safari"}, 1),
        ({"device": "phone"}, 4),
        ({"viewport_width_max": "400"}, 3),
        ({"bandwidth": "auto"}, 12),
        ({}, 12),
    ]
    for query, views in asked:
        assert (await ask(store, shop, **query)).views == views
    await forget_rows(store)
    assert [(await ask(store, shop, **query)).views for query, _ in asked] == [0, 0, 0, 0, 12]


async def test_sealed_days_and_open_ones_are_one_map(store: Store, shop: Site) -> None:
    await a_day(store, shop)
    await sealed(store)
    await a_day(store, shop, TODAY + 2 * DAY, first=400)
    for kind in ("click", "move", "stall", "scroll"):
        # A finer bandwidth reads raw rows.
        finer, wider = [await ask(store, shop, kind=kind, bandwidth=px) for px in (13.9, 14.0)]
        assert told(finer) == told(wider)
        assert wider.views == 2 * VIEWS
    await forget_rows(store)
    assert [(await ask(store, shop, bandwidth=px)).views for px in (13.9, 14.0)] == [0, VIEWS]


async def test_a_day_is_sealed_after_its_last_run_and_not_before(store: Store, shop: Site) -> None:
    await a_day(store, shop)
    over = datetime.combine(TODAY + 2 * DAY, datetime.min.time(), shop.time_zone)
    for moment in (NOON, NOON + DAY, over, over + 4 * MINUTE):
        await run_due(store, moment)
        assert await store.fetchval("SELECT count(*) FROM tile") == 0
    await run_due(store, over + 5 * MINUTE)
    assert await store.fetchval("SELECT count(DISTINCT day) FROM tile") == 1


async def test_sealing_again_changes_nothing(store: Store, shop: Site) -> None:
    await a_day(store, shop)
    await sealed(store)
    rows = "SELECT tableoid, ctid, xmin FROM tile UNION ALL SELECT tableoid, ctid, xmin FROM daily"
    before, version = await store.fetch(rows), (await find_site(store, shop.public_key))
    again = await seal_day(store, shop, TODAY)
    assert (again.pages, again.views, again.changed) == (1, 11, False)
    assert await store.fetch(rows) == before
    assert (await find_site(store, shop.public_key)).data_version == version.data_version


@pytest.mark.parametrize("chunk_views", [1, 3, 500])
async def test_what_was_deleted_is_the_same_after_the_next_sealing(
    store: Store, shop: Site, chunk_views: int
) -> None:
    await a_day(store, shop)
    await sealed(store)
    first, version = await derived(store), (await find_site(store, shop.public_key)).data_version
    assert all(first.values())
    for table in WRITES:
        await store.execute(f"DELETE FROM {table}")
    assert (await seal_day(store, shop, TODAY, chunk_views=chunk_views)).changed
    assert await derived(store) == first
    assert (await find_site(store, shop.public_key)).data_version > version


async def late(store: Store, site: Site, at: datetime) -> None:
    """A row of a day that is long over, marked as the writer marks it."""
    await put_views(store, site, opened(90, visitor=90), heard("3.p1", 90, visitor=90))
    await store.execute(
        "INSERT INTO job (name, site_id, period, state, dirty_since) "
        "VALUES ('close', $1, $2, 'waiting', $3) ON CONFLICT (name, site_id, period) "
        "DO UPDATE SET dirty_since = excluded.dirty_since",
        site.site_id,
        TODAY,
        at,
    )


async def test_a_late_row_is_on_the_map_at_once_and_reopens_its_day(
    store: Store, shop: Site
) -> None:
    await a_day(store, shop)
    await sealed(store)
    before = await derived(store)
    await late(store, shop, LATER + MINUTE)
    assert (await ask(store, shop)).views == 12
    assert await derived(store) == before
    await run_due(store, LATER + 2 * MINUTE)
    assert await derived(store) != before
    await forget_rows(store)
    assert (await ask(store, shop)).views == 12


async def test_between_closing_and_sealing_a_reopened_day_is_read_from_its_rows(
    store: Store, shop: Site
) -> None:
    await a_day(store, shop)
    await sealed(store)
    await late(store, shop, LATER + MINUTE)
    await store.execute("ALTER TABLE tile ADD CHECK (views < 0) NOT VALID")
    try:
        await run_due(store, LATER + 2 * MINUTE)
        row = await store.fetchrow("SELECT * FROM job WHERE name = 'seal' AND period = $1", TODAY)
        assert (row["state"], row["error"]) == ("failed", "CheckViolationError")
        assert (await ask(store, shop)).views == 12
    finally:
        await store.execute("ALTER TABLE tile DROP CONSTRAINT tile_views_check")
    await run_due(store, LATER + 5 * MINUTE)
    assert await store.fetchval("SELECT state FROM job WHERE name = 'seal' AND period = $1", TODAY)
    assert (await ask(store, shop)).views == 12


async def test_the_name_of_a_picture_changes_with_where_its_days_are_read(
    store: Store, shop: Site
) -> None:
    async def named() -> Any:
        return await store.fetchval(
            f"SELECT ({SOURCES}), $2::date", shop.site_id, TODAY, TODAY, TODAY
        )

    await a_day(store, shop)
    await run_due(store, NOON)
    names = [await named()]
    await run_due(store, LATER)
    names.append(await named())
    await late(store, shop, LATER + MINUTE)
    names.append(await named())
    await run_due(store, LATER + 2 * MINUTE)
    names.append(await named())
    assert len({names[0], names[1], names[2]}) == 3
    assert names[3] == names[1], "and the data version tells of the late row"


async def test_a_day_is_sealed_once_in_the_fleet(store: Store, shop: Site) -> None:
    await a_day(store, shop)
    await run_due(store, NOON)
    others = [Store(store.url) for _ in range(3)]
    for other in others:
        await other.open()
    try:
        await asyncio.gather(*(run_due(each, LATER) for each in (store, *others)))
    finally:
        for other in others:
            await other.close()
    version = (await find_site(store, shop.public_key)).data_version
    await run_due(store, LATER)
    rows = await store.fetch("SELECT state, last_run_at FROM job WHERE name = 'seal'")
    assert {tuple(row) for row in rows} == {("done", LATER)}
    assert (await find_site(store, shop.public_key)).data_version == version


async def test_sums_of_a_day_add_up_over_their_codes(store: Store, shop: Site) -> None:
    await a_day(store, shop)
    await put_rows(store, shop, "goal", [goal(1, NOON + 9 * MINUTE, visitor=1, source=3)])
    await sealed(store)
    sums = await store.fetchrow(
        "SELECT sum(views)::int, sum(visits)::int, sum(goals)::int, sum(dwell_ms)::int FROM daily"
    )
    found = await ask(store, shop)
    seconds = found.visits * (found.point_weights.sum() + sum(found.box_weights))
    assert tuple(sums)[:3] == (found.views, found.visits, 1) == (11, 10, 1)
    assert sums[3] >= round(1000 * seconds), "more than is drawn: some is of other widths"
    own = await store.fetchrow("SELECT * FROM daily WHERE band = 3")
    assert (own["views"], own["visits"]) == (1, 0), "the visit counts where it came first"


async def test_a_day_is_sealed_again_when_the_last_of_its_outcomes_is_decided(
    store: Store, shop: Site
) -> None:
    await configure(store, shop, {"window_h": 96})
    shop = await find_site(store, shop.public_key)
    await put_views(store, shop, opened(1, NOON, ref_hash=REF), heard("2.h5", 1, NOON))
    for hours in range(0, 72, 12):
        await run_due(store, NOON + timedelta(hours=hours))
    assert await store.fetchval("SELECT goals FROM daily") == 0
    await put_rows(store, shop, "goal", [goal(1, NOON + 3 * DAY, ref_hash=REF, source=3)])
    await run_due(store, NOON + 3 * DAY + MINUTE)
    assert await store.fetchval("SELECT goals FROM daily") == 1


async def test_the_first_capture_of_a_width_gives_past_stalls_their_zones_and_later_ones_do_not(
    store: Store,
) -> None:
    site = await make_shop(store, NOON - 30 * DAY)
    await a_day(store, site)
    await sealed(store)

    async def zones(now: datetime) -> dict[int, int]:
        await run_due(store, now)
        found = await ask(store, site, capture="script")
        return {zone.number: zone.visits for zone in found.zones}

    assert await zones(LATER + MINUTE) == {}
    await capture(store, site, 1280, "fine", (Box(1, 100, 100, 200, 200),), LATER + 2 * MINUTE)
    assert await zones(LATER + 3 * MINUTE) == {1: 3}
    await capture(store, site, 1280, "fine", (Box(2, 100, 100, 200, 200),), LATER + 4 * MINUTE)
    assert await zones(LATER + 6 * MINUTE) == {1: 3}


async def test_copied_tokens_and_views_of_a_trial_are_in_no_tile(store: Store, shop: Site) -> None:
    copied = [heard(name, 1, visitor=n) for n, name in ((6, "t1"), (7, "t2"), (8, "3.p1"))]
    await put_views(store, shop, opened(1), *copied, opened(2, visitor=2))
    await sealed(store)
    assert (await ask(store, shop, kind="click")).views == 1
    assert await store.fetchval("SELECT sum(views)::int FROM daily") == 1


async def test_what_is_read_of_a_sealed_month_does_not_grow_with_its_events(
    store: Store, shop: Site
) -> None:
    trail = [(4 * n, 8 * n, 1000 * n) for n in range(50)]

    async def read(visitors: range) -> tuple[int, int]:
        rows = [batch(n, visitor=n, points=trail, **MOUSE) for n in visitors]
        await put_rows(store, shop, "batch", rows)
        await seal(store, shop)
        page_id = page_of(shop, "shipping").page_id
        wanted = Wanted(page_id, TODAY, TODAY, "move", lambda _way: True)
        asked = tiles_asked(shop.site_id, [wanted])
        for row in await store.fetch(asked.statement, *asked.values):
            wanted.take(row, raw_gone=False)
        return wanted.stack.rows, len(wanted.stack.sums())

    few, many = await read(range(1, 20)), await read(range(20, 200))
    assert few == many == (2, 50)
    found = await ask(store, shop, kind="move")
    assert (len(found.points), found.point_weights.sum()) == (50, 199 * 50)


async def seal(store: Store, site: Site) -> None:
    await late(store, site, LATER)
    await store.execute("DELETE FROM beacon WHERE view_id = 90")
    await store.execute("UPDATE job SET last_run_at = NULL WHERE name IN ('close', 'seal')")
    await run_due(store, LATER)
