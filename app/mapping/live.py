"""What a live shop's map may be asked: the small-number rule over the store, and its refusals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from app.folding.raw import Span, page_view_chunks
from app.mapping.beside import Beside, ways_by_day
from app.mapping.choosing import passes
from app.mapping.filters import MAX_DAYS, MapQuery
from app.mapping.seeing import ended_as, shut_out, visit_ids
from app.mapping.small_numbers import (
    LOWER_EDGES_PX,
    UPPER_EDGES_PX,
    Choice,
    is_filtered,
    is_too_few,
    least_visits,
    refusal,
    unlisted,
)
from app.mapping.sources import coarse_enough, sources, tiles_know, wanted
from app.picturing.layouts import Layout
from app.problems import BadParameters, TooFewApart, TooFewVisits
from collector.sites import Page, Site

DAY = timedelta(days=1)

LOOK_BACK = timedelta(days=31)
"""So many days are looked up at once: what a period's edge borders on is mostly told by the first.
"""

Period = tuple[date, date]

_ANY = """
    SELECT EXISTS (SELECT FROM beacon WHERE site_id = $1 AND page_id = $2 AND day = $3
        AND name = 'open')
        OR EXISTS (SELECT FROM batch WHERE site_id = $1 AND page_id = $2 AND day = $3)
"""


def refuse_unlisted(query: Choice, within: str = "") -> None:
    """Widths of a live shop are asked for by band; `within` names the parameter that has them."""
    names = unlisted(query)
    if not names:
        return
    told = {"viewport_width_min": LOWER_EDGES_PX, "viewport_width_max": UPPER_EDGES_PX}
    listed = [(name, f"must be one of {_listed(told[name])}") for name in names]
    detail = "; ".join(f"{name} {what}" for name, what in listed)
    wrong = [(f"/{within or name}", f"{name} {what}" if within else what) for name, what in listed]
    raise BadParameters(f"widths of a live shop are told by band: {detail}", tuple(wrong))


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))


@dataclass(slots=True)
class Days:
    """How many visits a request would find on single days: 0, too few, or enough."""

    connection: Any
    site: Site
    page: Page
    query: MapQuery
    _sealed: dict[date, int] = field(default_factory=dict)
    _raw: dict[date, int | None] = field(default_factory=dict)
    """None until somebody asks for the day."""

    @property
    def least(self) -> int:
        return least_visits(self.site.config)

    async def are_too_few(self, day: date) -> bool:
        await self.look_up(day)
        if day in self._sealed:
            return is_too_few(self._sealed[day], self.least)
        if (known := self._raw[day]) is None:
            known = self._raw[day] = await self._count(day)
        return is_too_few(known, self.least)

    async def look_up(self, day: date) -> None:
        """Where this day is told of, and those of the month before it."""
        if day not in self._sealed and day not in self._raw:
            await self._look_up(day - LOOK_BACK, day)

    async def _look_up(self, first: date, last: date) -> None:
        site_id, query = self.site.site_id, self.query
        answer = tiles_know(query) and coarse_enough(self.page, query)
        where = await sources(self.connection, site_id, (first, last), tiles_answer=answer)
        key = site_id, self.page.page_id
        for day, ways in (await ways_by_day(self.connection, key, where.sealed)).items():
            self._sealed[day] = ways.visits(lambda way: wanted(query, way))
        if not tiles_know(query):
            # Whoever asks for such a day is refused anyhow: no answer stands beside this one.
            self._sealed |= dict.fromkeys(where.gone, 0)
        for begins, ends in where.raw:
            for n in range((ends - begins).days + 1):
                self._raw.setdefault(begins + n * DAY, None)

    async def _count(self, day: date) -> int:
        """Of a day's rows no more are read than until it is clear that there are enough."""
        span, page_id = Span.of(self.site, day, day), self.page.page_id
        if not await self.connection.fetchval(_ANY, self.site.site_id, page_id, day):
            return 0  # as on most days that are not here yet
        ids = await visit_ids(self.connection, span, page_id)
        ended = await ended_as(self.connection, span, page_id, self.query.outcome)
        out = await shut_out(self.connection, self.site, span, page_id)
        found: set[int] = set()
        async for views in page_view_chunks(self.connection, span, page_id):
            found |= {
                ids.get((view.day, view.view_id), view.visitor)
                for view in views
                if (view.day, view.view_id) not in out and passes(view, self.query, ended)
            }
            if len(found) >= self.least:
                break
        return len(found)


async def answerable(days: Days, period: Period) -> Period:
    """The period, where it differs enough from those that are a day longer.

    One whose beginning nobody asked for begins earlier instead.
    Raises TooFewApart, and names a period that is answered.
    """
    # The later day first: of a month or less, the earlier one is then known with it.
    await days.look_up(period[1] + DAY)
    if days.query.date_from is None:
        period = await _begun_earlier(days, period)
    first, last = period
    beside = [("the day before it", first - DAY), ("the day after it", last + DAY)]
    for change, day in beside:
        if await days.are_too_few(day):
            told = await _ended_later(days, await _begun_earlier(days, period))
            raise TooFewApart(f"with {change}", days.least, told)
    return period


async def _begun_earlier(days: Days, period: Period) -> Period:
    first, last = period
    while (last - first).days + 1 < MAX_DAYS and await days.are_too_few(first - DAY):
        first -= DAY
    return first, last


async def _ended_later(days: Days, period: Period) -> Period:
    first, last = period
    while (last - first).days + 1 < MAX_DAYS and await days.are_too_few(last + DAY):
        last += DAY
    return first, last


def refuse_few(site: Site, query: MapQuery, beside: Beside, layout: Layout | None) -> None:
    """Raises TooFewVisits or TooFewApart for what a live shop does not tell."""
    least = least_visits(site.config)
    visits = beside.visits()
    if visits < least:
        # How many of a choice there are may already tell what somebody did.
        raise TooFewVisits(None if is_filtered(query) else visits, least)
    if (apart := refusal(beside.apart(), least)) is not None:
        raise TooFewApart(apart.change, least)
    # A layout shows what was marked in its width alone: choosing one chooses those visits.
    if query.layout is not None and layout is not None and beside.visits(layout.band) < least:
        raise TooFewVisits(None, least)
