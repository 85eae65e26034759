"""What a hit becomes in the store: whom it stands for, when, and where it came from."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from collector.codes import Channel, Device, Language
from collector.scrub import path_id
from collector.sites import Site
from collector.visitor import visitor_check
from tests.build import PHONE, Walker, batch_body, make_shop
from tests.serving import Running

MIDNIGHT = datetime(2026, 11, 18, tzinfo=ZoneInfo("Europe/Amsterdam"))


@pytest.fixture
def shop(gloed: Running) -> Site:
    return gloed.do(make_shop(gloed.store, gloed.clock()))


def rows(gloed: Running, statement: str) -> list[Any]:
    return gloed.do(gloed.store.fetch(statement))


def opens(gloed: Running) -> list[Any]:
    return rows(gloed, "SELECT * FROM beacon WHERE name = 'open' ORDER BY at, view_id")


def minute(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


def visitor_at(gloed: Running, shop: Site, walker: Walker, moment: datetime) -> Any:
    gloed.clock.set(moment)
    walker.open(shop, "cart")
    return next(row for row in opens(gloed) if row["at"] == moment)


def test_in_the_first_half_hour_of_a_day_a_visitor_is_also_who_it_was_yesterday(
    gloed: Running, shop: Site
) -> None:
    walker, other = Walker(gloed.url, address="192.0.2.1"), Walker(gloed.url, address="192.0.2.2")
    before, first, last, after = (
        visitor_at(gloed, shop, walker, MIDNIGHT + timedelta(minutes=minutes))
        for minutes in (-1, 0, 29, 30)
    )
    assert [row["day"].day for row in (before, first, last, after)] == [17, 18, 18, 18]
    assert first["visitor"] == last["visitor"] == after["visitor"] != before["visitor"]
    assert first["visitor_before"] == last["visitor_before"] == before["visitor"]
    assert before["visitor_before"] is None
    assert after["visitor_before"] is None
    stranger = visitor_at(gloed, shop, other, MIDNIGHT + timedelta(minutes=10))
    assert stranger["visitor_before"] not in (None, before["visitor"])


def test_a_visitor_of_two_shops_is_two(gloed: Running, shop: Site) -> None:
    neighbour = gloed.do(make_shop(gloed.store, gloed.clock(), "Boekhandel"))
    walker = Walker(gloed.url, address="192.0.2.1")
    for site in (shop, neighbour, shop):
        walker.open(site, "cart")
    assert len({row["visitor"] for row in opens(gloed)}) == 2


def test_a_view_that_crosses_midnight_stays_on_the_day_of_its_opening(
    gloed: Running, shop: Site
) -> None:
    walker = Walker(gloed.url, address="192.0.2.1")
    gloed.clock.set(MIDNIGHT - timedelta(minutes=5))
    token = walker.open(shop, "shipping")
    gloed.clock.set(MIDNIGHT + timedelta(minutes=5))
    walker.tell(token, "t300")
    assert walker.post(shop, batch_body(t=token)).status_code == 204
    days = rows(gloed, "SELECT day FROM beacon UNION ALL SELECT day FROM batch")
    assert {row["day"].day for row in days} == {17}
    (opened,) = opens(gloed)
    (batch,) = rows(gloed, "SELECT * FROM batch")
    assert batch["view_id"] == opened["view_id"]
    assert batch["visitor"] == opened["visitor"]
    checks = rows(gloed, "SELECT DISTINCT visitor_check FROM beacon")
    assert [row["visitor_check"] for row in checks] == [visitor_check(opened["visitor"])]


def test_of_a_day_whose_salt_is_gone_every_view_is_somebody_else(
    gloed: Running, shop: Site
) -> None:
    walker = Walker(gloed.url, address="192.0.2.1")
    for hours, ids in ((47, ("a1", "a2")), (-40, ("b1",))):
        m = minute(gloed.clock() - timedelta(hours=hours))
        for ending in ids:
            for seq in (0, 1):
                answer = walker.post(shop, batch_body(id=f"{ending:0>16}", m=m, s=seq))
                assert (answer.status_code, answer.headers.get("x-gloed-drop")) == (204, None)
    found = rows(gloed, "SELECT visitor, visitor_before, view_id FROM batch")
    assert len(found) == 6
    assert all(row["visitor"] == row["view_id"] for row in found)
    assert all(row["visitor_before"] == "" for row in found)
    # And no salt was made for those days.
    salts = rows(gloed, "SELECT day FROM salt WHERE day IN ('2026-11-16', '2026-11-20')")
    assert salts == []


def test_headers_become_codes_and_a_scrubbed_path(gloed: Running, shop: Site) -> None:
    said = {"referer": "https://shop.nl/nl/cart?id=7", "accept-language": "nl-NL,en;q=0.5"}
    Walker(gloed.url, agent=PHONE, headers=said).open(shop, "cart")
    (opened,) = opens(gloed)
    assert opened["path_id"] == path_id("/nl/cart")
    assert (opened["device"], opened["language"], opened["channel"], opened["band"]) == (
        Device.PHONE,
        Language.DUTCH,
        Channel.INTERNAL,
        0,
    )
    paths = rows(gloed, "SELECT site_id, path_id, path FROM path")
    assert [tuple(row) for row in paths] == [(shop.site_id, path_id("/nl/cart"), "/nl/cart")]


def test_a_referrer_of_any_shape_opens_a_view(gloed: Running, shop: Site) -> None:
    for referrer in (b"http://[::1", b"\xff\xfe", "https://shop.nl/é".encode(), b"x" * 4000):
        said: Any = {"referer": referrer}
        Walker(gloed.url, headers=said).open(shop, "cart")
    assert len(opens(gloed)) == 4
    assert {row["path"] for row in rows(gloed, "SELECT path FROM path")} == {"/", "/é"}


def test_a_batch_says_its_own_path(gloed: Running, shop: Site) -> None:
    m = minute(gloed.clock())
    walker = Walker(gloed.url, headers={"referer": "https://shop.nl/from-the-header"})
    walker.post(shop, batch_body(m=m, u="/betaling/123456"))
    assert [row["path"] for row in rows(gloed, "SELECT path FROM path")] == ["/betaling/:num"]


def test_goals_without_a_reference_count_once_a_minute_of_a_visitor(
    gloed: Running, shop: Site
) -> None:
    walker, other = Walker(gloed.url, address="192.0.2.1"), Walker(gloed.url, address="192.0.2.2")
    for who, minutes in ((walker, 0), (walker, 0), (other, 0), (walker, 1)):
        gloed.clock.set(MIDNIGHT + timedelta(hours=12, minutes=minutes))
        assert who.get(f"/g/done/{shop.public_key}").status_code == 200
    goals = rows(gloed, "SELECT visitor, ref_hash FROM goal")
    assert len(goals) == 3
    assert len({row["visitor"] for row in goals}) == 2
    assert {row["ref_hash"] for row in goals} == {None}
