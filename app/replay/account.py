"""A ledger read back: what the client knows of every batch it ever sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path
from typing import Literal

import msgspec

from app.replay.errors import ReplayError
from collector.wire import Reason

Key = tuple[str, int]
"""View id in hexadecimal, and seq."""


class Fate(IntEnum):
    """What a batch's answers say of it; of several tries the smallest one counts."""

    ACKED = 1
    UNANSWERED = 2
    DROPPED = 3
    REFUSED = 4


class Header(msgspec.Struct, frozen=True, kw_only=True, tag_field="is", tag="replay"):
    """The first line: whoever goes on with this ledger sends the same batches again."""

    version: Literal[1] = 1
    site: str
    page: str
    seed: str
    opened_min: int


class Sent(msgspec.Struct, frozen=True, kw_only=True, tag_field="is", tag="sent"):
    """Written before a batch leaves."""

    view: str
    seq: int
    points: int
    events: int
    digest: str


class Answered(msgspec.Struct, frozen=True, kw_only=True, tag_field="is", tag="answer"):
    """Written after its answer; status None: there was none, and the batch may be stored or not."""

    view: str
    seq: int
    status: int | None
    drop: str | None = None

    @property
    def fate(self) -> Fate:
        """What the status promises by docs/wire.md; one that it does not name promises nothing."""
        if self.status == 204:
            return Fate.ACKED if self.drop in (None, Reason.REPEAT) else Fate.DROPPED
        refused = self.status == 503 or (self.status is not None and 400 <= self.status < 500)
        return Fate.REFUSED if refused else Fate.UNANSWERED


@dataclass(frozen=True, slots=True)
class Entry:
    """One batch over all its tries."""

    sent: Sent
    tries: int = 0
    fates: tuple[Fate, ...] = ()

    @property
    def fate(self) -> Fate:
        """Acknowledged once is acknowledged; else one try without an answer leaves it open."""
        unheard = self.tries - len(self.fates)
        told: tuple[Fate, ...] = (*self.fates, *(Fate.UNANSWERED for _ in range(unheard)))
        return min(told)


@dataclass(frozen=True, slots=True)
class Account:
    header: Header
    entries: Mapping[Key, Entry]


Line = Header | Sent | Answered
_line = msgspec.json.Decoder(Line)


def read_account(path: Path) -> Account:
    """Read a ledger; a torn last line was never finished and is left out.

    Raises ReplayError where the file is not a ledger.
    """
    try:
        raw = path.read_bytes()
    except OSError as problem:
        raise ReplayError(f"the ledger {path} cannot be read: {problem.strerror}") from problem
    lines = raw[: whole_bytes(raw)].splitlines()
    try:
        header, *told = (_line.decode(line) for line in lines)
        if not isinstance(header, Header):
            raise ValueError("the first line is not a header")
        return Account(header, _folded(told))
    except (msgspec.DecodeError, ValueError, KeyError) as problem:
        raise ReplayError(
            f"{path} is not a ledger of a replay ({problem}): name another file"
        ) from problem


def whole_bytes(raw: bytes) -> int:
    """How much of a ledger was written to the end of a line."""
    return raw.rfind(b"\n") + 1


def _folded(lines: list[Line]) -> dict[Key, Entry]:
    entries: dict[Key, Entry] = {}
    for line in lines:
        if isinstance(line, Header):
            raise ValueError("there are two headers")
        key = (line.view, line.seq)
        if isinstance(line, Sent):
            entry = entries.get(key, Entry(line))
            entries[key] = replace(entry, tries=entry.tries + 1)
        else:
            entry = entries[key]
            entries[key] = replace(entry, fates=(*entry.fates, line.fate))
    return entries
