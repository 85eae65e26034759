"""What a shop of forty checkout visits a day is told on days 1, 3, 10, 30 and 90, word for word.

A run with GLOED_TEST_GOLDEN=rewrite rewrites the text: the change is then read by eye.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from app.contrasting.asked import ZonesQuery
from app.contrasting.question import question_of
from app.contrasting.schedule import asked_since
from app.contrasting.truth import LabelTruth
from app.contrasting.zones import ZoneAnswer, zone_answer
from app.drawing.renders import Alone
from app.pages.reading.finding import finding
from app.pages.reading.standing import steps, truth, verdict
from app.pages.reading.telling import Telling
from app.pages.words import WORDS
from collector.codes import Device, Outcome
from tests.app.build import SHOP
from tests.app.derived import Came, in_memory
from tests.conftest import NOON

GOLDEN = Path(__file__).parents[1] / "golden" / "small-shop.txt"
FIRST = NOON - timedelta(days=89)
DAYS = (1, 3, 10, 30, 90)
A_DAY = 40
ORDERS, MATCHED = 20, 17
"""A day, as the shop's server reports them."""

STALL, OTHERS = 2, (1, 3)
RATIO = 2.0
LANGUAGES = ("en", "nl")
SHOPS = 5


def visits_of(day: int, seed: int, ratio: float, a_day: int) -> Iterator[Came]:
    """Forty on a day: most on a phone, half of them complete, and all very different."""
    draw = random.Random(seed * 1_000 + day)
    for _ in range(a_day):
        gone = draw.random() < 0.5
        busy = draw.lognormvariate(0.8, 0.8)
        dwell = {zone: busy * draw.lognormvariate(0, 0.6) for zone in (STALL, *OTHERS)}
        dwell[STALL] *= ratio if gone else 1
        yield Came(
            day=FIRST.date() + timedelta(days=day),
            outcome=Outcome.ABANDONED if gone else Outcome.COMPLETED,
            device=Device.PHONE if draw.random() < 0.75 else Device.DESKTOP,
            dwell_s={zone: min(s, 30) for zone, s in dwell.items()},
            facts=[(draw.choice((1, 2, 3)), "h", 5_000)],
        )


async def answered(seed: int, day: int, ratio: float = RATIO, *, a_day: int = A_DAY) -> ZoneAnswer:
    """What is asked on a day, of all visits up to it."""
    today = FIRST.date() + timedelta(days=day - 1)
    since = asked_since(FIRST.date(), today)
    begun = (since - FIRST.date()).days
    came = [one for n in range(begun, day) for one in visits_of(n, seed, ratio, a_day)]
    page = SHOP.pages["shipping"]
    question = question_of(
        replace(SHOP, state="live"),
        page,
        ZonesQuery(),
        (since, today),
        today,
        in_memory(page, came),
        (),
        LabelTruth(ORDERS * (day - begun), MATCHED * (day - begun)),
        goal=True,
    )
    return await zone_answer(question, Alone())


def told(answer: ZoneAnswer, language: str) -> Iterator[str]:
    telling = Telling(answer.question, WORDS[language])
    yield finding(telling, answer)
    yield verdict(telling)
    yield truth(telling)
    for row in answer.zones:
        yield f"- {row.name}: {telling.times(row)}, {telling.confidence(row)}"
    for step in steps(telling):
        yield f"{'*' if step.present else ' '} {step.name}: {step.on}"


async def test_a_small_shop_is_told_what_its_visits_allow() -> None:
    lines = []
    for day in DAYS:
        answer = await answered(1, day)
        for language in LANGUAGES:
            lines += [f"Day {day}, {language}", *told(answer, language), ""]
    said = "\n".join(lines)
    if os.environ.get("GLOED_TEST_GOLDEN") == "rewrite":
        GOLDEN.write_text(said, encoding="utf-8")
    assert said.splitlines() == GOLDEN.read_text(encoding="utf-8").splitlines()


async def test_twice_the_dwell_is_named_by_day_thirty_on_the_median_run() -> None:
    """And in no run before the first complete week is over."""
    named = 0
    for seed in range(SHOPS):
        assert not any(zone.significant for zone in (await answered(seed, 7)).zones)
        called = [z.number for z in (await answered(seed, 30)).zones if z.significant]
        named += called == [STALL]
    assert named > SHOPS / 2


async def test_where_nothing_differs_no_verdict_of_two_months_names_anything() -> None:
    """One look a week sees them all: within a week they stand still."""
    looks = [await answered(SHOPS + 1, day, ratio=1.0) for day in range(3, 61, 7)]
    assert not any(zone.significant for answer in looks for zone in answer.zones)
    assert len({answer.question.verdict.until for answer in looks}) == 9
