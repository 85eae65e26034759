"""What a contrast rests on, in whole sentences: labels, what is left out, stages, the verdict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil

from app.contrasting.pixels import PixelAnswer
from app.contrasting.question import Question
from app.contrasting.schedule import DOUBLE, FAR, RANKED_FROM, Milestone, Stage
from app.pages.reading.telling import Telling
from app.pages.words import N_
from collector.codes import Outcome
from heatmap.planning import MIN_VISITS, visits_needed

STAGES = {
    Stage.PLAIN: N_("The form report, plain maps, and where most visits ended"),
    Stage.RANKED: N_("Zones ranked, with their margins: too early to be sure"),
    Stage.TESTED: N_("Differences tested, once a week"),
    Stage.POWERED: N_("A place where one dwells twice as long would have been seen"),
}
HELD = {
    ("device", "week"): N_("Each visit is compared with those of its device and week."),
    ("device",): N_(
        "Each visit is compared with those of its device; weeks cannot be held, for they tell the "
        "two apart."
    ),
    ("week",): N_(
        "Each visit is compared with those of its week; devices cannot be held, for they tell the "
        "two apart."
    ),
    (): N_(
        "All visits are compared with one another: device and week tell the two apart, and may be "
        "what makes them differ."
    ),
}


@dataclass(frozen=True, slots=True)
class Step:
    """A stage, and its day in words."""

    name: str
    on: str
    reached: bool
    present: bool


def truth(telling: Telling) -> str:
    """How right the labels are, as far as the shop lets it be known."""
    told = telling.question.truth
    if not told.reported:
        return telling._(
            "The shop’s server reports no orders, so nobody can tell how many of the visits called "
            "abandoned did order."
        )
    matched = telling._(
        "%(matched)s of %(reported)s orders that the shop reports were matched to a visit.",
        matched=telling.words.number(told.matched),
        reported=telling.words.number(told.reported),
    )
    return " ".join([matched, *_wrongly(telling)])


def _wrongly(telling: Telling) -> Iterator[str]:
    """The share of those called abandoned that the unmatched orders could be."""
    question = telling.question
    missing = question.truth.reported - question.truth.matched
    gone = int((question.found.visits.outcome == Outcome.ABANDONED).sum())
    if missing and gone:
        yield telling._(
            "The others may be among those called abandoned: up to %(share)s of them.",
            share=telling.words.share(min(missing / gone, 1.0)),
        )


def left_out(telling: Telling) -> str:
    """Visits that belong to neither."""
    question = telling.question
    handed = telling.ngettext(
        "%(n)s visit that pressed pay and whose end is unknown",
        "%(n)s visits that pressed pay and whose end is unknown",
        question.handed_over,
    )
    undecided = telling.ngettext(
        "%(n)s not decided yet", "%(n)s not decided yet", question.undecided
    )
    return telling._(
        "Counted as neither: %(handed)s, %(undecided)s.", handed=handed, undecided=undecided
    )


def held(telling: Telling) -> str:
    """Within what visits are compared."""
    return telling._(HELD[telling.question.held])


def association(telling: Telling) -> str:
    """Why a difference is no cause; nothing where variants were dealt out."""
    query = telling.question.query
    if query.randomised:
        return ""
    if query.by_outcome:
        return telling._("An association: visitors may stall because they already doubt.")
    return telling._(
        "An association: who is in the one cohort may differ from the other in more than this."
    )


def steps(telling: Telling) -> tuple[Step, ...]:
    """The four stages with their days, at this shop's own rate."""
    present = telling.question.stage
    return tuple(
        Step(
            name=telling._(STAGES[one.stage]),
            on=_day(telling, one, present=one.stage is present),
            reached=one.reached,
            present=one.stage is present,
        )
        for one in telling.question.milestones()
    )


def drawn_on(question: Question, drawn: PixelAnswer | None) -> date | None:
    """About when both cohorts have enough visits for a map of their difference.

    drawn  what there is in one layout, None where all layouts together have too few
    None where they have, where the period is over, or where one cohort has none to go by
    """
    sizes = question.sizes if drawn is None else drawn.visits
    first, last = question.period
    if last < question.today or not min(sizes) or min(sizes) >= MIN_VISITS:
        return None
    days = (question.today - first).days + 1
    wait = timedelta(max(ceil((MIN_VISITS - n) * days / n) for n in sizes))
    return question.today + wait if wait <= FAR else None


def _day(telling: Telling, milestone: Milestone, *, present: bool) -> str:
    """Nothing where no visit yet tells since when the first stage holds."""
    on: date | None = milestone.on
    if on is None:
        return "" if present else telling._("not at this rate")
    day = telling.words.day(on)
    if milestone.reached:
        return telling._("since %(day)s", day=day)
    return telling._("about %(day)s", day=day)


def needed(telling: Telling) -> str:
    return telling._(
        "From %(ranked)s visits zones are ranked, from %(tested)s of each they are tested, and "
        "%(powered)s of each show a place where one dwells twice as long.",
        ranked=telling.words.number(RANKED_FROM),
        tested=telling.words.number(MIN_VISITS),
        powered=telling.words.number(visits_needed(DOUBLE)),
    )


def verdict(telling: Telling) -> str:
    """Which verdict stands, and when the next one comes."""
    told, words = telling.question.verdict, telling.words
    if told.until is None:
        return telling._(
            "Whether a difference is more than chance is decided once a week, of complete weeks; "
            "the first time on %(day)s.",
            day=words.day(told.next or telling.question.today),
        )
    stands = telling._(
        "Colours and seconds are of today; p is of the visits before %(day)s, decided once a week.",
        day=words.day(told.until),
    )
    if told.next is None:
        return stands
    return " ".join([stands, telling._("The next time: %(day)s.", day=words.day(told.next))])
