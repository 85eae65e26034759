"""PUT of layouts: who may, what is taken, and how much of it is read."""

from __future__ import annotations

import base64
import io
import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from app.api.layouts import MAX_BODY_BYTES
from tests.app.conftest import Asker, is_problem
from tests.build import make_shop

PATH = "/sites/{site}/pages/shipping/layouts"
BOX = {"zone": 2, "x0_px": 20.5, "y0_px": 200, "x1_px": 370, "y1_px": 250}


@pytest.fixture
def writer(ask: Asker) -> str:
    return ask.new_key("write")


def png(width_px: int = 390, height_px: int = 800) -> str:
    out = io.BytesIO()
    Image.new("RGB", (width_px, height_px), "white").save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def body(**more: Any) -> dict[str, Any]:
    told = {"width_px": 390, "height_px": 800, "pointer": "coarse", "boxes": [BOX], "picture": None}
    return {**told, **more}


def test_a_layout_is_kept_and_the_same_one_again_is_the_same(ask: Asker, writer: str) -> None:
    first = ask(PATH, "PUT", key=writer, json=body(picture=png()))
    assert first.status_code == 200
    name = first.json()["layout"]
    assert ask(PATH, "PUT", key=writer, json=body(picture=png())).json()["layout"] == name
    (layout,) = ask(PATH).json()["layouts"]
    assert layout == {
        "layout": name,
        "width_px": 390,
        "height_px": 800,
        "pointer": "coarse",
        "source": "api",
        "valid_from": "2026-11-18T12:00:00Z",
        "picture": True,
        "boxes": [{**BOX, "placement": "flow"}],
    }
    drawn = ask("/sites/{site}/pages/shipping/heatmap.json", params={"layout": name}).json()
    assert (drawn["width_px"], drawn["height_px"], drawn["layout"]) == (390, 800, name)
    on_it = {"layout": name, "picture": "page"}
    laid = ask("/sites/{site}/pages/shipping/heatmap.png", params=on_it)
    assert Image.open(io.BytesIO(laid.content)).size == (390, 800)


def test_only_a_key_that_may_write_is_let_in(ask: Asker, writer: str) -> None:
    other = ask.gloed.do(make_shop(ask.gloed.store, ask.gloed.clock(), "Boekwinkel"))
    is_problem(ask(PATH, "PUT", key=None, json=body()), 401, "unauthorized")
    for key in ("own", ask.new_key("goal"), ask.new_key("write", other)):
        is_problem(ask(PATH, "PUT", key=key, json=body()), 404, "not-found")
    is_problem(
        ask(PATH.replace("shipping", "nothing"), "PUT", key=writer, json=body()), 404, "not-found"
    )
    is_problem(ask(PATH + "?x=1", "PUT", key=writer, json=body()), 422, "bad-parameters")
    assert ask(PATH).json()["layouts"] == []


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"width_px": 0}, "/width_px"),
    ({"width_px": "390"}, "/width_px"),
    ({"width_px": 390.5}, "/width_px"),
    ({"width_px": True}, "/width_px"),
    ({"height_px": 32_001}, "/height_px"),
    ({"pointer": "pen"}, "/pointer"),
    ({"boxes": None}, "/boxes"),
    ({"boxes": [BOX] * 1000}, "/boxes"),
    ({"boxes": [{**BOX, "zone": 0}]}, "/boxes/0/zone"),
    ({"boxes": [BOX, {**BOX, "x0_px": "1"}]}, "/boxes/1/x0_px"),
    ({"boxes": [{**BOX, "placement": "sticky"}]}, "/boxes/0/placement"),
    ({"boxes": [{**BOX, "a/b~c": 1}]}, "/boxes/0/a~1b~0c"),
    ({"picture": 7}, "/picture"),
    ({"source": "script"}, "/source"),
    ({"__proto__": {}}, "/__proto__"),
]


def test_a_body_that_is_not_as_described_is_refused_by_its_part(ask: Asker, writer: str) -> None:
    for more, pointer in WRONG:
        told = is_problem(ask(PATH, "PUT", key=writer, json=body(**more)), 422, "bad-parameters")
        assert pointer in [error["pointer"] for error in told["errors"]], more


@pytest.mark.parametrize(
    ("more", "slug"),
    [
        ({"boxes": [BOX, BOX]}, "layout"),
        ({"boxes": [{**BOX, "zone": 999}]}, "layout"),
        ({"boxes": [{**BOX, "x1_px": 1}]}, "layout"),
        ({"width_px": 4000, "height_px": 32_000, "boxes": []}, "layout"),
        ({"picture": "no base64!"}, "picture"),
        ({"picture": base64.b64encode(b"<svg/>").decode()}, "picture"),
    ],
)
def test_a_layout_that_cannot_be_is_refused(
    ask: Asker, writer: str, more: dict[str, Any], slug: str
) -> None:
    is_problem(ask(PATH, "PUT", key=writer, json=body(**more)), 422, slug)
    assert ask(PATH).json()["layouts"] == []


BYTES = [
    (b"", 400),
    (b"{", 400),
    (b"{}{}", 400),
    (b"[" * 100_000, 400),
    (b'{"width_px":' * 3000, 400),
    (b'{"width_px": 1', 400),
    (b"\xff\xfe{\x00}\x00", 400),
    (json.dumps(body()).encode("utf-16"), 400),
    (b'{"pointer": "\xff"}', 400),
    (b'{"pointer": "\\ud800"}', 400),
    (b'{"\\udfff": 1}', 400),
    (b"null", 422),
    (b"[]", 422),
    (b'"x"', 422),
    (b"7", 422),
    (b'{"width_px": NaN, "height_px": Infinity}', 422),
    (b'{"width_px": 1e999}', 422),
    (b'{"width_px": ' + b"9" * 5000 + b"}", 400),
]


def test_bytes_that_are_no_layout_are_refused(ask: Asker, writer: str) -> None:
    headers = {"content-type": "application/json"}
    for raw, status in BYTES:
        answer = ask(PATH, "PUT", key=writer, content=raw, headers=headers)
        is_problem(answer, status, "malformed" if status == 400 else "bad-parameters")


def test_numbers_that_are_none_are_refused_in_the_boxes_too(ask: Asker, writer: str) -> None:
    for number in ("NaN", "Infinity", "-Infinity", "1e999", "1e7"):
        raw = json.dumps(body()).replace("20.5", number).encode()
        answer = ask(
            PATH, "PUT", key=writer, content=raw, headers={"content-type": "application/json"}
        )
        told = is_problem(answer, 422, "bad-parameters")
        assert told["errors"][0]["pointer"] == "/boxes/0/x0_px"


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": ""},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
def test_another_kind_of_body_is_not_looked_at(
    ask: Asker, writer: str, headers: dict[str, str]
) -> None:
    answer = ask(PATH, "PUT", key=writer, content=json.dumps(body()), headers=headers)
    is_problem(answer, 415, "unsupported-media")


def endless(sent: list[int]) -> Iterator[bytes]:
    """A body without a length, four times as long as is taken."""
    part = b" " * 2**16
    for _ in range(4 * MAX_BODY_BYTES // len(part)):
        sent.append(len(part))
        yield part


def declared(ask: Asker, length: str, key: str | None) -> httpx.Response:
    """The answer to a body of which nothing but its length was sent."""
    target = "/api/v1" + PATH.replace("{site}", ask.site.public_key)
    lines = [f"PUT {target} HTTP/1.1", "host: x", f"content-length: {length}"]
    lines += ["content-type: application/json", "connection: close"]
    lines += [f"authorization: Bearer {key}"] if key else []
    address = httpx.URL(ask.gloed.url)
    with socket.create_connection((address.host, address.port or 80), timeout=20) as line:
        line.sendall("\r\n".join([*lines, "", ""]).encode())
        raw = b"".join(iter(lambda: line.recv(65536), b""))
    head, _, content = raw.partition(b"\r\n\r\n")
    first, *told = head.decode("ascii").split("\r\n")
    headers = dict(line.split(": ", 1) for line in told)
    request = httpx.Request("PUT", ask.gloed.url + target)
    return httpx.Response(int(first.split()[1]), headers=headers, content=content, request=request)


def test_a_body_that_is_too_large_is_refused_by_its_length_before_it_is_read(
    ask: Asker, writer: str
) -> None:
    for length in (str(MAX_BODY_BYTES + 1), str(10**18)):
        is_problem(declared(ask, length, writer), 413, "too-large")
        is_problem(declared(ask, length, None), 401, "unauthorized")


def test_a_body_without_a_length_is_refused_at_the_limit(ask: Asker, writer: str) -> None:
    sent: list[int] = []
    headers = {"content-type": "application/json"}
    try:
        answer = ask(PATH, "PUT", key=writer, content=endless(sent), headers=headers)
    except httpx.TransportError:
        pass  # the connection may be closed before the client reads why
    else:
        is_problem(answer, 413, "too-large")
    assert sum(sent) >= MAX_BODY_BYTES
    assert ask("/sites").status_code == 200


def test_a_picture_of_too_many_bytes_is_too_large(ask: Asker, writer: str) -> None:
    big = base64.b64encode(b"\x89PNG" + b"\0" * (8 * 2**20)).decode()
    answer = ask(PATH, "PUT", key=writer, json=body(picture=big))
    assert answer.status_code in (413, 422)
    assert len(answer.content) <= 4096
