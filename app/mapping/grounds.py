"""What maps of a shop rest on beside marks, read for several pages by one statement.

Which days are sealed, in which ways pages were seen on these, what their layouts are, and how many
page views of the shop were counted: small things, which several of a map's questions need.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.joint import Part, dated, joint
from app.mapping.audience import SHOP_DAYS, Audience, audience_of, shop_days_asked
from app.mapping.beside import DayWays, ways_asked, ways_in
from app.mapping.sources import sealed_asked
from app.picturing.layouts import Layout, layouts_asked, layouts_in
from collector.sites import Site

DAY = timedelta(days=1)
Period = tuple[date, date]

LOOK_BACK = timedelta(days=31)
"""So many days before a period are looked up with it: what its edge borders on is mostly told by
the first."""

_HEARD = """
    SELECT page.page_id, edge.day
    FROM unnest($2::int[]) AS page(page_id) CROSS JOIN unnest($3::date[]) AS edge(day)
    WHERE EXISTS (SELECT FROM beacon WHERE site_id = $1 AND beacon.page_id = page.page_id
        AND beacon.day = edge.day AND beacon.day = ANY($3) AND name = 'open')
    OR EXISTS (SELECT FROM batch WHERE site_id = $1 AND batch.page_id = page.page_id
        AND batch.day = edge.day AND batch.day = ANY($3))
"""
"""Pages and days of which anything at all arrived."""


@dataclass(slots=True)
class Grounds:
    """Of some pages of a shop; what is looked up later comes from the same state of the store.

    sealed   of the sealed days since `first`, whether they have nothing but their tiles left
    heard    of the days beside the period, those with rows of a page
    """

    site: Site
    page_ids: Collection[int]
    first: date
    edges: Period
    sealed: dict[date, bool]
    heard: set[tuple[int, date]]
    layouts: Mapping[int, tuple[Layout, ...]]
    _ways: dict[tuple[int, date], DayWays]
    _shop_days: list[dict[str, Any]]
    _counted: Period

    def ways(self, page_id: int, days: Iterable[date]) -> dict[date, DayWays]:
        """Of sealed days."""
        return {day: self._ways.get((page_id, day)) or DayWays() for day in days}

    async def is_heard(self, connection: Any, page_id: int, day: date) -> bool:
        """Whether anything at all arrived of a page on a day."""
        if day in self.edges:
            return (page_id, day) in self.heard
        rows = await connection.fetch(_HEARD, self.site.site_id, [page_id], [day])
        return bool(rows)

    async def reach(self, connection: Any, first: date) -> None:
        """Look up the days from `first` on too."""
        if first >= self.first:
            return
        first, last = first - LOOK_BACK, self.first - DAY
        told = await _ask(connection, _day_parts(self.site, self.page_ids, first, last))
        self.sealed |= _sealed_in(told)
        self._ways |= ways_in(dated(told["ways"], "day"))
        self.first = first

    async def count(self, connection: Any, periods: Collection[Period]) -> None:
        """Know the audience of these periods: they may begin before the one that was asked for."""
        whole = min(first for first, _ in periods), max(last for _, last in periods)
        if not self._counted[0] <= whole[0] <= whole[1] <= self._counted[1]:
            rows = await connection.fetch(SHOP_DAYS, *shop_days_asked([self.site.site_id], whole))
            self._shop_days = [dict(row) for row in rows]
            self._counted = whole

    def audience(self, period: Period) -> Audience:
        return audience_of(self._shop_days, self.site.site_id, period)


async def grounds_of(
    connection: Any, site: Site, page_ids: Collection[int], period: Period
) -> Grounds:
    """What maps of these pages rest on, of this period or of parts of it."""
    first, edges = period[0] - DAY - LOOK_BACK, (period[0] - DAY, period[1] + DAY)
    told = await _ask(
        connection,
        {
            **_day_parts(site, page_ids, first, edges[1]),
            "heard": Part.rows(_HEARD, site.site_id, list(page_ids), list(edges)),
            "layouts": layouts_asked([(site.site_id, page_id) for page_id in page_ids]),
            "shop_days": Part.rows(SHOP_DAYS, *shop_days_asked([site.site_id], period)),
        },
    )
    layouts = layouts_in(told["layouts"])
    return Grounds(
        site=site,
        page_ids=page_ids,
        first=first,
        edges=edges,
        sealed=_sealed_in(told),
        heard={(row["page_id"], row["day"]) for row in dated(told["heard"], "day")},
        layouts={page_id: layouts.get((site.site_id, page_id), ()) for page_id in page_ids},
        _ways=ways_in(dated(told["ways"], "day")),
        _shop_days=dated(told["shop_days"], "day", "viewed"),
        _counted=period,
    )


def _day_parts(
    site: Site, page_ids: Collection[int], first: date, last: date
) -> Mapping[str, Part]:
    return {
        "sealed": sealed_asked(site.site_id, first, last),
        "ways": ways_asked(site.site_id, page_ids, first, last),
    }


def _sealed_in(told: Mapping[str, Any]) -> dict[date, bool]:
    return {row["day"]: row["raw_gone"] for row in dated(told["sealed"], "day")}


async def _ask(connection: Any, parts: Mapping[str, Part]) -> Mapping[str, Any]:
    expression, values = joint(parts)
    (row,) = await connection.fetch(f"SELECT {expression} AS told", *values)
    told: Mapping[str, Any] = json.loads(row["told"])
    return told
