"""The field's metrics of a zone, each a share of visits with its interval.

A metric is a pair of tables, visits x zones: who did it, and who could have. The same pair goes to
`heatmap.zone_tests.compare_zones` when two cohorts are compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heatmap.cohorts import Flags
from heatmap.errors import CohortError
from heatmap.intervals import Interval, rate_interval

Counts = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class ZoneActs:
    """What visits did at the zones of a page; tables are (n, zones).

    seen       whether the zone was in view
    hovered    whether the pointer entered it
    clicked    whether it was clicked
    hesitated  whether a stall hesitated at it, see `heatmap.resting.hesitations`
    focuses    how often it took the focus
    last       (n,) the zone that told of anything last before the visit ended on the page; -1 for
               none, and for visits that went on or completed
    """

    seen: Flags
    hovered: Flags
    clicked: Flags
    hesitated: Flags
    focuses: Counts
    last: Counts

    def __post_init__(self) -> None:
        """Refuse tables that do not belong together."""
        shape = self.seen.shape
        tables = (self.hovered, self.clicked, self.hesitated, self.focuses)
        if len(shape) != 2 or any(table.shape != shape for table in tables):
            raise CohortError(f"all tables must be visits x zones, like seen: {shape}")
        if self.last.shape != shape[:1]:
            raise CohortError(f"last must name a zone for each of {shape[0]} visits")


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """One metric of all zones: who did it and who could have, (n, zones) each."""

    name: str
    did: Flags
    could: Flags

    def of(self, visits: Flags) -> Metric:
        """Give the metric of some visits: (n,) whether each is one of them."""
        return Metric(self.name, self.did[visits], self.could[visits])

    def rates(self) -> tuple[Interval, ...]:
        """Give the rate of each zone, and its interval."""
        hits, of = (self.did & self.could).sum(axis=0), self.could.sum(axis=0)
        return tuple(rate_interval(int(hit), int(n)) for hit, n in zip(hits, of, strict=True))


def zone_metrics(acts: ZoneActs) -> tuple[Metric, ...]:
    """Give the metrics of a page's zones.

    exposure       visits that saw the zone, of all
    click rate     visits that clicked it, of those that saw it
    hover rate     visits whose pointer entered it, of those that saw it
    hesitation     visits that hesitated at it, of those that saw it
    field abandon  visits that left from it, of those that focused it
    field return   visits that focused it again, of those that focused it
    """
    everybody = np.ones_like(acts.seen)
    focused = acts.focuses > 0
    left_from = acts.last[:, None] == np.arange(acts.seen.shape[1])
    return (
        Metric("exposure", acts.seen, everybody),
        Metric("click rate", acts.clicked, acts.seen),
        Metric("hover rate", acts.hovered, acts.seen),
        Metric("hesitation", acts.hesitated, acts.seen),
        Metric("field abandon", left_from, focused),
        Metric("field return", acts.focuses > 1, focused),
    )
