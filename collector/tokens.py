"""The view's token: checked by any collector of the fleet without asking the store.

34 characters of base64url over: version, site, page, opening minute, view id, and a 32-bit MAC
under the fleet's secret. Only the canonical spelling is taken.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from dataclasses import dataclass
from datetime import UTC, datetime

from collector.wire import TOKEN_GOOD_FOR_MIN, TOKEN_VERSION, Reason

_BODY = struct.Struct(">BiiIq")
_MAC_BYTES = 4
TOKEN_CHARS = 34
SKEW_MIN = 1
"""How far the clocks of a fleet may be apart: a token may seem to come from the next minute."""


@dataclass(frozen=True, slots=True)
class Token:
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
    return base64.urlsafe_b64encode(body + _mac(body, secret)).rstrip(b"=").decode()


def read_token(text: str, secret: bytes, now: datetime) -> Token | Reason:
    """The token, or why it is none: BAD_TOKEN or EXPIRED."""
    if len(text) != TOKEN_CHARS:
        return Reason.BAD_TOKEN
    try:
        raw = base64.b64decode(text + "==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return Reason.BAD_TOKEN
    if base64.urlsafe_b64encode(raw).rstrip(b"=") != text.encode():
        return Reason.BAD_TOKEN
    body = raw[:-_MAC_BYTES]
    if not hmac.compare_digest(_mac(body, secret), raw[-_MAC_BYTES:]) or body[0] != TOKEN_VERSION:
        return Reason.BAD_TOKEN
    token = Token(*_BODY.unpack(body)[1:])
    age_min = int(now.timestamp()) // 60 - token.opened_min
    return token if -SKEW_MIN <= age_min <= TOKEN_GOOD_FOR_MIN else Reason.EXPIRED


def _mac(body: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, b"token\0" + body, hashlib.sha256)[:_MAC_BYTES]
