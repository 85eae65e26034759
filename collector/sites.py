"""What a collector knows of the shops: keys, time zones, pages, zones; read from the store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from collector.codes import Phase


@dataclass(frozen=True, slots=True)
class Zone:
    """A named element of a page; its number is in beacon names and never reused."""

    number: int
    name: str
    selector: str
    role: str = "text"
    sensitive: bool = False
    states: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Page:
    page_id: int
    slug: str
    title: str
    phase: Phase
    goal: bool
    bandwidth_px: float | None
    zones: tuple[Zone, ...] = ()


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

    def day_of(self, moment: datetime) -> date:
        """Calendar date in the shop's time zone."""
        return moment.astimezone(self.time_zone).date()

    @property
    def consent(self) -> Consent | None:
        rule = self.config.get("consent")
        return Consent(rule["cookie"], rule["pattern"]) if rule else None

    @property
    def honours_opt_out(self) -> bool:
        """GPC and DNT; on unless the shop switched it off."""
        return bool(self.config.get("honour_opt_out", True))


async def read_sites(connection: Any) -> tuple[Site, ...]:
    """Every shop with its pages and present zones, on an asyncpg connection."""
    sites = await connection.fetch("SELECT * FROM site ORDER BY site_id")
    pages = await connection.fetch("SELECT * FROM page ORDER BY site_id, page_id")
    zones = await connection.fetch(
        "SELECT * FROM zone WHERE valid_to IS NULL ORDER BY site_id, page_id, number"
    )
    return tuple(_site(row, pages, zones) for row in sites)


def _site(row: Mapping[str, Any], pages: list[Any], zones: list[Any]) -> Site:
    own = [_page(page, zones) for page in pages if page["site_id"] == row["site_id"]]
    return Site(
        site_id=row["site_id"],
        public_key=row["public_key"],
        name=row["name"],
        time_zone=ZoneInfo(row["time_zone"]),
        state=row["state"],
        config=json.loads(row["config"]),
        data_version=row["data_version"],
        pages={page.slug: page for page in own},
    )


def _page(row: Mapping[str, Any], zones: list[Any]) -> Page:
    own = (
        zone
        for zone in zones
        if (zone["site_id"], zone["page_id"]) == (row["site_id"], row["page_id"])
    )
    return Page(
        page_id=row["page_id"],
        slug=row["slug"],
        title=row["title"],
        phase=Phase(row["phase"]),
        goal=row["goal"],
        bandwidth_px=row["bandwidth_px"],
        zones=tuple(_zone(zone) for zone in own),
    )


def _zone(row: Mapping[str, Any]) -> Zone:
    return Zone(
        number=row["number"],
        name=row["name"],
        selector=row["selector"],
        role=row["role"],
        sensitive=row["sensitive"],
        states=json.loads(row["states"]),
    )
