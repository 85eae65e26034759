"""A Postgres data directory: its version, and its making, whole or not at all."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from threading import Event

from app.postgres.binaries import Binaries
from app.postgres.errors import PostgresError
from app.postgres.home import Home

LOG_TAIL_BYTES = 2_000  # the last lines hold the FATAL and its hint
POLL_SECONDS = 0.02
PARTIAL_PREFIX = "pg.partial-"


def data_major(pgdata: Path) -> int | None:
    """The major version that made the data, None when there is none yet."""
    try:
        text = (pgdata / "PG_VERSION").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        if pgdata.exists() and any(pgdata.iterdir()):
            raise PostgresError(
                f"{pgdata} is not empty and holds no Postgres data (PG_VERSION is missing): "
                "move it away, or restore it from a backup"
            ) from None
        return None
    except PermissionError as error:
        raise PostgresError(
            f"{pgdata} belongs to uid {pgdata.stat().st_uid}, this is uid {os.geteuid()}: "
            "run Gloed as that user, or choose another GLOED_DATA_DIR"
        ) from error
    try:
        return int(text)
    except ValueError:
        raise PostgresError(
            f"{pgdata / 'PG_VERSION'} names no version that can be run here: {text!r}; "
            "restore the data directory from a backup"
        ) from None


def refuse_other_version(home: Home, major: int, binaries: Binaries) -> None:
    if major != binaries.major:
        raise PostgresError(
            f"{home.pgdata} was made by Postgres {major}, the programs in {binaries.directory} "
            f"are version {binaries.major}: set GLOED_POSTGRES_BIN to programs of version {major}, "
            f"or dump the data with pg_dump of version {major}, move {home.pgdata} away and "
            "restore the dump; nothing was changed"
        )


def create(home: Home, binaries: Binaries, leaving: Event) -> None:
    """Make the data directory with its database `gloed`; its name appears when it is complete.

    leaving  ends the making when it is set, which raises as any failure does
    """
    for abandoned in home.root.glob(f"{PARTIAL_PREFIX}*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    partial = Path(tempfile.mkdtemp(prefix=PARTIAL_PREFIX, dir=home.root))
    try:
        home.own(partial)
        locale = ["--encoding=UTF8", "--no-locale"]
        safety = ["--auth=trust", "--data-checksums"]  # trust: only the socket's owner gets in
        initdb = [binaries.path("initdb"), "--username=gloed", *locale, *safety]
        _run(home, [*initdb, "-D", str(partial)], leaving)
        single = [binaries.path("postgres"), "--single", "-D", str(partial)]
        strict = ["-c", "exit_on_error=on", "postgres"]
        _run(home, [*single, *strict], leaving, "CREATE DATABASE gloed\n")
        os.rename(partial, home.pgdata)
    except OSError as error:
        raise PostgresError(f"{home.pgdata} cannot be made: {error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    _flush_names(home.root)


def log_tail(log: Path, start: int) -> str:
    """The end of what was logged from the byte `start` on."""
    with open(log, "rb") as file:
        file.seek(max(start, log.stat().st_size - LOG_TAIL_BYTES))
        return file.read().decode(errors="replace").strip()


def _run(home: Home, command: Sequence[str], leaving: Event, stdin: str = "") -> None:
    log_fd = home.open_private(home.log, os.O_WRONLY | os.O_APPEND)
    start = os.fstat(log_fd).st_size
    with open(log_fd, "ab") as log, tempfile.TemporaryFile() as script:
        script.write(stdin.encode())
        script.seek(0)
        bound = home.bound(command, signal.SIGTERM)
        child = subprocess.Popen(bound, stdin=script, stdout=log, stderr=log, process_group=0)
        while child.poll() is None:
            if leaving.wait(POLL_SECONDS):
                child.terminate()
                child.wait()
    if child.returncode != 0:
        raise PostgresError(
            f"{command[0]} failed with status {child.returncode}; {home.log} ends with:\n"
            f"{log_tail(home.log, start)}"
        )


def _flush_names(directory: Path) -> None:
    """Make a rename in `directory` outlast a power cut."""
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
