"""The sentences that a shop opens with: how many order, where most time is lost, how sure that is.

A shop with few visits is told its few, with an interval as wide as they make it; one with fewer
than its threshold is told that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from app.context import Context
from app.contrasting.asked import ZonesQuery
from app.contrasting.question import ask, least_of
from app.contrasting.zones import ZoneAnswer, zone_answer
from app.drawing.keeping import Sentence
from app.pages.queries import Counts, Ends
from app.pages.reading.finding import finding
from app.pages.reading.telling import Telling
from app.pages.words import Words
from app.problems import TooFewVisits
from collector.codes import Phase
from collector.sites import Page, Site
from heatmap.intervals import rate_difference, rate_interval

DAYS = 30
MINUS = "\N{MINUS SIGN}"
NOTHING = Sentence("", -math.inf)
MOST_PAGES = 6
"""A checkout has four or five; more contrasts would make the first look of a day wait."""

SURE = 1e6
"""Makes what was decided outweigh everything that was not."""

PLAIN = 1e-6
"""Makes any contrast outweigh plain seconds."""


@dataclass(frozen=True, slots=True)
class Opening:
    """conversion, stall: sentences; `stall` is about `page`, None where too few met any page."""

    conversion: str
    page: Page | None
    stall: str


async def opening(
    context: Context, site: Site, ends: tuple[Ends, Ends], views: Mapping[int, Counts], words: Words
) -> Opening:
    told = [
        (await stall_sentence(context, site, page, words), page) for page in on_the_way(site, views)
    ]
    sentence, page = max(told, key=lambda one: one[0].weight, default=(NOTHING, None))
    conversion = conversion_sentence(site, ends, words)
    return Opening(conversion, page if sentence.text else None, sentence.text)


def on_the_way(site: Site, views: Mapping[int, Counts]) -> list[Page]:
    """Pages before the order that enough visits met, the most visited first."""
    least = least_of(site)
    met = {number: counts.visits for number, counts in views.items() if counts.visits >= least}
    pages = (page for page in site.pages.values() if page.phase != Phase.DONE)
    known = [page for page in pages if page.page_id in met]
    return sorted(known, key=lambda page: -met[page.page_id])[:MOST_PAGES]


async def stall_sentence(context: Context, site: Site, page: Page, words: Words) -> Sentence:
    """The finding of the page's default question; kept until the shop's data change."""
    today = site.day_of(context.clock())
    name = f"{site.site_id} {site.state} {page.page_id} {today} {words.language}"
    make = partial(_found, context, site, page, words)
    return await context.overlays.sentences.get(
        name, make, shop=site.site_id, version=site.data_version
    )


async def _found(context: Context, site: Site, page: Page, words: Words) -> Sentence:
    try:
        question = await ask(context.store, site, page, ZonesQuery(), context.clock())
    except TooFewVisits:
        return NOTHING
    answer = await zone_answer(question, context.renders)
    return Sentence(finding(Telling(question, words), answer), _weight(answer))


def _weight(answer: ZoneAnswer) -> float:
    """Seconds that those who abandon lose more, in all; what is sure before what is not, and where
    nothing can be contrasted yet all seconds that were told of."""
    first = next((zone for zone in answer.zones if zone.difference is not None), None)
    called = next((zone for zone in answer.zones if zone.significant), first)
    if called is None or called.difference is None:
        return PLAIN * float(answer.question.told.seconds.sum())
    told = called.difference
    apart_s = told.first.value - told.second.value
    lost_s = apart_s * told.first_exposed if math.isfinite(apart_s) else 0.0
    return SURE * lost_s if called.significant else lost_s


def conversion_sentence(site: Site, ends: tuple[Ends, Ends], words: Words) -> str:
    _, ngettext = words.catalogue.gettext, words.catalogue.ngettext
    now, before = ends
    if not any(page.goal for page in site.pages.values()) and not now.completed:
        return _(
            "Nothing tells which visits order: mark the thank-you page as the shop’s goal, or let "
            "the shop report its orders."
        )
    if not now.decided:
        return _("No visit reached the checkout in the last %(days)s days.") % {"days": DAYS}
    least = least_of(site)
    if now.decided < least:
        return ngettext(
            "Too few visits reached the checkout in the last %(days)s days to say how many order: "
            "that takes %(n)s.",
            "Too few visits reached the checkout in the last %(days)s days to say how many order: "
            "that takes %(n)s.",
            least,
        ) % {"days": DAYS, "n": words.number(least)}
    rate = rate_interval(now.completed, now.decided)
    told = ngettext(
        "Of %(n)s visit that reached the checkout in the last %(days)s days %(share)s ordered "
        "(%(low)s to %(high)s).",
        "Of %(n)s visits that reached the checkout in the last %(days)s days %(share)s ordered "
        "(%(low)s to %(high)s).",
        now.decided,
    ) % {
        "n": words.number(now.decided),
        "days": DAYS,
        "share": words.share(rate.value),
        "low": words.share(rate.low),
        "high": words.share(rate.high),
    }
    return f"{told} {change_sentence(now, before, least, words)}"


def change_sentence(now: Ends, before: Ends, least: int, words: Words) -> str:
    """Against as many days before, in points of a hundred; unsure where chance may have made it."""
    _ = words.catalogue.gettext
    if before.decided < least:
        return _("There are no such visits of the %(days)s days before to compare with.") % {
            "days": DAYS
        }
    change = rate_difference(now.completed, now.decided, before.completed, before.decided)
    values = {
        "points": words.number(abs(100 * change.value)),
        "low": _signed(change.low, words),
        "high": _signed(change.high, words),
        "days": DAYS,
    }
    if change.low > 0:
        return (
            _(
                "That is %(points)s points more than in the %(days)s days before (%(low)s to "
                "%(high)s)."
            )
            % values
        )
    if change.high < 0:
        return (
            _(
                "That is %(points)s points less than in the %(days)s days before (%(low)s to "
                "%(high)s)."
            )
            % values
        )
    return (
        _(
            "Whether that is a change from the %(days)s days before is not sure (%(low)s to "
            "%(high)s points)."
        )
        % values
    )


def _signed(share: float, words: Words) -> str:
    points = round(100 * share)
    return f"{'+' if points > 0 else MINUS if points < 0 else ''}{words.number(abs(points))}"
