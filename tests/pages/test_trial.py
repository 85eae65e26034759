"""Raw rows of a trial shop in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.pages.shops.trial import SILENT_FOR, Trial, trials
from collector.codes import Codes, Device, Phase, pack_codes
from collector.packing import ENC, pack_events
from collector.sites import Page, Site, Zone
from collector.wire import Kind

OPENED = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
PAGE = Page(7, "pay", "Pay", Phase.PAYMENT, False, None, (Zone(1, "bank", "#bank"),))
SITE = Site(1, "gs_a", "Shop", ZoneInfo("UTC"), "trying", {}, 0, {"pay": PAGE})


def beacon(name: str, after_s: float, **more: Any) -> dict[str, Any]:
    return {
        "view_id": 1,
        "page_id": 7,
        "opened_at": OPENED,
        "device": 2,
        "at": OPENED + timedelta(seconds=after_s),
        "name": name,
        **more,
    }


def heard(*rows: dict[str, Any]) -> Trial:
    (view,) = trials(SITE, [beacon("open", 0), *rows], [])
    return view


@pytest.mark.parametrize(
    ("name", "what", "zone", "amount"),
    [
        ("1.h", "hover", "bank", 0),
        ("1.h10", "hover", "bank", 10),
        ("1.f", "focus", "bank", 0),
        ("1.f2", "focus", "bank", 2),
        ("1.p3", "press", "bank", 3),
        ("1.i", "invalid", "bank", 0),
        ("1.v", "valid", "bank", 0),
        ("1.o", "autofilled", "bank", 0),
        ("1.c", "checked", "bank", 0),
        ("1.e", "error", "bank", 0),
        ("1.u", "opened", "bank", 0),
        ("1.b", "busy", "bank", 0),
        ("9.h5", "hover", "#9", 5),
        ("y700", "scroll", None, 700),
        ("z1600", "scroll", None, 1600),
        ("b3.5", "rest", None, 5),
        ("c12.3", "pointer", None, 0),
    ],
)
def test_each_beacon_has_its_words(name: str, what: str, zone: str | None, amount: int) -> None:
    (signal,) = heard(beacon(name, 3)).signals
    assert (signal.what, signal.zone, signal.amount) == (what, zone, amount)


@pytest.mark.parametrize("name", ["t5", "w400", "g720", "coarse", "dark", "hidpi", "?"])
def test_what_the_page_knows_of_itself_is_no_signal(name: str) -> None:
    assert heard(beacon(name, 3)).signals == []


def test_of_a_clock_the_furthest_step_counts_in_whatever_order_it_came() -> None:
    view = heard(beacon("1.h5", 6), beacon("1.h2", 6), beacon("1.h10", 12), beacon("1.h1", 1))
    assert [(signal.amount, signal.at) for signal in view.signals] == [
        (10, OPENED + timedelta(seconds=12))
    ]


def test_views_and_signals_come_newest_first() -> None:
    other = {"view_id": 2, "opened_at": OPENED + timedelta(seconds=5)}
    rows = [beacon("open", 0), beacon("1.p1", 20), beacon("1.h", 2), beacon("open", 5, **other)]
    first, second = trials(SITE, rows, [])
    assert [signal.what for signal in first.signals] == ["press", "hover"]
    assert second.opened_at == OPENED + timedelta(seconds=5)


def test_a_page_that_is_no_more_is_left_out() -> None:
    assert trials(SITE, [beacon("open", 0, page_id=8)], []) == []


@pytest.mark.parametrize(
    ("names", "after_s", "left"),
    [
        (("t5",), 10 + SILENT_FOR.seconds, None),  # the step of 10 s may still be on its way
        (("t5",), 11 + SILENT_FOR.seconds, 5),
        (("t5", "1.p1"), 21 + SILENT_FOR.seconds, 12),  # pressed after 12 s: not gone at 5
        (("t600",), 9000, None),  # the clock has no further step
        ((), 2 + SILENT_FOR.seconds, 0),
    ],
)
def test_a_view_has_left_when_its_clock_falls_silent(
    names: tuple[str, ...], after_s: float, left: int | None
) -> None:
    view = heard(*(beacon(name, 12) for name in names))
    assert view.left_after_s(OPENED + timedelta(seconds=after_s)) == left


def batch(*events: tuple[int, ...], view_id: int) -> dict[str, Any]:
    return {
        "view_id": view_id,
        "page_id": 7,
        "opened_min": int(OPENED.timestamp()) // 60,
        "codes": pack_codes(Codes(device=Device.DESKTOP)),
        "at": OPENED + timedelta(seconds=40),
        "n": 0,
        "enc": ENC,
        "ev": pack_events(events),
    }


def test_presses_that_both_forms_tell_of_are_told_once() -> None:
    label, its_field = (
        (Kind.CLICK, 100, 5, 5, 0, 0, 0, 0, 0),
        (Kind.CLICK, 101, 5, 5, 1, 0, 0, 0, 0),
    )
    again = (Kind.CLICK, 900, 5, 5, 1, 0, 0, 0, 0)
    (view,) = trials(
        SITE,
        [beacon("open", 0), beacon("1.p1", 1), beacon("1.p2", 2)],
        [batch(label, its_field, view_id=1), batch(again, view_id=1)],
    )
    assert {(signal.zone, signal.amount) for signal in view.signals} == {("bank", 2)}


def test_the_script_says_by_itself_that_it_leaves() -> None:
    row = batch(
        (Kind.CLICK, 100, 5, 5, 0, 0, 0, 0, 0),
        (Kind.SCROLL, 200, 0, 900, 0, 0, 0, 0, 0),
        (Kind.LEAVE, 300, 0, 0, 0, 0, 0, 0, 0),
        view_id=3,
    )
    (view,) = trials(SITE, [], [row, {**row, "page_id": 8, "view_id": 4}])
    assert view.device is Device.DESKTOP
    assert view.left_after_s(OPENED + timedelta(seconds=41)) == 40
    told = {(signal.what, signal.zone): signal.amount for signal in view.signals}
    assert told == {("press", None): 1, ("scroll", None): 900}
