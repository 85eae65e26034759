"""By script a finger stays at what it tapped last, until it taps elsewhere or leaves."""

from __future__ import annotations

import pytest

from app.folding.seen import Seen
from app.folding.stalls import stalls_of
from app.folding.tapped import last_tapped_s
from collector.codes import Device
from collector.wire import Kind
from tests.app.build import batch, fold, scrolled

COSTS, NEXT = 2, 3
LEFT_MS = 20_000


def phone(*taps: tuple[int, int], left_ms: int = LEFT_MS) -> Seen:
    """A view of zones tapped at these times, and left."""
    left = (Kind.FOCUS, left_ms, 0, 0, 0, 0, 0, 0, 0)
    clicks = [{"zone": zone, "t": t} for zone, t in taps]
    events = [scrolled(0, 200), left]
    row = batch(1, events=events, clicks=clicks, device=Device.PHONE, width_px=390)
    (view,) = fold([], [], [row])
    return view


@pytest.mark.parametrize(
    ("taps", "seconds"),
    [
        ([(COSTS, 2000), (NEXT, 9500)], {COSTS: 7.5, NEXT: 10.5}),
        ([(COSTS, 2000), (0, 4000)], {COSTS: 2.0}),
        ([(COSTS, 2000), (0, 4000), (COSTS, 19_000)], {COSTS: 3.0}),
        ([(0, 4000)], {}),
        ([], {}),
    ],
)
def test_what_was_tapped_last_is_stayed_at(
    taps: list[tuple[int, int]], seconds: dict[int, float]
) -> None:
    assert last_tapped_s(phone(*taps)) == seconds


def test_who_went_away_without_leaving_is_not_counted_for_ever() -> None:
    assert last_tapped_s(phone((COSTS, 1000), left_ms=3_600_000)) == {COSTS: 30.0}


def test_a_text_that_a_phone_stayed_at_before_leaving_is_a_stall_of_it() -> None:
    assert stalls_of(phone((COSTS, 2000))).zones_s == {COSTS: (18.0, 18.0)}
