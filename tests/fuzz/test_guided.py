"""The fuzzer of our own finds what lies behind several conditions, and says by which input."""

from __future__ import annotations

import random
import time

import pytest

from tests.fuzz import guided

ROOTS = [__file__]
SECONDS = 20


def deep(raw: bytes) -> None:
    if raw[:1] == b"g":
        if raw[1:2] == b"\x7f":
            if len(raw) > 40:
                raise KeyError("found")


def test_what_lies_behind_several_conditions_is_found() -> None:
    with pytest.raises(KeyError) as found:
        guided.drive(deep, [b"g"], seconds=SECONDS, roots=ROOTS, longest=200)
    (note,) = found.value.__notes__
    assert note.startswith("input: b'g\\x7f")


def test_an_input_is_kept_where_it_reaches_something_new() -> None:
    def forks(raw: bytes) -> int:
        return 1 if raw else 0

    def lines(raw: bytes) -> None:
        if raw == b"two":
            forks(raw)
        forks(b"")

    run = guided.drive(lines, [b"two", b"one", b"one"], seconds=0.05, roots=ROOTS, longest=200)
    assert run.corpus[:2] == [b"one", b"two"]
    assert run.tried >= 3


def test_a_slow_input_is_a_find(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guided, "SLOWEST_S", 0.01)
    with pytest.raises(TimeoutError, match="longer than"):
        guided.drive(lambda _: time.sleep(0.05), [b"x"], seconds=SECONDS, roots=ROOTS, longest=200)


def test_changes_differ_and_are_a_seeds_alone() -> None:
    corpus = [b"abc", b'{"v":1}']
    first, again = (
        [guided.changed(corpus, chance) for _ in range(200)]
        for chance in (random.Random(1), random.Random(1))
    )
    assert first == again
    assert len(set(first)) > 150
