"""Worker processes that never outlive the one that started them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time

from app.postgres.launch import signal_when_parent_dies

LOOK_SECONDS = 0.5  # an orphan holds its port and its store connections no longer than this


def die_with_parent(parent_pid: int | None = None) -> None:
    """Send SIGTERM to this process once its parent is gone. Call it first thing in a worker.

    parent_pid  who started this process; needed only to notice a parent that died before this
                call, and only for a process that `multiprocessing` did not start

    On Linux the kernel watches the *thread* that started this process: start workers from a
    thread that stays, such as the main one.
    """
    expected = os.getppid() if parent_pid is None else parent_pid
    if sys.platform == "linux":
        signal_when_parent_dies(signal.SIGTERM)
        if _is_gone(expected):
            signal.raise_signal(signal.SIGTERM)
    else:
        watch_parent(expected)


def watch_parent(parent_pid: int) -> None:
    """What `die_with_parent` does where no kernel signal tells: look, from a thread of its own."""
    threading.Thread(
        target=_look_until_gone, args=(parent_pid,), name="lifeline", daemon=True
    ).start()


def _look_until_gone(parent_pid: int) -> None:
    while not _is_gone(parent_pid):
        time.sleep(LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def _is_gone(parent_pid: int) -> bool:
    started_by = multiprocessing.parent_process()
    return os.getppid() != parent_pid or (started_by is not None and not started_by.is_alive())
