"""The sentences that a shop opens with: how many order, where most time is lost, how sure that is.

A shop with few visits is told its few, with an interval as wide as they make it; one with fewer
than its threshold is told that.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.context import Context
from app.contrasting.asked import ZonesQuery
from app.contrasting.question import Question, Subject, ask_all, first_days_of, least_of
from app.contrasting.zones import ZoneAnswer, zone_answer
from app.drawing.keeping import Sentence
from app.pages.queries import Counts, Ends, Recent
from app.pages.reading.finding import finding
from app.pages.reading.telling import Telling
from app.pages.words import Words
from collector.codes import Phase
from collector.sites import Page, Site
from heatmap.intervals import rate_difference, rate_interval

DAYS = 30
MINUS = "\N{MINUS SIGN}"
NOTHING = Sentence("", -math.inf)
MOST_PAGES = 6
"""A checkout has four or five; more contrasts would make the first look of a day wait."""

MOST_VIEWS = 50_000
"""Of the last month, that are read at once: what they told takes some 50 MB until it is columns.
A page that has more is read alone."""

Key = tuple[int, int]
"""Shop and page."""

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


def unsaid(context: Context, sites: Sequence[Site], words: Words) -> list[tuple[Site, Page]]:
    """Pages that no sentence is kept of: `openings_of` will want their first days."""
    pages = _named(context, sites, words)
    return [pages[name] for name in context.overlays.sentences.lacks(_owners(pages))]


async def openings_of(
    context: Context, sites: Sequence[Site], words: Words, recent: Recent
) -> dict[int, Opening]:
    """By shop: however many there are, each question is asked once.

    recent  with the first days of pages that are `unsaid`
    """
    pages = _named(context, sites, words)

    async def make(names: list[str]) -> dict[str, Sentence]:
        of_pages = [pages[name] for name in names]
        found = await _sentences(context, of_pages, recent, words)
        return {name: found[_key(*pages[name])] for name in names}

    told = await context.overlays.sentences.get_all(_owners(pages), make)
    by_page = {
        _key(*pages[name]): sentence
        for name, sentence in told.items()
        if isinstance(sentence, Sentence)
    }
    return {site.site_id: _opening(site, recent, by_page, words) for site in sites}


def _named(context: Context, sites: Sequence[Site], words: Words) -> dict[str, tuple[Site, Page]]:
    """Pages by what their sentences are kept under."""
    return {_name(context, site, page, words): (site, page) for site, page in _asked(sites)}


def _owners(pages: Mapping[str, tuple[Site, Page]]) -> dict[str, tuple[int, int]]:
    return {name: (site.site_id, site.data_version) for name, (site, _) in pages.items()}


def _opening(
    site: Site, recent: Recent, sentences: Mapping[Key, Sentence], words: Words
) -> Opening:
    met = on_the_way(site, recent.counts.get(site.site_id, {}))
    told = [(sentences[_key(site, page)], page) for page in met]
    sentence, page = max(told, key=lambda one: one[0].weight, default=(NOTHING, None))
    conversion = conversion_sentence(site, recent.ends[site.site_id], words)
    return Opening(conversion, page if sentence.text else None, sentence.text)


def _key(site: Site, page: Page) -> Key:
    return site.site_id, page.page_id


def _asked(sites: Iterable[Site]) -> list[tuple[Site, Page]]:
    """Pages before the order."""
    return [
        (site, page) for site in sites for page in site.pages.values() if page.phase != Phase.DONE
    ]


def _name(context: Context, site: Site, page: Page, words: Words) -> str:
    """What a page's sentence is kept under, until the shop's data change."""
    today = site.day_of(context.clock())
    return f"{site.site_id} {site.state} {page.page_id} {today} {words.language}"


def on_the_way(site: Site, views: Mapping[int, Counts]) -> list[Page]:
    """Pages before the order that enough visits met, the most visited first."""
    least = least_of(site)
    met = {number: counts.visits for number, counts in views.items() if counts.visits >= least}
    pages = (page for page in site.pages.values() if page.phase != Phase.DONE)
    known = [page for page in pages if page.page_id in met]
    return sorted(known, key=lambda page: -met[page.page_id])[:MOST_PAGES]


async def _sentences(
    context: Context, pages: Sequence[tuple[Site, Page]], recent: Recent, words: Words
) -> dict[Key, Sentence]:
    """The finding of each page's default question; NOTHING where too few met it."""
    found = dict.fromkeys((_key(*one) for one in pages), NOTHING)
    sites = {site.site_id: site for site, _ in pages}.values()
    met = [
        (site, page)
        for site in sites
        for page in on_the_way(site, recent.counts.get(site.site_id, {}))
        if _key(site, page) in found
    ]
    late = [one for one in met if _key(*one) not in recent.first_days]
    first_days = {**recent.first_days, **await first_days_of(context.store, late)}
    for part in _parts(met, recent):
        subjects = [Subject(*one, first_days[_key(*one)]) for one in part]
        answers = await ask_all(context.store, subjects, ZonesQuery(), context.clock())
        for one in reversed(part):  # each is let go once its sentence is told
            question = answers.pop()
            if isinstance(question, Question):
                answer = await zone_answer(question, context.renders)
                text = finding(Telling(question, words), answer)
                found[_key(*one)] = Sentence(text, _weight(answer))
    return found


def _parts(pages: Iterable[tuple[Site, Page]], recent: Recent) -> Iterator[list[tuple[Site, Page]]]:
    """So many pages at a time that their views are few enough to be held."""
    part: list[tuple[Site, Page]] = []
    views = 0
    for site, page in pages:
        more = recent.counts[site.site_id][page.page_id].views
        if part and views + more > MOST_VIEWS:
            yield part
            part, views = [], 0
        part.append((site, page))
        views += more
    if part:
        yield part


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
        return _("The %(days)s days before had too few such visits to compare with.") % {
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
