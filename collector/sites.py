"""What a collector knows of the shops: keys, time zones, pages, zones; read from the store."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from collector.addresses import Network
from collector.codes import Phase
from collector.page_rules import PageRule
from collector.staff import excluded, origins

MINUTES_REMEMBERED = 4096
"""Two days have 2,880: views that still report were opened in one of them."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A named element of a page; its number is in beacon names and never reused.

    also     more selectors of the same zone, such as other banners that cover a page
    states   the shop's own states `error`, `open` and `busy`, each by a selector
    watches  what else is asked for of a form's element: `validity` and `checked`
    """

    number: int
    name: str
    selector: str
    role: str = "text"
    sensitive: bool = False
    states: Mapping[str, str] = field(default_factory=dict, hash=False)
    watches: frozenset[str] = frozenset()
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A named page.

    cells  whether pointer cells are laid over it
    menus  selectors of the shop's menus, while the pointer is in which there are no cells
    """

    page_id: int
    slug: str
    title: str
    phase: Phase
    goal: bool
    bandwidth_px: float | None
    zones: tuple[Zone, ...] = ()
    cells: bool = False
    menus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Consent:
    """The shop's own consent cookie: compared at the collector and forgotten."""

    cookie: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Site:
    site_id: int
    public_key: str
    name: str
    time_zone: ZoneInfo
    state: str
    config: Mapping[str, Any]
    data_version: int
    pages: Mapping[str, Page] = field(default_factory=dict)
    page_rules: tuple[PageRule, ...] = ()
    """Asked of views of pages without zones of their own: what is pasted on every page alike."""

    consent: Consent | None = field(init=False, repr=False, compare=False)
    """The rule, if there is one; one that cannot be understood is satisfied by nobody."""

    honours_opt_out: bool = field(init=False, repr=False, compare=False)
    """GPC and DNT; on unless the shop switched it off."""

    mode: str = field(init=False, repr=False, compare=False)
    """`off`: nothing is counted; `consent`: whoever the shop's page or its cookie says; `exempt`:
    everybody, with the shop's own references left out."""

    own_networks: tuple[Network, ...] = field(init=False, repr=False, compare=False)
    """Whoever comes from them is no visitor."""

    origins: frozenset[str] = field(init=False, repr=False, compare=False)
    """Hosts whose pages may bear the key; empty for any."""

    shut_out: frozenset[str] = field(init=False, repr=False, compare=False)
    """Hosts whose page views are quarantined."""

    _by_id: Mapping[int, Page] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_id = {page.page_id: page for page in self.pages.values()}
        object.__setattr__(self, "_by_id", by_id)
        object.__setattr__(self, "consent", _consent(self.config))
        honours = bool(self.config.get("honour_opt_out", True))
        object.__setattr__(self, "honours_opt_out", honours)
        object.__setattr__(self, "mode", str(self.config.get("mode", "consent")))
        object.__setattr__(self, "own_networks", excluded(self.config.get("exclude_networks")))
        object.__setattr__(self, "origins", origins(self.config.get("origins")))
        object.__setattr__(self, "shut_out", origins(self.config.get("quarantined_origins")))

    @property
    def keeps_refs(self) -> bool:
        """An order's reference ties a visit to what the shop knows of somebody: consent's alone."""
        return self.mode != "exempt"

    def page(self, page_id: int) -> Page | None:
        """The page of a number, as tokens bear it."""
        return self._by_id.get(page_id)

    def day_of(self, moment: datetime) -> date:
        """Calendar date in the shop's time zone."""
        return moment.astimezone(self.time_zone).date()

    def day_of_minute(self, minute: int) -> date:
        """The same of a minute since 1970, by which views are dated: many ask for few of them."""
        return _day_of_minute(self.time_zone, minute)


def _consent(config: Mapping[str, Any]) -> Consent | None:
    rule = config.get("consent")
    if not rule:
        return None
    told = rule if isinstance(rule, Mapping) else {}
    return Consent(str(told.get("cookie", "")), str(told.get("pattern", "")))


@lru_cache(maxsize=MINUTES_REMEMBERED)
def _day_of_minute(time_zone: ZoneInfo, minute: int) -> date:
    return datetime.fromtimestamp(60 * minute, UTC).astimezone(time_zone).date()


SITES = """
    SELECT sites, pages, zones, rules FROM (
        SELECT json_agg(site ORDER BY site_id) AS sites FROM site
        WHERE $1::text IS NULL OR public_key = $1
    ) AS of_house, (
        SELECT json_agg(page ORDER BY site_id, page_id) AS pages FROM site JOIN page USING (site_id)
        WHERE $1::text IS NULL OR public_key = $1
    ) AS of_sites, (
        SELECT json_agg(zone ORDER BY site_id, page_id, number) AS zones
        FROM site JOIN zone USING (site_id)
        WHERE valid_to IS NULL AND ($1::text IS NULL OR public_key = $1)
    ) AS of_pages, (
        SELECT json_agg(page_rule ORDER BY site_id, position) AS rules
        FROM site JOIN page_rule USING (site_id) WHERE $1::text IS NULL OR public_key = $1
    ) AS of_paths
"""
"""Four lists in one question, for every page of ours asks it. None depends on another, so that a
store that is spread over several machines can answer it too."""


async def read_sites(connection: Any, key: str | None = None) -> tuple[Site, ...]:
    """Every shop, or that of one key, with its pages and present zones; on an asyncpg connection
    or a store."""
    row = await connection.fetchrow(SITES, key)
    return sites_in({name: json.loads(told or "[]") for name, told in row.items()})


def sites_in(told: Mapping[str, Any]) -> tuple[Site, ...]:
    """From the answer to SITES, whose lists are read: None for one that is empty."""
    sites, pages, zones, rules = (told[name] or () for name in ("sites", "pages", "zones", "rules"))
    zones_of: dict[tuple[int, int], list[Zone]] = {}
    for told in zones:
        zones_of.setdefault((told["site_id"], told["page_id"]), []).append(_zone(told))
    pages_of: dict[int, dict[str, Page]] = {}
    for told in pages:
        own = tuple(zones_of.get((told["site_id"], told["page_id"]), ()))
        pages_of.setdefault(told["site_id"], {})[told["slug"]] = _page(told, own)
    rules_of: dict[int, list[PageRule]] = {}
    for told in rules:
        rules_of.setdefault(told["site_id"], []).append(PageRule(told["glob"], told["page_id"]))
    return tuple(
        _site(told, pages_of.get(told["site_id"], {}), rules_of.get(told["site_id"], ()))
        for told in sites
    )


def _with_menus(pages: Mapping[str, Page], config: Mapping[str, Any]) -> dict[str, Page]:
    """The shop's menus are the same on all its pages, so they are told once."""
    menus = tuple(map(str, config.get("menus", ())))
    return {slug: replace(page, menus=menus) for slug, page in pages.items()}


def _site(row: Mapping[str, Any], pages: Mapping[str, Page], rules: Iterable[PageRule]) -> Site:
    config = row["config"]
    return Site(
        site_id=row["site_id"],
        public_key=row["public_key"],
        name=row["name"],
        time_zone=ZoneInfo(row["time_zone"]),
        state=row["state"],
        config=config,
        data_version=row["data_version"],
        pages=_with_menus(pages, config),
        page_rules=tuple(rules),
    )


def _page(row: Mapping[str, Any], zones: tuple[Zone, ...]) -> Page:
    bandwidth_px = row["bandwidth_px"]
    return Page(
        page_id=row["page_id"],
        slug=row["slug"],
        title=row["title"],
        phase=Phase(row["phase"]),
        goal=row["goal"],
        bandwidth_px=None if bandwidth_px is None else float(bandwidth_px),
        zones=zones,
        cells=row["cells"],
    )


def zone_of(row: Mapping[str, Any]) -> Zone:
    """From a row of the table, whose documents are texts."""
    documents = {name: json.loads(row[name]) for name in ("states", "watches", "also")}
    return _zone({**row, **documents})


def _zone(told: Mapping[str, Any]) -> Zone:
    return Zone(
        number=told["number"],
        name=told["name"],
        selector=told["selector"],
        role=told["role"],
        sensitive=told["sensitive"],
        states=told["states"],
        watches=frozenset(told["watches"]),
        also=tuple(told["also"]),
    )
