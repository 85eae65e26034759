"""Two answers beside one another tell of nobody: what a live shop does not tell of its cohorts.

The rule of maps (docs/decisions/0019-small-numbers.md), for answers about all visits that a filter
chooses and about two cohorts of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from app.contrasting.asked import CohortFilter, VisitFilter
from app.contrasting.reading import Flags, PageVisits, Visits
from app.problems import TooFewApart

DAY = timedelta(days=1)
EDGES = {"date_from": -1, "date_to": 1}


def is_too_few(visits: int, least: int) -> bool:
    """Somebody, and fewer than may be told of."""
    return 0 < visits < least


def refuse_apart(wide: PageVisits, by: VisitFilter, period: tuple[date, date], least: int) -> None:
    """Raises TooFewApart where the same question with a filter less, or with a day more or less at
    an edge that was asked for, would hold a few visits more or less.

    wide  every visit of the period and of the day before and after it
    """
    within = wide.on(*period)
    undated = by.undated()
    passing = wide.visits.chosen(undated)
    for name in undated.model_dump(exclude_none=True):
        more = within & wide.visits.chosen(undated.model_copy(update={name: None})) & ~passing
        if is_too_few(int(more.sum()), least):
            raise TooFewApart(f"without {name}", least)
    for change, day in _edges(by, period):
        if is_too_few(int((wide.on(day, day) & passing).sum()), least):
            raise TooFewApart(change, least)


def _edges(by: VisitFilter, period: tuple[date, date]) -> Iterator[tuple[str, date]]:
    for name, day in zip(EDGES, period, strict=True):
        if getattr(by, name) is not None:
            yield f"with another {name}", day
            yield f"with another {name}", day + EDGES[name] * DAY


def may_be_told(visits: Visits, cohort: CohortFilter, least: int) -> bool:
    """Whether a cohort of the chosen visits is told of alone: it has enough, and so has whatever
    the same cohort with a filter less, or with a day more or less, would hold beside."""
    own = visits.chosen(cohort)
    if int(own.sum()) < least:
        return False
    wider = (
        visits.chosen(cohort.model_copy(update={name: None})) & ~own
        for name in cohort.model_dump(exclude_none=True)
    )
    return not any(
        is_too_few(int(beside.sum()), least) for beside in (*wider, *_on_edges(visits, cohort))
    )


def _on_edges(visits: Visits, cohort: CohortFilter) -> Iterator[Flags]:
    """Visits on the day that an edge of the cohort includes last, and on the day beyond it."""
    for name, step in EDGES.items():
        day = getattr(cohort, name)
        if day is not None:
            others = visits.chosen(cohort.model_copy(update={name: None}))
            for edge in (day, day + step * DAY):
                yield others & (visits.day == edge.toordinal())
