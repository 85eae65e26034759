"""What a shop must tell of Gloed: a paragraph to paste, an entry for its register of processing,
and the stored columns; all from what is set and stored, so that it cannot say anything else."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from app.closing.forgetting import SETTLED
from app.closing.visits import window
from app.mapping.small_numbers import least_visits
from app.pages.door import shop
from app.pages.rendering import page_response
from app.pages.words import N_, WORDS, Words, words_for
from app.retention import TILES, VIEWS, Kept, kept
from collector.sites import Site
from collector.spool import RAW_KEPT
from collector.tables import RAW, metadata

router = APIRouter()
SALT_HOURS = 48
"""Of a day's beginning, wherever it begins first: see `collector.visitor.SALT_LIVES`."""

LONGEST_DAY = timedelta(hours=25)
"""When clocks are put back."""

HOLDS: Mapping[str, str] = {
    "beacon": N_("single signals of a page view, sent without a script"),
    "batch": N_("signals of the optional script: pointer, clicks, scrolling, focus"),
    "goal": N_("checkouts that were completed"),
    "view": N_("one row for each page view: when, for how long, by what kind of device"),
    "visit": N_("one row for each visit: its page views and how it ended"),
    "stall_list": N_("where a page view rested, and for how long"),
    "tile": N_("sums of a day for each map"),
    "daily": N_("counts of a day"),
    "dropped": N_("counts of what was not recorded, and why"),
    "path": N_("addresses of pages, with whatever looks personal replaced"),
    "salt": N_("the day’s key, from which visits are numbered"),
    "erasure": N_("what was deleted, so that no machine’s waiting rows bring it back"),
}
"""Every table in which anything of a visitor is, or is counted."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A table: what it holds, how long, and its columns with what each holds (in English)."""

    table: str
    holds: str
    kept: str
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """In one language, ready to show. Words in square brackets are the shop's to fill in."""

    language: str
    title: str
    paragraph: tuple[str, ...]
    register: tuple[tuple[str, str], ...]
    stored: tuple[Stored, ...]


def notice(site: Site, language: str) -> Notice:
    words = WORDS[language]
    return Notice(
        language=language,
        title=_say(words, N_("Privacy: Gloed at %(shop)s"), shop=site.name),
        paragraph=tuple(_paragraph(words, site)),
        register=tuple(_register(words, site)),
        stored=tuple(_stored(words, kept(site))),
    )


def _say(words: Words, message: str, **values: object) -> str:
    return words.catalogue.gettext(message) % values if values else words.catalogue.gettext(message)


def _paragraph(words: Words, site: Site) -> Iterator[str]:
    yield _say(
        words,
        N_(
            "To see where our pages make visitors wait or hesitate, we use Gloed, which we run "
            "ourselves. It records which parts of a page were in view, pointed at, pressed or "
            "filled in, for how long, how far the page was scrolled, and whether an order was "
            "completed. What you type is not recorded."
        ),
    )
    yield _say(
        words,
        N_(
            "Your IP address and what your browser calls itself are not stored; of your browser "
            "and device only the kind is. From the former a number is computed with a key that is "
            "random for each day and deleted within %(hours)s hours of the day’s beginning; after "
            "that nobody can recognise your visit, or link it with another day or another shop. "
            "Gloed sets no cookie and uses no storage of your browser."
        ),
        hours=words.number(SALT_HOURS),
    )
    yield _consent(words, site)
    yield _opt_out(words, site)
    yield _periods(words, kept(site), site)
    yield _requests(words, site)


def _consent(words: Words, site: Site) -> str:
    if site.mode == "off":
        return _say(words, N_("At present nothing is recorded."))
    if site.mode == "exempt":
        return _say(
            words,
            N_(
                "Every visit is counted, for statistics of our own shop alone: you can refuse by "
                "the signal named below. [Say here on what ground you ask for no consent.]"
            ),
        )
    if site.consent is None:
        return _say(
            words,
            N_(
                "[Say here how you ask for consent before Gloed is loaded, or on what ground you "
                "need none.]"
            ),
        )
    return _say(
        words,
        N_(
            "Nothing is recorded unless you agreed: our consent cookie “%(cookie)s” is looked at "
            "when a page opens, and forgotten at once."
        ),
        cookie=site.consent.cookie,
    )


def _opt_out(words: Words, site: Site) -> str:
    if site.honours_opt_out:
        return _say(
            words,
            N_(
                "If your browser sends Global Privacy Control or Do Not Track, your visit is not "
                "recorded; it is only counted how often that happens in a day."
            ),
        )
    return _say(
        words,
        N_("The signals Global Privacy Control and Do Not Track are not taken into account."),
    )


def _periods(words: Words, periods: Kept, site: Site) -> str:
    if periods.raw is None:
        return _say(words, N_("What is recorded is kept until we delete it."))
    told = _say(
        words,
        N_(
            "Single signals are deleted after %(raw)s days, what was made of each page view after "
            "%(views)s days, sums of days after %(tiles)s days."
        ),
        raw=words.number(periods.raw or 0),
        views=words.number(periods.views or 0),
        tiles=words.number(periods.tiles or 0),
    )
    if not site.keeps_refs:
        none = _say(words, N_("No reference to your order is kept."))
        return f"{told} {none}"
    reference = _say(
        words,
        N_(
            "A reference to your order is kept only as a keyed hash, and for %(days)s days at "
            "the most."
        ),
        days=words.number(_days_of_refs(site)),
    )
    return f"{told} {reference}"


def _days_of_refs(site: Site) -> int:
    """From the first moment of the longest day on until its references are forgotten."""
    return math.ceil((LONGEST_DAY + window(site) + SETTLED) / timedelta(days=1))


def _requests(words: Words, site: Site) -> str:
    """What becomes of a request by Articles 15 to 17 of the GDPR, as nothing says who somebody is.
    Where the records do not identify anybody, Article 11(2) asks to tell them so."""
    if not site.keeps_refs or kept(site).raw is None:
        return _say(
            words,
            N_(
                "Whoever asks us to delete what was recorded is found by the IP address and the "
                "browser they ask with, for %(hours)s hours at the most; after that nothing in our "
                "records leads to a person, and we cannot find them any more."
            ),
            hours=words.number(SALT_HOURS),
        )
    return _say(
        words,
        N_(
            "Whoever asks us to delete what was recorded is found by the IP address and the "
            "browser they ask with, for %(hours)s hours at the most, or by the reference of their "
            "order, for %(days)s days at the most; after that nothing in our records leads to a "
            "person, and we cannot find them any more."
        ),
        hours=words.number(SALT_HOURS),
        days=words.number(_days_of_refs(site)),
    )


def _register(words: Words, site: Site) -> Iterator[tuple[str, str]]:
    """The parts of an entry by Article 30(1) of the GDPR, in its order."""
    threshold = words.number(least_visits(site.config))
    entries: Iterable[tuple[str, str, Mapping[str, object]]] = (
        (N_("Controller"), N_("%(shop)s [name and contact details]"), {"shop": site.name}),
        (N_("Purpose"), N_("finding out where the checkout makes visitors wait or give up"), {}),
        (N_("Legal ground"), N_("[consent, or your own assessment]"), {}),
        (N_("Data subjects"), N_("visitors of the shop’s pages"), {}),
        (
            N_("Categories of data"),
            N_("behaviour on a page, kind of device, time; no names, addresses or typed text"),
            {},
        ),
        (N_("Recipients"), N_("none; Gloed runs on the shop’s own server [or: your host]"), {}),
        (N_("Transfers outside the EU"), N_("none [unless your host is there]"), {}),
        (
            N_("Security"),
            N_(
                "keys of days are deleted; no address is stored; maps of a live shop rest on at "
                "least %(n)s visits; access by personal accounts and keys for each shop"
            ),
            {"n": threshold},
        ),
    )
    for term, told, values in entries:
        yield _say(words, term), _say(words, told, **values)
    yield _say(words, N_("Erasure")), _periods(words, kept(site), site)
    yield _say(words, N_("Requests of visitors")), _requests(words, site)


def _stored(words: Words, periods: Kept) -> Iterator[Stored]:
    for table, holds in HOLDS.items():
        columns = metadata.tables[table].columns
        yield Stored(
            table,
            _say(words, holds),
            _kept(words, table, periods),
            tuple((column.name, column.comment or "") for column in columns),
        )


def _kept(words: Words, table: str, periods: Kept) -> str:
    if table == "salt":
        return _say(words, N_("%(hours)s hours at the most"), hours=words.number(SALT_HOURS))
    if table == "path":
        return _say(words, N_("until the shop is deleted"))
    if table == "erasure":
        return _say(words, N_("%(days)s days"), days=words.number(RAW_KEPT.days))
    group = next((group for group in (RAW, VIEWS, TILES) if table in group), TILES)
    days = periods.of(group)
    if days is None:
        return _say(words, N_("until it is deleted"))
    return _say(words, N_("%(days)s days"), days=words.number(days))


def markdown(told: Notice) -> str:
    """The notice as a file; the page shows the same."""
    words = WORDS[told.language]
    heads = [words.catalogue.gettext(head) for head in (PASTE, REGISTER, STORED)]
    parts = [f"# {told.title}", f"## {heads[0]}", *told.paragraph, f"## {heads[1]}"]
    parts += ["\n".join(f"- **{term}:** {what}" for term, what in told.register), f"## {heads[2]}"]
    for one in told.stored:
        rows = [f"| `{name}` | {comment.replace('|', '/')} |" for name, comment in one.columns]
        parts.append(f"### {one.table}\n\n{one.holds} ({one.kept})")
        parts.append("\n".join(("| | |", "|---|---|", *rows)))
    return "\n\n".join(parts) + "\n"


PASTE = N_("For your privacy notice")
REGISTER = N_("For your register of processing")
STORED = N_("What is stored, and for how long")


@router.get("/sites/{key}/privacy")
async def privacy(request: Request, site: Annotated[Site, Depends(shop)]) -> Response:
    words = words_for(request.headers.get("accept-language", ""))
    shown: Mapping[str, Any] = {
        "notice": notice(site, words.language),
        "site": site,
        "heads": [words.catalogue.gettext(head) for head in (PASTE, REGISTER, STORED)],
    }
    return page_response(request, "privacy.html.jinja", shown)
