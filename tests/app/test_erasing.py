"""What is deleted is nowhere any more: rows, tiles, pictures, the spool, and what is told."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.closing.visits import window
from app.drawing.overlays import Picture
from app.erasing import (
    SpoolWaits,
    empty_spool,
    erase_days,
    erase_page,
    erase_ref,
    erase_site,
    erase_visit,
    erase_visitor,
)
from app.jobs import run_due
from app.mapping.filters import MapQuery
from app.mapping.maps import page_map
from app.retention import let_go
from app.shops import ShopError, Unknown, find_site
from app.store import Store, connect
from app.turns import Work
from collector.connections import Door
from collector.groups import Row
from collector.nests import BAD, SUFFIX
from collector.sites import Site
from collector.spool import RAW_KEPT, Spool
from collector.visitor import ref_hash, visitor_of
from tests.app.build import goal, heard, opened, put_rows
from tests.app.conftest import Asker, settle
from tests.build import Walker, make_shop, page_of
from tests.collector.build import a_beacon
from tests.collector.test_privacy import every_row
from tests.conftest import NOON

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
TODAY = date(2026, 11, 18)
LATER = NOON + 2 * DAY
ORDER = "order-77"
AGENT, ADDRESS = "Kanarie/7.7", "203.0.113.77"
SECRET = b"0123456789abcdef0123456789abcdef"
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
    erased = await erase_visit(store, shop, number, LATER)
    assert (erased.rows, erased.final_days) == (6, 0)
    assert await places(store) == set()
    await run_due(store, LATER + timedelta(hours=1))
    assert await visits(store, shop) == (3, 3.0)
    assert await places(store) == set()
    with pytest.raises(Unknown, match="no such visit"):
        await erase_visit(store, shop, number, LATER)


async def test_days_are_deleted_and_the_others_stay(store: Store, shop: Site) -> None:
    await erase_days(store, shop, TODAY, TODAY, LATER)
    assert await places(store) == set()
    await run_due(store, LATER + timedelta(hours=1))
    assert await visits(store, shop) == (2, 2.0)
    left = await counts(store, shop)
    assert (left["view"], left["visit"], left["path"]) == (2, 2, 2)
    with pytest.raises(ShopError, match="last day lies before the first"):
        await erase_days(store, shop, TODAY, TODAY - DAY, LATER)


async def test_a_pages_records_are_deleted_and_the_page_stays(store: Store, shop: Site) -> None:
    await erase_page(store, shop, page_of(shop, "shipping"), LATER)
    await run_due(store, LATER + timedelta(hours=1))
    left = await counts(store, shop)
    assert {name: n for name, n in left.items() if n} == {"goal": 1}
    assert "shipping" in (await find_site(store, shop.public_key)).pages


async def test_a_shop_is_deleted_and_its_neighbour_stays(store: Store, shop: Site) -> None:
    other = await make_shop(store, NOON, "Bloemen")
    await put_rows(store, other, "beacon", [{"name": "open", **opened(9, NOON)}])
    await erase_site(store, shop, LATER)
    assert not any((await counts(store, shop, (*DATA, "site", "page", "zone", "job"))).values())
    assert await places(store) == set()
    assert (await counts(store, other, ("beacon", "site")))["beacon"] == 1
    with pytest.raises(Unknown):
        await find_site(store, shop.public_key)


async def put_spooled(store: Store, site: Site, folder: Path, view_id: int) -> Spool:
    """A page view that a collector acknowledged while this very store was away."""
    connection, identity = await Door(lambda: connect(store.url)).open()
    connection.terminate()
    spool = Spool(folder, 10**6, lambda: NOON)
    spool.open()
    told = opened(view_id, NOON, visitor=VISITOR)
    values = {"site_id": site.site_id, "name": "open", **told}
    spool.append(identity, [Row("beacon", values)])
    spool.append("another store", [Row("beacon", values)])
    return spool


async def test_what_a_dead_collector_left_in_the_spool_is_deleted_too(
    store: Store, shop: Site, tmp_path: Path
) -> None:
    (await put_spooled(store, shop, tmp_path, 77)).close()
    left = len(list(tmp_path.rglob(f"*{SUFFIX}")))
    assert left == 2
    await empty_spool(tmp_path, store.url, lambda: NOON)
    assert await store.fetchval("SELECT count(*) FROM beacon WHERE view_id = 77") == 1
    await erase_days(store, shop, TODAY, TODAY, LATER)
    assert await places(store) == set()
    assert len(list(tmp_path.rglob(f"*{SUFFIX}"))) == left - 1  # another store's


async def put_waiting(store: Store, site: Site, folder: Path) -> None:
    """In the spool of a machine that nobody asks: a view and an order of who asks, and of another;
    who asks saw another page."""
    of_shop = {"site_id": site.site_id}
    who: dict[str, Any] = {
        "visitor": visitor_of(bytes(32), site.site_id, ADDRESS, AGENT),
        "ref_hash": ref_hash(SECRET, site.site_id, ORDER),
    }
    asking = opened(81, NOON, page_of(site, "shipping").page_id, **who)
    another = opened(82, NOON, page_of(site, "cart").page_id)
    rows = [Row("beacon", {**of_shop, "name": "open", **told}) for told in (asking, another)]
    rows += [a_beacon("3.p1", **of_shop, view_id=number) for number in (81, 82)]
    orders = goal(81, NOON, **who), goal(82, NOON, visitor=5)
    rows += [Row("goal", {**of_shop, **told}) for told in orders]
    connection, identity = await Door(lambda: connect(store.url)).open()
    connection.terminate()
    spool = Spool(folder, 10**6, lambda: NOON)
    spool.open()
    # In two records: what is said of the view in the second names nobody.
    spool.append(identity, rows[:2])
    spool.append(identity, rows[2:])
    spool.close()


@pytest.mark.parametrize(
    ("deleted", "views", "goals"),
    [
        ("the reference", [82, 82], [82]),
        ("the visitor", [82, 82], [82]),
        ("the page", [82, 82], [81, 82]),
        ("the days", [], []),
        ("the shop", [], []),
        ("another shop", [81, 81, 82, 82], [81, 82]),
        ("it before it came", [81, 81, 82, 82], [81, 82]),
    ],
)
async def test_what_waits_on_another_machine_does_not_bring_it_back(
    store: Store, tmp_path: Path, deleted: str, views: list[int], goals: list[int]
) -> None:
    site, other = await make_shop(store, NOON), await make_shop(store, NOON, "Bloemen")
    await store.execute("INSERT INTO salt (day, secret) VALUES ($1, $2)", TODAY, bytes(32))
    await put_waiting(store, site, tmp_path)
    with suppress(Unknown):  # the store itself has nothing of it
        match deleted:
            case "the reference":
                await erase_ref(store, site, SECRET, ORDER, LATER)
            case "the visitor":
                await erase_visitor(store, site, ADDRESS, AGENT, NOON + MINUTE)
            case "the page":
                await erase_page(store, site, page_of(site, "shipping"), LATER)
            case "the days":
                await erase_days(store, site, TODAY, TODAY, LATER)
            case "the shop":
                await erase_site(store, site, LATER)
            case "another shop":
                await erase_site(store, other, LATER)
            case _:
                await erase_days(store, site, TODAY, TODAY, NOON - MINUTE)
    await empty_spool(tmp_path, store.url, lambda: NOON)
    assert await left(store, site) == (views, goals)


async def test_marks_of_deletions_last_as_long_as_a_spool_and_their_references_one_window(
    store: Store,
) -> None:
    site = await make_shop(store, NOON)
    with suppress(Unknown):  # nobody bore it: the mark stays for what may wait elsewhere
        await erase_ref(store, site, SECRET, ORDER, NOON)

    async def marks_at(moment: datetime) -> list[int]:
        """How many references each mark names once everything that is over was let go."""
        await let_go(Work(store, moment))
        rows = await store.fetch("SELECT cardinality(refs) AS n FROM erasure")
        return [row["n"] for row in rows]

    assert await marks_at(NOON + window(site)) == [1]
    assert await marks_at(NOON + window(site) + MINUTE) == [0]
    assert await marks_at(NOON + RAW_KEPT) == [0]
    assert await marks_at(NOON + RAW_KEPT + MINUTE) == []


async def test_what_a_collector_holds_that_brings_it_nowhere_stops_a_deletion(
    store: Store, shop: Site, tmp_path: Path
) -> None:
    spool = await put_spooled(store, shop, tmp_path, 77)
    with pytest.raises(SpoolWaits, match="let the store take them"):
        await empty_spool(tmp_path, store.url, lambda: NOON, within_s=0.3)
    spool.close()


async def test_what_nobody_can_read_is_deleted_unread(store: Store, tmp_path: Path) -> None:
    spool = Spool(tmp_path, 10**6, lambda: NOON)
    spool.open()
    spool.append("store", [a_beacon()])
    segment = spool.oldest("store")
    assert segment is not None
    spool.set_aside(segment, "damaged")
    spool.close()
    assert list((tmp_path / BAD).glob("*"))
    await empty_spool(tmp_path, store.url, lambda: NOON)
    assert not list((tmp_path / BAD).glob("*"))
    await empty_spool(tmp_path / "none", store.url, lambda: NOON)


async def put_people(store: Store, site: Site, salt: bytes = bytes(32)) -> None:
    """Who asks had two visits, one of them with a reference; another person had one."""
    own = visitor_of(salt, site.site_id, ADDRESS, AGENT)
    hashed = ref_hash(SECRET, site.site_id, ORDER)
    later = NOON + timedelta(hours=2)
    rows = [
        {"name": "open", **opened(71, NOON, visitor=own, ref_hash=hashed)},
        {"name": "open", **opened(72, NOON + timedelta(minutes=3), visitor=own)},
        {"name": "open", **opened(73, later, visitor=own)},
        # With another address by now, and the same checkout.
        {"name": "open", **opened(74, later, visitor=VISITOR - 1, ref_hash=hashed)},
        {"name": "open", **opened(75, later, visitor=8)},
    ]
    await put_rows(store, site, "beacon", rows)
    goals = [goal(1, NOON, ref_hash=hashed), goal(2, NOON, visitor=own), goal(3, NOON, visitor=8)]
    await put_rows(store, site, "goal", goals)
    await store.execute("INSERT INTO salt (day, secret) VALUES ($1, $2)", TODAY, salt)


async def left(store: Store, site: Site) -> tuple[list[int], list[int]]:
    """Views and goals that are there still."""
    views = await store.fetch("SELECT view_id FROM beacon WHERE site_id = $1", site.site_id)
    goals = await store.fetch("SELECT goal_id FROM goal WHERE site_id = $1", site.site_id)
    return sorted(row[0] for row in views), sorted(row[0] for row in goals)


@pytest.mark.parametrize("is_closed", [False, True])
@pytest.mark.parametrize("by", ["reference", "visitor"])
async def test_all_of_who_asks_is_deleted_and_nothing_of_another(
    store: Store, by: str, is_closed: bool
) -> None:
    """By the shop's own reference, or by what their browser sends."""
    site, other = await make_shop(store, NOON), await make_shop(store, NOON, "Bloemen")
    await put_people(store, site)
    await put_rows(store, other, "beacon", [{"name": "open", **opened(71, NOON)}])
    if is_closed:
        await run_due(store, NOON + timedelta(hours=3))
        assert await store.fetchval("SELECT count(*) FROM visit") == 4
    if by == "reference":
        await erase_ref(store, site, SECRET, ORDER, LATER)
    else:
        await erase_visitor(store, site, ADDRESS, AGENT, NOON)
    assert await left(store, site) == ([75], [3])
    assert await left(store, other) == ([71], [])
    if is_closed:
        kept = await store.fetch("SELECT visitor FROM visit WHERE site_id = $1", site.site_id)
        assert [row["visitor"] for row in kept] == [8]
    with pytest.raises(Unknown, match="nothing"):
        await erase_ref(store, site, SECRET, ORDER, LATER)


async def test_who_cannot_be_found_is_told_why(store: Store) -> None:
    site = await make_shop(store, NOON)
    await put_people(store, site)
    with pytest.raises(Unknown, match="never told, or its window has passed"):
        await erase_ref(store, site, b"another" * 8, ORDER, LATER)
    with pytest.raises(Unknown, match="after two days"):
        await erase_visitor(store, site, "203.0.113.78", AGENT, NOON)
    with pytest.raises(Unknown, match="after two days"):
        await erase_visitor(store, site, ADDRESS, AGENT, NOON + 3 * DAY)
    with pytest.raises(ShopError, match="no address"):
        await erase_visitor(store, site, "shop.nl", AGENT, NOON)
    assert len((await left(store, site))[0]) == 5


async def test_a_visit_takes_the_goals_of_its_references_along(store: Store) -> None:
    site = await make_shop(store, NOON)
    await put_people(store, site)
    await run_due(store, NOON + timedelta(hours=3))
    number = await store.fetchval("SELECT visit_id FROM view WHERE view_id = 71")
    await erase_visit(store, site, number, LATER)
    views, goals = await left(store, site)
    assert 71 not in views
    assert (75 in views, 1 in goals, 3 in goals) == (True, False, True)


def test_no_picture_and_no_answer_remembers_what_was_deleted(walked: Asker) -> None:
    """Neither the house's memory nor a browser's: the answer has another name."""
    paths = [f"/sites/{{site}}/pages/shipping/heatmap.{kind}" for kind in ("json", "png")]
    before = [walked(path) for path in paths]
    store, overlays = walked.gloed.store, walked.gloed.context.overlays
    site = walked.gloed.do(find_site(store, walked.site.public_key))
    walked.gloed.do(erase_days(store, site, TODAY, TODAY, LATER))
    settle(walked.gloed)
    for path, answer in zip(paths, before, strict=True):
        again = walked(path, headers={"if-none-match": answer.headers["etag"]})
        assert again.status_code == 200
        assert again.content != answer.content
    assert walked(paths[0]).json()["page_views"] == 0
    held = overlays._maps._kept.values()
    kept = [one.found for one in held if isinstance(one, Picture)]
    assert {one.views for one in kept if one.site.site_id == site.site_id} == {0}


def test_pages_that_are_open_meanwhile_bring_nothing_back(walked: Asker) -> None:
    """Their signals still arrive, and belong to no view."""
    walker = Walker(walked.gloed.url)
    token = walker.open(walked.site, "shipping")
    store = walked.gloed.store
    walked.gloed.do(erase_days(store, walked.site, TODAY, TODAY, LATER))
    walker.tell(token, "2.h5")
    settle(walked.gloed)
    assert walked("/sites/{site}/pages/shipping/heatmap.json").json()["page_views"] == 0
