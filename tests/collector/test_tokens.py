"""A token is read as it was written, or not at all."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.tokens import SKEW_MIN, TOKEN_CHARS, Token, read_token, write_token
from collector.wire import TOKEN_GOOD_FOR_MIN, Reason

SECRET = b"a secret of the fleet, 32 bytes.."
AT = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
AT_MIN = int(AT.timestamp()) // 60
TOKEN = Token(site_id=3, page_id=7, opened_min=AT_MIN, view_id=-12345678901234567)

tokens = st.builds(
    Token,
    site_id=st.integers(-(2**31), 2**31 - 1),
    page_id=st.integers(-(2**31), 2**31 - 1),
    opened_min=st.just(AT_MIN),
    view_id=st.integers(-(2**63), 2**63 - 1),
)


@given(tokens, st.binary(min_size=1, max_size=64))
def test_what_is_written_is_read_again(token: Token, secret: bytes) -> None:
    text = write_token(token, secret)
    assert len(text) == TOKEN_CHARS
    assert read_token(text, secret, AT) == token


def test_another_secret_reads_nothing() -> None:
    assert read_token(write_token(TOKEN, SECRET), b"another", AT) is Reason.BAD_TOKEN


def test_no_bit_may_be_flipped() -> None:
    raw = bytearray(base64.urlsafe_b64decode(write_token(TOKEN, SECRET) + "=="))
    for bit in range(8 * len(raw)):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        text = base64.urlsafe_b64encode(changed).rstrip(b"=").decode()
        assert read_token(text, SECRET, AT) is Reason.BAD_TOKEN, bit


def test_a_token_of_another_version_is_refused_even_with_a_right_mac(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as older:
        older.setattr("collector.tokens.TOKEN_VERSION", 2)
        text = write_token(TOKEN, SECRET)
    assert read_token(text, SECRET, AT) is Reason.BAD_TOKEN


def test_only_the_canonical_spelling_is_taken() -> None:
    text = write_token(TOKEN, SECRET)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    # The last character bears four bits that nothing uses: sixteen spellings of the same bytes.
    last = alphabet.index(text[-1])
    twins = [text[:-1] + alphabet[last ^ spare] for spare in range(1, 16)]
    other_alphabet = text.translate(str.maketrans("-_", "+/"))
    for wrong in (*twins, text + "==", text + "\n", text[:-1] + "\n", " " + text[1:], ""):
        assert read_token(wrong, SECRET, AT) is Reason.BAD_TOKEN, wrong
    assert other_alphabet == text or read_token(other_alphabet, SECRET, AT) is Reason.BAD_TOKEN


@given(st.text(max_size=60) | st.text(min_size=TOKEN_CHARS, max_size=TOKEN_CHARS))
def test_any_other_text_is_a_bad_token_and_no_error(text: str) -> None:
    assert read_token(text, SECRET, AT) is Reason.BAD_TOKEN


@pytest.mark.parametrize(
    ("age_min", "good"),
    [
        (-SKEW_MIN - 1, False),
        (-SKEW_MIN, True),
        (0, True),
        (TOKEN_GOOD_FOR_MIN, True),
        (TOKEN_GOOD_FOR_MIN + 1, False),
    ],
)
def test_a_token_is_good_from_its_opening_for_a_day(age_min: int, good: bool) -> None:
    now = AT + timedelta(minutes=age_min)
    expected = TOKEN if good else Reason.EXPIRED
    assert read_token(write_token(TOKEN, SECRET), SECRET, now) == expected


@pytest.mark.parametrize("opened_min", [0, 2**32 - 1])
def test_minutes_at_the_ends_of_their_range_are_expired_and_no_error(opened_min: int) -> None:
    token = Token(1, 1, opened_min, 1)
    assert read_token(write_token(token, SECRET), SECRET, AT) is Reason.EXPIRED
