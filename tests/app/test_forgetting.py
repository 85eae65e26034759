"""A shop's references are gone when their window is over, and what they told stays."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from app.closing.forgetting import forgotten_after
from app.jobs import run_due
from app.store import Store
from collector.codes import Outcome
from collector.sites import Site
from collector.tables import RAW
from tests.app.build import batch, goal, heard, opened, put_rows, put_views
from tests.build import make_shop
from tests.conftest import NOON

DAY = date(2026, 11, 18)
REF = b"r" * 16
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def shop(store: Store) -> Site:
    return await make_shop(store, NOON - timedelta(days=30))


async def an_order(store: Store, shop: Site) -> None:
    """A phone that reached the shipping page, and the shop's word that it paid."""
    await put_views(store, shop, opened(1, NOON, ref_hash=REF), heard("t2", 1, NOON))
    await put_rows(store, shop, "batch", [batch(1, 0, NOON, ref_hash=REF), batch(1, 1, NOON)])
    await put_rows(store, shop, "goal", [goal(1, NOON + 5 * MINUTE, ref_hash=REF)])
    await run_due(store, NOON + 10 * MINUTE)


async def refs(store: Store) -> int:
    counts = [
        await store.fetchval(f"SELECT count(*) FROM {table} WHERE length(ref_hash) > 0")
        for table in RAW
    ]
    return sum(counts)


async def outcomes(store: Store) -> list[int]:
    return [row["outcome"] for row in await store.fetch("SELECT outcome FROM visit")]


async def test_a_reference_is_kept_for_its_window_and_no_longer(store: Store, shop: Site) -> None:
    await an_order(store, shop)
    over = forgotten_after(shop, DAY)
    await run_due(store, over - MINUTE)
    assert await refs(store) == 3
    await run_due(store, over)
    assert await refs(store) == 0
    assert await outcomes(store) == [Outcome.COMPLETED]


async def test_a_day_without_its_references_is_not_put_together_again(
    store: Store, shop: Site
) -> None:
    await an_order(store, shop)
    over = forgotten_after(shop, DAY)
    await run_due(store, over)
    await store.execute("UPDATE job SET dirty_since = $1 WHERE name = 'close'", over)
    await run_due(store, over + timedelta(days=1))
    assert await outcomes(store) == [Outcome.COMPLETED]


async def test_a_day_that_had_none_stays_open_to_late_rows(store: Store, shop: Site) -> None:
    await put_views(store, shop, opened(1, NOON), heard("t2", 1, NOON))
    await run_due(store, NOON + 10 * MINUTE)
    over = forgotten_after(shop, DAY)
    await run_due(store, over)
    late = NOON + timedelta(hours=2)
    await put_views(store, shop, opened(2, late, visitor=9), heard("t2", 2, late, visitor=9))
    await store.execute("UPDATE job SET dirty_since = $1 WHERE name = 'close'", over)
    await run_due(store, over + timedelta(days=1))
    assert len(await outcomes(store)) == 2
