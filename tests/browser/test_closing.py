import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.browser.drive import Browser, BrowserError, open_browser
from tests.browser.processes import running, wait_for

PATIENCE_S = 10.0
GONE = {"Z", "X"}  # ended, perhaps not yet collected by its parent


def processes() -> dict[int, tuple[int, str]]:
    """pid: (parent, state) of all processes, from /proc."""
    table = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in brackets, may hold anything; what follows the last bracket may not.
            state, parent, *_ = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        table[int(stat.parent.name)] = (int(parent), state)
    return table


def descendants() -> set[int]:
    table = processes()
    family = {os.getpid()}
    while more := {pid for pid, (up, _) in table.items() if up in family} - family:
        family |= more
    return {pid for pid in family if table.get(pid, (0, "Z"))[1] not in GONE} - {os.getpid()}


def alive(pids: set[int]) -> set[int]:
    table = processes()
    return {pid for pid in pids if pid in table and table[pid][1] not in GONE}


def end_within_patience(pids: set[int]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while alive(pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(pids)


def displays_of(pids: set[int]) -> set[Path]:
    """Locks of X displays, which lie outside of a browser's own directory."""
    locks = Path("/tmp").glob(".X*-lock")
    return {lock for lock in locks if int(lock.read_text().split()[0]) in pids}


@pytest.fixture
def own_tmp(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary directory for all a test opens, with a path short enough for sockets in it."""
    with TemporaryDirectory() as directory:
        monkeypatch.setattr(tempfile, "tempdir", directory)
        monkeypatch.setenv("TMPDIR", directory)
        yield Path(directory)


@contextmanager
def nothing_remains(tmp: Path) -> Iterator[set[int]]:
    """Fails unless the processes added to the yielded set end, and all files go with them."""
    environment, before = dict(os.environ), descendants()
    started: set[int] = set()
    yield started
    started -= before
    assert started
    assert end_within_patience(started)
    assert list(tmp.iterdir()) == []
    assert displays_of(started) == set()
    assert dict(os.environ) == environment


def test_two_open_at_a_time_and_leave_no_process_and_no_file_behind(
    engine: str, own_tmp: Path
) -> None:
    with nothing_remains(own_tmp) as started, open_browser(engine) as first:
        with pytest.raises(ZeroDivisionError):
            divide_with_two_open(engine, first, started)
        assert first.evaluate("document.title") == "first"
        first.close()


def divide_with_two_open(engine: str, first: Browser, started: set[int]) -> float:
    with open_browser(engine) as second:
        first.goto("data:text/html,<title>first</title>")
        second.goto("data:text/html,<title>second</title>")
        titles = [browser.evaluate("document.title") for browser in (first, second)]
        assert titles == ["first", "second"]
        started |= descendants()
        return 1 / 0


def test_closing_copes_with_a_browser_that_died(engine: str, own_tmp: Path) -> None:
    before = descendants()
    with nothing_remains(own_tmp) as started, open_browser(engine) as browser:
        started |= descendants()
        for pid in browsers_of(engine, started - before):
            os.kill(pid, signal.SIGKILL)
        with pytest.raises(BrowserError):
            browser.goto("data:text/html,<title>gone</title>")


def browsers_of(engine: str, pids: set[int]) -> set[int]:
    names = {"chromium": "chrom", "firefox": "firefox", "webkit": "MiniBrowser"}
    return {pid for pid in pids if names[engine] in Path(f"/proc/{pid}/comm").read_text()}


def test_a_program_that_ends_too_soon_is_quoted(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-c", "import sys; sys.exit('no screen')"]
    with (
        pytest.raises(BrowserError, match="ended with 1: no screen"),
        running(command, env=os.environ, log=log) as process,
    ):
        wait_for(process, log, lambda: None)


def test_a_program_that_ignores_the_request_to_end_is_killed_with_its_children(
    tmp_path: Path,
) -> None:
    stubborn = "trap '' TERM; (trap '' TERM; echo $$; sleep 600) & echo ready; wait"
    log = tmp_path / "log"
    before = descendants()
    with running(["sh", "-c", stubborn], env=os.environ, log=log) as process:
        wait_for(process, log, lambda: True if "ready" in log.read_text() else None)
        started = descendants() - before
        assert len(started) >= 2
    assert end_within_patience(started)
