"""Whose address a request bears, by whom it is believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.addresses import MAX_HOPS, UNIX, UNKNOWN, Sender, networks, peer_of, sender_of

TRUSTED = networks(("10.0.0.0/8", "127.0.0.1", "fd00::/8", ""))


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        # the peer alone
        ("192.0.2.7", "", "192.0.2.7"),
        ("192.0.2.7", "   ", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "", "192.0.2.7"),
        ("fe80::1%eth0", "", "fe80::/64"),
        ("", "", UNKNOWN),
        ("garbage", "", UNKNOWN),
        # through proxies that are trusted
        ("10.0.0.1", "198.51.100.9", "198.51.100.9"),
        ("::ffff:10.0.0.1", "198.51.100.9", "198.51.100.9"),
        ("fd00::1", "2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("10.0.0.1", "198.51.100.9, 10.0.0.2", "198.51.100.9"),
        ("10.0.0.1", "198.51.100.9 , 10.0.0.3,10.0.0.2", "198.51.100.9"),
        ("10.0.0.1", "::ffff:198.51.100.9", "198.51.100.9"),
        (UNIX, "198.51.100.9", "198.51.100.9"),
        # what the visitor wrote before it is not looked at
        ("10.0.0.1", "1.1.1.1, 198.51.100.9", "198.51.100.9"),
        ("10.0.0.1", "10.9.9.9, 198.51.100.9, 10.0.0.2", "198.51.100.9"),
        # ports and brackets
        ("10.0.0.1", "198.51.100.9:51234", "198.51.100.9"),
        ("10.0.0.1", "[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"),
        ("10.0.0.1", "[2001:db8:1:2::9]", "2001:db8:1:2::/64"),
        ("10.0.0.1", "198.51.100.9, 10.0.0.2:80", "198.51.100.9"),
        # garbage ends the walk at what was known before
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.9, unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", ",", "10.0.0.1"),
        ("10.0.0.1", "999.1.1.1", "10.0.0.1"),
        ("10.0.0.1", "_hidden", "10.0.0.1"),
        # none but proxies
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
    ],
)
def test_the_address_is_the_last_that_no_trusted_proxy_has(
    peer: str, forwarded: str, address: str
) -> None:
    assert sender_of(peer_of(peer, TRUSTED), forwarded, TRUSTED) == Sender(
        address, unbelieved=False
    )


@pytest.mark.parametrize("peer", ["192.0.2.7", "11.0.0.1", "2001:db8::1", "garbage"])
def test_a_stranger_is_not_believed_and_that_is_said(peer: str) -> None:
    alone = sender_of(peer_of(peer, TRUSTED), "", TRUSTED).address
    assert sender_of(peer_of(peer, TRUSTED), "198.51.100.9", TRUSTED) == Sender(
        alone, unbelieved=True
    )


@pytest.mark.parametrize("peer", ["127.0.0.1", UNIX, "10.0.0.1"])
def test_where_nobody_is_trusted_not_even_this_machine_is(peer: str) -> None:
    assert sender_of(peer_of(peer, ()), "198.51.100.9", ()).unbelieved


def test_two_devices_of_one_household_are_one_address_and_two_households_are_two() -> None:
    one, other, neighbour = (
        sender_of(peer_of(peer, ()), "", ()).address
        for peer in ("2001:db8:0:1::a", "2001:db8:0:1:ffff::b", "2001:db8:0:2::a")
    )
    assert one == other != neighbour


def test_a_chain_is_walked_no_further_than_proxies_stand_in_a_row() -> None:
    forwarded = "198.51.100.9" + ", 10.0.0.2" * (MAX_HOPS - 1)
    assert sender_of(peer_of("10.0.0.1", TRUSTED), forwarded, TRUSTED).address == "198.51.100.9"
    assert (
        sender_of(peer_of("10.0.0.1", TRUSTED), forwarded + ", 10.0.0.2", TRUSTED).address
        == "10.0.0.2"
    )


@given(st.text(max_size=40), st.text("0123456789abcdef.:,[]% x", max_size=60))
def test_no_text_is_an_error(peer: str, forwarded: str) -> None:
    for trusted in (TRUSTED, networks(("0.0.0.0/0", "::/0"))):
        sender_of(peer_of(peer, trusted), forwarded, trusted)
        sender_of(peer_of("10.0.0.1", trusted), forwarded, trusted)
