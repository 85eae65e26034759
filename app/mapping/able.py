"""Which views could tell what a map shows: silence of the others is no sign of calm. Pure."""

from __future__ import annotations

import numpy as np

from app.folding.hearing import Signal
from app.folding.seen import Seen
from collector.wire import Kind

TELLING = {
    "click": int(Signal.ZONES | Signal.SCRIPT),
    "move": int(Signal.CELLS | Signal.SCRIPT),
    "stall": int(Signal.ZONES | Signal.BANDS | Signal.SCRIPT),
    "scroll": int(Signal.DEPTH | Signal.SCRIPT),
    "attention": int(Signal.BANDS | Signal.SCRIPT),
    "rageclick": int(Signal.ZONES | Signal.SCRIPT),
    "deadclick": int(Signal.SCRIPT),
}
"""By kind of map: any of these signals tells it."""

POINTER = int(Signal.ZONES | Signal.SCRIPT)
"""With a mouse the bands in view are no stall."""


def is_able(view: Seen, kind: str) -> bool:
    """Whether the view's engine can send what this kind of map is made of."""
    if kind == "deadclick" and not np.any(view.events["kind"] == int(Kind.DEADCLICK)):
        return False  # our script leaves them out for its size; recordings bring them
    telling = POINTER if kind == "stall" and not view.touch else TELLING[kind]
    return view.can & telling != 0
