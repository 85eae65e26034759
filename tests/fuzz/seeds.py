"""One input of each form, from which others are made by change."""

from __future__ import annotations

import io
import json

from PIL import Image

from collector.frames import frames_of
from tests.build import batch_body
from tests.collector.build import a_batch, a_beacon


def _picture() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (7, 5), "red").save(written, "PNG")
    return written.getvalue()


SEEDS = (
    json.dumps(batch_body(m=29_000_000)).encode(),
    b'{"ref":"order-7","result":"failed","test":true}',
    b"application/json; charset=utf-8\ngzip",
    b"\x01" + bytes(range(60)),
    b"".join(frames_of([a_beacon(), a_batch(path="/cart", path_id=7)])),
    b"https://jan:x@shop.nl:8443/a/%2541/b?preview=true#c",
    b"198.51.100.7, [2001:db8::1]:80, unknown",
    b"form#pay > .field[data-x='y']:focus-within",
    b"@media (min-width:10px){.a:hover{background-image:url(t/1.h)}}",
    b"kind\nclick\ndate_from\n2026-11-18\nbandwidth\nauto",
    b"GET /g/abc/1.h HTTP/1.1\r\nHost: shop\r\nReferer: https://shop.nl/\r\n\r\n",
    b"POST /g/gs_a HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\nOrigin: https://s\r\n\r\n{}",
    _picture(),
)
