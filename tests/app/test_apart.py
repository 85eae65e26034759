"""The small-number rule of contrasts: no two answers, and no two cohorts, beside one another tell
of fewer visits than ten."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.configuration import LEAST_VISITS
from app.contrasting.apart import may_be_told, refuse_apart, refuse_free_widths
from app.contrasting.asked import CohortFilter, CohortsQuery, VisitFilter
from app.contrasting.reading import Flags, PageVisits, Views, Visits
from app.problems import BadParameters, TooFewApart
from collector.codes import Device, Outcome
from collector.wire import Capture

DAY = timedelta(days=1)
FIRST, LAST = date(2026, 11, 10), date(2026, 11, 14)
"""What is asked where no edge is named."""

CHOICES: dict[str, tuple[Any, ...]] = {
    "device": (None, "phone", "desktop"),
    "capture": (None, "css", "script"),
    "viewport_width_min": (None, "480", "768"),
    "viewport_width_max": (None, "1023", "1439"),
    "date_from": (None, FIRST + DAY, FIRST + 2 * DAY),
    "date_to": (None, LAST - DAY),
}
ENDS: dict[str, tuple[Any, ...]] = {
    "outcome": (None, "abandoned"),
    "device": (None, "phone"),
    "capture": (None, "css", "script"),
    "viewport_width_min": (None, "480", "768"),
    "date_to": (None, FIRST, FIRST + DAY),
}
CAPTURES = (1 << Capture.CSS, 1 << Capture.SCRIPT, 1 << Capture.CSS | 1 << Capture.SCRIPT)
CROWDS = st.lists(
    st.tuples(
        st.integers(-1, 5),
        st.sampled_from((Device.PHONE, Device.DESKTOP)),
        st.sampled_from(CAPTURES),
        st.sampled_from((-1, 500, 900, 1280)),
        st.sampled_from((Outcome.ABANDONED, Outcome.COMPLETED)),
        st.booleans(),
        st.integers(1, 14),
    ),
    max_size=7,
)
"""Kinds of visits, days from the first on, and how many visits had each."""


def every(choices: dict[str, tuple[Any, ...]]) -> list[dict[str, Any]]:
    return [dict(zip(choices, values, strict=True)) for values in product(*choices.values())]


def given_only(asked: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in asked.items() if value is not None}


def beside(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether they differ in one filter's value, or in one day."""
    differing = [name for name in one if one[name] != other[name]]
    if len(differing) != 1:
        return False
    values = one[differing[0]], other[differing[0]]
    if not differing[0].startswith("date"):
        return True
    edge = FIRST if differing[0] == "date_from" else LAST
    days = [value or edge for value in values]
    return bool(abs(days[0] - days[1]) <= DAY)


QUERIES, COHORTS = every(CHOICES), every(ENDS)
PAIRS, PAIRS_OF_COHORTS = (
    [(n, m) for n, m in combinations(range(len(asked)), 2) if beside(asked[n], asked[m])]
    for asked in (QUERIES, COHORTS)
)


def page_of(crowds: list[tuple[Any, ...]]) -> PageVisits:
    """One view a visit."""
    rows = [crowd[:-1] for crowd in crowds for _ in range(crowd[-1])]
    offsets, device, captures, width_px, outcome, able = (
        np.array(column, np.int64) for column in (zip(*rows, strict=True) if rows else [[]] * 6)
    )
    day, none = offsets + FIRST.toordinal(), np.zeros(len(rows), np.int64)
    visits = Visits(
        day=day,
        device=device,
        browser=none,
        os=none,
        channel=none,
        variant=none,
        language=none,
        outcome=outcome,
        captures=captures,
        width_px=width_px,
        able=able.astype(np.bool_),
        left=none > 0,
    )
    packed: Any = np.zeros(0)
    views = Views(
        np.arange(len(rows)), day, none, none > 0, none, none, none, *[packed, packed] * 4
    )
    return PageVisits(visits, views)


@settings(max_examples=40, deadline=None)
@given(CROWDS)
def test_two_answers_that_differ_in_one_value_or_day_differ_by_none_or_enough(
    crowds: list[tuple[Any, ...]],
) -> None:
    page = page_of(crowds)
    told: list[Flags | None] = []
    for asked in QUERIES:
        by = VisitFilter(**given_only(asked))
        period = by.date_from or FIRST, by.date_to or LAST
        within = page.visits.chosen(by.undated()) & page.on(*period) & page.visits.able
        try:
            refuse_apart(page, by, period, LEAST_VISITS)
        except TooFewApart:
            told.append(None)
        else:
            told.append(within if within.sum() >= LEAST_VISITS else None)
    check(told, PAIRS)


@settings(max_examples=40, deadline=None)
@given(CROWDS)
def test_two_cohorts_that_differ_in_one_value_or_day_differ_by_none_or_enough(
    crowds: list[tuple[Any, ...]],
) -> None:
    visits = page_of(crowds).visits
    told: list[Flags | None] = []
    for asked in COHORTS:
        cohort = CohortFilter(**given_only(asked))
        is_told = may_be_told(visits, cohort, LEAST_VISITS)
        told.append(visits.chosen(cohort) & visits.able if is_told else None)
    check(told, PAIRS_OF_COHORTS)


def check(told: list[Flags | None], pairs: list[tuple[int, int]]) -> None:
    for one, other in pairs:
        ours, theirs = told[one], told[other]
        if ours is not None and theirs is not None:
            assert not 0 < int((ours ^ theirs).sum()) < LEAST_VISITS


def test_what_stands_beside_nothing_is_told() -> None:
    """Else the rule would hold for a house that answers nothing."""
    crowd = (2, Device.PHONE, CAPTURES[0], 500, Outcome.ABANDONED, True)
    page = page_of([(*crowd, 20), (2, Device.DESKTOP, *crowd[2:], 20)])
    phone = VisitFilter(device="phone", viewport_width_min=480)
    refuse_apart(page, phone, (FIRST, LAST), LEAST_VISITS)
    assert may_be_told(page.visits, CohortFilter(device="phone"), LEAST_VISITS)
    fewer = page_of([(*crowd, 20), (2, Device.DESKTOP, *crowd[2:], 3)])
    with pytest.raises(TooFewApart, match="without device"):
        refuse_apart(fewer, phone, (FIRST, LAST), LEAST_VISITS)
    refuse_apart(fewer, phone, (FIRST, LAST), 1)


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"viewport_width_min": 481}, "/viewport_width_min"),
        ({"a": "viewport_width_max:600", "b": "viewport_width_min:768"}, "/a"),
        ({"a": "device:phone", "b": "viewport_width_min:481"}, "/b"),
    ],
)
def test_widths_of_a_live_shop_are_those_of_bands_in_cohorts_too(
    asked: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(BadParameters, match="told by band") as refused:
        refuse_free_widths(CohortsQuery(**asked))
    assert [at for at, _ in refused.value.errors] == [pointer]
    refuse_free_widths(CohortsQuery(viewport_width_min=480, a="viewport_width_max:1023"))
