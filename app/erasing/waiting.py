"""Rows that wait on this machine's disk go to the store before anything is deleted from it.

Those of a collector that runs are its own to bring: the store is there, so it takes a moment. Those
that dead ones have left behind are brought from here, whether anything runs or not.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from app.clock import Clock
from app.shops import ShopError
from app.store import connect, head
from collector.connections import Door
from collector.nests import BAD
from collector.spool import Spool, waiting_since
from collector.writer import Writer

WITHIN_S = 120.0
"""What a spool at its limit takes is minutes (1 GB at some MB a second); whoever asks for more can
ask again."""

LOOK_S = 0.2


class SpoolWaits(ShopError):
    """Rows wait on this machine, and what is to be deleted may be among them."""


async def empty_spool(folder: Path, url: str, clock: Clock, within_s: float = WITHIN_S) -> None:
    """Bring what waits in `folder` for the store of `url` into it, and delete what cannot be read,
    as nobody can say what is in it.

    Raises SpoolWaits where rows still wait after `within_s`.
    """
    if folder.is_dir():
        await _empty(folder, url, clock, within_s)
    for path in (folder / BAD).glob("*"):
        path.unlink(missing_ok=True)


async def _empty(folder: Path, url: str, clock: Clock, within_s: float) -> None:
    connection, store = await Door(lambda: connect(url)).open()
    connection.terminate()
    if waiting_since(folder, store) is None:
        return
    until = time.monotonic() + within_s
    # Days that were closed already are closed once more: it is not known here which those are.
    writer = Writer(
        lambda: connect(url),
        closed_day=lambda _site, _day: True,
        revision=head(),
        spool=Spool(folder, 0, clock),
    )
    await writer.start()
    try:
        while waiting_since(folder, store) is not None:
            if time.monotonic() > until:
                raise SpoolWaits(
                    f"rows still wait in the spool of this machine ({folder}): let the store take "
                    "them, and delete then; `gloed jobs` says how many"
                )
            await asyncio.sleep(LOOK_S)
    finally:
        await writer.stop()
