"""A small fuzzer of our own, for where atheris is not had: inputs that reach new lines are kept and
changed further.

It is some tens of times slower than libFuzzer, as Python's own tracing tells it what was reached,
and needs nothing but Python. Same targets, same corpus, same seeds; a run is a seed's alone.
"""

from __future__ import annotations

import hashlib
import os
import random
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

Edge = tuple[CodeType, int, int]
"""From which line to which, within one function."""

INTERESTING = (0, 1, 7, 8, 16, 31, 32, 63, 64, 127, 128, 192, 254, 255)
TOKENS = (
    b"null",
    b"1e999",
    b"-1",
    b"NaN",
    b"\xed\xa0\x80",
    b"%00",
    b"%25",
    b"//",
    b"\r\n",
    b"[[",
    b"{}",
)
MOST_CHANGES = 6
SLOWEST_S = 5.0


@dataclass(slots=True)
class Run:
    """What one target's minutes came to."""

    tried: int = 0
    edges: set[Edge] = field(default_factory=set)
    corpus: list[bytes] = field(default_factory=list)


class Reached:
    """Traces the lines of our own files that are run while it is entered."""

    def __init__(self, roots: Iterable[str]) -> None:
        self._roots = tuple(roots)
        self._ours: dict[CodeType, bool] = {}
        self.edges: set[Edge] = set()
        self._before: Any = None
        """What measures the tests' own coverage, where that is asked for."""

    def __enter__(self) -> Reached:
        self.edges = set()
        self._before = sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _call(self, frame: FrameType, _event: str, _told: Any) -> Any:
        code = frame.f_code
        if code not in self._ours:
            self._ours[code] = code.co_filename.startswith(self._roots)
        if not self._ours[code]:
            return None
        before = 0

        def line(at: FrameType, event: str, _told: Any) -> Any:
            nonlocal before
            if event == "line":
                self.edges.add((code, before, at.f_lineno))
                before = at.f_lineno
            return line

        return line


def drive(
    target: Callable[[bytes], None],
    seeds: Iterable[bytes],
    *,
    seconds: float,
    roots: Iterable[str],
    longest: int,
    seed: int = 7,
) -> Run:
    """Raises what the target raises, with the input as a note, and TimeoutError for a slow one."""
    chance, run, reached = random.Random(seed), Run(), Reached(roots)
    waiting = list(seeds)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        raw = waiting.pop() if waiting else changed(run.corpus, chance)[:longest]
        began = time.monotonic()
        try:
            with reached:
                target(raw)
            if time.monotonic() - began > SLOWEST_S:
                raise TimeoutError(f"took longer than {SLOWEST_S:g} s")
        except Exception as found:
            found.add_note(f"input: {raw[:2000]!r}")
            raise
        run.tried += 1
        if not reached.edges <= run.edges:
            run.edges |= reached.edges
            run.corpus.append(raw)
    return run


def changed(corpus: list[bytes], chance: random.Random) -> bytes:
    """An input that was kept, with some changes; later ones are taken oftener, as they lead to what
    was reached last."""
    if not corpus:
        return chance.randbytes(chance.randrange(64))
    raw = bytearray(corpus[max(chance.randrange(len(corpus)), chance.randrange(len(corpus)))])
    for _ in range(chance.randint(1, MOST_CHANGES)):
        chance.choice(CHANGES)(raw, chance, corpus)
    return bytes(raw)


def _place(raw: bytearray, chance: random.Random) -> int:
    return chance.randrange(len(raw) + 1)


def _flip(raw: bytearray, chance: random.Random, _corpus: list[bytes]) -> None:
    if raw:
        raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)


def _put(raw: bytearray, chance: random.Random, _corpus: list[bytes]) -> None:
    if raw:
        raw[chance.randrange(len(raw))] = chance.choice(INTERESTING)


def _insert(raw: bytearray, chance: random.Random, _corpus: list[bytes]) -> None:
    at = _place(raw, chance)
    raw[at:at] = chance.randbytes(chance.randint(1, 8))


def _token(raw: bytearray, chance: random.Random, _corpus: list[bytes]) -> None:
    at = _place(raw, chance)
    raw[at:at] = chance.choice(TOKENS)


def _digits(raw: bytearray, chance: random.Random, _corpus: list[bytes]) -> None:
    """Another number in the place of one."""
    at = [n for n, byte in enumerate(raw) if 48 <= byte <= 57]
    if at:
        place = chance.choice(at)
        raw[place : place + 1] = str(chance.choice((0, 1, 2**15, 2**31, 2**63, 10**30))).encode()


def _cut(raw: bytearray, chance: random.Random, _corpus: list[bytes]) -> None:
    begin = _place(raw, chance)
    del raw[begin : begin + chance.choice((1, 2, 4, 16, 256))]


def _repeat(raw: bytearray, chance: random.Random, _corpus: list[bytes]) -> None:
    begin = _place(raw, chance)
    raw[begin:begin] = raw[begin : begin + chance.choice((1, 8, 64))] * chance.choice((1, 3, 50))


def _splice(raw: bytearray, chance: random.Random, corpus: list[bytes]) -> None:
    other = chance.choice(corpus)
    begin = chance.randrange(len(other) + 1)
    raw[_place(raw, chance) :] = other[begin:]


CHANGES = (_flip, _put, _insert, _token, _digits, _cut, _repeat, _splice)


def keep(corpus: Iterable[bytes], folder: Path) -> None:
    """Each under its hash, as libFuzzer names what it keeps."""
    for raw in corpus:
        (folder / hashlib.sha1(raw, usedforsecurity=False).hexdigest()).write_bytes(raw)


def kept_in(folder: Path) -> list[bytes]:
    with os.scandir(folder) as found:
        return [Path(one.path).read_bytes() for one in sorted(found, key=lambda one: one.name)]
