"""Requests to the collector in the one shape that nearly all of them have, told without a parser.

A whole request in one piece: GET with a path of two segments or POST with one, no escapes and no
query, then headers that a parser has read before, byte for byte, then the body that they announce.
What the parser made of these bytes then, it would make of them now. All else is none, and is for
the parser: nothing of HTTP is decided here.
"""

from __future__ import annotations

import re

from msgspec import Struct

from collector.requests import Headers
from collector.senders import Marking
from collector.wire import MAX_BODY_BYTES

_LENGTHS = (b"\r\nContent-Length: ", b"\r\ncontent-length: ")
"""As browsers and proxies write it."""

_END = b"\r\n\r\n"
_LONGEST_SEGMENT = 64


class Plain(Struct, frozen=True):
    method: str
    path: str
    """Below the prefix, with its first slash."""

    body: bytes
    mark: bytes
    """Of the headers, but for the number in Content-Length."""


class Reader:
    """Of one connection."""

    def __init__(self, prefix: str, marking: Marking) -> None:
        segment = rb"[\w.~-]{1,%d}" % _LONGEST_SEGMENT
        below = re.escape(prefix.encode())
        told = rb"(?:GET %b(/%b/%b)|POST %b(/%b)) HTTP/1\.1(?=\r\n)"
        self._match = re.compile(told % (below, segment, segment, below, segment)).match
        self._mark = marking.mark

    def read(self, data: bytes) -> Plain | None:
        line = self._match(data)
        if line is None:
            return None
        begin, end = line.end(), data.find(_END)
        got, posted = line.groups()
        if got is not None:
            whole = end + len(_END) == len(data)
            return Plain("GET", got.decode(), b"", self._mark(data[begin:end])) if whole else None
        return self._posted(data, posted.decode(), begin, end)

    def _posted(self, data: bytes, path: str, begin: int, end: int) -> Plain | None:
        body = data[end + len(_END) :]
        for name in _LENGTHS:
            at = data.find(name, begin, end)
            if at >= 0:
                break
        else:
            return None
        number = at + len(name)
        after = data.find(b"\r", number)
        if len(body) > MAX_BODY_BYTES or data[number:after] != b"%d" % len(body):
            return None
        return Plain("POST", path, body, self._mark(data[begin:number], data[after:end]))


def is_plain(method: str, headers: Headers) -> bool:
    """Whether headers that a parser has read say nothing but what `Reader` takes for granted."""
    if b"transfer-encoding" in headers or b"expect" in headers:
        return False
    return (b"content-length" in headers) is (method == "POST")
