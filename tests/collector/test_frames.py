"""Records on disk: whole, torn or damaged, and told from one another."""

from __future__ import annotations

import io
from datetime import timedelta
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector import frames
from collector.frames import (
    FRAME_BYTES,
    HEADER_BYTES,
    UNPACKABLE,
    VERSION,
    Damaged,
    Head,
    Rows,
    Torn,
    frames_of,
    packable,
    packed,
    read_record,
)
from collector.groups import Row
from tests.collector.build import AT, DAY, a_batch, a_beacon, a_goal

KINDS = st.sampled_from(["beacon", "batch", "goal"])
MOMENTS = st.timedeltas(timedelta(0), timedelta(days=9000))
LONG = st.integers(-(2**63), 2**63 - 1)


@st.composite
def rows(draw: st.DrawFn) -> Row:
    kind, number, moment = draw(KINDS), draw(LONG), AT + draw(MOMENTS)
    day = DAY + timedelta(days=draw(st.integers(-400, 400)))
    if kind == "beacon":
        return a_beacon(draw(st.text(max_size=8)), number, at=moment, day=day)
    if kind == "goal":
        return a_goal(number, at=moment, day=day, ref_hash=draw(st.none() | st.binary()))
    path = draw(st.none() | st.text(max_size=9))
    trail = draw(st.binary(max_size=300))
    return a_batch(number, path=path, path_id=draw(LONG), at=moment, day=day, trail=trail)


def read_all(raw: bytes) -> list[Row]:
    found: list[Row] = []
    file = io.BytesIO(raw)
    while (record := read_record(file)) is not None:
        found += record.unpack() if isinstance(record, Rows) else []
    return found


def told(row: Row) -> tuple[object, ...]:
    """Without columns that are not given: they are null either way."""
    return row.table, {k: v for k, v in row.values.items() if v is not None}, row.path


@given(st.lists(rows(), max_size=20, unique_by=lambda row: row.values.get("path_id", row.key)))
def test_what_was_packed_is_what_is_read(given_rows: list[Row]) -> None:
    back = read_all(b"".join(frames_of(given_rows)))
    assert len(back) == len(given_rows)
    assert {row.key: told(row) for row in back} == {row.key: told(row) for row in given_rows}


def test_many_rows_are_several_records_in_their_order_and_none_is_much_longer() -> None:
    many = [a_batch(n, trail=bytes(3000)) for n in range(1000)]
    made = list(frames_of(many))
    assert len(made) > 3
    assert max(map(len, made)) < 1.1 * FRAME_BYTES
    assert [row.values["view_id"] for row in read_all(b"".join(made))] == list(range(1000))


def test_a_record_cut_anywhere_is_torn_and_never_another() -> None:
    whole = packed(Head("store", AT)) + b"".join(frames_of([a_beacon(), a_batch(), a_goal()]))
    first = len(packed(Head("store", AT)))
    for length in range(len(whole)):
        file = io.BytesIO(whole[:length])
        if length >= first:
            assert isinstance(read_record(file), Head)
        if length in (0, first):
            assert read_record(file) is None
        else:
            with pytest.raises(Torn):
                read_record(file)


@given(st.data())
def test_a_flipped_bit_is_noticed(data: st.DataObject) -> None:
    whole = bytearray(b"".join(frames_of([a_beacon(), a_batch(trail=bytes(50))])))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(Damaged):
        read_all(bytes(whole))


def test_zeros_at_the_end_are_what_a_crash_leaves_and_elsewhere_damage() -> None:
    whole = b"".join(frames_of([a_beacon()]))
    for zeros in (HEADER_BYTES, 5000):
        file = io.BytesIO(whole + bytes(zeros))
        assert read_record(file) is not None
        with pytest.raises(Torn):
            read_record(file)
    with pytest.raises(Damaged, match="zeros between"):
        read_all(bytes(HEADER_BYTES) + whole)


@pytest.mark.parametrize(
    "payload", [b"", b"\xc1", b"\x93\xa4rows\x90\x90", b"\x92\xa5other\x80", b"\x01" * 100]
)
def test_a_payload_of_another_shape_is_damage(payload: bytes) -> None:
    whole = packed(Head("store", AT))
    header = frames._HEADER.pack(VERSION, len(payload), crc32(payload))
    forged = header + frames._CHECK.pack(crc32(header)) + payload
    with pytest.raises(Damaged):
        read_all(whole + forged)


@pytest.mark.parametrize(("version", "length"), [(VERSION + 1, 10), (VERSION, 2**31)])
def test_a_version_or_length_that_cannot_be_is_damage(version: int, length: int) -> None:
    header = frames._HEADER.pack(version, length, 0)
    with pytest.raises(Damaged):
        read_all(header + frames._CHECK.pack(crc32(header)) + bytes(100))


def test_columns_that_this_version_does_not_know_are_left_out_and_missing_ones_are_null() -> None:
    row = a_goal()
    table = frames._Table(
        ("at", "goal_id", "day", "site_id", "source", "result", "of_another_version"),
        [(AT, 1, str(DAY), 1, 2, 1, "news")],
    )
    (back,) = read_all(packed(Rows({"goal": table}, [])))
    assert back.record == row.record
    lacking = frames._Table(("at", "day"), [(AT, str(DAY))])
    with pytest.raises(Damaged, match="another shape"):
        read_all(packed(Rows({"goal": lacking}, [])))


@pytest.mark.parametrize("poison", [a_batch(2**70), a_beacon("\ud800"), a_batch(trail=object())])
def test_what_no_store_could_take_is_refused_before_it_is_written(poison: Row) -> None:
    assert not packable(poison)
    with pytest.raises(UNPACKABLE):
        list(frames_of([a_beacon(), poison]))
    assert packable(a_beacon())
