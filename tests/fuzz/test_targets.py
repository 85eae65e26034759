"""The fuzz targets by hypothesis: bytes of no form, and bytes that nearly have one."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import TARGETS


@st.composite
def nearly(draw: st.DrawFn) -> bytes:
    seed = draw(st.sampled_from(SEEDS))
    begin, end = sorted(draw(st.tuples(*[st.integers(0, len(seed))] * 2)))
    return seed[:begin] + draw(st.binary(max_size=12)) + seed[end:]


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=60)
@given(st.binary(max_size=200) | nearly() | st.sampled_from(SEEDS))
@example(b"")
@example(b"\x01\x01")  # sets of ways, cut short
@example(b"\x95\xa1\xa1")  # a record of the spool whose name is no UTF-8
def test_any_bytes_are_taken_or_refused_by_an_error_of_ours(name: str, raw: bytes) -> None:
    TARGETS[name](raw)
