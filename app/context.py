"""What one running Gloed consists of; made by `app/main.py`, handed to routers and jobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection

from app.access.keys import Signer
from app.clock import Clock
from app.config import Settings
from app.drawing.renders import Renders
from app.sheets import Sheets
from app.store import Store
from collector.catalogue import Catalogue
from collector.intake import Collector
from collector.visitor import Salts
from collector.writer import Writer

if TYPE_CHECKING:  # these read the context they are part of
    from app.drawing.keeping import Keeping
    from app.drawing.overlays import Overlays
    from app.pages.shops.glances import Glance


@dataclass(frozen=True, slots=True)
class Context:
    settings: Settings
    clock: Clock
    store: Store
    secret: bytes
    signer: Signer
    catalogue: Catalogue
    salts: Salts
    writer: Writer
    collector: Collector
    renders: Renders
    overlays: Overlays
    sheets: Sheets
    glances: Keeping[Glance]
    """What pages say of a page elsewhere than on its own."""


def context_of(connection: HTTPConnection) -> Context:
    """FastAPI dependency: the Gloed that this request came to."""
    context: Context = connection.app.state.gloed
    return context
