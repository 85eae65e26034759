"""What a collector must hold to go on while the store is away, fetched before it is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from collector.catalogue import Catalogue
from collector.errors import NotStored, place_of
from collector.visitor import OVERLAP, Salts

log = structlog.get_logger()

EVERY_S = 10.0
"""How long a collector that nobody has asked for anything may be cold."""

AHEAD = timedelta(hours=1)
"""A day's salt is there so long before its midnight: the store may be away just then."""


async def keep_warm(catalogue: Catalogue, salts: Salts, clock: Callable[[], datetime]) -> None:
    """Until cancelled."""
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            await warm(catalogue, salts, clock())
        except Exception as defect:
            # Whatever it was: requests ask for themselves, and the next round may go well.
            log.error("not_warm", why=type(defect).__name__, at=place_of(defect))


async def warm(catalogue: Catalogue, salts: Salts, now: datetime) -> None:
    """The shops, and the salts of each one's day, the one before and the one to come."""
    with suppress(NotStored):
        sites = await catalogue.sites()
        moments = (now - OVERLAP, now, now + AHEAD)
        for day in sorted({site.day_of(moment) for site in sites for moment in moments}):
            await salts.salt(day, now)
