"""Pages by path: the rules of a shop, and what they would make of the paths that were seen.

Rules count from now on. A view's zones are numbered by the page whose stylesheet it was given, so
views that are kept already stay where they are, and the change is written down beside their maps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from app.changes import write_change
from app.mapping.small_numbers import least_visits
from app.shops import ShopError, take_turn, touch
from app.store import Store
from collector.page_rules import (
    MOST_RULES,
    PageRule,
    page_by_path,
    plain_glob,
    wrong_glob,
)
from collector.sites import Page, Site

SEEN_DAYS = 7
"""What rules are written for: a week has every kind of day."""

MOST_PATHS = 100
"""Told of at most: the busiest."""

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Wording:
    """How a change is written down, in the language of who makes it."""

    counted: str = "Counted here by path from now on: %(paths)s"
    ended: str = "No path is counted here by a rule any more"
    elsewhere: str = "Some paths are counted as other pages from now on"


@dataclass(frozen=True, slots=True)
class SeenPath:
    """A path of the last days, and the page its views would be counted as.

    visits   of its views
    pages    that they were counted as
    becomes  the page that a rule says, None where the fragment's own page decides
    """

    path: str
    views: int
    visits: int
    pages: tuple[Page, ...]
    becomes: Page | None


@dataclass(frozen=True, slots=True)
class SeenPaths:
    """`few`: how many paths were left out, of a live shop those with too few visits."""

    paths: tuple[SeenPath, ...]
    few: int
    pathless: int
    """Page views whose browser told no path, or the host alone."""


def read_rules(site: Site, told: Iterable[tuple[str, str]]) -> tuple[PageRule, ...]:
    """Of patterns and names of pages, in their order. Raises ShopError for one that cannot be."""
    rules = []
    for glob, slug in told:
        plain = plain_glob(glob)
        if (wrong := wrong_glob(plain)) is not None:
            raise ShopError(f"{glob[:80]!r}: {wrong}")
        if slug not in site.pages:
            known = ", ".join(sorted(site.pages)) or "none yet"
            raise ShopError(f"{glob[:80]!r}: there is no page {slug!r}; there are {known}")
        rules.append(PageRule(plain, site.pages[slug].page_id))
    if len(rules) > MOST_RULES:
        raise ShopError(f"a shop has at most {MOST_RULES} rules, got {len(rules)}: use stars")
    if len({rule.glob for rule in rules}) < len(rules):
        raise ShopError("two rules have the same pattern: the first would always win")
    return tuple(rules)


def told_rules(site: Site) -> list[tuple[str, str]]:
    """The rules with their pages' names; one whose page is gone is left out."""
    named = ((rule.glob, site.page(rule.page_id)) for rule in site.page_rules)
    return [(glob, page.slug) for glob, page in named if page is not None]


async def put_rules(
    store: Store,
    site: Site,
    rules: Sequence[PageRule],
    now: datetime,
    wording: Wording | None = None,
) -> None:
    """Put these in place of the shop's rules, and write down whose pages change by it."""
    async with store.transaction() as connection:
        await take_turn(connection, site)
        rows = await connection.fetch(_RULES, site.site_id)
        before = [PageRule(row["glob"], row["page_id"]) for row in rows]
        if before == list(rules):
            return
        await connection.execute("DELETE FROM page_rule WHERE site_id = $1", site.site_id)
        await connection.executemany(
            "INSERT INTO page_rule (site_id, position, page_id, glob) VALUES ($1, $2, $3, $4)",
            [
                (site.site_id, position, rule.page_id, rule.glob)
                for position, rule in enumerate(rules, 1)
            ],
        )
        for page_id, text in _changes(site, before, rules, wording or Wording()):
            await write_change(connection, site, page_id, text, now)
        await touch(connection, site.site_id)


_RULES = "SELECT glob, page_id FROM page_rule WHERE site_id = $1 ORDER BY position"


def _changes(
    site: Site, before: Sequence[PageRule], after: Sequence[PageRule], wording: Wording
) -> Iterable[tuple[int, str]]:
    """Pages and what is written down of them: of every page that gains or loses paths, and of
    those from which paths are taken."""
    old, new = _globs(before), _globs(after)
    for page in site.pages.values():
        globs = new.get(page.page_id, [])
        if globs and globs != old.get(page.page_id):
            yield page.page_id, wording.counted % {"paths": ", ".join(globs)}
        elif page.page_id in old and not globs:
            yield page.page_id, wording.ended
        elif not page.zones and not globs:
            yield page.page_id, wording.elsewhere


def _globs(rules: Iterable[PageRule]) -> Mapping[int, list[str]]:
    globs: dict[int, list[str]] = {}
    for rule in rules:
        globs.setdefault(rule.page_id, []).append(rule.glob)
    return globs


async def seen_paths(store: Store, site: Site, rules: Sequence[PageRule], today: date) -> SeenPaths:
    """The paths of the last days and what the rules make of them; the busiest first.

    Of a live shop a path is told where enough visits saw it: one of few may name somebody.
    """
    rows = await store.fetch(_SEEN, site.site_id, today - SEEN_DAYS * DAY, today)
    least = least_visits(site.config) if site.state == "live" else 1
    told = [row for row in rows if row["path"] is not None]
    enough = [row for row in told if row["visits"] >= least]
    return SeenPaths(
        paths=tuple(_seen(site, rules, row) for row in enough[:MOST_PATHS]),
        few=len(told) - min(len(enough), MOST_PATHS),
        pathless=sum(row["views"] for row in rows if row["path"] is None),
    )


_SEEN = """
    SELECT path, count(*) AS views, count(DISTINCT visit_id) AS visits,
        array_agg(DISTINCT view.page_id) AS pages
    FROM view LEFT JOIN path USING (site_id, path_id)
    WHERE site_id = $1 AND day BETWEEN $2 AND $3
    GROUP BY path ORDER BY count(*) DESC, path
"""


def _seen(site: Site, rules: Sequence[PageRule], row: Any) -> SeenPath:
    pages = tuple(page for number in row["pages"] if (page := site.page(number)) is not None)
    number = page_by_path(rules, row["path"])
    becomes = None if number is None else site.page(number)
    return SeenPath(row["path"], row["views"], row["visits"], pages, becomes)


def most_zones(site: Site, page: Page) -> int:
    """The highest zone number of any page that a fragment of this one may be counted as."""
    own = max((zone.number for zone in page.zones), default=0)
    if own:
        return own
    ruled = (site.page(rule.page_id) for rule in site.page_rules)
    return max((zone.number for one in ruled if one for zone in one.zones), default=0)
