"""Which process owns the Postgres of a home: the one that holds an exclusive `flock`."""

from __future__ import annotations

import fcntl
import os

from app.postgres.home import Home

_kept_from_forks: set[int] = set()


def keep_from_forks(fd: int) -> None:
    """Close `fd` in every forked child: a copy there would outlive us and speak in our name."""
    _kept_from_forks.add(fd)


def close_kept(fd: int) -> None:
    _kept_from_forks.discard(fd)
    os.close(fd)


def _close_in_child() -> None:
    for fd in _kept_from_forks:
        os.close(fd)
    _kept_from_forks.clear()


os.register_at_fork(after_in_child=_close_in_child)


class OwnerLock:
    """The kernel drops it with its holder, however that ends; no stale lock can exist.

    Its file says whether the owner's Postgres is ready: the owner's pid, or nothing.
    """

    def __init__(self, home: Home) -> None:
        self._fd = home.open_private(home.lock, os.O_RDWR)
        keep_from_forks(self._fd)

    def take(self) -> bool:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        self.retract()
        return True

    def announce(self) -> None:
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def retract(self) -> None:
        os.ftruncate(self._fd, 0)

    def announced(self) -> bool:
        return os.fstat(self._fd).st_size > 0

    def close(self) -> None:
        close_kept(self._fd)
