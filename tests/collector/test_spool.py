"""The spool by itself: kept until it is taken, whoever dies, and bounded."""

from __future__ import annotations

import multiprocessing
import os
import resource
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from collector.errors import SpoolError, SpoolInDoubt
from collector.frames import Head, Rows, packed, read_record
from collector.groups import Row
from collector.nests import BAD, claim
from collector.segments import Segment, Writing, modified_at
from collector.spool import RAW_KEPT, SEGMENT_BYTES, Spool, spool_bytes, waiting_since
from tests.collector.build import AT, a_batch, a_beacon

STORE = "7710900441001728462 16384"
OTHER = "7710900441001728462 16385"
MB = 1024 * 1024
HEAD_BYTES = len(packed(Head(STORE, AT)))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data" / "spool"


@contextmanager
def opened(root: Path, *, limit: int = 64 * MB, now: datetime | None = None) -> Iterator[Spool]:
    spool = Spool(root, limit, lambda: now or modified_now(root))
    spool.open()
    try:
        yield spool
    finally:
        spool.close()


def modified_now(root: Path) -> datetime:
    """The machine's present, as its files have it."""
    return modified_at(root) if root.exists() else AT


def rows_in(segment: Segment) -> list[Row]:
    found: list[Row] = []
    with segment.path.open("rb") as file:
        while (record := read_record(file)) is not None:
            found += record.unpack() if isinstance(record, Rows) else []
    return found


def names_in(spool: Spool, store: str = STORE) -> list[str]:
    """Everything that waits, taken in order."""
    found: list[str] = []
    while (segment := spool.oldest(store)) is not None:
        found += [row.values["name"] for row in rows_in(segment)]
        spool.done(segment)
    return found


def files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def test_what_is_appended_is_taken_in_its_order_and_leaves_nothing(root: Path) -> None:
    with opened(root) as spool:
        for n in range(1, 6):
            spool.append(STORE, [a_beacon(f"{n}.h"), a_beacon(f"{n}.f")])
        assert spool.oldest_at() is not None
        assert waiting_since(root) == spool.oldest_at()
        assert names_in(spool) == [f"{n}.{what}" for n in range(1, 6) for what in "hf"]
        assert spool.oldest_at() is None
        assert files(root) == []
        assert spool.counts.kept == 10
    assert list(root.iterdir()) == []


def test_it_is_closed_to_everybody_else(root: Path) -> None:
    with opened(root) as spool:
        spool.append(STORE, [a_beacon()])
        modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (root, *root.rglob("*"))}
    assert set(modes.values()) == {0o700, 0o600}


def test_files_are_bounded_and_the_oldest_is_taken_first(root: Path) -> None:
    with opened(root) as spool:
        for n in range(3):
            spool.append(STORE, [a_batch(n, seq, trail=bytes(60_000)) for seq in range(75)])
        assert len(files(root)) == 2
        assert max(path.stat().st_size for path in files(root)) < 2 * SEGMENT_BYTES
        first = spool.oldest(STORE)
        assert first is not None
        assert [row.values["view_id"] for row in rows_in(first)] == [0] * 75 + [1] * 75
        # What comes meanwhile does not go to the file that is being read.
        spool.append(STORE, [a_batch(9)])
        spool.done(first)
        assert spool.oldest(STORE) != first


def appended(spool: Spool, n: int) -> SpoolError | None:
    try:
        spool.append(STORE, [a_beacon(f"{n}.h")])
    except SpoolError as refused:
        return refused
    return None


@pytest.mark.parametrize("limit", [0, 400, 5000])
def test_full_is_refused_and_room_is_used_again(root: Path, limit: int) -> None:
    with opened(root, limit=limit) as spool:
        kept = next(n for n in range(1000) if appended(spool, n) is not None)
        assert (kept == 0) is (limit == 0)
        with pytest.raises(SpoolError, match=f"all that it may, {limit} bytes"):
            spool.append(STORE, [a_beacon()])
        assert spool_bytes(root) <= limit + HEAD_BYTES
        assert len(names_in(spool)) == kept
        if limit:
            spool.append(STORE, [a_beacon()])


def test_what_others_hold_counts_too(root: Path) -> None:
    with opened(root, limit=10_000) as one, opened(root, limit=10_000) as other:
        one.append(STORE, [a_batch(trail=os.urandom(9000))])
        with pytest.raises(SpoolError):
            other.append(STORE, [a_batch(trail=os.urandom(9000))])


def test_a_place_that_cannot_be_written_is_named_with_the_remedy(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(SpoolError, match=f"{blocked}.*set GLOED_DATA_DIR"):
        Spool(blocked / "spool", MB, lambda: AT).open()


def test_a_directory_that_was_removed_under_it_is_made_again(root: Path) -> None:
    with opened(root) as spool:
        for folder in root.iterdir():
            folder.rmdir()
        spool.append(STORE, [a_beacon()])
        assert names_in(spool) == ["7.h"]


# The dead -----------------------------------------------------------------------------------------


def _die(root: Path, names: Sequence[str], ready: Connection) -> None:
    spool = Spool(root, 64 * MB, lambda: AT)
    spool.open()
    for name in names:
        spool.append(STORE, [a_beacon(name)])
    ready.send("kept")
    ready.recv()
    os._exit(9)


@contextmanager
def dying(root: Path, *names: str) -> Iterator[Connection]:
    """A process that has spooled `names`; it dies, without any end, when it is sent something."""
    here, there = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_die, args=(root, names, there))
    process.start()
    assert here.recv() == "kept"
    try:
        yield here
    finally:
        here.send("die")
        process.join()


def test_what_the_dead_leave_is_taken_over_by_exactly_one(root: Path) -> None:
    with opened(root) as one, opened(root) as other:
        with dying(root, "1.h", "2.h"):
            one.adopt(STORE)
            assert names_in(one) == [], "its process lives"
        one.adopt(STORE)
        other.adopt(STORE)
        assert names_in(other) == []
        assert names_in(one) == ["1.h", "2.h"]
        other.adopt(STORE)
        assert names_in(other) == []
    assert list(root.iterdir()) == []


def test_what_is_left_at_a_polite_end_is_taken_over_too_the_oldest_first(root: Path) -> None:
    for n in (1, 2):
        with opened(root, now=AT + timedelta(hours=n)) as spool:
            spool.append(STORE, [a_beacon(f"{n}.h")])
    with opened(root) as heir:
        assert heir.has_work()
        heir.adopt(STORE)
        assert names_in(heir) == ["1.h", "2.h"]
        assert not heir.has_work()


def test_what_waits_for_another_store_is_left_alone(root: Path) -> None:
    with opened(root) as spool:
        spool.append(OTHER, [a_beacon("1.h")])
        spool.append(STORE, [a_beacon("2.h")])
        spool.append(OTHER, [a_beacon("3.h")])
        assert names_in(spool) == ["2.h"]
    with opened(root) as heir:
        heir.adopt(STORE)
        assert names_in(heir) == []
        heir.adopt(OTHER)
        assert names_in(heir, OTHER) == ["1.h", "3.h"]


def test_a_directory_of_nobody_is_tidied_away(root: Path) -> None:
    with opened(root) as spool:
        (root / ".0123").mkdir()
        (root / "4567").mkdir()
        spool.adopt(STORE)
        assert len(list(root.iterdir())) == 1


def test_a_living_directory_cannot_be_claimed(root: Path) -> None:
    with opened(root):
        (own,) = root.iterdir()
        assert claim(own) is None
    assert claim(own) is None


# Damage -------------------------------------------------------------------------------------------


def left_behind(root: Path, *names: str) -> Path:
    with opened(root) as spool:
        for name in names:
            spool.append(STORE, [a_beacon(name)])
    (file,) = files(root)
    return file


def test_a_file_without_a_whole_head_is_dropped_and_counted(root: Path) -> None:
    file = left_behind(root, "1.h")
    os.truncate(file, 5)
    with opened(root) as heir:
        heir.adopt(STORE)
        assert heir.counts.torn_files == 1
        assert heir.oldest(STORE) is None
    assert files(root) == []


def test_a_damaged_head_is_kept_for_a_person_and_counted(root: Path) -> None:
    file = left_behind(root, "1.h")
    raw = bytearray(file.read_bytes())
    raw[20] ^= 1
    file.write_bytes(raw)
    with opened(root) as heir:
        heir.adopt(STORE)
        assert heir.counts.damaged_files == 1
        assert heir.oldest(STORE) is None
        assert waiting_since(root) is None
    (aside,) = files(root)
    assert aside.parent.name == BAD
    assert aside.read_bytes() == raw


@contextmanager
def no_file_beyond(limit: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_takes_half_a_group_keeps_none_of_it(root: Path) -> None:
    with opened(root) as spool:
        spool.append(STORE, [a_beacon("1.h")])
        (file,) = files(root)
        before = file.read_bytes()
        with no_file_beyond(len(before) + 50), pytest.raises(SpoolError, match="File too large"):
            spool.append(STORE, [a_beacon("2.h"), a_beacon("3.h")])
        assert file.read_bytes() == before
        spool.append(STORE, [a_beacon("4.h")])
        assert len(files(root)) == 2, "what the disk refused once is not written again"
        assert names_in(spool) == ["1.h", "4.h"]


def test_a_disk_that_takes_not_even_a_head_leaves_no_file(root: Path) -> None:
    with opened(root) as spool:
        with no_file_beyond(10), pytest.raises(SpoolError):
            spool.append(STORE, [a_beacon("1.h")])
        assert files(root) == []


def test_what_cannot_be_taken_back_is_in_doubt(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_fd: int) -> None:
        raise OSError(5, "Input/output error")

    with opened(root) as spool:
        spool.append(STORE, [a_beacon("1.h")])
        with monkeypatch.context() as ill:
            ill.setattr("collector.segments.flush", broken)
            with pytest.raises(SpoolInDoubt, match="Input/output error"):
                spool.append(STORE, [a_beacon("2.h")])
        spool.append(STORE, [a_beacon("3.h")])
        # The kernel has it all the same: replaying it does no harm, as nothing was claimed.
        assert names_in(spool) in (["1.h", "3.h"], ["1.h", "2.h", "3.h"])


# Time ---------------------------------------------------------------------------------------------


def test_what_waits_longer_than_raw_rows_are_kept_is_dropped_and_counted(root: Path) -> None:
    left_behind(root, "1.h", "2.h")
    bad = root / BAD
    bad.mkdir()
    Writing(bad / "x-00000001.frames", Head(STORE, AT)).append(b"")
    now = modified_now(root)
    with opened(root, now=now + RAW_KEPT - timedelta(hours=1)) as spool:
        spool.append(STORE, [a_beacon("3.h")])
        spool.expire()
        spool.adopt(STORE)
        assert names_in(spool) == ["1.h", "2.h", "3.h"]
        assert len(files(bad)) == 1
    left_behind_again = left_behind_in(root)
    with opened(root, now=now + RAW_KEPT + timedelta(hours=1)) as spool:
        spool.append(STORE, [a_beacon("5.h")])
        spool.expire()
        spool.adopt(STORE)
        assert names_in(spool) == []
        assert spool.counts.expired == 2
    assert not left_behind_again.exists()
    assert files(root) == []


def left_behind_in(root: Path) -> Path:
    with opened(root) as spool:
        spool.append(STORE, [a_beacon("4.h")])
        return next(path for path in files(root) if path.parent.name != BAD)
