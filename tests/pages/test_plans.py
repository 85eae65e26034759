"""What pages ask of a busy house is found by indexes: 100,000 rows, and the store's own plans."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from app.checking.engines import engines
from app.checking.signs import signs
from app.contrasting.asked import ZonesQuery
from app.contrasting.question import Subject, ask_all
from app.folding.raw import Span, rows_of_days, views_of_pages
from app.mapping.filters import MapQuery
from app.mapping.grounds import Want, grounds_of
from app.pages.queries import known_of, lately_of_all, recent_of
from app.store import Store
from collector.partitions import make_partitions
from collector.sites import Site
from tests.build import make_shop
from tests.conftest import NOON

TODAY = NOON.date()
DAY = timedelta(days=1)
SHOPS, DAYS, EACH = 50, 2, 250
"""Shops that are not asked for, so many views of each a day."""

AHEAD = 7
"""Days with a partition and no row yet, as every store has: reading them whole reads nothing."""

CODES = "device, band, browser, os, channel, variant, capture, language"
NO_CODES = "1, 1, 1, 1, 1, 0, 1, 1"
FROM = f"""
    FROM generate_series($1::int + 1, $1::int + {SHOPS}) AS site_id,
         generate_series(0, {DAYS - 1}) AS back, generate_series(1, {EACH}) AS n
"""
HERE = "site_id, $2::date - back, n, $2::date - back + interval '12 hours'"
"""Shop, day, view and moment of each row."""

FILLED = (
    f"""INSERT INTO beacon (site_id, day, view_id, at, name, page_id, visitor_check, {CODES})
        SELECT {HERE}, 'open', n % 5, 0, {NO_CODES} {FROM}""",
    f"""INSERT INTO batch (site_id, day, view_id, at, seq, page_id, visitor, opened_min,
        page_height_px, codes, n, page_width_px, viewport_width_px, viewport_height_px, enc, trail,
        ev, ref_hash, visitor_before)
        SELECT {HERE}, 0, n % 5, n, 0, 900, 1, 0, 390, 390, 800, 1, '', '', '', '' {FROM}""",
    f"""INSERT INTO view (site_id, day, view_id, opened_at, visit_id, page_id, config_version,
        duration_ms, presses, signals, captures, can, {CODES})
        SELECT {HERE}, n, n % 5, 0, 0, 0, 0, 1, 0, {NO_CODES} {FROM}""",
    f"""INSERT INTO visit (site_id, day, visit_id, started_at, ended_at, visitor, entry_page_id,
        exit_page_id, views, phases, outcome, outcome_source, flags, {CODES})
        SELECT {HERE}, $2::date - back + interval '13 hours', n, 1, 1, 1, 0, 0, 0, 0, {NO_CODES}
        {FROM}""",
)
LARGE = ("beacon", "batch", "view", "visit")
FULL = [f"{TODAY - n * DAY:%Y%m%d}" for n in range(DAYS)]
SCANNED = re.compile(rf"Seq Scan on ({'|'.join(LARGE)})_({'|'.join(FULL)})")


class Explained:
    """A store that notes its plan of whatever it is asked."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.plans: list[str] = []

    async def fetch(self, statement: str, *values: Any) -> list[Any]:
        rows = await self._store.fetch(f"EXPLAIN {statement}", *values)
        self.plans.append("\n".join(row[0] for row in rows))
        return await self._store.fetch(statement, *values)

    async def cursor(self, statement: str, *values: Any, prefetch: int) -> AsyncIterator[Any]:
        for row in await self.fetch(statement, *values):
            yield row

    async def copy_from_query(self, statement: str, **how: Any) -> None:
        rows = await self._store.fetch(f"EXPLAIN {statement}")
        self.plans.append("\n".join(row[0] for row in rows))
        async with self._store.connection() as connection:
            await connection.copy_from_query(statement, **how)


async def busy_house(store: Store) -> Site:
    site = await make_shop(store, NOON, live=True)
    async with store.connection() as connection:
        await make_partitions(connection, [TODAY - n * DAY for n in range(-AHEAD, DAYS)])
        for statement in FILLED:
            await connection.execute(statement, site.site_id, TODAY)
        for table in LARGE:
            await connection.execute(f"ANALYZE {table}")
        assert await connection.fetchval("SELECT count(*) FROM view") == SHOPS * DAYS * EACH
    return site


async def test_no_page_reads_the_rows_of_shops_it_is_not_about(store: Store) -> None:
    site = await busy_house(store)
    asked: Any = Explained(store)
    days, period = {site.site_id: TODAY}, (TODAY - 29 * DAY, TODAY)
    await recent_of(asked, days, 30, [(site, page) for page in site.pages.values()])
    await ask_all(
        asked,
        [Subject(site, page, TODAY - 20 * DAY) for page in site.pages.values()],
        ZonesQuery(),
        NOON,
    )
    await known_of(asked, (site.site_id, 1), period, period)
    await lately_of_all(asked, days, 12)
    await signs(asked, site, NOON)
    await engines(asked, site, TODAY - DAY)
    pages = list(site.pages.values())
    queries = MapQuery(), MapQuery(kind="scroll", device="phone")
    wants = [Want(page, query, (TODAY - DAY, TODAY)) for page in pages for query in queries]
    await grounds_of(asked, site, wants)
    stays = [(1, (TODAY - DAY, TODAY)), (2, (TODAY, TODAY))]
    async for _ in views_of_pages(asked, Span.of(site, TODAY - DAY, TODAY), stays, ended=True):
        pass
    view_ids = {TODAY: [1, 2], TODAY - DAY: [3]}
    await rows_of_days(asked, site.site_id, view_ids)
    await asked.fetch("SELECT count(*) FROM view")
    *plans, of_all = asked.plans
    assert SCANNED.search(of_all), "a scan is told from an index"
    assert len(plans) == 10
    for plan in plans:
        assert "Index" in plan, plan
        assert not SCANNED.search(plan), plan
