"""Becomes another program that cannot outlive the process which asked for it.

Run by its path in an isolated interpreter, so it imports the standard library alone. A `preexec_fn`
would do the same work inside a fork of a threaded process, where any lock may be held for ever.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1
HAS_DEATH_SIGNAL = sys.platform == "linux"
NOBODY_ELSE = 0o077
SAME_ACCOUNT = "-"
NO_PIPE = -1
# PGPORT and its like would bend what the command line says, and no secret of ours belongs in
# Postgres's environment. C keeps the log in the one language that it is searched in.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def signal_when_parent_dies(signum: int) -> None:
    """Have the kernel send `signum` to this process as soon as its parent is gone (Linux).

    The kernel means the *thread* that forked us, and forgets the wish when the process changes
    its user: ask after that, and fork from a thread that lives as long as the child should.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signum), 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def launcher(
    command: Sequence[str],
    *,
    signum: int,
    identity: tuple[int, int, Sequence[int]] | None = None,
    pipe_fd: int = NO_PIPE,
) -> list[str]:
    """The command line that runs `command`, as uid, gid and groups, bound to this process.

    pipe_fd  read end of a pipe whose only writer is this process: its closing is the sign of
             our death where the kernel sends none; NO_PIPE leaves it to the kernel
    """
    who = SAME_ACCOUNT
    if identity is not None:
        uid, gid, groups = identity
        who = ",".join(map(str, (uid, gid, *groups)))
    isolated = [sys.executable, "-I", "-S", "-B", __file__]
    return [*isolated, str(os.getpid()), str(int(signum)), who, str(pipe_fd), *command]


def main(arguments: Sequence[str]) -> None:
    parent, signum, who, pipe_fd, *command = arguments
    if who != SAME_ACCOUNT:
        _become(*map(int, who.split(",")))
    if int(pipe_fd) != NO_PIPE:
        _leave_a_watcher(int(pipe_fd), int(signum))
    else:
        signal_when_parent_dies(int(signum))
    if os.getppid() != int(parent):
        sys.exit(f"{command[0]} was not started: the process that asked for it is gone")
    for ignored_by_python in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored_by_python, signal.SIG_DFL)
    os.umask(NOBODY_ELSE)
    os.chdir("/")
    os.execve(command[0], command, ENVIRONMENT)


def _become(uid: int, gid: int, *groups: int) -> None:
    os.setgroups(groups)
    os.setgid(gid)
    os.setuid(uid)


def _leave_a_watcher(pipe_fd: int, signum: int) -> None:
    """Fork a child that outlives the coming exec; it signals its parent when the pipe closes.

    As a child it knows by getppid whether the program still runs: no pid can be mistaken.
    """
    program = os.getpid()
    if os.fork() != 0:
        os.close(pipe_fd)
        return
    os.read(pipe_fd, 1)
    if os.getppid() == program:
        os.kill(program, signum)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
