"""No path says who somebody is, in whatever spelling it came."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collector.scrub import MAX_STORED_BYTES, path_id, scrub_path
from collector.wire import MAX_PATH_BYTES

NAMES = st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=8)
SECRETS = st.one_of(
    st.builds(lambda name, host: f"{name}@{host}.nl", NAMES, NAMES),
    st.uuids().map(str),
    st.uuids().map(lambda number: number.hex),
    st.binary(min_size=24, max_size=32).map(lambda raw: base64.b64encode(raw).hex()),
    st.text("0123456789", min_size=6, max_size=19),
    st.text("0123456789", min_size=16, max_size=16).map(
        lambda card: "-".join(card[i : i + 4] for i in range(0, 16, 4))
    ),
)
ENCODINGS: dict[str, Callable[[str], str]] = {
    "raw": lambda text: text,
    "percent": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "quoted": lambda text: quote(text, safe=""),
    "double percent": lambda text: quote("".join(f"%{byte:02X}" for byte in text.encode())),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "url base64": lambda text: base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode(),
    "hex": lambda text: text.encode().hex(),
    "upper hex": lambda text: text.encode().hex().upper(),
}


@given(SECRETS, st.sampled_from(sorted(ENCODINGS)), st.sampled_from(["", "id-", "a"]))
def test_a_planted_secret_survives_in_no_spelling(secret: str, how: str, before: str) -> None:
    told = ENCODINGS[how](secret)
    scrubbed = scrub_path(f"https://shop.nl/account/{before}{told}/orders?mail={told}#{told}")
    assert scrubbed is not None
    assert scrubbed.startswith("/account/:")
    for spelling in ENCODINGS.values():
        assert spelling(secret) not in scrubbed


@given(st.text(max_size=80) | st.text("/.%?#;:@\\0123456789abcdefABCDEF25\n ", max_size=80))
@example("/%25252525252541")
@example("/%\x0041/%\u200b40")
@example("/a%C3")
@example("/\uff0e\uff0e/\uff0fx")
@example("/" + "ab/" * 400)
@example("/" + "é" * 300)
@example("/\u2100/\ufdfa")
def test_scrubbing_again_changes_nothing(text: str) -> None:
    once = scrub_path("/" + text)
    if once is not None:
        assert scrub_path(once) == once
        assert once.startswith("/")
        assert not once.startswith("//")
        assert once.isprintable()
        assert len(once.encode()) <= MAX_STORED_BYTES


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("https://shop.nl/checkout/verzending?stap=2#top", "/checkout/verzending"),
        ("https://jan:geheim@shop.nl/cart", "/cart"),
        ("https://shop.nl", "/"),
        ("https://shop.nl?next=/jan", "/"),
        ("https://shop.nl#/jan", "/"),
        ("HTTPS://SHOP.NL/Cart", "/Cart"),
        ("/cart;jsessionid=AB12/more", "/cart"),
        ("/go/https://other.nl/x", "/go/https:/other.nl/x"),
        ("/a//b///c/", "/a/b/c"),
        ("/a/./b/../c", "/a/c"),
        ("/../../etc/passwd", "/etc/passwd"),
        ("/a/%2e%2e/%2e%2e/b", "/b"),
        ("/a\\b", "/a/b"),
        ("/caf%C3%A9", "/café"),
        ("/cafe\u0301", "/café"),
        ("/a\r\nSet-Cookie: x", "/aSet-Cookie: x"),
        ("/a%0d%0ab", "/ab"),
        ("/a\x00b%00c", "/abc"),
        ("/\u202egnp.x\u202c\u200b\u2066", "/gnp.x"),
        ("/a\u2028b\u00adc\ufeff", "/abc"),
        ("/%ff%fe", "/"),
        ("/{{7*7}}/%n", "/{{7*7}}/%n"),
        ("/@fietsenwinkel", "/@fietsenwinkel"),
        ("/\uff20jan\uff20nl", "/:email"),
        ("/jan%40voorbeeld.nl", "/:email"),
        ("/\uff14\uff11\uff11\uff11\uff11\uff11", "/:num"),
        ("/order/4111 1111_1111+1111", "/order/:num"),
        ("/order/12345", "/order/12345"),
        ("/o/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJqYW4ifQ.c2ln", "/o/:token"),
        ("/w/deadbeefcafe", "/w/:token"),
        ("/w/facade", "/w/facade"),
        ("/product/fietsen-voor-kinderen-en-volwassenen", None),
        ("/product/iphone-15-pro", None),
        ("/klantenservice/retourneren", None),
        ("/afrekenen/verzending/betaalwijze", None),
    ],
)
def test_a_path_becomes(raw: str, kept: str | None) -> None:
    assert scrub_path(raw) == (raw if kept is None else kept)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "cart",
        "//other.nl/x",
        "/\\other.nl/x",
        "\\\\other.nl",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///home/jan/shop.html",
        "about:blank",
        "?a=/b",
        " /cart",
        "/" + "a" * MAX_PATH_BYTES,
    ],
)
def test_what_is_no_path_of_the_shop_is_none(raw: str) -> None:
    assert scrub_path(raw) is None


@given(st.text(alphabet=st.characters(codec=None), max_size=30))
def test_no_text_is_an_error_not_even_half_a_surrogate_pair(text: str) -> None:
    scrub_path(text)
    scrub_path(f"/{text}/\ud800")


def test_a_path_has_one_number_for_ever() -> None:
    assert path_id("/cart") == 851322607869490864
    assert len({path_id(f"/{uuid.UUID(int=n)}") for n in range(200)}) == 200
