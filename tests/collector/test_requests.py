"""What is taken from an ASGI request's headers."""

from __future__ import annotations

import pytest

from collector.addresses import networks, peer_of
from collector.requests import asked_of, headers_of, sent_of, text_of

TRUSTED = networks(("10.0.0.0/8",))
Lines = list[tuple[bytes, bytes]]


def test_a_chain_in_several_lines_is_one_chain() -> None:
    lines: Lines = [
        (b"x-forwarded-for", b"1.1.1.1, 198.51.100.9"),
        (b"x-forwarded-for", b"10.0.0.2"),
    ]
    assert (
        sent_of(peer_of("10.0.0.1", TRUSTED), headers_of(lines), TRUSTED).address == "198.51.100.9"
    )


def test_cookies_in_several_lines_are_one_jar() -> None:
    headers = headers_of([(b"cookie", b"a=1"), (b"x", b"y"), (b"cookie", b"b=2")])
    assert text_of(headers, b"cookie") == "a=1; b=2"


def test_of_other_headers_the_last_line_counts() -> None:
    headers = headers_of([(b"dnt", b"0"), (b"dnt", b"1")])
    assert text_of(headers, b"dnt") == "1"
    assert text_of(headers, b"absent") == ""


@pytest.mark.parametrize(
    ("lines", "opted_out"),
    [
        ([], False),
        ([(b"dnt", b"1")], True),
        ([(b"sec-gpc", b"1")], True),
        ([(b"dnt", b"0"), (b"sec-gpc", b"1")], True),
        ([(b"dnt", b"0")], False),
        ([(b"sec-gpc", b"?1")], False),
    ],
)
def test_who_opted_out(lines: Lines, opted_out: bool) -> None:
    assert sent_of(peer_of("192.0.2.1", ()), headers_of(lines), ()).opted_out is opted_out


def test_bytes_of_any_kind_are_text() -> None:
    every = bytes(range(256))
    names = (b"user-agent", b"referer", b"cookie", b"accept-language", b"x-forwarded-for")
    sent = sent_of(
        peer_of("10.0.0.1", TRUSTED), headers_of([(name, every) for name in names]), TRUSTED
    )
    assert len(sent.agent) == 256
    assert sent.address == "10.0.0.1"


def test_utf_8_in_a_referrer_is_read_as_such() -> None:
    headers = headers_of([(b"referer", "https://shop.nl/é".encode())])
    assert sent_of(peer_of("192.0.2.1", ()), headers, ()).referrer == "https://shop.nl/é"


def test_a_unix_socket_has_no_address_of_its_own() -> None:
    scope = {
        "method": "GET",
        "headers": [(b"x-forwarded-for", b"198.51.100.9")],
        "client": None,
    }
    asked = asked_of(scope, "/gs_x/y", TRUSTED)
    assert sent_of(asked.peer, asked.headers, TRUSTED).address == "198.51.100.9"
    asked = asked_of(scope, "/gs_x/y", ())
    assert sent_of(asked.peer, asked.headers, ()).unbelieved
