"""Servers under test, each a process of its own on one core; everything else has the other."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CORE_UNDER_TEST = 0
CORE_OF_THE_REST = 1
STARTS_WITHIN_S = 60.0
NS = 1e-9


@dataclass(frozen=True, slots=True)
class Server:
    port: int
    pid: int

    def cpu_s(self) -> float:
        return cpu_s(self.pid)


def cpu_s(pid: int) -> float:
    """Seconds that a process has run on a processor: its threads', to the nanosecond."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) * NS


def children_cpu_s(pid: int) -> float:
    """The same of all processes that `pid` started: a postmaster's backends, for instance."""
    told = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return sum(map(cpu_s, map(int, told.stdout.split())))


def stay_beside() -> None:
    """This process, and all that it starts from now on, leave the core under test alone."""
    os.sched_setaffinity(0, {CORE_OF_THE_REST})


def uvicorn(application: str) -> list[str]:
    """As `gloed serve` sets it, without anything of ours."""
    return [
        *(sys.executable, "-m", "uvicorn", application, "--loop", "uvloop", "--http", "httptools"),
        *("--no-access-log", "--log-level", "warning", "--no-server-header"),
        *("--no-proxy-headers", "--timeout-keep-alive", "75", "--port"),
    ]


GLOED = [sys.executable, "-c", "from app.cli import main; main()", "serve", "--port"]


@contextmanager
def serving(command: list[str], **environment: str) -> Iterator[Server]:
    port = _free_port()
    inherited = {name: told for name, told in os.environ.items() if not name.startswith("GLOED_")}
    process = subprocess.Popen(
        [*command, str(port)], env=inherited | environment, stdout=subprocess.DEVNULL
    )
    try:
        os.sched_setaffinity(process.pid, {CORE_UNDER_TEST})
        _wait(process, port)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(STARTS_WITHIN_S)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} did not come up within {STARTS_WITHIN_S:.0f} s")
