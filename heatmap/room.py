"""Memory that one drawing leaves to the next.

Memory that is fresh from the system is slow: it is cleared, and told to the processor page by page
as it is touched first, which takes longer than drawing into it. Up to a third of a drawing's time
was that, because allocators give large pieces back at once. So what arrays leave behind is kept
here, up to a limit, and lent again.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

KEPT_BYTES = 1 << 26
"""Memory that may lie idle: what a map of the usual size takes in all, 64 MB."""

LEAST_BYTES = 1 << 17
"""Smaller arrays are left to the allocator, which keeps them by itself."""

LARGEST_SHARE = 2
"""Pieces so many times as large as is asked for are left to those who need them."""

Memory = NDArray[np.uint8]

_idle: dict[int, Memory] = {}
"""By identity, in the order in which they were left: single steps on it are safe among threads."""


class _Lent:
    """Holds a piece of memory for as long as an array, or any view of one, lies in it."""

    __slots__ = ("__array_interface__", "_memory")

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.__array_interface__ = memory.__array_interface__

    def __del__(self) -> None:
        _leave(self._memory)


def empty(shape: int | tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Give an array of any content, as `numpy.empty` does; its memory is kept once it is gone."""
    kind = np.dtype(dtype)
    size = math.prod(shape if isinstance(shape, tuple) else (shape,)) * kind.itemsize
    if size < LEAST_BYTES:
        return np.empty(shape, kind)
    memory = np.asarray(_Lent(_found(size)))
    return memory[:size].view(kind).reshape(shape)


def zeros(shape: int | tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Give an array of zeros, as `numpy.zeros` does; see `empty`."""
    array = empty(shape, dtype)
    array.fill(0)
    return array


def idle_bytes() -> int:
    """Count the bytes that are kept and not lent."""
    return sum(memory.size for memory in list(_idle.values()))


def _found(size: int) -> Memory:
    """Give the smallest piece that is large enough, or a new one."""
    sizes = [(memory.size, key) for key, memory in list(_idle.items())]
    for found, key in sorted(sizes):
        if size <= found <= LARGEST_SHARE * size:
            memory = _idle.pop(key, None)  # another thread may have been faster
            if memory is not None:
                return memory
    return np.empty(size, dtype=np.uint8)


def _leave(memory: Memory) -> None:
    """Keep a piece, and let go of those that were left longest ago if they are too much."""
    if memory.size > KEPT_BYTES:
        return
    _idle[id(memory)] = memory
    while idle_bytes() > KEPT_BYTES:
        oldest = next(iter(list(_idle)), None)
        if oldest is not None:
            _idle.pop(oldest, None)
