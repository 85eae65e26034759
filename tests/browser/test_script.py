"""The optional script in three engines: a session played with real input, against what is stored.

The engines play at the same time, each through a proxy of its own that loses every third answer.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from app.folding.seen import Seen
from collector.wire import Capture, Kind
from tests import provide
from tests.absent import need
from tests.browser.drive import ENGINES, Box, open_browser
from tests.browser.played import NEAR_MS, NEAR_PX, Hand, off_px, untold_ms
from tests.browser.script_shop import (
    SECRET_TEXT,
    SECRET_VALUE,
    Proxy,
    ScriptShop,
    script_shop,
)
from tests.conftest import own_database

TYPED = "Geheim9731"
Batches = list[dict[str, Any]]
SCROLLED_PX = 700
BAR_PX = (75, 770)
"""In the viewport: the middle of the bar's left half."""

SLOW_S = 6.0
"""Of an opening: longer than the script waits between two batches."""


@dataclass(slots=True)
class Session:
    shop: ScriptShop
    hand: Hand
    bodies: list[bytes]
    answers: list[tuple[int, str]]
    lost: int
    set_cookies: int
    kept_on_device: list[Any]
    boxes: dict[str, Box]
    scrolled_ms: float
    """From here on the page lay elsewhere under the pointer."""
    silent_bodies: int
    """Batches of the visit that opted out."""
    slow: Batches
    """Of a page whose opening took SLOW_S."""

    @property
    def batches(self) -> Batches:
        return [json.loads(body) for body in self.bodies]

    def view(self) -> Seen:
        return self.shop.view_of(self.batches)

    def second_view(self) -> Seen:
        """After the shop's program changed the path."""
        (name,) = {batch["id"] for batch in self.batches if "t" not in batch}
        number = int(name, 16)
        return self.shop.view(number - 2**64 if number >= 2**63 else number)

    def events(self, kind: Kind) -> Any:
        return self.view().events[self.view().events["kind"] == kind]


@pytest.fixture(scope="module")
def shop(server_url: str, template: str) -> Iterator[ScriptShop]:
    with own_database(server_url, template) as url, script_shop(url) as opened:
        yield opened


@pytest.fixture(scope="module")
def sessions(shop: ScriptShop) -> dict[str, Session]:
    here = [name for name in ENGINES if provide.has(name)]
    with ThreadPoolExecutor(len(ENGINES)) as pool:
        played = pool.map(lambda name: _played(shop, name), here)
        return dict(zip(here, played, strict=True))


@pytest.fixture
def session(sessions: dict[str, Session], engine: str) -> Session:
    need(engine)
    return sessions[engine]


def _played(shop: ScriptShop, engine: str) -> Session:
    with (
        open_browser(engine) as browser,
        shop.proxy() as proxy,
        shop.proxy(sec_gpc="1") as silent,
        shop.proxy(opens_after_s=SLOW_S) as slow,
    ):
        opted_out = Hand(browser)
        opted_out.open(f"{silent.url}/shipping")
        opted_out.click(155, 215)
        hand = Hand(browser)
        hand.open(f"{proxy.url}/shipping")
        boxes = {name: browser.box(name) for name in ("#postcode", "#costs")}
        hand.stroke([(600, 300), (150, 230), (300, 240)])
        hand.rest(1.0)
        hand.stroke([(300, 240), (155, 215)])
        hand.click(155, 215)
        hand.click(200, 315)  # a label, which hands the click on to its box
        hand.click(180, 80)
        browser.type(TYPED)
        browser.key("Tab")
        browser.type(TYPED)
        scrolled_ms = hand.now_ms()
        hand.scroll(SCROLLED_PX)
        hand.rest(0.5)
        hand.click(*BAR_PX)
        hand.scroll(0)
        kept: list[Any] = browser.evaluate(
            "[document.cookie, localStorage.length, sessionStorage.length]"
        )
        proxy.until(_something_came_twice)
        hand.click(460, 80)  # the shop's program changes the path
        hand.rest(0.5)
        hand.stroke([(460, 80), (460, 140)], steps=4)
        hand.click(460, 140)  # leaves
        proxy.until(_the_last_click_came)
        return Session(
            shop=shop,
            hand=hand,
            bodies=list(proxy.bodies),
            answers=list(proxy.answers),
            lost=proxy.lost,
            set_cookies=proxy.set_cookies,
            kept_on_device=kept,
            boxes=boxes,
            scrolled_ms=scrolled_ms,
            silent_bodies=len(silent.bodies),
            slow=_opened_slowly(slow, hand),
        )


def _opened_slowly(slow: Proxy, hand: Hand) -> Batches:
    """A page that was waited for, looked at and left."""
    hand.open(f"{slow.url}/shipping")
    hand.rest(0.5)
    hand.browser.goto(f"{slow.url}/left")
    slow.until(bool)
    return slow.batches


def _something_came_twice(batches: Batches) -> bool:
    return len({_key(batch) for batch in batches}) < len(batches)


def _the_last_click_came(batches: Batches) -> bool:
    """And with it all that was told before: what is told last may overtake."""
    told = {_key(batch) for batch in batches}
    whole = all((name, n) in told for name, last in told for n in range(last))
    return whole and any("t" not in batch and _clicks(batch) for batch in batches)


def _key(batch: dict[str, Any]) -> tuple[str, int]:
    return batch.get("t", batch["id"]), batch["s"]


def _clicks(batch: dict[str, Any]) -> list[list[int]]:
    return [event for event in batch["e"] if event[0] == Kind.CLICK]


def test_every_stored_point_is_where_the_hand_was_and_no_movement_goes_untold(
    session: Session,
) -> None:
    trail = session.view().trail
    trail = trail[trail["t"] < session.scrolled_ms]
    played = [move for move in session.hand.moved if move[3] < session.scrolled_ms]
    # Before its first stroke the pointer lay where the visit before had left it.
    ours = trail["t"] >= played[0][2] - NEAR_MS
    assert off_px(trail[ours], played).max() <= NEAR_PX
    assert untold_ms(trail, played).max() <= NEAR_MS
    assert len(trail) >= len(played) / 5


def test_every_click_comes_with_its_zone_and_its_place_in_it(session: Session) -> None:
    costs, agree, postcode, bar, last = session.events(Kind.CLICK)
    zone = session.shop.zone
    assert [int(click["zone"]) for click in (costs, agree, postcode, bar, last)] == [
        zone("Verzendkosten"),
        zone("Akkoord"),
        zone("Postcode"),
        zone("Balk"),
        0,
    ]
    assert (costs["u"] / 65535, costs["v"] / 65535) == pytest.approx((0.25, 0.25), abs=0.01)
    assert (postcode["u"] / 65535, postcode["v"] / 65535) == pytest.approx((0.5, 0.5), abs=0.02)
    for click, (x, y, earliest, latest) in zip(
        (costs, agree, postcode, last), [*session.hand.clicked[:3], session.hand.clicked[4]],
        strict=True,
    ):  # fmt: skip
        assert (click["x"], click["y"]) == pytest.approx((x, y), abs=NEAR_PX)
        assert earliest - NEAR_MS <= click["t"] <= latest + NEAR_MS


def test_what_is_fixed_to_the_viewport_is_told_as_such(session: Session) -> None:
    clicks = session.events(Kind.CLICK)
    assert clicks["placement"].tolist() == [0, 0, 0, 1, 0]
    bar = clicks[3]
    assert (bar["x"], bar["y"]) == pytest.approx((BAR_PX[0], BAR_PX[1] + SCROLLED_PX), abs=NEAR_PX)
    assert (bar["u"] / 65535, bar["v"] / 65535) == pytest.approx((0.25, 0.5), abs=0.02)


def test_the_click_that_leaves_comes_under_the_path_that_was_left(session: Session) -> None:
    second = session.second_view()
    clicks = second.events[second.events["kind"] == Kind.CLICK]
    assert [(int(c["x"]), int(c["y"])) for c in clicks] == [(460, 140)]
    paths = [(batch["u"], "t" in batch) for batch in session.batches]
    assert set(paths) == {("/shipping", True), ("/shipping/pickup", False)}
    assert len(second.trail) > 0
    assert second.trail["t"].min() < 5000, "times of a new view begin anew"


def test_answers_that_are_lost_bring_a_repeat_and_nothing_twice(session: Session) -> None:
    told = [_key(batch) for batch in session.batches]
    assert session.lost >= 1
    assert set(session.answers) == {(204, ""), (204, "repeat")}
    assert len(set(told)) < len(told), "something was sent again"
    for name in {name for name, _ in told}:
        numbers = sorted({s for of, s in told if of == name})
        assert numbers == list(range(len(numbers))), "and nothing left out"
    trail = session.view().trail
    assert len(np.unique(trail["t"])) == len(trail)
    assert len(session.events(Kind.CLICK)) == len(session.hand.clicked) - 1


def test_a_page_that_bears_both_forms_is_one_view(session: Session) -> None:
    view = session.view()
    assert view.captures == 1 << Capture.CSS | 1 << Capture.SCRIPT
    assert view.presses, "the sheet spoke as well"
    assert view.press_count == len(session.events(Kind.CLICK))


def test_a_page_that_was_slow_to_open_is_one_view_all_the_same(session: Session) -> None:
    assert session.slow
    assert all("t" in batch for batch in session.slow)


def test_that_a_page_was_left_is_told_although_nothing_moved(session: Session) -> None:
    assert [batch["r"] for batch in session.slow] == [[]] * len(session.slow)
    kind, left_ms, *_ = session.slow[-1]["e"][-1]
    assert kind == Kind.FOCUS
    assert left_ms >= SLOW_S * 1000


def test_focus_and_the_first_input_are_told_of_zones_but_not_of_sensitive_ones(
    session: Session,
) -> None:
    told, zone = session.events(Kind.FOCUS), session.shop.zone
    first, whole = told[told["zone"] == zone("Postcode")]
    assert (first["u"], whole["u"]) == (1, 0)
    assert 0 < first["value"] <= whole["value"]
    assert zone("Kaartnummer") not in told["zone"]


def test_how_far_somebody_scrolled_is_told_with_what_is_in_view(session: Session) -> None:
    view = session.view()
    assert view.scroll_px == SCROLLED_PX
    assert view.deepest_px == SCROLLED_PX + 800
    assert view.page_height_px == 2400
    assert set(session.events(Kind.SCROLL)["value"].tolist()) == {800}


def test_boxes_of_zones_are_those_that_the_browser_laid_out(session: Session) -> None:
    boxes = session.events(Kind.VIEWPORT)
    for name, selector in (("Postcode", "#postcode"), ("Verzendkosten", "#costs")):
        (box,) = boxes[boxes["zone"] == session.shop.zone(name)]
        x0, y0, x1, y1 = session.boxes[selector]
        edges = (box["x"], box["y"], box["x"] + box["u"], box["y"] + box["v"])
        assert edges == pytest.approx((x0, y0, x1, y1), abs=1)
    assert session.shop.zone("Kaartnummer") not in boxes["zone"]


def test_no_text_no_value_and_nothing_kept_on_the_device(session: Session) -> None:
    told = b"".join(session.bodies)
    for secret in (SECRET_TEXT, SECRET_VALUE, TYPED, "Akkoord", "Verzend"):
        assert secret.encode() not in told
    words = {(k, v) for batch in session.batches for k, v in batch.items() if isinstance(v, str)}
    assert {key for key, _ in words} == {"t", "id", "p", "u"}
    assert session.kept_on_device == ["", 0, 0]
    assert session.set_cookies == 0


def test_who_opted_out_is_not_heard_of(session: Session) -> None:
    assert session.silent_bodies == 0


def test_on_a_phone_taps_are_clicks_fingers_leave_no_trail_and_the_script_may_stand_alone(
    shop: ScriptShop,
) -> None:
    need("chromium")
    with open_browser("chromium", width=390, height=844, touch=True) as phone, shop.proxy() as way:
        phone.goto(f"{way.url}/alone")
        time.sleep(0.4)
        phone.tap(155, 215)
        time.sleep(0.3)
        phone.goto(f"{way.url}/left")
        way.until(bool)
        told = way.batches[0]
    assert "t" not in told
    assert told["r"] == []
    ((_, _, x, y, zone, u, v, _, placement),) = _clicks(told)
    assert (x, y, zone, placement) == (155, 215, shop.zone("Verzendkosten"), 0)
    assert (u / 65535, v / 65535) == pytest.approx((0.25, 0.25), abs=0.01)
