"""What is left out of every answer by hand, counted as such, and let back."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from app.configuration import configure
from app.jobs import run_due
from app.mapping.audience import audience
from app.mapping.filters import MapQuery
from app.mapping.maps import page_map
from app.quarantine import let_back, read_moment, shut_out_period, shut_out_visit
from app.shops import ShopError, Unknown, find_site
from app.store import Store
from collector.decode import view_id_text
from collector.sites import Site
from collector.wire import Reason
from tests.app.build import heard, opened, put_rows
from tests.app.conftest import Asker, is_problem, settle
from tests.build import Walker, make_shop, page_of
from tests.conftest import NOON

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
TODAY = date(2026, 11, 18)
LATER = NOON + 2 * DAY
PERIOD = (TODAY - 30 * DAY, TODAY)


@pytest.fixture
async def shop(store: Store) -> Site:
    """Six visits at noon, three an hour later, each with one press."""
    site = await make_shop(store, NOON - 30 * DAY)
    rows = []
    for number in range(1, 10):
        at = NOON - DAY + (HOUR if number > 6 else timedelta())
        rows.append({"name": "open", **opened(number, at, visitor=number)})
        rows.append(heard("3.p1", number, at, visitor=number))
    await put_rows(store, site, "beacon", rows)
    return site


async def counted(store: Store, site: Site, now: Any) -> tuple[int, float, int, int]:
    """Visits and presses of the map; page views counted and quarantined of the shop."""
    site = await find_site(store, site.public_key)
    query = MapQuery(kind="click")
    found = await page_map(store, site, page_of(site, "shipping"), query, now)
    told = await audience(store, site.site_id, PERIOD)
    presses = sum(zone.total for zone in found.zones)
    return found.visits, presses, told.counted, told.left_out[Reason.QUARANTINED]


@pytest.mark.parametrize("sealed", [False, True])
async def test_a_period_is_left_out_of_rows_and_tiles_and_let_back(
    store: Store, shop: Site, sealed: bool
) -> None:
    moments = (NOON - DAY, NOON - DAY + HOUR)
    for moment in moments if not sealed else (*moments, LATER):
        await run_due(store, moment)
    now = LATER if sealed else NOON
    assert await counted(store, shop, now) == (9, 9.0, 9, 0)
    shop = await find_site(store, shop.public_key)
    applied = await shut_out_period(store, shop, *(moment + HOUR / 2 for moment in moments))
    assert (applied.visits, applied.final_days) == (3, 0)
    assert (await counted(store, shop, now))[:2] == (6, 6.0)
    await run_due(store, now + HOUR)
    assert await counted(store, shop, now) == (6, 6.0, 6, 3)
    shop = await find_site(store, shop.public_key)
    await let_back(store, shop, applied.rule_id)
    await run_due(store, now + 2 * HOUR)
    assert await counted(store, shop, now) == (9, 9.0, 9, 0)


async def test_one_visit_is_left_out(store: Store, shop: Site) -> None:
    await run_due(store, NOON - DAY + HOUR)
    number = await store.fetchval("SELECT visit_id FROM visit ORDER BY started_at, visit_id")
    assert (await shut_out_visit(store, shop, number)).visits == 1
    assert (await counted(store, shop, NOON))[0] == 8
    with pytest.raises(Unknown, match="no such visit"):
        await shut_out_visit(store, shop, 77)


async def test_a_rule_that_cannot_be_meant_is_refused(store: Store, shop: Site) -> None:
    with pytest.raises(ShopError, match="ends before it begins"):
        await shut_out_period(store, shop, NOON, NOON)
    with pytest.raises(ShopError, match="write a moment as"):
        read_moment("yesterday")
    with pytest.raises(Unknown, match="no such rule"):
        await let_back(store, shop, "q00000000")
    for wrong in ({"id": "x", "from": "2026-11-18", "to": "2026-11-19"}, {"views": [1]}):
        with pytest.raises(ShopError, match="quarantine"):
            await configure(store, shop, {"quarantine": [wrong]})


def test_the_api_leaves_out_lists_and_lets_back(walked: Asker) -> None:
    path, write = "/sites/{site}/quarantine", walked.new_key("write")
    period = {"from": "2026-11-18T11:00:00Z", "to": "2026-11-18T13:00:00Z"}
    answer = walked(path, "POST", key=write, json=period)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["visits"], told["final_days"]) == (1, 0)
    (rule,) = walked(path, key=write).json()["quarantine"]
    assert rule == {"rule": told["rule"], **period, "visit": None}
    settle(walked.gloed)
    map_of = "/sites/{site}/pages/shipping/heatmap.json"
    found = walked(map_of).json()
    assert found["visits"] == 0
    assert found["audience"]["page_views"] == 1
    assert found["audience"]["share"] == 0.0
    assert found["audience"]["left_out"]["quarantined"] == 1
    for contrast in ("zones.json", "fields.json", "stalls.json"):
        beside = walked(f"/sites/{{site}}/pages/shipping/{contrast}").json()
        assert beside["audience"] == found["audience"], contrast
    assert walked(f"{path}/{told['rule']}", "DELETE", key=write).json() == {"quarantine": []}
    assert walked(map_of).json()["visits"] == 1
    is_problem(walked(f"{path}/{told['rule']}", "DELETE", key=write), 404, "not-found")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"from": "2026-11-18T11:00:00Z"},
        {"from": "2026-11-18T11:00:00", "to": "2026-11-18T12:00:00"},
        {"visit": "1"},
        {"visit": "0" * 16, "origin": "a.nl"},
        {"origin": "https://a.nl/"},
        {"origins": ["a.nl"]},
    ],
)
def test_what_cannot_be_meant_is_a_bad_body(ask: Asker, body: dict[str, Any]) -> None:
    answer = ask("/sites/{site}/quarantine", "POST", key=ask.new_key("write"), json=body)
    is_problem(answer, 422, "bad-parameters")


def test_who_only_reads_leaves_nothing_out(ask: Asker) -> None:
    answer = ask("/sites/{site}/quarantine", "POST", json={"visit": "0" * 16})
    is_problem(answer, 404, "not-found")


def test_an_origin_is_shut_out_at_arrival(ask: Asker) -> None:
    write = ask.new_key("write")
    body = {"origin": "copy.example"}
    assert ask("/sites/{site}/quarantine", "POST", key=write, json=body).status_code == 200
    page = f"/g/{ask.site.public_key}/shipping"
    copied = Walker(ask.gloed.url, headers={"referer": "https://www.copy.example/"}).get(page)
    assert copied.headers["x-gloed-drop"] == Reason.QUARANTINED
    assert Walker(ask.gloed.url, headers={"referer": "https://shop.nl/"}).get(page).is_redirect
    lifted = ask("/sites/{site}/quarantine/copy.example", "DELETE", key=write)
    assert lifted.json() == {"quarantine": []}
    assert Walker(ask.gloed.url, headers={"referer": "https://copy.example/"}).get(page).is_redirect


def test_a_visit_of_the_api_is_one_of_the_store(walked: Asker) -> None:
    query = "SELECT visit_id FROM visit"
    number = view_id_text(walked.gloed.do(walked.gloed.store.fetchval(query)))
    body = {"visit": number}
    answer = walked("/sites/{site}/quarantine", "POST", key=walked.new_key("write"), json=body)
    assert answer.json()["visits"] == 1
