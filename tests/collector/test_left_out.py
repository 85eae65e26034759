"""Who is no visitor is dropped with a reason, which is counted; and what a mode keeps."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import pytest

from app.access.keys import add_key
from app.configuration import configure
from app.shops import ShopError, find_site
from collector.sites import Site
from collector.wire import Capture, Reason
from tests.build import Walker, batch_body, make_shop
from tests.serving import Running

PATIENCE_S = 20.0
Configured = Callable[..., Site]


@pytest.fixture
def shop(gloed: Running) -> Site:
    made = gloed.do(make_shop(gloed.store, gloed.clock()))
    gloed.context.catalogue.forget()
    return made


@pytest.fixture
def configured(gloed: Running, shop: Site) -> Configured:
    def put(**config: object) -> Site:
        gloed.do(configure(gloed.store, shop, config))
        gloed.context.catalogue.forget()
        return gloed.do(find_site(gloed.store, shop.public_key))

    return put


def counted(gloed: Running, reason: Reason, capture: Capture) -> int:
    """Drops are counted in memory and written by the second."""
    sql = "SELECT coalesce(sum(n), 0)::int FROM dropped WHERE reason = $1 AND capture = $2"
    deadline = time.monotonic() + PATIENCE_S
    while not (found := gloed.do(gloed.store.fetchval(sql, reason, int(capture)))):
        assert time.monotonic() < deadline, f"no {reason} was counted"
        time.sleep(0.05)
    return int(found)


def opening(site: Site) -> str:
    return f"/g/{site.public_key}/shipping"


def test_the_shops_own_people_are_counted_and_nothing_of_them_is_kept(
    gloed: Running, configured: Configured
) -> None:
    site = configured(exclude_networks=["198.51.100.0/24"])
    own = Walker(gloed.url, address="198.51.100.7").get(opening(site))
    assert own.headers["x-gloed-drop"] == Reason.STAFF
    Walker(gloed.url, address="203.0.113.7").open(site, "shipping")
    assert counted(gloed, Reason.STAFF, Capture.CSS) == 1
    assert gloed.do(gloed.store.fetchval("SELECT count(*) FROM beacon")) == 1


def test_a_page_elsewhere_with_the_shops_key_opens_nothing(
    gloed: Running, configured: Configured
) -> None:
    site = configured(origins=["shop.nl"])
    copied = Walker(gloed.url, headers={"referer": "https://copy.example/"})
    assert copied.get(opening(site)).headers["x-gloed-drop"] == Reason.ORIGIN
    minute = int(gloed.clock().timestamp()) // 60
    assert copied.post(site, batch_body(m=minute)).headers["x-gloed-drop"] == Reason.ORIGIN
    Walker(gloed.url, headers={"referer": "https://www.shop.nl/kassa"}).open(site, "shipping")


def test_a_view_and_a_visitor_send_no_more_than_a_person_can(
    gloed: Running, shop: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("known", "routes"):
        monkeypatch.setattr(f"collector.{module}.MOST_ROWS", 3)
        monkeypatch.setattr(f"collector.{module}.MOST_VIEWS", 2)
    walker = Walker(gloed.url, address="203.0.113.99")
    token = walker.open(shop, "shipping")
    walker.tell(token, "1.h", "1.h1", "1.h2")
    assert walker.get(f"/g/{token}/1.h5").headers["x-gloed-drop"] == Reason.FLOOD
    walker.open(shop, "shipping")
    assert walker.get(opening(shop)).headers["x-gloed-drop"] == Reason.FLOOD
    minute = int(gloed.clock().timestamp()) // 60
    assert walker.post(shop, batch_body(m=minute)).headers["x-gloed-drop"] == Reason.FLOOD
    Walker(gloed.url, address="203.0.113.98").open(shop, "shipping")
    assert counted(gloed, Reason.FLOOD, Capture.CSS) == 2


def test_a_test_order_is_counted_and_not_kept(gloed: Running, shop: Site) -> None:
    key = gloed.do(add_key(gloed.store, shop.site_id, "goal", "", gloed.clock()))
    told = {"ref": "order-7", "test": True}
    sent = {"authorization": f"Bearer {key}"}
    answer = httpx.post(f"{gloed.url}/g/{shop.public_key}/goal", json=told, headers=sent)
    assert (answer.status_code, answer.headers["x-gloed-drop"]) == (204, Reason.TEST_ORDER)
    assert counted(gloed, Reason.TEST_ORDER, Capture.SERVER) == 1
    assert not gloed.do(gloed.store.fetchval("SELECT count(*) FROM goal"))


def test_a_shop_that_is_off_keeps_nothing(gloed: Running, configured: Configured) -> None:
    site = configured(mode="off")
    walker = Walker(gloed.url)
    assert walker.get(opening(site)).headers["x-gloed-drop"] == Reason.OFF
    assert walker.get(f"/g/done/{site.public_key}").headers["x-gloed-drop"] == Reason.OFF
    assert counted(gloed, Reason.OFF, Capture.CSS) == 2


def test_an_exempt_shop_keeps_no_reference_of_an_order(
    gloed: Running, configured: Configured
) -> None:
    site = configured(mode="exempt")
    walker = Walker(gloed.url)
    walker.open(site, "shipping", "order-7")
    minute = int(gloed.clock().timestamp()) // 60
    assert walker.post(site, batch_body(m=minute, ref="order-7")).status_code == 204
    assert walker.get(f"/g/done/{site.public_key}/order-7").status_code == 200
    for table in ("beacon", "batch", "goal"):
        rows = gloed.do(gloed.store.fetch(f"SELECT ref_hash FROM {table}"))
        assert [row["ref_hash"] or None for row in rows] == [None], table
    opted_out = Walker(gloed.url, headers={"sec-gpc": "1"}).get(opening(site))
    assert opted_out.headers["x-gloed-drop"] == Reason.OPT_OUT


@pytest.mark.parametrize(
    "more",
    [
        {"consent": {"cookie": "c", "pattern": "yes"}},
        {"honour_opt_out": False},
        {"tile_days": 761},
    ],
)
def test_what_would_need_consent_after_all_is_no_exempt_mode(
    gloed: Running, shop: Site, more: dict[str, object]
) -> None:
    with pytest.raises(ShopError, match="mode exempt"):
        gloed.do(configure(gloed.store, shop, {"mode": "exempt", **more}))
