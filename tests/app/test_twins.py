"""Views that one page opened twice: which of them count."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.folding.seen import Seen
from app.folding.twins import Twins, without_twins
from tests.app.build import AT, fold, heard, opened

SECOND = timedelta(seconds=1)


def kept_of(opens: list[Any], beacons: list[Any]) -> list[int]:
    return [view.view_id for view in without_twins(fold(opens, beacons, []))]


@pytest.mark.parametrize(
    ("second", "kept"),
    [
        ({}, [1]),
        ({"at": AT + 2 * SECOND}, [1]),
        ({"at": AT + timedelta(seconds=2, microseconds=1)}, [1, 2]),
        ({"page_id": 3}, [1, 2]),
        ({"visitor": 6}, [1, 2]),
        ({"visitor": 6, "visitor_before": 5}, [1]),
    ],
)
def test_a_silent_twin_is_left_out(second: dict[str, Any], kept: list[int]) -> None:
    views = kept_of([opened(1), opened(2, **second)], [heard("2.h1", 1)])
    assert views == kept


def test_of_silent_twins_one_is_left_and_of_heard_ones_all() -> None:
    opens = [opened(n, AT + n * timedelta(milliseconds=100)) for n in (1, 2, 3)]
    assert kept_of(opens, []) == [1]
    beacons = [heard("t1", 2), heard("t1", 3)]
    assert kept_of(opens, beacons) == [2, 3]


def test_a_twin_may_be_opened_first_and_stay_silent() -> None:
    assert kept_of([opened(1), opened(2, AT + SECOND)], [heard("2.h1", 2)]) == [2]


def naive(views: list[Seen]) -> list[int]:
    """Those that sent something stay, and of the others each that is near to none that stays."""
    kept = [view for view in views if view.signals]
    for view in views:
        if not view.signals and not any(_near(view, other) for other in kept):
            kept.append(view)
    return sorted(view.view_id for view in kept)


def _near(one: Seen, other: Seen) -> bool:
    hashes = [{view.visitor, view.visitor_before} - {None} for view in (one, other)]
    within = abs(one.opened_at - other.opened_at) <= 2 * SECOND
    return within and one.page_id == other.page_id and bool(hashes[0] & hashes[1])


OPENINGS = st.lists(
    st.tuples(
        st.integers(0, 40), st.integers(1, 2), st.integers(1, 2), st.booleans(), st.booleans()
    )
)


@settings(max_examples=200)
@given(OPENINGS, st.lists(st.integers(0, 40)))
def test_however_views_come_in_parts_the_same_are_left_out(
    drawn: list[tuple[int, int, int, bool, bool]], cuts: list[int]
) -> None:
    """Of one person known by two hashes, half a second at a time."""
    opens = [
        opened(
            n, AT + tick * SECOND / 2, page, visitor=visitor, visitor_before=1 if before else None
        )
        for n, (tick, page, visitor, before, _) in enumerate(drawn)
    ]
    beacons = [heard("t1", n) for n, (*_, heard_of) in enumerate(drawn) if heard_of]
    views = fold(opens, beacons, [])
    edges = sorted({0, *(cut for cut in cuts if cut < len(views)), len(views)})
    twins = Twins()
    parts = [twins.take(views[first:last]) for first, last in pairwise(edges)]
    came = [view.view_id for part in [*parts, twins.end()] for view in part]
    assert sorted(came) == naive(views)
    assert came == [view.view_id for view in views if view.view_id in set(came)], "in order"
