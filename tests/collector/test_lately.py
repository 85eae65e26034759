"""What is remembered for a while, and no more of it than was meant."""

from __future__ import annotations

import asyncio

import pytest

from collector.lately import Lately

pytestmark = pytest.mark.anyio
LONG_S = 3600.0


async def test_the_latest_are_held_and_never_more_than_was_meant() -> None:
    held: Lately[int, str] = Lately(8, LONG_S)
    for number in range(100):
        held.put(number, str(number))
        assert held.get(number) == str(number)
        assert len(held) <= 8
    assert [held.get(number) for number in range(96, 100)] == ["96", "97", "98", "99"]
    assert held.get(0) is None


async def test_what_is_not_asked_for_is_forgotten_all_the_same() -> None:
    held: Lately[str, int] = Lately(8, 0.01)
    held.put("a", 1)
    assert held.get("a") == 1
    async with asyncio.timeout(5):
        while len(held):
            await asyncio.sleep(0.01)
    held.put("b", 2)
    assert (held.get("a"), held.get("b")) == (None, 2)


async def test_what_is_put_again_is_the_newer_one() -> None:
    held: Lately[str, int] = Lately(4, LONG_S)
    for number in range(9):
        held.put("a", number)
        held.put(f"b{number}", number)
    assert held.get("a") == 8
