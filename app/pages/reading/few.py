"""Why a page that could be shown is not: too few visits, how many are lacking, and until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from app.context import Context
from app.mapping.small_numbers import Choice, is_filtered
from app.pages.labels import DROPS
from app.pages.reading.silence import Silence, known_in, narrowed, silence
from app.problems import TooFewApart, TooFewVisits
from collector.sites import Page, Site

FORESEEN_DAYS = 3 * 365
"""A date beyond it is none: nobody waits for it."""


@dataclass(frozen=True, slots=True)
class Few:
    """Too few visits for a live shop: how many there are, how many are lacking, and until when.

    Of a choice among visits neither is told. `apart`: it is another answer beside which they would
    be too few; `period`: what to ask for then, where a day is the matter. `silence` and `dropped`
    say why there are so few, where there is hardly anything: what arrived instead, with how often.
    """

    visits: int | None
    missing: int | None
    days: int | None = None
    until: date | None = None
    apart: bool = False
    period: tuple[date, date] | None = None
    silence: Silence | None = None
    dropped: tuple[tuple[str, int], ...] = ()


async def few_of(
    context: Context,
    site: Site,
    page: Page,
    query: Choice,
    period: tuple[date, date],
    problem: TooFewVisits,
) -> Few:
    """query, period: what was refused by `problem`. What that knows by itself is not asked for."""
    if isinstance(problem, TooFewApart):
        return Few(None, None, apart=True, period=problem.period)
    today = site.day_of(context.clock())
    if problem.visits and problem.since:
        return _awaited(today, period, problem.since, problem)
    if is_filtered(query) and problem.views:
        return Few(problem.visits, problem.missing, silence=narrowed(problem.views))
    known = await known_in(context, site, page, period)
    if problem.visits:
        since = known.counts.first_day if known.counts else today
        return _awaited(today, period, since, problem)
    told = silence(known, query, context.clock())
    dropped = () if told.narrow else dropped_labels(known.dropped)
    return Few(problem.visits, problem.missing, silence=told, dropped=dropped)


def _awaited(today: date, period: tuple[date, date], since: date, problem: TooFewVisits) -> Few:
    """A period that is over gathers no more."""
    if period[1] < today:
        return Few(problem.visits, problem.missing)
    days = days_until(problem, since, today)
    until = today + timedelta(days) if days <= FORESEEN_DAYS else None
    return Few(problem.visits, problem.missing, days, until)


def days_until(problem: TooFewVisits, since: date, today: date) -> int:
    """Days to go at the pace since the page's first view, the begun day counted whole."""
    assert problem.missing is not None
    assert problem.visits
    days = (today - since).days + 1
    return -(-problem.missing * days // problem.visits)


def dropped_labels(dropped: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """Where nothing was counted, what arrived instead: label and how often.

    A collector of another version may know reasons that this one does not; the labels leave out
    what is no drop.
    """
    return tuple((DROPS[reason], n) for reason, n in dropped.items() if reason in DROPS)
