"""One run each of what the stall map is tried with: true if it named a difference.

A run is told by its numbers alone, so that any of them can be done again by itself.
"""

from __future__ import annotations

import numpy as np

from heatmap import contrast
from heatmap.cohorts import Cohort
from heatmap.contrasting import Contrast
from heatmap.planning import LOOK_DAYS, look_due, look_level
from heatmap.zone_tests import compare_zones
from tests.bench.stall_recorded import PAGE_PX, SCREEN_PX, USERS, Recorded, cohort_of, recorded
from tests.bench.stall_visits import Shop, Visits, as_cohort, simulate

LEVEL = 0.05
SHOP = Shop(800)
TALL_SHOP = Shop(1600)

CELL_PX = 20
"""Coarser than the cells that a map is drawn from: a run takes a sixth of the time."""

RECORDED_MIN_VISITS = 20
SIMULATED = 100
"""Visits of each cohort where their number is not what is tried."""

TILE_PX = 240
"""Recorded visits had no page: their zones are tiles of this side."""

LOOKED_AT_DAYS = 60
VISITS_A_DAY = 8
PHONE_SHARE = (0.3, 0.7)
"""In the second and in the first cohort."""
PHONE_PACE = 0.5
"""A phone's visits are shorter, so that only strata keep these cohorts alike."""


def _rng(part: int, seed: int, run: int) -> np.random.Generator:
    return np.random.default_rng([seed, part, run])


def _map(
    first: Cohort, second: Cohort, size_px: tuple[int, int], run: int, level: float = LEVEL
) -> Contrast | None:
    found = contrast(
        first,
        second,
        width_px=size_px[0],
        height_px=size_px[1],
        cell_px=CELL_PX,
        min_visits=RECORDED_MIN_VISITS,
        level=level,
        seed=run,
    )
    return found if isinstance(found, Contrast) else None


def _names(found: Contrast | None) -> bool:
    return found is not None and bool(found.regions)


def _halves(rng: np.random.Generator, seed: int) -> tuple[list[Recorded], list[Recorded]]:
    visits = recorded(USERS[seed % len(USERS)])
    order, half = rng.permutation(len(visits)).tolist(), len(visits) // 2
    return [visits[place] for place in order[:half]], [visits[place] for place in order[half:]]


def map_of_recorded(seed: int, run: int) -> bool:
    """Random halves of one user's visits."""
    first, second = _halves(_rng(1, seed, run), seed)
    return _names(_map(cohort_of(first), cohort_of(second), PAGE_PX, run))


def map_of_simulated(seed: int, run: int) -> bool:
    """Two cohorts of one kind."""
    rng = _rng(2, seed, run)
    first, second = (as_cohort(rng, simulate(rng, SIMULATED, SHOP)) for _ in range(2))
    return _names(_map(first, second, SHOP.size_px, run))


def map_of_leavers(seed: int, run: int) -> bool:
    """The first cohort sees less of the page, and dwells as long on what it sees."""
    rng, height = _rng(3, seed, run), TALL_SHOP.height_px
    left, half_way = rng.uniform(height / 4, height, (2, SIMULATED))
    stayed = np.where(rng.random(SIMULATED) < 0.3, half_way, height)
    first, second = (
        as_cohort(rng, simulate(rng, SIMULATED, TALL_SHOP), seen_px=seen) for seen in (left, stayed)
    )
    return _names(_map(first, second, TALL_SHOP.size_px, run))


def zones_of_recorded(seed: int, run: int) -> bool:
    rng = _rng(4, seed, run)
    first, second = _halves(rng, seed)
    seconds = np.stack([_by_tile(visit) for visit in (*first, *second)])
    of_first = np.arange(len(seconds)) < len(first)
    found = compare_zones(seconds, of_first, min_visits=RECORDED_MIN_VISITS, seed=run)
    return found.p_page <= LEVEL


def _by_tile(visit: Recorded) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    columns, rows = (-(-length // TILE_PX) for length in SCREEN_PX)
    x, y = (visit.points_px // TILE_PX).astype(np.intp).T
    inside = y < rows
    tile = y[inside] * columns + np.minimum(x[inside], columns - 1)
    return np.bincount(tile, visit.seconds[inside], rows * columns).astype(np.float64)


def zones_of_simulated(seed: int, run: int) -> bool:
    rng = _rng(5, seed, run)
    seconds = simulate(rng, 2 * SIMULATED, SHOP).seconds
    found = compare_zones(seconds, np.arange(2 * SIMULATED) < SIMULATED, seed=run)
    return found.p_page <= LEVEL


def power(visits: int, seed: int, run: int) -> bool:
    """The planted control takes the first cohort twice as long, and the map says so anywhere."""
    rng = _rng(10 + visits, seed, run)
    slow = as_cohort(rng, simulate(rng, visits, SHOP, ratio=2.0))
    usual = as_cohort(rng, simulate(rng, visits, SHOP))
    found = _map(slow, usual, SHOP.size_px, run)
    x0, y0, x1, y1 = SHOP.boxes()[0]
    return found is not None and any(
        region.longer
        and region.x0_px < x1
        and x0 < region.x1_px
        and region.y0_px < y1
        and y0 < region.y1_px
        for region in found.regions
    )


def looked_at_daily(seed: int, run: int) -> bool:
    """Somebody opens the map on each of 60 days, and believes the first verdict that names a place.

    Visits come in strata, device x week; the cohorts differ in their devices, and in nothing else.
    """
    rng = _rng(6, seed, run)
    days = np.repeat(np.arange(LOOKED_AT_DAYS), VISITS_A_DAY)
    of_first = rng.random(days.size) < 0.5
    phone = rng.random(days.size) < np.where(of_first, PHONE_SHARE[1], PHONE_SHARE[0])
    visits = simulate(rng, days.size, SHOP, pace=np.where(phone, PHONE_PACE, 1.0))
    stratum = days // LOOK_DAYS * 2 + phone
    passed = 0
    for day in range(1, LOOKED_AT_DAYS + 1):
        if (look := look_due(day)) == passed:
            continue
        passed = look
        sofar = days < look * LOOK_DAYS
        first, second = (
            _some(rng, visits, sofar & which, stratum) for which in (of_first, ~of_first)
        )
        if _names(_map(first, second, SHOP.size_px, run * LOOKED_AT_DAYS + day, look_level(look))):
            return True
    return False


def _some(
    rng: np.random.Generator,
    visits: Visits,
    which: np.ndarray[tuple[int], np.dtype[np.bool_]],
    stratum: np.ndarray[tuple[int], np.dtype[np.intp]],
) -> Cohort:
    chosen = Visits(visits.shop, visits.seconds[which], visits.background_s[which])
    # Places are drawn anew at each look, from the same generator: dwell stays what it was.
    return as_cohort(rng, chosen, stratum=stratum[which])
