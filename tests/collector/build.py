"""Small factories of what the collector's own tests need: hits, rows, what was read back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import structs

from collector.codes import Codes, Phase, pack_codes
from collector.groups import Row
from collector.hits import Hit, Opening, Sent
from collector.packing import ENC
from collector.sites import Page, Site
from tests.build import DESKTOP

AT = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
DAY = date(2026, 11, 18)
UNLISTED = 7
"""Codes with a device that is on no list, which the store refuses."""

CODES = {name: getattr(Codes(), name) for name in Codes.__slots__}
PAGE = Page(1, "cart", "Cart", Phase.CART, goal=False, bandwidth_px=None)
SITE = Site(
    site_id=1,
    public_key="gs_" + "a" * 16,
    name="Fietsenwinkel",
    time_zone=ZoneInfo("Europe/Amsterdam"),
    state="trying",
    config={},
    data_version=0,
    pages={"cart": PAGE},
)
SENT = Sent("192.0.2.1", DESKTOP, "nl-NL", "", "", "", opted_out=False, unbelieved=False)


def a_site(**config: Any) -> Site:
    return replace(SITE, config=config)


def a_hit(said: Any = None, *, site: Site | None = SITE, **sent: Any) -> Hit:
    return Hit(AT, structs.replace(SENT, **sent), said or Opening("cart", None), site)


def open_row(view_id: int = 1, **more: Any) -> dict[str, Any]:
    """As `app.folding.raw` reads it."""
    return {
        "view_id": view_id,
        "day": DAY,
        "page_id": 1,
        "path_id": None,
        "at": AT,
        "visitor": 5,
        "visitor_before": None,
        "ref_hash": None,
        "visitor_check": 1,
        **CODES,
        **more,
    }


def beacon_row(
    name: str, view_id: int = 1, *, visitor_check: int = 1, **more: Any
) -> dict[str, Any]:
    """As the store holds it, and as `folding.raw` reads it: names and checks of a view in one."""
    told = {
        "name": name,
        "visitor_check": visitor_check,
        "names": [name],
        "checks": [visitor_check],
    }
    row = {"view_id": view_id, "day": DAY, "at": AT, **told, **more}
    return {**row, "times": [row["at"].timestamp()]}


def a_beacon(name: str = "7.h", view_id: int = 1, **more: Any) -> Row:
    """A row for the writer; `more` overrides columns."""
    values = {
        "at": AT,
        "view_id": view_id,
        "day": DAY,
        "site_id": 1,
        "visitor_check": 0,
        "name": name,
    }
    return Row("beacon", {**values, **more})


def a_batch(view_id: int = 1, seq: int = 0, path: str | None = None, **more: Any) -> Row:
    values = {
        "at": AT,
        "view_id": view_id,
        "visitor": 5,
        "day": DAY,
        "site_id": 1,
        "page_id": 1,
        "opened_min": 1,
        "page_width_px": 1280,
        "page_height_px": 2000,
        "n": 0,
        "seq": seq,
        "viewport_width_px": 1280,
        "viewport_height_px": 720,
        "codes": pack_codes(Codes()),
        "enc": ENC,
        "trail": b"",
        "ev": b"",
        "ref_hash": b"",
        "visitor_before": "",
    }
    return Row("batch", {**values, **more}, path)


def a_goal(goal_id: int = 1, source: int = 2, **more: Any) -> Row:
    values = {"at": AT, "goal_id": goal_id, "day": DAY, "site_id": 1, "source": source, "result": 1}
    return Row("goal", {**values, **more})
