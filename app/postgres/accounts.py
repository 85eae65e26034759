"""Who Postgres runs as. It refuses uid 0, so root lends it an account that already exists."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from app.postgres.errors import PostgresError

PREFERRED_NAMES = ("gloed", "postgres", "nobody")


class Identity(TypedDict, total=False):
    """The arguments by which `subprocess` starts a child as somebody else."""

    user: int
    group: int
    extra_groups: Sequence[int]


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]

    def identity(self) -> Identity:
        return {"user": self.uid, "group": self.gid, "extra_groups": self.groups}

    def can_run(self, command: Sequence[str]) -> bool:
        try:
            done = subprocess.run(command, capture_output=True, cwd="/", **self.identity())
        except PermissionError:
            return False
        return done.returncode == 0

    def can_enter(self, directory: Path) -> bool:
        # Asked of the kernel, in that account's shoes: mode bits alone know nothing of access
        # control lists or security modules.
        return self.can_run(["/bin/sh", "-c", 'test -x "$1"', "sh", str(directory)])


def lent_account(data: Path) -> Account | None:
    """The account Postgres gets from root; None when we are not root and it simply is ours.

    The owner of data that exists already wins: Postgres starts for nobody else.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat().st_uid) != 0:
        return _account_of(owner, data.stat().st_gid)
    for name in PREFERRED_NAMES:
        try:
            return _described(pwd.getpwnam(name))
        except KeyError:
            continue
    raise PostgresError(
        f"Postgres refuses to run as root and none of the users {', '.join(PREFERRED_NAMES)} "
        "exists: start Gloed as an ordinary user, or add a system user named gloed"
    )


def _account_of(uid: int, gid: int) -> Account:
    try:
        return _described(pwd.getpwuid(uid))
    except KeyError:  # containers run under numbers that no passwd file knows
        return Account(str(uid), uid, gid, ())


def _described(entry: pwd.struct_passwd) -> Account:
    groups = tuple(os.getgrouplist(entry.pw_name, entry.pw_gid))
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, groups)
