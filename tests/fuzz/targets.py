"""A target for each decoder: any bytes are taken, or refused by an error of its own, in time.

Each is a function of bytes that must not raise. `python -m tests.fuzz` drives them by coverage, if
atheris is installed (Python 3.11); the tests beside drive them by hypothesis, on every Python.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from struct import Struct
from zlib import crc32

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from pydantic import ValidationError

from app.drawing.redraw import Refused, redraw
from app.mapping.filters import MapQuery
from app.plain import Reader, is_plain
from app.problems import BadParameters
from app.sealing.cells import TileError, unpack, unpack_overlaps
from collector.addresses import Peer, networks, peer_of, sender_of
from collector.agents import language_class
from collector.channels import channel_of, host_of
from collector.decode import check_length, check_media, decode_batch, decode_goal
from collector.errors import CollectorError
from collector.frames import Rows, read_record
from collector.packing import ENC, unpack_events, unpack_trails
from collector.requests import headers_of
from collector.scrub import scrub_path
from collector.senders import Senders
from collector.staff import is_of, is_preview
from collector.tokens import read_token
from snippets.audit import faults, rules
from snippets.errors import SnippetError
from snippets.selectors import check_selector

Target = Callable[[bytes], None]

TRUSTED = networks(["10.0.0.0/8", "2001:db8::/32"])
NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
SECRET = b"0123456789abcdef0123456789abcdef"
READER = Reader("/g", Senders().marking(Peer(b"192.0.2.1", believed=False)))
LONGEST = 1 << 16
"""What a header or a body may bring; longer is refused before anything is decoded."""

_HEADER, _CHECK = Struct(">BII"), Struct(">I")


def batch(raw: bytes) -> None:
    with suppress(CollectorError):
        told = decode_batch(raw)
        unpack_trails([told.trail], [ENC])
        unpack_events([told.events], [ENC])


def goal(raw: bytes) -> None:
    with suppress(CollectorError):
        decode_goal(raw)


def media(raw: bytes) -> None:
    kind, _, encoding = raw.decode("latin-1").partition("\n")
    for check, told in ((check_media, (kind, encoding)), (check_length, (kind,))):
        with suppress(CollectorError):
            check(*told)


def packed(raw: bytes) -> None:
    """Of a store that was tampered with, or whose disk failed."""
    for read in (unpack_trails, unpack_events):
        with suppress(CollectorError):
            read([raw[1:]], list(raw[:1]))


def tile(raw: bytes) -> None:
    for read in (unpack, unpack_overlaps):
        with suppress(TileError):
            read(raw[0] if raw else 0, raw[1:])


def spool(raw: bytes) -> None:
    """As it lies on the disk, and with its checksums made right."""
    head = _HEADER.pack(1, len(raw), crc32(raw))
    for whole in (raw, head + _CHECK.pack(crc32(head)) + raw):
        with suppress(CollectorError):
            file = io.BytesIO(whole)
            while (record := read_record(file)) is not None:
                if isinstance(record, Rows):
                    record.unpack()


def token(raw: bytes) -> None:
    read_token(raw.decode("latin-1"), SECRET, NOW)


def path(raw: bytes) -> None:
    """Scrubbing what was scrubbed changes nothing."""
    once = scrub_path(raw.decode("utf-8", "replace"))
    if once is not None:
        assert scrub_path(once) == once


def headers(raw: bytes) -> None:
    text = raw.decode("latin-1")
    sender_of(peer_of("10.0.0.1", TRUSTED), text, TRUSTED)
    language_class(text)
    is_preview(text)
    channel_of(text)
    host = host_of(text)
    assert host is None or is_of(text, frozenset({host}))


def selector(raw: bytes) -> None:
    """What is taken is taken as it stands, and holds nothing that could lead a sheet elsewhere."""
    text = raw.decode("utf-8", "replace")
    with suppress(SnippetError):
        checked = check_selector(text)
        assert check_selector(checked) == checked
        assert not set(checked) & set("{};@\\<"), checked


def sheet(raw: bytes) -> None:
    """The checker of served sheets finds faults, and never fails on one."""
    text = raw.decode("utf-8", "replace")
    faults(text)
    with suppress(ValueError):
        list(rules(text))


def query(raw: bytes) -> None:
    parts = raw.decode("utf-8", "replace").split("\n")
    asked = dict(zip(parts[::2], parts[1::2], strict=False))
    with suppress(ValidationError, BadParameters):
        MapQuery.model_validate(asked).period(NOW.date())


class _Heard:
    """What the server's own parser makes of some bytes."""

    def __init__(self) -> None:
        self.url, self.body, self.ends = b"", b"", 0
        self.headers: list[tuple[bytes, bytes]] = []

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.ends += 1


def plain(raw: bytes) -> None:
    """What is told without a parser is what the parser tells: one request, and all of it."""
    told = READER.read(raw)
    if told is None:
        return
    heard = _Heard()
    parser = HttpRequestParser(heard)
    try:
        parser.feed_data(raw)
    except (HttpParserError, HttpParserUpgrade):
        return  # such headers are never learnt
    method = parser.get_method().decode()
    if not is_plain(method, headers_of(heard.headers)) or parser.should_upgrade():
        return
    assert heard.ends == 1
    assert (method, heard.url.decode(), heard.body) == (told.method, "/g" + told.path, told.body)


def image(raw: bytes) -> None:
    """In the child process this has limits of memory and time besides."""
    with suppress(Refused):
        redraw(raw, None)


TARGETS: Mapping[str, Target] = {
    target.__name__: target
    for target in (
        batch,
        goal,
        media,
        packed,
        tile,
        spool,
        token,
        path,
        headers,
        selector,
        sheet,
        query,
        plain,
        image,
    )
}
