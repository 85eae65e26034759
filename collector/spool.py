"""Rows that are acknowledged while the store is away: on disk, checked, until they are replayed.

One directory per process (`collector/nests.py`), in it files (`collector/segments.py`) of records
(`collector/frames.py`) in the order of their arrival. All of this blocks: it is called from
threads, which take turns.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import RLock

import structlog

from collector.errors import SpoolError, SpoolInDoubt
from collector.frames import Damaged, Head, Torn, frames_of
from collector.groups import Row
from collector.nests import BAD, PRIVATE, SUFFIX, Nest, claim, flush_names, make_nest, make_root
from collector.segments import Segment, Writing, count_rows, modified_at, read_head, segment_name

log = structlog.get_logger()

SEGMENT_BYTES = 8 * 1024 * 1024
"""A file is closed beyond this: replayed ones make room soon, and a damaged one costs no more."""

RAW_KEPT = timedelta(days=30)
"""Rows that wait longer than raw rows are kept are dropped: their day is over in the store too."""


@dataclass(slots=True)
class Counts:
    """What this process met with: rows, and files whose rows cannot be counted."""

    kept: int = 0
    replayed: int = 0
    expired: int = 0
    erased: int = 0
    refused: int = 0
    torn_files: int = 0
    damaged_files: int = 0


class Spool:
    def __init__(self, root: Path, limit_bytes: int, clock: Callable[[], datetime]) -> None:
        self._root = root
        self._limit_bytes = limit_bytes
        self.clock = clock
        self._turn = RLock()
        self._nest: Nest | None = None
        self._writing: Writing | None = None
        self._waiting: list[Segment] = []
        self._made = 0
        self.counts = Counts()

    def open(self) -> None:
        """Raises SpoolError where the directory cannot be written."""
        with self._turn:
            try:
                if self._nest is not None:
                    self._nest.release()
                make_root(self._root)
                self._nest = make_nest(self._root)
            except OSError as problem:
                raise SpoolError(
                    f"the spool {self._root} cannot be written ({problem.strerror}): "
                    "set GLOED_DATA_DIR to a directory you may write"
                ) from problem

    def close(self) -> None:
        """What still waits is left to whoever comes next."""
        with self._turn:
            if self._nest is None:
                return
            self._seal()
            for nest in {self._nest, *(segment.nest for segment in self._waiting)}:
                nest.release()
            self._waiting, self._nest = [], None

    # Writing --------------------------------------------------------------------------------------

    def append(self, store: str, rows: Sequence[Row]) -> None:
        """Keep `rows` for `store`; on return they are on disk, by one flush for all of them.

        Raises SpoolError when it is full or the disk fails: then nothing of them is kept; and
        SpoolInDoubt where that is not certain. What `frames_of` raises, it raises too.
        """
        with self._turn:
            frames = b"".join(frames_of(rows))
            if self.size_bytes() + len(frames) > self._limit_bytes:
                raise SpoolError(f"the spool holds all that it may, {self._limit_bytes} bytes")
            try:
                self._file_for(store).append(frames)
            except OSError as problem:
                self._give_up(problem)
            self.counts.kept += len(rows)

    def _file_for(self, store: str) -> Writing:
        writing = self._writing
        if writing and (writing.head.store != store or writing.size >= SEGMENT_BYTES):
            self._seal()
        if self._writing is None:
            if self._nest is None or not self._nest.path.is_dir():
                self.open()  # somebody has removed it: what was in it is gone, what comes is not
            self._writing = Writing(self._next_path(self._own.path), self._head(store))
        return self._writing

    @property
    def _own(self) -> Nest:
        if self._nest is None:
            raise SpoolError("the spool is not open")
        return self._nest

    def _head(self, store: str) -> Head:
        return Head(store, self.clock())

    def _next_path(self, folder: Path, prefix: str = "") -> Path:
        self._made += 1
        return folder / f"{prefix}{segment_name(self._made)}"

    def _seal(self) -> None:
        """From here on the file is only read."""
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.close()
            if writing.size:
                self._waiting.append(Segment(self._own, writing.path, writing.head))

    def _give_up(self, problem: OSError) -> None:
        """Take back what was not flushed, and never write this file again: after a flush in vain
        the kernel may call the next one a success."""
        taken_back = self._writing is None or self._writing.take_back()
        self._seal()
        kind = SpoolError if taken_back else SpoolInDoubt
        raise kind(f"the spool cannot be written ({problem.strerror})") from problem

    # Reading --------------------------------------------------------------------------------------

    def size_bytes(self) -> int:
        """Of every file below the directory, those of other processes included."""
        return spool_bytes(self._root)

    def oldest_at(self) -> datetime | None:
        """When the oldest file was begun that this process is going to replay."""
        with self._turn:
            heads = [segment.head for segment in self._waiting]
            heads += [self._writing.head] if self._writing else []
            return min((head.begun_at for head in heads), default=None)

    def adopt(self, store: str) -> None:
        """Take over what dead processes have left for `store`."""
        with self._turn:
            for path in self._others():
                nest = claim(path)
                if nest is not None:
                    self._take(nest, store)
            self._waiting.sort(key=lambda segment: segment.head.begun_at)

    def has_work(self) -> bool:
        """Whether anything of ours waits, or there are others' directories to look into."""
        with self._turn:
            return bool(self._waiting or self._writing) or any(self._others())

    def oldest(self, store: str) -> Segment | None:
        """The next file to replay for `store`; the one being written when there is no other."""
        with self._turn:
            found = next((one for one in self._waiting if one.head.store == store), None)
            if found is None and self._writing and self._writing.head.store == store:
                self._seal()
                found = self._waiting[-1] if self._waiting else None
            return found

    def done(self, segment: Segment) -> None:
        """Its rows are in the store."""
        with self._turn:
            segment.path.unlink(missing_ok=True)
            self._let_go(segment)

    def set_aside(self, segment: Segment, why: str) -> None:
        """A file that cannot be read to its end is kept for a person, and replayed no more."""
        with self._turn:
            self._move(segment.path, why)
            self._let_go(segment)

    def bury(self, store: str, rows: Sequence[Row]) -> None:
        """Keep for a person what was acknowledged and is refused by the store for itself."""
        with self._turn:
            self.counts.refused += len(rows)
            log.error("spooled_rows_refused", rows=len(rows), kept_in=str(self._bad))
            self._bad.mkdir(mode=PRIVATE, exist_ok=True)
            path = self._next_path(self._bad, f"{self._own.path.name}-refused-")
            file = Writing(path, self._head(store))
            try:
                file.append(b"".join(frames_of(rows)))
            finally:
                file.close()

    def torn(self, path: Path) -> None:
        """Its last record was cut by a crash, before it was acknowledged."""
        self.counts.torn_files += 1
        log.warning("spool_torn", file=path.name)

    def expire(self) -> None:
        """Drop what waited for longer than raw rows are kept, whether a store is there or not."""
        with self._turn:
            if self._writing and self._is_over(self._writing.path):
                self._seal()
            for segment in [one for one in self._waiting if self._is_over(one.path)]:
                self._drop(segment.path)
                self._let_go(segment)
            for path in self._bad.glob(f"*{SUFFIX}"):
                with suppress(FileNotFoundError):  # another process expires the same ones
                    if self._is_over(path):
                        self._drop(path)

    def _is_over(self, path: Path) -> bool:
        return modified_at(path) < self.clock() - RAW_KEPT

    def _drop(self, path: Path) -> None:
        rows = count_rows(path)
        path.unlink()
        self.counts.expired += rows
        log.warning("spooled_rows_expired", rows=rows)

    def _others(self) -> Iterator[Path]:
        own = {segment.nest.path for segment in self._waiting} | {self._own.path}
        for path in sorted(self._root.iterdir()):
            if path.is_dir() and path.name != BAD and path not in own:
                yield path

    def _take(self, nest: Nest, store: str) -> None:
        found = [Segment(nest, path, head) for path, head in self._read_heads(nest)]
        if any(one.head.store == store for one in found):
            log.info("spool_taken_over", files=len(found))
            self._waiting += found
        else:
            nest.release()

    def _read_heads(self, nest: Nest) -> Iterator[tuple[Path, Head]]:
        for path in nest.files():
            if self._is_over(path):
                self._drop(path)
                continue
            try:
                yield path, read_head(path)
            except Torn:
                self.torn(path)
                path.unlink()
            except Damaged as wrong:
                self._move(path, str(wrong))

    def _let_go(self, segment: Segment) -> None:
        self._waiting.remove(segment)
        nest = segment.nest
        if nest is not self._nest and all(one.nest is not nest for one in self._waiting):
            nest.release()

    def _move(self, path: Path, why: str) -> None:
        self.counts.damaged_files += 1
        log.error("spool_damaged", file=path.name, why=why, kept_in=str(self._bad))
        self._bad.mkdir(mode=PRIVATE, exist_ok=True)
        path.rename(self._bad / f"{path.parent.name}-{path.name}")
        flush_names(self._bad)

    @property
    def _bad(self) -> Path:
        return self._root / BAD


def spool_bytes(root: Path) -> int:
    """Bytes of every file of a spool, whichever process it belongs to."""
    return sum(_size(file) for folder in _entries(root) for file in _entries(folder))


def waiting_since(root: Path, store: str | None = None) -> datetime | None:
    """When the oldest file was begun that waits in any process: for any store, or for one."""
    files = [Path(file) for folder in _entries(root) for file in _entries(folder)]
    heads = [head for file in files if file.parent.name != BAD and (head := _head_of(file))]
    return min((head.begun_at for head in heads if store in (None, head.store)), default=None)


def _head_of(path: Path) -> Head | None:
    with suppress(OSError, Torn, Damaged):
        return read_head(path)
    return None


def _entries(folder: str | os.PathLike[str]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except (FileNotFoundError, NotADirectoryError):
        return []  # replayed and removed meanwhile


def _size(file: os.DirEntry[str]) -> int:
    with suppress(FileNotFoundError):
        return file.stat().st_size
    return 0
