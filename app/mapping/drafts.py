"""Maps on their way: what is read for them, in which order, and for several of them at once.

First what rests on days as a whole, then rows of single views. A live shop's map may border on days
of so few visits that it must not be told: those that are open are counted while its own rows are
read, as if they had enough, and where they do not, it is refused, or read again of more days.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.folding.homes import Homes
from app.folding.raw import Stay
from app.joint import NO_PARTS, Part, told_of
from app.mapping.audience import Audience
from app.mapping.beside import Beside
from app.mapping.classes import Classes
from app.mapping.classes_beside import BesideClasses
from app.mapping.ends import needs_ends
from app.mapping.filters import MapQuery
from app.mapping.folds import Heights
from app.mapping.grounds import Grounds, Want, grounds_of
from app.mapping.live import Counting, Days, NotKnown, answerable, refuse_unlisted
from app.mapping.seeing import Everybody, Look, RawViews, Seeing, Taker, read_rows
from app.mapping.small_numbers import least_visits
from app.mapping.sources import sources, tiles_answer, within_raw
from app.picturing.layouts import Layout
from app.problems import ApiProblem, TooFewApart, TooFewVisits
from collector.sites import Page, Site

DAY = timedelta(days=1)
Period = tuple[date, date]

Still = Callable[[Mapping[str, Any]], Collection[int]]
"""Pages whose maps are wanted still, by their numbers, once what was asked beside them is told."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything read that maps of one choice of visits and one kind rest on, on any layout.

    layouts  every one of the page
    beside   of a live shop: what decides whether it may be told
    """

    site: Site
    page: Page
    period: Period
    layouts: tuple[Layout, ...]
    seeing: Seeing
    of_shop: Audience
    heights: Heights
    everybody: Everybody
    beside: Beside | None
    classes: Classes | None


class Draft:
    """One of them. `problem`: why it is refused."""

    def __init__(self, site: Site, page: Page, query: MapQuery, today: date) -> None:
        self.page, self.query = page, query
        self.problem: ApiProblem | None = None
        self._site, self._is_live = site, site.state == "live"
        with self.trying():
            self.period = query.period(today)
            if self._is_live:
                refuse_unlisted(query)

    @contextmanager
    def trying(self) -> Iterator[None]:
        """A refusal is the map's own, and none of the others'."""
        try:
            yield
        except ApiProblem as problem:
            self.problem = problem

    @property
    def refusal(self) -> ApiProblem:
        assert self.problem is not None
        return self.problem

    def want(self) -> Want:
        return Want(self.page, self.query, self.period)

    async def settle(self, connection: Any, grounds: Grounds) -> None:
        """The period that is answered, if the open days beside it have visits enough."""
        self._days = Days(grounds, self.page, self.query)
        self._asked = within_raw(grounds.sealed, self.query, self.period)
        await self._answer(connection)

    async def settle_anew(self, connection: Any) -> bool:
        """Now that these days are counted: whether it is of the period that was read."""
        if not self._days.presumed:
            return True
        self._days.presumed.clear()
        period = self.period
        await self._answer(connection)
        return self.period == period and not self._days.presumed

    async def _answer(self, connection: Any) -> None:
        self.period = self._asked
        days, self._refused = self._days, False
        while self._is_live:
            try:
                self.period = answerable(days, self._asked)
            except NotKnown as one:
                if one.day < days.grounds.first:
                    await days.grounds.reach(connection, one.day)
                else:
                    days.presumed.add(one.day)
                continue
            except TooFewApart:
                # What to ask for instead is told once those days are counted.
                self._refused = bool(days.presumed)
                if not self._refused:
                    raise
            return

    def takers(self) -> Iterator[tuple[Stay, Taker]]:
        """Who takes which of its page's days; those first that decide whether it is told."""
        self._begin()
        for day in sorted(self._days.presumed):
            yield (self.page.page_id, (day, day)), Counting(self._days, day)
        if self._refused:
            return
        if self._beside is not None and self._classes is not None:
            for day in (self.period[0] - DAY, self.period[1] + DAY):
                beside = BesideClasses(self._site, self.query, self._classes)
                yield (self.page.page_id, (day, day)), beside
        for stay in self._raw.look.stays:
            yield stay, self._raw

    def _begin(self) -> None:
        query, grounds = self.query, self._days.grounds
        self._beside = Beside(query) if self._is_live else None
        least = least_visits(self._site.config) if self._is_live else 0
        by = query.colour_by
        self._classes = Classes(query, by, least=least) if by else None
        answer = tiles_answer(self.page, query)
        where = sources(grounds.sealed, self.period, tiles_answer=answer)
        self._layouts = grounds.layouts.get(self.page.page_id, ())
        sealed = grounds.ways(self.page.page_id, where.sealed)
        if self._beside is not None:
            self._beside.take_sealed(sealed.values())
        homes = Homes(self._layouts, self._site.time_zone)
        look = Look(self.page, query, where, homes, self._beside, self._classes)
        self._raw = RawViews(self._site, look, self._days.may_do)
        for day, ways in sealed.items():
            self._raw.everybody.take(day, ways.views)

    def reading(self, want: Want) -> Reading:
        return Reading(
            site=self._site,
            page=self.page,
            period=self.period,
            layouts=self._layouts,
            seeing=self._raw.seeing(want.stack),
            of_shop=self._days.grounds.audience(self.period),
            heights=want.heights,
            everybody=self._raw.everybody,
            beside=self._beside,
            classes=self._classes,
        )


async def read_drafts(
    connection: Any,
    site: Site,
    drafts: Sequence[Draft],
    beside: Mapping[str, Part] = NO_PARTS,
    still: Still | None = None,
) -> tuple[dict[Draft, Reading | ApiProblem], Mapping[str, Any]]:
    """What each rests on, or why it is refused, and what else is asked along with it; within one
    transaction that sees one state of the store.

    still  whose rows are read, and which are told; without it all of them
    """
    wants = {draft: draft.want() for draft in drafts if draft.problem is None}
    refused = {draft: draft.refusal for draft in drafts if draft not in wants}
    if not wants:
        return {**refused}, await told_of(connection, beside)
    grounds = await grounds_of(connection, site, list(wants.values()), beside)
    if still is not None:
        pages = still(grounds.beside)
        wants = {draft: want for draft, want in wants.items() if draft.page.page_id in pages}
    for draft in wants:
        with draft.trying():
            await draft.settle(connection, grounds)
    await _read(connection, site, grounds, wants)
    for draft in wants:
        if isinstance(draft.problem, TooFewVisits):
            draft.problem.layouts = grounds.layouts.get(draft.page.page_id, ())
    read = {draft: draft.problem or draft.reading(want) for draft, want in wants.items()}
    return {**refused, **read}, grounds.beside


async def _read(connection: Any, site: Site, grounds: Grounds, wants: Mapping[Draft, Want]) -> None:
    left = list(wants)
    while left := [draft for draft in left if draft.problem is None]:
        await _extend(connection, grounds, {draft: wants[draft] for draft in left})
        await _read_rows(connection, site, left)
        again = []
        for draft in left:
            with draft.trying():
                if not await draft.settle_anew(connection):
                    again.append(draft)
        left = again


async def _extend(connection: Any, grounds: Grounds, wants: Mapping[Draft, Want]) -> None:
    places = {id(want): place for place, want in enumerate(grounds.wants)}
    begins = {
        places[id(want)]: draft.period[0]
        for draft, want in wants.items()
        if draft.period[0] < want.period[0]
    }
    await grounds.extend(connection, begins)


async def _read_rows(connection: Any, site: Site, drafts: Sequence[Draft]) -> None:
    takers: dict[Stay, list[Taker]] = {}
    told = [one for draft in drafts for one in draft.takers()]
    # Whoever counts comes first: what is refused then is not read.
    for stay, taker in sorted(told, key=lambda one: isinstance(one[1], RawViews)):
        takers.setdefault(stay, []).append(taker)
    ended = any(needs_ends(site, draft.query) for draft in drafts)
    await read_rows(connection, site, takers, ended=ended)
