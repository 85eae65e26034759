"""One directory of the spool for each process, locked as long as the process lives.

The kernel drops a lock with its holder, however that ends: a directory that can be locked is
either one's own or that of the dead, and of several who try one gets it.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

BAD = "bad"
"""What could not be read or was refused; nobody's own."""

PRIVATE = 0o700
SUFFIX = ".frames"
_UNNAMED = "."
"""A directory bears its name once it is locked: until then it is nobody's."""


@dataclass(frozen=True, slots=True)
class Nest:
    path: Path
    lock_fd: int

    def files(self) -> list[Path]:
        """In the order in which they were begun."""
        with suppress(FileNotFoundError):  # whoever had it before has removed it
            return sorted(path for path in self.path.iterdir() if path.suffix == SUFFIX)
        return []

    def release(self) -> None:
        """Let go, and leave nothing behind where nothing is left."""
        with suppress(OSError):
            self.path.rmdir()
        os.close(self.lock_fd)


def make_root(root: Path) -> None:
    """Make `root` and what lies above it; only what is made is closed to others."""
    missing = [step for step in (root, *root.parents) if not step.exists()]
    for step in reversed(missing):
        with suppress(FileExistsError):
            step.mkdir(mode=PRIVATE)
            flush_names(step.parent)


def make_nest(root: Path) -> Nest:
    """A new directory, locked before anybody may take it for a dead one's."""
    while True:
        name = secrets.token_hex(8)
        unnamed = root / f"{_UNNAMED}{name}"
        unnamed.mkdir(mode=PRIVATE)
        # Whoever tidies up may be quicker with a directory that is still empty.
        nest = claim(unnamed)
        if nest is None:
            continue
        try:
            unnamed.rename(root / name)
        except FileNotFoundError:
            nest.release()
            continue
        flush_names(root)
        return Nest(root / name, nest.lock_fd)


def claim(path: Path) -> Nest | None:
    """The directory, if its process is dead and nobody else was quicker."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return Nest(path, fd)


def flush(fd: int) -> None:
    """Until it is on the disk itself."""
    if sys.platform == "darwin":
        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)  # fsync leaves it in the drive's cache there
    else:
        os.fdatasync(fd)


def flush_names(directory: Path) -> None:
    """Make what was made, renamed or removed in `directory` outlast a power cut."""
    fd = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
