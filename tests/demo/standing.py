"""The demo on a port, in a thread of this process: a browser is driven while it answers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Queue

from app.access.keys import new_sign_in_link
from app.clock import system_clock
from app.config import Settings
from app.demo.run import LOOPBACK, Doors, Ready, running_demo
from app.demo.seeding import DAYS
from app.demo.serving import open_door, port_of
from app.links import own_url
from app.store import Store
from tests.serving import SECRET

FILLED_WITHIN_S = 300.0
"""A week takes half a minute; on a machine that does other things too, more."""


@dataclass(frozen=True, slots=True)
class Standing:
    """base: the address of Gloed, without a slash at its end."""

    ready: Ready
    base: str
    database_url: str

    def sign_in_link(self) -> str:
        """A new one: each signs in once."""

        async def made() -> str:
            store = Store(self.database_url)
            await store.open()
            try:
                return await new_sign_in_link(store, system_clock())
            finally:
                await store.close()

        return asyncio.run(made())


@contextmanager
def standing(database_url: str, days: int = DAYS) -> Iterator[Standing]:
    """Filled when it is handed over, and ended when the block is left."""
    handed: Queue[Standing | BaseException] = Queue()
    loop, over = asyncio.new_event_loop(), asyncio.Event()

    async def stand() -> None:
        with open_door(LOOPBACK, 0) as gloed, open_door(LOOPBACK, 0) as provider:
            settings = Settings(database_url=database_url, secret=SECRET, port=port_of(gloed))
            doors = Doors(gloed, provider)
            async with running_demo(settings, doors, lambda *_told: None, days=days) as ready:
                handed.put(Standing(ready, own_url(settings), database_url))
                await over.wait()

    def run() -> None:
        try:
            loop.run_until_complete(stand())
        except BaseException as problem:
            handed.put(problem)
        finally:
            loop.close()

    thread = threading.Thread(target=run, name="demo", daemon=True)
    thread.start()
    told = handed.get(timeout=FILLED_WITHIN_S)
    if isinstance(told, BaseException):
        raise told
    try:
        yield told
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(FILLED_WITHIN_S)
