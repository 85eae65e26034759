"""What is held while two cohorts are compared: of what tells them apart nothing can be."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from app.contrasting.asked import ZonesQuery
from app.contrasting.question import Question, ask
from app.contrasting.zones import ZoneAnswer, zone_answer
from app.drawing.renders import Alone
from app.store import Store
from collector.codes import Browser, Channel, Device, Outcome, System
from tests.app.derived import Came, put_came
from tests.build import make_shop
from tests.conftest import NOON

TODAY = NOON.date()
DAY = timedelta(days=1)
DAYS = 22
CHANGED = TODAY - 7 * DAY
"""A Wednesday, and so within a week."""

STALL = 2


def crowd(slow: Any, each: int = 26) -> Iterator[Came]:
    """Visits of every kind; those that are `slow` dwell four times as long at the second zone."""
    draw = random.Random(7)
    for n in range(each * DAYS):
        phone = draw.random() < 0.6
        came: dict[str, Any] = {
            "day": TODAY - (DAYS - 1 - n // each) * DAY,
            "outcome": draw.choice((Outcome.ABANDONED, Outcome.COMPLETED)),
            "device": Device.PHONE if phone else Device.DESKTOP,
            "os": System.IOS if phone else System.WINDOWS,
            "browser": draw.choice((Browser.CHROME, Browser.SAFARI)),
            "channel": draw.choice((Channel.SEARCH, Channel.SOCIAL)),
            "variant": draw.choice((1, 2)),
        }
        dwell = {zone: draw.lognormvariate(0.7, 0.7) for zone in (1, STALL, 3)}
        dwell[STALL] *= 4 if slow(came) else 1
        yield Came(**came, dwell_s=dwell)


async def asked(store: Store, slow: Any, a: str, b: str) -> tuple[Question, ZoneAnswer]:
    site = await make_shop(store, NOON - (DAYS - 1) * DAY)
    page = site.pages["shipping"]
    await put_came(store, site, page, crowd(slow))
    question = await ask(store, site, page, ZonesQuery(a=a, b=b), NOON)
    return question, await zone_answer(question, Alone())


def called(answer: ZoneAnswer) -> list[int]:
    return [zone.number for zone in answer.zones if zone.significant]


@pytest.mark.parametrize(
    ("a", "b", "slow", "held"),
    [
        (
            "outcome:abandoned",
            "outcome:completed",
            lambda came: came["outcome"] is Outcome.ABANDONED,
            ("device", "week"),
        ),
        ("variant:1", "variant:2", lambda came: came["variant"] == 1, ("device", "week")),
        (
            "channel:search",
            "channel:social",
            lambda came: came["channel"] == Channel.SEARCH,
            ("device", "week"),
        ),
        (
            "browser:chrome",
            "browser:safari",
            lambda came: came["browser"] == Browser.CHROME,
            ("device", "week"),
        ),
        ("device:phone", "device:desktop", lambda came: came["os"] == System.IOS, ("week",)),
        ("os:ios", "os:windows", lambda came: came["os"] == System.IOS, ("week",)),
        (
            f"date_from:{CHANGED}",
            f"date_to:{CHANGED - DAY}",
            lambda came: came["day"] >= CHANGED,
            ("device",),
        ),
        (
            f"device:phone,date_from:{CHANGED}",
            f"device:desktop,date_to:{CHANGED - DAY}",
            lambda came: came["os"] == System.IOS,
            (),
        ),
    ],
)
async def test_any_two_cohorts_are_contrasted_and_what_tells_them_apart_is_not_held(
    store: Store, a: str, b: str, slow: Any, held: tuple[str, ...]
) -> None:
    question, answer = await asked(store, slow, a, b)
    assert question.held == held
    assert called(answer) == [STALL]
    assert min(answer.judged_visits) >= 100


async def test_what_a_week_or_a_device_does_is_not_taken_for_the_cohorts(store: Store) -> None:
    """Phones dwell longer, and more of those who abandon hold one: held, that is no difference."""
    _, answer = await asked(
        store,
        lambda came: came["device"] is Device.PHONE,
        "outcome:abandoned",
        "outcome:completed",
    )
    assert called(answer) == []
