"""Cohorts that a reader may want beside one another, ready made: nobody has to write a filter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from app.changes import Change
from app.contrasting.asked import ABANDONED, COMPLETED, read_cohort
from app.contrasting.question import Question
from app.pages.reading.telling import Telling
from app.picturing.layouts import Layout

DAY = timedelta(days=1)
MOST_CHANGES = 3
"""Of the page's looks, the newest: a menu of all of them is read by nobody."""

MOST_VARIANTS = 4


@dataclass(frozen=True, slots=True)
class Pair:
    """Two cohorts, and what their comparison is called."""

    label: str
    a: str
    b: str


def ready_made(telling: Telling, changes: Iterable[Change] = ()) -> tuple[Pair, ...]:
    """Comparisons for which this page has visits on both sides, the usual one first.

    changes  that the shop wrote down, of this page or of all
    """
    usual = Pair(telling._("Abandoners against completers"), ABANDONED, COMPLETED)
    dated = (*_written(telling, changes), *_pictured(telling))
    others = (*_devices(telling), *_variants(telling), *dated)
    return (usual, *(pair for pair in others if _both(telling.question, pair)))


def _both(question: Question, pair: Pair) -> bool:
    chosen = (question.found.visits.chosen(read_cohort(one)) for one in (pair.a, pair.b))
    return min(int(cohort.sum()) for cohort in chosen) >= max(question.least, 1)


def _devices(telling: Telling) -> Iterator[Pair]:
    yield Pair(telling._("Phones against computers"), "device:phone", "device:desktop")


def _variants(telling: Telling) -> Iterator[Pair]:
    """Each against the first one."""
    first, *others = [int(n) for n in np.unique(telling.question.found.visits.variant)] or [0]
    for number in others[: MOST_VARIANTS - 1]:
        label = telling._("Variant %(n)s against %(of)s", n=number, of=first)
        yield Pair(label, f"variant:{number}", f"variant:{first}")


def _written(telling: Telling, changes: Iterable[Change]) -> Iterator[Pair]:
    """Since a change that the shop wrote down, against before; its own day is half of each."""
    site, (first, last) = telling.question.site, telling.question.period
    dated = [(site.day_of(change.at), change.text) for change in changes]
    within = [(day, text) for day, text in dated if first < day < last]
    for day, text in sorted(within, reverse=True)[:MOST_CHANGES]:
        label = telling._(
            "Since “%(text)s” (%(day)s) against before", text=text, day=telling.words.day(day)
        )
        yield Pair(label, f"date_from:{day + DAY}", f"date_to:{day - DAY}")


def _pictured(telling: Telling) -> Iterator[Pair]:
    """Since the page looks otherwise, against before."""
    for day in _days_of_change(telling.question):
        label = telling._(
            "Since the page changed on %(day)s against before", day=telling.words.day(day)
        )
        yield Pair(label, f"date_from:{day}", f"date_to:{day - DAY}")


def _days_of_change(question: Question) -> list[date]:
    """Days on which a layout took another's place, within the period; the newest first."""
    site, (first, last) = question.site, question.period
    by_look: dict[tuple[int, str, int, int], list[Layout]] = {}
    for one in question.layouts:
        by_look.setdefault((one.band, one.pointer, one.language, one.variant), []).append(one)
    later = (
        site.day_of(layout.valid_from)
        for looks in by_look.values()
        for layout in sorted(looks, key=lambda one: one.valid_from)[1:]
    )
    return sorted({day for day in later if first < day <= last}, reverse=True)[:MOST_CHANGES]
