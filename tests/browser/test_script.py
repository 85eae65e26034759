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
from collector.tokens import Token, read_token
from collector.wire import Capture, Kind
from tests import provide
from tests.absent import need
from tests.browser.drive import ENGINES, Box, open_browser
from tests.browser.played import Hand
from tests.browser.script_shop import SECRET_TEXT, SECRET_VALUE, Proxy, ScriptShop, script_shop
from tests.conftest import own_database
from tests.serving import SECRET

TYPED = "Geheim9731"
NEAR_PX = 2.0
NEAR_MS = 120.0
ROUNDING_MS = 1.0
"""Times are cut to whole milliseconds, and engines blur their clocks by as much."""

SHOULD_COME_S = 10.0
SCROLLED_PX = 700
BAR_PX = (75, 770)
"""In the viewport: the middle of the bar's left half."""

SECOND_TICK_S = 10.4
"""After the page was opened: the batch whose answer was lost has been sent again."""


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

    @property
    def batches(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.bodies]

    def token(self) -> Token:
        text = next(batch["t"] for batch in self.batches if "t" in batch)
        token = read_token(text, SECRET.encode(), self.shop.running.clock())
        assert isinstance(token, Token)
        return token

    def view(self) -> Seen:
        return self._view(self.token().view_id)

    def second_view(self) -> Seen:
        """After the shop's program changed the path."""
        (name,) = {batch["id"] for batch in self.batches if "t" not in batch}
        number = int(name, 16)
        return self._view(number - 2**64 if number >= 2**63 else number)

    def _view(self, view_id: int) -> Seen:
        (view,) = (view for view in self.shop.views() if view.view_id == view_id)
        return view

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
    ):
        opted_out = Hand(browser)
        opted_out.open(f"{silent.url}/shipping")
        opted_out.click(155, 215)
        hand = Hand(browser)
        hand.open(f"{proxy.url}/shipping")
        opened = time.monotonic()
        boxes = {name: browser.box(name) for name in ("#postcode", "#costs")}
        hand.stroke([(600, 300), (150, 230), (300, 240)])
        time.sleep(1.0)
        hand.stroke([(300, 240), (155, 215)])
        hand.click(155, 215)
        hand.click(200, 315)  # a label, which hands the click on to its box
        hand.click(180, 80)
        browser.type(TYPED)
        browser.key("Tab")
        browser.type(TYPED)
        scrolled_ms = hand.now_ms()
        hand.scroll(SCROLLED_PX)
        time.sleep(0.5)
        hand.click(*BAR_PX)
        hand.scroll(0)
        kept: list[Any] = browser.evaluate(
            "[document.cookie, localStorage.length, sessionStorage.length]"
        )
        time.sleep(max(0.0, opened + SECOND_TICK_S - time.monotonic()))
        hand.click(460, 80)  # the shop's program changes the path
        time.sleep(0.5)
        hand.stroke([(460, 80), (460, 140)], steps=4)
        hand.click(460, 140)  # leaves
        _until_left(proxy)
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
        )


def _until_left(proxy: Proxy) -> None:
    """Until the batch with the click that left has come."""
    end = time.monotonic() + SHOULD_COME_S
    while not any("t" not in json.loads(b) and _clicks(json.loads(b)) for b in proxy.bodies):
        assert time.monotonic() < end, f"the last click never came: {proxy.bodies}"
        time.sleep(0.02)
    time.sleep(0.3)  # what comes beside it


def _clicks(batch: dict[str, Any]) -> list[list[int]]:
    return [event for event in batch["e"] if event[0] == Kind.CLICK]


def test_every_stored_point_is_where_the_hand_was_and_no_movement_goes_untold(
    session: Session,
) -> None:
    trail = session.view().trail
    trail = trail[trail["t"] < session.scrolled_ms]
    played = np.array([move for move in session.hand.moved if move[3] < session.scrolled_ms])
    x, y, earliest, latest = played.T
    far_px = np.hypot(trail["x"][:, None] - x, trail["y"][:, None] - y)
    t = trail["t"][:, None].astype(float)
    late_ms = np.maximum(np.maximum(earliest - t, t - latest), 0) - ROUNDING_MS
    fits = (far_px <= NEAR_PX) & (late_ms <= NEAR_MS)
    # Before its first stroke the pointer lay where the visit before had left it.
    ours = trail["t"] >= earliest[0] - NEAR_MS
    assert fits.any(axis=1)[ours].all()
    assert (late_ms.min(axis=0) <= NEAR_MS).all()
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
    told = [(batch.get("t", batch["id"]), batch["s"]) for batch in session.batches]
    assert session.lost >= 2
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
        end = time.monotonic() + SHOULD_COME_S
        while not way.bodies:
            assert time.monotonic() < end, "nothing came"
            time.sleep(0.02)
        told = json.loads(way.bodies[0])
    assert "t" not in told
    assert told["r"] == []
    ((_, _, x, y, zone, u, v, _, placement),) = _clicks(told)
    assert (x, y, zone, placement) == (155, 215, shop.zone("Verzendkosten"), 0)
    assert (u / 65535, v / 65535) == pytest.approx((0.25, 0.25), abs=0.01)
