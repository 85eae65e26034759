"""Twenty simulated shops with a planted stall, and with none: `python -m tests.bench.stall_shops`.

Some four hundred visits of each cohort in a complete week, judged as the stall page judges. The
last line is one JSON object.
"""

from __future__ import annotations

import asyncio
import json

from tests.pages.test_small_shop import STALL, answered

SEEDS = range(1, 21)
A_DAY = 115
DAY = 8
"""The first one whose verdict rests on a complete week."""

PLANTED, NONE = 4.0, 1.0


async def named(seed: int, ratio: float) -> list[int]:
    answer = await answered(seed, DAY, ratio, a_day=A_DAY)
    return [zone.number for zone in answer.zones if zone.significant]


async def main() -> None:
    found = [await named(seed, PLANTED) for seed in SEEDS]
    none = [await named(seed, NONE) for seed in SEEDS]
    told = {
        "shops": len(SEEDS),
        "found_4x": sum(zones[:1] == [STALL] for zones in found),
        "false_alarms": sum(bool(zones) for zones in none),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(main())
