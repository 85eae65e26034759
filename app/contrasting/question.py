"""One question about a page, with everything read that its answers need: zones, fields, pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal

import numpy as np

from app.contrasting.apart import DAY, may_be_told, refuse_apart, refuse_free_widths
from app.contrasting.asked import CohortsQuery, VisitFilter, period_of
from app.contrasting.holding import Held, held, strata
from app.contrasting.reading import Flags, PageVisits, Whole, page_visits
from app.contrasting.schedule import (
    Milestone,
    Stage,
    Verdict,
    asked_since,
    days_of,
    milestones,
    stage_of,
    verdict_of,
)
from app.contrasting.tables import ZoneTable, zone_table
from app.contrasting.truth import LabelTruth, has_goal, label_truth
from app.folding.homes import Homes
from app.mapping.audience import NOBODY, Audience, audience
from app.mapping.small_numbers import least_visits
from app.picturing.layouts import Layout, layouts_of
from app.problems import BadParameters, TooFewVisits
from app.store import Store
from collector.codes import Outcome
from collector.sites import Page, Site

Why = Literal["no_goal", "too_few"]
"""Why two cohorts are not contrasted."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """first, second: (n,) which visits are of which cohort; alone: whether either may be told of by
    itself, beside all visits; `told` has the zones' tables."""

    site: Site
    page: Page
    query: CohortsQuery
    period: tuple[date, date]
    today: date
    found: PageVisits
    first: Flags
    second: Flags
    alone: tuple[bool, bool]
    told: ZoneTable
    layouts: tuple[Layout, ...]
    truth: LabelTruth
    goal: bool
    verdict: Verdict
    of_shop: Audience = NOBODY
    """What share of the shop's page views was counted; who was left out is in neither cohort."""

    @property
    def sizes(self) -> tuple[int, int]:
        return int(self.first.sum()), int(self.second.sum())

    @property
    def visits(self) -> int:
        return len(self.found.visits)

    @property
    def handed_over(self) -> int:
        """Visits that pressed pay and of whose end nothing is known: of neither cohort."""
        ended = self.found.visits.outcome == Outcome.HANDED_OVER
        return int((ended & ~self.first & ~self.second).sum())

    @property
    def undecided(self) -> int:
        ended = self.found.visits.outcome == Outcome.OPEN
        return int((ended & ~self.first & ~self.second).sum())

    @property
    def coverage(self) -> float | None:
        """Share of the visits whose browsers could tell of stalls."""
        asked = self.visits + self.found.silent
        return self.visits / asked if asked else None

    @property
    def why_not(self) -> Why | None:
        """Why there is no contrast; None where there is one, of whatever confidence."""
        if self.query.by_outcome and not self.goal:
            return "no_goal"
        if not all(self.alone) or self.stage is Stage.PLAIN:
            return "too_few"
        return None

    @property
    def least(self) -> int:
        """Visits that anything told of a live shop must rest on."""
        return least_of(self.site)

    @property
    def stage(self) -> Stage:
        return stage_of(*self.sizes)

    @property
    def judged(self) -> Flags:
        """(n,) which visits the last verdict rests on: those of complete weeks."""
        until = self.verdict.until
        if until is None:
            return np.zeros(self.visits, np.bool_)
        return (self.first | self.second) & (self.found.visits.day < until.toordinal())

    @property
    def held(self) -> Held:
        """What visits are compared within: of those that the verdict rests on, or will."""
        which = self.judged if self.verdict.until else np.ones(self.visits, np.bool_)
        return held(self.found.visits, self.first & which, self.second & which)

    @property
    def strata(self) -> Whole:
        """(n,) a number for each visit: it is compared with those of the same number alone."""
        return strata(self.found.visits, self.held)

    def milestones(self) -> tuple[Milestone, ...]:
        days = self.found.visits.day
        first, second = (days_of(days[cohort]) for cohort in (self.first, self.second))
        return milestones(first, second, self.period[0], self.today)

    def zone_name(self, number: int) -> str:
        names = {zone.number: zone.name for zone in self.page.zones}
        return names.get(number, f"#{number}")


_FIRST_DAY = """
    SELECT least(
        (SELECT min(day) FROM view WHERE site_id = $1 AND page_id = $2),
        (SELECT (created_at AT TIME ZONE $3)::date FROM page WHERE site_id = $1 AND page_id = $2)
    )
"""
"""The page's own, and where a past was brought along its first view's; old views may be deleted."""


async def ask(store: Store, site: Site, page: Page, query: CohortsQuery, now: datetime) -> Question:
    """Read everything that a question about a page rests on, in one state of the store.

    Raises TooFewVisits where a live shop has fewer than its threshold, BadParameters where the
    period cannot be or the cohorts share visits
    """
    today = site.day_of(now)
    layouts = await layouts_of(store, site, page.page_id)
    async with store.snapshot() as connection:
        since = await _asked_since(connection, site, page, today)
        period = period_of(query, today, since)
        key = site.site_id, page.page_id
        wide = await page_visits(connection, key, (period[0] - DAY, period[1] + DAY))
        truth = await label_truth(connection, site, period)
        goal = await has_goal(connection, site, period)
        of_shop = await audience(connection, site.site_id, period)
    found = question_of(site, page, query, period, today, wide, layouts, truth, goal=goal)
    return replace(found, of_shop=of_shop)


def least_of(site: Site) -> int:
    """A shop on trial tells of everybody."""
    return least_visits(site.config) if site.state == "live" else 1


def question_of(
    site: Site,
    page: Page,
    query: CohortsQuery,
    period: tuple[date, date],
    today: date,
    wide: PageVisits,
    layouts: tuple[Layout, ...],
    truth: LabelTruth,
    *,
    goal: bool,
) -> Question:
    """What was read, as the question that it answers. Pure; the errors are those of `ask`.

    wide  every visit of the period, and of the day before and after it
    """
    if site.state == "live":
        refuse_free_widths(query)
    found = wide.chosen(query, *period)
    _refuse_few(site, query, wide, found, period)
    first, second = (found.visits.chosen(cohort) for cohort in query.cohorts)
    _check_apart(first, second)
    alone = [may_be_told(found.visits, cohort, least_of(site)) for cohort in query.cohorts]
    numbers = [zone.number for zone in page.zones]
    if query.planned_zone not in (None, *numbers):
        raise BadParameters(
            f"planned names no zone of this page; it has {', '.join(map(str, numbers)) or 'none'}"
        )
    return Question(
        site=site,
        page=page,
        query=query,
        period=period,
        today=today,
        found=found,
        first=first,
        second=second,
        alone=(alone[0], alone[1]),
        told=zone_table(found, numbers, Homes(layouts, site.time_zone)),
        layouts=layouts,
        truth=truth,
        goal=goal,
        verdict=verdict_of(*period, today),
    )


async def _asked_since(connection: Any, site: Site, page: Page, today: date) -> date:
    told = site.site_id, page.page_id, site.time_zone.key
    first_day: date = await connection.fetchval(_FIRST_DAY, *told)
    return asked_since(min(first_day, today), today)


def _refuse_few(
    site: Site, query: CohortsQuery, wide: PageVisits, found: PageVisits, period: tuple[date, date]
) -> None:
    least = least_of(site)
    if len(found.visits) < least and site.state == "live":
        filtered = any(name in VisitFilter.model_fields for name in query.model_fields_set)
        raise TooFewVisits(None if filtered else len(found.visits), least, period)
    by = VisitFilter(**query.model_dump(include=set(VisitFilter.model_fields)))
    refuse_apart(wide, by, period, least)


def _check_apart(first: Flags, second: Flags) -> None:
    shared = int((first & second).sum())
    if shared:
        raise BadParameters(
            f"{shared} visits belong to both cohorts: give a and b filters that exclude each other"
        )
