"""The small-number rule: no two answers beside one another tell of fewer visits than ten."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.configuration import LEAST_VISITS, configure
from app.folding.seen import Seen
from app.jobs import run_due
from app.mapping.beside import Beside
from app.mapping.choosing import passes
from app.mapping.filters import MapQuery
from app.mapping.grounds import Want, grounds_of
from app.mapping.live import Days, answerable
from app.mapping.maps import page_map, page_maps
from app.mapping.page_map import PageMap, summary
from app.mapping.small_numbers import FILTERS, refusal, unlisted
from app.problems import BadParameters, TooFewApart, TooFewVisits
from app.shops import ShopError, find_site
from app.store import Store
from collector.codes import Codes, Device, Outcome, width_band
from collector.sites import Site
from collector.wire import Capture
from tests.app.build import batch, heard, opened, put_rows, put_views, seen_view
from tests.build import make_shop, page_of
from tests.conftest import NOON

DAY = timedelta(days=1)
TODAY = date(2026, 11, 18)

CHOICES: dict[str, tuple[Any, ...]] = {
    "device": (None, "phone", "desktop"),
    "capture": (None, "css", "script"),
    "outcome": (None, "abandoned"),
    "viewport_width_min": (None, "480", "768"),
    "viewport_width_max": (None, "767", "1023", "1439"),
}
"""Of widths all that stand beside one another: a smaller least edge, a greater largest."""


def queries() -> Iterator[dict[str, Any]]:
    for values in product(*CHOICES.values()):
        told = dict(zip(CHOICES, values, strict=True))
        low, high = told["viewport_width_min"], told["viewport_width_max"]
        if low is None or high is None or int(low) < int(high):
            yield {name: value for name, value in told.items() if value is not None}


QUERIES = [(asked, MapQuery(**asked)) for asked in queries()]
PAIRS = [
    (one, other)
    for one, other in combinations(range(len(QUERIES)), 2)
    if sum(QUERIES[one][0].get(name) != QUERIES[other][0].get(name) for name in CHOICES) == 1
]
"""Of all queries those that differ in one filter's value."""

CAPTURES = (1 << Capture.CSS, 1 << Capture.SCRIPT, 1 << Capture.CSS | 1 << Capture.SCRIPT)
KINDS = st.tuples(
    st.sampled_from((Device.PHONE, Device.DESKTOP)),
    st.sampled_from(CAPTURES),
    st.sampled_from((None, 360, 500, 900, 1280)),
    st.booleans(),
)
CROWDS = st.lists(st.tuples(KINDS, st.integers(1, 14)), max_size=6)
"""Kinds of views, and how many visits had each."""


def view_of(number: int, device: Device, captures: int, width_px: int | None) -> Seen:
    codes = Codes(device=device, band=width_band(width_px))
    return seen_view(number, codes, TODAY, width_px, captures)


@settings(max_examples=40)
@given(CROWDS, st.integers(1, 4))
def test_two_requests_that_differ_in_one_value_differ_by_none_or_enough(
    crowds: list[tuple[Any, int]], views_of_one: int
) -> None:
    """And nothing is refused that no other answer stands beside."""
    views: list[Seen] = []
    visit: dict[int, int] = {}
    ended: set[tuple[date, int]] = set()
    for (device, captures, width_px, abandoned), visits in crowds:
        for n in range(visits):
            view = view_of(len(views), device, captures, width_px)
            # Some views share their visit with one of another kind.
            visit[view.view_id] = n // views_of_one
            views.append(view)
            if abandoned:
                ended.add((view.day, view.view_id))
    chosen = [{v.view_id for v in views if passes(v, query, ended)} for _, query in QUERIES]

    def visits_of(some: Iterable[int]) -> int:
        return len({visit[number] for number in some})

    answered = [False] * len(QUERIES)
    for place, (_, query) in enumerate(QUERIES):
        beside = Beside(query)
        beside.take(views, lambda view: visit[view.view_id], ended)
        assert beside.visits() == visits_of(chosen[place])
        enough = beside.visits() >= LEAST_VISITS
        answered[place] = enough and refusal(beside.apart(), LEAST_VISITS) is None
    must_go = [visits_of(few) < LEAST_VISITS for few in chosen]
    for one, other in PAIRS:
        apart = visits_of(chosen[one] ^ chosen[other])
        if 0 < apart < LEAST_VISITS:
            assert not (answered[one] and answered[other])
            must_go[one] = must_go[other] = True
    assert all(must_go[place] for place, is_told in enumerate(answered) if not is_told)


def test_every_filter_of_one_value_is_under_the_rule() -> None:
    """A filter that is new is either under it or named here as what chooses no visits. Classes that
    dots are coloured by are under it too: test_classes.py."""
    no_filters = {
        "kind", "date_from", "date_to", "aggregation", "per", "layout", "bandwidth", "style",
        "colour_by", "marks", "palette", "scale", "scale_max", "opacity", "picture", "legend",
        "decimal", "dpr",
    }  # fmt: skip
    widths = {"viewport_width_min", "viewport_width_max"}
    assert set(MapQuery.model_fields) == no_filters | widths | set(FILTERS)


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"viewport_width_min": "1024", "viewport_width_max": "1439"}, ()),
        ({"viewport_width_min": "1025"}, ("viewport_width_min",)),
        ({"viewport_width_max": "1440"}, ("viewport_width_max",)),
    ],
)
def test_widths_of_a_live_shop_come_from_a_closed_list(
    asked: dict[str, Any], names: tuple[str, ...]
) -> None:
    assert unlisted(MapQuery(**asked)) == names


@pytest.fixture
async def shop(store: Store) -> Site:
    return await make_shop(store, NOON - 30 * DAY, live=True)


async def ask(store: Store, site: Site, **asked: Any) -> PageMap:
    return await page_map(store, site, page_of(site, "shipping"), MapQuery(**asked), NOON)


async def visit_days(store: Store, site: Site, by_day: dict[int, tuple[int, int]]) -> None:
    """Visits by phone and by desktop, so many days before today."""
    rows, number = [], 0
    for before, counts in by_day.items():
        for device, n in zip((Device.PHONE, Device.DESKTOP), counts, strict=True):
            for _ in range(n):
                number += 1
                at = NOON - before * DAY
                rows.append({"name": "open", **opened(number, at, visitor=number, device=device)})
                rows.append(heard("3.p1", number, at, visitor=number))
    await put_rows(store, site, "beacon", rows)


@pytest.mark.parametrize("sealed", [False, True])
async def test_over_the_store_no_two_periods_a_day_apart_tell_of_few(
    store: Store, shop: Site, sealed: bool
) -> None:
    """With or without a filter, whether the days are read from rows or from tiles."""
    counts = {5: (12, 0), 4: (3, 10), 3: (0, 0), 2: (4, 12), 1: (10, 4), 0: (30, 2)}
    await visit_days(store, shop, counts)
    if sealed:
        await run_due(store, NOON - 4 * DAY)
        await run_due(store, NOON)
    tiles = await store.fetchval("SELECT count(DISTINCT day) FROM tile WHERE kind = 0")
    assert tiles > 1 if sealed else tiles == 0
    before = range(6, -2, -1)
    asked: dict[tuple[int, int, str | None], bool] = {}
    for first, last in combinations(before, 2):
        for device in (None, "phone"):
            period = {"date_from": TODAY - first * DAY, "date_to": TODAY - last * DAY}
            try:
                found = await ask(store, shop, **period, device=device)
            except TooFewVisits:
                asked[first, last, device] = False
            else:
                asked[first, last, device] = True
                assert found.visits == visits_in(counts, first, last, device)
    assert {True, False} == set(asked.values())
    for (one, other), either in apart_in_one(asked, counts).items():
        assert not (asked[one] and asked[other]) or not 0 < either < LEAST_VISITS, (one, other)


Asked = tuple[int, int, str | None]


def visits_in(counts: dict[int, tuple[int, int]], first: int, last: int, device: Any) -> int:
    days = (counts.get(day, (0, 0)) for day in range(first, last - 1, -1))
    return sum(phones if device else phones + desktops for phones, desktops in days)


def apart_in_one(
    asked: Iterable[Asked], counts: dict[int, tuple[int, int]]
) -> dict[tuple[Asked, Asked], int]:
    """By pair of questions that differ in a day or in the device: the visits between them."""
    found = {}
    for one, other in combinations(asked, 2):
        days = abs(one[0] - other[0]) + abs(one[1] - other[1])
        if days + (one[2] != other[2]) == 1:
            found[one, other] = abs(visits_in(counts, *one) - visits_in(counts, *other))
    return found


async def test_the_refusal_names_a_period_that_is_answered(store: Store, shop: Site) -> None:
    await visit_days(store, shop, {6: (12, 0), 5: (3, 0), 4: (12, 0), 3: (2, 0), 2: (11, 0)})
    told = {"date_from": TODAY - 4 * DAY, "date_to": TODAY - 4 * DAY}
    with pytest.raises(TooFewApart, match="date_from=2026-11-13 and date_to=2026-11-15") as found:
        await ask(store, shop, **told)
    assert "differ by fewer than 10 visits" in str(found.value)
    first, last = found.value.period or (TODAY, TODAY)
    assert (await ask(store, shop, date_from=first, date_to=last)).visits == 17


async def test_a_period_that_nobody_began_begins_where_it_may(store: Store, shop: Site) -> None:
    """A shop of few visits a day is not refused its usual month."""
    await visit_days(store, shop, {31: (4, 0), 30: (3, 0), 29: (12, 0), 0: (5, 0)})
    found = await ask(store, shop)
    assert (found.date_from, found.visits) == (TODAY - 31 * DAY, 24)


async def test_one_filter_that_leaves_out_a_few_is_refused(store: Store, shop: Site) -> None:
    await visit_days(store, shop, {0: (20, 3)})
    assert (await ask(store, shop)).visits == 23
    with pytest.raises(TooFewApart, match="the one without device differ by fewer than 10 visits"):
        await ask(store, shop, device="phone")
    with pytest.raises(TooFewVisits, match="fewer than 10 visits fit these filters"):
        await ask(store, shop, device="desktop")
    with pytest.raises(BadParameters, match="viewport_width_min must be one of 480, 768"):
        await ask(store, shop, viewport_width_min="700")


async def test_how_somebody_ended_is_not_told_by_a_count(store: Store, shop: Site) -> None:
    """One who is known to have been there by phone: whether they ordered is theirs alone."""
    await visit_days(store, shop, {0: (1, 20)})
    await run_due(store, NOON)
    told = set()
    for outcome in Outcome:
        with pytest.raises(TooFewVisits) as refused:
            await ask(store, shop, device="phone", outcome=outcome.name.lower())
        told.add((type(refused.value), str(refused.value)))
    assert len(told) == 1


async def test_a_layout_chooses_the_visits_of_its_width(store: Store, shop: Site) -> None:
    page = page_of(shop, "shipping")
    beside = Beside(MapQuery())
    wide = [view_of(n, Device.DESKTOP, CAPTURES[0], 1280) for n in range(12)]
    narrow = [view_of(n, Device.PHONE, CAPTURES[0], 360) for n in range(12, 15)]
    beside.take([*wide, *narrow], lambda view: view.view_id, ())
    assert beside.visits() == 15
    assert beside.visits(width_band(1280)) == 12
    assert beside.visits(width_band(360)) == 3
    async with store.snapshot() as connection:
        want = Want(page, MapQuery(), (TODAY, TODAY))
        days = Days(await grounds_of(connection, shop, [want]), page, MapQuery())
        assert answerable(days, (TODAY, TODAY)) == (TODAY, TODAY)


async def test_a_shop_may_ask_for_more_and_for_no_fewer_than_five(store: Store, shop: Site) -> None:
    await visit_days(store, shop, {0: (6, 0)})
    with pytest.raises(ShopError, match="least_visits"):
        await configure(store, shop, {"least_visits": 4})
    await configure(store, shop, {"least_visits": 6})
    assert (await ask(store, await find_site(store, shop.public_key))).visits == 6
    await configure(store, shop, {"least_visits": 7})
    with pytest.raises(TooFewVisits, match="rests on 6 visits; 1 more"):
        await ask(store, await find_site(store, shop.public_key))


async def test_a_view_told_in_two_ways_is_beside_both(store: Store, shop: Site) -> None:
    """Views of the script alone: with these apart, the form's own would be told by subtraction."""
    numbers = range(1, 31)
    await put_views(store, shop, *(opened(n, visitor=n) for n in numbers))
    script = [batch(n, visitor=n) for n in range(1, 28)]
    await put_rows(store, shop, "batch", script)
    assert (await ask(store, shop, capture="css")).visits == 30
    with pytest.raises(TooFewApart, match="without capture"):
        await ask(store, shop, capture="script")


@pytest.mark.parametrize("sealed", [False, True])
async def test_maps_that_are_read_together_are_those_read_alone(
    store: Store, shop: Site, sealed: bool
) -> None:
    """Found or refused, in whichever order: what is refused takes nothing from the others."""
    await visit_days(store, shop, {5: (12, 3), 3: (20, 0), 1: (14, 12), 0: (30, 11)})
    if sealed:
        await run_due(store, NOON - 4 * DAY)
        await run_due(store, NOON)
    asked: list[dict[str, Any]] = [
        {},
        {"device": "phone"},
        {"device": "desktop", "outcome": "completed"},
        {"viewport_width_min": 700},
        {"date_from": TODAY - DAY},
        {"date_from": TODAY - 4 * DAY, "date_to": TODAY - 3 * DAY},
        {"kind": "scroll", "marks": "folds"},
        {"style": "confetti", "colour_by": "device"},
        {"layout": "00000000000000aa"},
    ]
    pages = [page_of(shop, slug) for slug in ("cart", "shipping")]
    wanted = [(page, MapQuery(**told)) for told in asked for page in pages]
    together = await page_maps(store, shop, wanted, NOON)
    kinds = set()
    for (page, query), found in zip(wanted, together, strict=True):
        kinds.add(type(found).__name__)
        if isinstance(found, PageMap):
            assert _compared(found) == _compared(await page_map(store, shop, page, query, NOON))
            continue
        with pytest.raises(type(found)) as alone:
            await page_map(store, shop, page, query, NOON)
        assert str(alone.value) == str(found)
    assert {"PageMap", "TooFewVisits", "BadParameters", "NotFound"} <= kinds


def _compared(found: PageMap) -> tuple[Any, ...]:
    arrays = found.points, found.point_weights, found.dots, found.dot_colours
    told = summary(found), found.zones, found.classes, found.folds_px, found.of_shop, found.layouts
    return *told, found.boxes, found.depths_px, *(array.tolist() for array in arrays)
