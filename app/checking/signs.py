"""What tells whether a shop's page views reach Gloed and are put together, read in one question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.store import Store
from collector.sites import Site

LOOKED_BACK = timedelta(days=1)
REMEMBERED_DAYS = 30

_SIGNS = """
    SELECT 'heard' AS sign, page_id, NULL AS name, NULL::bigint AS n, max(at) AS at,
           NULL::date AS day
    FROM (
        SELECT page_id, at FROM beacon WHERE site_id = $1 AND day >= $2 AND name = 'open'
        UNION ALL SELECT page_id, at FROM batch WHERE site_id = $1 AND day >= $2
    ) AS heard GROUP BY page_id
    UNION ALL
    SELECT 'seen', page_id, NULL, NULL, NULL, max(day) FROM view
    WHERE site_id = $1 AND day >= $3 GROUP BY page_id
    UNION ALL
    SELECT 'dropped', NULL, reason, sum(n)::bigint, NULL, NULL FROM dropped
    WHERE site_id = $1 AND day >= $2 GROUP BY reason
    UNION ALL
    SELECT 'closed', NULL, state, count(*), max(last_run_at), NULL FROM job
    WHERE site_id = $1 AND name = 'close' GROUP BY state
"""


@dataclass(frozen=True, slots=True)
class Signs:
    """Of one shop.

    heard    when each page was last heard of since yesterday, by what arrived: no job has to have
             seen it
    seen     the day of each page's last view in REMEMBERED_DAYS, as the closing job left them
    dropped  what came since yesterday and was not kept, by reason
    closed   when days were last put together; failed: how many cannot be
    """

    heard: Mapping[int, datetime]
    seen: Mapping[int, date]
    dropped: Mapping[str, int]
    closed: datetime | None
    failed: int


async def signs(store: Store, site: Site, now: datetime) -> Signs:
    since = site.day_of(now - LOOKED_BACK)
    first = site.day_of(now) - timedelta(days=REMEMBERED_DAYS - 1)
    rows = await store.fetch(_SIGNS, site.site_id, since, first)
    runs = [row["at"] for row in rows if row["sign"] == "closed" and row["at"] is not None]
    dropped = {row["name"]: row["n"] for row in rows if row["sign"] == "dropped"}
    failed = (row["n"] for row in rows if row["sign"] == "closed" and row["name"] == "failed")
    return Signs(
        heard={row["page_id"]: row["at"] for row in rows if row["sign"] == "heard"},
        seen={row["page_id"]: row["day"] for row in rows if row["sign"] == "seen"},
        dropped=dict(sorted(dropped.items())),
        closed=max(runs, default=None),
        failed=sum(failed),
    )
