"""Where the data lies: the directory asked for, or another that Postgres's account can reach."""

from __future__ import annotations

import hashlib
import os
import signal
import stat
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from app.postgres.accounts import Account, lent_account
from app.postgres.errors import PostgresError
from app.postgres.launch import NO_PIPE, launcher

RELOCATED = Path("/var/lib/gloed")
PRIVATE = 0o700
PASSABLE = 0o711  # lets the lent account through to its own folders, without showing any name
PORT = 5432  # names the socket file; nothing listens on a network port
SOCKET_NAME = f".s.PGSQL.{PORT}"
SOCKET_PATH_LIMIT = 103  # bytes that fit sun_path on every system: Linux has 107, macOS 103


@dataclass(frozen=True, slots=True)
class Home:
    """The directory that one embedded Postgres lives in, and the account it lives under."""

    root: Path
    account: Account | None

    @property
    def pgdata(self) -> Path:
        return self.root / "pg"

    @property
    def log(self) -> Path:
        return self.root / "postgres.log"

    @property
    def lock(self) -> Path:
        return self.root / "postgres.lock"

    def own(self, directory: Path) -> None:
        """Make `directory` Postgres's own, and nobody else's."""
        os.chmod(directory, PRIVATE)
        if self.account:
            os.chown(directory, self.account.uid, self.account.gid, follow_symlinks=False)

    def bound(
        self, command: Sequence[str], signum: signal.Signals, pipe_fd: int = NO_PIPE
    ) -> list[str]:
        """The command line that runs `command` as Postgres's account, for as long as we live."""
        account = self.account
        identity = (account.uid, account.gid, account.groups) if account else None
        return launcher(command, signum=signum, identity=identity, pipe_fd=pipe_fd)

    def open_private(self, path: Path, flags: int) -> int:
        """Open a file of mode 0600 in `root`; like `root` itself it belongs to `root`'s owner.

        Without that, one `sudo gloed` would lock the ordinary user out of the log and the lock.
        """
        try:
            fd = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except PermissionError as error:
            raise PostgresError(
                f"{path} cannot be opened by uid {os.geteuid()}: run Gloed as the user who owns "
                f"{self.root}, or choose another GLOED_DATA_DIR"
            ) from error
        if os.geteuid() == 0:
            owner = self.root.stat()
            os.fchown(fd, owner.st_uid, owner.st_gid)
        return fd


def stands(data_dir: Path, *, base: Path = RELOCATED) -> bool:
    """Whether a Postgres was ever made for `data_dir`; makes nothing."""
    wanted = data_dir.resolve()
    return any((root / "pg").is_dir() for root in (wanted, refuge(wanted, base)))


def data_home(data_dir: Path, explicit: bool, *, base: Path = RELOCATED) -> Path:
    """The absolute directory where the data of `data_dir` really lies; made if it is missing.

    Only root ever gets another one than it asked for, and only when `explicit` is False.
    """
    return find_home(data_dir, explicit, base=base).root


def find_home(data_dir: Path, explicit: bool, *, base: Path = RELOCATED) -> Home:
    wanted = data_dir.resolve()
    account = lent_account(wanted / "pg")
    barrier = _barrier(wanted, account)
    if barrier is None or account is None:
        make(wanted, PRIVATE if account is None else PASSABLE)
        return Home(wanted, account)
    if explicit or (wanted / "pg").exists():  # never an empty store beside a full one
        raise PostgresError(
            f"the data directory {wanted} is out of reach of the user {account.name}, as whom "
            f"Postgres runs when root starts Gloed: {barrier} does not let that user in. Set "
            f"GLOED_DATA_DIR to a directory which {account.name} can reach, such as {base}, let "
            f"others pass through {barrier} (chmod o+x), or start Gloed as an ordinary user"
        )
    elsewhere = refuge(wanted, base)
    make(elsewhere, PASSABLE)
    account = lent_account(elsewhere / "pg") or account
    if barrier := _barrier(elsewhere, account):
        raise PostgresError(
            f"neither {wanted} nor {elsewhere} is in reach of the user {account.name}: "
            f"{barrier} does not let that user in. Set GLOED_DATA_DIR to a directory it can reach"
        )
    return Home(elsewhere, account)


def refuge(data_dir: Path, base: Path) -> Path:
    """The directory under `base` that stands in for an unreachable `data_dir`."""
    return base / _digest(data_dir.resolve())


def socket_directory(home: Home) -> Path:
    """A directory for the socket: `run` in the home, or a short plain one if that does not fit."""
    near = home.root / "run"
    chosen = near if _fits(near) else _noted_short_directory(home)
    chosen.mkdir(mode=PRIVATE, exist_ok=True)
    found = chosen.lstat()
    owners = {os.geteuid()} | ({home.account.uid} if home.account else set())
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners:
        raise PostgresError(
            f"the socket directory {chosen} belongs to uid {found.st_uid} or is no directory: "
            "remove it, or choose a shorter GLOED_DATA_DIR"
        )
    home.own(chosen)
    return chosen


def store_url(socket_dir: Path) -> str:
    return f"postgresql://gloed@/gloed?host={socket_dir}&port={PORT}"


def _noted_short_directory(home: Home) -> Path:
    # The note makes the choice once: the temporary directory of a process that joins, or that
    # takes over later, may be another one, while the URL already handed out has to stay true.
    # The digest in the name tells a note that came along with a copied data directory.
    note = home.root / "run.path"
    name = f"gloed-{_digest(home.root)}"
    if note.exists():
        noted = Path(note.read_text(encoding="utf-8").rstrip("\n"))
        if noted.name == name:
            return noted
    chosen = _short_parent() / name
    if not _fits(chosen):
        raise PostgresError(
            f"no place for a socket: {home.root} and {chosen} are both longer than the "
            f"{SOCKET_PATH_LIMIT} bytes of a socket's path or hold more than letters, digits "
            "and ._-~; choose a shorter, plainer GLOED_DATA_DIR"
        )
    with open(home.open_private(note, os.O_WRONLY | os.O_TRUNC), "w", encoding="utf-8") as file:
        file.write(f"{chosen}\n")
    return chosen


def _short_parent() -> Path:
    if os.geteuid() == 0 and os.path.isdir("/run"):
        return Path("/run")
    return Path(tempfile.gettempdir())


def _fits(directory: Path) -> bool:
    # Clients take a comma for a second host and differ in what they unescape, so a path that
    # would need an escape is as unusable in a URL as one that is too long for a socket.
    needs_no_escape = quote(str(directory)) == str(directory)
    return needs_no_escape and len(os.fsencode(directory / SOCKET_NAME)) <= SOCKET_PATH_LIMIT


def _digest(path: Path) -> str:
    return hashlib.blake2b(os.fsencode(path), digest_size=8).hexdigest()


def _barrier(directory: Path, account: Account | None) -> Path | None:
    """The outermost existing folder on the way into `directory` that `account` cannot enter."""
    if account is None or account.can_enter(_existing(directory)):
        return None
    way = [*reversed(directory.parents), directory]
    return next((step for step in way if not account.can_enter(step)), directory)


def _existing(directory: Path) -> Path:
    return next(step for step in (directory, *directory.parents) if step.exists())


def make(directory: Path, mode: int) -> None:
    """Make what is missing of `directory`, each part with `mode`; what exists stays as it is."""
    try:
        missing = [step for step in (directory, *directory.parents) if not step.exists()]
        for step in reversed(missing):
            step.mkdir(exist_ok=True)
            step.chmod(mode)  # a umask must not close what the lent account has to pass
    except OSError as error:
        raise PostgresError(
            f"the data directory {directory} cannot be made ({error.strerror}): "
            "set GLOED_DATA_DIR to a directory you may write"
        ) from error
