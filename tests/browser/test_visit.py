"""Whole visits in three engines against a real collector: what is stored is what was done."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from app.closing.day import close_day
from app.demo.checkout import SHIPPING_PAGE, STALL_ZONE
from app.folding.hearing import Signal
from app.mapping.filters import MapQuery
from app.mapping.maps import page_map
from app.picturing.layouts import Box, put_layout
from collector.codes import Device
from collector.wire import BEACON_NAME, LEAVE, OPEN
from heatmap import density
from tests.absent import need
from tests.browser.drive import Browser, BrowserError, open_browser
from tests.browser.whole_shop import COST, PAY, POSTCODE, WholeShop, whole_shop
from tests.collector.test_privacy import every_row, spellings
from tests.conftest import own_database

WITHIN = timedelta(milliseconds=150)
WALKS = 3
"""A machine that is busy only makes a beacon late: of several walks the promptest counts."""

PATIENCE_S = 10.0
PRESSES = 67
"""In each of three engines: more than 200."""

HELD_S = (0.0, 0.0, 0.03, 0.09)
"""How long a press lasts, by turns."""

STARVED_S = 0.1
"""From a press's end to the next page's request. WebKit gives up a page's images once the next
navigation begins: on a machine with too much to do its network process may get no turn between the
two, and the press is never sent. What is lost sooner was lost by the snippet."""

STARVED_SHARE = {"chromium": 0.0, "firefox": 0.0, "webkit": 0.05}


@pytest.fixture(scope="module")
def shop(server_url: str, template: str) -> Iterator[WholeShop]:
    with own_database(server_url, template) as url, whole_shop(url) as shop:
        yield shop


@dataclass(slots=True)
class Walk:
    """What the driver did, when by its own clock, and what arrived."""

    did: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    """By the beacon that it should lead to: when it was begun and when the browser had taken it."""
    arrived: dict[str, datetime] = field(default_factory=dict)
    boxes: dict[int, tuple[float, float, float, float]] = field(default_factory=dict)

    def do(self, name: str, act: Callable[[], None]) -> None:
        began = datetime.now(UTC)
        act()
        self.did[name] = began, datetime.now(UTC)

    def late(self, name: str) -> timedelta:
        """Later than the act was taken; what came while it was under way is not late."""
        began, taken = self.did[name]
        at = self.arrived[name]
        assert began <= at, f"{name} came before it was done"
        return max(at - taken, timedelta())


def middle(browser: Browser, selector: str) -> tuple[float, float]:
    x0, y0, x1, y1 = browser.box(selector)
    return (x0 + x1) / 2, (y0 + y1) / 2 - browser.evaluate("scrollY")


def wait_for(shop: WholeShop, view_id: int, *names: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while missing := set(names) - set(shop.arrived(view_id)):
        assert time.monotonic() < deadline, f"{missing} never arrived"
        time.sleep(0.02)


def walked(browser: Browser, shop: WholeShop) -> Walk:
    """Rest on the shipping costs, press pay twice, get the postcode wrong and right, scroll, go."""
    walk = Walk()
    browser.move(1270, 790)
    walk.do(OPEN, lambda: browser.goto(shop.url("walk")))
    view_id = shop.views("walk")[-1]
    selectors = {POSTCODE: "#postcode", COST: "#cost", PAY: "#pay"}
    walk.boxes = {number: browser.box(selector) for number, selector in selectors.items()}
    cost, pay, postcode = (middle(browser, selectors[n]) for n in (COST, PAY, POSTCODE))
    top = middle(browser, "#top")
    walk.do(f"{COST}.h", lambda: browser.move(*cost))
    time.sleep(3.2)
    for press in (1, 2):
        walk.do(f"{PAY}.p{press}", lambda: browser.click(*pay))
        time.sleep(0.2)
    walk.do(f"{POSTCODE}.f", lambda: browser.click(*postcode))
    browser.type("12")
    walk.do(f"{POSTCODE}.i", lambda: browser.click(*top))
    browser.click(*postcode)
    browser.key("End")
    walk.do(f"{POSTCODE}.v", lambda: browser.type("34"))
    browser.click(*top)
    end_px = browser.evaluate("document.documentElement.scrollHeight - innerHeight")
    depth_px = (end_px + browser.evaluate("innerHeight") - 20) // 400 * 400
    known = browser.evaluate("CSS.supports('animation-timeline: scroll()')")
    last = f"y{int(end_px // 100 * 100)}" if known else f"z{int(depth_px - 400)}"
    walk.do(last, lambda: browser.scroll_to(end_px))
    wait_for(shop, view_id, f"{COST}.h2", last)
    walk.do(LEAVE, lambda: browser.goto(shop.url("away")))
    wait_for(shop, view_id, LEAVE)
    walk.arrived = shop.arrived(view_id)
    for seconds in (1, 2):
        clock = timedelta(seconds=seconds)
        began, taken = walk.did[f"{COST}.h"]
        walk.did[f"{COST}.h{seconds}"] = began + clock, taken + clock
    return walk


@pytest.fixture(scope="module")
def walks(browser: Browser, shop: WholeShop) -> list[Walk]:
    """Until one of them was prompt; at least one."""
    made: list[Walk] = []
    while len(made) < WALKS:
        made.append(walked(browser, shop))
        if all(made[-1].late(name) <= WITHIN for name in made[-1].did):
            break
    return made


def test_everything_arrives_when_it_was_done_and_nothing_else(walks: list[Walk]) -> None:
    for name in walks[0].did:
        late = [walk.late(name) for walk in walks]
        assert min(late) <= WITHIN, (name, late)
    for walk in walks:
        told = {name for name in walk.arrived if name[0].isdigit()}
        assert {name for name in told if ".p" in name} >= {f"{PAY}.p1", f"{PAY}.p2"}
        assert f"{COST}.h5" not in told, "it rested for three seconds"
        assert f"{PAY}.p3" not in told
        unknown = [name for name in walk.arrived if not BEACON_NAME.match(name)]
        assert set(unknown) == {OPEN, LEAVE}


def test_the_stored_view_ends_with_its_leave_and_knows_what_its_engine_can_send(
    walks: list[Walk], shop: WholeShop
) -> None:
    day = shop.site.day_of(walks[0].arrived[OPEN])
    store = shop.running.store
    shop.running.do(close_day(store, shop.site, day, datetime.now(UTC)))
    for view_id, walk in zip(shop.views("walk")[-len(walks) :], walks, strict=True):
        (row,) = shop.fetch(
            "SELECT can, duration_ms, presses FROM view WHERE view_id = $1", view_id
        )
        lasted = walk.arrived[LEAVE] - walk.arrived[OPEN]
        assert abs(row["duration_ms"] - lasted / timedelta(milliseconds=1)) <= 1
        has_bands = any(name.startswith("b") for name in walk.arrived)
        assert bool(row["can"] & Signal.BANDS) == has_bands == ("no-timeline" not in walk.arrived)
        wanted = Signal.ZONES | Signal.VALIDITY | Signal.DEPTH | Signal.LEAVE
        assert row["can"] & wanted == wanted
        assert row["presses"] == sum(1 for name in walk.arrived if ".p" in name)


def test_the_peak_of_the_stall_map_lies_in_the_zone_where_the_pointer_rested(
    walks: list[Walk], shop: WholeShop
) -> None:
    store, page, now = shop.running.store, shop.page("walk"), datetime.now(UTC)
    boxes = [Box(number, *edges) for number, edges in walks[0].boxes.items()]
    shop.running.do(
        put_layout(
            store,
            shop.site,
            page,
            width_px=1280,
            height_px=2900,
            pointer="fine",
            boxes=boxes,
            picture=None,
            source="api",
            now=now,
        )
    )
    found = shop.running.do(page_map(store, shop.site, page, MapQuery(kind="stall"), now))
    assert found.zones[0].number == COST
    assert found.coverage == 1.0
    hottest = max(zip(found.box_weights, found.boxes, strict=True))[1]
    assert hottest == pytest.approx(walks[0].boxes[COST], abs=1)
    x_px = [(box[0] + box[2]) / 2 for box in found.boxes]
    y_px = [(box[1] + box[3]) / 2 for box in found.boxes]
    surface = density(
        list(zip(x_px, y_px, strict=True)),
        list(found.box_weights),
        width_px=found.width_px,
        height_px=found.height_px,
        bandwidth_px=40.0,
        cell_px=10.0,
    )
    row, column = divmod(int(surface.argmax()), surface.shape[1])
    x0, y0, x1, y1 = walks[0].boxes[COST]
    assert x0 <= column * 10 <= x1
    assert y0 <= row * 10 <= y1


def test_every_press_that_leaves_its_page_at_once_arrives(
    browser: Browser, shop: WholeShop
) -> None:
    before, pages = len(shop.views("press")), len(shop.came_s)
    browser.goto(shop.url("press?n=0"))
    x_px, y_px = middle(browser, "#pay")
    ended_s = []
    for press in range(PRESSES):
        held_s = HELD_S[press % len(HELD_S)]
        ended_s.append(time.monotonic() + held_s)
        press_for(browser, held_s, x_px + press % 2, y_px)
        came_to(browser, f"?n={press + 1}")
    views = shop.views("press")[before:]
    assert len(views) == PRESSES + 1
    rows = shop.fetch("SELECT view_id FROM beacon WHERE name = '1.p1' AND view_id = ANY($1)", views)
    arrived = {row["view_id"] for row in rows}
    left_s = [at - ended for at, ended in zip(shop.came_s[pages + 1 :], ended_s, strict=True)]
    lost_s = [took for took, view in zip(left_s, views, strict=False) if view not in arrived]
    assert [took for took in lost_s if took < STARVED_S] == []
    assert len(lost_s) <= PRESSES * STARVED_SHARE[browser.name]


def press_for(browser: Browser, held_s: float, x_px: float, y_px: float) -> None:
    if not held_s:
        browser.click(x_px, y_px)
        return
    browser.move(x_px, y_px)
    browser.down()
    time.sleep(held_s)
    browser.up()


def came_to(browser: Browser, search: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        with suppress(BrowserError):  # asked of a page that was just left
            if browser.evaluate("[location.search, document.readyState]") == [search, "complete"]:
                return
        assert time.monotonic() < deadline, f"the press did not lead to {search}"
        time.sleep(0.005)


ORDER = "?bestelling=abcd-1234&mand=sidamo.2"
SETTLES_S = 1.3
"""A page's first second is over, and what it tells then has come."""

SECRETS = {
    "#naam": "Geheime Kanarie",
    "#email": "kanarie.typt@voorbeeld.nl",
    "#postcode": "9876 ZX",
    "#huisnummer": "7531kanarie",
    "#telefoon": "0698765432",
}


def bring(phone: Browser, selector: str) -> tuple[float, float]:
    phone.scroll_to(max(phone.box(selector)[1] - 300, 0))
    return middle(phone, selector)


@pytest.fixture(scope="module")
def by_touch(shop: WholeShop) -> int:
    """A phone walks the demo's checkout: fills every field in, rests on the shipping costs after a
    tap, and goes on. The place in the shop's record where that begins."""
    need("chromium")
    asked = len(shop.asked)
    with open_browser("chromium", width=390, height=844, touch=True) as phone:
        phone.goto(shop.url(f"shop/gegevens{ORDER}"))
        for selector, text in SECRETS.items():
            phone.tap(*bring(phone, selector))
            phone.type(text)
        phone.tap(*bring(phone, "#naar-verzending"))
        deadline = time.monotonic() + PATIENCE_S
        while not shop.views(SHIPPING_PAGE):
            assert time.monotonic() < deadline, "the form was not taken"
            time.sleep(0.02)
        time.sleep(SETTLES_S)
        phone.tap(*bring(phone, "#verzendkosten"))
        time.sleep(5.3)
        phone.tap(*bring(phone, "#naar-betalen"))
        time.sleep(SETTLES_S)
    return asked


def test_on_a_phone_the_planted_stall_is_the_hottest_zone_without_any_pointer_signal(
    by_touch: int, shop: WholeShop
) -> None:
    page, query = shop.demo.pages[SHIPPING_PAGE], MapQuery(kind="stall", device=Device.PHONE)
    store, now = shop.running.store, datetime.now(UTC)
    found = shop.running.do(page_map(store, shop.demo, page, query, now))
    assert found.zones[0].name == STALL_ZONE
    assert found.zones[0].total >= 5
    names = b"".join(shop.asked[by_touch:])
    assert b"/coarse" in names
    assert re.search(rb"/c\d+\.\d+'", names) is None


def test_what_is_typed_into_a_checkout_appears_nowhere(
    by_touch: int, shop: WholeShop, capfd: pytest.CaptureFixture[str]
) -> None:
    sent = b"\n".join(shop.asked[by_touch:])
    assert sent.count(b".f") >= len(SECRETS), "fields were seen to be used"
    stored = shop.running.do(every_row(shop.running.store))
    logged = "".join(capfd.readouterr()).encode()
    for secret in SECRETS.values():
        for spelling in spellings(secret):
            assert spelling not in sent, secret
            assert spelling not in logged, secret
            assert not [table for table, text in stored.items() if spelling in text], secret
