"""The class of a referrer's host."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.channels import channel_of
from collector.codes import Channel


@pytest.mark.parametrize(
    ("referrer", "channel"),
    [
        ("", Channel.UNKNOWN),
        ("/cart", Channel.UNKNOWN),
        ("https://", Channel.UNKNOWN),
        ("http://[::1", Channel.UNKNOWN),
        ("https://www.google.nl/search?q=x", Channel.SEARCH),
        ("https://duckduckgo.com/", Channel.SEARCH),
        ("https://l.facebook.com/l.php", Channel.SOCIAL),
        ("https://t.co/x", Channel.SOCIAL),
        ("https://t.company.nl/", Channel.INTERNAL),
        ("https://shop.nl/cart", Channel.INTERNAL),
        ("https://shop.google/", Channel.INTERNAL),
        ("https://mygoogle.nl/", Channel.INTERNAL),
        ("https://google.com@shop.nl/", Channel.INTERNAL),
        ("https://shop.nl/?from=https://google.com/", Channel.INTERNAL),
    ],
)
def test_a_view_came(referrer: str, channel: Channel) -> None:
    assert channel_of(referrer) == channel


@given(st.text(max_size=40), st.text("[]:/@%.a1", max_size=20))
def test_no_referrer_is_an_error(text: str, host: str) -> None:
    assert channel_of(text) in set(Channel)
    assert channel_of(f"https://{host}") in set(Channel)
