"""`gloed demo`."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvicorn
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from app.cli.base import err, interactive, out, say, told
from app.config import Settings, read_settings
from app.demo.run import LOOPBACK, Doors, Ready, running_demo
from app.demo.seeding import DAYS
from app.demo.seeding import Progress as Say
from app.demo.serving import open_door, port_of
from app.logs import configure_logs
from app.secret import fleet_secret
from app.store import open_store

EXAMPLES = """
[bold]Examples[/bold]\n
  gloed demo\n
  gloed demo --port 8800 --provider-port 8801\n
  gloed demo --once
"""
MOST_DAYS = 28
"""More would be more than raw data is kept for."""

OVERLAY = Path("demo.overlay.png")


def demo(
    port: Annotated[int | None, typer.Option(help="Port of the shop and of Gloed.")] = None,
    provider_port: Annotated[
        int | None, typer.Option(help="Port of the payment provider; the next free one.")
    ] = None,
    days: Annotated[
        int, typer.Option(min=1, max=MOST_DAYS, help="Days to fill, the first time.")
    ] = DAYS,
    once: Annotated[
        bool, typer.Option("--once", help="Fill the shop, write the overlay, and end.")
    ] = False,
) -> None:
    """A small webshop with a week of simulated visitors, to walk through yourself.

    The first time it takes about half a minute to fill; what there is stays for the next time.
    """
    with told():
        settings = read_settings()
        _quieten(settings)
        doors = _opened(settings.port if port is None else port, provider_port)
        with open_store(settings, say) as url:
            shared = settings.model_copy(
                update={
                    "database_url": url,
                    "secret": fleet_secret(settings).decode(),
                    "host": LOOPBACK,
                    "port": port_of(doors.gloed),
                }
            )
            _until_stopped(shared, doors, days=days, once=once)


def _opened(port: int, provider_port: int | None) -> Doors:
    """Doors on the ports asked for, or on the next free ones; says so where they differ."""
    gloed = _door(port)
    return Doors(gloed, _door(port_of(gloed) + 1 if provider_port is None else provider_port))


def _door(port: int) -> socket.socket:
    door = open_door(LOOPBACK, port)
    if port not in (0, port_of(door)):
        say(f"Port {port} is taken; {port_of(door)} is used instead.")
    return door


def _until_stopped(settings: Settings, doors: Doors, *, days: int, once: bool) -> None:
    """Ctrl-C and a polite kill both take everything down in order."""
    loop_factory = uvicorn.Config("").get_loop_factory()
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        try:
            runner.run(_shown(settings, doors, days=days, once=once))
        except (KeyboardInterrupt, asyncio.CancelledError):
            say("Stopped.")


async def _shown(settings: Settings, doors: Doors, *, days: int, once: bool) -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with AsyncExitStack() as stack:
        with _progress() as progress:
            running = running_demo(settings, doors, progress, days=days)
            ready = await stack.enter_async_context(running)
        _tell(ready, once=once)
        if not once:
            await asyncio.Event().wait()


def _tell(ready: Ready, *, once: bool) -> None:
    OVERLAY.write_bytes(ready.overlay_png)
    lines = {
        "The shop": ready.shop_url,
        "What the designer sees": ready.sign_in_url,
        "The overlay alone": ready.overlay_url,
        "Laid over the page": str(OVERLAY.resolve()),
    }
    for name, value in lines.items():
        out.print(f"{name + ':':24}{value}", markup=False)
    if not once:
        say("The second link signs in once, within the hour. Ctrl-C stops everything.")


@contextmanager
def _progress() -> Iterator[Say]:
    """A bar at a terminal, a line for each day elsewhere."""
    if not interactive():
        yield lambda _done, _days, line: say(line)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=err, transient=True) as bars:
        bar = bars.add_task("The shop opens", total=None)

        def show(done: int, days: int, line: str) -> None:
            bars.update(bar, total=days, completed=done, description=line)

        yield show


def _quieten(settings: Settings) -> None:
    """A week goes by in seconds: the jobs' lines of it say nothing to whoever looks on."""
    configure_logs(settings.log_format)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
