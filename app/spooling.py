"""Where the spool lies, and what it holds, for people to read."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from app.clock import Clock
from app.config import DEFAULT_DATA_DIR, Settings
from app.postgres import data_home
from collector.nests import BAD
from collector.spool import Spool, spool_bytes, waiting_since

FOLDER = "spool"


def spool_folder(settings: Settings) -> Path:
    """Below the data directory, also where the store is another's."""
    wanted = settings.data_dir or DEFAULT_DATA_DIR
    if settings.embedded:
        wanted = data_home(wanted, explicit=settings.data_dir is not None)
    return wanted.resolve() / FOLDER


def make_spool(settings: Settings, clock: Clock) -> Spool | None:
    """None where it was switched off."""
    if not settings.spool_bytes:
        return None
    return Spool(spool_folder(settings), settings.spool_bytes, clock)


def spool_row(settings: Settings, now: datetime) -> tuple[str, ...]:
    """The spool of this machine among the jobs: what waits to be replayed, and since when."""
    folder = spool_folder(settings)
    since = waiting_since(folder)
    bad = len(list((folder / BAD).glob("*")))
    return (
        "spool",
        "–",
        "–",
        f"{spool_bytes(folder) / 1e6:.1f} MB wait" if since else "empty",
        "–",
        "–",
        f"{int((now - since).total_seconds())} s" if since else "none",
        f"{bad} unusable files in {folder / BAD}" if bad else "",
    )
