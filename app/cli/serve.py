"""`gloed serve` and `gloed migrate`."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import typer
import uvicorn

from app.cli.base import now, out, say, told
from app.config import PREFIX, Settings, read_settings
from app.keys import new_sign_in_link
from app.links import own_url
from app.logs import configure_logs
from app.main import create_app
from app.secret import fleet_secret
from app.store import Store, head, open_store, revision
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


def serve(
    host: Annotated[str | None, typer.Option(help="Address to bind.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to bind.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that share the store.")] = None,
) -> None:
    """Collect and show, until Ctrl-C. Prints a link that signs in once."""
    with told():
        given = {"host": host, "port": port, "workers": workers}
        asked = {name: value for name, value in given.items() if value is not None}
        settings = Settings.model_validate({**read_settings().model_dump(), **asked})
        configure_logs(settings.log_format)
        with open_store(settings, say) as url:
            asyncio.run(_ready(settings, url))
            _run(settings, url)


async def _ready(settings: Settings, url: str) -> None:
    """At head, and with a link to sign in by."""
    if settings.embedded:
        await migrate_store(url)
    store = Store(url)
    await store.open()
    try:
        link = await new_sign_in_link(store, now())
    finally:
        await store.close()
    out.print(f"Sign in once, within the hour: {own_url(settings)}{link}", markup=False)


def _run(settings: Settings, url: str) -> None:
    """The parent keeps the store; workers get its address and the secret by environment."""
    secret = fleet_secret(settings).decode()
    shared = settings.model_copy(update={"database_url": url, "secret": secret})
    common = {
        "host": settings.host,
        "port": settings.port,
        "access_log": False,
        "log_level": "warning",
        "timeout_keep_alive": KEEP_ALIVE_S,
        "timeout_graceful_shutdown": DRAIN_S,
        "proxy_headers": False,
        "server_header": False,
    }
    if settings.workers == 1:
        uvicorn.run(create_app(shared), **common)  # type: ignore[arg-type]
        return
    os.environ[f"{PREFIX}DATABASE_URL"] = url
    os.environ[f"{PREFIX}SECRET"] = secret
    os.environ[f"{PREFIX}PORT"] = str(settings.port)
    uvicorn.run("app.main:worker", factory=True, workers=settings.workers, **common)  # type: ignore[arg-type]


def migrate() -> None:
    """Bring the store to this version's schema. Forward only; safe to repeat."""
    with told(), open_store(read_settings(), say) as url:
        before = asyncio.run(revision(url))
        asyncio.run(migrate_store(url))
        moved = "already there" if before == head() else f"from {before or 'empty'}"
        out.print(f"The store is at revision {head()} ({moved}).", markup=False)
