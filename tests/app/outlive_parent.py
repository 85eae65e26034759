"""A parent with one worker that must not outlive it; prints the worker's pid and waits.

The one argument names the way: `kernel` for the platform's own, `look` for the thread that looks.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys

from app.postgres.lifeline import die_with_parent, watch_parent


def work(way: str) -> None:
    if way == "kernel":
        die_with_parent()
    else:
        watch_parent(os.getppid())
    print(os.getpid(), flush=True)
    signal.pause()


if __name__ == "__main__":
    worker = multiprocessing.get_context("spawn").Process(target=work, args=(sys.argv[1],))
    worker.start()
    worker.join()
