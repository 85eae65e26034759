"""What one visitor or view may send in half an hour."""

from __future__ import annotations

from datetime import timedelta

from collector.caps import MOST_KNOWN, PERIOD, Caps
from tests.collector.build import AT


def test_what_is_beyond_the_cap_is_refused_until_the_period_is_over() -> None:
    caps = Caps()
    assert [caps.is_full(7, 3, AT) for _ in range(5)] == [False, False, False, True, True]
    assert not caps.is_full(8, 3, AT)
    assert caps.is_full(7, 3, AT + PERIOD - timedelta(seconds=1))
    assert not caps.is_full(7, 3, AT + PERIOD)


def test_a_clock_that_runs_back_begins_a_new_period() -> None:
    caps = Caps()
    assert not caps.is_full(7, 1, AT)
    assert caps.is_full(7, 1, AT)
    assert not caps.is_full(7, 1, AT - timedelta(hours=1))


def test_so_many_senders_that_memory_would_grow_are_counted_anew() -> None:
    caps = Caps()
    for number in range(MOST_KNOWN):
        caps.is_full(number, 1, AT)
    assert caps.is_full(0, 1, AT)
    assert not caps.is_full(MOST_KNOWN, 1, AT)
    assert not caps.is_full(0, 1, AT)
