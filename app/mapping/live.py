"""What a live shop's map may be asked: the small-number rule over the store, and its refusals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from app.folding.raw import Span, views_of_pages
from app.mapping.beside import Beside
from app.mapping.choosing import passes
from app.mapping.ends import Ends, needs_ends
from app.mapping.filters import MAX_DAYS, MapQuery
from app.mapping.grounds import Grounds
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

Period = tuple[date, date]


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
    grounds: Grounds
    page: Page
    query: MapQuery
    _raw: dict[date, int] = field(default_factory=dict)

    @property
    def least(self) -> int:
        return least_visits(self.grounds.site.config)

    async def are_too_few(self, day: date) -> bool:
        await self.grounds.reach(self.connection, day)
        told = sources(self.grounds.sealed, (day, day), tiles_answer=self._tiles_answer)
        if told.raw:
            if day not in self._raw:
                self._raw[day] = await self._count(day)
            return is_too_few(self._raw[day], self.least)
        if not tiles_know(self.query):
            # Whoever asks for such a day is refused anyhow: no answer stands beside this one.
            return False
        ways = self.grounds.ways(self.page.page_id, (day,))[day]
        return is_too_few(ways.visits(lambda way: wanted(self.query, way)), self.least)

    @property
    def _tiles_answer(self) -> bool:
        return tiles_know(self.query) and coarse_enough(self.page, self.query)

    async def _count(self, day: date) -> int:
        """Of a day's rows no more are read than until it is clear that there are enough."""
        site, page_id = self.grounds.site, self.page.page_id
        if not await self.grounds.is_heard(self.connection, page_id, day):
            return 0  # as on most days that are not here yet
        found: set[int] = set()
        span, ends = Span.of(site, day, day), needs_ends(site, self.query)
        reading = views_of_pages(self.connection, span, [(page_id, (day, day))], ended=ends)
        async for _, closed, views in reading:
            told = Ends(site, self.query, closed)
            found |= {
                told.visit_of(view)
                for view in told.taken(views)
                if passes(view, self.query, told.ended)
            }
            if len(found) >= self.least:
                break
        return len(found)


async def answerable(days: Days, period: Period) -> Period:
    """The period, where it differs enough from those that are a day longer.

    One whose beginning nobody asked for begins earlier instead.
    Raises TooFewApart, and names a period that is answered.
    """
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
