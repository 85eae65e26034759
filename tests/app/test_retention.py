"""What is kept how long, and that letting go takes exactly what is over."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pytest

from app.configuration import configure
from app.jobs import run_due
from app.mapping.filters import MapQuery
from app.mapping.maps import page_map
from app.mapping.sources import RAW_GONE
from app.problems import BadParameters, TooFewVisits
from app.retention import TILES, VIEWS, Kept, PartitionBusy, kept, let_go
from app.shops import ShopError, find_site
from app.store import Store
from app.turns import Work
from collector.partitions import make_partitions, partition_name
from collector.sites import Site
from collector.tables import PARTITIONED, RAW
from tests.app.build import heard, opened, put_views
from tests.build import make_shop, page_of
from tests.collector.build import a_site
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("bare_database_url")
TODAY = date(2026, 11, 18)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
OLD = TODAY - 40 * DAY
"""Over, of raw rows alone."""


@pytest.fixture
async def shop(store: Store) -> Site:
    return await make_shop(store, NOON - 800 * DAY)


async def partitions(store: Store, days: Iterable[date]) -> None:
    async with store.connection() as connection:
        await make_partitions(connection, days)


async def present(store: Store, tables: Iterable[str] = PARTITIONED) -> set[str]:
    rows = await store.fetch(
        "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid "
        "WHERE relkind = 'r' AND inhparent = ANY($1::text[]::regclass[])",
        list(tables),
    )
    return {row["relname"] for row in rows}


async def views_of(store: Store, site: Site, *days: date) -> None:
    for day in days:
        number = day.toordinal()
        at = NOON + (day - TODAY)
        await put_views(store, site, opened(number, at), heard("2.h5", number, at))


async def days_left(store: Store, site: Site, table: str = "beacon") -> list[date]:
    rows = await store.fetch(
        f"SELECT DISTINCT day FROM {table} WHERE site_id = $1 ORDER BY day", site.site_id
    )
    return [row["day"] for row in rows]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, Kept(30, 400, 760)),
        ({"raw_days": 10, "view_days": 20, "tile_days": 30}, Kept(10, 20, 30)),
        ({"raw_days": 999}, Kept(90, 400, 760)),
        ({"raw_days": 1}, Kept(4, 400, 760)),
        ({"raw_days": 4, "window_h": 168}, Kept(10, 400, 760)),
        ({"raw_days": 4, "window_h": 25}, Kept(5, 400, 760)),
        ({"imported": True}, Kept(None, None, None)),
    ],
)
def test_days_kept_are_the_shops_own_within_limits(config: dict[str, Any], expected: Kept) -> None:
    assert kept(a_site(**config)) == expected


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"raw_days": 91}, "less than or equal to 90"),
        ({"raw_days": 9, "window_h": 168}, "at least 10 with a window of 168 h, got 9"),
        ({"raw_days": 30, "view_days": 29}, "must not fall, got 30, 29 and 760"),
        ({"tile_days": 399}, "must not fall"),
    ],
)
async def test_days_that_cannot_be_kept_so_are_refused(
    store: Store, shop: Site, config: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ShopError, match=problem):
        await configure(store, shop, config)


async def test_exactly_the_partitions_that_no_shop_keeps_are_dropped(
    store: Store, shop: Site
) -> None:
    ages = (0, 30, 31, 400, 401, 760, 761)
    await partitions(store, [TODAY - n * DAY for n in (*ages, -1)])
    await let_go(Work(store, NOON))
    last_kept = {RAW: 30, VIEWS: 400, TILES: 760}
    for tables, oldest in last_kept.items():
        expected = {
            partition_name(table, TODAY - n * DAY)
            for table in tables
            for n in (*ages, -1)
            if n <= oldest
        }
        assert await present(store, tables) == expected


async def test_a_store_without_shops_keeps_what_a_shop_would(store: Store) -> None:
    await partitions(store, [TODAY, TODAY - 30 * DAY, TODAY - 31 * DAY])
    await let_go(Work(store, NOON))
    assert await present(store, ["beacon"]) == {
        partition_name("beacon", TODAY),
        partition_name("beacon", TODAY - 30 * DAY),
    }


async def test_a_shop_that_keeps_less_loses_its_own_rows_alone(store: Store, shop: Site) -> None:
    brief = await make_shop(store, NOON, "Boekwinkel")
    await configure(store, brief, {"raw_days": 5, "view_days": 5, "tile_days": 5})
    days = [TODAY - n * DAY for n in (0, 5, 6, 29, 30, 31)]
    for site in (shop, brief):
        await views_of(store, site, *days)
    await let_go(Work(store, NOON))
    assert await days_left(store, shop) == sorted(days[:5])
    assert await days_left(store, brief) == sorted(days[:2])
    assert await present(store, ["beacon"]) == {partition_name("beacon", day) for day in days[:5]}


async def test_a_shop_that_keeps_more_keeps_the_partition(store: Store, shop: Site) -> None:
    patient = await make_shop(store, NOON, "Boekwinkel")
    await configure(store, patient, {"raw_days": 90})
    for site in (shop, patient):
        await views_of(store, site, OLD, TODAY - 91 * DAY)
    await let_go(Work(store, NOON))
    assert await days_left(store, shop) == []
    assert await days_left(store, patient) == [OLD]


async def test_what_was_imported_is_kept(store: Store, shop: Site) -> None:
    imported = await make_shop(store, NOON, "Boekwinkel")
    await configure(store, imported, {"imported": True})
    long_ago = TODAY - 2000 * DAY
    for site in (shop, imported):
        await views_of(store, site, long_ago)
    await let_go(Work(store, NOON))
    assert await days_left(store, shop) == []
    assert await days_left(store, imported) == [long_ago]


async def closed_and_sealed(store: Store, site: Site) -> None:
    await views_of(store, site, OLD)
    for days in (0, 1, 2):
        await run_due(store, NOON + (OLD - TODAY) + days * DAY)


async def test_without_its_raw_rows_a_day_is_final_and_its_map_stays(
    store: Store, shop: Site
) -> None:
    await closed_and_sealed(store, shop)
    await let_go(Work(store, NOON))
    assert await days_left(store, shop) == []
    await store.execute(
        "INSERT INTO job (name, site_id, period, state, dirty_since) "
        "VALUES ('close', $1, $2, 'waiting', $3)",
        shop.site_id,
        OLD,
        NOON,
    )
    await run_due(store, NOON + MINUTE)
    assert await store.fetchval("SELECT count(*) FROM view") == 1
    for bandwidth in (12.0, 40.0):
        asked = MapQuery(date_from=OLD, date_to=OLD, bandwidth=bandwidth)
        found = await page_map(store, shop, page_of(shop, "shipping"), asked, NOON)
        assert (found.views, [zone.number for zone in found.zones]) == (1, [2])


BEYOND_TILES: list[dict[str, Any]] = [
    {"device": "phone"},
    {"browser": "firefox"},
    {"os": "android"},
    {"language": "dutch"},
    {"outcome": "abandoned"},
    {"channel": "search"},
    {"variant": "1"},
    {"viewport_width_max": "700"},
]


@pytest.mark.parametrize("state", ["trying", "live"])
async def test_where_sums_alone_are_left_no_choice_is_answered_with_everybody(
    store: Store, shop: Site, state: str
) -> None:
    await closed_and_sealed(store, shop)
    await let_go(Work(store, NOON))
    await store.execute("UPDATE site SET state = $1", state)
    await configure(store, shop, {"least_visits": 5})
    site = await find_site(store, shop.public_key)
    page = page_of(site, "shipping")
    for choice in BEYOND_TILES:
        if state == "live" and "viewport_width_max" in choice:
            continue  # refused for its width
        asked = MapQuery(date_from=OLD, date_to=OLD + DAY, **choice)
        with pytest.raises(BadParameters, match=f"left before {OLD + DAY}: ask from there") as told:
            await page_map(store, site, page, asked, NOON)
        assert [pointer for pointer, _ in told.value.errors] == ["/date_from"]
        later = MapQuery(date_to=OLD + 9 * DAY, **choice)
        if state == "trying":
            found = await page_map(store, site, page, later, NOON)
            assert (found.date_from, found.views) == (OLD + DAY, 0)
        else:
            with pytest.raises(TooFewVisits):
                await page_map(store, site, page, later, NOON)
    if state == "trying":
        known = MapQuery(date_from=OLD, date_to=OLD, capture="css", viewport_width_max="1023")
        assert (await page_map(store, site, page, known, NOON)).date_from == OLD


async def test_letting_go_changes_what_raw_rows_answered_and_so_the_data_version(
    store: Store, shop: Site
) -> None:
    await closed_and_sealed(store, shop)
    versions = []
    for _ in range(3):
        versions.append((await find_site(store, shop.public_key)).data_version)
        await let_go(Work(store, NOON))
    assert versions[0] < versions[1] == versions[2]


async def test_of_days_of_which_nothing_is_left_the_jobs_are_forgotten(
    store: Store, shop: Site
) -> None:
    await closed_and_sealed(store, shop)
    await store.execute(
        "INSERT INTO dropped (site_id, day, reason, capture, n) VALUES ($1, $2, 'bot', 1, 5)",
        shop.site_id,
        OLD,
    )
    names = "SELECT name FROM job WHERE period = $1 ORDER BY name"
    await let_go(Work(store, NOON))
    assert [row["name"] for row in await store.fetch(names, OLD)] == [RAW_GONE, "seal"]
    last = NOON + (760 - 40) * DAY
    for now, left in ((last, 1), (last + DAY, 0)):
        await let_go(Work(store, now))
        assert len(await days_left(store, shop, "dropped")) == left
        assert bool(await store.fetch(names, OLD)) == bool(left)
    assert await store.fetchval("SELECT count(*) FROM job WHERE site_id = 0") == 3, "of the store"
    assert await present(store, ["tile"]) != set()


async def test_a_partition_in_use_is_left_for_the_next_run_and_holds_nobody_up(
    store: Store, shop: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.retention.BETWEEN_TRIES", timedelta(0))
    await partitions(store, [TODAY, OLD])
    async with store.transaction() as reading:
        await reading.fetch("SELECT FROM beacon LIMIT 1")
        letting_go = asyncio.create_task(let_go(Work(store, NOON)))
        for number in range(20):
            async with asyncio.timeout(20):
                await put_views(store, shop, opened(number))
        with pytest.raises(PartitionBusy, match=partition_name("beacon", OLD)):
            await letting_go
        assert await present(store, ["batch"]) == {partition_name("batch", TODAY)}, "others go"
    await let_go(Work(store, NOON))
    assert await present(store, ["beacon"]) == {partition_name("beacon", TODAY)}


async def test_a_shop_whose_clock_is_behind_keeps_its_day_longer(store: Store, shop: Site) -> None:
    await store.execute("UPDATE site SET time_zone = 'Pacific/Honolulu'")
    midnight = NOON.replace(hour=0)
    first_kept = midnight.date() - 31 * DAY
    await partitions(store, [first_kept - DAY, first_kept])
    await let_go(Work(store, midnight))
    assert await present(store, ["beacon"]) == {partition_name("beacon", first_kept)}
