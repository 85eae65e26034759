"""How true the labels are: which of the orders that the shop itself reports a visit was given.

Raw goals are kept for weeks, visits for a year: the share is that of the days that still have both.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.closing.visits import COMPLETED, window
from app.joint import Part, dated
from collector.codes import OutcomeSource
from collector.sites import Site

DOUBTFUL_BELOW = 0.8
"""Share of orders matched below which it is said before anything else."""

_ORDERS = """
    SELECT goal.site_id, goal.day, count(*) AS reported, count(own.goal_at) AS matched
    FROM goal LEFT JOIN (
        SELECT DISTINCT site_id, goal_at FROM visit WHERE site_id = ANY($1) AND outcome_source = $4
        AND day BETWEEN $2::date - $6::int AND $3
    ) AS own ON own.site_id = goal.site_id AND own.goal_at = goal.at
    WHERE goal.site_id = ANY($1) AND day BETWEEN $2 AND $3 AND source = $4 AND result = $5
    GROUP BY goal.site_id, goal.day
"""
_REACHED = """
    SELECT site_id, greatest(reached.day, completed.day + 1) AS day
    FROM unnest($1::int[]) AS own(site_id)
    CROSS JOIN LATERAL (
        SELECT max(day) AS day FROM goal
        WHERE goal.site_id = own.site_id AND day BETWEEN $2 AND $3
    ) AS reached
    CROSS JOIN LATERAL (
        SELECT max(day) AS day FROM visit WHERE visit.site_id = own.site_id
        AND day BETWEEN $2::date - 1 AND $3 AND goal_at IS NOT NULL
    ) AS completed
"""
"""The last day on which anything told of a goal; a visit that reached one may have begun the day
before."""


@dataclass(frozen=True, slots=True)
class LabelTruth:
    """Orders that the shop's server reported in the period, and those of them that a visit got."""

    reported: int
    matched: int

    @property
    def share(self) -> float | None:
        return self.matched / self.reported if self.reported else None

    @property
    def doubtful(self) -> bool:
        return self.share is not None and self.share < DOUBTFUL_BELOW


def goals_asked(sites: Collection[Site], period: tuple[date, date]) -> Mapping[str, Part]:
    """What is asked of the goals of whole shops: an order does not say on which page its visit was.

    period  that holds the periods of all that `truth_in` and `has_goal` are asked about
    """
    ids = [site.site_id for site in sites]
    reach = max(-(-window(site) // timedelta(days=1)) + 1 for site in sites)
    orders = ids, *period, int(OutcomeSource.SERVER), COMPLETED, reach
    unmarked = [site.site_id for site in sites if not _is_marked(site)]
    return {
        "orders": Part.rows(_ORDERS, *orders),
        "reached": Part.rows(_REACHED, unmarked, *period),
    }


def truth_in(told: Mapping[str, Any], site: Site, period: tuple[date, date]) -> LabelTruth:
    """Of a shop in this period, by the answers to `goals_asked`."""
    own = [
        row
        for row in dated(told["orders"], "day")
        if row["site_id"] == site.site_id and period[0] <= row["day"] <= period[1]
    ]
    return LabelTruth(sum(row["reported"] for row in own), sum(row["matched"] for row in own))


def has_goal(told: Mapping[str, Any], site: Site, period: tuple[date, date]) -> bool:
    """Whether anything tells that a visit completed: a page, an image or the shop's server."""
    last = (row["day"] for row in dated(told["reached"], "day") if row["site_id"] == site.site_id)
    return _is_marked(site) or any(day is not None and day >= period[0] for day in last)


def _is_marked(site: Site) -> bool:
    return any(page.goal for page in site.pages.values())
