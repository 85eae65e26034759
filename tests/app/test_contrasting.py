"""Two cohorts of a page's visits: who is in them, what is counted of each, and what is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from pydantic import ValidationError

from app.contrasting.asked import VisitFilter, ZonesQuery, read_cohort
from app.contrasting.question import Question, ask
from app.contrasting.schedule import (
    QUESTION_DAYS,
    Stage,
    asked_since,
    milestones,
    stage_of,
    verdict_of,
)
from app.contrasting.tables import zone_table
from app.contrasting.zones import judge
from app.folding.homes import Homes
from app.picturing.layouts import Box, put_layout
from app.problems import BadParameters, TooFewApart, TooFewVisits
from app.shops import find_site, put_page
from app.store import Store
from collector.codes import Device, Outcome
from collector.sites import Site
from tests.app.build import goal, put_rows
from tests.app.derived import Came, put_came
from tests.build import make_shop
from tests.conftest import NOON

TODAY = NOON.date()
DAY = timedelta(days=1)
DONE, GONE = Outcome.COMPLETED, Outcome.ABANDONED


async def asked(
    store: Store, site: Site, query: ZonesQuery | None = None, now: datetime = NOON
) -> Question:
    return await ask(store, site, site.pages["shipping"], query or ZonesQuery(), now)


async def filled(store: Store, *came: Came, live: bool = False) -> Site:
    site = await make_shop(store, NOON - 40 * DAY, live=live)
    await put_came(store, site, site.pages["shipping"], came)
    return site


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("outcome:abandoned", {"outcome": Outcome.ABANDONED}),
        ("device:phone,variant:2", {"device": Device.PHONE, "variant": 2}),
        ("date_to:2026-11-01", {"date_to": date(2026, 11, 1)}),
    ],
)
def test_a_cohort_is_written_as_filters(expression: str, told: dict[str, object]) -> None:
    assert read_cohort(expression).model_dump(exclude_none=True) == told


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("", "a cohort is filter:value"),
        ("phone", "a cohort is filter:value"),
        ("colour:red", "a filter is one of"),
        ("device:toaster", "device: must be one of"),
        ("device:phone,device:tablet", "given twice"),
        ("date_from:2026-11-02,date_to:2026-11-01", "lies after"),
        ("variant:300", "variant: "),
    ],
)
def test_a_cohort_that_cannot_be_read_is_refused_with_the_remedy(expression: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        ZonesQuery(a=expression)


def test_a_cohort_is_not_contrasted_with_itself() -> None:
    with pytest.raises(ValidationError, match="the same cohort"):
        ZonesQuery(a="device:phone", b="device:phone")


def test_only_variants_were_dealt_out() -> None:
    assert ZonesQuery(a="variant:1", b="variant:2").randomised
    assert ZonesQuery(a="variant:1,device:phone", b="device:phone,variant:2").randomised
    assert not ZonesQuery(a="variant:1,device:phone", b="variant:2").randomised
    assert not ZonesQuery().randomised


async def test_cohorts_are_of_visits_and_what_is_no_visitor_is_of_none(store: Store) -> None:
    site = await filled(
        store,
        Came(TODAY, GONE, dwell_s={2: 12}),
        Came(TODAY, DONE, dwell_s={2: 3}),
        Came(TODAY, Outcome.HANDED_OVER),
        Came(TODAY, Outcome.OPEN),
        Came(TODAY, GONE, flags=4),
        Came(TODAY, GONE, flags=1),
        Came(TODAY, GONE, can=0),
    )
    question = await asked(store, site)
    assert (question.visits, question.sizes) == (4, (1, 1))
    assert (question.handed_over, question.undecided) == (1, 1)
    assert question.coverage == 4 / 5, "a browser that tells nothing is silent and not calm"
    assert question.why_not == "too_few"


async def test_a_visit_of_several_views_is_counted_once_and_its_seconds_are_added(
    store: Store,
) -> None:
    site = await filled(store, Came(TODAY, dwell_s={2: 5}), Came(TODAY, dwell_s={2: 1, 1: 2}))
    await store.execute("UPDATE view SET visit_id = 1")
    await store.execute("UPDATE stall_list SET visit_id = 1")
    question = await asked(store, site)
    assert question.visits == 1
    assert question.told.seconds.tolist() == [[3.5, 7.5 + 1.5, 0.0]]


async def test_a_visit_that_ran_past_midnight_is_found_under_the_day_it_began(
    store: Store,
) -> None:
    site = await filled(store, Came(TODAY, dwell_s={2: 5}))
    yesterday = TODAY - DAY
    await put_came(store, site, site.pages["cart"], [Came(yesterday, DONE)], start=9)
    await store.execute("UPDATE view SET visit_id = 9")
    question = await asked(store, site)
    assert question.found.visits.day.tolist() == [yesterday.toordinal()]
    assert question.sizes == (0, 1)


async def test_cohorts_that_share_visits_are_refused(store: Store) -> None:
    site = await filled(store, Came(TODAY, GONE))
    query = ZonesQuery(a="outcome:abandoned", b="device:phone")
    with pytest.raises(BadParameters, match="1 visits belong to both"):
        await asked(store, site, query)


async def test_any_two_cohorts_are_told_apart_by_the_same_filters(store: Store) -> None:
    site = await filled(
        store,
        Came(TODAY, device=Device.DESKTOP, band=4, width_px=1280, variant=1),
        Came(TODAY - 3 * DAY, variant=2),
        Came(TODAY - 9 * DAY, variant=2, width_px=None),
    )
    earlier = (TODAY - 5 * DAY).isoformat()
    for a, b, sizes in (
        ("device:phone", "device:desktop", (2, 1)),
        ("variant:1", "variant:2", (1, 2)),
        (f"date_to:{earlier}", f"date_from:{(TODAY - 4 * DAY).isoformat()}", (1, 2)),
        ("viewport_width_max:480", "viewport_width_min:1000", (1, 1)),
        ("capture:css", "capture:script", (3, 0)),
        ("browser:chrome,os:android,language:dutch", "channel:search", (3, 0)),
    ):
        question = await asked(store, site, ZonesQuery(a=a, b=b))
        assert question.sizes == sizes, a
        assert question.why_not == "too_few"
    assert (await asked(store, site, ZonesQuery(device=Device.PHONE))).visits == 2


async def test_without_a_goal_nothing_is_contrasted_by_how_visits_ended(store: Store) -> None:
    site = await filled(store, *(Came(TODAY, (n % 2 and GONE) or Outcome.OPEN) for n in range(60)))
    await store.execute("UPDATE page SET goal = false")
    site = await find_site(store, site.public_key)
    assert (await asked(store, site)).why_not == "no_goal"
    by_device = ZonesQuery(a="device:phone", b="device:desktop")
    assert (await asked(store, site, by_device)).why_not == "too_few"
    await put_rows(store, site, "goal", [goal(visitor=99)])
    assert (await asked(store, site)).why_not == "too_few"


async def test_labels_are_as_true_as_the_orders_that_were_matched(store: Store) -> None:
    site = await filled(
        store, *(Came(TODAY, DONE, goal_at=NOON + n * timedelta(seconds=1)) for n in range(3))
    )
    rows = [goal(n, NOON + n * timedelta(seconds=1), visitor=n, source=3) for n in range(5)]
    extra = [
        goal(20, NOON, visitor=20, source=2),
        goal(21, NOON, visitor=21, source=3, result=3),
        goal(22, NOON - 80 * DAY, visitor=22, source=3),
    ]
    await put_rows(store, site, "goal", rows + extra)
    truth = (await asked(store, site)).truth
    assert (truth.reported, truth.matched, truth.share, truth.doubtful) == (5, 3, 0.6, True)


async def test_a_live_shop_tells_nothing_of_a_handful(store: Store) -> None:
    site = await filled(store, *(Came(TODAY, GONE) for _ in range(9)), live=True)
    with pytest.raises(TooFewVisits):
        await asked(store, site)
    more = [*(Came(TODAY, GONE) for _ in range(30)), *(Came(TODAY, DONE) for _ in range(9))]
    await put_came(store, site, site.pages["shipping"], more, start=100)
    question = await asked(store, site)
    assert (question.stage, question.why_not) == (Stage.RANKED, "too_few"), "nine complete"


@pytest.mark.parametrize(
    ("asked_for", "change"),
    [
        ({"device": "phone"}, "without device"),
        ({"date_to": str(TODAY - DAY)}, "with another date_to"),
        ({"date_from": str(TODAY - 2 * DAY)}, "with another date_from"),
    ],
)
async def test_a_live_shop_does_not_tell_two_answers_that_few_visits_lie_between(
    store: Store, asked_for: dict[str, str], change: str
) -> None:
    phones = [Came(TODAY - DAY, GONE) for _ in range(30)]
    desktops = [Came(TODAY - DAY, DONE, device=Device.DESKTOP) for _ in range(4)]
    today = [Came(TODAY, GONE, device=Device.PHONE) for _ in range(5)]
    before = [Came(TODAY - 3 * DAY, GONE) for _ in range(3)]
    site = await filled(store, *phones, *desktops, *today, *before, live=True)
    assert (await asked(store, site)).visits == 42
    with pytest.raises(TooFewApart, match=change):
        await asked(store, site, ZonesQuery.model_validate(asked_for))
    trying = replace(site, state="trying")
    assert (await asked(store, trying, ZonesQuery.model_validate(asked_for))).visits > 0


async def test_a_live_shop_tells_no_cohort_that_leaves_a_few_others(store: Store) -> None:
    came = [*(Came(TODAY, GONE) for _ in range(40)), *(Came(TODAY, DONE) for _ in range(3))]
    site = await filled(store, *came, live=True)
    question = await asked(store, site)
    assert (question.alone, question.why_not) == ((False, False), "too_few")
    more = [Came(TODAY - n * DAY, DONE) for n in range(2) for _ in range(15 - 13 * n)]
    await put_came(store, site, site.pages["shipping"], more, start=100)
    assert (await asked(store, site)).alone == (True, True)
    for cohort in ("outcome:completed,variant:0", f"outcome:completed,date_from:{TODAY}"):
        question = await asked(store, site, ZonesQuery(b=cohort))
        assert question.alone == (True, "date" not in cohort), "two more on the day before"


async def laid_out(store: Store, site: Site) -> None:
    """Phones have a layout, of the first and the third zone."""
    await put_layout(
        store,
        site,
        site.pages["shipping"],
        width_px=390,
        height_px=1000,
        pointer="coarse",
        boxes=(Box(1, 20, 100, 370, 142), Box(3, 20, 500, 180, 548)),
        picture=None,
        source="api",
        now=NOON - 40 * DAY,
    )


async def test_who_never_saw_a_zone_had_no_chance_to_dwell_there(store: Store) -> None:
    site = await filled(
        store,
        Came(TODAY, deepest_px=150),
        Came(TODAY, deepest_px=900),
        Came(TODAY, deepest_px=None),
        Came(TODAY, deepest_px=100, dwell_s={3: 2}),
        Came(TODAY, deepest_px=100, facts=[(3, "p1", 5_000)]),
    )
    await laid_out(store, site)
    seen = (await asked(store, site)).told.seen
    assert seen[:, 2].tolist() == [False, True, True, True, True]
    assert seen[:, 1].all(), "no layout says where the second zone is"


async def test_seconds_are_a_zone_s_clock_s_or_else_those_of_the_stalls_in_its_box(
    store: Store,
) -> None:
    stalls = [(30, 110, 4_000), (30, 510, 2_000), (300, 900, 9_000)]
    site = await filled(store, Came(TODAY, dwell_s={3: 1}, stalls=stalls))
    await laid_out(store, site)
    question = await asked(store, site)
    assert question.told.seconds.tolist() == [[4.0, 0.0, 1.5]]
    assert question.told.acts.hesitated.tolist() == [[True, False, True]]


async def test_what_visits_did_at_zones_is_told_by_their_facts(store: Store) -> None:
    site = await filled(
        store,
        Came(
            TODAY,
            facts=[(1, "f", 1_500), (1, "f", 9_000), (1, "e", 9_500), (3, "p1", 20_000)],
            dwell_s={1: 5},
        ),
        Came(TODAY, DONE, facts=[(1, "f", 300), (2, "h", 4_000)]),
        Came(TODAY, device=Device.DESKTOP, facts=[(2, "h", 4_000), (1, "f5", 2_000)]),
        Came(TODAY, facts=[(3, "p1", 9_000)], went_on=True),
        Came(TODAY, Outcome.HANDED_OVER, facts=[(3, "p1", 9_000)]),
    )
    told = (await asked(store, site)).told
    acts = told.acts
    assert acts.focuses.tolist() == [[2, 0, 0], [1, 0, 0], *[[0] * 3] * 3]
    assert acts.clicked.tolist() == [
        [False, False, True],
        [False, True, False],
        [False, False, False],
        *[[False, False, True]] * 2,
    ], "a finger without presses pressed what it tapped, unless that was so as the page came"
    assert acts.hesitated.tolist() == [[True, False, False], *[[False] * 3] * 4]
    assert told.errors.tolist() == [[True, False, False], *[[False] * 3] * 4]
    assert told.last.tolist() == [2, 1, 1, 2, 2]
    assert acts.last.tolist() == [2, -1, 1, -1, -1], "who went on left from nowhere"
    assert told.focus_s.tolist() == [[0, 0, 0], [0, 0, 0], [5, 0, 0], *[[0] * 3] * 2]


async def test_a_page_without_zones_or_visits_is_no_error(store: Store) -> None:
    site = await filled(store, Came(TODAY))
    page = site.pages["cart"]
    question = await ask(store, site, page, ZonesQuery(), NOON)
    assert (question.visits, question.told.seconds.shape) == (0, (0, 0))
    empty = zone_table(question.found, [1], Homes((), site.time_zone))
    assert empty.seconds.shape == (0, 1)


def test_visits_of_one_week_and_device_are_compared_with_one_another() -> None:
    monday = date(2026, 11, 16).toordinal()
    days = np.array([monday - 1, monday, monday + 6, monday + 7])
    weeks = (days - 1) // 7
    assert np.diff(weeks).tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("sizes", "stage"),
    [
        ((0, 0), Stage.PLAIN),
        ((29, 0), Stage.PLAIN),
        ((200, 1), Stage.PLAIN),
        ((15, 14), Stage.PLAIN),
        ((28, 2), Stage.RANKED),
        ((99, 500), Stage.RANKED),
        ((100, 100), Stage.TESTED),
        ((249, 800), Stage.TESTED),
        ((250, 250), Stage.POWERED),
    ],
)
def test_the_stage_follows_the_smaller_cohort(sizes: tuple[int, int], stage: Stage) -> None:
    assert stage_of(*sizes) is stage


def test_stages_have_the_day_they_were_reached_or_will_be_at_this_rate() -> None:
    since = TODAY - 9 * DAY
    first = [since + n // 6 * DAY for n in range(60)]
    second = [since + n // 5 * DAY for n in range(50)]
    told = {one.stage: (one.on, one.reached) for one in milestones(first, second, since, TODAY)}
    assert told[Stage.PLAIN] == (since, True)
    assert told[Stage.RANKED] == (since + 2 * DAY, True)
    assert told[Stage.TESTED] == (since + 21 * DAY, False), (
        "50 more at 5 a day take 10 days; the next verdict is told at the end of that week"
    )
    assert told[Stage.POWERED] == (since + 56 * DAY, False)
    nobody = milestones([], [], since, TODAY)
    assert {one.on for one in nobody} == {None}
    seldom = milestones(first, [since], since, TODAY)
    assert seldom[-1].on is None, "nobody plans for seven years"


def verdicts(first: date, days: range) -> Iterator[tuple[int, date | None]]:
    for n in days:
        told = verdict_of(first, first + n * DAY, first + n * DAY)
        yield told.look, told.until


def test_a_question_gets_one_verdict_for_each_complete_week_whoever_looks_when() -> None:
    told = list(verdicts(TODAY, range(60)))
    assert told[6] == (0, None)
    assert told[7] == told[13] == (1, TODAY + 7 * DAY)
    assert told[59] == (8, TODAY + 56 * DAY)
    assert len({until for _, until in told if until}) == 8, "sixty looks, eight verdicts"
    assert verdict_of(TODAY, TODAY, TODAY).next == TODAY + 7 * DAY
    assert verdict_of(TODAY - 60 * DAY, TODAY, TODAY).next is None


def test_a_period_that_is_over_is_judged_by_its_complete_weeks() -> None:
    verdict = verdict_of(TODAY - 30 * DAY, TODAY - 17 * DAY, TODAY)
    assert (verdict.look, verdict.until, verdict.next) == (2, TODAY - 16 * DAY, None)


def test_a_question_stands_for_eight_weeks_and_is_shown_until_the_next_has_a_verdict() -> None:
    first = TODAY
    for days, since in ((0, 0), (30, 0), (62, 0), (63, 56), (90, 56), (119, 112)):
        assert asked_since(first, first + days * DAY) == first + since * DAY, days
    assert QUESTION_DAYS == 56


def test_one_visitor_who_went_to_lunch_and_a_robot_of_ten_thousand_clicks_change_no_verdict() -> (
    None
):
    draw = np.random.default_rng(5)
    seconds = draw.lognormal(0.5, 1.0, (400, 4))
    first = np.arange(400) % 2 == 0
    seconds[first, 1] *= 3
    seen = np.ones(seconds.shape, np.bool_)
    stratum = np.zeros(400, np.intp)
    before = judge(seconds, first, seen, stratum, 100)
    called = {one.zone for one in before.zones if one.p <= 0.05 / 8}
    assert called == {1}
    for zone, many_s in ((0, 30.0 * 60), (2, 10_000.0)):
        odd = seconds.copy()
        odd[0, zone] += many_s
        after = judge(odd, first, seen, stratum, 100)
        assert {one.zone for one in after.zones if one.p <= 0.05 / 8} == called


async def test_a_page_that_is_new_asks_from_its_first_day(store: Store) -> None:
    site = await make_shop(store, NOON - 3 * DAY)
    question = await asked(store, site)
    assert question.period == (TODAY - 3 * DAY, TODAY)
    await put_page(store, site, "late", NOON)
    assert (await asked(store, site, ZonesQuery(date_to=TODAY - 10 * DAY))).visits == 0


def test_a_filter_knows_which_of_its_days_comes_first() -> None:
    with pytest.raises(ValidationError):
        VisitFilter(viewport_width_min=500, viewport_width_max=400)
