from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from heatmap import overlay, room
from heatmap.page import FloatArray

LARGE = room.LEAST_BYTES


@pytest.fixture(autouse=True)
def nothing_idle(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(room, "_idle", {})
    yield
    gc.collect()  # what a test has left goes to its own store


def at(array: np.ndarray) -> int:
    return int(array.ctypes.data)


def test_memory_that_an_array_leaves_is_lent_again() -> None:
    first = room.empty((LARGE // 4, 2), np.float32)
    place = at(first)
    del first
    assert room.idle_bytes() == 2 * LARGE
    second = room.empty(2 * LARGE - 8, np.uint8)
    assert at(second) == place
    assert room.idle_bytes() == 0


def test_memory_is_not_lent_while_any_view_of_it_lives() -> None:
    first = room.empty((2, LARGE), np.uint8)
    view = first[1].reshape(-1, 2).view(np.uint16)[::3].T
    del first
    view.fill(7)
    second = room.zeros((2, LARGE), np.uint8)
    assert not np.may_share_memory(view, second)
    assert np.all(view == 7)


def test_zeros_are_zeros_where_something_else_was() -> None:
    room.empty(LARGE, np.uint8).fill(9)
    assert room.idle_bytes() == LARGE
    zeros = room.zeros((LARGE // 16,), np.complex128)
    assert zeros.shape == (LARGE // 16,)
    assert zeros.dtype == np.complex128
    assert not zeros.any()


def test_small_arrays_and_much_too_large_pieces_are_left_alone() -> None:
    room.empty(LARGE - 1, np.uint8).fill(1)
    assert room.idle_bytes() == 0
    room.empty(room.LARGEST_SHARE * LARGE + 1, np.uint8).fill(1)
    kept = room.idle_bytes()
    small = room.empty(LARGE, np.uint8)
    assert small.size == LARGE
    assert room.idle_bytes() == kept


def test_what_lies_idle_is_bounded_and_the_longest_idle_goes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "KEPT_BYTES", 3 * LARGE)
    arrays = [room.empty(LARGE, np.uint8) for _ in range(5)]
    places = [at(array) for array in arrays]
    while arrays:
        del arrays[0]
    assert room.idle_bytes() == 3 * LARGE
    again = [room.empty(LARGE, np.uint8) for _ in range(3)]
    assert {at(array) for array in again} == set(places[2:])
    room.empty(4 * LARGE, np.uint8).fill(1)
    assert room.idle_bytes() == 0


def test_threads_never_draw_into_each_others_memory() -> None:
    rng = np.random.default_rng(3)
    crowds: list[FloatArray] = [rng.uniform(0, 400, (30_000, 2)) for _ in range(4)]
    want = [_drawn(crowd) for crowd in crowds]
    got: dict[int, set[bytes]] = {}

    def draw(which: int) -> None:
        got[which] = {_drawn(crowds[which]) for _ in range(4)}

    threads = [threading.Thread(target=draw, args=(which,)) for which in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == {which: {picture} for which, picture in enumerate(want)}


def _drawn(crowd: FloatArray) -> bytes:
    return overlay(crowd, width_px=400, height_px=400, bandwidth_px=5)
