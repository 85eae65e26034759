"""What an ASGI request brings: headers read once, and a body that is refused at its limit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from collector.addresses import UNIX, Network, sender_of
from collector.errors import Malformed, TooLarge
from collector.hits import Sent
from collector.wire import MAX_BODY_BYTES

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = Mapping[bytes, bytes]

_JOINED = {b"x-forwarded-for": b", ", b"cookie": b"; "}
"""Headers that proxies send in several lines which are one list; of others the last line counts."""


def headers_of(scope: Scope) -> Headers:
    lines: list[tuple[bytes, bytes]] = scope["headers"]
    headers = dict(lines)
    if len(headers) != len(lines):
        for name, glue in _JOINED.items():
            if name in headers:
                headers[name] = glue.join(value for given, value in lines if given == name)
    return headers


def text_of(headers: Headers, name: bytes) -> str:
    value = headers.get(name)
    return value.decode("latin-1") if value else ""


def sent_of(scope: Scope, headers: Headers, trusted: tuple[Network, ...]) -> Sent:
    peer = scope.get("client") or (UNIX, 0)
    sender = sender_of(peer[0], text_of(headers, b"x-forwarded-for"), trusted)
    return Sent(
        address=sender.address,
        agent=text_of(headers, b"user-agent"),
        language=text_of(headers, b"accept-language"),
        # Browsers send ASCII; what else there is, is UTF-8 more often than anything.
        referrer=headers.get(b"referer", b"").decode("utf-8", "replace"),
        cookies=text_of(headers, b"cookie"),
        purpose=text_of(headers, b"sec-purpose") or text_of(headers, b"purpose"),
        opted_out=headers.get(b"sec-gpc") == b"1" or headers.get(b"dnt") == b"1",
        unbelieved=sender.unbelieved,
    )


async def read_body(receive: Receive) -> bytes:
    """The whole body, refused at the limit and not after it."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Malformed("the body ended early")
        part = message.get("body", b"")
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise TooLarge(f"a body may have at most {MAX_BODY_BYTES} bytes")
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)
