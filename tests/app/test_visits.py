"""Views to visits, and how visits end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.closing.visits import (
    COMPLETED,
    FAILED,
    GAP,
    HANDED_OVER,
    Edge,
    Goal,
    Goals,
    Journey,
    Visit,
)
from app.folding.seen import Seen, by_opening
from collector.codes import Outcome, OutcomeSource
from collector.sites import Site
from tests.app import naive
from tests.app.build import AT, CART, PAYMENT, SHIPPING, SHOP, THANKS, fold, heard, opened

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
LONG_AFTER = AT + timedelta(days=10)
REF = b"r" * 16
PAY = "2.p1"
"""Of the payment page: the zone with the role pay."""


def seen(*steps: tuple[Any, ...], site: Site = SHOP) -> list[Seen]:
    """Views numbered from 1: (moment, page, names, columns)."""
    opens, beacons = [], []
    for number, (at, page, *rest) in enumerate(steps, start=1):
        more = next((part for part in rest if isinstance(part, dict)), {})
        names = [part for part in rest if isinstance(part, str)]
        opens.append(opened(number, at, page.page_id, day=site.day_of(at), **more))
        beacons += [heard(name, number, at, day=site.day_of(at)) for name in names]
    return fold(opens, beacons, [])


def visits_of(
    site: Site, views: list[Seen], goals: Iterable[Goal], now: datetime
) -> list[naive.Visit]:
    """Every person's journey, told as the slow way tells it; visits as they began."""
    people = naive.People(views)
    pages = {page.page_id: page for page in site.pages.values()}
    journeys: dict[int, Journey] = {}
    members: dict[int, list[int]] = {}
    for view in sorted(views, key=by_opening):
        person = people.of(view.visitor)
        journey = journeys.setdefault(person, Journey(site, pages, person))
        members.setdefault(id(visit := journey.add(view)), []).append(view.view_id)
        assert visit.views == len(members[id(visit)])
    reached = Goals()
    for goal in goals:
        reached.add(goal, None if goal.visitor is None else people.of(goal.visitor))
    ended = [told for journey in journeys.values() for told in journey.endings(reached, now)]
    ended.sort(key=lambda told: (told[0].first.opened_at, told[0].first.view_id))
    return [
        naive.Visit(v.visit_id, v.day, tuple(members[id(v)]), e.outcome, e.source, e.goal_at)
        for v, e in ended
    ]


def groups(views: list[Seen], site: Site = SHOP) -> list[list[int]]:
    return [list(visit.views) for visit in visits_of(site, views, [], LONG_AFTER)]


def ends(views: list[Seen], *goals: Goal, now: datetime = LONG_AFTER, site: Site = SHOP) -> Any:
    """How the only visit ended, and by whom that is known."""
    (visit,) = visits_of(site, views, goals, now)
    return visit.outcome, visit.source


def a_goal(at: datetime = AT, visitor: int | None = 5, **more: Any) -> Goal:
    told = {"ref_hash": None, "source": OutcomeSource.IMAGE, "result": COMPLETED, **more}
    return Goal(at, visitor, told["ref_hash"], told["source"], told["result"])


@pytest.mark.parametrize(
    ("pause", "visits"), [(GAP - timedelta(microseconds=1), [[1, 2]]), (GAP, [[1], [2]])]
)
def test_a_pause_of_half_an_hour_ends_a_visit(pause: timedelta, visits: list[list[int]]) -> None:
    assert groups(seen((AT, CART), (AT + pause, SHIPPING))) == visits


def test_the_pause_begins_with_the_last_sign_of_life() -> None:
    views = fold(
        [opened(1, AT), opened(2, AT + 50 * MINUTE)], [heard("t600", 1, AT + 25 * MINUTE)], []
    )
    assert groups(views) == [[1, 2]]


def test_a_long_view_keeps_the_visit_going_after_a_shorter_one_beside_it() -> None:
    views = fold(
        [opened(1, AT), opened(2, AT + MINUTE, 1), opened(3, AT + 60 * MINUTE)],
        [heard("t600", 1, AT + 40 * MINUTE), heard("t1", 2, AT + 2 * MINUTE)],
        [],
    )
    assert groups(views) == [[1, 2, 3]]


def test_visitors_are_kept_apart() -> None:
    views = seen((AT, CART, {"visitor": 5}), (AT, CART, {"visitor": 6}), (AT + MINUTE, SHIPPING))
    assert groups(views) == [[1, 3], [2]]


MIDNIGHT = datetime(2026, 11, 18, 23, 0, tzinfo=UTC)
"""In Amsterdam."""


def test_a_visit_runs_past_midnight_by_yesterdays_hash() -> None:
    views = seen(
        (MIDNIGHT - 10 * MINUTE, CART, {"visitor": 5}),
        (MIDNIGHT + 5 * MINUTE, SHIPPING, {"visitor": 8, "visitor_before": 5}),
        (MIDNIGHT + 34 * MINUTE, PAYMENT, {"visitor": 8}),
    )
    assert groups(views) == [[1, 2, 3]]
    (visit,) = visits_of(SHOP, views, [], LONG_AFTER)
    assert (visit.day, visit.visit_id) == (date(2026, 11, 18), 1)


def test_without_yesterdays_hash_midnight_parts_them() -> None:
    views = seen(
        (MIDNIGHT - 10 * MINUTE, CART, {"visitor": 5}),
        (MIDNIGHT + 5 * MINUTE, SHIPPING, {"visitor": 8}),
    )
    assert groups(views) == [[1], [2]]


def test_what_never_pauses_is_parted_at_noon_of_its_second_day() -> None:
    noon = datetime(2026, 11, 18, 11, 0, tzinfo=UTC)
    moments = [noon - timedelta(hours=24) + n * 20 * MINUTE for n in range(3 * 48 * 3 // 2)]
    views = seen(*((at, CART, {"ref_hash": REF}) for at in moments))
    opened_at = {view.view_id: view.opened_at for view in views}
    firsts = [opened_at[visit.visit_id] for visit in visits_of(SHOP, views, [], LONG_AFTER)]
    assert firsts == [noon + timedelta(days=n) for n in (-1, 0, 1)]


@pytest.mark.parametrize("days", [2, 3, 5])
def test_two_days_back_tell_where_a_visit_of_yesterday_began(days: int) -> None:
    """Whatever went on before them: closing a day needs no more of the past."""
    moments = [AT - timedelta(days=days) + n * 20 * MINUTE for n in range(days * 72 + 60)]
    views = seen(*((at, CART, {"ref_hash": REF}) for at in moments))
    day = AT.date()
    read = [view for view in views if view.day >= day - timedelta(days=2)]
    ids = {view.view_id for view in views if view.day == day}

    def of_day(found: list[list[int]]) -> dict[int, int]:
        return {number: group[0] for group in found for number in group if number in ids}

    assert of_day(groups(read)) == of_day(groups(views))


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 3, 29, 0, 50, tzinfo=UTC),  # 1:50, ten minutes before 2:00 becomes 3:00
        datetime(2026, 10, 25, 0, 50, tzinfo=UTC),  # 2:50 for the first time of two
    ],
)
def test_a_change_of_summer_time_is_no_pause(at: datetime) -> None:
    assert groups(seen((at, CART), (at + 20 * MINUTE, SHIPPING))) == [[1, 2]]
    assert groups(seen((at, CART), (at + 31 * MINUTE, SHIPPING))) == [[1], [2]]


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 11, 18), 24)]
)
def test_a_visit_without_a_reference_is_decided_half_an_hour_after_its_day(
    day: date, hours: int
) -> None:
    begins = datetime(day.year, day.month, day.day, tzinfo=SHOP.time_zone).astimezone(UTC)
    views = seen((begins + HOUR, SHIPPING))
    decided = begins + hours * HOUR + GAP
    assert ends(views, now=decided - MINUTE)[0] is Outcome.OPEN
    assert ends(views, now=decided)[0] is Outcome.ABANDONED


def test_a_visit_that_runs_past_midnight_is_not_decided_while_it_lasts() -> None:
    views = fold(
        [opened(1, MIDNIGHT - 10 * MINUTE)],
        [heard("t600", 1, MIDNIGHT + 20 * MINUTE, day=date(2026, 11, 18))],
        [],
    )
    assert ends(views, now=MIDNIGHT + 35 * MINUTE)[0] is Outcome.OPEN
    assert ends(views, now=MIDNIGHT + 50 * MINUTE)[0] is Outcome.ABANDONED


def test_a_phone_that_comes_back_from_its_bank_is_the_same_visit_by_its_reference() -> None:
    views = seen(
        (AT, SHIPPING, {"visitor": 5}),
        (AT + MINUTE, PAYMENT, PAY, {"visitor": 5, "ref_hash": REF}),
        (AT + 9 * MINUTE, THANKS, {"visitor": 6, "ref_hash": REF}),
    )
    assert groups(views) == [[1, 2, 3]]
    assert ends(views) == (Outcome.COMPLETED, OutcomeSource.PAGE)


def test_who_only_looked_has_browsed() -> None:
    assert ends(seen((AT, CART))) == (Outcome.BROWSED, OutcomeSource.NONE)


def test_looking_at_an_order_again_is_no_checkout_that_was_left() -> None:
    status = replace(THANKS, goal=False)
    site = replace(SHOP, pages={"thanks": status})
    assert ends(seen((AT, status)), site=site)[0] is Outcome.BROWSED


def test_a_page_that_was_deleted_from_the_shop_counts_as_browsing() -> None:
    site = replace(SHOP, pages={})
    assert ends(seen((AT, SHIPPING)), site=site)[0] is Outcome.BROWSED


def test_leaving_the_checkout_is_abandoning_and_pressing_pay_is_handing_over() -> None:
    assert ends(seen((AT, SHIPPING, "3.p1"))) == (Outcome.ABANDONED, OutcomeSource.NONE)
    assert ends(seen((AT, SHIPPING), (AT + MINUTE, PAYMENT, PAY))) == (
        Outcome.HANDED_OVER,
        OutcomeSource.NONE,
    )


@pytest.mark.parametrize("result", [FAILED, HANDED_OVER])
def test_a_payment_that_failed_or_whose_end_is_unknown_is_handed_over(result: int) -> None:
    told = a_goal(AT + MINUTE, result=result, source=OutcomeSource.SERVER)
    assert ends(seen((AT, PAYMENT)), told) == (Outcome.HANDED_OVER, OutcomeSource.SERVER)


def test_a_failed_try_before_one_that_worked_is_completed() -> None:
    failed = a_goal(AT + MINUTE, result=FAILED, source=OutcomeSource.SERVER)
    done = a_goal(AT + 2 * MINUTE)
    assert ends(seen((AT, PAYMENT)), failed, done) == (Outcome.COMPLETED, OutcomeSource.IMAGE)


def test_the_best_source_wins_whatever_came_first() -> None:
    views = seen((AT, PAYMENT, {"ref_hash": REF}), (AT + MINUTE, THANKS, {"ref_hash": REF}))
    image = a_goal(AT + 2 * MINUTE)
    server = a_goal(AT + 90 * MINUTE, None, ref_hash=REF, source=OutcomeSource.SERVER)
    assert ends(views)[1] is OutcomeSource.PAGE
    assert ends(views, image)[1] is OutcomeSource.IMAGE
    (visit,) = visits_of(SHOP, views, [server, image], LONG_AFTER)
    assert (visit.source, visit.goal_at) == (OutcomeSource.SERVER, server.at)
    assert visits_of(SHOP, views, [image, server], LONG_AFTER)[0].goal_at == server.at


def test_a_goal_of_somebody_else_or_of_an_earlier_hour_is_not_this_visits() -> None:
    views = seen((AT, SHIPPING))
    for goal in (a_goal(visitor=6), a_goal(AT - MINUTE), a_goal(visitor=None, ref_hash=REF)):
        assert ends(views, goal)[0] is Outcome.ABANDONED, goal


def test_a_visitor_who_comes_back_the_same_day_and_pays_has_not_abandoned() -> None:
    views = seen((AT, SHIPPING), (AT + 5 * HOUR, THANKS))
    assert [v.outcome for v in visits_of(SHOP, views, [], LONG_AFTER)] == [Outcome.COMPLETED] * 2


def test_what_happens_after_the_decision_changes_it_no_more() -> None:
    views = seen(
        (MIDNIGHT - 10 * MINUTE, SHIPPING, {"visitor": 5}),
        (MIDNIGHT + 25 * MINUTE, CART, {"visitor": 8, "visitor_before": 5}),
        (MIDNIGHT + 12 * HOUR, THANKS, {"visitor": 8}),
    )
    first, _, last = visits_of(SHOP, views, [], LONG_AFTER)
    assert (first.outcome, last.outcome) == (Outcome.ABANDONED, Outcome.COMPLETED)


def test_a_goal_is_its_persons_under_whichever_of_their_hashes() -> None:
    views = seen(
        (AT, SHIPPING, {"visitor": 5, "ref_hash": REF}),
        (AT + MINUTE, PAYMENT, {"visitor": 6, "ref_hash": REF}),
    )
    assert ends(views, a_goal(AT + 2 * MINUTE, visitor=6))[0] is Outcome.COMPLETED


@pytest.mark.parametrize("hours", [1, 24, 168])
def test_a_reference_stays_open_for_the_sites_window(hours: int) -> None:
    site = replace(SHOP, config={"window_h": hours})
    views = seen((AT, SHIPPING, {"ref_hash": REF}))
    done = a_goal(AT + hours * HOUR - MINUTE, None, ref_hash=REF, source=OutcomeSource.SERVER)
    late = replace(done, at=AT + hours * HOUR)
    assert ends(views, now=AT + hours * HOUR - MINUTE, site=site)[0] is Outcome.OPEN
    assert ends(views, now=AT + hours * HOUR, site=site)[0] is Outcome.ABANDONED
    assert ends(views, done, site=site) == (Outcome.COMPLETED, OutcomeSource.SERVER)
    assert ends(views, late, site=site)[0] is Outcome.ABANDONED


def test_a_completed_visit_is_completed_at_once() -> None:
    views = seen((AT, PAYMENT), (AT + MINUTE, THANKS))
    assert ends(views, now=AT + 2 * MINUTE)[0] is Outcome.COMPLETED


def test_all_visitors_at_once_behind_an_untrusted_proxy_are_grouped_in_one_go() -> None:
    """What costs time by the square of a visit's views would not end here within the timeout."""
    views = seen(*((AT + n * timedelta(milliseconds=50), CART, "t1") for n in range(20_000)))
    (group,) = groups(views)
    assert len(group) == 20_000


def test_what_a_visit_holds_does_not_grow_with_its_views() -> None:
    journey = Journey(SHOP, {}, 5)
    one_visit = {id(journey.add(view)) for view in seen(*((AT, CART) for _ in range(50)))}
    assert len(one_visit) == 1
    held = [getattr(journey.add(seen((AT, CART))[0]), name) for name in Visit.__slots__]
    assert sum(isinstance(value, Edge) for value in held) == 2
    assert not any(isinstance(value, Seen) for value in held)


@st.composite
def steps(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    moments = st.integers(0, 400).map(lambda n: MIDNIGHT + (n - 200) * 7 * MINUTE)
    columns = st.fixed_dictionaries(
        {
            "visitor": st.integers(1, 4),
            "visitor_before": st.sampled_from([None, None, None, 11, 12]),
            "ref_hash": st.sampled_from([None, None, REF, b"q" * 16]),
        }
    )
    pages = st.sampled_from([CART, SHIPPING, PAYMENT, THANKS])
    return draw(
        st.lists(st.tuples(moments, pages, st.sampled_from(["t1", PAY]), columns), max_size=12)
    )


def plain(visits: list[naive.Visit]) -> list[Any]:
    return sorted((v.visit_id, v.views, v.outcome, v.source) for v in visits)


@settings(max_examples=120)
@given(steps(), st.lists(st.tuples(st.integers(0, 400), st.integers(1, 4), st.integers(0, 5))))
def test_the_fast_way_agrees_with_the_slow_one(
    drawn: list[Any], told: list[tuple[int, int, int]]
) -> None:
    goals = [
        a_goal(
            MIDNIGHT + (n - 200) * 7 * MINUTE,
            None if which < 2 else visitor,
            ref_hash=REF if which % 2 else None,
            source=2 + which % 2,
            result=1 + which % 3,
        )
        for n, visitor, which in told
    ]
    views = seen(*drawn)
    assert visits_of(SHOP, views, goals, LONG_AFTER) == naive.visits_of(
        SHOP, views, views, goals, LONG_AFTER
    )


@settings(max_examples=80)
@given(steps())
def test_every_view_is_in_exactly_one_visit_which_never_pauses(drawn: list[Any]) -> None:
    views = seen(*drawn)
    of_number = {view.view_id: view for view in views}
    visits = visits_of(SHOP, views, [], LONG_AFTER)
    assert sorted(n for visit in visits for n in visit.views) == sorted(of_number)
    for visit in visits:
        assert visit.visit_id == visit.views[0]
        for before, after in pairwise(of_number[n] for n in visit.views):
            assert before.opened_at <= after.opened_at
            assert after.opened_at - before.last_at < GAP or any(
                after.opened_at - of_number[n].last_at < GAP for n in visit.views[:-1]
            )


@settings(max_examples=80)
@given(steps(), st.randoms(use_true_random=False))
def test_the_order_in_which_views_are_read_changes_nothing(drawn: list[Any], rng: Any) -> None:
    views = seen(*drawn)
    straight = plain(visits_of(SHOP, views, [], LONG_AFTER))
    rng.shuffle(views)
    assert plain(visits_of(SHOP, views, [], LONG_AFTER)) == straight


@settings(max_examples=80)
@given(steps(), st.permutations([1, 2, 3, 4]))
def test_what_visitors_are_called_changes_nothing(drawn: list[Any], names: list[int]) -> None:
    renamed = [
        (*step[:3], {**step[3], "visitor": 100 + names[step[3]["visitor"] - 1]}) for step in drawn
    ]
    before = plain(visits_of(SHOP, seen(*drawn), [], LONG_AFTER))
    assert plain(visits_of(SHOP, seen(*renamed), [], LONG_AFTER)) == before
