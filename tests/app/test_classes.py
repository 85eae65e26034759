"""Dots in the colours of a filter's values: who is in which class, and what a live shop tells."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.configuration import LEAST_VISITS
from app.folding.seen import Seen
from app.jobs import run_due
from app.mapping.beside import Beside
from app.mapping.classes import CODED, REST, Classes, DotClass
from app.mapping.filters import MapQuery
from app.mapping.maps import page_map
from app.mapping.page_map import PageMap
from app.mapping.small_numbers import FILTERS, refusal
from app.mapping.sources import RAW_GONE
from app.problems import BadParameters
from app.store import Store
from collector.codes import Browser, Codes, Device, width_band
from collector.sites import Site
from tests.app.build import batch, put_rows, seen_view
from tests.build import make_shop, page_of
from tests.conftest import NOON

DAY = timedelta(days=1)
TODAY = date(2026, 11, 18)
DOTTED = {"kind": "click", "style": "confetti"}


def view_of(number: int, device: Device, browser: Browser, day: date = TODAY) -> Seen:
    codes = Codes(device=device, browser=browser, band=width_band(1280))
    return seen_view(number, codes, day, 1280)


def by_name(classes: Iterable[DotClass], by: str = "device") -> dict[str | None, int]:
    return {told.name(by): told.visits for told in classes}


def classes_of(
    views: Iterable[Seen], least: int = LEAST_VISITS, beside: Iterable[Seen] = (), **asked: Any
) -> tuple[DotClass, ...]:
    query = MapQuery(**{**DOTTED, "colour_by": "device", **asked})
    classes = Classes(query, query.colour_by or "", least=least)
    classes.take(views, lambda view: view.view_id, ())
    classes.take_beside(beside, lambda view: view.view_id, ())
    return classes.told()


def crowd(counts: dict[Device, int], day: date = TODAY) -> list[Seen]:
    kinds = [device for device, n in counts.items() for _ in range(n)]
    return [view_of(n, device, Browser.CHROME, day) for n, device in enumerate(kinds)]


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ((12, 30, 0), {"desktop": 12, "phone": 30}),
        ((12, 30, 4), {"phone": 30, None: 16}),
        ((12, 30, 10), {"desktop": 12, "phone": 30, "tablet": 10}),
        ((4, 30, 6), {"phone": 30, None: 10}),
        ((30, 4, 0), {None: 34}),
        ((0, 30, 0), {"phone": 30}),
    ],
)
def test_a_class_of_few_visits_is_joined_and_the_smallest_of_the_others_with_it(
    counts: tuple[int, ...], told: dict[str | None, int]
) -> None:
    """Else the rest, of all but those that are told, would tell of the few."""
    views = crowd(dict(zip((Device.DESKTOP, Device.PHONE, Device.TABLET), counts, strict=True)))
    assert by_name(classes_of(views)) == told


def test_on_trial_every_class_is_told() -> None:
    told = classes_of(crowd({Device.DESKTOP: 1, Device.PHONE: 3}), least=0)
    assert by_name(told) == {"desktop": 1, "phone": 3}


def test_a_class_that_a_day_more_would_tell_of_few_is_joined() -> None:
    counts = {Device.DESKTOP: 20, Device.PHONE: 30, Device.TABLET: 40}
    before = crowd({Device.DESKTOP: 3, Device.PHONE: 10}, TODAY - DAY)
    told = by_name(classes_of(crowd(counts), beside=before))
    assert told == {"tablet": 40, None: 50}


def test_a_value_has_the_same_colour_whoever_else_is_there() -> None:
    """What is not known has the last, so that the first, which differ most, are of what is."""
    alone = classes_of(crowd({Device.PHONE: 12}))
    among = classes_of(crowd({Device.DESKTOP: 50, Device.PHONE: 30, Device.UNKNOWN: 12}))
    assert [told.colour for told in alone] == [1]
    assert [(told.name("device"), told.colour) for told in among] == [
        ("desktop", 0),
        ("phone", 1),
        ("unknown", 3),
    ]
    assert all(len(kind) <= REST for kind in CODED.values())
    assert {*CODED, "variant"} <= set(FILTERS)


def test_more_variants_than_colours_are_joined_from_the_smallest() -> None:
    views: list[Seen] = []
    for variant in range(12):
        for _ in range(variant + 1):
            view = view_of(len(views), Device.PHONE, Browser.CHROME)
            views.append(view)
            view.codes = Codes(device=Device.PHONE, variant=variant)
    told = classes_of(views, least=0, colour_by="variant")
    expected: dict[str | None, int] = {str(n): n + 1 for n in range(5, 12)}
    assert by_name(told, "variant") == {**expected, None: 15}
    assert [one.colour for one in told] == list(range(8))


CROWDS = st.lists(
    st.tuples(
        st.sampled_from(Device),
        st.sampled_from((Browser.CHROME, Browser.SAFARI)),
        st.sampled_from((0, 0, -1, 1)),
        st.integers(1, 14),
    ),
    max_size=8,
)
"""Kinds of views, the day they were opened on, and how many visits had each."""


@settings(max_examples=60)
@given(CROWDS, st.sampled_from((None, "chrome")))
def test_no_class_tells_what_a_map_of_it_alone_would_not(
    crowds: list[tuple[Device, Browser, int, int]], browser: str | None
) -> None:
    """And no two of neighbouring maps tell of fewer than ten, in any class or in the rest."""
    views: list[Seen] = []
    for device, of, days, n in crowds:
        for _ in range(n):
            views.append(view_of(len(views), device, of, TODAY + days * DAY))
    here = [view for view in views if view.day == TODAY]
    away = [view for view in views if view.day != TODAY]
    told = classes_of(here, beside=away, browser=browser)
    chosen = [view for view in here if browser is None or view.codes.browser == Browser.CHROME]
    assert sum(one.visits for one in told) == len(chosen)
    for one in told[: -1 if told and told[-1].code is None else None]:
        alone = MapQuery(kind="click", browser=browser, device=one.name("device"))
        beside = Beside(alone)
        beside.take(here, lambda view: view.view_id, ())
        assert beside.visits() == one.visits >= LEAST_VISITS
        assert refusal(beside.apart(), LEAST_VISITS) is None
    if len(told) > 1 and told[-1].code is None:
        own = {one.code for one in told}
        rest = [view for view in views if view.codes.device not in own]
        fits = [view for view in rest if browser is None or view.codes.browser == Browser.CHROME]
        for day in (TODAY - DAY, TODAY + DAY):
            assert not 0 < sum(view.day == day for view in fits) < LEAST_VISITS
        assert not 0 < sum(view.day == TODAY for view in rest) - told[-1].visits < LEAST_VISITS
        assert told[-1].visits >= LEAST_VISITS


def test_only_dots_have_classes_and_not_of_what_is_chosen_already() -> None:
    with pytest.raises(ValueError, match="ask for style confetti"):
        MapQuery(colour_by="device")
    with pytest.raises(ValueError, match="all dots are of one device"):
        MapQuery(**DOTTED, device="phone", colour_by="device")


async def clicks(store: Store, site: Site, by_device: dict[Device, int], at: datetime) -> None:
    """A click of each visit, 100 px further to the right for each device."""
    rows, number = [], 0
    for place, (device, n) in enumerate(by_device.items()):
        for _ in range(n):
            number += 1
            spot = {"x": 100 + 100 * place, "y": 300}
            rows.append(batch(number, 0, at, clicks=[spot], visitor=number, device=int(device)))
    await put_rows(store, site, "batch", rows)


async def ask(store: Store, site: Site, **asked: Any) -> PageMap:
    query = MapQuery(**{**DOTTED, "colour_by": "device", **asked})
    return await page_map(store, site, page_of(site, "shipping"), query, NOON)


def dots_at(found: PageMap) -> dict[int, int]:
    """By the x of a place the colour of the dots there."""
    return dict(zip(found.dots[:, 0].tolist(), found.dot_colours.tolist(), strict=True))


async def test_dots_of_a_live_shop_have_the_colours_of_those_that_may_be_told(
    store: Store,
) -> None:
    site = await make_shop(store, NOON - 30 * DAY, live=True)
    crowd = {Device.PHONE: 25, Device.DESKTOP: 12, Device.TABLET: 3}
    await clicks(store, site, crowd, NOON - timedelta(hours=1))
    found = await ask(store, site)
    assert [(one.name("device"), dots) for one, dots in found.class_dots] == [
        ("phone", 25),
        (None, 15),
    ]
    assert dots_at(found) == {100: 1, 200: REST, 300: REST}
    plain = await ask(store, site, colour_by=None)
    assert plain.classes == ()
    assert set(dots_at(plain).values()) == {0}
    by_browser = await ask(store, site, colour_by="browser")
    assert [one.visits for one in by_browser.classes] == [40]


@pytest.mark.parametrize("aggregation", ["total_count", "unique_visits"])
async def test_closed_days_are_told_by_class_as_long_as_their_rows_are_there(
    store: Store, aggregation: str
) -> None:
    site = await make_shop(store, NOON - 30 * DAY)
    await clicks(store, site, {Device.PHONE: 2, Device.DESKTOP: 1}, NOON - 5 * DAY)
    await run_due(store, NOON - 4 * DAY)
    await run_due(store, NOON)
    assert await store.fetchval("SELECT count(*) FROM tile")
    found = await ask(store, site, aggregation=aggregation)
    assert dots_at(found) == {100: 1, 200: 0}
    told = await ask(store, site, colour_by="outcome", aggregation=aggregation)
    assert by_name(told.classes, "outcome") == {"abandoned": 3}
    await store.execute(
        "INSERT INTO job (name, site_id, period, state, tries) VALUES ($1, $2, $3, 'done', 0)",
        RAW_GONE,
        site.site_id,
        (NOON - 5 * DAY).date(),
    )
    with pytest.raises(BadParameters, match="only sums by band"):
        await ask(store, site, date_from=(NOON - 6 * DAY).date())
    assert (await ask(store, site)).classes == ()


async def test_a_visit_that_is_not_closed_yet_is_of_the_rest(store: Store) -> None:
    site = await make_shop(store, NOON - 30 * DAY)
    await clicks(store, site, {Device.PHONE: 2}, NOON - timedelta(hours=1))
    found = await ask(store, site, colour_by="outcome")
    assert [(one.name("outcome"), dots) for one, dots in found.class_dots] == [(None, 2)]
