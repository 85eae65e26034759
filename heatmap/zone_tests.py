"""The same comparison for each zone: seconds per visit, pooled over devices within strata.

Zones exist in every layout, so that all visits of a page are tested together; the map illustrates
the answer layout by layout. What is compared may also be whether a visit did something (0 or 1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from heatmap.cohorts import Flags, Whole, checked_strata
from heatmap.errors import CohortError
from heatmap.exposure import count, enough_seen
from heatmap.intervals import Interval, mean_interval, rate_interval, ratio_interval
from heatmap.page import FloatArray
from heatmap.planning import MIN_VISITS
from heatmap.regions import CONCERNED_S
from heatmap.relabelling import RELABELLINGS, Labellings
from heatmap.smoothing import one_thread
from heatmap.spreads import comparable, guard, moments
from heatmap.studentised import Labelled, Relabelled, spread_for
from heatmap.winsorising import winsorised


@dataclass(frozen=True, slots=True)
class ZoneDifference:
    """How two cohorts differ at one zone.

    zone       its place among the columns given
    first, second  per exposed visit of each cohort: mean seconds, or the rate of what was done
    ratio      of the two
    first_exposed, second_exposed      visits that could
    first_concerned, second_concerned  visits that dwelt CONCERNED_S or longer, or that did it
    t          studentised difference; NaN where not tested
    p          corrected for all zones that were tested; NaN where not tested
    p_planned  as if this zone alone had been asked about, in advance; NaN where not tested
    """

    zone: int
    first: Interval
    second: Interval
    ratio: Interval
    first_exposed: int
    second_exposed: int
    first_concerned: int
    second_concerned: int
    t: float
    p: float
    p_planned: float


@dataclass(frozen=True, slots=True)
class ZoneDifferences:
    """All zones, the surest difference first; those not tested follow, the greatest ratio first.

    enough      whether both cohorts have the visits that a test asks for: if not, no p is given
    p_page      that the cohorts differ at any zone; NaN where nothing was tested
    """

    zones: tuple[ZoneDifference, ...]
    enough: bool
    p_page: float
    first_visits: int
    second_visits: int


Measure = Literal["seconds", "rate"]
"""What is compared of visits: the `seconds` they dwelt, or whether they did something."""


def compare_zones(
    values: ArrayLike,
    first: ArrayLike,
    *,
    measure: Measure = "seconds",
    exposed: ArrayLike | None = None,
    stratum: ArrayLike | None = None,
    min_visits: int = MIN_VISITS,
    relabellings: int = RELABELLINGS,
    seed: int = 0,
) -> ZoneDifferences:
    """Compare what two cohorts of visits did at zones.

    values    (n, zones) seconds that each visit dwelt at each zone, holds already cut at 30 s; or
              whether it did something there: clicked, hovered, hesitated, came back, ...
    first     (n,) whether a visit is of the first cohort
    measure   `seconds`, which are winsorised, or `rate`, whose values are 0 and 1
    exposed   (n, zones) whether it saw the zone; None: all did
    stratum   (n,) whole numbers, device x week; None: all alike
    min_visits, relabellings, seed  as for `heatmap.contrasting.contrast`
    Returns   ZoneDifferences; the cohorts' intervals are Student's, or of rates (Wilson 1927)
    Raises    CohortError
    Source    Westfall & Young 1993, ch. 2 (single-step maxT over zones)
    """
    table = _table(values, first, exposed, stratum)
    if measure == "rate":
        if not np.isin(table.values, (0, 1)).all():
            raise CohortError("a rate's values must be true or false, or 0 or 1, for each visit")
        concerned = table.values > 0
    else:
        concerned = table.values >= CONCERNED_S
        table = replace(table, values=table.values * _winsorised(table)[:, None])
    return _compared(table, concerned, min_visits, relabellings, seed, measure)


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """Visits by stratum: what is compared and who saw it (n, zones), and whose they are (n,)."""

    values: FloatArray
    seen: Flags
    first: Flags
    stratum: Whole

    @property
    def zones(self) -> int:
        return int(self.values.shape[1])

    @property
    def cohorts(self) -> tuple[Flags, Flags]:
        return self.first, ~self.first

    @property
    def sizes(self) -> tuple[int, int]:
        first, second = (int(cohort.sum()) for cohort in self.cohorts)
        return first, second


def _table(
    values: ArrayLike,
    first: ArrayLike,
    exposed: ArrayLike | None,
    stratum: ArrayLike | None,
) -> _Table:
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or not np.isfinite(table).all() or np.any(table < 0):
        raise CohortError("values must be visits x zones, finite and not negative")
    ones = _flags("first", first, table.shape[:1])
    seen = _flags("exposed", exposed, table.shape)
    strata = checked_strata(stratum, len(table))
    table = np.where(seen, table, 0.0)
    # What a visit is, and not the order in which it was read, decides its draws.
    order = np.lexsort((*table.T, *seen.T, strata))
    return _Table(table[order], seen[order], ones[order], strata[order])


def _flags(name: str, flags: ArrayLike | None, shape: tuple[int, ...]) -> Flags:
    given = np.ones(shape, dtype=np.bool_) if flags is None else np.asarray(flags, dtype=np.bool_)
    if given.shape != shape:
        raise CohortError(f"{name} must be of shape {shape}, got {given.shape}")
    return given


def _winsorised(table: _Table) -> FloatArray:
    """Give the factor of each visit, which is measured by the zones that it saw."""
    totals = table.values.sum(axis=1)
    usual = table.values * winsorised(totals)[:, None]
    mean = usual.sum(axis=0) / np.maximum(table.seen.sum(axis=0), 1)
    chance = (table.seen @ mean) / max(float(mean.sum()), np.finfo(np.float64).tiny)
    return winsorised(totals, chance)


@dataclass(frozen=True, slots=True, eq=False)
class _Tests:
    """Of each zone; NaN where not tested."""

    t: FloatArray
    p: FloatArray
    p_planned: FloatArray


def _compared(
    table: _Table,
    concerned: Flags,
    min_visits: int,
    relabellings: int,
    seed: int,
    measure: Measure,
) -> ZoneDifferences:
    ready = min(table.sizes) >= max(min_visits, 2)
    tests = _Tests(*np.full((3, table.zones), np.nan))
    if ready:
        _test(table, Labellings(table.first, table.stratum, relabellings, seed), tests)
    zones = [
        _described(zone, table, concerned[:, zone], tests, measure) for zone in range(table.zones)
    ]
    zones.sort(key=_rank)
    known = tests.p[np.isfinite(tests.p)]
    p_page = float(known.min()) if known.size else math.nan
    return ZoneDifferences(tuple(zones), ready, p_page, *table.sizes)


def _rank(zone: ZoneDifference) -> tuple[float, float, int]:
    away = abs(math.log(zone.ratio.value)) if zone.ratio.value > 0 else 0.0
    return (-abs(zone.t) if math.isfinite(zone.t) else 0.0, -away, zone.zone)


def _test(table: _Table, labellings: Labellings, tests: _Tests) -> None:
    """Fill in the tests of those zones that enough visits saw and dwelt at."""
    known = moments(table.values, table.seen, np.arange(table.zones), table.first, table.stratum)
    exposed = np.stack([table.seen[cohort].sum(axis=0) for cohort in table.cohorts])
    tested = np.flatnonzero(comparable(known, enough_seen(exposed), 0.0))
    spread = spread_for(*table.sizes)
    relabelled = Relabelled(len(labellings), table.stratum, guard(known.spread[tested]), spread)
    with one_thread():
        for zone in tested.tolist():
            own = slice(zone, zone + 1)
            seen = table.seen[:, own]
            labels = labellings.among(seen[:, 0], np.float64)
            labelled = Labelled(labels, seen, count(labels, seen, table.stratum))
            of_zone = relabelled.add(
                labelled, table.values[:, own].copy(), _ONLY_ROW, known.spread[own], np.ones(1)
            )
            tests.t[zone] = of_zone[0, 0]
            tests.p_planned[zone] = relabelled.p_planned(of_zone)[0]
    tests.p[tested] = relabelled.p_anywhere(tests.t[tested])


_ONLY_ROW = np.zeros(1, dtype=np.intp)


def _described(
    zone: int, table: _Table, concerned: Flags, tests: _Tests, measure: Measure
) -> ZoneDifference:
    groups = [table.seen[:, zone] & cohort for cohort in table.cohorts]
    exposed = [int(group.sum()) for group in groups]
    hits = [int((concerned & group).sum()) for group in groups]
    values = [table.values[group, zone] for group in groups]
    if measure == "rate":
        means = [rate_interval(hit, of) for hit, of in zip(hits, exposed, strict=True)]
    else:
        means = [mean_interval(of_group) for of_group in values]
    return ZoneDifference(
        zone=zone,
        first=means[0],
        second=means[1],
        ratio=ratio_interval(*values),
        first_exposed=exposed[0],
        second_exposed=exposed[1],
        first_concerned=hits[0],
        second_concerned=hits[1],
        t=float(tests.t[zone]),
        p=float(tests.p[zone]),
        p_planned=float(tests.p_planned[zone]),
    )
