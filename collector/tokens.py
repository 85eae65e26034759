"""The view's token: checked by any collector of the fleet without asking the store.

34 characters of base64url over: version, site, page, opening minute, view id, and a 32-bit MAC
under the fleet's secret. Only the canonical spelling is taken.
"""

from __future__ import annotations

import binascii
import hmac
import re
import struct
from datetime import UTC, datetime
from functools import lru_cache

from msgspec import Struct

from collector.keyed import Keyed
from collector.wire import TOKEN_GOOD_FOR_MIN, TOKEN_VERSION, Reason

_BODY = struct.Struct(">BiiIq")
_MAC_BYTES = 4
TOKEN_CHARS = 34
_SPELLING = re.compile(r"[A-Za-z0-9_-]{33}[AQgw]\Z", re.ASCII)
"""Of 34 characters, which are 204 bits for 25 bytes: the last four are 0, so that there is one
spelling."""

_TO_BASE64, _FROM_BASE64 = str.maketrans("-_", "+/"), str.maketrans("+/", "-_")
SKEW_MIN = 1
"""How far the clocks of a fleet may be apart: a token may seem to come from the next minute."""

REMEMBERED = 4096
"""Tokens read lately: a view's beacons follow each other within seconds."""


class Token(Struct, frozen=True):
    site_id: int
    page_id: int
    opened_min: int
    """Minutes since 1970; the day of the view follows from it."""
    view_id: int

    @property
    def opened_at(self) -> datetime:
        return datetime.fromtimestamp(self.opened_min * 60, UTC)


def write_token(token: Token, secret: bytes) -> str:
    body = _BODY.pack(TOKEN_VERSION, token.site_id, token.page_id, token.opened_min, token.view_id)
    spelled = binascii.b2a_base64(body + _mac(body, secret), newline=False)
    return spelled.decode()[:TOKEN_CHARS].translate(_FROM_BASE64)


def read_token(text: str, secret: bytes, now: datetime) -> Token | Reason:
    """The token, or why it is none: BAD_TOKEN or EXPIRED."""
    # Looked at before it is remembered: a path may be as long as the server lets it be.
    token = _checked(text, secret) if len(text) == TOKEN_CHARS else None
    if token is None:
        return Reason.BAD_TOKEN
    return token if is_of_time(token.opened_min, now) else Reason.EXPIRED


def is_of_time(opened_min: int, now: datetime) -> bool:
    """Whether the token of a view that was opened then is still good."""
    age_min = int(now.timestamp()) // 60 - opened_min
    return -SKEW_MIN <= age_min <= TOKEN_GOOD_FOR_MIN


@lru_cache(maxsize=REMEMBERED)
def _checked(text: str, secret: bytes) -> Token | None:
    """What a token of this installation says, whatever its age."""
    if not _SPELLING.match(text):
        return None
    raw = binascii.a2b_base64(text.translate(_TO_BASE64) + "==")
    body = raw[:-_MAC_BYTES]
    if not hmac.compare_digest(_mac(body, secret), raw[-_MAC_BYTES:]) or body[0] != TOKEN_VERSION:
        return None
    return Token(*_BODY.unpack(body)[1:])


def _mac(body: bytes, secret: bytes) -> bytes:
    return _keyed(secret).digest(b"token\0" + body)[:_MAC_BYTES]


_keyed = lru_cache(maxsize=1)(Keyed)
"""A process has one secret, for as long as it lives."""
