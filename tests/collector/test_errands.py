"""A crowd that asks at once asks once."""

from __future__ import annotations

import asyncio

import pytest

from collector.errands import Errands

pytestmark = pytest.mark.anyio


async def test_who_asks_meanwhile_shares_the_answer_and_who_asks_later_does_not() -> None:
    errands: Errands[int] = Errands()
    runs = 0

    async def work() -> int:
        nonlocal runs
        runs += 1
        mine = runs
        await asyncio.sleep(0)
        return mine

    assert await asyncio.gather(*(errands.run("a", work) for _ in range(5))) == [1] * 5
    assert await errands.run("a", work) == 2
    assert sorted(await asyncio.gather(errands.run("a", work), errands.run("b", work))) == [3, 4]


async def test_all_share_a_failure_and_the_next_tries_anew() -> None:
    errands: Errands[int] = Errands()
    fails = True

    async def work() -> int:
        await asyncio.sleep(0)
        if fails:
            raise ConnectionRefusedError
        return 7

    answers = await asyncio.gather(
        *(errands.run(0, work) for _ in range(3)), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [ConnectionRefusedError] * 3
    fails = False
    assert await errands.run(0, work) == 7


async def test_who_hangs_up_takes_the_errand_from_nobody() -> None:
    errands: Errands[int] = Errands()
    goes_on = asyncio.Event()

    async def work() -> int:
        await goes_on.wait()
        return 7

    first = asyncio.create_task(errands.run(0, work))
    second = asyncio.create_task(errands.run(0, work))
    await asyncio.sleep(0)
    first.cancel()
    goes_on.set()
    assert await second == 7


async def test_a_failure_that_nobody_waits_for_is_no_noise() -> None:
    errands: Errands[int] = Errands()
    fails = asyncio.Event()

    async def work() -> int:
        await fails.wait()
        raise ConnectionRefusedError

    asking = asyncio.create_task(errands.run(0, work))
    await asyncio.sleep(0)
    asking.cancel()
    fails.set()
    # An exception that was never retrieved would be a warning, and warnings are errors here.
    await asyncio.gather(asking, return_exceptions=True)


async def test_who_gives_up_waiting_leaves_the_errand_to_the_others() -> None:
    errands: Errands[int] = Errands()
    goes_on = asyncio.Event()

    async def work() -> int:
        await goes_on.wait()
        return 7

    patient = asyncio.create_task(errands.run(0, work))
    with pytest.raises(TimeoutError):
        await errands.run(0, work, within_s=0.01)
    goes_on.set()
    assert await patient == 7
