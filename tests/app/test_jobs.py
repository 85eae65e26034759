"""What runs later: which days are looked at, how often, and what happens when a job fails."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.clock import SteppedClock
from app.configuration import configure
from app.due import CLOSE_EVERY, SETTLED
from app.jobs import Jobs, ahead, forget_salts, job_rows, run_due
from app.main import _long_over
from app.shops import find_site
from app.store import Store
from app.turns import Work
from collector.codes import Outcome
from collector.sites import Site
from collector.tables import PARTITIONED
from collector.visitor import salt_is_alive
from tests.app.build import goal, heard, opened, put_rows, put_views
from tests.build import Walker, batch_body, make_shop
from tests.conftest import NOON
from tests.serving import Running

TODAY = date(2026, 11, 18)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
REF = b"r" * 16


@pytest.fixture
async def shop(store: Store) -> Site:
    return await make_shop(store, NOON - 30 * DAY)


async def closed_at(store: Store, day: date) -> datetime | None:
    ran: datetime | None = await store.fetchval(
        "SELECT last_run_at FROM job WHERE name = 'close' AND period = $1", day
    )
    return ran


async def mark(store: Store, site: Site, day: date, at: datetime) -> None:
    """As the writer does for a row of a day that is long over."""
    await store.execute(
        "INSERT INTO job (name, site_id, period, state, dirty_since) "
        "VALUES ('close', $1, $2, 'waiting', $3) "
        "ON CONFLICT (name, site_id, period) DO UPDATE SET dirty_since = excluded.dirty_since",
        site.site_id,
        day,
        at,
    )


async def views(store: Store) -> int:
    n: int = await store.fetchval("SELECT count(*) FROM view")
    return n


async def test_today_and_yesterday_are_closed_by_the_minute(store: Store, shop: Site) -> None:
    assert await run_due(store, NOON) == 6, "two days, partitions, salts, layouts, letting go"
    assert await run_due(store, NOON + CLOSE_EVERY / 2) == 0
    assert await run_due(store, NOON + CLOSE_EVERY) == 2
    assert await closed_at(store, TODAY) == await closed_at(store, TODAY - DAY) == NOON + MINUTE


async def test_a_day_ends_where_the_shop_is(store: Store) -> None:
    await make_shop(store, NOON, "Amsterdam")
    await store.execute("UPDATE site SET time_zone = 'Pacific/Auckland'")
    await run_due(store, NOON)
    assert await closed_at(store, TODAY + DAY) is not None


async def test_a_late_row_marks_its_day_and_the_job_counts_it(gloed: Running) -> None:
    site = gloed.do(make_shop(gloed.store, NOON - 30 * DAY))
    gloed.context.catalogue.forget()
    old = NOON - 47 * HOUR
    walker = Walker(gloed.url)
    assert walker.post(site, batch_body(m=int(old.timestamp()) // 60)).status_code == 204
    marked = "SELECT count(*) FROM job WHERE name = 'close' AND period = $1"
    assert gloed.do(gloed.store.fetchval(marked, site.day_of(old))) == 1
    gloed.clock.set(NOON + MINUTE)
    gloed.do(run_due(gloed.store, gloed.clock()))
    assert gloed.do(gloed.store.fetchval("SELECT count(*) FROM view")) == 1
    assert gloed.do(gloed.store.fetchval("SELECT count(*) FROM job WHERE dirty_since < now()")) == 0


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Europe/Amsterdam", "Etc/GMT+12"])
@pytest.mark.parametrize("hour", range(0, 24, 3))
def test_every_day_that_a_shop_no_longer_visits_is_marked(zone: str, hour: int) -> None:
    now = datetime(2026, 11, 18, hour, 30, tzinfo=UTC)
    marked = _long_over(SteppedClock(now))
    today = now.astimezone(ZoneInfo(zone)).date()
    for back in range(5):
        visited = back <= 1
        assert visited or marked(1, today - back * DAY)
    assert not marked(1, now.date())


async def test_a_mark_that_comes_while_the_job_runs_stays(store: Store, shop: Site) -> None:
    old = TODAY - 5 * DAY
    await put_views(store, shop, opened(1, NOON - 5 * DAY))
    await mark(store, shop, old, NOON)
    async with store.transaction() as holding:
        # Whoever goes live holds the shop's row, and the job waits for it in its middle.
        await holding.execute("SELECT FROM site WHERE site_id = $1 FOR UPDATE", shop.site_id)
        running = asyncio.create_task(run_due(store, NOON))
        async with asyncio.timeout(60):
            while not await store.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                "AND datname = current_database()"
            ):
                await asyncio.sleep(0.02)
        await mark(store, shop, old, NOON + timedelta(seconds=1))
    await running
    assert await closed_at(store, old) == NOON
    dirty = "SELECT dirty_since FROM job WHERE name = 'close' AND period = $1"
    assert await store.fetchval(dirty, old) == NOON + timedelta(seconds=1)
    await run_due(store, NOON + CLOSE_EVERY)
    assert await store.fetchval(dirty, old) is None


async def test_a_late_row_costs_one_run_a_minute_at_the_most(store: Store, shop: Site) -> None:
    old = TODAY - 5 * DAY
    for second in range(0, 120, 20):
        moment = NOON + timedelta(seconds=second)
        await mark(store, shop, old, moment)
        await run_due(store, moment)
    assert await closed_at(store, old) == NOON + MINUTE


async def test_a_day_has_a_last_run_after_its_visits_ended_however_long_nothing_ran(
    store: Store, shop: Site
) -> None:
    await put_views(store, shop, opened(1, NOON))
    await run_due(store, NOON)
    await put_views(store, shop, opened(2, NOON + MINUTE, visitor=6))  # and then the power goes
    for later in (20 * DAY, 20 * DAY + HOUR):
        await run_due(store, NOON + later)
    assert await views(store) == 2
    assert await closed_at(store, TODAY) == NOON + 20 * DAY, "once is enough"


async def test_the_last_run_waits_until_the_days_last_rows_are_committed(
    store: Store, shop: Site
) -> None:
    over = datetime(2026, 11, 19, 23, 0, tzinfo=UTC)
    await run_due(store, over - MINUTE)
    for moment in (over + MINUTE, over + 2 * MINUTE):
        await run_due(store, moment)
        assert await closed_at(store, TODAY) == over - MINUTE
    await run_due(store, over + SETTLED)
    assert await closed_at(store, TODAY) == over + SETTLED


async def test_a_day_with_open_outcomes_is_looked_at_until_they_are_decided(
    store: Store, shop: Site
) -> None:
    await configure(store, shop, {"window_h": 96})
    await put_views(store, shop, opened(1, NOON, ref_hash=REF))
    for hours in range(0, 100, 12):
        await run_due(store, NOON + hours * HOUR)
    assert await store.fetchval("SELECT outcome FROM visit") == Outcome.ABANDONED
    assert await closed_at(store, TODAY) == NOON + 96 * HOUR


async def test_a_goal_of_days_later_completes_a_visit_within_the_hour(
    store: Store, shop: Site
) -> None:
    await configure(store, shop, {"window_h": 96})
    await put_views(store, shop, opened(1, NOON, ref_hash=REF))
    for hours in (0, 24, 48, 70):
        await run_due(store, NOON + hours * HOUR)
    await put_rows(store, shop, "goal", [goal(1, NOON + 71 * HOUR, ref_hash=REF, source=3)])
    await run_due(store, NOON + 71 * HOUR)
    assert await store.fetchval("SELECT outcome FROM visit") == Outcome.COMPLETED


async def test_a_job_that_fails_says_so_and_is_tried_again_less_and_less_often(
    own_store: Store,
) -> None:
    store, shop = own_store, await make_shop(own_store, NOON - 30 * DAY)
    await store.execute("ALTER TABLE visit ADD CHECK (visitor <> 13)")
    await put_views(store, shop, opened(1, NOON, visitor=13))
    tries = []
    for minutes in (0, 1, 2, 3, 6, 7, 14, 15, 30, 31, 62, 63, 122, 123, 182, 183):
        moment = NOON + minutes * MINUTE
        await run_due(store, moment)
        if await closed_at(store, TODAY) == moment:
            tries.append(minutes)
    assert tries == [0, 1, 3, 7, 15, 31, 63, 123, 183]
    row = await store.fetchrow("SELECT * FROM job WHERE name = 'close' AND period = $1", TODAY)
    assert (row["state"], row["tries"], row["error"]) == ("failed", 9, "CheckViolationError")
    assert await closed_at(store, TODAY - DAY) == NOON + 183 * MINUTE, "others go on"
    await store.execute("DELETE FROM beacon")
    await run_due(store, NOON + 300 * MINUTE)
    row = await store.fetchrow("SELECT * FROM job WHERE name = 'close' AND period = $1", TODAY)
    assert (row["state"], row["tries"], row["error"]) == ("done", 0, None)


async def test_a_clock_that_is_set_back_does_not_stop_the_jobs(store: Store, shop: Site) -> None:
    await run_due(store, NOON)
    assert await run_due(store, NOON - 20 * DAY) >= 5


async def test_several_processes_do_each_piece_once(store: Store, shop: Site) -> None:
    others = [Store(store.url) for _ in range(3)]
    for other in others:
        await other.open()
    try:
        done = await asyncio.gather(*(run_due(each, NOON) for each in (store, *others)))
    finally:
        for other in others:
            await other.close()
    assert sum(done) == 6


async def test_partitions_stand_ready_a_week_ahead(bare_database_url: str, store: Store) -> None:
    await ahead(Work(store, NOON))
    for table in PARTITIONED:
        made = await store.fetchval(
            "SELECT count(*) FROM pg_inherits WHERE inhparent = $1::text::regclass", table
        )
        assert made >= 9
        assert await store.fetchval("SELECT to_regclass($1)", f"{table}_20261125") is not None


async def test_a_salt_is_deleted_the_moment_its_time_is_over(store: Store) -> None:
    midnight = datetime(2026, 11, 18, tzinfo=UTC)
    days = [TODAY + n * DAY for n in range(-3, 2)]
    for moment in (midnight + hours * HOUR for hours in (*range(0, 60, 4), 37)):
        for day in days:
            await store.execute(
                "INSERT INTO salt VALUES ($1, $2) ON CONFLICT DO NOTHING", day, b"s" * 32
            )
        await forget_salts(Work(store, moment))
        rows = await store.fetch("SELECT day FROM salt ORDER BY day")
        alive = [day for day in days if salt_is_alive(day, moment) or day > moment.date()]
        assert [row["day"] for row in rows] == alive, moment


async def test_the_jobs_are_told_to_people(store: Store, shop: Site) -> None:
    await run_due(store, NOON)
    await mark(store, shop, TODAY - 9 * DAY, NOON - MINUTE)
    rows = {(row[0], row[2]): row for row in await job_rows(store, NOON)}
    assert rows["close", "2026-11-18"][:5] == (
        "close",
        "Fietsenwinkel",
        "2026-11-18",
        "done",
        "2026-11-18 12:00:00",
    )
    assert rows["close", "2026-11-09"][3:] == ("waiting", "never", "–", "60 s", "")
    assert rows["forget_salts", "–"][1] == "–"


async def test_the_jobs_begin_by_themselves_and_stop_when_told(store: Store, shop: Site) -> None:
    own = Store(store.url)
    await own.open()
    jobs = Jobs(own, SteppedClock(NOON))
    await jobs.start()
    async with asyncio.timeout(60):
        while await closed_at(store, TODAY) is None:
            await asyncio.sleep(0.02)
    await jobs.stop()
    await own.close()


async def test_beacons_of_yesterdays_pages_are_counted_without_a_run_of_their_own(
    store: Store, shop: Site
) -> None:
    yesterday = NOON - DAY
    await put_views(store, shop, opened(1, yesterday))
    await run_due(store, NOON)
    told = heard("t60", 1, NOON, day=TODAY - DAY)
    await put_views(store, shop, told)
    await mark(store, shop, TODAY - DAY, NOON)
    assert await run_due(store, NOON + MINUTE / 2) == 0
    await run_due(store, NOON + MINUTE)
    assert await store.fetchval("SELECT signals FROM view") == 1
    assert (await find_site(store, shop.public_key)).data_version > shop.data_version
