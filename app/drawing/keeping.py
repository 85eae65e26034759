"""Answers by name: what two ask for at once is made once, and what was made last is kept."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from app.problems import ApiProblem

T = TypeVar("T")
REFUSAL_BYTES = 1024
"""What a refusal is counted as: words and a few numbers."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """What took long to find, in somebody's language.

    weight  how much it matters beside others of its shop; text: empty where there is nothing to say
    """

    text: str
    weight: float = 0.0


class Keeping(Generic[T]):
    """Of one kind of answers; a name stands for everything that went into one."""

    def __init__(self, most_bytes: int, size: Callable[[T], int]) -> None:
        self._most_bytes, self._size = most_bytes, size
        self._kept: OrderedDict[str, T | ApiProblem] = OrderedDict()
        self._under_way: dict[str, asyncio.Future[T]] = {}
        self._states: dict[int, int] = {}
        self._owners: dict[str, tuple[int, int]] = {}
        """Shop, and the state of its data that an answer was begun in."""

    async def get(
        self, name: str, make: Callable[[], Awaitable[T]], *, shop: int, version: int
    ) -> T:
        """What is kept under the name, else what `make` makes, for all who ask meanwhile.

        Of a shop only answers of one state of its data are kept: nobody asks for former ones
        again, and what was deleted must not stay. A refusal is an answer too: "too few" takes as
        long to find as what there are enough for.
        """
        self.enter(shop, version)
        if name in self._kept:
            self._kept.move_to_end(name)
            return _told(self._kept[name])
        if name not in self._under_way:
            self._begin(name, make(), shop, version)
        return await asyncio.shield(self._under_way[name])

    async def get_all(
        self,
        owners: Mapping[str, tuple[int, int]],
        make: Callable[[list[str]], Awaitable[Mapping[str, T | ApiProblem]]],
    ) -> dict[str, T | ApiProblem]:
        """Likewise several, of which those that are missing are made at once. Refusals are told,
        not raised: each is that of one answer.

        owners  by name, the shop and the version of its data
        make    of the names of those to be made
        """
        for shop, version in set(owners.values()):
            self.enter(shop, version)
        found = {name: self._kept[name] for name in owners if name in self._kept}
        for name in found:
            self._kept.move_to_end(name)
        rest = [name for name in owners if name not in found]
        missing = [name for name in rest if name not in self._under_way]
        if missing:
            together = asyncio.ensure_future(make(missing))
            for name in missing:
                self._begin(name, _part(together, name), *owners[name])
        for name, task in [(name, self._under_way[name]) for name in rest]:
            try:
                found[name] = await asyncio.shield(task)
            except ApiProblem as problem:
                found[name] = problem
        return found

    def lacks(self, owners: Mapping[str, tuple[int, int]]) -> list[str]:
        """Names that would have to be made now."""
        return [
            name
            for name, (shop, version) in owners.items()
            if self._states.get(shop) != version
            or (name not in self._kept and name not in self._under_way)
        ]

    def enter(self, shop: int, version: int) -> None:
        """What was made of another state of the shop's data goes."""
        if self._states.get(shop) != version:
            self._states[shop] = version
            self._let_go(shop)

    def _begin(self, name: str, making: Awaitable[T], shop: int, version: int) -> None:
        task = asyncio.ensure_future(making)
        self._under_way[name] = task
        self._owners[name] = shop, version
        task.add_done_callback(partial(self._finish, name))

    def _finish(self, name: str, task: asyncio.Future[T]) -> None:
        del self._under_way[name]
        shop, version = self._owners[name]
        found = _outcome(task)
        if found is None or self._states[shop] != version:
            del self._owners[name]
            return
        self._kept[name] = found
        while sum(map(self._bytes, self._kept.values())) > self._most_bytes:
            oldest, _ = self._kept.popitem(last=False)
            del self._owners[oldest]

    def _bytes(self, kept: T | ApiProblem) -> int:
        return REFUSAL_BYTES if isinstance(kept, ApiProblem) else self._size(kept)

    def _let_go(self, shop: int) -> None:
        for name in [name for name in self._kept if self._owners[name][0] == shop]:
            del self._kept[name], self._owners[name]


async def _part(together: asyncio.Future[Mapping[str, T | ApiProblem]], name: str) -> T:
    """One answer of several that are made at once."""
    found = (await asyncio.shield(together))[name]
    return _told(found)


def _outcome(task: asyncio.Future[T]) -> T | ApiProblem | None:
    """What it came to; None where it failed, for it may not the next time."""
    if task.cancelled():
        return None
    problem = task.exception()
    if problem is None:
        return task.result()
    return problem if isinstance(problem, ApiProblem) else None


def _told(kept: T | ApiProblem) -> T:
    if isinstance(kept, ApiProblem):
        # Without the way it took when it was found: else it grows with each who hears it.
        raise kept.with_traceback(None)
    return kept
