"""What one contrast costs, in a process of its own: `python -m tests.bench.stall_cost 2000 1 3`.

Arguments are the visits, the seed and the rounds; with no rounds only the memory is told.

The bare product has the shapes of the whole task, labellings x visits times visits x cells, in
single precision on one thread; its right side comes in blocks, since it would not fit otherwise.
The two take turns, so that neighbours on the machine slow both alike.
"""

from __future__ import annotations

import json
import math
import resource
import statistics
import sys
import time

import numpy as np
from threadpoolctl import threadpool_limits

from heatmap import contrast
from heatmap.cohorts import Cohort
from heatmap.contrasting import CELL_SHARE, Contrast
from heatmap.page import Page
from heatmap.raster import Raster
from heatmap.relabelling import RELABELLINGS
from tests.bench.stall_visits import WIDTH_PX, Shop, as_cohort, simulate

SHOP = Shop(3200)
BANDWIDTH_PX = 40.0
ROUNDS = 3
BLOCK_COLUMNS = 2048


def cohorts(visits: int, seed: int) -> tuple[Cohort, Cohort]:
    """Half of the visits each; half of those in the first leave before the page's end."""
    rng = np.random.default_rng([seed, 7, visits])
    half = visits // 2
    left = rng.uniform(SHOP.height_px / 4, 2 * SHOP.height_px, half)
    return (
        as_cohort(rng, simulate(rng, half, SHOP), seen_px=left),
        as_cohort(rng, simulate(rng, visits - half, SHOP)),
    )


def contrasted_s(first: Cohort, second: Cohort, seed: int) -> float:
    began = time.process_time()
    found = contrast(
        first,
        second,
        width_px=WIDTH_PX,
        height_px=SHOP.height_px,
        bandwidth_px=BANDWIDTH_PX,
        relabellings=RELABELLINGS,
        seed=seed,
    )
    assert isinstance(found, Contrast)
    return time.process_time() - began


def bare_s(visits: int, cells: int) -> float:
    rng = np.random.default_rng(0)
    labels = (rng.random((RELABELLINGS, visits)) < 0.5).astype(np.float32)
    block = rng.random((visits, BLOCK_COLUMNS), dtype=np.float32)
    began = time.process_time()
    for start in range(0, cells, BLOCK_COLUMNS):
        labels @ block[:, : min(BLOCK_COLUMNS, cells - start)]
    return time.process_time() - began


def main() -> int:
    visits, seed, rounds = (int(word) for word in sys.argv[1:4])
    raster = Raster(Page(WIDTH_PX, SHOP.height_px), BANDWIDTH_PX * CELL_SHARE)
    first, second = cohorts(visits, seed)
    ours = [contrasted_s(first, second, seed)]
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if sys.platform == "darwin":
        memory_mb /= 1024
    bare = []
    with threadpool_limits(1):
        for turn in range(rounds):
            bare.append(bare_s(visits, raster.rows * raster.columns))
            if turn:
                ours.append(contrasted_s(first, second, seed))
    told = {
        "contrast_s": statistics.median(ours) if rounds else ours[0],
        "bare_s": statistics.median(bare) if rounds else math.nan,
        "memory_mb": memory_mb,
    }
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
