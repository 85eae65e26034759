"""Simulated visitors: the same ones every time, and nothing that a style sheet could not ask."""

from __future__ import annotations

from collections import Counter
from datetime import date
from ipaddress import ip_address, ip_network
from random import Random
from zoneinfo import ZoneInfo

import pytest

from app.demo.checkout import CHECKOUT, SHIPPING_PAGE, STALL_ZONE, checkout_page
from app.demo.gestures import Act, beacons
from app.demo.people import DEVICES, Device, Ending, Person, people_of
from app.demo.pictures import sheet
from app.demo.walks import Stop, stops_of
from collector.agents import read_agent
from collector.codes import Device as DeviceCode
from collector.sites import Page
from collector.wire import BEACON_NAME
from snippets.sheet import stylesheet

ZONE = ZoneInfo("Europe/Amsterdam")
DAY = date(2026, 11, 18)
VIEWPORT_PX = (390, 660)
DOCUMENTATION = [
    ip_network(text)
    for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]


def _people(days: int = 20) -> list[Person]:
    return [person for n in range(days) for person in people_of(DAY, ZONE, Random(n))]


def _walks() -> list[tuple[Person, list[Stop]]]:
    rng = Random(5)
    return [(person, stops_of(person, sheet, rng)) for person in _people(5)]


def _device(*, phone: bool, timelines: bool = True) -> Device:
    return next(d for d in DEVICES if (d.phone, d.timelines) == (phone, timelines))


def _names(acts: list[Act], *, phone: bool, timelines: bool = True) -> dict[str, float]:
    told = beacons(acts, _device(phone=phone, timelines=timelines), VIEWPORT_PX)
    assert len({name for _, name in told}) == len(told), "a browser asks for one URL once"
    return {name: at for at, name in told}


def test_the_same_seed_brings_the_same_people() -> None:
    assert people_of(DAY, ZONE, Random(1)) == people_of(DAY, ZONE, Random(1))
    assert people_of(DAY, ZONE, Random(1)) != people_of(DAY, ZONE, Random(2))


def test_seven_in_ten_hold_a_phone_and_some_pay_from_another_address() -> None:
    people = _people()
    phones = [person for person in people if person.device.phone]
    moved = [person for person in phones if person.pays_from != person.address]
    assert 0.65 < len(phones) / len(people) < 0.75
    assert 0.15 < len(moved) / len(phones) < 0.35


def test_addresses_are_those_of_documentation_and_shared_by_nobody() -> None:
    for seed in range(5):
        people = people_of(DAY, ZONE, Random(seed))
        used = [a for p in people for a in {p.address, p.pays_from}]
        assert len(set(used)) == len(used)
        assert all(any(ip_address(a) in network for network in DOCUMENTATION) for a in used)


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.agent[-40:])
def test_every_browser_is_taken_for_what_it_is(device: Device) -> None:
    agent = read_agent(device.agent)
    assert not agent.bot
    assert agent.device == (DeviceCode.PHONE if device.phone else DeviceCode.DESKTOP)


def test_everything_asked_for_stands_in_the_pages_sheet() -> None:
    pages = {
        page.slug: stylesheet(
            Page(1, page.slug, page.title, page.phase, page.goal, None, page.zones)
        ).css.decode()
        for page in CHECKOUT
    }
    for _, stops in _walks():
        for stop in stops:
            for _, name in stop.told:
                assert BEACON_NAME.match(name), name
                assert f"url({name})" in pages[stop.page], name


def test_beacons_come_while_the_page_is_open_and_after_it_was_seen() -> None:
    for _, stops in _walks():
        for stop in stops:
            assert all(1.0 <= at <= stop.lasts_s for at, _ in stop.told)


def test_those_who_abandon_at_the_shipping_rest_on_its_price_and_others_do_not() -> None:
    stall = checkout_page(SHIPPING_PAGE).zone(STALL_ZONE).number
    rested: dict[bool, list[bool]] = {True: [], False: []}
    for person, stops in _walks():
        for stop in stops:
            if stop.page == SHIPPING_PAGE:
                abandons = person.ending is Ending.SHIPPING
                names = {name for _, name in stop.told}
                rested[abandons].append(f"{stall}.h10" in names)
    assert all(rested[True])
    assert not any(rested[False])
    assert len(rested[True]) > 50 < len(rested[False])


def test_a_walk_ends_where_its_person_gives_up() -> None:
    for person, stops in _walks():
        last = Ending.HANDED_OVER.value if person.ending is Ending.HANDED_OVER else None
        assert stops[-1].page == (last or person.ending.value)


def test_all_endings_occur() -> None:
    assert set(Counter(person.ending for person in _people())) == set(Ending)


def test_a_clock_adds_up_over_visits_and_speaks_at_its_thresholds() -> None:
    acts = [Act(1.5), Act(1.5, zone=3), Act(2.0), Act(4.0, zone=3)]
    names = _names(acts, phone=False)
    assert names["3.h"] == 1.5
    assert names["3.h1"] == pytest.approx(2.5)
    assert names["3.h2"] == pytest.approx(5.5)
    assert names["3.h5"] == pytest.approx(8.5)
    assert "3.h10" not in names


def test_a_phones_hover_stays_where_it_last_tapped() -> None:
    acts = [Act(1.5), Act(0.5, zone=2, press=True), Act(6.0), Act(3.0, zone=1, press=True)]
    assert "2.h5" in _names(acts, phone=True)
    assert "2.h1" not in _names(acts, phone=False)


def test_a_tap_elsewhere_takes_the_focus_away() -> None:
    acts = [
        Act(1.5),
        Act(1.5, zone=1, press=True, field=True),
        Act(5.0, zone=2, press=True),
    ]
    names = _names(acts, phone=True)
    assert {"1.f", "1.f1"} <= names.keys()
    assert "1.f2" not in names
    assert "2.f" not in names


def test_a_press_on_the_empty_page_ends_hover_and_focus() -> None:
    acts = [Act(1.5), Act(1.5, zone=1, press=True, field=True), Act(5.0, press=True)]
    for phone in (True, False):
        names = _names(acts, phone=phone)
        assert {"1.f1", "1.h1"} <= names.keys()
        assert not {"1.f2", "1.h2"} & names.keys()


def test_presses_count_up_to_the_last_level() -> None:
    names = _names([Act(1.5), *[Act(0.5, zone=1, press=True)] * 6], phone=True)
    assert [name for name in names if ".p" in name] == ["1.p1", "1.p2", "1.p3", "1.p4"]


def test_scrolling_down_passes_each_mark_once_and_brings_bands_into_view() -> None:
    acts = [Act(1.5), Act(2.5, scroll_px=350), Act(1.0), Act(1.0, scroll_px=420)]
    names = _names(acts, phone=True)
    assert [name for name in names if name[0] == "y"] == ["y100", "y200", "y300", "y400"]
    assert {"b0.2", "b1.2", "b2.2"} <= names.keys()
    assert "b3.1" not in names


def test_an_engine_without_timelines_tells_of_neither_scrolling_nor_bands() -> None:
    names = _names([Act(1.5), Act(4.0, scroll_px=300)], phone=True, timelines=False)
    assert not [name for name in names if name[0] in "yb"]
    assert "t5" in names


def test_the_viewport_is_told_in_its_buckets_after_a_second() -> None:
    names = _names([Act(1.5)], phone=True)
    assert {"w360", "g640", "coarse", "hidpi"} <= names.keys()
    assert names["w360"] == 1.0
    assert "w360" not in _names([Act(0.9)], phone=True)
