"""Of all page views of a shop in a period: how many were counted, and why the others were not.

Drops bear no page: who did not consent is not asked where they were. So this is of the whole shop,
whichever page's map it stands beside, and no filter changes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from app.closing.derived import QUARANTINED
from app.closing.shut_out import SHUT_OUT
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

_AUDIENCE = """
    WITH sealed AS (
        SELECT day, sum(views)::bigint AS views FROM daily
        WHERE site_id = $1 AND day BETWEEN $2 AND $3 GROUP BY day
    ), taken AS (
        SELECT view.day FROM visit JOIN view USING (site_id, visit_id)
        WHERE site_id = $1 AND visit.day BETWEEN $2 AND $3 AND visit.flags & $4 > 0
        AND view.day BETWEEN visit.day AND visit.day + 1
    ), left_out AS (
        SELECT reason, sum(n)::bigint AS n FROM dropped
        WHERE site_id = $1 AND day BETWEEN $2 AND $3 AND reason = ANY($5) GROUP BY reason
    )
    SELECT
        coalesce((SELECT sum(views)::bigint FROM sealed), 0) AS sealed,
        (SELECT count(*) FROM view WHERE site_id = $1 AND day BETWEEN $2 AND $3
            AND day NOT IN (SELECT day FROM sealed)) AS unsealed,
        (SELECT count(*) FROM taken) AS taken,
        (SELECT count(*) FROM taken WHERE day NOT IN (SELECT day FROM sealed)) AS taken_unsealed,
        (SELECT array_agg(reason ORDER BY reason) FROM left_out) AS reasons,
        (SELECT array_agg(n ORDER BY reason) FROM left_out) AS counts
"""
"""sealed, unsealed: sums of sealed days, and the views of the others as the closing job last left
them. taken: page views of copied tokens, and what the owner took out; sums of sealed days are
without them."""


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


class Answers(Protocol):
    """The store, or one connection of it."""

    async def fetchrow(self, statement: str, *values: Any) -> Any: ...


async def audience(store: Answers, site_id: int, period: tuple[date, date]) -> Audience:
    """Of the shop on these days, both included."""
    told = site_id, *period, QUARANTINED | SHUT_OUT, list(PAGE_VIEWS)
    row = await store.fetchrow(_AUDIENCE, *told)
    found: Counter[str] = Counter(dict(zip(row["reasons"] or (), row["counts"] or (), strict=True)))
    found[Reason.QUARANTINED] += row["taken"]
    counted = row["sealed"] + row["unsealed"] - row["taken_unsealed"]
    return Audience(counted, {reason: found[reason] for reason in PAGE_VIEWS})
