"""Of all page views of a shop in a period: how many were counted, and why the others were not.

Drops bear no page: who did not consent is not asked where they were. So this is of the whole shop,
whichever page's map it stands beside, and no filter changes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.closing.derived import QUARANTINED
from app.closing.shut_out import SHUT_OUT
from app.joint import Answers
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

_SEALED, _UNSEALED, _TAKEN = "sealed", "unsealed", "taken"
"""What SHOP_DAYS tells of a day, beside the reasons."""

SHOP_DAYS = """
    SELECT what, site_id, day, viewed, n FROM (
        WITH sealed AS (
            SELECT site_id, day, sum(views)::bigint AS n FROM daily
            WHERE site_id = ANY($1) AND day BETWEEN $2 AND $3 GROUP BY site_id, day
        )
        SELECT 'sealed' AS what, site_id, day, NULL::date AS viewed, n FROM sealed
        UNION ALL
        SELECT 'unsealed', site_id, day, NULL, count(*) FROM view
        WHERE site_id = ANY($1) AND day BETWEEN $2 AND $3
        AND (site_id, day) NOT IN (SELECT site_id, day FROM sealed) GROUP BY site_id, day
        UNION ALL
        SELECT 'taken', site_id, visit.day, view.day, count(*)
        FROM visit JOIN view USING (site_id, visit_id)
        WHERE site_id = ANY($1) AND visit.day BETWEEN $2 AND $3 AND visit.flags & $4 > 0
        AND view.day BETWEEN visit.day AND visit.day + 1
        AND view.day BETWEEN $2::date AND $3::date + 1 GROUP BY site_id, visit.day, view.day
        UNION ALL
        SELECT reason, site_id, day, NULL, sum(n)::bigint FROM dropped
        WHERE site_id = ANY($1) AND day BETWEEN $2 AND $3 AND reason = ANY($5)
        GROUP BY site_id, day, reason
    ) AS told
"""
"""Of several shops, day by day. Sums of sealed days; the views of the others as the closing job
last left them; page views of copied tokens, and what the owner took out, by the day of the visit
and that of the view: sums of sealed days are without them; and by reason what was left out."""


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

    @property
    def told(self) -> str:
        """As a file says it of itself: the share that was counted, and why the others were not."""
        rest = ", ".join(f"{reason} {share:.0%}" for reason, share in self.shares_left_out)
        share = "none" if self.share is None else f"{self.share:.0%}"
        return f"{share} of the page views" + (f"; the rest: {rest}" if rest else "")


NOBODY = Audience(0, dict.fromkeys(PAGE_VIEWS, 0))


def shop_days_asked(
    site_ids: Iterable[int], period: tuple[date, date]
) -> tuple[list[int], date, date, int, list[str]]:
    """Arguments of SHOP_DAYS, of these days, both included."""
    return list(site_ids), *period, QUARANTINED | SHUT_OUT, list(PAGE_VIEWS)


async def audience(store: Answers, site_id: int, period: tuple[date, date]) -> Audience:
    """Of the shop on these days, both included."""
    rows = await store.fetch(SHOP_DAYS, *shop_days_asked([site_id], period))
    return audience_of(rows, site_id, period)


def audience_of(
    told: Iterable[Mapping[str, Any]], site_id: int, period: tuple[date, date]
) -> Audience:
    """The same, of what SHOP_DAYS tells of these days and perhaps of others. Pure."""
    own = [
        row for row in told if row["site_id"] == site_id and period[0] <= row["day"] <= period[1]
    ]
    sealed = {row["day"] for row in own if row["what"] == _SEALED}
    found: Counter[str] = Counter()
    for row in own:
        found[row["what"]] += row["n"]
        if row["what"] == _TAKEN and row["viewed"] not in sealed:
            found[_UNSEALED] -= row["n"]
    left_out = {reason: found[reason] for reason in PAGE_VIEWS}
    left_out[Reason.QUARANTINED] += found[_TAKEN]
    return Audience(found[_SEALED] + found[_UNSEALED], left_out)
