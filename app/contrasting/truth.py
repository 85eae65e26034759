"""How true the labels are: which of the orders that the shop itself reports a visit was given.

Raw goals are kept for weeks, visits for a year: the share is that of the days that still have both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.closing.visits import COMPLETED, window
from collector.codes import OutcomeSource
from collector.sites import Site

DOUBTFUL_BELOW = 0.8
"""Share of orders matched below which it is said before anything else."""

_ORDERS = """
    SELECT count(*) AS reported, count(own.goal_at) AS matched
    FROM goal LEFT JOIN (
        SELECT DISTINCT goal_at FROM visit WHERE site_id = $1 AND outcome_source = $4
        AND day BETWEEN $2::date - $6::int AND $3
    ) AS own ON own.goal_at = goal.at
    WHERE site_id = $1 AND day BETWEEN $2 AND $3 AND source = $4 AND result = $5
"""
_REACHED = """
    SELECT EXISTS (SELECT FROM goal WHERE site_id = $1 AND day BETWEEN $2 AND $3)
        OR EXISTS (SELECT FROM visit WHERE site_id = $1 AND day BETWEEN $2::date - 1 AND $3
                   AND goal_at IS NOT NULL)
"""


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


async def label_truth(connection: Any, site: Site, period: tuple[date, date]) -> LabelTruth:
    """Of a whole shop: an order does not say on which page its visit was."""
    reach = -(-window(site) // timedelta(days=1)) + 1
    asked = site.site_id, *period, int(OutcomeSource.SERVER), COMPLETED, reach
    row = await connection.fetchrow(_ORDERS, *asked)
    return LabelTruth(row["reported"], row["matched"])


async def has_goal(connection: Any, site: Site, period: tuple[date, date]) -> bool:
    """Whether anything tells that a visit completed: a page, an image or the shop's server."""
    if any(page.goal for page in site.pages.values()):
        return True
    return bool(await connection.fetchval(_REACHED, site.site_id, *period))
