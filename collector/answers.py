"""Every answer the collector can give; a shop's page never sees our troubles."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from msgspec import Struct

from collector.wire import GIF, Reason

Header = tuple[bytes, bytes]

NO_STORE: tuple[Header, ...] = (
    (b"cache-control", b"no-store"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"access-control-allow-origin", b"*"),
)
"""On every answer; and no more than has an effect, for the server checks each at each answer."""

_TEXT: tuple[Header, ...] = ((b"x-content-type-options", b"nosniff"),)
_CSS: tuple[Header, ...] = (
    (b"content-type", b"text/css; charset=utf-8"),
    (b"referrer-policy", b"no-referrer"),  # of what the sheet asks for
    *_TEXT,
)


class Answer(Struct, frozen=True):
    status: int
    headers: tuple[Header, ...]
    body: bytes = b""


def _answer(status: int, body: bytes, *headers: Header) -> Answer:
    length = (b"content-length", str(len(body)).encode())
    return Answer(status, (*headers, length, *NO_STORE), body)


def _gif(status: int, *headers: Header) -> Answer:
    return _answer(status, GIF, (b"content-type", b"image/gif"), *headers)


def _dropped(reason: Reason) -> Header:
    return (b"x-gloed-drop", reason.encode())


GIF_ANSWER = _gif(200)
KEPT = Answer(204, NO_STORE)
EMPTY_SHEET = _answer(200, b"", *_CSS)
NO_SCRIPT = _answer(200, b"", (b"content-type", b"text/javascript; charset=utf-8"), *_TEXT)
PREFLIGHT = Answer(
    204,
    (
        *NO_STORE,
        (b"access-control-allow-methods", b"GET, POST"),
        (b"access-control-allow-headers", b"content-type"),
        (b"access-control-max-age", b"86400"),
    ),
)


def dropped_gif(reason: Reason) -> Answer:
    return _gif(200, _dropped(reason))


def dropped_sheet(reason: Reason) -> Answer:
    return _answer(200, b"", *_CSS, _dropped(reason))


def dropped_post(reason: Reason) -> Answer:
    return Answer(204, (*NO_STORE, _dropped(reason)))


def redirect(location: str) -> Answer:
    return _answer(302, b"", (b"location", location.encode()))


def stylesheet(body: bytes, *, packed: bool) -> Answer:
    encoding = ((b"content-encoding", b"gzip"),) if packed else ()
    return _answer(200, body, *_CSS, (b"vary", b"accept-encoding"), *encoding)


def not_stored(retry_after_s: int, *, method: str, sheet: bool) -> Answer:
    """503: it is not in the store and will not be."""
    retry = (b"retry-after", str(retry_after_s).encode())
    if method == "POST":
        return problem(503, "not-stored", "not stored: send it again", retry)
    return _harmless(503, retry, sheet=sheet)


def in_doubt(*, method: str, sheet: bool) -> Answer:
    """504, as a proxy says that lost its answer: what nobody knows is not called refused."""
    if method == "POST":
        return problem(504, "in-doubt", "stored or not: send it again, it is stored once")
    return _harmless(504, sheet=sheet)


def _harmless(status: int, *headers: Header, sheet: bool) -> Answer:
    return _answer(status, b"", *_CSS, *headers) if sheet else _gif(status, *headers)


def problem(status: int, slug: str, detail: str, *headers: Header) -> Answer:
    """RFC 9457, without anything of what was sent."""
    body = {
        "type": f"urn:gloed:problem:{slug}",
        "title": slug.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
    }
    kind = (b"content-type", b"application/problem+json")
    return _answer(status, json.dumps(body).encode(), kind, *_TEXT, *headers)


NOT_ALLOWED = problem(
    405, "method-not-allowed", "use GET or POST here", (b"allow", b"GET, HEAD, POST, OPTIONS")
)


async def send_answer(
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]], answer: Answer, *, head: bool
) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": b"" if head else answer.body})
