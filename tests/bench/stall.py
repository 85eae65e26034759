"""How sure, how keen and how costly the stall map is: `python -m tests.bench.stall`.

`SEED` in the environment chooses the visits, `RUNS` about how often each thing is tried, `PARTS`
which of them (cost, alarms, power, looks; all). The last line is the figures as one JSON object.
"""

from __future__ import annotations

import functools
import json
import math
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable

from tests.bench import stall_alarms
from tests.bench.stall_cost import ROUNDS

RUNS = 1_000
PARTS = ("cost", "alarms", "power", "looks")
COST_VISITS = (2_000, 10_000)

NULLS = {
    "map_recorded": stall_alarms.map_of_recorded,
    "map_simulated": stall_alarms.map_of_simulated,
    "map_leavers": stall_alarms.map_of_leavers,
    "zone_recorded": stall_alarms.zones_of_recorded,
    "zone_simulated": stall_alarms.zones_of_simulated,
}
"""Cohorts that do not differ."""

POWER_AT = {100: 0.22, 200: 0.65, 400: 0.95, 800: 0.98}
"""Visits of each cohort, and what simulation by others led to expect."""

NULL_RUNS = 1.4
"""Of all runs: 5 % is then known within 0.6 %, so that chance alone seldom looks like a fault, and
two cores take less than half an hour."""

POWER_RUNS = 0.4
"""Of all runs: enough to know a power within 2.5 %."""

Figures = dict[str, float | dict[str, float]]


def cost(seed: int) -> Figures:
    told = {}
    for visits in COST_VISITS:
        # The larger one is there for its memory; its time is that of the product.
        rounds = ROUNDS if visits == COST_VISITS[0] else 0
        command = [
            sys.executable,
            "-m",
            "tests.bench.stall_cost",
            *map(str, (visits, seed, rounds)),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        told[visits] = json.loads(done.stdout)
        print(f"{visits:6} visits  {told[visits]}", flush=True)
    usual = told[COST_VISITS[0]]
    return {
        "cost_ratio": round(usual["contrast_s"] / usual["bare_s"], 2),
        "memory_mb": round(max(found["memory_mb"] for found in told.values())),
    }


def share(run: Callable[[int, int], bool], name: str, seed: int, runs: int) -> float:
    """Share of runs that named a difference."""
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        named = sum(pool.imap_unordered(functools.partial(run, seed), range(runs), chunksize=4))
    found = named / runs
    error = math.sqrt(max(found * (1 - found), 1 / runs) / runs)
    print(f"{name:16} {found:7.1%} +- {error:.1%}", flush=True)
    return round(found, 4)


def alarms(seed: int, runs: int) -> Figures:
    runs = max(1, round(runs * NULL_RUNS))
    found = {name: share(run, name, seed, runs) for name, run in NULLS.items()}
    told: Figures = {
        f"false_alarm_{kind}": max(at for name, at in found.items() if name.startswith(kind))
        for kind in ("map", "zone")
    }
    return {**told, "false_alarms": found}


def power(seed: int, runs: int) -> Figures:
    runs = max(1, round(runs * POWER_RUNS))
    found = {
        str(visits): share(
            functools.partial(stall_alarms.power, visits), f"power {visits}", seed, runs
        )
        for visits in POWER_AT
    }
    return {"power_2x": found}


def looks(seed: int, runs: int) -> Figures:
    return {"daily_look_alarm": share(stall_alarms.looked_at_daily, "daily looks", seed, runs)}


def main() -> int:
    # Each process works on one thread, and there is one for each processor.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    seed = int(os.environ.get("SEED") or 1)
    runs = int(os.environ.get("RUNS") or RUNS)
    wanted = (os.environ.get("PARTS") or ",".join(PARTS)).split(",")
    figures: Figures = {"seed": seed, "runs": runs}
    for part in wanted:
        figures |= cost(seed) if part == "cost" else _TRIED[part](seed, runs)
    print(json.dumps(figures))
    return 0


_TRIED = {"alarms": alarms, "power": power, "looks": looks}


if __name__ == "__main__":
    sys.exit(main())
