"""Bytes of a request → what it says, or an error that names what is wrong. Keeps nothing."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Annotated, NamedTuple, TypeVar

import msgspec

from collector.errors import Malformed, TooLarge, UnsupportedMedia
from collector.packing import pack_events, pack_steps
from collector.together import STEP, Steps, packed_together
from collector.wire import (
    BATCH_VERSION,
    MAX_BODY_BYTES,
    MAX_EVENTS,
    MAX_PATH_BYTES,
    MAX_POINTS,
    MAX_SEQ,
    MAX_T_MS,
    MAX_X_PX,
    MAX_Y_PX,
    MAX_ZONE,
    REF,
    SLUG,
    Kind,
)

TOGETHER = 4
"""From so many trails on it is faster to pack them at once than one by one."""

LENGTHS = 3 * 64
"""Of trails, remembered: most batches hold a few dozen points."""

PLACEMENTS = 3
"""0 flows with the page, 1 fixed to the viewport, 2 inside an inner scroller."""

_Int = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
_Side = Annotated[int, msgspec.Meta(ge=1, le=2**15 - 1)]
_Share = Annotated[int, msgspec.Meta(ge=0, le=2**16 - 1)]
_Event = tuple[
    Annotated[int, msgspec.Meta(ge=1, le=Kind.STALL.value - 1, description="kind")],
    Annotated[int, msgspec.Meta(ge=0, le=MAX_T_MS, description="t")],
    Annotated[int, msgspec.Meta(ge=0, le=MAX_X_PX, description="x")],
    Annotated[int, msgspec.Meta(ge=0, le=MAX_Y_PX, description="y")],
    Annotated[int, msgspec.Meta(ge=0, le=MAX_ZONE, description="zone")],
    Annotated[_Share, msgspec.Meta(description="u")],
    Annotated[_Share, msgspec.Meta(description="v")],
    Annotated[_Int, msgspec.Meta(description="value")],
    Annotated[int, msgspec.Meta(ge=0, le=PLACEMENTS - 1, description="placement")],
]
"""The decoder holds events to their limits itself: checked here they cost it twice over."""

assert max(Kind) is Kind.STALL, "a client sends every kind but the derived one, the last"


def _written(pattern: str) -> msgspec.Meta:
    """Tells a client how a text must look. Looked at below, in a fifth of the decoder's time."""
    return msgspec.Meta(extra_json_schema={"pattern": pattern})


class BatchBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The body of POST /g/{site}; `docs/wire.md` describes it for whoever writes a client."""

    v: int
    s: Annotated[int, msgspec.Meta(ge=0, le=MAX_SEQ)]
    vp: tuple[_Side, _Side]
    pg: tuple[
        Annotated[int, msgspec.Meta(ge=1, le=MAX_X_PX)],
        Annotated[int, msgspec.Meta(ge=1, le=MAX_Y_PX)],
    ]
    t: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    id: Annotated[str, _written(r"^[0-9a-f]{16}\Z")] | None = None
    m: _Int | None = None
    p: Annotated[str, _written(f"^{SLUG.pattern}")] | None = None
    u: str | None = None
    ref: Annotated[str, _written(f"^{REF.pattern}")] | None = None
    r: Annotated[list[int], msgspec.Meta(max_length=3 * MAX_POINTS)] = []
    e: Annotated[list[_Event], msgspec.Meta(max_length=MAX_EVENTS)] = []


class GoalBody(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The body of POST /g/{site}/goal."""

    ref: Annotated[str, msgspec.Meta(pattern=f"^{REF.pattern}")]
    result: str = "completed"
    test: bool = False


class Told(NamedTuple):
    """What a shop's server tells of an order; `test`: the payment provider only tried."""

    ref: str
    result: int
    test: bool = False


class Batch(msgspec.Struct, frozen=True):
    token: str | None
    view_id: int | None
    opened_min: int | None
    slug: str | None
    seq: int
    path: str | None
    ref: str | None
    viewport: tuple[int, int]
    page: tuple[int, int]
    n: int
    trail: bytes
    events: bytes
    steps: Steps = b""
    """Of a trail that is yet to be checked and packed, together with others."""


RESULTS = {"completed": 1, "failed": 2, "handed_over": 3}
_Told = TypeVar("_Told")
_batch = msgspec.json.Decoder(BatchBody)
_goal = msgspec.json.Decoder(GoalBody)


def check_media(content_type: str, content_encoding: str) -> None:
    """sendBeacon sends text/plain; forms and compressed bodies are refused before reading."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in ("", "text/plain", "application/json"):
        raise UnsupportedMedia("send the batch as text/plain or application/json")
    charset = content_type.lower().partition("charset=")[2].strip(' "')
    if charset not in ("", "utf-8", "utf8"):
        raise UnsupportedMedia("send the batch as UTF-8")
    if content_encoding.strip().lower() not in ("", "identity"):
        raise UnsupportedMedia("send the batch uncompressed")


def check_length(content_length: str) -> None:
    if not content_length:
        return
    if not (content_length.isascii() and content_length.isdigit()):
        raise Malformed("content-length must be a whole number")
    if len(content_length) > 9 or int(content_length) > MAX_BODY_BYTES:
        raise TooLarge(f"a batch may have at most {MAX_BODY_BYTES} bytes")


def decode_batch(body: bytes) -> Batch:
    """Raises Malformed, naming the field; the input itself is never repeated."""
    told = _decode_batch(body)
    return _batch_of(told, _trail(told.r) if told.r else b"", b"")


def begin_batch(body: bytes) -> Batch:
    """The same, but that its trail is left to be checked and packed with those of its group.

    Raises Malformed for all else that is wrong, and for what no trail could hold."""
    told = _decode_batch(body)
    steps = _steps(told.r)
    return _batch_of(told, b"" if steps or not told.r else _trail(told.r), steps)


def _steps(flat: Sequence[int]) -> Steps:
    """None where there are no points, and of a number that has no room: no page is as large.

    Raises Malformed for what is no points."""
    if len(flat) % 3:
        raise Malformed(_NOT_IN_THREES)
    try:
        return _numbers(len(flat))(*flat)
    except struct.error:
        return b""


@lru_cache(maxsize=LENGTHS)
def _numbers(count: int) -> Callable[..., bytes]:
    return struct.Struct(f"<{count}i").pack


def end_trail(steps: Steps) -> bytes:
    """A trail of its own. Raises Malformed, naming what is wrong with it."""
    return _trail(struct.unpack(f"<{len(steps) // STEP.itemsize}i", steps))


def end_trails(told: Sequence[Steps]) -> list[bytes | Malformed]:
    """The trails of a group, in their order; of each that is wrong what is wrong with it."""
    packed: list[bytes | None] = [None] * len(told)
    if len(told) >= TOGETHER:
        packed = packed_together(told)
    return [
        _ended(steps) if trail is None else trail for steps, trail in zip(told, packed, strict=True)
    ]


def _ended(steps: Steps) -> bytes | Malformed:
    try:
        return end_trail(steps)
    except Malformed as wrong:
        return wrong


def _decode_batch(body: bytes) -> BatchBody:
    told = _decode(_batch, body)
    if told.v != BATCH_VERSION:
        raise Malformed(f"v must be {BATCH_VERSION}")
    if told.t is None and (told.id is None or told.m is None or told.p is None):
        raise Malformed("a batch bears a token in t, or all of id, m and p")
    if told.id is not None and not _VIEW_ID.match(told.id):
        raise Malformed("id must be 16 hexadecimal digits, in small letters")
    if told.p is not None and not SLUG.match(told.p):
        raise Malformed("p must be a page's name: a-z, 0-9 and -, 64 of them at most")
    if told.ref is not None and not REF.match(told.ref):
        raise Malformed("ref must be 4 to 128 of A-Z a-z 0-9 . _ ~ -")
    if told.u is not None and len(told.u.encode()) > MAX_PATH_BYTES:
        raise Malformed(f"u may have at most {MAX_PATH_BYTES} bytes")
    return told


def _batch_of(told: BatchBody, trail: bytes, steps: Steps) -> Batch:
    return Batch(
        token=told.t,
        view_id=None if told.id is None else _signed(told.id),
        opened_min=told.m,
        slug=told.p,
        seq=told.s,
        path=told.u,
        ref=told.ref,
        viewport=told.vp,
        page=told.pg,
        n=len(told.r) // 3,
        trail=trail,
        events=pack_events(told.e),
        steps=steps,
    )


def decode_goal(body: bytes) -> Told:
    told = _decode(_goal, body)
    if told.result not in RESULTS:
        raise Malformed(f"result must be one of {', '.join(RESULTS)}")
    return Told(told.ref, RESULTS[told.result], told.test)


def view_id_text(view_id: int) -> str:
    """64 signed bits as 16 hexadecimal digits: JSON numbers hold only 53."""
    return f"{view_id & (2**64 - 1):016x}"


def read_view_id(text: str) -> int:
    """The number that is written so; ValueError for any other text."""
    if not _VIEW_ID.match(text):
        raise ValueError("16 hexadecimal digits were expected")
    return _signed(text)


_VIEW_ID = re.compile(r"[0-9a-f]{16}\Z", re.ASCII)


def _signed(text: str) -> int:
    number = int(text, 16)
    return number - 2**64 if number >= 2**63 else number


def _decode(decoder: msgspec.json.Decoder[_Told], body: bytes) -> _Told:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise Malformed(_harmless(problem)) from problem


def _harmless(problem: Exception) -> str:
    """The decoder names the place and the rule, and repeats input only for unknown fields."""
    text = str(problem)
    return (
        "the body has a field that a batch does not have" if "unknown field" in text else text[:200]
    )


_NOT_IN_THREES = "r must hold x, y, t for every point"


def _trail(flat: Sequence[int]) -> bytes:
    """First x, y, t as they are, then differences to the point before."""
    if len(flat) % 3:
        raise Malformed(_NOT_IN_THREES)
    dts = flat[2::3]
    if min(dts) < 0:
        raise Malformed("r: time must not run backwards")
    if sum(dts) > MAX_T_MS:
        raise Malformed(f"r: t must lie between 0 and {MAX_T_MS}")
    dxs, dys = flat[0::3], flat[1::3]
    _check_places("x", dxs, MAX_X_PX)
    _check_places("y", dys, MAX_Y_PX)
    return pack_steps(flat)


def _check_places(name: str, steps: Sequence[int], top: int) -> None:
    places = list(accumulate(steps))
    if min(places) < 0 or max(places) > top:
        raise Malformed(f"r: {name} must lie between 0 and {top}")
