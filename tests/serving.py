"""A Gloed on a real port, in a thread of this process, with a clock that the test holds."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import uvicorn

from app.clock import SteppedClock
from app.config import Settings
from app.context import Context
from app.exchange import protocol
from app.main import Gloed, create_app
from app.store import Store

T = TypeVar("T")
SECRET = "0123456789abcdef0123456789abcdef"
STARTS_WITHIN_S = 60.0
FROM_OURS = {"sec-fetch-site": "same-origin"}
"""What browsers say of a form that stood on a page of Gloed's own."""


@dataclass(frozen=True, slots=True)
class Running:
    url: str
    app: Gloed
    clock: SteppedClock
    loop: asyncio.AbstractEventLoop
    database_url: str

    @property
    def context(self) -> Context:
        context: Context = self.app.state.gloed
        return context

    @property
    def store(self) -> Store:
        """Belongs to the server's loop: use it within `do`."""
        return self.context.store

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the server's loop, from the test's thread."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(STARTS_WITHIN_S)


def settings_for(database_url: str, **more: Any) -> Settings:
    """Without a spool unless asked for: what is acknowledged is then in the store, however slow."""
    given = {"spool_bytes": 0, **more}
    return Settings(database_url=database_url, secret=SECRET, **given)


@contextmanager
def serving(
    database_url: str,
    clock: SteppedClock,
    app: Gloed | None = None,
    http: Any = None,
    **more: Any,
) -> Iterator[Running]:
    made = app or create_app(settings_for(database_url, **more), clock=clock)
    with served(made, http) as (url, loop):
        yield Running(url, made, clock, loop, database_url)


@contextmanager
def served(
    app: Any, http: Any = None, **more: Any
) -> Iterator[tuple[str, asyncio.AbstractEventLoop]]:
    """Any ASGI application on a free port; stopped, with its lifespan, at the end."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        log_level="warning",
        access_log=False,
        http=http or protocol(),
        proxy_headers=False,  # as `serve` has it: whom to believe is Gloed's own decision
        **more,
    )
    server = uvicorn.Server(config)
    ready = threading.Event()
    found: list[asyncio.AbstractEventLoop] = []
    failed: list[BaseException] = []

    async def run() -> None:
        found.append(asyncio.get_running_loop())
        serving = asyncio.create_task(server.serve())
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        ready.set()
        await serving

    def body() -> None:
        try:
            asyncio.run(run())
        except BaseException as problem:
            failed.append(problem)
        finally:
            ready.set()

    thread = threading.Thread(target=body, name="gloed-server", daemon=True)
    thread.start()
    assert ready.wait(STARTS_WITHIN_S), "the server did not start in time"
    if not server.started:
        thread.join(STARTS_WITHIN_S)
        raise RuntimeError(f"the server did not start: {failed}")
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}", found[0]
    finally:
        server.should_exit = True
        thread.join(STARTS_WITHIN_S)
