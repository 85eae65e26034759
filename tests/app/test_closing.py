"""The closing job: what it derives from raw rows, and that it may be run by anybody at any time."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from app.closing.day import QUARANTINED, WRITES, close_day
from app.configuration import configure
from app.shops import find_site, go_live, put_page
from app.store import Store
from collector.codes import Outcome, OutcomeSource
from collector.sites import Site
from collector.wire import Capture
from tests.app.build import batch, goal, heard, opened, put_rows, put_views
from tests.build import make_shop
from tests.conftest import NOON

TODAY = date(2026, 11, 18)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
MIDNIGHT = NOON + timedelta(hours=11)
"""In Amsterdam."""

REF = b"r" * 16


@pytest.fixture
async def shop(store: Store) -> Site:
    """Pages 1 cart, 2 shipping, 3 payment, 4 thanks."""
    return await make_shop(store, NOON - 30 * DAY)


async def a_day(store: Store, shop: Site) -> None:
    """Five visits: script-free, by script, both, silent, and one past midnight."""
    await put_views(
        store,
        shop,
        opened(1, NOON, visitor=1),
        heard("w400", 1, NOON + MINUTE),
        heard("2.h5", 1, NOON + MINUTE),
        opened(2, NOON, visitor=2),
        opened(3, NOON + MINUTE, 3, visitor=2, ref_hash=REF),
        heard("2.p1", 3, NOON + 2 * MINUTE),
        opened(4, NOON, 1, visitor=3),
        opened(5, MIDNIGHT - MINUTE, visitor=4),
        opened(6, MIDNIGHT + MINUTE, 3, visitor=14, visitor_before=4),
    )
    trail = [(150, 120, 0), (151, 119, 900), (900, 900, 4000)]
    await put_rows(
        store,
        shop,
        "batch",
        [batch(2, visitor=2, points=trail), batch(7, visitor=5, clicks=[{"x": 3, "y": 4}])],
    )
    await put_rows(store, shop, "goal", [goal(1, NOON + 5 * MINUTE, ref_hash=REF, source=3)])


async def derived(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: [
            tuple(row) for row in await store.fetch(f"SELECT * FROM {table} ORDER BY day, 1, 2")
        ]
        for table in WRITES
    }


async def outcomes(store: Store) -> dict[int, Outcome]:
    rows = await store.fetch("SELECT visit_id, outcome FROM visit")
    return {row["visit_id"]: Outcome(row["outcome"]) for row in rows}


async def twins(store: Store) -> list[tuple[date, int]]:
    rows = await store.fetch("SELECT day, n FROM dropped WHERE reason = 'twin' ORDER BY day")
    return [(row["day"], row["n"]) for row in rows]


async def test_views_that_one_page_opened_twice_are_counted_among_what_was_left_out(
    store: Store, shop: Site
) -> None:
    """Of their day, anew each time that it is closed."""
    await put_views(
        store,
        shop,
        opened(1, NOON, visitor=1),
        heard("w400", 1, NOON + MINUTE),
        opened(2, NOON, visitor=1),
        opened(3, NOON + MINUTE, visitor=2),
        opened(4, NOON + MINUTE, visitor=2),
        opened(5, NOON - DAY, visitor=3),
        opened(6, NOON - DAY, visitor=3),
    )
    for _ in range(2):
        closed = await close_day(store, shop, TODAY, NOON + 2 * DAY)
        assert closed.views == 2
        assert await twins(store) == [(TODAY, 2)]
    await put_views(store, shop, heard("2.h5", 2, NOON + MINUTE))
    assert (await close_day(store, shop, TODAY, NOON + 2 * DAY)).views == 3
    assert await twins(store) == [(TODAY, 1)]
    await put_views(store, shop, heard("2.h5", 3, NOON), heard("2.h5", 4, NOON))
    await close_day(store, shop, TODAY, NOON + 2 * DAY)
    assert await twins(store) == []


async def test_a_day_is_told_in_views_visits_and_stall_lists(store: Store, shop: Site) -> None:
    await a_day(store, shop)
    closed = await close_day(store, shop, TODAY, NOON + 2 * DAY)
    assert (closed.views, closed.visits, closed.changed) == (6, 5, True)
    assert await outcomes(store) == {
        1: Outcome.ABANDONED,
        2: Outcome.COMPLETED,
        4: Outcome.BROWSED,
        5: Outcome.ABANDONED,
        7: Outcome.ABANDONED,
    }
    visit = await store.fetchrow("SELECT * FROM visit WHERE visit_id = 2")
    assert (visit["views"], visit["entry_page_id"], visit["exit_page_id"]) == (2, 2, 3)
    assert (visit["outcome_source"], visit["goal_at"]) == (OutcomeSource.SERVER, NOON + 5 * MINUTE)
    assert visit["phases"] == 1 << 3 | 1 << 4
    view = await store.fetchrow("SELECT * FROM view WHERE view_id = 2")
    assert view["captures"] == 1 << Capture.CSS | 1 << Capture.SCRIPT
    assert (view["signals"], view["viewport_width_px"], view["band"]) == (1, 1280, 4)
    stalls = await store.fetchrow("SELECT * FROM stall_list WHERE view_id = 2")
    assert (stalls["visit_id"], len(stalls["stalls"]), stalls["dwell"]) == (2, 20, b"")


async def test_the_same_again_changes_nothing_and_says_so(store: Store, shop: Site) -> None:
    await a_day(store, shop)
    now = NOON + 2 * DAY
    await close_day(store, shop, TODAY, now)
    first, version = await derived(store), (await find_site(store, shop.public_key)).data_version
    again = await close_day(store, shop, TODAY, now)
    assert not again.changed
    assert await derived(store) == first
    assert (await find_site(store, shop.public_key)).data_version == version


async def test_what_was_deleted_is_the_same_after_the_next_run(store: Store, shop: Site) -> None:
    await a_day(store, shop)
    for day in (TODAY, TODAY + DAY):
        await close_day(store, shop, day, NOON + 3 * DAY)
    first = await derived(store)
    assert all(first.values())
    for table in WRITES:
        await store.execute(f"DELETE FROM {table}")
    for day in (TODAY + DAY, TODAY):
        assert (await close_day(store, shop, day, NOON + 3 * DAY)).changed
    assert await derived(store) == first


async def test_what_is_gone_from_the_raw_rows_is_gone_from_the_day(
    store: Store, shop: Site
) -> None:
    await a_day(store, shop)
    await close_day(store, shop, TODAY, NOON + 2 * DAY)
    await store.execute("DELETE FROM beacon WHERE view_id = 4")
    assert (await close_day(store, shop, TODAY, NOON + 2 * DAY)).visits == 4
    assert 4 not in await outcomes(store)


async def test_a_visit_past_midnight_belongs_to_the_day_of_its_first_view(
    store: Store, shop: Site
) -> None:
    await a_day(store, shop)
    for day in (TODAY, TODAY + DAY):
        await close_day(store, shop, day, NOON + 3 * DAY)
    rows = await store.fetch(
        "SELECT view_id, visit_id, day FROM view WHERE view_id >= 5 ORDER BY 1"
    )
    assert [tuple(row) for row in rows][:2] == [(5, 5, TODAY), (6, 5, TODAY + DAY)]
    visit = await store.fetch("SELECT day, views FROM visit WHERE visit_id IN (5, 6)")
    assert [tuple(row) for row in visit] == [(TODAY, 2)]


async def test_every_view_names_a_visit_that_there_is_though_nothing_ever_pauses(
    store: Store, shop: Site
) -> None:
    """A monitor that opens the page every 20 minutes, under hashes joined at each midnight."""
    views = []
    for number in range(4 * 72):
        at = MIDNIGHT - 3 * DAY + number * 20 * MINUTE
        day = shop.day_of(at)
        before = day.toordinal() - 1 if shop.day_of(at - 30 * MINUTE) != day else None
        views.append(opened(number, at, 1, visitor=day.toordinal(), visitor_before=before))
    await put_views(store, shop, *views)
    for n in range(-2, 3):
        await close_day(store, shop, TODAY + n * DAY, NOON + 9 * DAY)
    lost = (
        "SELECT count(*) FROM view WHERE NOT EXISTS "
        "(SELECT FROM visit WHERE visit.visit_id = view.visit_id)"
    )
    assert await store.fetchval(lost) == 0
    assert await store.fetchval("SELECT sum(views) FROM visit") == 4 * 72
    assert await store.fetchval("SELECT count(*) FROM visit") == 4


async def test_an_outcome_stays_open_until_its_window_ends(store: Store, shop: Site) -> None:
    await configure(store, shop, {"window_h": 72})
    shop = await find_site(store, shop.public_key)
    await put_views(store, shop, opened(1, NOON, ref_hash=REF))
    for now, expected in (
        (NOON + MINUTE, Outcome.OPEN),
        (NOON + 3 * DAY - MINUTE, Outcome.OPEN),
        (NOON + 3 * DAY, Outcome.ABANDONED),
    ):
        await close_day(store, shop, TODAY, now)
        assert await outcomes(store) == {1: expected}


@pytest.mark.parametrize("hours", [24, 25, 48, 168])
async def test_goals_are_read_to_the_end_of_the_window_of_a_visit_past_midnight(
    store: Store, shop: Site, hours: int
) -> None:
    await configure(store, shop, {"window_h": hours})
    shop = await find_site(store, shop.public_key)
    await put_views(
        store,
        shop,
        opened(1, MIDNIGHT - MINUTE, visitor=4),
        opened(2, MIDNIGHT + 20 * MINUTE, 3, visitor=14, visitor_before=4, ref_hash=REF),
    )
    told = goal(1, MIDNIGHT + timedelta(hours=hours) + 19 * MINUTE, ref_hash=REF, source=3)
    await put_rows(store, shop, "goal", [told])
    await close_day(store, shop, TODAY, NOON + 20 * DAY)
    assert await outcomes(store) == {1: Outcome.COMPLETED}


async def test_a_copied_token_flags_its_visit(store: Store, shop: Site) -> None:
    copied = [heard(name, 1, visitor=n) for n, name in ((6, "t1"), (7, "t2"))]
    await put_views(store, shop, opened(1), *copied)
    await close_day(store, shop, TODAY, NOON)
    assert await store.fetchval("SELECT flags FROM visit") == QUARANTINED


async def test_two_processes_that_close_a_day_at_once_take_turns(store: Store, shop: Site) -> None:
    await a_day(store, shop)
    other = Store(store.url)
    await other.open()
    try:
        runs = (close_day(s, shop, TODAY, NOON + 2 * DAY) for s in (store, other) for _ in range(3))
        closed = await asyncio.gather(*runs)
    finally:
        await other.close()
    assert sorted(one.changed for one in closed) == [False] * 5 + [True]
    assert {(one.views, one.visits) for one in closed} == {(6, 5)}


async def test_a_writer_waits_neither_for_a_day_that_is_being_closed_nor_for_its_partitions(
    store: Store, shop: Site
) -> None:
    await a_day(store, shop)
    async with store.transaction() as closing:
        # As far as a closing day gets before its end: everything is read, its rows are replaced.
        await closing.execute("SELECT pg_advisory_xact_lock($1, $2)", shop.site_id, 1)
        await closing.fetch("SELECT * FROM beacon WHERE site_id = $1", shop.site_id)
        await closing.execute("DELETE FROM view WHERE site_id = $1", shop.site_id)
        async with asyncio.timeout(60):
            await put_views(store, shop, opened(90, NOON + MINUTE))
            await put_views(store, shop, opened(91, NOON + 40 * DAY))


async def test_closing_a_day_leaves_no_lock_on_partitions_behind(
    bare_database_url: str, store: Store, shop: Site
) -> None:
    """The partition of a new day is made and committed before anything is read."""
    day = TODAY + 50 * DAY
    closing = asyncio.create_task(close_day(store, shop, day, NOON))
    async with store.transaction() as holding:
        await holding.execute("SELECT FROM site WHERE site_id = $1 FOR UPDATE", shop.site_id)
        async with asyncio.timeout(60):
            while await store.fetchval("SELECT to_regclass($1)", f"view_{day:%Y%m%d}") is None:
                await asyncio.sleep(0.02)
            await put_views(store, shop, opened(92, datetime.combine(day, NOON.timetz())))
    assert (await closing).views in (0, 1)


async def test_going_live_waits_for_a_closing_day_and_leaves_nothing_of_it(
    store: Store, shop: Site
) -> None:
    await a_day(store, shop)
    runs = [close_day(store, shop, TODAY, NOON + 2 * DAY) for _ in range(3)]
    lived = go_live(store, shop, NOON + 2 * DAY)
    await asyncio.gather(*runs, lived)
    live = await find_site(store, shop.public_key)
    assert live.state == "live"
    await close_day(store, live, TODAY, NOON + 2 * DAY)
    assert await derived(store) == {table: [] for table in WRITES}


async def test_pages_that_were_open_while_a_shop_went_live_are_not_counted(
    store: Store, shop: Site
) -> None:
    await put_views(store, shop, opened(1, NOON - MINUTE))
    assert await go_live(store, shop, NOON) == 1
    shop = await find_site(store, shop.public_key)
    await put_views(store, shop, heard("2.h5", 1, NOON + MINUTE), opened(2, NOON + MINUTE))
    late = batch(1, opened_at=NOON - MINUTE, at=NOON + MINUTE)
    same_minute = batch(3, opened_at=NOON, visitor=9)
    await put_rows(store, shop, "batch", [late, same_minute])
    await close_day(store, shop, TODAY, NOON + 2 * MINUTE)
    rows = await store.fetch("SELECT view_id FROM view ORDER BY 1")
    assert [row["view_id"] for row in rows] == [2, 3]


async def test_shops_do_not_see_each_other(store: Store, shop: Site) -> None:
    other = await make_shop(store, NOON, "Boekwinkel")
    await put_page(store, other, "extra", NOON)
    await a_day(store, shop)
    assert (await close_day(store, other, TODAY, NOON)).views == 0
    await close_day(store, shop, TODAY, NOON)
    await close_day(store, other, TODAY, NOON)
    assert await store.fetchval("SELECT count(*) FROM view") == 6
