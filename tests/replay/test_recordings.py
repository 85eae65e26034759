"""The line format of recordings: strict, streamed, and the same way back."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.replay import Event, Recording, RecordingError, read_recordings, write_recordings
from app.replay.recordings import encode_recording
from collector.wire import MAX_T_MS, MAX_X_PX, MAX_Y_PX

KINDS = ("move", "click", "rageclick", "deadclick", "scroll")
names = st.from_regex(r"[a-z0-9._-]{1,64}", fullmatch=True)
sides = st.integers(1, 2**15 - 1)
events = st.builds(
    Event,
    st.integers(0, MAX_T_MS),
    st.sampled_from(KINDS),
    st.integers(0, MAX_X_PX),
    st.integers(0, MAX_Y_PX),
)
recordings = st.builds(
    Recording,
    view=names,
    visit=st.none() | names,
    viewport=st.tuples(sides, sides),
    page=st.tuples(st.integers(1, MAX_X_PX), st.integers(1, MAX_Y_PX)),
    events=st.lists(events).map(lambda drawn: tuple(sorted(drawn, key=lambda event: event.t_ms))),
)

GOOD = (
    b'{"view":"a","viewport":[1280,720],"page":[1280,2400],'
    b'"events":[[0,"move",10,20],[40,"click",11,21]]}'
)


@given(st.lists(recordings, unique_by=lambda recording: recording.view), st.booleans())
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[Recording], packed: bool
) -> None:
    path = tmp_path_factory.mktemp("recordings") / ("views.jsonl.gz" if packed else "views.jsonl")
    assert write_recordings(path, drawn) == len(drawn)
    assert path.read_bytes().startswith(b"\x1f\x8b") == packed
    assert list(read_recordings(path)) == drawn


@given(recordings)
def test_a_line_is_one_line_of_plain_json_in_the_documented_order(recording: Recording) -> None:
    line = encode_recording(recording)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    told = json.loads(line)
    assert [name for name in told if name != "visit"] == ["view", "viewport", "page", "events"]
    assert [tuple(event) for event in told["events"]] == [
        (event.t_ms, event.kind, event.x_px, event.y_px) for event in recording.events
    ]


def test_the_same_recordings_give_the_same_gzipped_bytes(tmp_path: Path) -> None:
    view = Recording(view="a", viewport=(1, 1), page=(1, 1), events=())
    one, other = tmp_path / "one.gz", tmp_path / "other.gz"
    write_recordings(one, [view])
    write_recordings(other, [view])
    assert one.read_bytes() == other.read_bytes()


def test_gzip_is_known_by_its_bytes_and_not_by_the_name(tmp_path: Path) -> None:
    path = tmp_path / "views.jsonl"
    path.write_bytes(gzip.compress(GOOD + b"\n"))
    assert [recording.view for recording in read_recordings(path)] == ["a"]


def test_the_last_line_may_lack_its_newline(tmp_path: Path) -> None:
    path = tmp_path / "views.jsonl"
    path.write_bytes(GOOD)
    assert len(list(read_recordings(path))) == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'"view":"a"', b'"view":"Ada Lovelace"', "matching regex"),
        (b'"view":"a",', b"", "view"),
        (b'"view":"a"', b'"view":"a","email":"a@b.nl"', "unknown field `email`"),
        (b'"view":"a"', b'"view":"first"', "'first' occurs twice"),
        (b'[0,"move",10,20]', b'[0,"key",10,20]', "'key'"),
        (b'[0,"move",10,20]', b'[0,"move",10]', "$.events[0]"),
        (b'[0,"move",10,20]', b'[0,"move",10,20,"text"]', "at most length 4"),
        (b'[0,"move",10,20]', b'[0,"move",10.5,20]', "`int`, got `float`"),
        (b'[0,"move",10,20]', b'[0,"move",true,20]', "`int`, got `bool`"),
        (b'[0,"move",10,20]', b'[0,"move",-1,20]', ">= 0"),
        (b'[0,"move",10,20]', b'[0,"move",10,200001]', "<= 200000"),
        (b'[0,"move",10,20]', b'[41,"move",10,20]', "time runs backwards at `$.events[1]`"),
        (b"[1280,720]", b"[1280,0]", ">= 1"),
        (b"[1280,2400]", b"[1280]", "$.page"),
        (GOOD, b"", "the line is empty"),
        (GOOD, GOOD[:-1], "truncated"),
        (GOOD, GOOD + b" {}", "trailing characters"),
        (GOOD, b"[]", "`array`"),
        (b'"a"', b'"\xff"', "utf-8"),
    ],
)
def test_a_wrong_line_is_named_with_its_number_and_what_is_wrong(
    tmp_path: Path, old: bytes, new: bytes, said: str
) -> None:
    path = tmp_path / "views.jsonl"
    assert old in GOOD
    path.write_bytes(GOOD.replace(b'"a"', b'"first"') + b"\n" + GOOD.replace(old, new) + b"\n")
    read = read_recordings(path)
    assert next(read).view == "first"
    with pytest.raises(RecordingError) as caught:
        next(read)
    assert "views.jsonl, line 2: " in str(caught.value)
    assert said in str(caught.value)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_the_documented_error(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    path = tmp_path_factory.mktemp("recordings") / "views.jsonl"
    for content in (raw, gzip.compress(raw), gzip.compress(raw)[:-6], b"\x1f\x8b" + raw):
        path.write_bytes(content)
        with suppress(RecordingError):
            list(read_recordings(path))


def test_a_gzip_file_that_was_cut_off_is_named(tmp_path: Path) -> None:
    path = tmp_path / "views.jsonl.gz"
    path.write_bytes(gzip.compress(GOOD + b"\n")[:-9])
    with pytest.raises(RecordingError, match=r"line 1: .*ended before"):
        list(read_recordings(path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"nowhere\.jsonl cannot be read: No such file"):
        list(read_recordings(tmp_path / "nowhere.jsonl"))
