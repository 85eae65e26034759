"""Codes as one integer: what goes in comes out, and what has no room is refused."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collector.codes import CODE_BITS, Codes, pack_codes, unpack_codes
from collector.tables import metadata

ANY = st.builds(Codes, **{name: st.integers(0, 2**bits - 1) for name, bits in CODE_BITS.items()})


@given(ANY)
@example(Codes())
@example(Codes(**{name: 2**bits - 1 for name, bits in CODE_BITS.items()}))
def test_codes_come_back_from_an_integer_of_the_store(codes: Codes) -> None:
    packed = pack_codes(codes)
    assert -(2**31) <= packed < 2**31
    assert unpack_codes(packed) == codes


@pytest.mark.parametrize("name", CODE_BITS)
@pytest.mark.parametrize("by", [-1, 0], ids=["below", "above"])
def test_a_code_beyond_its_bits_is_refused(name: str, by: int) -> None:
    beyond = -1 if by < 0 else 2 ** CODE_BITS[name]
    with pytest.raises(ValueError, match=f"{name} is {beyond}"):
        pack_codes(Codes(**{name: beyond}))


def test_the_column_tells_what_its_bits_are() -> None:
    comment = metadata.tables["batch"].columns["codes"].comment or ""
    assert comment.endswith(", ".join(map(str, CODE_BITS.values())))
