"""`gloed serve` and `gloed migrate`."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from app.access.keys import new_sign_in_link
from app.cli.base import err, now, out, say, told
from app.config import PREFIX, Settings, SettingsError, read_settings
from app.exchange import protocol
from app.links import own_url
from app.logs import configure_logs
from app.main import settled_app
from app.secret import fleet_secret
from app.spooling import spool_folder
from app.store import OtherRevision, Store, at_head, head, open_store, revision
from app.store import migrate as migrate_store

EXAMPLES = """
[bold]Examples[/bold]\n
  gloed serve\n
  gloed serve --port 8800 --workers 2\n
  GLOED_DATABASE_URL=postgresql://gloed@db/gloed GLOED_SECRET_FILE=secret gloed serve --host 0.0.0.0
"""
MIGRATE_EXAMPLES = """
[bold]Examples[/bold]\n
  gloed migrate\n
  GLOED_DATABASE_URL=postgresql://gloed@db/gloed gloed migrate
"""
KEEP_ALIVE_S = 75
"""Longer than the 60 s of common proxies: the proxy closes first, and no request is lost to it."""

DRAIN_S = 20

HUNG_AFTER_S = 30
"""A worker that has not answered its parent for so long is killed and replaced. On a loaded machine
it may take 10 s until one has begun, and one that is killed before that never does."""


def serve(
    host: Annotated[str | None, typer.Option(help="Address to bind.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to bind.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that share the store.")] = None,
) -> None:
    """Collect and show, until Ctrl-C. Prints a link that signs in once."""
    with told():
        settings = read_settings(host=host, port=port, workers=workers)
        _check_free(settings)
        with _polite_ends(), open_store(settings, say) as url:
            asyncio.run(_ready(settings, url))
            try:
                _run(settings, url, fleet_secret(settings).decode())
            finally:
                if err.is_terminal:  # elsewhere the lines are the log's alone
                    say("Stopped. What was acknowledged is kept.")


def _check_free(settings: Settings) -> None:
    """Before a store is started and a link is printed that would lead to somebody else."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as problem:
        raise SettingsError(
            f"cannot listen on {settings.host}:{settings.port}: {problem.strerror or problem}; "
            "give another --port or --host, or stop what runs there"
        ) from problem


@contextmanager
def _polite_ends() -> Iterator[None]:
    """SIGTERM unwinds like Ctrl-C. uvicorn stops serving on it and then raises it once more: by
    default that would end the process with the store still running beneath it."""

    def stop(_number: int, _frame: object) -> None:
        raise SystemExit(0)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


async def _ready(settings: Settings, url: str) -> None:
    """At head, and with a link to sign in by."""
    try:
        await at_head(url, owned=settings.embedded)
    except OtherRevision as problem:
        if settings.embedded or not settings.spool_bytes:
            raise
        say(f"gloed: {problem}. Until then what can be collected is kept in the spool.")
        return
    store = Store(url)
    await store.open()
    try:
        link = await new_sign_in_link(store, now())
    finally:
        await store.close()
    out.print(f"Sign in once, within the hour: {own_url(settings)}{link}", markup=False)


def _run(settings: Settings, url: str, secret: str) -> None:
    """The parent keeps the store; workers get its address and the secret by environment."""
    configure_logs(settings.log_format)
    home = str(spool_folder(settings).parent)
    shared = settings.model_copy(
        update={"database_url": url, "secret": secret, "data_dir": Path(home)}
    )
    common = {
        "host": settings.host,
        "port": settings.port,
        "access_log": False,
        "log_config": None,  # its lines come in our form (`app/logs.py`)
        "log_level": "warning",
        "timeout_keep_alive": KEEP_ALIVE_S,
        "timeout_graceful_shutdown": DRAIN_S,
        "timeout_worker_healthcheck": HUNG_AFTER_S,
        "proxy_headers": False,
        "http": protocol(),
        "server_header": False,
    }
    if settings.workers == 1:
        uvicorn.run(settled_app(shared), **common)  # type: ignore[arg-type]
        return
    told_workers = {
        "database_url": url,
        "secret": secret,
        "data_dir": home,
        "host": settings.host,
    }
    for name, value in {**told_workers, "port": str(settings.port)}.items():
        os.environ[f"{PREFIX}{name.upper()}"] = value
    os.environ.pop(f"{PREFIX}SECRET_FILE", None)
    uvicorn.run("app.main:worker", factory=True, workers=settings.workers, **common)  # type: ignore[arg-type]


def migrate() -> None:
    """Bring the store to this version's schema. Forward only; safe to repeat."""
    with told(), open_store(read_settings(), say) as url:
        before = asyncio.run(revision(url))
        asyncio.run(migrate_store(url))
        moved = "already there" if before == head() else f"from {before or 'empty'}"
        out.print(f"The store is at revision {head()} ({moved}).", markup=False)
