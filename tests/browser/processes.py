"""Starting programs so that none outlives its browser: own process group, own home, own display."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from tests.browser.engine import PATIENCE_S, BrowserError

# Enough for an orderly exit, which removes sockets and locks; after it the group is killed.
GRACE_S = 2.0
POLL_S = 0.02
# Larger than any viewport a test asks for, also from the middle down, where windows are placed: a
# window is never cut by its screen.
SCREEN_W, SCREEN_H = 2560, 4096
SCREEN = f"{SCREEN_W}x{SCREEN_H}x24"
LAST_WORDS_CHARS = 2000

T = TypeVar("T")


@contextmanager
def private_home(name: str) -> Iterator[Path]:
    """A directory that is home, cache and temporary directory to one browser, then removed."""
    with TemporaryDirectory(prefix=f"gloed-{name}-", ignore_cleanup_errors=True) as home:
        yield Path(home)


def private_environment(home: Path, **extra: str) -> dict[str, str]:
    """The child's environment: ours, except that it finds nobody's settings and leaves none."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    return {**inherited, "HOME": str(home), "TMPDIR": str(home), **extra}


@contextmanager
def running(
    command: list[str], *, env: Mapping[str, str], log: Path, keep_fds: tuple[int, ...] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program at the head of a process group of its own; end the whole group on leaving."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=keep_fds,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_S)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for(process: subprocess.Popen[bytes], log: Path, ready: Callable[[], T | None]) -> T:
    """Ask `ready` until it answers, the process ends or patience does."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        # In this order: an answer after the end would be somebody else's.
        answer = ready()
        ended = process.poll()
        if ended is not None:
            raise BrowserError(f"{_command(process)} ended with {ended}: {last_words(log)}")
        if answer is not None:
            return answer
        time.sleep(POLL_S)
    raise BrowserError(f"{_command(process)} not ready in {PATIENCE_S:g} s: {last_words(log)}")


def _command(process: subprocess.Popen[bytes]) -> str:
    return str(process.args[0]) if isinstance(process.args, list) else str(process.args)


def last_words(log: Path) -> str:
    text = log.read_text(errors="replace").strip()
    return text[-LAST_WORDS_CHARS:] or "it said nothing"


@contextmanager
def display(xvfb: Path, home: Path) -> Iterator[str]:
    """A virtual screen. Xvfb itself takes a free number and tells it, so nobody races for one."""
    reading, writing = os.pipe()
    command = [str(xvfb), "-displayfd", str(writing), "-screen", "0", SCREEN, "-nolisten", "tcp"]
    log = home / "xvfb.log"
    try:
        with running(command, env=private_environment(home), log=log, keep_fds=(writing,)) as x:
            number = wait_for(x, log, lambda: _line(reading))
            yield f":{number}"
    finally:
        os.close(reading)
        os.close(writing)


def _line(fd: int) -> str | None:
    readable, _, _ = select.select([fd], [], [], 0)
    return os.read(fd, 64).decode().strip() or None if readable else None
