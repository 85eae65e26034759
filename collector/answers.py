"""Every answer the collector can give; a shop's page never sees our troubles."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from enum import Enum
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from msgspec import Struct
from msgspec.structs import force_setattr

from collector.errors import CollectorError, Malformed, TooLarge, UnsupportedMedia
from collector.wire import GIF, Reason

Header = tuple[bytes, bytes]

NO_STORE: tuple[Header, ...] = (
    (b"cache-control", b"no-store"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"access-control-allow-origin", b"*"),
)
"""On every answer, and no more than has an effect."""

_TEXT: tuple[Header, ...] = ((b"x-content-type-options", b"nosniff"),)
_CSS: tuple[Header, ...] = (
    (b"content-type", b"text/css; charset=utf-8"),
    (b"referrer-policy", b"no-referrer"),  # of what the sheet asks for
    *_TEXT,
)
_SCRIPT: tuple[Header, ...] = ((b"content-type", b"text/javascript; charset=utf-8"), *_TEXT)


class Answer(Struct, frozen=True, eq=False):
    status: int
    headers: tuple[Header, ...]
    body: bytes = b""
    head: bytes = b""
    """The same as a server writes it: status line and headers, each with its line's end. Most
    answers are constant, and so are their bytes."""

    bears: object = None
    wire: bytes = b""
    """The whole, and the server's own headers that it bears: while these are the same the next one
    who is answered so gets the same bytes."""

    def __post_init__(self) -> None:
        if not self.head:
            force_setattr(self, "head", _head(self.status, self.headers))

    def with_lines(self, headers: object, lines: bytes) -> bytes:
        """As it is sent on a connection that stays open, with the server's own headers: `lines`."""
        if self.bears is not headers:
            force_setattr(self, "wire", b"".join((self.head, lines, b"\r\n", self.body)))
            force_setattr(self, "bears", headers)
        return self.wire


def _head(status: int, headers: tuple[Header, ...]) -> bytes:
    lines = b"".join([b"%b: %b\r\n" % header for header in headers])
    return _STATUS_LINES[status] + lines


_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}


def _answer(status: int, body: bytes, *headers: Header) -> Answer:
    length = (b"content-length", b"%d" % len(body))
    return Answer(status, (*headers, length, *NO_STORE), body)


def _gif(status: int, *headers: Header) -> Answer:
    return _answer(status, GIF, (b"content-type", b"image/gif"), *headers)


def _dropped(reason: Reason) -> Header:
    return (b"x-gloed-drop", reason.encode())


GIF_ANSWER = _gif(200)
KEPT = Answer(204, NO_STORE)
EMPTY_SHEET = _answer(200, b"", *_CSS)
NO_SCRIPT = _answer(200, b"", *_SCRIPT)
PREFLIGHT = Answer(
    204,
    (
        *NO_STORE,
        (b"access-control-allow-methods", b"GET, POST"),
        (b"access-control-allow-headers", b"content-type"),
        (b"access-control-max-age", b"86400"),
    ),
)


@lru_cache
def dropped_gif(reason: Reason) -> Answer:
    return _gif(200, _dropped(reason))


@lru_cache
def dropped_sheet(reason: Reason) -> Answer:
    return _answer(200, b"", *_CSS, _dropped(reason))


@lru_cache
def dropped_post(reason: Reason) -> Answer:
    return Answer(204, (*NO_STORE, _dropped(reason)))


def redirect(location: str) -> Answer:
    """Of every opening another, so that all but its place is at hand."""
    place = location.encode()
    headers = (b"location", place), *_REST_OF_REDIRECT
    return Answer(302, headers, b"", b"".join((_BEFORE_PLACE, place, _BEHIND_PLACE)))


_REST_OF_REDIRECT: tuple[Header, ...] = ((b"content-length", b"0"), *NO_STORE)
_BEFORE_PLACE, _BEHIND_PLACE = _head(302, ((b"location", b"\0"), *_REST_OF_REDIRECT)).split(b"\0")


def stylesheet(body: bytes, *, packed: bool) -> Answer:
    encoding = ((b"content-encoding", b"gzip"),) if packed else ()
    return _answer(200, body, *_CSS, (b"vary", b"accept-encoding"), *encoding)


class Keeping(Enum):
    """How long a browser may keep the optional script; nothing between may, as who asks decides."""

    NOT = b"no-store"  # the shop's consent cookie is looked at for each page
    SHORTLY = b"private, max-age=3600"
    FOR_GOOD = b"private, max-age=31536000, immutable"


def keeping(*, right: bool) -> Keeping:
    """By whether it was asked for under its own hash."""
    return Keeping.FOR_GOOD if right else Keeping.SHORTLY


@lru_cache
def dropped_script(reason: Reason) -> Answer:
    return _answer(200, b"", *_SCRIPT, _dropped(reason))


@lru_cache
def script(body: bytes, *, packed: bool, keep: Keeping) -> Answer:
    """The same bytes for everybody, kept apart from the answer that who opts out later gets."""
    headers = (
        *_SCRIPT,
        (b"content-length", b"%d" % len(body)),
        (b"vary", b"accept-encoding, sec-gpc, dnt"),
        *(((b"content-encoding", b"gzip"),) if packed else ()),
        (b"cache-control", keep.value),
        *NO_STORE[1:],
    )
    return Answer(200, headers, body)


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


def wrong(problem_found: Malformed | TooLarge | UnsupportedMedia) -> Answer:
    """What will be refused again when it is sent again."""
    status, slug = _WRONG[type(problem_found)]
    return problem(status, slug, str(problem_found))


_WRONG: Mapping[type[CollectorError], tuple[int, str]] = {
    Malformed: (400, "malformed"),
    TooLarge: (413, "too-large"),
    UnsupportedMedia: (415, "unsupported-media"),
}
NOT_FOUND = problem(404, "not-found", "no such route")
NOT_ALLOWED = problem(
    405, "method-not-allowed", "use GET or POST here", (b"allow", b"GET, HEAD, POST, OPTIONS")
)


async def send_answer(
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]], answer: Answer, *, head: bool
) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": b"" if head else answer.body})
