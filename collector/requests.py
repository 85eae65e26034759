"""What an ASGI request brings: headers read once, and a body that is refused at its limit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any

from msgspec import Struct

from collector.addresses import UNIX, Network, Peer, peer_of, sender_of
from collector.errors import Malformed, TooLarge
from collector.hits import Sent
from collector.senders import Sender
from collector.wire import MAX_BODY_BYTES

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Line = tuple[bytes, bytes]
Headers = Mapping[bytes, bytes]

_JOINED = {b"x-forwarded-for": b", ", b"cookie": b"; "}
"""Headers that proxies send in several lines which are one list; of others the last line counts."""


class Asked(Struct, frozen=True):
    """What is asked, whichever way it came: by ASGI, or straight from the server's parser."""

    method: str
    path: str
    """Below the prefix, with its first slash."""

    headers: Headers
    peer: Peer
    body: bytes = b""
    sender: Sender | None = None
    """What is known of whoever sends these very headers; None where that is not asked for."""

    def with_body(self, body: bytes) -> Asked:
        return Asked(self.method, self.path, self.headers, self.peer, body, self.sender)

    def sent_by(self, sender: Sender) -> Asked:
        return Asked(self.method, self.path, self.headers, self.peer, self.body, sender)

    @property
    def segments(self) -> list[str]:
        return self.path[1:].split("/")


def asked_of(scope: Scope, path: str, trusted: tuple[Network, ...]) -> Asked:
    peer = peer_of((scope.get("client") or (UNIX, 0))[0], trusted)
    return Asked(scope["method"], path, headers_of(scope["headers"]), peer)


def headers_of(lines: Sequence[Line]) -> Headers:
    """By name, in lower case as the lines have it."""
    headers = dict(lines)
    if len(headers) != len(lines):
        for name, glue in _JOINED.items():
            if name in headers:
                headers[name] = glue.join(value for given, value in lines if given == name)
    return headers


def text_of(headers: Headers, name: bytes) -> str:
    value = headers.get(name)
    return value.decode("latin-1") if value else ""


def sent_of(peer: Peer, headers: Headers, trusted: tuple[Network, ...]) -> Sent:
    get = headers.get
    sender = sender_of(peer, get(b"x-forwarded-for", b"").decode("latin-1"), trusted)
    return Sent(
        address=sender.address,
        agent=get(b"user-agent", b"").decode("latin-1"),
        language=get(b"accept-language", b"").decode("latin-1"),
        # Browsers send ASCII; what else there is, is UTF-8 more often than anything.
        referrer=get(b"referer", b"").decode("utf-8", "replace"),
        cookies=get(b"cookie", b"").decode("latin-1"),
        # The last two are what older Safari and Firefox say of themselves.
        purpose=(
            get(b"sec-purpose") or get(b"purpose") or get(b"x-purpose") or get(b"x-moz", b"")
        ).decode("latin-1"),
        opted_out=get(b"sec-gpc") == b"1" or get(b"dnt") == b"1",
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
