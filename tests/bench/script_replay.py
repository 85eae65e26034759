"""A minute that somebody recorded, played with real input in each engine, against what is stored.

`python -m tests.bench.script_replay [SECONDS]`: the optional script on a page that bears both
forms, behind a line that loses every third answer. Printed are how far stored points lie from where
the hand was, how far in time movements are from the nearest stored point, clicks, repeats.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from app.postgres import embedded_store
from app.replay import Event
from app.store import migrate
from tests import provide
from tests.browser.drive import ENGINES, open_browser
from tests.browser.played import NEAR_MS, Hand, off_px, untold_ms
from tests.browser.script_shop import Proxy, ScriptShop, script_shop
from tests.replay.balabit import read_balabit

SECONDS = 60.0
MOVES_A_SECOND = 12
CLICKS_A_MINUTE = 8
REST_MS = 1000
"""What a recording must have to say anything."""

AREA_PX = (560, 60, 680, 580)
"""Of the shop's page, x, y, width and height: nothing there leads away."""

LEAVE_PX = (460, 140)
SETTLED_S = 6.0
"""After the leave: longer than the script waits before it sends again."""


def recorded(seconds: float) -> list[Event]:
    """The first lively stretch of a recording that is so long, from 0 on, within AREA_PX."""
    for recording in read_balabit("long"):
        events = [event for event in recording.events if event.kind != "scroll"]
        for first in range(0, len(events), 200):
            began_ms = events[first].t_ms
            part = [e for e in events[first:] if e.t_ms - began_ms <= seconds * 1000]
            if _is_lively(part, seconds) and events[-1].t_ms - began_ms >= seconds * 1000:
                return _in_area(part, recording.viewport, began_ms)
    raise SystemExit(f"no recording is lively for {seconds:g} s: ask for less")


def _is_lively(part: Sequence[Event], seconds: float) -> bool:
    clicks = sum(event.kind == "click" for event in part)
    rests = [after.t_ms - before.t_ms for before, after in pairwise(part)]
    return (
        len(part) >= MOVES_A_SECOND * seconds
        and clicks >= CLICKS_A_MINUTE * seconds / 60
        and max(rests, default=0) >= REST_MS
    )


def _in_area(part: Sequence[Event], screen: tuple[int, int], began_ms: int) -> list[Event]:
    left, top, width, height = AREA_PX
    return [
        Event(
            event.t_ms - began_ms,
            event.kind,
            left + event.x_px * width // (screen[0] + 1),
            top + event.y_px % screen[1] * height // (screen[1] + 1),
        )
        for event in part
    ]


def play(hand: Hand, events: Sequence[Event]) -> None:
    began = time.monotonic()
    for event in events:
        time.sleep(max(0.0, began + event.t_ms / 1000 - time.monotonic()))
        if event.kind == "click":
            hand.click(event.x_px, event.y_px)
        else:
            hand.move(event.x_px, event.y_px)
    hand.click(*LEAVE_PX)


def replayed(shop: ScriptShop, engine: str, events: Sequence[Event]) -> dict[str, Any]:
    with open_browser(engine) as browser, shop.proxy() as proxy:
        hand = Hand(browser)
        hand.open(f"{proxy.url}/shipping")
        play(hand, events)
        proxy.until(lambda batches: _clicks(batches, hand))
        time.sleep(SETTLED_S)
        return _figures(shop, proxy, hand)


def _clicks(batches: Sequence[dict[str, Any]], hand: Hand) -> bool:
    """Whether all have come; told twice they count once."""
    told = {(batch["s"], *event) for batch in batches for event in batch["e"] if event[0] == 1}
    return len(told) >= len(hand.clicked)


def _figures(shop: ScriptShop, proxy: Proxy, hand: Hand) -> dict[str, Any]:
    view = shop.view_of(proxy.batches)
    ours = view.trail[view.trail["t"] >= hand.moved[0][2] - NEAR_MS]
    off, untold = off_px(ours, hand.moved), untold_ms(view.trail, hand.moved)
    return {
        "moves": len(hand.moved),
        "points": len(ours),
        "off_px_max": round(float(off.max()), 1),
        "untold_ms_p99": round(float(np.percentile(untold, 99))),
        "untold_ms_max": round(float(untold.max())),
        "clicks_played": len(hand.clicked),
        "clicks_stored": len(view.clicks()),
        "batches": len({batch["s"] for batch in proxy.batches}),
        "answers_lost": proxy.lost,
        "repeats_dropped": sum(why == "repeat" for _, why in proxy.answers),
        "times_twice": len(view.trail) - len(np.unique(view.trail["t"])),
        "views": len({batch.get("t", batch["id"]) for batch in proxy.batches}),
    }


def main() -> None:
    events = recorded(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
    found = {}
    with TemporaryDirectory(prefix="gloed-bench-") as home:
        Path(home).chmod(0o755)
        with embedded_store(Path(home), explicit=True, say=lambda _line: None) as url:
            asyncio.run(migrate(url))
            with script_shop(url) as shop:
                for engine in filter(provide.has, ENGINES):
                    found[engine] = replayed(shop, engine, events)
    for name in next(iter(found.values())):
        print(f"{name:18}" + "".join(f"{found[engine][name]:>12}" for engine in found))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
