"""Who is one person: columns of whole days joined at once, against sets joined one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from app.folding.people import LINK, NO_REF, People, is_among
from tests.app import naive
from tests.app.build import fold, opened

LINKS = st.lists(
    st.tuples(
        st.integers(-6, 6),
        st.none() | st.integers(-6, 6),
        st.sampled_from([None, None, b"r" * 16, b"q" * 15 + b"\0", b"\0" * 15 + b"s"]),
    )
)


def people_of(links: list[tuple[int, int | None, bytes | None]]) -> People:
    rows = [
        (visitor, before if before is not None else visitor, ref or NO_REF)
        for visitor, before, ref in links
        if before is not None or ref is not None
    ]
    return People(np.array(rows, list(LINK.items())))


@settings(max_examples=200)
@given(LINKS)
def test_persons_are_those_of_the_slow_way(links: list[Any]) -> None:
    opens = [
        opened(n, visitor=visitor, visitor_before=before, ref_hash=ref)
        for n, (visitor, before, ref) in enumerate(links)
    ]
    slow = naive.People(fold(opens, [], []))
    visitors = np.arange(-8, 9)
    assert people_of(links).of(visitors).tolist() == [slow.of(int(v)) for v in visitors]


def test_whoever_is_in_no_link_is_a_person_alone() -> None:
    assert people_of([]).of(np.array([3, -1])).tolist() == [3, -1]


def test_a_reference_is_borne_by_whoever_opened_something_under_it() -> None:
    people = people_of([(5, None, b"r" * 16), (6, None, b"r" * 16), (7, None, b"q" * 16)])
    assert people.of(np.array([5, 6, 7])).tolist() == [5, 5, 7]
    refs = np.array([b"r" * 16, b"q" * 16, b"x" * 16, b""], "S16")
    assert people.bear(np.array([5]), refs).tolist() == [True, False, False, False]


def test_values_are_looked_up_among_sorted_ones() -> None:
    assert is_among(np.array([2, 4]), np.array([1, 2, 3, 4, 5])).tolist() == [
        False,
        True,
        False,
        True,
        False,
    ]
    assert is_among(np.empty(0, np.int64), np.array([1])).tolist() == [False]
