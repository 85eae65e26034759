"""What a live shop's map may be asked: the small-number rule over the store, and its refusals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from app.folding.raw import Closed
from app.folding.seen import Seen
from app.mapping.beside import Beside
from app.mapping.choosing import passes
from app.mapping.ends import Ends
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
from app.mapping.sources import sources, tiles_answer, tiles_know, wanted
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


class NotKnown(Exception):
    """How many visits a day has decides, and it is not read yet."""

    def __init__(self, day: date) -> None:
        super().__init__(f"{day} is not read yet")
        self.day = day


@dataclass(slots=True)
class Days:
    """How many visits a request would find on single days: 0, too few, or enough.

    counts    by open day, of those that were counted
    presumed  open days that are taken to have enough until they are counted
    """

    grounds: Grounds
    page: Page
    query: MapQuery
    counts: dict[date, int] = field(default_factory=dict)
    presumed: set[date] = field(default_factory=set)

    @property
    def least(self) -> int:
        return least_visits(self.grounds.site.config)

    def may_do(self) -> bool:
        """Whether no day that was taken to have enough turned out to have too few."""
        return not any(is_too_few(self.counts.get(day, 0), self.least) for day in self.presumed)

    def are_too_few(self, day: date) -> bool:
        """Raises NotKnown."""
        if day < self.grounds.first:
            raise NotKnown(day)
        if self._is_open(day):
            return day not in self.presumed and is_too_few(self._counted(day), self.least)
        if not tiles_know(self.query):
            # Whoever asks for such a day is refused anyhow: no answer stands beside this one.
            return False
        ways = self.grounds.ways(self.page.page_id, (day,))[day]
        return is_too_few(ways.visits(lambda way: wanted(self.query, way)), self.least)

    def _is_open(self, day: date) -> bool:
        """Whether a request would read its rows."""
        answer = tiles_answer(self.page, self.query)
        return bool(sources(self.grounds.sealed, (day, day), tiles_answer=answer).raw)

    def _counted(self, day: date) -> int:
        if day not in self.counts and not self.grounds.is_silent(self.page.page_id, day):
            raise NotKnown(day)
        return self.counts.get(day, 0)


class Counting:
    """Views of an open day as they are read: no more than until there are enough for sure."""

    def __init__(self, days: Days, day: date) -> None:
        self._days, self._day = days, day
        self._found: set[int] = set()

    @property
    def wants(self) -> bool:
        return len(self._found) < self._days.least

    def hear(self, read: Sequence[Seen], closed: Closed) -> None:
        query = self._days.query
        told = Ends(self._days.grounds.site, query, closed)
        self._found |= {
            told.visit_of(view) for view in told.taken(read) if passes(view, query, told.ended)
        }
        self._days.counts[self._day] = len(self._found)


def answerable(days: Days, period: Period) -> Period:
    """The period, where it differs enough from those that are a day longer.

    One whose beginning nobody asked for begins earlier instead.
    Raises NotKnown, or TooFewApart, which names a period that is answered.
    """
    if days.query.date_from is None:
        period = _begun_earlier(days, period)
    first, last = period
    beside = [("the day before it", first - DAY), ("the day after it", last + DAY)]
    for change, day in beside:
        if days.are_too_few(day):
            told = _ended_later(days, _begun_earlier(days, period))
            raise TooFewApart(f"with {change}", days.least, told)
    return period


def _begun_earlier(days: Days, period: Period) -> Period:
    first, last = period
    while (last - first).days + 1 < MAX_DAYS and days.are_too_few(first - DAY):
        first -= DAY
    return first, last


def _ended_later(days: Days, period: Period) -> Period:
    first, last = period
    while (last - first).days + 1 < MAX_DAYS and days.are_too_few(last + DAY):
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
