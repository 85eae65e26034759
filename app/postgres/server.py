"""One running Postgres: a direct child in a process group of its own."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from app.postgres import cluster, leftovers
from app.postgres.binaries import Binaries
from app.postgres.home import PORT, Home
from app.postgres.launch import HAS_DEATH_SIGNAL, NO_PIPE
from app.postgres.lock import close_kept, keep_from_forks

LOG_KEEP_BYTES = 8 * 1024 * 1024  # weeks of an uneventful log; the one before it is kept too
IMMEDIATE_STOP_SECONDS = 10.0  # the postmaster kills stragglers itself after 5

SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",  # the working set of a small shop; the kernel caches the rest
    "synchronous_commit": "on",
    "fsync": "on",
    "full_page_writes": "on",
    "jit": "off",  # the wheels carry no LLVM, and our queries are short
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",  # two lines every five minutes would drown what matters
    "cluster_name": "gloed",
}


class Server:
    """Started on construction. The kernel ends it with the thread that constructs it."""

    def __init__(
        self,
        home: Home,
        binaries: Binaries,
        socket_dir: Path,
        *,
        has_death_signal: bool = HAS_DEATH_SIGNAL,
    ) -> None:
        self._home = home
        _rotate(home.log)
        read_fd, self._pipe_fd = (NO_PIPE, NO_PIPE) if has_death_signal else _own_pipe()
        log_fd = home.open_private(home.log, os.O_WRONLY | os.O_APPEND)
        self._log_start = os.fstat(log_fd).st_size
        command = _command(home, binaries, socket_dir)
        with open(log_fd, "ab") as log:
            self._process = subprocess.Popen(
                home.bound(command, signal.SIGINT, read_fd),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=() if has_death_signal else (read_fd,),
                process_group=0,  # Ctrl-C at the terminal is for us; we pass it on in our time
            )
        if not has_death_signal:
            os.close(read_fd)

    def is_ready(self) -> bool:
        return leftovers.status(self._home.pgdata, self._process.pid) == "ready"

    def exit_status(self) -> int | None:
        return self._process.poll()

    def last_words(self) -> str:
        return cluster.log_tail(self._home.log, self._log_start)

    def stop(self) -> None:
        """Fast stop; when that takes too long an immediate one, after which Postgres recovers."""
        steps = (
            (signal.SIGINT, leftovers.FAST_STOP_SECONDS),
            (signal.SIGQUIT, IMMEDIATE_STOP_SECONDS),
            (signal.SIGKILL, None),
        )
        for signum, patience in steps:
            self._process.send_signal(signum)
            try:
                self._process.wait(patience)
                break
            except subprocess.TimeoutExpired:
                continue
        if self._pipe_fd != NO_PIPE:
            close_kept(self._pipe_fd)


def _command(home: Home, binaries: Binaries, socket_dir: Path) -> list[str]:
    settings = {**SETTINGS, "unix_socket_directories": str(socket_dir)}
    options = [part for item in settings.items() for part in ("-c", "=".join(item))]
    return [binaries.path("postgres"), "-D", str(home.pgdata), *options]


def _own_pipe() -> tuple[int, int]:
    read_fd, write_fd = os.pipe()
    keep_from_forks(write_fd)
    return read_fd, write_fd


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_KEEP_BYTES:
        os.replace(log, log.with_name(f"{log.name}.1"))
