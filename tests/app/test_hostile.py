"""Hostile input on every operation of the OpenAPI document: refused small, never echoed, no 5xx.

Cases are those of a catalogue of what servers like this one got wrong: a case is tried wherever it
can be put, so that a new route is tried with all of them by being there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.app.conftest import Asker
from tests.app.test_openapi import operations

CANARY = "kanarie7x7"
MOST_BYTES = 4096
BIG = "9" * 5000

QUERIES = {
    "unknown": f"{CANARY}=1",
    "twice": f"kind=click&kind=click&{CANARY}=",
    "nul": f"kind={CANARY}%00",
    "not utf-8": f"kind=%FF{CANARY}",
    "overlong utf-8": f"kind=%C0%AF{CANARY}",
    "lone surrogate": f"kind=%ED%A0%80{CANARY}",
    "nan": f"bandwidth=nan&device={CANARY}",
    "infinite": f"bandwidth=1e400&device={CANARY}",
    "tiny": f"bandwidth=1e-300&device={CANARY}",
    "thousands": f"viewport_width_min=1_000&device={CANARY}",
    "float for whole": f"viewport_width_min=1.0&device={CANARY}",
    "other digits": f"viewport_width_min=%D9%A1%D9%A2&device={CANARY}",
    "long number": f"viewport_width_min={BIG}&device={CANARY}",
    "year": f"date_from=99999-01-01&device={CANARY}",
    "year 0": f"date_from=0000-00-00&device={CANARY}",
    "far": f"date_from=2020-01-01&date_to=2026-11-18&device={CANARY}",
    "reversed": f"date_from=2026-11-18&date_to=2026-11-01&device={CANARY}",
    "template": f"kind={{{{7*7}}}}{CANARY}",
    "attribute": f"__class__={CANARY}&__proto__={CANARY}",
    "new line": f"kind=click%0d%0aX-Evil:%20{CANARY}",
    "redirect": f"next=https://{CANARY}.example/&url=//{CANARY}.example",
    "markup": f"kind=<script>{CANARY}</script>",
    "key": f"key=gld_{CANARY}&authorization=Bearer+{CANARY}",
    "signature": f"signature={CANARY}&expires={BIG[:20]}",
    "semicolons": f"kind=click;{CANARY}=1",
}
SEGMENTS = {
    "nul": f"{CANARY}%00",
    "not utf-8": f"%FF{CANARY}",
    "dots": f"..%2f..%2f{CANARY}",
    "long": CANARY + "a" * 3000,
    "template": f"%7B%7B7*7%7D%7D{CANARY}",
    "absolute": f"https:%2F%2F{CANARY}.example",
    "quotes": f"{CANARY}'%20OR%20''='",
    "four bytes": f"{CANARY}%F0%9F%98%80",
}
DEEP = 100_000
BODIES: dict[str, bytes] = {
    "empty": b"",
    "malformed": b"{" + CANARY.encode(),
    "two": b'{}{"a":1}',
    "null": b"null",
    "text": f'"{CANARY}"'.encode(),
    "number": b"7",
    "lists": b"[[[]]]",
    "byte order mark": b"\xef\xbb\xbf{}",
    "a number's name": b'{"width_px": "nan", "s": "Infinity", "visit": "nan"}',
    "beyond 64 bits": b'{"width_px": 9223372036854775808, "s": 9223372036854775808}',
    "minus zero": b'{"width_px": -0.0, "s": -0.0}',
    "denormal": b'{"width_px": 5e-324, "s": 5e-324}',
    "half a character": b'{"origin": "\\udbff", "visit": "\\udfff\\ud800"}',
    "deep": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "not a number": b'{"width_px": NaN, "v": NaN, "from": NaN}',
    "infinite": b'{"width_px": Infinity, "s": 1e999}',
    "long number": f'{{"width_px": {BIG}, "s": {BIG}}}'.encode(),
    "true": b'{"width_px": true, "v": true, "visit": true}',
    "spaces": b'{"width_px": " 12 ", "v": " 1 "}',
    "not utf-8": b'{"origin": "\xff"}',
    "overlong": b'{"origin": "\xc0\xaf"}',
    "utf-16": json.dumps({"visit": CANARY}).encode("utf-16"),
    "lone surrogate": b'{"origin": "\\ud800' + CANARY.encode() + b'"}',
    "nul": f'{{"origin": "{CANARY}\\u0000"}}'.encode(),
    "attribute": f'{{"__proto__": "{CANARY}", "__class__": 1}}'.encode(),
    "unknown": f'{{"{CANARY}": "{CANARY}"}}'.encode(),
    "control": b'{"origin": "a\\r\\nX-Evil: 1"}',
}
MEDIA = {
    "form": ("application/x-www-form-urlencoded", ""),
    "multipart": ("multipart/form-data; boundary=x", ""),
    "other charset": ("text/plain; charset=utf-16", ""),
    "gzip": ("application/json", "gzip"),
    "deflate": ("application/json", "deflate"),
    "twice": ("application/json", "gzip, gzip"),
}
HEADERS = {
    "ranges": {"range": "bytes=" + ",".join(f"{n}-{n + 1}" for n in range(1200))},
    "host": {"host": f"{CANARY}.example"},
    "forwarded": {"x-forwarded-host": f"{CANARY}.example", "x-forwarded-proto": CANARY},
    "override": {"x-http-method-override": "DELETE", "x-original-url": f"/{CANARY}"},
    "language": {"accept-language": f"{CANARY};q=nan, {'a,' * 4000}"},
    "etag": {"if-none-match": f'"{CANARY}"' + ', "a"' * 3000},
}


@dataclass(frozen=True, slots=True)
class Operation:
    method: str
    path: str
    parts: dict[str, str] = field(default_factory=dict)

    def address(self, **other: str) -> str:
        told = self.path
        for name, value in {**self.parts, **other}.items():
            told = told.replace("{" + name + "}", value)
        return told


@pytest.fixture
def every(ask: Asker) -> list[Operation]:
    """Those of the API and the collector, with parts that are good."""
    document = ask("/openapi.json", key=None).json()
    parts = {"site": ask.site.public_key, "page": "shipping", "rule": "q00000000", "hash": "0" * 64}
    more = {"token": "a" * 34, "name": "1.h", "ref": "order-7", "first": "a" * 34, "second": "1.h"}
    return [
        Operation(method.upper(), path, {**more, **parts})
        for path, method, _ in operations(document)
    ]


@pytest.fixture
def client(ask: Asker) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {ask.new_key('write')}"}
    with httpx.Client(base_url=ask.gloed.url, headers=headers, timeout=60.0) as made:
        yield made


def tried(
    client: httpx.Client, operation: Operation, address: str, case: str, **more: Any
) -> httpx.Response:
    """The answer, which is none of ours to be ashamed of."""
    content = more.pop("content", b"{}" if operation.method in ("PUT", "POST") else None)
    headers = {"content-type": "application/json", **more.pop("headers", {})}
    request = client.build_request(operation.method, "/", content=content, headers=headers)
    request.url = client.base_url.copy_with(raw_path=address.encode())
    answer = client.send(request)
    where = (case, operation, answer.status_code, answer.text[:300])
    assert answer.status_code < 500, where
    assert answer.status_code not in (206, 301, 307, 308), where
    assert "x-evil" not in answer.headers, where
    assert CANARY not in str(dict(answer.headers)), where
    if answer.status_code >= 400:
        assert len(answer.content) <= MOST_BYTES, where
        assert answer.headers["content-type"] == "application/problem+json", where
        told = answer.json()
        assert CANARY not in f"{told['title']} {told['detail'] if case != 'unknown' else ''}", where
    return answer


def of_api(operation: Operation) -> bool:
    return operation.path.startswith("/api/")


def test_every_operation_has_values_for_its_parts(every: list[Operation]) -> None:
    assert len(every) > 15
    assert not [operation for operation in every if "{" in operation.address()]


def test_no_query_is_echoed_or_breaks_anything(
    every: list[Operation], client: httpx.Client
) -> None:
    for operation in every:
        for case, query in QUERIES.items():
            answer = tried(client, operation, f"{operation.address()}?{query}", case)
            if of_api(operation):
                assert answer.status_code in (403, 404, 415, 422), (case, operation, answer.text)


def test_no_part_of_a_path_is_a_file_a_host_or_a_statement(
    every: list[Operation], client: httpx.Client
) -> None:
    for operation in every:
        for name in operation.parts:
            if "{" + name + "}" not in operation.path:
                continue
            for case, value in SEGMENTS.items():
                answer = tried(client, operation, operation.address(**{name: value}), case)
                if of_api(operation):
                    assert answer.status_code in (404, 405, 422), (case, operation, answer.text)


def test_no_body_but_a_good_one_is_taken(every: list[Operation], client: httpx.Client) -> None:
    for operation in every:
        if operation.method not in ("PUT", "POST"):
            continue
        for case, content in BODIES.items():
            answer = tried(client, operation, operation.address(), case, content=content)
            assert answer.status_code in (400, 401, 413, 422), (case, operation, answer.text)


def test_bodies_of_other_kinds_are_refused_unread(
    every: list[Operation], client: httpx.Client
) -> None:
    for operation in every:
        if operation.method not in ("PUT", "POST"):
            continue
        for case, (kind, encoding) in MEDIA.items():
            headers = {"content-type": kind, **({"content-encoding": encoding} if encoding else {})}
            answer = tried(client, operation, operation.address(), case, headers=headers)
            assert answer.status_code == 415, (case, operation, answer.text)


def test_a_body_that_never_ends_is_cut_at_the_limit(
    every: list[Operation], client: httpx.Client
) -> None:
    """In chunks, so that no length tells beforehand."""

    def endless() -> Iterator[bytes]:
        for _ in range(400):
            yield b" " * 65_536

    for operation in every:
        if operation.method in ("PUT", "POST"):
            try:
                answer = tried(client, operation, operation.address(), "endless", content=endless())
            except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
                continue  # hung up on, which says it as well
            assert answer.status_code == 413, (operation, answer.text)


def test_no_header_changes_where_an_answer_leads(
    every: list[Operation], client: httpx.Client
) -> None:
    for operation in every:
        for case, headers in HEADERS.items():
            tried(client, operation, operation.address(), case, headers=headers)


def test_what_no_operation_has_is_405_or_404(every: list[Operation], client: httpx.Client) -> None:
    for path in {operation.path for operation in every}:
        operation = next(one for one in every if one.path == path)
        for method in ("PATCH", "TRACE", "PROPFIND"):
            odd = Operation(method, path, operation.parts)
            assert tried(client, odd, odd.address(), method).status_code in (404, 405)
    for path in ("/docs", "/redoc", "/.env", "/static/..%2f..%2fetc/passwd", "/api/v1/../../etc"):
        answer = client.get(path)
        assert answer.status_code == 404, (path, answer.status_code)
