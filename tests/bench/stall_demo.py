"""The demo's stall, planted and switched off, for twenty seeds: `python -m tests.bench.stall_demo`.

The demo's visitors go through a real store and are judged as the stall page judges them: by its
complete weeks, which are two, with some 350 visits of each cohort. `SEEDS=3` asks for three seeds
only, `FROM=5` begins with the fifth. The last line is one JSON object: in how many the zone was
called first, in how many the map has it in a region, and how often anything was called where
nothing is planted.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from app.contrasting.asked import PixelsQuery, ZonesQuery
from app.contrasting.pixels import pixel_answer
from app.contrasting.question import ask
from app.contrasting.zones import zone_answer
from app.demo.checkout import SHIPPING_PAGE, STALL_ZONE, checkout_page
from app.demo.walks import PASSING, STALLING, Resting
from app.drawing.renders import Alone
from app.postgres import embedded_store
from app.store import Store, migrate
from tests.demo.stored import put_shop, put_visitors

SEEDS = 20
DAYS = 14
FIRST = date(2026, 10, 26)
FOUR_TIMES = Resting(PASSING.share, 4 * PASSING.low_s, 4 * PASSING.high_s)
"""As many as among the others, and each of them four times as long."""

KINDS = {"demo": STALLING, "four_times": FOUR_TIMES, "off": PASSING}
STALL = checkout_page(SHIPPING_PAGE).zone(STALL_ZONE).number


@dataclass(frozen=True, slots=True)
class Judged:
    """Zones that were called, zones in the map's regions, and how large the cohorts were."""

    called: list[int]
    drawn: list[int]
    sizes: tuple[int, int]

    @property
    def found(self) -> bool:
        return self.called[:1] == [STALL]


async def judged(store: Store, seed: int, leavers: Resting, days: int = DAYS) -> Judged:
    """What the stall page of a store with nothing in it says after so many days of visitors."""
    shop = await put_shop(store, datetime.combine(FIRST, datetime.min.time(), UTC))
    period = [FIRST + timedelta(days=n) for n in range(days)]
    await put_visitors(store, shop, period, seed, leavers)
    page = shop.pages[SHIPPING_PAGE]
    asked_at = datetime.combine(FIRST + timedelta(days=days), datetime.min.time(), UTC)
    asked = {"date_from": str(FIRST), "date_to": str(period[-1])}
    zones = await ask(store, shop, page, ZonesQuery.model_validate(asked), asked_at)
    pixels = await ask(store, shop, page, PixelsQuery.model_validate(asked), asked_at)
    told = await zone_answer(zones, Alone())
    drawn = await pixel_answer(pixels, Alone())
    return Judged(
        called=[zone.number for zone in told.zones if zone.significant],
        drawn=[zone for region in drawn.regions if region.region.longer for zone in region.zones],
        sizes=told.judged_visits,
    )


async def emptied(url: str) -> Store:
    store = Store(url)
    await store.open()
    await store.execute("TRUNCATE site CASCADE")
    return store


async def all_judged(url: str, seeds: range) -> Mapping[str, list[Judged]]:
    await migrate(url)
    found: dict[str, list[Judged]] = {kind: [] for kind in KINDS}
    for seed in seeds:
        for kind, leavers in KINDS.items():
            store = await emptied(url)
            one = await judged(store, seed, leavers)
            await store.close()
            found[kind].append(one)
            print(f"seed {seed:2} {kind:10} {one}", flush=True)
    return found


def main() -> None:
    first = int(os.environ.get("FROM") or 1)
    seeds = range(first, first + int(os.environ.get("SEEDS") or SEEDS))
    with tempfile.TemporaryDirectory(prefix="gloed-bench-") as home:
        Path(home).chmod(0o755)
        with embedded_store(Path(home), explicit=True, say=print) as url:
            found = asyncio.run(all_judged(url, seeds))
    told: dict[str, object] = {"seeds": [seeds.start, seeds.stop - 1]}
    for kind in ("demo", "four_times"):
        told[f"zone_{kind}"] = sum(one.found for one in found[kind])
        told[f"map_{kind}"] = sum(STALL in one.drawn for one in found[kind])
    told["zone_off"] = sum(bool(one.called) for one in found["off"])
    told["map_off"] = sum(bool(one.drawn) for one in found["off"])
    print(json.dumps(told))


if __name__ == "__main__":
    main()
