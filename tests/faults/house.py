"""A Gloed as people run it, `gloed serve` with its own Postgres, whose parts can be killed."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.postgres.home import find_home, socket_directory, store_url
from collector.spool import waiting_since

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120.0
POLL_S = 0.05
WORKER = b"multiprocessing.spawn"


@dataclass(frozen=True, slots=True)
class House:
    process: subprocess.Popen[bytes]
    home: Path
    port: int

    @property
    def store_url(self) -> str:
        """Without joining its Postgres: who joins would take over when it is killed."""
        return store_url(socket_directory(find_home(self.home, explicit=True)))

    @property
    def spool(self) -> Path:
        return self.home / "spool"

    def workers(self) -> list[int]:
        """Processes that serve by now: each holds its own directory of the spool. Oldest first."""
        spawned = [pid for pid in children(self.process.pid) if WORKER in command_of(pid)]
        return [pid for pid in spawned if holds_below(pid, self.spool)]

    def postmaster(self) -> int | None:
        """Postgres's first process, once it takes connections."""
        with suppress(OSError, ValueError, IndexError):
            lines = (self.home / "pg" / "postmaster.pid").read_text().splitlines()
            if lines[7].strip() == "ready":
                return int(lines[0])
        return None

    def kill_worker(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)

    def kill_postgres(self) -> None:
        """As `pg_ctl stop -m immediate`: no checkpoint, no good-bye; it recovers when started."""
        pid = self.postmaster()
        if pid is not None:
            os.kill(pid, signal.SIGQUIT)

    @contextmanager
    def postgres_paused(self) -> Iterator[None]:
        """Neither gone nor answering: connections stand, and nothing comes back."""
        pid = self.postmaster()
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)  # first: then no further child comes
        paused = [pid, *children(pid)]
        for child in paused[1:]:
            os.kill(child, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in reversed(paused):
                os.kill(process, signal.SIGCONT)

    def drained(self) -> bool:
        return waiting_since(self.spool) is None

    def log(self) -> list[dict[str, Any]]:
        """What its processes have said, of what is theirs."""
        lines = (self.home / "log").read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith('{"')]

    async def until(self, true: Callable[[], object], told: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not true():
                assert self.process.poll() is None, f"the house is down while {told}"
                await asyncio.sleep(POLL_S)


@contextmanager
def house(*, workers: int = 2, **settings: str) -> Iterator[House]:
    """Serving on a free port; what it says is in `log` of its home."""
    home = Path(tempfile.mkdtemp(prefix="gloed-faults-"))
    home.chmod(0o755)
    own = {name: value for name, value in os.environ.items() if not name.startswith("GLOED_")}
    command = [sys.executable, "-c", "from app.cli import main; main()", "serve"]
    port = _free_port()
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--workers", str(workers)],
            env={**own, "GLOED_DATA_DIR": str(home), **settings},
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
    made = House(process, home, port)
    try:
        serving = made.until(lambda: len(made.workers()) == workers, "it begins")
        asyncio.run(serving)
        yield made
    except BaseException:
        sys.stderr.write((home / "log").read_text(errors="replace")[-5000:])
        raise
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(home, ignore_errors=True)


def children(pid: int) -> list[int]:
    with suppress(OSError):
        told = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(child) for child in told.split()]
    return []


def holds_below(pid: int, folder: Path) -> bool:
    with suppress(OSError):
        links = (Path(f"/proc/{pid}/fd") / fd for fd in os.listdir(f"/proc/{pid}/fd"))
        return any(os.readlink(link).startswith(f"{folder}/") for link in links)
    return False


def command_of(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def memory_mb(pid: int) -> float:
    """What the process has of the machine's memory now."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
