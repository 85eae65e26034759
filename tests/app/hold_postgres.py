"""A process that holds an embedded store until it is told to go, by its input or by a signal.

Prints one line per event: `said …`, `failed …`, `forked <pid>`, `ready <url>`.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path

from app.postgres import PostgresError, embedded_store
from app.postgres.binaries import find_binaries
from app.postgres.home import find_home, socket_directory, store_url
from app.postgres.server import Server


def say(event: str, detail: object) -> None:
    print(event, str(detail).replace("\n", " | "), flush=True)


def hold(options: argparse.Namespace) -> None:
    try:
        with embedded_store(
            options.data_dir,
            explicit=options.explicit,
            say=lambda line: say("said", line),
            binaries=options.binaries,
            base=options.base,
        ) as url:
            if options.fork:
                fork_a_sleeper()
            say("ready", url)
            sys.stdin.read()
    except PostgresError as error:
        say("failed", error)
        sys.exit(1)


def fork_a_sleeper() -> None:
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    say("forked", child)


def serve_by_pipe(options: argparse.Namespace) -> None:
    """The server alone, tied to us the way it is where the kernel sends no death signal."""
    home = find_home(options.data_dir, options.explicit)
    socket_dir = socket_directory(home)
    server = Server(home, find_binaries(None, None), socket_dir, has_death_signal=False)
    while not server.is_ready():
        if server.exit_status() is not None:
            sys.exit(server.last_words())
        time.sleep(0.02)
    say("ready", store_url(socket_dir))
    sys.stdin.read()
    server.stop()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--base", type=Path)
    parser.add_argument("--binaries", type=Path)
    parser.add_argument("--explicit", action="store_true")
    parser.add_argument("--fork", action="store_true")
    parser.add_argument("--pipe", action="store_true")
    parser.add_argument("--import-first-from")
    options = parser.parse_args()
    if options.import_first_from:
        sys.path.insert(0, options.import_first_from)
    (serve_by_pipe if options.pipe else hold)(options)


if __name__ == "__main__":
    main()
