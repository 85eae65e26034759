"""One question about a page, with everything read that its answers need: zones, fields, pixels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal

import numpy as np

from app.contrasting.apart import DAY, may_be_told, refuse_apart, refuse_free_widths
from app.contrasting.asked import CohortsQuery, VisitFilter, period_of
from app.contrasting.holding import Held, held, strata
from app.contrasting.reading import Flags, PageVisits, Stay, Whole, visits_of
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
from app.contrasting.truth import LabelTruth, goals_asked, has_goal, truth_in
from app.folding.homes import Homes
from app.joint import Part, dated
from app.mapping.audience import NOBODY, SHOP_DAYS, Audience, audience_of, shop_days_asked
from app.mapping.small_numbers import least_visits
from app.picturing.layouts import Layout, layouts_asked, layouts_in
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


FIRST_DAYS = """
    SELECT site_id, page_id,
           least(seen.day, (page.created_at AT TIME ZONE own.time_zone)::date) AS day
    FROM unnest($1::int[], $2::int[], $3::text[]) AS own(site_id, page_id, time_zone)
    JOIN page USING (site_id, page_id)
    CROSS JOIN LATERAL (
        SELECT min(view.day) AS day FROM view
        WHERE view.site_id = own.site_id AND view.page_id = own.page_id
    ) AS seen
"""
"""Each page's own, and where a past was brought along its first view's; old views may be deleted.
"""


def first_days_asked(pages: Iterable[tuple[Site, Page]]) -> tuple[list[Any], ...]:
    """Arguments of FIRST_DAYS."""
    told = [(site.site_id, page.page_id, site.time_zone.key) for site, page in pages]
    return tuple([row[n] for row in told] for n in range(3))


def first_days_in(told: Iterable[Mapping[str, Any]] | None) -> dict[tuple[int, int], date]:
    """By shop and page, from the answer to FIRST_DAYS as a part."""
    return {(row["site_id"], row["page_id"]): date.fromisoformat(row["day"]) for row in told or ()}


async def first_days_of(
    store: Store, pages: Sequence[tuple[Site, Page]]
) -> Mapping[tuple[int, int], date]:
    """By shop and page."""
    rows = await store.fetch(FIRST_DAYS, *first_days_asked(pages)) if pages else ()
    return {(row["site_id"], row["page_id"]): row["day"] for row in rows}


@dataclass(frozen=True, slots=True)
class Subject:
    """A page that is asked about, and the first day of which it can tell; that matters where the
    question names none."""

    site: Site
    page: Page
    first_day: date


async def ask(
    store: Store,
    site: Site,
    page: Page,
    query: CohortsQuery,
    now: datetime,
    first_day: date | None = None,
) -> Question:
    """Read everything that a question about a page rests on, in one state of the store.

    first_day  of which the page can tell, where that is known
    Raises TooFewVisits where a live shop has fewer than its threshold, BadParameters where the
    period cannot be or the cohorts share visits
    """
    if first_day is None and query.date_from is None:
        (first_day,) = (await first_days_of(store, [(site, page)])).values()
    subject = Subject(site, page, first_day or site.day_of(now))
    (found,) = await ask_all(store, [subject], query, now)
    if isinstance(found, TooFewVisits):
        raise found
    return found


async def ask_all(
    store: Store, subjects: Sequence[Subject], query: CohortsQuery, now: datetime
) -> list[Question | TooFewVisits]:
    """The same question about several pages, of several shops too, by one statement for all."""
    periods = [_period(one, query, now) for one in subjects]
    stays = [
        Stay(one.site.site_id, one.page.page_id, first - DAY, last + DAY)
        for one, (first, last) in zip(subjects, periods, strict=True)
    ]
    sites = list({one.site.site_id: one.site for one in subjects}.values())
    whole = min(first for first, _ in periods), max(last for _, last in periods)
    beside = {
        **goals_asked(sites, whole),
        "shop_days": Part.rows(SHOP_DAYS, *shop_days_asked([s.site_id for s in sites], whole)),
        "layouts": layouts_asked([(stay.site_id, stay.page_id) for stay in stays]),
    }
    found, told = await visits_of(store, stays, beside)
    layouts = layouts_in(told["layouts"])
    shop_days = dated(told["shop_days"], "day", "viewed")
    answers: list[Question | TooFewVisits] = []
    for one, period, wide in zip(subjects, periods, found, strict=True):
        site, page = one.site, one.page
        try:
            question = question_of(
                site,
                page,
                query,
                period,
                site.day_of(now),
                wide,
                layouts.get((site.site_id, page.page_id), ()),
                truth_in(told, site, period),
                goal=has_goal(told, site, period),
            )
        except TooFewVisits as problem:
            answers.append(problem)
        else:
            of_shop = audience_of(shop_days, site.site_id, period)
            answers.append(replace(question, of_shop=of_shop))
    return answers


def _period(subject: Subject, query: CohortsQuery, now: datetime) -> tuple[date, date]:
    today = subject.site.day_of(now)
    return period_of(query, today, asked_since(min(subject.first_day, today), today))


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
