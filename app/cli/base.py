"""What the commands share: settings, an open store, and errors told in one line."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import asyncpg
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.clock import system_clock
from app.config import Settings, read_settings
from app.store import Store, at_head, open_store, require_store

T = TypeVar("T")
FAILED = 1
out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)


def say(line: str) -> None:
    """A line beside the result, which stays alone on standard output."""
    err.print(line, markup=False)


@contextmanager
def told() -> Iterator[None]:
    """Errors that a person can act on end the command with one line."""
    try:
        yield
    except Exception as problem:
        line = _line_of(problem)
        if line is None:
            raise
        say(f"gloed: {line}")
        raise typer.Exit(FAILED) from problem


def _line_of(problem: Exception) -> str | None:
    """None for an error that nobody but us can act on."""
    # Imported here, when something went wrong: most commands need little of what these come with.
    from app.cli.expected import EXPECTED

    match problem:
        case _ if isinstance(problem, EXPECTED):
            return str(problem)
        case OSError():
            if problem.filename is None:
                return f"the store cannot be reached: {problem}"
            return f"{problem.filename}: {problem.strerror}"
        case asyncpg.PostgresError() | asyncpg.InterfaceError():
            return f"the store cannot be used: {str(problem).splitlines()[0]}"
    return None


def with_store(
    work: Callable[[Store], Awaitable[T]], settings: Settings | None = None, *, begin: bool = False
) -> T:
    """Open the store (running or joining the embedded one), bring it to head if ours, work.

    begin  whether an embedded store that is not there yet is made
    """
    with told():
        chosen = settings or read_settings()
        if not begin:
            require_store(chosen)
        with open_store(chosen, say) as url:
            return asyncio.run(_work(url, chosen.embedded, work))


async def _work(url: str, owned: bool, work: Callable[[Store], Awaitable[T]]) -> T:
    await at_head(url, owned=owned)
    store = Store(url)
    await store.open()
    try:
        return await work(store)
    finally:
        await store.close()


def show(columns: Sequence[str], rows: Iterable[Sequence[str]], console: Console = out) -> None:
    """A table for people at a terminal, lines with tabs for whatever reads a pipe."""
    if not console.is_terminal:
        for row in (columns, *rows):
            print("\t".join(row), file=console.file)
        return
    table = Table()
    for column in columns:
        table.add_column(column, overflow="fold")  # a key that is cut is no key
    for row in rows:
        table.add_row(*map(escape, row))
    console.print(table)


def counted(n: int, what: str) -> str:
    """`1 visit`, `2 visits`."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def interactive() -> bool:
    return sys.stderr.isatty()


now = system_clock
