"""Keep, or drop with a reason: named steps from Hit to Hit or Drop. The policy is the tuple."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from fnmatch import fnmatchcase
from functools import lru_cache

from collector.agents import read_agent
from collector.decode import Batch
from collector.hits import Beacon, Drop, Hit, Opening, Script, Thanks
from collector.page_rules import page_by_path
from collector.scrub import scrub_path
from collector.sites import Page, Site
from collector.staff import is_excluded, is_of, is_preview
from collector.wire import BATCH_CLOCK_TOLERANCE_H, BEACON_NAME, REF, Reason

LONGEST_NAME = len("no-validity")

Step = Callable[[Hit], Hit | Drop]
_NAMES_A_REF = (Opening, Thanks)
_OPENS = (Opening, Script)

_AHEAD = ("prefetch", "preview")
"""What browsers say of a page that nobody looks at yet."""

NAMES_REMEMBERED = 4096
"""Names of beacons, of which a shop's pages have some hundreds, and of what is none."""


def known_site(hit: Hit) -> Hit | Drop:
    return hit if hit.site is not None else Drop(Reason.UNKNOWN_SITE)


def switched_on(hit: Hit) -> Hit | Drop:
    return Drop(Reason.OFF) if hit.site is not None and hit.site.mode == "off" else hit


def not_prefetched(hit: Hit) -> Hit | Drop:
    """A page fetched ahead, or for a small picture of it, was not seen; browsers say so."""
    purpose = hit.sent.purpose
    if purpose and any(word in purpose.lower() for word in _AHEAD):
        return Drop(Reason.PREFETCH)
    return hit


def respects_opt_out(hit: Hit) -> Hit | Drop:
    asked = hit.sent.opted_out and hit.site is not None and hit.site.honours_opt_out
    return Drop(Reason.OPT_OUT) if asked else hit


def consented(hit: Hit) -> Hit | Drop:
    """The shop's own consent cookie, where it named one: compared here and forgotten.

    Asked of what opens a view; beacons bear the token that only consent could give.
    """
    rule = hit.site.consent if hit.site else None
    if rule is None or isinstance(hit.said, Beacon):
        return hit
    if isinstance(hit.said, Script) and hit.said.token is not None:
        return hit
    given = _cookie(hit.sent.cookies, rule.cookie) if rule.cookie else None
    return (
        hit if given is not None and fnmatchcase(given, rule.pattern) else Drop(Reason.NO_CONSENT)
    )


def human(hit: Hit) -> Hit | Drop:
    return Drop(Reason.BOT) if read_agent(hit.sent.agent).bot else hit


def no_staff(hit: Hit) -> Hit | Drop:
    """The shop's own people, by network or by what only its admin shows; asked of what opens a
    view, as a phone may change networks meanwhile."""
    if isinstance(hit.said, Beacon) or hit.site is None:
        return hit
    if is_excluded(hit.sent.address, hit.site.own_networks) or is_preview(hit.sent.referrer):
        return Drop(Reason.STAFF)
    told = hit.said.batch.path if isinstance(hit.said, Script) else None
    return Drop(Reason.STAFF) if told and is_preview(told) else hit


def of_the_shop(hit: Hit) -> Hit | Drop:
    """Pages elsewhere that copied the key, where the shop lists its own. A browser that does not
    say where it is may be anywhere; a goal image stands on any host."""
    if hit.site is None or not isinstance(hit.said, _OPENS) or not hit.sent.referrer:
        return hit
    if hit.site.origins and not is_of(hit.sent.referrer, hit.site.origins):
        return Drop(Reason.ORIGIN)
    if hit.site.shut_out and is_of(hit.sent.referrer, hit.site.shut_out):
        return Drop(Reason.QUARANTINED)
    return hit


def known_page(hit: Hit) -> Hit | Drop:
    """Every view belongs to a named page; a goal image belongs to the shop alone."""
    if isinstance(hit.said, Thanks):
        return hit
    assert hit.site is not None
    page = _page(hit.site, hit.said)
    return hit.on(page) if page else Drop(Reason.UNKNOWN_PAGE)


def of_its_path(hit: Hit) -> Hit | Drop:
    """A fragment that stands on every page alike names one without zones: there the shop's rules
    say which page it is, where the path is known. A sheet that was given out decides for good."""
    site, page, said = hit.site, hit.page, hit.said
    if site is None or page is None or not site.page_rules or page.zones:
        return hit
    if not isinstance(said, _OPENS) or (isinstance(said, Script) and said.token is not None):
        return hit
    told = said.batch.path if isinstance(said, Script) else None
    return hit.on(ruled_page(site, page, scrub_path(told or hit.sent.referrer)))


def ruled_page(site: Site, page: Page, path: str | None) -> Page:
    """The page by the shop's rules for scrubbed paths, of a view that names `page`."""
    if not site.page_rules or page.zones:
        return page
    number = page_by_path(site.page_rules, path)
    found = site.page(number) if number is not None else None
    return found or page


def well_named(hit: Hit) -> Hit | Drop:
    said = hit.said
    if isinstance(said, Beacon) and not is_name(said.name):
        return Drop(Reason.BAD_NAME)
    if isinstance(said, _NAMES_A_REF) and said.ref and not REF.match(said.ref):
        return Drop(Reason.BAD_REF)
    return hit


def on_time(hit: Hit) -> Hit | Drop:
    """A batch without a token is dated by its browser, whose clock must be near ours."""
    if not isinstance(hit.said, Script) or hit.said.token is not None:
        return hit
    return hit if is_dated_well(hit.said.batch, hit.at) else Drop(Reason.CLOCK)


def is_dated_well(batch: Batch, at: datetime) -> bool:
    """Whether the browser's clock was near ours when it opened the view."""
    off_s = abs(at.timestamp() - 60 * (batch.opened_min or 0))
    return off_s <= 3600 * BATCH_CLOCK_TOLERANCE_H


STEPS: tuple[Step, ...] = (
    known_site,
    switched_on,
    not_prefetched,
    respects_opt_out,
    consented,
    human,
    no_staff,
    of_the_shop,
    well_named,
    known_page,
    of_its_path,
    on_time,
)


OF_BEACON: tuple[Step, ...] = tuple(
    step for step in STEPS if step not in (consented, no_staff, of_the_shop, of_its_path, on_time)
)
"""Those left out ask what opens a view, and keep every beacon: most requests are one."""

OF_SCRIPT: tuple[Step, ...] = (known_site, switched_on, respects_opt_out, consented)
"""For the file of the optional script: it counts nobody, and a page may well be fetched ahead with
it, as it tells nothing before the page is shown."""


def sift(hit: Hit, steps: tuple[Step, ...] | None = None) -> Hit | Drop:
    if steps is None:
        steps = OF_BEACON if isinstance(hit.said, Beacon) else STEPS
    for step in steps:
        if isinstance(outcome := step(hit), Drop):
            return outcome
        hit = outcome
    return hit


def is_name(text: str) -> bool:
    # Measured before it is remembered: a path may be as long as the server lets it be.
    return len(text) <= LONGEST_NAME and _is_name(text)


@lru_cache(maxsize=NAMES_REMEMBERED)
def _is_name(text: str) -> bool:
    return BEACON_NAME.match(text) is not None


def _page(site: Site, said: Opening | Beacon | Script) -> Page | None:
    if isinstance(said, Opening):
        return site.pages.get(said.slug)
    if said.token is not None:
        return site.page(said.token.page_id)
    return site.pages.get(said.batch.slug or "") if isinstance(said, Script) else None


def _cookie(header: str, name: str) -> str | None:
    """The first cookie of that name; its neighbours may be of any shape."""
    for part in header.split(";"):
        given, told, value = part.partition("=")
        if told and given.strip() == name:
            return value.strip().strip('"')
    return None
