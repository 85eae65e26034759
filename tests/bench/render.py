"""How fast points become a picture, how true it is, what it takes: `python -m tests.bench.render`.

Points in memory to PNG bytes, on one thread, in rounds: in each of them every peer draws the same
points once, in turn, so that neighbours on the machine slow all alike. Times are of the processor,
a ratio is that of the medians. Peers are described in `tests.bench.peers`. The slow ones draw fewer
rounds, and none that takes minutes. `SEED` in the environment chooses the points.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from heatmap import overlay
from heatmap.heaps import heap_for
from heatmap.marks import clip, gather
from heatmap.page import Page
from heatmap.painting import paint
from heatmap.sheet import Sheet
from tests.bench.crowd import DESKTOP, PHONE, Singles, Size, crowd
from tests.bench.peers import PEERS, floor, gloed
from tests.bench.truth import crowd_error, searched_error

SLOW_ROUNDS = 1
"""Of peers that take seconds: they lie so far behind that their noise does not matter."""
CELLS = 20_000
"""A page's aggregated cells, which maps of whole days are drawn from."""


@dataclass(frozen=True, slots=True)
class Case:
    """Points on a page, drawn in rounds; slow says whether the slow peers draw too."""

    name: str
    count: int
    bandwidth_px: float
    rounds: int
    size: Size = DESKTOP
    whole: bool = False
    slow: bool = False


CASES = (
    Case("1e4", 10_000, 20, 9, slow=True),
    Case("1e5", 100_000, 20, 9, slow=True),
    Case("1e6", 1_000_000, 20, 9, slow=True),
    Case("1e7", 10_000_000, 20, 5, slow=True),
    Case("bw5_1e6", 1_000_000, 5, 9),
    Case("bw5_1e6_pixels", 1_000_000, 5, 9, whole=True),
    Case("bw10_1e6", 1_000_000, 10, 5),
    Case("bw40_1e6", 1_000_000, 40, 5),
    Case("phone_1e5", 100_000, 20, 9, PHONE, slow=True),
)

MEMORY = """
import re, sys
import numpy as np
from heatmap import overlay
count, width, height, bandwidth, seed = map(int, sys.argv[1:])
rng = np.random.default_rng(seed)
overlay(rng.random((9, 2)), width_px=9, height_px=9, bandwidth_px=9)
points = np.empty((count, 2), dtype=np.float32)
for part in np.array_split(points, max(count // 100_000, 1)):
    part[:] = rng.random(part.shape, dtype=np.float32) * (width, height)
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
before = peak()
overlay(points, width_px=width, height_px=height, bandwidth_px=bandwidth)
print(peak() - before)
"""


def main() -> None:
    seed = int(os.environ.get("SEED") or 1)
    figures: dict[str, float] = {}
    with threadpool_limits(1):
        for case in CASES:
            figures |= speed(case, np.random.default_rng(seed))
        figures |= cells(np.random.default_rng(seed))
        figures |= accuracy(np.random.default_rng(seed))
        figures |= memory(seed)
    print(json.dumps({name: float(f"{value:.4g}") for name, value in figures.items()}))


def speed(case: Case, rng: np.random.Generator) -> dict[str, float]:
    """Draw one case with all its peers; print their times, give the ratios."""
    points = crowd(case.count, case.size, rng)
    points = np.floor(points) if case.whole else points
    given = (points, case.size, case.bandwidth_px)
    drawers = {"gloed": lambda: gloed(*given)}
    for name, draw in PEERS.items():
        if name == "opencv" or case.slow:
            drawers[name] = lambda draw=draw: draw(*given)  # type: ignore[misc]
    times = in_turns(drawers, case.rounds)
    ours = times.pop("gloed")
    print(f"\n{case.name}: {case.count:,} points, {case.size.width_px} x {case.size.height_px} px,")
    print(f"  bandwidth {case.bandwidth_px:g} px{', whole pixels' if case.whole else ''}")
    print(f"  {'gloed':12}{ours * 1e3:9.1f} ms")
    for name, took in times.items():
        print(f"  {name:12}{took * 1e3:9.1f} ms {took / ours:8.1f} x")
    return {f"{name}_{case.name}": took / ours for name, took in times.items()}


def in_turns(drawers: dict[str, Callable[[], bytes]], rounds: int) -> dict[str, float]:
    """Median seconds of the processor for each."""
    times: dict[str, list[float]] = {name: [] for name in drawers}
    for draw in drawers.values() if rounds > SLOW_ROUNDS else ():
        draw()  # compiles, loads and fills caches
    for turn in range(rounds):
        for name, draw in drawers.items():
            if turn >= SLOW_ROUNDS and name not in ("gloed", "opencv", "floor"):
                continue
            begun = time.process_time()
            draw()
            times[name].append(time.process_time() - begun)
    return {name: statistics.median(took) for name, took in times.items()}


def cells(rng: np.random.Generator) -> dict[str, float]:
    """Draw a table of weighted cells, and compare with the floor."""
    points = crowd(CELLS, DESKTOP, rng)
    weights = rng.exponential(50, CELLS).astype(np.float32)
    page = Page(DESKTOP.width_px, DESKTOP.height_px)
    marks = clip(gather(points, weights), page).marks
    sheet = Sheet(heap_for(marks, page, 20, "uniform"), page, 20, "uniform")
    levels = paint(sheet, sheet.peak().intensity, "linear")
    drawers = {
        "gloed": lambda: overlay(
            points, weights, width_px=page.width_px, height_px=page.height_px, bandwidth_px=20
        ),
        "floor": lambda: floor(points, levels),
    }
    times = in_turns(drawers, 25)
    ratio = times["gloed"] / times["floor"]
    print(f"\n{CELLS:,} weighted cells, {page.width_px} x {page.height_px} px, bandwidth 20 px")
    print(
        f"  gloed {times['gloed'] * 1e3:.1f} ms, floor {times['floor'] * 1e3:.1f} ms: {ratio:.1f} x"
    )
    return {"floor_ratio_cells": ratio}


def accuracy(rng: np.random.Generator) -> dict[str, float]:
    """Compare with direct sums."""
    print("\nLargest error, parts of the peak")
    worst = 0.0
    for count, bandwidth_px in ((10_000, 20), (100_000, 5), (100_000, 20), (100_000, 40)):
        points: Singles = crowd(count, DESKTOP, rng)
        error = crowd_error(points, DESKTOP, bandwidth_px, rng)
        print(f"  {count:9,} points, bandwidth {bandwidth_px:3} px: 1/{1 / error:,.0f}")
        worst = max(worst, error)
    lone = searched_error(rng)
    print(f"  one place, anywhere in its cell, bandwidths 5 to 100 px: 1/{1 / lone:,.0f}")
    return {"max_error": max(worst, lone)}


def memory(seed: int) -> dict[str, float]:
    """Measure what drawing takes above the points, in a process of its own."""
    print("\nPeak memory above the points")
    figures = {}
    for name, count, width_px, height_px, bandwidth_px in (
        ("1e7", 10_000_000, 1280, 4000, 20),
        ("tall", 100_000, 1280, 30_000, 20),
        ("bw5_1e7", 10_000_000, 1280, 4000, 5),
    ):
        given = (count, width_px, height_px, bandwidth_px, seed)
        told = subprocess.run(
            [sys.executable, "-c", MEMORY, *map(str, given)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        peak_mb = int(told) * 1024 / 1e6
        print(
            f"  {count:10,} points, {width_px} x {height_px} px, bandwidth {bandwidth_px:2} px:"
            f" {peak_mb:.0f} MB"
        )
        figures[f"peak_memory_mb_{name}"] = peak_mb
    return figures


if __name__ == "__main__":
    main()
