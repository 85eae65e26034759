"""A visitor is known for a day, in one shop, and by nobody afterwards."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.jobs import Work, forget_salts
from app.store import Store
from collector.errors import NotStored
from collector.visitor import (
    DAY_BEGINS_EARLY,
    SALT_BYTES,
    SALT_LIVES,
    Salts,
    ref_hash,
    salt_is_alive,
    visitor_check,
    visitor_of,
)
from tests.collector.build import AT, DAY

MIDNIGHT = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)
SALT = bytes(range(SALT_BYTES))


@given(st.binary(min_size=32, max_size=32), st.integers(1, 2**31 - 1), st.text(), st.text())
def test_a_visitor_is_the_same_64_bits_all_day(
    salt: bytes, site_id: int, address: str, agent: str
) -> None:
    address, agent = (text.encode("utf-8", "replace").decode() for text in (address, agent))
    visitor = visitor_of(salt, site_id, address, agent)
    assert -(2**63) <= visitor < 2**63
    assert visitor == visitor_of(salt, site_id, address, agent)
    assert -(2**15) <= visitor_check(visitor) < 2**15


def test_another_day_shop_address_or_agent_is_another_visitor() -> None:
    told = (SALT, 1, "192.0.2.1", "agent")
    others = [
        (bytes(SALT_BYTES), *told[1:]),
        (SALT, 2, *told[2:]),
        (*told[:2], "192.0.2.2", told[3]),
        (*told[:3], "agents"),
        # What belongs to one part cannot slip into the next.
        (SALT, 1, "192.0.2.1\0a", "gent"),
    ]
    assert len({visitor_of(*told), *(visitor_of(*other) for other in others)}) == 6


def test_a_reference_of_one_shop_says_nothing_in_another() -> None:
    hashes = {
        ref_hash(secret, site, ref)
        for secret in (b"one", b"other")
        for site in (1, 2)
        for ref in ("order-1", "order-2")
    }
    assert len(hashes) == 8
    assert {len(hashed) for hashed in hashes} == {16}


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Europe/Amsterdam", "Etc/GMT+12"])
def test_a_salt_lives_as_long_as_a_visit_of_its_day_may_last_anywhere(zone: str) -> None:
    begins = datetime(DAY.year, DAY.month, DAY.day, tzinfo=ZoneInfo(zone))
    for alive in (begins, begins + timedelta(hours=24, minutes=30)):
        assert salt_is_alive(DAY, alive)
    assert not salt_is_alive(DAY, begins - timedelta(days=1, hours=3))
    assert not salt_is_alive(DAY, begins + timedelta(hours=51))


@pytest.mark.anyio
async def test_two_collectors_share_the_days_salt(store: Store) -> None:
    one, other = Salts(store), Salts(store)
    salts = await asyncio.gather(*(salts.salt(DAY, AT) for salts in (one, other) * 8))
    assert len(set(salts)) == 1
    assert len(salts[0] or b"") == SALT_BYTES
    assert await store.fetchval("SELECT count(*) FROM salt") == 1


@pytest.mark.anyio
async def test_each_day_has_its_own_and_no_day_beyond_its_time_has_any(store: Store) -> None:
    salts = Salts(store)
    yesterday, tomorrow = DAY - timedelta(days=1), DAY + timedelta(days=1)
    assert await salts.salt(yesterday, AT) not in (None, await salts.salt(DAY, AT))
    for moment in (MIDNIGHT - DAY_BEGINS_EARLY - timedelta(seconds=1), MIDNIGHT + SALT_LIVES):
        assert await salts.salt(DAY, moment) is None
        assert salts.held(DAY) is None
    assert await salts.salt(tomorrow, AT) is not None
    assert await salts.salt(DAY + timedelta(days=2), AT) is None
    assert await salts.salt(DAY - timedelta(days=2), AT) is None
    assert await store.fetchval("SELECT count(*) FROM salt") == 3


@pytest.mark.anyio
async def test_a_salt_is_forgotten_in_memory_and_store_when_its_time_is_over(store: Store) -> None:
    salts = Salts(store)
    assert await salts.salt(DAY, AT)
    last = MIDNIGHT + SALT_LIVES - timedelta(seconds=1)
    await forget_salts(Work(store, last))
    salts.forget(last)
    assert salts.held(DAY) is not None
    assert await store.fetchval("SELECT count(*) FROM salt") == 1
    over = MIDNIGHT + SALT_LIVES
    await forget_salts(Work(store, over))
    salts.forget(over)
    assert salts.held(DAY) is None
    assert await store.fetchval("SELECT count(*) FROM salt") == 0


@pytest.mark.anyio
async def test_an_idle_collector_forgets_without_being_asked(store: Store) -> None:
    salts = Salts(store)
    assert await salts.salt(DAY, MIDNIGHT + SALT_LIVES - timedelta(milliseconds=20))
    while salts.held(DAY) is not None:
        await asyncio.sleep(0.01)


@pytest.mark.anyio
async def test_what_a_crash_emptied_is_written_back_from_what_is_held(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.visitor.SHOW_S", 0.0)
    salts = Salts(store)
    before = await salts.salt(DAY, AT)
    await store.execute("TRUNCATE salt")
    assert await salts.salt(DAY, AT) == before
    assert await Salts(store).salt(DAY, AT) == before


@pytest.mark.anyio
async def test_collectors_that_were_apart_agree_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = Salts(store), Salts(store)
    await one.salt(DAY, AT)
    await store.execute("TRUNCATE salt")
    named = await other.salt(DAY, AT)
    monkeypatch.setattr("collector.visitor.SHOW_S", 0.0)
    assert await one.salt(DAY, AT) == named == await other.salt(DAY, AT)


@pytest.mark.anyio
async def test_the_store_away_holds_up_nobody_who_has_the_salt(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(database_url)
    await store.open()
    salts = Salts(store)
    held = await salts.salt(DAY, AT)
    await store.close()
    monkeypatch.setattr("collector.visitor.SHOW_S", 0.0)
    assert await salts.salt(DAY, AT) == held
    with pytest.raises(NotStored):
        await salts.salt(date(2026, 11, 17), AT)
