"""Whether page views reach Gloed, the shop's and each page's: when the last one came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.checking.findings import Finding
from app.checking.signs import REMEMBERED_DAYS, Signs
from app.pages.words import N_, Words
from collector.sites import Page, Site

QUIET_AFTER_DAYS = 3
"""A thank-you page may have a day without an order; its fragment is doubted later than that."""

WITHIN = timedelta(hours=1)
"""Of a live shop it is told no closer when somebody was there: it may have been a single visitor.
"""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """at: of pages heard of since yesterday; day: of these and of those of the last weeks."""

    at: Mapping[int, datetime]
    day: Mapping[int, date]


def arrivals(site: Site, found: Signs) -> Arrivals:
    heard = {page_id: site.day_of(moment) for page_id, moment in found.heard.items()}
    return Arrivals(found.heard, {**found.seen, **heard})


def arrival_findings(site: Site, found: Arrivals, now: datetime, words: Words) -> list[Finding]:
    """Of the shop first, then of each page along the journey."""
    pages = sorted(site.pages.values(), key=lambda page: (page.phase, page.page_id))
    return [
        _of_shop(site, found, now, words),
        *(_of_page(site, page, found, now, words) for page in pages),
    ]


def _of_shop(site: Site, found: Arrivals, now: datetime, words: Words) -> Finding:
    known = [page for page in site.pages.values() if page.page_id in found.at]
    if not known:
        return Finding(
            False,
            N_(
                "no page view arrived since yesterday: open a page that holds its fragment, and "
                "load this page again; if nothing comes, paste the page’s source below"
            ),
        )
    last = max(known, key=lambda page: found.at[page.page_id])
    told = {"page": last.title, "at": words.moment(found.at[last.page_id], site.time_zone)}
    if site.state == "trying":
        return Finding(True, N_("page views reach Gloed: the last at %(at)s, of %(page)s"), told)
    if now - found.at[last.page_id] < WITHIN:
        return Finding(True, N_("page views reach Gloed: the last within the last hour"))
    return Finding(True, N_("page views reach Gloed: the last today or yesterday"))


def _of_page(site: Site, page: Page, found: Arrivals, now: datetime, words: Words) -> Finding:
    told = {"page": page.title, "slug": page.slug, "key": site.public_key}
    day = found.day.get(page.page_id)
    if day is None:
        return Finding(
            False,
            N_(
                "%(page)s: its fragment was not seen in %(n)s days. Paste it before </body>: "
                "`gloed snippet --site %(key)s --page %(slug)s` prints it"
            ),
            {**told, "n": words.number(REMEMBERED_DAYS)},
        )
    told["day"] = words.day(day)
    if (site.day_of(now) - day).days > QUIET_AFTER_DAYS:
        return Finding(
            False,
            N_(
                "%(page)s: its fragment was not seen since %(day)s. Is it still there? Paste the "
                "page’s source below"
            ),
            told,
        )
    at = found.at.get(page.page_id)
    if at is not None and site.state == "trying":
        told["at"] = words.moment(at, site.time_zone)
        return Finding(True, N_("%(page)s: last seen at %(at)s"), told)
    return Finding(True, N_("%(page)s: last seen on %(day)s"), told)
