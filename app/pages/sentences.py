"""What a contrast says, in whole sentences of the reader's language.

Those who abandon and those who complete are associated with a place, not held there by it: no
sentence says that a field costs orders. Variants are dealt out, so of these alone it says "makes".
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from app.contrasting.question import Question
from app.contrasting.schedule import Stage
from app.contrasting.zones import ZoneAnswer, ZoneRow
from app.pages.words import N_, Words
from collector.codes import Outcome
from heatmap.planning import MIN_VISITS, visits_needed

COMMON = 3
"""Last zones that are named while nothing can be contrasted yet."""

STAGES = {
    Stage.PLAIN: N_("The form report, plain maps, and where most visits ended"),
    Stage.RANKED: N_("Zones ranked, with their margins: too early to be sure"),
    Stage.TESTED: N_("Differences tested, once a week"),
    Stage.POWERED: N_("A place where one dwells twice as long would have been seen"),
}
COHORTS = {
    "outcome:abandoned": N_("Abandoners"),
    "outcome:completed": N_("Completers"),
}
"""What the usual cohorts are called; others are A and B, and told beside."""


@dataclass(frozen=True, slots=True)
class Step:
    """A stage, and its day in words."""

    name: str
    on: str
    reached: bool
    present: bool


class Telling:
    """The sentences about one question, in one language."""

    def __init__(self, question: Question, words: Words) -> None:
        self._question, self._words = question, words

    def _(self, message: str, **values: object) -> str:
        told = self._words.catalogue.gettext(message)
        return told % values if values else told

    def ngettext(self, one: str, many: str, n: int, **values: object) -> str:
        told = self._words.catalogue.ngettext(one, many, n)
        return told % {"n": self._words.number(n), **values}

    # Cohorts --------------------------------------------------------------------------------------

    def names(self) -> tuple[str, str]:
        """What both cohorts are called at the head of a column."""
        query = self._question.query
        return self._name(query.a, N_("Cohort A")), self._name(query.b, N_("Cohort B"))

    def within(self) -> tuple[str, str]:
        """The same in the midst of a sentence."""
        first, second = map(self._lower, self.names())
        return first, second

    def _name(self, expression: str, otherwise: str) -> str:
        return self._(COHORTS.get(expression, otherwise))

    # Seconds --------------------------------------------------------------------------------------

    def seconds(self, value: float) -> str:
        """Whole from 10 s on, with a decimal below; clocks do not know more."""
        if not math.isfinite(value):
            return "–"
        return self._("%(n)s s", n=self._words.number(value, 0 if value >= 10 else 1))

    def p(self, value: float) -> str:
        return self._words.number(value, 3)

    # The first sentence ---------------------------------------------------------------------------

    def finding(self, answer: ZoneAnswer) -> str:
        """The one sentence that the page opens with."""
        question = self._question
        if question.why_not == "no_goal":
            return self._(
                "Nothing tells which visits completed, so there is nothing to contrast: mark the "
                "thank-you page as the shop’s goal, or let the shop report its orders."
            )
        if question.why_not == "too_few":
            return self._too_few()
        called = next((zone for zone in answer.zones if zone.significant), None)
        if called is not None:
            return self._called(answer, called)
        if answer.tested:
            return self._nothing(answer)
        return self._too_early(answer)

    def _called(self, answer: ZoneAnswer, zone: ZoneRow) -> str:
        told = zone.difference
        assert told is not None
        planned = self._question.query.planned_zone == zone.number
        values = {
            "a": self.names()[0],
            "b": self.names()[1],
            "b_low": self._lower(self.names()[1]),
            "zone": zone.name,
            "first": self.seconds(told.first.value),
            "second": self.seconds(told.second.value),
            "n": self._words.number(told.first_concerned),
            "of": self._words.number(told.first_exposed),
            "p": self.p(zone.judged.p_planned if planned else zone.judged.p),
        }
        sentence = self._(
            "%(a)s spend %(first)s at %(zone)s, %(b_low)s %(second)s: %(n)s of %(of)s visits, "
            "p = %(p)s.",
            **values,
        )
        return " ".join([sentence, *self._bound(answer), *self._cause()])

    def _lower(self, name: str) -> str:
        return name[:1].lower() + name[1:] if name in map(self._, COHORTS.values()) else name

    def _bound(self, answer: ZoneAnswer) -> Iterator[str]:
        if answer.bound is not None:
            yield self.ngettext(
                "If all of them had ordered as the others do, at most %(n)s order a month: an "
                "upper bound, not a promise.",
                "If all of them had ordered as the others do, at most %(n)s orders a month: an "
                "upper bound, not a promise.",
                answer.bound.orders,
            )

    def _cause(self) -> Iterator[str]:
        if self._question.query.randomised:
            yield self._(
                "Visits were dealt out at random over the variants: the variant makes the "
                "difference."
            )

    def _nothing(self, answer: ZoneAnswer) -> str:
        first, second = answer.judged_visits
        values = {"a": self._words.number(first), "b": self._words.number(second)}
        if not math.isfinite(answer.detectable_ratio):
            return self._("Nothing differs for sure among %(a)s and %(b)s visits.", **values)
        return self._(
            "Nothing differs for sure among %(a)s and %(b)s visits. A place where one of the two "
            "dwells %(ratio)s times as long would have shown in four of five cases.",
            ratio=self._words.number(answer.detectable_ratio, 1),
            **values,
        )

    def _too_early(self, answer: ZoneAnswer) -> str:
        zone = next((z for z in answer.zones if self._known(z)), None)
        if zone is None or zone.difference is None:
            return " ".join([self._("Too early to be sure of anything."), *self._until()])
        told = zone.difference
        ranked = self._(
            "Too early to be sure: at %(zone)s the two differ most, %(first)s against %(second)s "
            "(%(low)s to %(high)s times as long).",
            zone=zone.name,
            first=self.seconds(told.first.value),
            second=self.seconds(told.second.value),
            low=self._words.number(told.ratio.low, 1),
            high=self._words.number(told.ratio.high, 1),
        )
        return " ".join([ranked, *self._until()])

    def _known(self, zone: ZoneRow) -> bool:
        return zone.difference is not None and math.isfinite(zone.difference.ratio.value)

    def _until(self) -> Iterator[str]:
        """When the first verdict is passed."""
        milestone = next(one for one in self._question.milestones() if one.stage is Stage.TESTED)
        if milestone.on is None:
            yield self._(
                "A test takes %(n)s visits of both; at this rate they do not come.",
                n=self._words.number(MIN_VISITS),
            )
            return
        day = max(milestone.on, self._question.verdict.next or milestone.on)
        yield self._("It is tested from %(day)s on.", day=self._words.day(day))

    def _too_few(self) -> str:
        question = self._question
        first, second = question.sizes
        told = self._(
            "%(first)s visits of the one and %(second)s of the other so far: too few to contrast.",
            first=self._words.number(first),
            second=self._words.number(second),
        )
        if question.query.is_default:
            told = self._(
                "%(first)s visits abandoned and %(second)s completed so far: too few to contrast.",
                first=self._words.number(first),
                second=self._words.number(second),
            )
        return " ".join([told, *self._last_zones()])

    def _last_zones(self) -> Iterator[str]:
        """Where most visits that did not complete told of something last."""
        question = self._question
        left = question.told.acts.last
        counts = [(int((left == n).sum()), n) for n in range(len(question.told.numbers))]
        counts = sorted((one for one in counts if one[0]), key=lambda one: (-one[0], one[1]))
        gone = int((question.found.visits.outcome != Outcome.COMPLETED).sum())
        if counts and gone >= question.least:
            listed = ", ".join(
                f"{question.zone_name(question.told.numbers[n])} ({self._words.number(times)})"
                for times, n in counts[:COMMON]
            )
            yield self._(
                "Of %(n)s that did not complete the last sign came from: %(zones)s.",
                n=self._words.number(gone),
                zones=listed,
            )

    # Label truth ----------------------------------------------------------------------------------

    def truth(self) -> str:
        """How right the labels are, as far as the shop lets it be known."""
        truth = self._question.truth
        if not truth.reported:
            return self._(
                "The shop’s server reports no orders, so nobody can tell how many of the visits "
                "called abandoned did order."
            )
        told = self._(
            "%(matched)s of %(reported)s orders that the shop reports were matched to a visit.",
            matched=self._words.number(truth.matched),
            reported=self._words.number(truth.reported),
        )
        return " ".join([told, *self._wrongly()])

    def _wrongly(self) -> Iterator[str]:
        """The share of those called abandoned that the unmatched orders could be."""
        question = self._question
        missing = question.truth.reported - question.truth.matched
        gone = int((question.found.visits.outcome == Outcome.ABANDONED).sum())
        if missing and gone:
            share = min(missing / gone, 1.0)
            yield self._(
                "The others may be among those called abandoned: up to %(share)s of them.",
                share=self._words.share(share),
            )

    def left_out(self) -> str:
        """Visits that belong to neither."""
        question = self._question
        handed = self.ngettext(
            "%(n)s visit pressed pay and is of unknown end",
            "%(n)s visits pressed pay and are of unknown end",
            question.handed_over,
        )
        undecided = self.ngettext(
            "%(n)s is not decided yet", "%(n)s are not decided yet", question.undecided
        )
        return self._("Of neither: %(handed)s, %(undecided)s.", handed=handed, undecided=undecided)

    # Stages ---------------------------------------------------------------------------------------

    def steps(self) -> tuple[Step, ...]:
        """The four stages with their days, at this shop's own rate."""
        present = self._question.stage
        return tuple(
            Step(
                name=self._(STAGES[one.stage]),
                on=self._day(one.on, reached=one.reached),
                reached=one.reached,
                present=one.stage is present,
            )
            for one in self._question.milestones()
        )

    def _day(self, on: date | None, *, reached: bool) -> str:
        if on is None:
            return self._("not at this rate")
        day = self._words.day(on)
        return self._("since %(day)s", day=day) if reached else self._("about %(day)s", day=day)

    def needed(self) -> str:
        return self._(
            "From 30 visits zones are ranked, from %(tested)s of each they are tested, and "
            "%(powered)s of each show a place where one dwells twice as long.",
            tested=self._words.number(MIN_VISITS),
            powered=self._words.number(visits_needed(2.0)),
        )

    def verdict(self) -> str:
        """Which verdict stands, and when the next one comes."""
        verdict = self._question.verdict
        if verdict.until is None:
            return self._(
                "Whether a difference is more than chance is decided once a week, of complete "
                "weeks; the first time on %(day)s.",
                day=self._words.day(verdict.next or self._question.today),
            )
        told = self._(
            "Colours and seconds are of today; p is of the visits before %(day)s, decided once a "
            "week.",
            day=self._words.day(verdict.until),
        )
        if verdict.next is None:
            return told
        return " ".join(
            [told, self._("The next time: %(day)s.", day=self._words.day(verdict.next))]
        )

    # Rows -----------------------------------------------------------------------------------------

    def times(self, zone: ZoneRow) -> str:
        """The ratio with its margin; a dash where it is not known."""
        if not self._known(zone) or zone.difference is None:
            return "–"
        ratio = zone.difference.ratio
        return self._(
            "%(value)s (%(low)s–%(high)s)",
            value=self._words.number(ratio.value, 1),
            low=self._words.number(ratio.low, 1),
            high=self._words.number(ratio.high, 1),
        )

    def confidence(self, zone: ZoneRow) -> str:
        """What the verdict says of a zone."""
        query = self._question.query
        p = zone.judged.p_planned if query.planned_zone == zone.number else zone.judged.p
        if not math.isfinite(p):
            return self._("too early to be sure")
        if zone.significant:
            return self._("chance is seldom so large (p = %(p)s)", p=self.p(p))
        return self._("may be chance (p = %(p)s)", p=self.p(p))
