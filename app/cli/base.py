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

from app.capture import CaptureError
from app.clock import system_clock
from app.config import Settings, SettingsError, read_settings
from app.keys import KeyProblem
from app.layouts import LayoutError
from app.pictures import PictureError
from app.postgres import PostgresError
from app.problems import ApiProblem
from app.replay import ReplayError
from app.shops import ShopError
from app.store import Store, StoreProblem, at_head, open_store
from heatmap.errors import HeatmapError
from snippets.errors import SnippetError

T = TypeVar("T")
FAILED = 1
EXPECTED = (
    ApiProblem,
    CaptureError,
    HeatmapError,
    KeyProblem,
    LayoutError,
    PictureError,
    PostgresError,
    ReplayError,
    SettingsError,
    ShopError,
    SnippetError,
    StoreProblem,
)
"""Errors that a person can act on: told without a traceback."""

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
    except EXPECTED as problem:
        say(f"gloed: {problem}")
        raise typer.Exit(FAILED) from problem
    except OSError as problem:
        of_file = problem.filename is not None
        say(f"gloed: {problem}" if of_file else f"gloed: the store cannot be reached: {problem}")
        raise typer.Exit(FAILED) from problem
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
        say(f"gloed: the store cannot be used: {str(problem).splitlines()[0]}")
        raise typer.Exit(FAILED) from problem


def with_store(work: Callable[[Store], Awaitable[T]], settings: Settings | None = None) -> T:
    """Open the store (running or joining the embedded one), bring it to head if ours, work."""
    with told():
        chosen = settings or read_settings()
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


def interactive() -> bool:
    return sys.stderr.isatty()


now = system_clock
