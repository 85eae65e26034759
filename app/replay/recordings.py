"""The file of recorded page views: one line of JSON each, read strictly (docs/recordings.md)."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from app.replay.errors import RecordingError
from collector.wire import MAX_T_MS, MAX_X_PX, MAX_Y_PX

MAX_LINE_BYTES = 64 * 1024 * 1024
"""A day of uninterrupted movement at 60 points a second, twice over."""

GZIP_MAGIC = b"\x1f\x8b"

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9._-]{1,64}\Z")]
Side = Annotated[int, msgspec.Meta(ge=1, le=2**15 - 1)]
X = Annotated[int, msgspec.Meta(ge=0, le=MAX_X_PX)]
Y = Annotated[int, msgspec.Meta(ge=0, le=MAX_Y_PX)]


class Event(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What happened at one moment, written as `[t_ms, kind, x_px, y_px]`.

    A scroll's place is the page position that is now the viewport's top left corner.
    """

    t_ms: Annotated[int, msgspec.Meta(ge=0, le=MAX_T_MS)]
    kind: Literal["move", "click", "rageclick", "deadclick", "scroll"]
    x_px: X
    y_px: Y


class Recording(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One recorded page view. Views that name the same visit come from the same address."""

    view: Name
    visit: Name | None = None
    viewport: tuple[Side, Side]
    page: tuple[
        Annotated[int, msgspec.Meta(ge=1, le=MAX_X_PX)],
        Annotated[int, msgspec.Meta(ge=1, le=MAX_Y_PX)],
    ]
    events: tuple[Event, ...]


_line = msgspec.json.Decoder(Recording)
_WRONG = (msgspec.DecodeError, ValueError, RecursionError, EOFError, OSError, zlib.error)
"""What a wrong line, text that is not UTF-8, or a broken gzip stream raises."""


def read_recordings(path: Path) -> Generator[Recording]:
    """The page views of a file, plain or gzipped, one at a time.

    Raises RecordingError, naming the file and the line, at the first line that is wrong.
    """
    names: set[str] = set()
    number = 0
    with _opened(path) as lines:
        try:
            while line := lines.readline(MAX_LINE_BYTES + 1):
                number += 1
                yield _decoded(line, names)
        except _WRONG as problem:
            raise RecordingError(f"{path}, line {number or 1}: {problem}") from problem


def write_recordings(path: Path, recordings: Iterable[Recording]) -> int:
    """Write page views as lines, gzipped where the name ends in .gz; how many there were."""
    count = 0
    with path.open("wb") as file:
        # No time and no name in the header: the same recordings give the same bytes.
        packed = gzip.GzipFile("", "wb", fileobj=file, mtime=0) if path.suffix == ".gz" else None
        for count, recording in enumerate(recordings, 1):  # noqa: B007 - the last one is the answer
            (packed or file).write(encode_recording(recording))
        if packed is not None:
            packed.close()
    return count


def encode_recording(recording: Recording) -> bytes:
    return msgspec.json.encode(recording) + b"\n"


@contextmanager
def _opened(path: Path) -> Iterator[BufferedIOBase]:
    try:
        file = path.open("rb")
    except OSError as problem:
        raise RecordingError(f"{path} cannot be read: {problem.strerror}") from problem
    with file:
        # By its first bytes and not by its name: downloads lose their endings.
        packed = file.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        file.seek(0)
        if not packed:
            yield file
            return
        with gzip.open(file) as unpacked:
            yield unpacked


def _decoded(line: bytes, names: set[str]) -> Recording:
    if len(line) > MAX_LINE_BYTES:
        raise ValueError(f"a line may have at most {MAX_LINE_BYTES} bytes: split the view")
    if not line.strip():
        raise ValueError("the line is empty: write one page view on every line")
    recording = _line.decode(line)
    if recording.view in names:
        raise ValueError(f"the view {recording.view!r} occurs twice: give each its own name")
    names.add(recording.view)
    for index, (before, after) in enumerate(pairwise(recording.events), 1):
        if after.t_ms < before.t_ms:
            raise ValueError(f"time runs backwards at `$.events[{index}]`: sort events by t_ms")
    return recording
