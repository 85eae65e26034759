"""Where a finger's eyes stayed, by script: at what was tapped last, until the next tap. Pure.

A finger leaves no trail, and a text takes no focus. Script-free, `:hover` stays with what was
tapped last; of a page with the script alone the times between its clicks say the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from app.folding.seen import Seen
from heatmap.fixations import CAP_MS

MS = 1000


def last_tapped_s(view: Seen) -> Mapping[int, float]:
    """Seconds that each zone was the one tapped last, each time CAP_MS at the most.

    Until the next tap, wherever that was, or until the last that was told: the leave.
    """
    clicks = view.clicks() if len(view.events) else view.events
    if not len(clicks):
        return {}
    until_ms = np.append(clicks["t"][1:], view.events["t"][-1]).astype(np.int64)
    held_ms = np.minimum(until_ms - clicks["t"], CAP_MS)
    total: Counter[int] = Counter()
    for zone, ms in zip(clicks["zone"].tolist(), held_ms.tolist(), strict=True):
        if zone:
            total[zone] += ms
    return {zone: min(ms, CAP_MS) / MS for zone, ms in total.items()}
