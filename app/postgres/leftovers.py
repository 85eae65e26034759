"""What a dead server leaves: a `postmaster.pid` to distrust, at times a process to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from app.postgres.errors import PostgresError

FAST_STOP_SECONDS = 60.0  # a shutdown checkpoint of all shared buffers on a slow disk
POLL_SECONDS = 0.05
STATUS_LINE = 7  # of postmaster.pid, counted from 0; pg_ctl waits for the same word there


def status(pgdata: Path, pid: int) -> str:
    """What the postmaster `pid` last said of itself: starting, ready, stopping, or nothing."""
    lines = _pid_file(pgdata)
    if len(lines) <= STATUS_LINE or lines[0].strip() != str(pid):
        return ""
    return lines[STATUS_LINE].strip()


def clear_leftovers(pgdata: Path, socket_lock: Path) -> None:
    """Stop a server that outlived its owner, and disown the pids that it noted.

    Called by the owner alone before its own server starts: whatever still runs here is nobody's.
    """
    pid = _noted_pid(pgdata)
    if pid is not None and is_postmaster(pid, pgdata):
        _stop_orphan(pid, pgdata)
    if _noted_pid(pgdata) is not None:
        _disown(pgdata)
    # Believed by Postgres like the other, down to a zombie's pid; it guards a private folder
    # that no server but ours uses, so it may simply go.
    socket_lock.unlink(missing_ok=True)


def is_postmaster(pid: int, pgdata: Path) -> bool:
    """Whether `pid` is a living Postgres of this very directory, whatever a pid file says."""
    if sys.platform == "linux":
        proc = Path("/proc") / str(pid)
        try:
            named = (proc / "comm").read_text(encoding="utf-8").strip() == "postgres"
            return named and os.path.samefile(proc / "cwd", pgdata)
        except OSError:  # gone, a zombie, or another user's: in no case ours
            return False
    else:
        ps = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
        said = subprocess.run(ps, capture_output=True, text=True).stdout
        program, _, arguments = said.partition(" -D ")
        return os.path.basename(program) == "postgres" and arguments.startswith(f"{pgdata} ")


def _stop_orphan(pid: int, pgdata: Path) -> None:
    for signum in (signal.SIGINT, signal.SIGQUIT):
        os.kill(pid, signum)
        until = time.monotonic() + FAST_STOP_SECONDS
        while time.monotonic() < until:
            if not is_postmaster(pid, pgdata):
                return
            time.sleep(POLL_SECONDS)
    raise PostgresError(
        f"the Postgres process {pid} of {pgdata} outlived its owner and does not stop: "
        "look at it, and end it by hand"
    )


def _disown(pgdata: Path) -> None:
    # The noted pid may by now be a stranger's, whom Postgres would take for a rival, or be given
    # to our own child, whom we would take for ready. Postgres never takes its parent for a rival,
    # so our pid goes in. Deleting the file would be wrong: it holds the shared memory key by
    # which Postgres makes sure that no process of the dead server still writes to these files.
    path = pgdata / "postmaster.pid"
    _, *rest = _pid_file(pgdata)
    with open(path, "r+", encoding="utf-8", errors="surrogateescape") as file:
        file.writelines([f"{os.getpid()}\n", *rest])
        file.truncate()


def _noted_pid(pgdata: Path) -> int | None:
    lines = _pid_file(pgdata)
    return int(lines[0]) if lines and lines[0].strip().isdigit() else None


def _pid_file(pgdata: Path) -> list[str]:
    try:
        text = (pgdata / "postmaster.pid").read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return []
    return text.splitlines(keepends=True)
