"""Two answers beside one another tell of nobody: what a live shop does not tell of its cohorts.

The rule of maps (`app/mapping/small_numbers.py`, docs/decisions/0019-small-numbers.md), for answers
about all visits that a filter chooses and about two cohorts of them. It counts the visits that an
answer rests on: those whose browsers could tell of stalls.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from app.contrasting.asked import CohortFilter, CohortsQuery, VisitFilter
from app.contrasting.reading import Flags, PageVisits, Visits
from app.mapping.live import refuse_unlisted
from app.mapping.small_numbers import Apart, is_too_few, neighbours, refusal
from app.problems import TooFewApart

DAY = timedelta(days=1)
EDGES = {"date_from": -1, "date_to": 1}


def refuse_free_widths(query: CohortsQuery) -> None:
    """Raises BadParameters: of a live shop widths are told by band, those of cohorts too."""
    refuse_unlisted(query)
    for name, cohort in zip(("a", "b"), query.cohorts, strict=True):
        refuse_unlisted(cohort, name)


def refuse_apart(wide: PageVisits, by: VisitFilter, period: tuple[date, date], least: int) -> None:
    """Raises TooFewApart where the same question with another value of a filter, or with a day more
    or less at an edge that was asked for, would hold a few visits more or less.

    wide  every visit of the period and of the day before and after it
    """
    able, undated = wide.visits.able, by.undated()
    beside = _beside(wide.visits, undated, wide.on(*period) & able)
    if (apart := refusal(beside, least)) is not None:
        raise TooFewApart(apart.change, least)
    passing = wide.visits.chosen(undated) & able
    for change, day in _edges(by, period):
        if is_too_few(int((wide.on(day, day) & passing).sum()), least):
            raise TooFewApart(change, least)


def _beside(visits: Visits, by: VisitFilter, within: Flags) -> Iterator[Apart]:
    """By how many visits every neighbour of a choice differs from it."""
    ours = visits.chosen(by) & within
    for neighbour in neighbours(by):
        theirs = visits.chosen(neighbour.query) & within
        one, other = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
        # Visits are of one side or of the other here: a page view is not told from its visit.
        yield Apart(neighbour.change, one, other, one + other, neighbour.gives_way)


def _edges(by: VisitFilter, period: tuple[date, date]) -> Iterator[tuple[str, date]]:
    for name, day in zip(EDGES, period, strict=True):
        if getattr(by, name) is not None:
            yield f"with another {name}", day
            yield f"with another {name}", day + EDGES[name] * DAY


def may_be_told(visits: Visits, cohort: CohortFilter, least: int) -> bool:
    """Whether a cohort of the chosen visits is told of alone: it has enough, and so has whatever
    the same cohort with another value of a filter, or with a day more or less, would hold beside.
    """
    own = visits.chosen(cohort) & visits.able
    if int(own.sum()) < least:
        return False
    if refusal(_beside(visits, cohort, visits.able), least) is not None:
        return False
    return not any(is_too_few(int(days.sum()), least) for days in _on_edges(visits, cohort))


def _on_edges(visits: Visits, cohort: CohortFilter) -> Iterator[Flags]:
    """Visits on the day that an edge of the cohort includes last, on the day beyond it, and on all
    days beyond it."""
    own = visits.chosen(cohort)
    for name, step in EDGES.items():
        day = getattr(cohort, name)
        if day is not None:
            others = visits.chosen(cohort.model_copy(update={name: None})) & visits.able
            yield others & ~own
            for edge in (day, day + step * DAY):
                yield others & (visits.day == edge.toordinal())
