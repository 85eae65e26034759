"""A file of the spool: written record by record, flushed, and read again from its beginning."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from collector.frames import Damaged, Head, Rows, Torn, packed, read_record
from collector.nests import SUFFIX, Nest, flush, flush_names

OWNER_ONLY = 0o600


@dataclass(frozen=True, slots=True)
class Segment:
    """A file that waits to be replayed, and the store that it is for."""

    nest: Nest
    path: Path
    head: Head


class Writing:
    """A file being written. What lies beyond `size` was never acknowledged."""

    def __init__(self, path: Path, head: Head) -> None:
        """Raises OSError; then there is no file."""
        self.path = path
        self.head = head
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._fd = os.open(path, flags, OWNER_ONLY)
        self.size = 0
        try:
            self._write(packed(head))
            flush_names(path.parent)
        except OSError:
            self.close()
            raise

    def append(self, frames: bytes) -> None:
        """On return they are on the disk. Raises OSError: then `take_back` says what is there."""
        self._write(frames)
        flush(self._fd)
        self.size = os.fstat(self._fd).st_size

    def take_back(self) -> bool:
        """Whether nothing is left of what was not flushed. The file is not to be written again."""
        try:
            os.ftruncate(self._fd, self.size)
            flush(self._fd)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Without a single record that was acknowledged it leaves no file."""
        os.close(self._fd)
        if self.size == 0:
            with suppress(OSError):
                self.path.unlink()

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._fd, left) :]


def segment_name(number: int) -> str:
    return f"{number:08d}{SUFFIX}"


def read_head(path: Path) -> Head:
    """Raises Torn where a crash came before the first flush, or Damaged."""
    with path.open("rb") as file:
        head = read_record(file)
    if head is None:
        raise Torn
    if not isinstance(head, Head):
        raise Damaged("the first record says for no store")
    return head


def count_rows(path: Path) -> int:
    """As far as the file can be read."""
    rows = 0
    with suppress(Torn, Damaged), path.open("rb") as file:
        while (record := read_record(file)) is not None:
            rows += record.count if isinstance(record, Rows) else 0
    return rows


def modified_at(path: Path) -> datetime:
    """When the last record was written."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
