"""The processes that draw: bounded, and replaced when one is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from app.drawing.renders import WAITING, Busy, Renders


def _number() -> int:
    return os.getpid()


def _wait_for(path: Path) -> int:
    while not path.exists():
        time.sleep(0.01)
    return os.getpid()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def test_pictures_are_drawn_in_another_process() -> None:
    renders = Renders(1)
    try:
        assert await renders.run(_number) != os.getpid()
    finally:
        renders.close()


def test_the_line_is_bounded_and_a_place_is_given_back() -> None:
    renders = Renders(2)
    places = [renders.place() for _ in range(2 + WAITING)]
    for place in places:
        place.__enter__()
    with pytest.raises(Busy), renders.place():
        pass
    places[0].__exit__(None, None, None)
    with renders.place():
        pass


async def test_a_drawing_process_does_not_hear_what_a_terminal_tells_to_all() -> None:
    renders = Renders(1)
    try:
        pid = await renders.run(_number)
        os.kill(pid, signal.SIGINT)
        assert await renders.run(_number) == pid
    finally:
        renders.close()


async def test_a_killed_process_fails_its_own_picture_and_not_the_next(tmp_path: Path) -> None:
    renders = Renders(1)
    try:
        first = await renders.run(_number)
        with pytest.raises(Busy, match="ask again"):
            await renders.run(_die)
        assert await renders.run(_number) != first
    finally:
        renders.close()


async def test_whoever_notices_a_dead_pool_late_leaves_the_new_one_alone(tmp_path: Path) -> None:
    """Several wait for one pool when it breaks; by the last one's turn others draw again."""
    renders = Renders(1)
    gate = tmp_path / "gate"
    try:
        pid = await renders.run(_number)
        waiting = [asyncio.create_task(renders.run(_wait_for, gate)) for _ in range(4)]
        await asyncio.sleep(0.05)
        os.kill(pid, signal.SIGKILL)
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        fresh = asyncio.create_task(renders.run(_wait_for, gate))
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(result) for result in results} == {Busy}
        assert done
        gate.touch()
        assert await fresh != pid
    finally:
        gate.touch()
        renders.close()
