"""What is deleted is nowhere any more: rows, tiles, pictures, the spool, and what is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from app.erasing import (
    SpoolWaits,
    check_spool,
    erase_days,
    erase_page,
    erase_site,
    erase_visit,
)
from app.jobs import run_due
from app.mapping.filters import MapQuery
from app.mapping.maps import page_map
from app.shops import ShopError, Unknown, find_site
from app.store import Store
from collector.nests import BAD
from collector.sites import Site
from collector.spool import Spool
from tests.app.build import goal, heard, opened, put_rows
from tests.app.conftest import Asker, settle
from tests.build import Walker, make_shop, page_of
from tests.collector.build import a_beacon
from tests.collector.test_privacy import every_row
from tests.conftest import NOON

DAY = timedelta(days=1)
TODAY = date(2026, 11, 18)
LATER = NOON + 2 * DAY
VISITOR = 7_700_777_007_700_777
"""Found again in whatever table."""

DATA = ("beacon", "batch", "goal", "view", "visit", "stall_list", "tile", "daily", "path")


@pytest.fixture
async def shop(store: Store) -> Site:
    """Two days of two visits each; one of today's is the one to be found again."""
    site = await make_shop(store, NOON - 30 * DAY)
    rows, number = [], 0
    for at in (NOON - DAY, NOON):
        for visitor in (5, VISITOR if at == NOON else 6):
            number += 1
            told = opened(number, at, visitor=visitor, path_id=number)
            rows.append({"name": "open", **told})
            rows.append(heard("3.p1", number, at, visitor=visitor))
            sql = "INSERT INTO path (site_id, path_id, path) VALUES ($1, $2, $3)"
            await store.execute(sql, site.site_id, number, f"/sporen/{visitor}")
    await put_rows(store, site, "beacon", rows)
    await put_rows(store, site, "goal", [goal(1, NOON, visitor=VISITOR)])
    for moment in (NOON, LATER):
        await run_due(store, moment)
    assert await places(store) >= {"beacon", "goal", "visit", "path"}
    return await find_site(store, site.public_key)


async def places(store: Store, secret: int = VISITOR) -> set[str]:
    """Tables in which the visitor is found."""
    rows = await every_row(store)
    return {table for table, told in rows.items() if str(secret).encode() in told}


async def visits(store: Store, site: Site) -> tuple[int, float]:
    site = await find_site(store, site.public_key)
    found = await page_map(store, site, page_of(site, "shipping"), MapQuery(kind="click"), LATER)
    return found.visits, sum(zone.total for zone in found.zones)


async def counts(store: Store, site: Site, tables: Sequence[str] = DATA) -> dict[str, int]:
    counted = "SELECT count(*) FROM {} WHERE site_id = $1"
    return {name: await store.fetchval(counted.format(name), site.site_id) for name in tables}


async def test_a_visit_is_deleted_and_its_day_is_made_anew(store: Store, shop: Site) -> None:
    assert await visits(store, shop) == (4, 4.0)
    number = await store.fetchval("SELECT visit_id FROM visit WHERE visitor = $1", VISITOR)
    erased = await erase_visit(store, shop, number)
    assert (erased.rows, erased.final_days) == (6, 0)
    assert await places(store) == set()
    await run_due(store, LATER + timedelta(hours=1))
    assert await visits(store, shop) == (3, 3.0)
    assert await places(store) == set()
    with pytest.raises(Unknown, match="no such visit"):
        await erase_visit(store, shop, number)


async def test_days_are_deleted_and_the_others_stay(store: Store, shop: Site) -> None:
    await erase_days(store, shop, TODAY, TODAY)
    assert await places(store) == set()
    await run_due(store, LATER + timedelta(hours=1))
    assert await visits(store, shop) == (2, 2.0)
    left = await counts(store, shop)
    assert (left["view"], left["visit"], left["path"]) == (2, 2, 2)
    with pytest.raises(ShopError, match="last day lies before the first"):
        await erase_days(store, shop, TODAY, TODAY - DAY)


async def test_a_pages_records_are_deleted_and_the_page_stays(store: Store, shop: Site) -> None:
    await erase_page(store, shop, page_of(shop, "shipping"))
    await run_due(store, LATER + timedelta(hours=1))
    left = await counts(store, shop)
    assert {name: n for name, n in left.items() if n} == {"goal": 1}
    assert "shipping" in (await find_site(store, shop.public_key)).pages


async def test_a_shop_is_deleted_and_its_neighbour_stays(store: Store, shop: Site) -> None:
    other = await make_shop(store, NOON, "Bloemen")
    await put_rows(store, other, "beacon", [{"name": "open", **opened(9, NOON)}])
    await erase_site(store, shop)
    assert not any((await counts(store, shop, (*DATA, "site", "page", "zone", "job"))).values())
    assert await places(store) == set()
    assert (await counts(store, other, ("beacon", "site")))["beacon"] == 1
    with pytest.raises(Unknown):
        await find_site(store, shop.public_key)


def test_what_waits_in_the_spool_is_stored_first_and_what_is_unusable_goes(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 10**6, lambda: NOON)
    spool.open()
    spool.append("store", [a_beacon()])
    with pytest.raises(SpoolWaits, match="let the store take them"):
        check_spool(tmp_path)
    segment = spool.oldest("store")
    assert segment is not None
    spool.set_aside(segment, "damaged")
    assert list((tmp_path / BAD).glob("*"))
    check_spool(tmp_path)
    assert not list((tmp_path / BAD).glob("*"))
    spool.close()


def test_no_picture_and_no_answer_remembers_what_was_deleted(walked: Asker) -> None:
    """Neither the house's memory nor a browser's: the answer has another name."""
    paths = [f"/sites/{{site}}/pages/shipping/heatmap.{kind}" for kind in ("json", "png")]
    before = [walked(path) for path in paths]
    store, overlays = walked.gloed.store, walked.gloed.context.overlays
    site = walked.gloed.do(find_site(store, walked.site.public_key))
    walked.gloed.do(erase_days(store, site, TODAY, TODAY))
    settle(walked.gloed)
    for path, answer in zip(paths, before, strict=True):
        again = walked(path, headers={"if-none-match": answer.headers["etag"]})
        assert again.status_code == 200
        assert again.content != answer.content
    assert walked(paths[0]).json()["page_views"] == 0
    kept = [one.found for one in overlays._maps._kept.values()]
    assert {one.views for one in kept if one.site.site_id == site.site_id} == {0}


def test_pages_that_are_open_meanwhile_bring_nothing_back(walked: Asker) -> None:
    """Their signals still arrive, and belong to no view."""
    walker = Walker(walked.gloed.url)
    token = walker.open(walked.site, "shipping")
    store = walked.gloed.store
    walked.gloed.do(erase_days(store, walked.site, TODAY, TODAY))
    walker.tell(token, "2.h5")
    settle(walked.gloed)
    assert walked("/sites/{site}/pages/shipping/heatmap.json").json()["page_views"] == 0
