"""The one sentence that a contrast opens with, and that of a form report.

Those who abandon and those who complete are associated with a place, not held there by it: no
sentence says that a field costs orders. Variants are dealt out, so of these alone it says "makes".
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from app.contrasting.fields import FieldAnswer
from app.contrasting.schedule import RANKED_FROM, Stage
from app.contrasting.zones import ZoneAnswer, ZoneRow
from app.pages.reading.telling import Telling
from heatmap.planning import MIN_VISITS

COMMON = 3
"""Last zones that are named while nothing can be contrasted yet."""


def finding(telling: Telling, answer: ZoneAnswer) -> str:
    """What is found, or why nothing is yet, in the words of the reader."""
    question = telling.question
    if question.why_not == "no_goal":
        return telling._(
            "Nothing tells which visits completed, so there is nothing to contrast: mark the "
            "thank-you page as the shop’s goal, or let the shop report its orders."
        )
    if question.why_not == "too_few":
        return _too_few(telling)
    called = next((zone for zone in answer.zones if zone.significant), None)
    if called is not None:
        return _called(telling, answer, called)
    if answer.tested:
        return _nothing(telling, answer)
    return _too_early(telling, answer)


def form_finding(telling: Telling, report: FieldAnswer) -> str:
    """What a form report opens with: how many met it, and the field that holds or loses them."""
    visits = telling.question.visits
    met = telling.ngettext("%(n)s visit met this form.", "%(n)s visits met this form.", visits)
    return " ".join([met, *_holding(telling, report), *_losing(telling, report)])


def _holding(telling: Telling, report: FieldAnswer) -> Iterator[str]:
    """The surest difference; of equally sure ones the largest."""
    called = [(row, row.ratio) for row in report.fields if row.significant and row.ratio]
    known = [(row, ratio) for row, ratio in called if math.isfinite(ratio.value)]
    if known:
        row, ratio = min(
            known, key=lambda one: (telling.p_of(one[0]), -abs(math.log(one[1].value)))
        )
        yield telling._(
            "%(a)s have %(field)s in focus %(ratio)s times as long as %(b)s, p = %(p)s.",
            a=telling.names()[0],
            b=telling.within()[1],
            field=row.name,
            ratio=telling.words.number(ratio.value, 1),
            p=telling.p(telling.p_of(row)),
        )


def _losing(telling: Telling, report: FieldAnswer) -> Iterator[str]:
    if telling.question.why_not == "no_goal":
        return
    row = max(report.fields, key=lambda one: one.everybody.left_from, default=None)
    if row is not None and row.everybody.left_from > 0:
        yield telling.ngettext(
            "Of the fields most is lost at %(field)s: %(n)s visit ended there.",
            "Of the fields most is lost at %(field)s: %(n)s visits ended there.",
            row.everybody.left_from,
            field=row.name,
        )


def _called(telling: Telling, answer: ZoneAnswer, zone: ZoneRow) -> str:
    told = zone.difference
    assert told is not None
    words = telling.words
    sentence = telling._(
        "%(a)s spend %(first)s at %(zone)s, %(b_low)s %(second)s: %(n)s of %(of)s visits, "
        "p = %(p)s.",
        a=telling.names()[0],
        b_low=telling.within()[1],
        zone=zone.name,
        first=telling.seconds(told.first.value),
        second=telling.seconds(told.second.value),
        n=words.number(told.first_concerned),
        of=words.number(told.first_exposed),
        p=telling.p(telling.p_of(zone)),
    )
    return " ".join([sentence, *_bound(telling, answer), *_cause(telling)])


def _bound(telling: Telling, answer: ZoneAnswer) -> Iterator[str]:
    if answer.bound is not None:
        yield telling.ngettext(
            "If all of them had ordered as the others do, at most %(n)s order a month (%(low)s to "
            "%(high)s): an upper bound, not a promise.",
            "If all of them had ordered as the others do, at most %(n)s orders a month (%(low)s to "
            "%(high)s): an upper bound, not a promise.",
            answer.bound.orders,
            low=telling.words.number(answer.bound.low),
            high=telling.words.number(answer.bound.high),
        )


def _cause(telling: Telling) -> Iterator[str]:
    if telling.question.query.randomised:
        yield telling._(
            "Visits were dealt out at random over the variants: the variant makes the difference."
        )


def _nothing(telling: Telling, answer: ZoneAnswer) -> str:
    first, second = answer.judged_visits
    values = {"a": telling.words.number(first), "b": telling.words.number(second)}
    if not math.isfinite(answer.detectable_ratio):
        return telling._("Nothing differs for sure among %(a)s and %(b)s visits.", **values)
    return telling._(
        "Nothing differs for sure among %(a)s and %(b)s visits. A place where one of the two "
        "dwells %(ratio)s times as long would have shown in four of five cases.",
        ratio=telling.words.number(answer.detectable_ratio, 1),
        **values,
    )


def _too_early(telling: Telling, answer: ZoneAnswer) -> str:
    known = (zone.difference for zone in answer.zones if zone.difference is not None)
    told = next((one for one in known if math.isfinite(one.ratio.value)), None)
    if told is None:
        return " ".join([telling._("Too early to be sure of anything."), *_until(telling)])
    if told.ratio.low <= 1 <= told.ratio.high:
        nothing = telling._("Too early to be sure: no place differs by more than chance may make.")
        return " ".join([nothing, *_until(telling)])
    number = answer.question.told.numbers[told.zone]
    ranked = telling._(
        "Too early to be sure: at %(zone)s the two differ most, %(first)s against %(second)s "
        "(%(low)s to %(high)s times as long).",
        zone=answer.question.zone_name(number),
        first=telling.seconds(told.first.value),
        second=telling.seconds(told.second.value),
        low=telling.words.number(told.ratio.low, 1),
        high=telling.words.number(told.ratio.high, 1),
    )
    return " ".join([ranked, *_until(telling)])


def _until(telling: Telling) -> Iterator[str]:
    """When the first verdict is passed."""
    question = telling.question
    milestone = next(one for one in question.milestones() if one.stage is Stage.TESTED)
    if milestone.on is None:
        yield telling._(
            "A test takes %(n)s visits of both; at this rate they do not come.",
            n=telling.words.number(MIN_VISITS),
        )
        return
    day = max(milestone.on, question.verdict.next or milestone.on)
    yield telling._("It is tested from %(day)s on.", day=telling.words.day(day))


def _too_few(telling: Telling) -> str:
    first, second = map(telling.words.number, telling.question.sizes)
    if telling.question.query.is_default:
        told = telling._(
            "%(first)s visits abandoned and %(second)s completed so far: too few to contrast.",
            first=first,
            second=second,
        )
    else:
        told = telling._(
            "%(first)s visits of the one and %(second)s of the other so far: too few to contrast.",
            first=first,
            second=second,
        )
    return " ".join([told, *_awaited(telling), *_last_zones(telling)])


def _awaited(telling: Telling) -> Iterator[str]:
    """From how many visits on there is a contrast, and about when."""
    question, words = telling.question, telling.words
    milestone = next(one for one in question.milestones() if one.stage is Stage.RANKED)
    if not max(question.sizes):
        yield telling._("A visit is decided when it orders, or when its hours to do so are over.")
    elif not min(question.sizes):
        yield telling._("Of one of the two there is none yet, so nothing foretells when that ends.")
    elif milestone.reached:
        yield telling._("Each of the two takes %(n)s.", n=words.number(question.least))
    elif milestone.on is None:
        yield telling._("At this rate there will not be enough.")
    else:
        yield telling._(
            "That takes %(n)s of both together: about %(day)s.",
            n=words.number(RANKED_FROM),
            day=words.day(milestone.on),
        )


def _last_zones(telling: Telling) -> Iterator[str]:
    """Where most visits that ended on the page told of something last."""
    question, words = telling.question, telling.words
    left = question.told.acts.last
    counts = [(int((left == n).sum()), n) for n in range(len(question.told.numbers))]
    counts = sorted((one for one in counts if one[0]), key=lambda one: (-one[0], one[1]))
    gone = int(question.found.visits.left.sum())
    if counts and gone >= question.least:
        listed = ", ".join(
            f"{question.zone_name(question.told.numbers[n])} ({words.number(times)})"
            for times, n in counts[:COMMON]
        )
        yield telling._(
            "Of %(n)s visits that ended here the last sign came from: %(zones)s.",
            n=words.number(gone),
            zones=listed,
        )
