"""The key made ready gives what the standard library gives."""

from __future__ import annotations

import hmac

from hypothesis import given
from hypothesis import strategies as st

from collector.keyed import Keyed

BEYOND_A_BLOCK = 200


@given(st.binary(max_size=BEYOND_A_BLOCK), st.lists(st.binary(max_size=BEYOND_A_BLOCK)))
def test_any_key_gives_the_hmac_of_any_messages_again_and_again(
    key: bytes, messages: list[bytes]
) -> None:
    keyed = Keyed(key)
    for message in messages:
        assert keyed.digest(message) == hmac.digest(key, message, "sha256")
