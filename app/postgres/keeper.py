"""Keeps the Postgres of a home up: as its owner, or as one who joined and would step in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from app.postgres import cluster
from app.postgres.binaries import Binaries, find_binaries, reachable
from app.postgres.errors import PostgresError
from app.postgres.home import SOCKET_NAME, Home, socket_directory
from app.postgres.leftovers import clear_leftovers
from app.postgres.lock import OwnerLock
from app.postgres.server import Server

START_POLL_SECONDS = 0.02
WATCH_POLL_SECONDS = 0.2  # how soon a dead server or a vanished owner is noticed
SLOW_START_SECONDS = 5.0  # a start after a clean stop takes a tenth of that
STRAGGLER_SECONDS = 30.0  # backends of a killed postmaster notice at their next wait
LONGEST_PAUSE_SECONDS = 5.0
STRAGGLERS = "pre-existing shared memory block"


class Keeper:
    """One thread that waits for the lock, and with the lock in hand runs the server.

    A thread, because the kernel's death signal is tied to the thread that forked the server:
    this one lives exactly as long as the server should. A joiner waits in the same loop, so the
    server comes back under the same URL when its owner leaves before the joiner does.
    """

    def __init__(
        self, home: Home, named: Path | None, refuge: Path, say: Callable[[str], None]
    ) -> None:
        self._home = home
        self._named = named
        self._refuge = refuge
        self._say = say
        self._leaving = threading.Event()
        self._settled = threading.Event()
        self._failure: Exception | None = None
        self._was_ready = False
        self._thread = threading.Thread(target=self._keep, name="gloed-postgres", daemon=True)

    def start(self) -> None:
        """Return once a server answers, whoever owns it; raise PostgresError if none will."""
        self._thread.start()
        if not self._settled.wait(SLOW_START_SECONDS):
            self._say(f"Postgres is still starting; {self._home.log} says what it does")
            self._settled.wait()
        if isinstance(self._failure, OSError):
            raise PostgresError(
                f"the embedded Postgres cannot use {self._home.root}: {self._failure}; "
                "see to that, or set GLOED_DATA_DIR to a directory you may write"
            ) from self._failure
        if self._failure:
            raise self._failure

    def leave(self) -> None:
        """Stop the server if it is ours, and only then return."""
        self._leaving.set()
        self._thread.join()

    def _keep(self) -> None:
        try:
            lock = OwnerLock(self._home)
            try:
                self._own_or_join(lock)
            finally:
                lock.close()
        except Exception as error:
            self._failure = error
            if self._was_ready:  # nobody waits for it any more, so it has to be said
                self._say(f"Postgres is gone: {error}")
        finally:
            self._settled.set()

    def _own_or_join(self, lock: OwnerLock) -> None:
        while not self._leaving.is_set():
            if lock.take():
                self._own(lock)
            elif lock.announced():
                self._settle()
            self._leaving.wait(WATCH_POLL_SECONDS if self._was_ready else START_POLL_SECONDS)

    def _own(self, lock: OwnerLock) -> None:
        binaries = self._prepare()
        socket_dir = socket_directory(self._home)
        pause = START_POLL_SECONDS
        stragglers_until = time.monotonic() + STRAGGLER_SECONDS
        while not self._leaving.is_set():
            clear_leftovers(self._home.pgdata, socket_dir / f"{SOCKET_NAME}.lock")
            status, last_words = self._run_once(lock, binaries, socket_dir)
            if self._leaving.is_set():
                return
            stragglers = STRAGGLERS in last_words and time.monotonic() < stragglers_until
            if not self._was_ready and not stragglers:
                raise PostgresError(
                    f"Postgres ended with status {status} before it was ready; "
                    f"{self._home.log} ends with:\n{last_words}"
                )
            if not stragglers:
                self._say(f"Postgres ended with status {status} and is started again")
            self._leaving.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _prepare(self) -> Binaries:
        home = self._home
        major = cluster.data_major(home.pgdata)
        found = find_binaries(self._named, major)
        if major is not None:
            cluster.refuse_other_version(home, major, found)
        binaries, copied = reachable(found, home.account, self._refuge)
        if copied and home.account:
            self._say(
                f"the user {home.account.name} cannot run {found.directory}: "
                f"Postgres runs from a copy in {binaries.directory}"
            )
        if major is None:
            cluster.create(home, binaries, self._leaving)
        return binaries

    def _run_once(
        self, lock: OwnerLock, binaries: Binaries, socket_dir: Path
    ) -> tuple[int | None, str]:
        """Run the server until it ends or we leave; its exit status and the end of its log."""
        server = Server(self._home, binaries, socket_dir)
        try:
            while server.exit_status() is None and not server.is_ready():
                if self._leaving.wait(START_POLL_SECONDS):
                    break
            else:
                if server.exit_status() is None:
                    lock.announce()
                    self._settle()
            while server.exit_status() is None and not self._leaving.wait(WATCH_POLL_SECONDS):
                pass
            return server.exit_status(), server.last_words()
        finally:
            lock.retract()
            server.stop()

    def _settle(self) -> None:
        self._was_ready = True
        self._settled.set()
