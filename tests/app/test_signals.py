"""What else beacons tell of a view: its end, presses on touch, facts, and what it cannot tell."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from app.closing.day import close_day
from app.folding.hearing import Signal, said
from app.folding.seen import Seen
from app.folding.stalls import FACT, FACTS, clock_middle, pack_facts, stalls_of
from app.folding.ways import sum_of
from app.mapping.able import TELLING, is_able
from app.store import Store
from collector.codes import Device
from collector.wire import LEAVE
from snippets.sheet import LACKS
from tests.app.build import AT, batch, fold, heard, one_view, opened, put_views, timed_view
from tests.build import make_shop

OF_PAGE = Signal.DEPTH | Signal.BANDS
OF_ZONES = Signal.ZONES | Signal.VALIDITY


def phone(**moments_ms: int) -> Seen:
    named = {name.replace("z", "", 1).replace("_", "."): ms for name, ms in moments_ms.items()}
    return timed_view(named, device=Device.PHONE)


def test_a_leave_ends_its_view_and_is_no_signal_of_the_visitor() -> None:
    view = timed_view({"t1": 1000, "t2": 2000, LEAVE: 4321})
    assert view.left_at == AT + timedelta(milliseconds=4321)
    assert (view.duration_ms, view.signals) == (4321, 2)
    assert view.can & Signal.LEAVE


def test_what_was_under_way_as_a_page_was_left_does_not_contradict_its_leave() -> None:
    view = timed_view({LEAVE: 4000, "3.p1": 5900})
    assert view.left_at == AT + timedelta(seconds=4)


def test_a_page_that_speaks_after_its_leave_was_not_left() -> None:
    view = timed_view({LEAVE: 60_500, "t120": 120_000})
    assert view.left_at is None
    assert (view.duration_ms, view.can & Signal.LEAVE) == (120_000, 0)


def test_a_leave_without_its_view_belongs_to_none() -> None:
    assert fold([], [heard(LEAVE, 9)], []) == []


def test_the_leave_closes_the_clocks_that_ran_until_then() -> None:
    clocks = {"2.h": 1000, "2.h10": 11_000}
    assert stalls_of(timed_view(clocks)).zones_s == {2: (10, 20)}
    assert stalls_of(timed_view({**clocks, LEAVE: 14_000})).zones_s == {2: (10, 13)}
    assert stalls_of(timed_view({**clocks, LEAVE: 90_000})).zones_s == {2: (10, 20)}
    assert clock_middle((10, 13)) == 11.5


def test_hover_on_touch_is_the_last_tap_and_never_a_resting_pointer() -> None:
    tapped, mouse = phone(z2_h=100, z2_h5=5100), timed_view({"2.h": 100, "2.h5": 5100})
    assert (tapped.hovered_s, tapped.tapped_s) == ({}, {2: 5})
    assert (mouse.hovered_s, mouse.tapped_s) == ({2: 5}, {})


@pytest.mark.parametrize(
    ("view", "pressed"),
    [
        (phone(z2_h=1500, z3_f=2000, z4_c=2500), {2: 1, 3: 1, 4: 1}),
        (phone(z2_h1=1500, z2_f2=2600), {2: 1}),
        (phone(z2_h=1500, z3_p2=2000), {3: 2}),
        (phone(z3_f=40, z4_c=50), {}),
        (phone(z3_i=1500, z3_v=2000, z3_e=2500, z3_b=2600, z3_u=2700, z3_o=2800), {}),
        (timed_view({"2.h": 1500, "3.f": 2000, "4.c": 2500}), {}),
    ],
    ids=[
        "whatever a tap leads to",
        "clocks of one zone",
        "an engine that tells of presses",
        "what had the focus as the page came",
        "states that need no tap",
        "a mouse",
    ],
)
def test_a_touch_screen_without_presses_tells_them_by_what_only_a_tap_does(
    view: Seen, pressed: dict[int, int]
) -> None:
    assert view.pressed_zones == pressed
    assert view.press_count == sum(pressed.values())
    assert [view.pressed(zone) for zone in (2, 3, 4)] == [zone in pressed for zone in (2, 3, 4)]


def test_the_script_s_clicks_count_instead_of_what_a_tap_led_to() -> None:
    view = one_view("2.h", batches=[batch(1, clicks=[{"zone": 3}])], device=Device.PHONE)
    assert view.press_count == 1


def test_facts_of_zones_are_kept_with_their_moments() -> None:
    view = timed_view(
        {"1.f": 100, "1.i": 900, "1.v": 4000, "12.p1": 50, "2.h5": 7, "y100": 8, "t1": 9}
    )
    packed = np.frombuffer(pack_facts(view), FACT)
    told = [(int(f["zone"]), FACTS[f["fact"] - 1], int(f["t"])) for f in packed]
    assert told == [(1, "f", 100), (1, "i", 900), (1, "v", 4000), (12, "p1", 50)]
    assert pack_facts(timed_view({"t1": 1})) == b""


@pytest.mark.parametrize(
    ("names", "can"),
    [
        ((), 0),
        (("t1",), OF_ZONES | OF_PAGE),
        (("w1280", "no-timeline"), OF_ZONES | Signal.DEPTH),
        (("t1", "no-timeline", "no-depth"), OF_ZONES),
        (("t1", "no-validity"), Signal.ZONES | OF_PAGE),
        (("t1", "no-has", "no-validity"), OF_PAGE),
        (("1.h",), Signal.ZONES),
        (("1.i",), OF_ZONES),
        (("z400",), Signal.DEPTH),
        (("b0.1",), OF_PAGE),
        (("c1.1",), Signal.CELLS),
    ],
)
def test_a_view_knows_what_its_engine_can_send(names: tuple[str, ...], can: Signal) -> None:
    assert one_view(*names).can == can


def test_whatever_an_engine_lacks_takes_something_away() -> None:
    everything = one_view("t1").can
    for lack in LACKS:
        told = said(f"no-{lack}")
        assert told is not None
        assert told.lacks & everything, lack


BY_ZONES = {"click", "rageclick", "stall"}
BY_PAGE = {"attention", "scroll"}


@pytest.mark.parametrize(
    ("view", "kinds"),
    [
        (one_view(), set()),
        (one_view("t1"), {*BY_ZONES, *BY_PAGE}),
        (one_view("t1", "no-has"), BY_PAGE),
        (one_view("t1", "no-has", device=Device.PHONE), {"stall", *BY_PAGE}),
        (one_view("t1", "no-timeline", "no-depth"), BY_ZONES),
        (one_view("t1", "c1.1"), {"move", *BY_ZONES, *BY_PAGE}),
        (one_view(batches=[batch(1)]), {"move", *BY_ZONES, *BY_PAGE}),
    ],
)
def test_a_map_rests_on_the_views_that_could_tell_what_it_shows(
    view: Seen, kinds: set[str]
) -> None:
    assert {kind for kind in TELLING if is_able(view, kind)} == kinds
    assert set(sum_of(view).able) == kinds


def test_an_opening_alone_tells_nothing() -> None:
    (view,) = fold([opened(1)], [], [])
    assert (view.can, view.left_at, view.pressed_zones) == (0, None, {})


async def test_the_leave_and_the_facts_of_a_view_are_the_same_after_they_were_deleted(
    store: Store,
) -> None:
    site = await make_shop(store, AT)
    page_id = site.pages["shipping"].page_id
    left = AT + timedelta(seconds=7)
    names = [heard("t1", 1), heard("1.i", 1), heard(LEAVE, 1, left)]
    await put_views(store, site, opened(1, AT, page_id), *names)

    async def derived() -> list[tuple[object, ...]]:
        await close_day(store, site, site.day_of(AT), AT + timedelta(hours=1))
        rows = await store.fetch(
            "SELECT duration_ms, can, signals, facts FROM view JOIN stall_list "
            "USING (site_id, day, view_id)"
        )
        return [tuple(row) for row in rows]

    before = await derived()
    ((duration_ms, can, signals, facts),) = before
    assert (duration_ms, signals) == (7000, 2)
    assert can == OF_ZONES | OF_PAGE | Signal.LEAVE
    assert len(np.frombuffer(facts, FACT)) == 1  # type: ignore[call-overload]
    for table in ("view", "visit", "stall_list"):
        await store.execute(f"DELETE FROM {table}")
    assert await derived() == before
