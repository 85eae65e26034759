"""One question in the reader's language: what its cohorts are called, how figures are written."""

from __future__ import annotations

import math

from app.contrasting.fields import FieldRow
from app.contrasting.question import Question
from app.contrasting.zones import ZoneRow
from app.pages.words import N_, Words
from heatmap.intervals import Interval

COHORTS = {
    "outcome:abandoned": N_("Abandoners"),
    "outcome:completed": N_("Completers"),
    "outcome:handed_over": N_("Those on the way to payment"),
    "device:phone": N_("Phones"),
    "device:tablet": N_("Tablets"),
    "device:desktop": N_("Computers"),
    "capture:css": N_("Visits without script"),
    "capture:script": N_("Visits with script"),
}
"""What common cohorts are called; others are A and B, and told beside."""

WHOLE_FROM_S = 10
"""Clocks do not know more than whole seconds from here on."""


class Telling:
    """Names and figures of one question."""

    def __init__(self, question: Question, words: Words) -> None:
        self.question, self.words = question, words

    def _(self, message: str, **values: object) -> str:
        told = self.words.catalogue.gettext(message)
        return told % values if values else told

    def ngettext(self, one: str, many: str, n: int, **values: object) -> str:
        told = self.words.catalogue.ngettext(one, many, n)
        return told % {"n": self.words.number(n), **values}

    # Cohorts --------------------------------------------------------------------------------------

    def names(self) -> tuple[str, str]:
        """What both cohorts are called at the head of a column."""
        query = self.question.query
        return self._name(query.a, N_("Cohort A")), self._name(query.b, N_("Cohort B"))

    def within(self) -> tuple[str, str]:
        """The same in the midst of a sentence."""
        first, second = map(self._lower, self.names())
        return first, second

    def _name(self, expression: str, otherwise: str) -> str:
        variant = expression.removeprefix("variant:")
        if variant.isdecimal():
            return self._("Variant %(n)s", n=variant)
        return self._(COHORTS.get(expression, otherwise))

    def _lower(self, name: str) -> str:
        lettered = (self._("Cohort A"), self._("Cohort B"))
        return name if name in lettered else name[:1].lower() + name[1:]

    # Figures --------------------------------------------------------------------------------------

    def seconds(self, value: float) -> str:
        if not math.isfinite(value):
            return "–"
        return self._("%(n)s s", n=self.words.number(value, 0 if value >= WHOLE_FROM_S else 1))

    def p(self, value: float) -> str:
        return self.words.number(value, 3)

    def rate(self, told: Interval) -> str:
        """A share of visits; a dash where nobody could."""
        return self.words.share(told.value) if math.isfinite(told.value) else "–"

    def margin(self, told: Interval) -> str:
        """The interval around a share, in per cent."""
        if not math.isfinite(told.value):
            return ""
        return f"{self.words.number(100 * told.low)}–{self.words.number(100 * told.high)}"

    def ratio(self, told: Interval) -> str:
        """How many times as long, with its margin; a dash where it is not known."""
        if not math.isfinite(told.value):
            return "–"
        return self._("%(value)s (%(low)s–%(high)s)", **self.written(told))

    def written(self, told: Interval) -> dict[str, str]:
        """An estimate and the ends of its interval, as one message takes them."""
        return self.words.around(told.value, told.low, told.high)

    # Zones ----------------------------------------------------------------------------------------

    def times(self, zone: ZoneRow) -> str:
        return self.ratio(zone.difference.ratio) if zone.difference else "–"

    def p_of(self, zone: ZoneRow | FieldRow) -> float:
        """Of the one zone that was asked about in advance its own, else the one that is corrected
        for all zones."""
        planned = self.question.query.planned_zone == zone.number
        return zone.judged.p_planned if planned else zone.judged.p

    def confidence(self, zone: ZoneRow) -> str:
        """What the verdict says of a zone."""
        p = self.p_of(zone)
        if zone.difference and zone.difference.first.value == zone.difference.second.value == 0:
            return self._("nobody dwelt here")
        if not math.isfinite(p):
            return self._("too early to be sure")
        if zone.significant:
            return self._("chance is seldom so large (p = %(p)s)", p=self.p(p))
        return self._("may be chance (p = %(p)s)", p=self.p(p))
