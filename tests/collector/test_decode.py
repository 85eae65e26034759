"""Bytes to what they say: exact for what is legal, an error of ours for all else."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.decode import check_length, check_media, decode_batch, decode_goal, view_id_text
from collector.errors import CollectorError, Malformed, TooLarge, UnsupportedMedia
from collector.packing import ENC, EVENT, TRAIL, unpack_events, unpack_trails
from collector.wire import (
    MAX_BODY_BYTES,
    MAX_EVENTS,
    MAX_PATH_BYTES,
    MAX_POINTS,
    MAX_SEQ,
    MAX_T_MS,
    MAX_X_PX,
    MAX_Y_PX,
    MAX_ZONE,
    Kind,
)
from tests.build import batch_body

POINTS = st.tuples(st.integers(0, MAX_X_PX), st.integers(0, MAX_Y_PX), st.integers(0, MAX_T_MS))
TRAILS = st.lists(POINTS, max_size=40).map(lambda points: sorted(points, key=lambda p: p[2]))
EVENTS = st.lists(
    st.tuples(
        st.sampled_from([int(kind) for kind in Kind if kind is not Kind.STALL]),
        st.integers(0, MAX_T_MS),
        st.integers(0, MAX_X_PX),
        st.integers(0, MAX_Y_PX),
        st.integers(0, MAX_ZONE),
        st.integers(0, 65535),
        st.integers(0, 65535),
        st.integers(0, 2**31 - 1),
        st.integers(0, 2),
    ),
    max_size=20,
)
TOLD = ("kind", "t", "x", "y", "zone", "u", "v", "value", "placement")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


def body(**more: Any) -> bytes:
    return json.dumps(batch_body(**{"m": 29391120, **more})).encode()


def flat(points: list[tuple[int, int, int]]) -> list[int]:
    """As a client writes a trail: the first point, then differences."""
    found: list[int] = []
    before = (0, 0, 0)
    for point in points:
        found += [now - then for now, then in zip(point, before, strict=True)]
        before = point
    return found


@given(TRAILS, EVENTS)
def test_what_a_client_encodes_is_what_numpy_reads(
    points: list[tuple[int, int, int]], events: list[tuple[int, ...]]
) -> None:
    batch = decode_batch(body(r=flat(points), e=events))
    assert batch.n == len(points)
    assert unpack_trails([batch.trail], [ENC]).records.tolist() == points
    read = unpack_events([batch.events], [ENC]).records
    assert [tuple(row[name] for name in TOLD) for row in read] == events


def test_a_batch_without_marks_is_taken_and_decodes_to_nothing() -> None:
    bare = {key: value for key, value in batch_body(m=1).items() if key not in "re"}
    batch = decode_batch(json.dumps(bare).encode())
    assert (batch.n, batch.trail, batch.events) == (0, b"", b"")
    assert unpack_trails([batch.trail, batch.trail], [ENC, ENC]).records.dtype == TRAIL
    assert unpack_events([], []).records.dtype == EVENT


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_view_id_keeps_its_64_bits(view_id: int) -> None:
    assert decode_batch(body(id=view_id_text(view_id))).view_id == view_id


@given(st.binary(max_size=300))
def test_any_bytes_are_malformed_and_never_another_error(raw: bytes) -> None:
    for decode in (decode_batch, decode_goal):
        with pytest.raises(CollectorError):
            decode(raw)


@given(JSON, st.sampled_from([*batch_body(), "m", "t", "u", "ref", "result"]))
def test_any_json_in_any_field_is_taken_or_refused_by_an_error_of_ours(
    value: Any, field: str
) -> None:
    for decode, told in ((decode_batch, body), (decode_goal, a_goal)):
        with suppress(CollectorError):
            decode(told(**{field: value}))


def a_goal(**more: Any) -> bytes:
    return json.dumps({"ref": "order-1", **more}).encode()


@pytest.mark.parametrize("raw", [b'"\\ud800"', b'"\\udbff\\udfff"', b'"\\udfff"', b'"\\u0000"'])
def test_surrogates_and_nul_in_text_are_no_trouble(raw: bytes) -> None:
    try:
        batch = decode_batch(body(u="PATH").replace(b'"PATH"', raw))
    except Malformed:
        return
    assert batch.path is not None
    batch.path.encode()


def test_the_last_of_two_equal_fields_counts() -> None:
    assert decode_batch(body()[:-1] + b',"s":9}').seq == 9


def trail(n: int) -> list[int]:
    return [0, 0, 0] * n


EDGES: list[tuple[str, Any, Any]] = [
    ("r", trail(MAX_POINTS), trail(MAX_POINTS + 1)),
    ("r", [MAX_X_PX, MAX_Y_PX, MAX_T_MS], [MAX_X_PX + 1, 0, 0]),
    ("r", [0, MAX_Y_PX, 0], [0, MAX_Y_PX + 1, 0]),
    ("r", [0, 0, MAX_T_MS], [0, 0, MAX_T_MS + 1]),
    ("r", [0, 0, MAX_T_MS, 0, 0, 0], [0, 0, MAX_T_MS, 0, 0, 1]),
    ("r", [5, 5, 5, -5, -5, 0], [5, 5, 5, -6, 0, 0]),
    ("r", [0, 0, 7, 0, 0, 0], [0, 0, 7, 0, 0, -1]),
    ("r", [], [1]),
    ("e", [[1, 0, 0, 0, 0, 0, 0, 0, 0]] * MAX_EVENTS, [[1] + [0] * 8] * (MAX_EVENTS + 1)),
    ("e", [[15] + [0] * 8], [[16] + [0] * 8]),
    ("e", [[1] + [0] * 8], [[0] * 9]),
    ("e", [[1, MAX_T_MS] + [0] * 7], [[1, MAX_T_MS + 1] + [0] * 7]),
    ("e", [[1, 0, MAX_X_PX] + [0] * 6], [[1, 0, MAX_X_PX + 1] + [0] * 6]),
    ("e", [[1, 0, 0, MAX_Y_PX] + [0] * 5], [[1, 0, 0, MAX_Y_PX + 1] + [0] * 5]),
    ("e", [[1, 0, 0, 0, MAX_ZONE] + [0] * 4], [[1, 0, 0, 0, MAX_ZONE + 1] + [0] * 4]),
    ("e", [[1, 0, 0, 0, 0, 65535, 65535, 0, 0]], [[1, 0, 0, 0, 0, 65536, 0, 0, 0]]),
    ("e", [[1, 0, 0, 0, 0, 0, 65535, 0, 0]], [[1, 0, 0, 0, 0, 0, 65536, 0, 0]]),
    ("e", [[1, 0, 0, 0, 0, 0, 0, 2**31 - 1, 0]], [[1, 0, 0, 0, 0, 0, 0, 2**31, 0]]),
    ("e", [[1, 0, 0, 0, 0, 0, 0, 0, 2]], [[1, 0, 0, 0, 0, 0, 0, 0, 3]]),
    ("e", [[1] + [0] * 8], [[1] + [0] * 7]),
    ("s", MAX_SEQ, MAX_SEQ + 1),
    ("s", 0, -1),
    ("vp", [32767, 32767], [32768, 1]),
    ("vp", [1, 1], [1, 0]),
    ("pg", [MAX_X_PX, MAX_Y_PX], [MAX_X_PX + 1, 1]),
    ("pg", [1, 1], [1, MAX_Y_PX + 1]),
    ("m", 2**31 - 1, 2**31),
    ("p", "a" * 64, "a" * 65),
    ("p", "cart", "cart\n"),
    ("id", "0" * 16, "0" * 16 + "\n"),
    ("ref", "a" * 128, "a" * 129),
    ("ref", "abcd", "abcd\n"),
    ("ref", "abcd", "abc"),
    ("u", "/" + "é" * 1023, "/" + "é" * 1024),
]


@pytest.mark.parametrize(("field", "edge", "beyond"), EDGES)
def test_a_limit_is_taken_and_one_more_is_refused(field: str, edge: Any, beyond: Any) -> None:
    decode_batch(body(**{field: edge}))
    with pytest.raises(Malformed):
        decode_batch(body(**{field: beyond}))


def test_a_path_is_measured_in_bytes() -> None:
    assert len(("/" + "é" * 1023).encode()) < MAX_PATH_BYTES < len(("/" + "é" * 1024).encode())


@pytest.mark.parametrize("lacking", ["id", "m", "p"])
def test_without_a_token_a_batch_says_all_three_of_view_opening_and_page(lacking: str) -> None:
    told = batch_body(m=1)
    del told[lacking]
    with pytest.raises(Malformed, match="token"):
        decode_batch(json.dumps(told).encode())


def test_a_refusal_repeats_nothing_of_what_was_sent() -> None:
    for told in (body(geheim=1), body(p="geheim!"), body(s="geheim"), b'{"geheim', b"geheim"):
        with pytest.raises(Malformed) as refusal:
            decode_batch(told)
        assert "geheim" not in str(refusal.value)


@pytest.mark.parametrize("result", ["completed", "failed", "handed_over"])
def test_a_goal_says_its_reference_and_its_result(result: str) -> None:
    assert decode_goal(a_goal(result=result))[0] == "order-1"


@pytest.mark.parametrize(
    "told", [{"result": "paid"}, {"ref": "a b c d"}, {"ref": "abcd\n"}, {"more": 1}, {"ref": None}]
)
def test_a_goal_of_another_shape_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        decode_goal(a_goal(**told))


def test_a_goal_without_a_result_is_completed() -> None:
    assert decode_goal(a_goal()) == decode_goal(a_goal(result="completed"))


@pytest.mark.parametrize("length", ["", "0", str(MAX_BODY_BYTES)])
def test_a_length_up_to_the_limit_is_read(length: str) -> None:
    check_length(length)


@pytest.mark.parametrize("length", [str(MAX_BODY_BYTES + 1), "9" * 18, "9" * 5000])
def test_a_longer_body_is_refused_before_it_is_read(length: str) -> None:
    with pytest.raises(TooLarge):
        check_length(length)


@pytest.mark.parametrize("length", ["-1", "1.0", "1e3", "0x10", "²", " 5", "5 ", "five"])
def test_a_length_is_a_whole_number(length: str) -> None:
    with pytest.raises(Malformed):
        check_length(length)


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "TEXT/PLAIN; charset=UTF-8",
        "application/json",
        'text/plain;charset="utf-8"',
    ],
)
def test_text_and_json_in_utf_8_are_taken(kind: str) -> None:
    check_media(kind, "identity")


@pytest.mark.parametrize(
    ("kind", "encoding"),
    [
        ("text/html", ""),
        ("multipart/form-data", ""),
        ("text/plain;charset=utf-16", ""),
        ("text/plain;charset=latin1", ""),
        ("text/plain", "gzip"),
        ("text/plain", "deflate"),
        ("text/plain", "gzip, gzip"),
    ],
)
def test_other_media_are_refused(kind: str, encoding: str) -> None:
    with pytest.raises(UnsupportedMedia):
        check_media(kind, encoding)
