"""The client's own record of a replay: what was sent, and what was answered, line by line.

A line is written before a batch leaves and another after its answer, so that the file tells the
truth whenever the process ends. It is not synced: it outlives the process, not the machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

import msgspec

from app.replay.account import (
    Account,
    Answered,
    Fate,
    Header,
    Line,
    Sent,
    read_account,
    whole_bytes,
)
from app.replay.batches import Batch
from app.replay.errors import ReplayError


class Ledger:
    """A ledger being written; `with` closes it."""

    def __init__(self, path: Path, fresh: Header) -> None:
        """Begin the file with a fresh header, or go on where an earlier run ended."""
        resumed = read_account(path) if path.exists() else None
        self._account = resumed or Account(fresh, {})
        self._path = path
        if (self.header.site, self.header.page) != (fresh.site, fresh.page):
            raise ReplayError(
                f"the ledger {path} is of page {self.header.page!r} of {self.header.site}: "
                "name another file"
            )
        try:
            # Unbuffered: what was written is with the operating system, whatever happens to us.
            self._file = path.open("ab", buffering=0)
        except OSError as problem:
            raise ReplayError(f"the ledger {path} cannot be written: {problem.strerror}") from None
        if resumed:
            self._file.truncate(whole_bytes(path.read_bytes()))
        else:
            self._write(fresh)

    @property
    def header(self) -> Header:
        return self._account.header

    def brought_home(self, batch: Batch) -> bool:
        """Whether an earlier run of this ledger was told that the batch is stored."""
        entry = self._account.entries.get((batch.view_id, batch.seq))
        if entry is None:
            return False
        if entry.sent.digest != batch.digest:
            raise ReplayError(
                f"the ledger {self._path} belongs to other recordings: name another file"
            )
        return entry.fate is Fate.ACKED

    def sent(self, batch: Batch) -> None:
        self._write(
            Sent(
                view=batch.view_id,
                seq=batch.seq,
                points=batch.points,
                events=batch.events,
                digest=batch.digest,
            )
        )

    def answered(self, answer: Answered) -> None:
        self._write(answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _write(self, line: Line) -> None:
        self._file.write(msgspec.json.encode(line) + b"\n")
