"""What is kept by name: answers and refusals alike, of one state of a shop's data."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from app.drawing.keeping import Keeping
from app.drawing.renders import Busy
from app.problems import ApiProblem, TooFewVisits

SHOP = {"shop": 1, "version": 7}


class Asking:
    """Makes an answer, and counts how often it had to."""

    def __init__(self, answer: Callable[[], str]) -> None:
        self.answer, self.times = answer, 0

    async def __call__(self) -> str:
        self.times += 1
        await asyncio.sleep(0)
        return self.answer()


def too_few() -> str:
    raise TooFewVisits(3, 10)


def busy() -> str:
    raise Busy("come back")


def keeping(most_bytes: int = 100) -> Keeping[str]:
    return Keeping(most_bytes, len)


async def test_who_asks_meanwhile_and_later_is_told_the_same_answer() -> None:
    kept, make = keeping(), Asking(lambda: "told")
    at_once = await asyncio.gather(*(kept.get("name", make, **SHOP) for _ in range(3)))
    assert [*at_once, await kept.get("name", make, **SHOP)] == ["told"] * 4
    assert make.times == 1


async def test_a_refusal_is_found_once_too_and_told_in_the_same_words() -> None:
    kept, make = keeping(2_000), Asking(too_few)
    found = []
    for _ in range(3):
        with pytest.raises(TooFewVisits, match="7 more") as problem:
            await kept.get("name", make, **SHOP)
        found.append(problem.value)
    assert make.times == 1
    assert {(one.visits, one.missing) for one in found} == {(3, 7)}


async def test_what_failed_is_tried_again() -> None:
    kept, make = keeping(), Asking(busy)
    for _ in range(2):
        with pytest.raises(Busy):
            await kept.get("name", make, **SHOP)
    assert make.times == 2


@pytest.mark.parametrize("answer", [lambda: "told", too_few])
async def test_nothing_outlives_the_data_that_it_rests_on(answer: Callable[[], str]) -> None:
    kept, make = keeping(2_000), Asking(answer)
    for version in (7, 8, 8, 9):
        await asyncio.gather(
            kept.get("name", make, shop=1, version=version), return_exceptions=True
        )
    assert make.times == 3


async def test_another_shops_data_may_change_meanwhile() -> None:
    kept, make = keeping(), Asking(lambda: "told")
    await kept.get("ours", make, **SHOP)
    await kept.get("theirs", make, shop=2, version=1)
    await kept.get("theirs", make, shop=2, version=2)
    assert (await kept.get("ours", make, **SHOP), make.times) == ("told", 3)


async def test_refusals_take_room_like_answers() -> None:
    """Else whoever asks for ever other filters fills the memory."""
    kept, make = keeping(2_500), Asking(too_few)
    for name in ("a", "b", "c"):
        with pytest.raises(TooFewVisits):
            await kept.get(name, make, **SHOP)
    with pytest.raises(TooFewVisits):
        await kept.get("c", make, **SHOP)
    assert make.times == 3
    with pytest.raises(TooFewVisits):
        await kept.get("a", make, **SHOP)
    assert make.times == 4, "the oldest went"


async def test_of_several_those_that_are_missing_are_made_at_once() -> None:
    kept: Keeping[str] = keeping(5_000)
    made: list[list[str]] = []
    few = TooFewVisits(3, 10)

    async def make(names: list[str]) -> dict[str, str | ApiProblem]:
        made.append(names)
        await asyncio.sleep(0)
        return {name: few if name == "b" else name.upper() for name in names}

    assert await kept.get("a", Asking(lambda: "known"), **SHOP) == "known"
    owners = dict.fromkeys("abc", (1, 7))
    assert kept.lacks(owners) == ["b", "c"]
    first, beside = await asyncio.gather(
        kept.get_all(owners, make), kept.get_all({"c": (1, 7), "d": (2, 1)}, make)
    )
    assert first == {"a": "known", "b": few, "c": "C"}
    assert beside == {"c": "C", "d": "D"}
    assert made == [["b", "c"], ["d"]]
    assert kept.lacks(owners) == []
    with pytest.raises(TooFewVisits):
        await kept.get("b", Asking(lambda: "not asked"), **SHOP)
    newer = dict.fromkeys("abc", (1, 8))
    assert kept.lacks(newer) == ["a", "b", "c"]
    assert await kept.get_all(newer, make) == {"a": "A", "b": few, "c": "C"}


async def test_what_failed_of_several_is_tried_again() -> None:
    kept: Keeping[str] = keeping()

    async def fail(names: list[str]) -> dict[str, str | ApiProblem]:
        raise Busy("come back")

    async def make(names: list[str]) -> dict[str, str | ApiProblem]:
        return dict.fromkeys(names, "told")

    owners = dict.fromkeys("ab", (1, 7))
    with pytest.raises(Busy):
        await kept.get_all(owners, fail)
    await asyncio.sleep(0)
    assert await kept.get_all(owners, make) == {"a": "told", "b": "told"}
