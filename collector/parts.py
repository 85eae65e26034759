"""What the composition root hands to the collector."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from collector.addresses import Network
from collector.catalogue import Catalogue
from collector.sheets import Sheet
from collector.sites import Page, Site
from collector.visitor import Salts
from collector.writer import Writer


class ScriptFile(Protocol):
    """The optional script, ready to send."""

    @property
    def js(self) -> bytes: ...
    @property
    def gzip(self) -> bytes: ...
    @property
    def mark(self) -> str: ...


async def no_script() -> ScriptFile | None:
    """Of a collector that has none."""
    return None


@dataclass(frozen=True, slots=True)
class Parts:
    catalogue: Catalogue
    writer: Writer
    salts: Salts
    secret: bytes
    clock: Callable[[], datetime]
    sheet: Callable[[Page], Sheet]
    trusted: tuple[Network, ...]
    may_report_goals: Callable[[Site, str], Awaitable[bool]]
    script: Callable[[], Awaitable[ScriptFile | None]] = no_script
