"""What the name of a beacon says. Pure: names come by the closed grammar of `collector/wire.py`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntFlag
from functools import lru_cache
from typing import NamedTuple

from collector.wire import BEACON_NAME, CELL_COLUMNS, CELL_ROWS


class Signal(IntFlag):
    """Kinds of signals (`view.can`); the bits are stored and never change."""

    ZONES = 1  # hover, focus and presses of zones, and the shop's own states
    VALIDITY = 2  # what the browser finds wrong or right
    DEPTH = 4  # how far down
    BANDS = 8  # how long each band was in view
    CELLS = 16  # where a mouse went
    LEAVE = 32  # when the page was left
    SCRIPT = 64  # all of it in page px, by the script


OF_ANY_ENGINE = int(Signal.ZONES | Signal.VALIDITY | Signal.DEPTH | Signal.BANDS)
"""What an engine that told of its viewport can send, unless it says what it lacks."""

_LACKING = {
    "has": Signal.ZONES | Signal.VALIDITY,
    "validity": Signal.VALIDITY,
    "timeline": Signal.BANDS,
    "depth": Signal.DEPTH,
}


class Said(NamedTuple):
    """What a beacon raises, where, and to what; nothing where it is a sign of life alone."""

    what: str = ""
    place: int = 0
    value: int = 0
    shows: int = 0
    """Signals: what only an engine that can send them sends."""
    lacks: int = 0
    dated: bool = False
    """Whether it matters when it came."""
    viewport: bool = False
    """Sent by every engine at the first second, with what it lacks: silence then means calm."""


@lru_cache(maxsize=16_384)
def said(name: str) -> Said | None:
    """None for a name that is not understood. A shop's sheets ask for some hundred names in all."""
    told = _said(name)
    # Flags that are joined a hundred times a view cost more than all the rest: plain numbers.
    return told and told._replace(shows=int(told.shows), lacks=int(told.lacks))


def _said(name: str) -> Said | None:
    found = BEACON_NAME.match(name)
    if found is None:
        return None
    part = {key: value for key, value in found.groupdict().items() if value is not None}
    if "zone" in part:
        return _said_of_zone(int(part["zone"]), part)
    if "band" in part:
        shows = Signal.BANDS | Signal.DEPTH
        return Said("bands_s", int(part["band"]), int(part["band_s"]), shows)
    if "scroll_px" in part:
        shows = Signal.BANDS | Signal.DEPTH
        return Said("scroll_px", value=int(part["scroll_px"]), shows=shows, dated=True)
    if "depth_px" in part:
        return Said("depth_px", value=int(part["depth_px"]), shows=Signal.DEPTH)
    if "row" in part:
        return _said_of_cell(int(part["row"]), int(part["column"]))
    if "lack" in part:
        return Said(lacks=_LACKING[part["lack"]], viewport=True)
    for what in ("alive_s", "width_px", "height_px"):
        if what in part:
            return Said(what, value=int(part[what]), viewport=True)
    return Said("coarse" if part["fact"] == "coarse" else "", value=True, viewport=True)


def _said_of_zone(zone: int, part: Mapping[str, str]) -> Said:
    if "hover" in part:
        return Said("hover_s", zone, int(part.get("hover_s", 0)), Signal.ZONES, dated=True)
    if "focus" in part:
        return Said("focus_s", zone, int(part.get("focus_s", 0)), Signal.ZONES, dated=True)
    if "press" in part:
        return Said("presses", zone, int(part["press"]), Signal.ZONES, dated=True)
    validity = Signal.VALIDITY if part["state"] in "iv" else 0
    return Said(shows=Signal.ZONES | validity, dated=True)


def _said_of_cell(row: int, column: int) -> Said:
    """Of a cell that no sheet lays over a page only that something was sent."""
    if row >= CELL_ROWS or column >= CELL_COLUMNS:
        return Said()
    return Said("cells", row, column, Signal.CELLS, dated=True)
