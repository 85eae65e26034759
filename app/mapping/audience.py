"""Of all page views of a shop in a period: how many were counted, and why the others were not.

Drops bear no page: who did not consent is not asked where they were. So this is of the whole shop,
whichever page's map it stands beside, and no filter changes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from app.closing.derived import QUARANTINED
from app.closing.shut_out import SHUT_OUT
from app.store import Store
from collector.wire import Reason

PAGE_VIEWS = (
    Reason.NO_CONSENT,
    Reason.OPT_OUT,
    Reason.BOT,
    Reason.STAFF,
    Reason.OFF,
    Reason.ORIGIN,
    Reason.QUARANTINED,
)
"""Reasons that stand for page views somebody had, in the order in which they are told. What is sent
again, fetched ahead or cannot be read is no page view."""

_COUNTED = """
    SELECT
        coalesce((SELECT sum(views) FROM daily WHERE site_id = $1 AND day BETWEEN $2 AND $3), 0)
        + (SELECT count(*) FROM view WHERE site_id = $1 AND day BETWEEN $2 AND $3
            AND day NOT IN (SELECT day FROM daily WHERE site_id = $1 AND day BETWEEN $2 AND $3))
"""
"""Sums of sealed days, and the views of the others as the closing job last left them."""

_TAKEN_OUT = """
    SELECT count(*) AS n, count(*) FILTER (WHERE view.day NOT IN
        (SELECT day FROM daily WHERE site_id = $1 AND day BETWEEN $2 AND $3)) AS unsealed
    FROM visit JOIN view USING (site_id, visit_id)
    WHERE site_id = $1 AND visit.day BETWEEN $2 AND $3 AND visit.flags & $4 > 0
    AND view.day BETWEEN visit.day AND visit.day + 1
"""
"""Page views of copied tokens, and what the owner took out; sums of sealed days are without them.
"""

_LEFT_OUT = """
    SELECT reason, sum(n)::bigint AS n FROM dropped
    WHERE site_id = $1 AND day BETWEEN $2 AND $3 AND reason = ANY($4) GROUP BY reason
"""


@dataclass(frozen=True, slots=True)
class Audience:
    """Page views of a shop: those that were counted, and the others by reason."""

    counted: int
    left_out: Mapping[Reason, int]

    @property
    def whole(self) -> int:
        return self.counted + sum(self.left_out.values())

    @property
    def share(self) -> float | None:
        """Of all page views; None where there were none."""
        return self.counted / self.whole if self.whole else None

    @property
    def shares_left_out(self) -> list[tuple[Reason, float]]:
        return [(reason, n / self.whole) for reason, n in self.left_out.items() if n]


async def audience(store: Store, site_id: int, period: tuple[date, date]) -> Audience:
    """Of the shop on these days, both included."""
    counted = await store.fetchval(_COUNTED, site_id, *period)
    taken = await store.fetchrow(_TAKEN_OUT, site_id, *period, QUARANTINED | SHUT_OUT)
    rows = await store.fetch(_LEFT_OUT, site_id, *period, list(PAGE_VIEWS))
    found = {row["reason"]: row["n"] for row in rows}
    found[Reason.QUARANTINED] = found.get(Reason.QUARANTINED, 0) + taken["n"]
    left_out = {reason: found.get(reason, 0) for reason in PAGE_VIEWS}
    return Audience(int(counted) - taken["unsealed"], left_out)
