"""A sifted hit → the row that is kept. What is derived from headers is derived here, last."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from datetime import date, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from msgspec import Struct

from collector.agents import Agent, language_class, read_agent
from collector.channels import channel_of
from collector.codes import Codes, OutcomeSource, pack_codes, width_band
from collector.groups import Row
from collector.hits import Beacon, Hit, Opening, Script
from collector.keyed import Keyed
from collector.packing import ENC
from collector.scrub import path_id, scrub_path
from collector.sites import Page, Site
from collector.tokens import Token
from collector.visitor import OVERLAP_MIN, Salts, ref_hash, visitor_check, visitor_under
from collector.wire import OPEN

COMPLETED = 1
ONE_DAY = timedelta(days=1)

COMBINATIONS = 4096
"""Of codes; a shop's visitors have some hundreds."""


class _View(Struct, frozen=True):
    """What an opening and a batch both know of their view."""

    view_id: int
    opened_min: int
    ref: str | None
    path: str


class Rows:
    """Builds rows; holds the day's salts and the fleet's secret."""

    def __init__(self, salts: Salts, secret: bytes) -> None:
        self._salts = salts
        self._secret = secret

    async def opening(self, hit: Hit, said: Opening) -> tuple[Token, Row]:
        site, page = _known(hit)
        token = Token(site.site_id, page.page_id, _minutes(hit.at), _new_view_id())
        view = _View(token.view_id, token.opened_min, said.ref, hit.sent.referrer)
        values, path = await self._viewed(hit, view)
        values |= _codes_of(hit).columns
        values["name"] = OPEN
        values["visitor_check"] = visitor_check(values["visitor"])
        return token, Row("beacon", values, path)

    async def beacon(self, hit: Hit, said: Beacon) -> Row:
        site, _ = _known(hit)
        day = site.day_of_minute(said.token.opened_min)
        visitor = await self._visitor(hit, site, day)
        return Row(
            "beacon",
            {
                "at": hit.at,
                "view_id": said.token.view_id,
                "day": day,
                "site_id": site.site_id,
                "visitor_check": visitor_check(_or_view(visitor, said.token.view_id)),
                "name": said.name,
            },
        )

    async def batch(self, hit: Hit, said: Script) -> Row:
        told, view = said.batch, _view_of(hit, said)
        values, path = await self._viewed(hit, view)
        values |= {
            "opened_min": view.opened_min,
            "seq": told.seq,
            "viewport_width_px": told.viewport[0],
            "viewport_height_px": told.viewport[1],
            "page_width_px": told.page[0],
            "page_height_px": told.page[1],
            "codes": _codes_of(hit, told.viewport[0]).packed,
            "n": told.n,
            "enc": ENC,
            "trail": told.trail,
            "ev": told.events,
        }
        return Row("batch", values, path)

    async def thanks(self, hit: Hit, ref: str | None) -> Row:
        """The goal image; without a reference the visitor of the day stands for one."""
        assert hit.site is not None
        day = hit.site.day_of(hit.at)
        ref = ref if hit.site.keeps_refs else None
        visitor = None if ref else await self._visitor(hit, hit.site, day)
        return self.goal(hit.site, hit.at, OutcomeSource.IMAGE, COMPLETED, ref=ref, visitor=visitor)

    def goal(
        self,
        site: Site,
        at: datetime,
        source: OutcomeSource,
        result: int,
        *,
        ref: str | None,
        visitor: int | None = None,
    ) -> Row:
        hashed = ref_hash(self._secret, site.site_id, ref) if ref else None
        who = hashed if hashed else f"{visitor} {_minutes(at)}".encode()
        number = blake2b(who + b"\0" + str(result).encode(), digest_size=8).digest()
        return Row(
            "goal",
            {
                "at": at,
                "goal_id": int.from_bytes(number, "big", signed=True),
                "visitor": visitor,
                "day": site.day_of(at),
                "site_id": site.site_id,
                "source": int(source),
                "result": result,
                "ref_hash": hashed if site.keeps_refs else None,
            },
        )

    async def _viewed(self, hit: Hit, view: _View) -> tuple[dict[str, Any], str | None]:
        """The columns that an opening and a batch have in common, and the scrubbed path."""
        site, page = _known(hit)
        day = site.day_of_minute(view.opened_min)
        visitor = await self._visitor(hit, site, day)
        path = scrub_path(view.path)
        values: dict[str, Any] = {
            "at": hit.at,
            "view_id": view.view_id,
            "day": day,
            "site_id": site.site_id,
            "page_id": page.page_id,
            "visitor": _or_view(visitor, view.view_id),
        }
        before = await self._visitor_before(hit, site, day, view.opened_min)
        if before is not None:
            values["visitor_before"] = before
        if path:
            values["path_id"] = path_id(path)
        if view.ref and site.keeps_refs:
            values["ref_hash"] = ref_hash(self._secret, site.site_id, view.ref)
        return values, path

    async def _visitor(self, hit: Hit, site: Site, day: date) -> int | None:
        """None for a day whose salt is gone."""
        salt = self._salts.at_hand(day, hit.at)
        if salt is None:
            asked = await self._salts.salt(day, hit.at)
            if asked is None:
                return None
            salt = Keyed(asked)
        return visitor_under(salt, site.site_id, hit.sent.address, hit.sent.agent)

    async def _visitor_before(self, hit: Hit, site: Site, day: date, opened_min: int) -> int | None:
        """Under yesterday's salt too, while a visit may have begun yesterday."""
        begun = site.day_of_minute(opened_min - OVERLAP_MIN)
        return await self._visitor(hit, site, begun) if begun == day - ONE_DAY else None


def _known(hit: Hit) -> tuple[Site, Page]:
    assert hit.site is not None
    assert hit.page is not None
    return hit.site, hit.page


class _Codes(Struct, frozen=True):
    """In the two forms in which they are kept."""

    columns: dict[str, int]
    packed: int


def _codes_of(hit: Hit, width_px: int = 0) -> _Codes:
    return _made_codes(
        read_agent(hit.sent.agent),
        width_band(width_px),
        int(channel_of(hit.sent.referrer)),
        int(hit.capture),
        language_class(hit.sent.language),
    )


@lru_cache(maxsize=COMBINATIONS)
def _made_codes(agent: Agent, band: int, channel: int, capture: int, language: int) -> _Codes:
    codes = Codes(
        device=int(agent.device),
        band=band,
        browser=int(agent.browser),
        os=int(agent.os),
        channel=channel,
        capture=capture,
        language=int(language),
    )
    return _Codes(asdict(codes), pack_codes(codes))


def _view_of(hit: Hit, said: Script) -> _View:
    """By the token that the stylesheet gave, else by what the browser says of itself."""
    told = said.batch
    path = told.path or hit.sent.referrer
    if said.token is not None:
        return _View(said.token.view_id, said.token.opened_min, told.ref, path)
    assert told.view_id is not None
    assert told.opened_min is not None
    return _View(told.view_id, told.opened_min, told.ref, path)


def _or_view(visitor: int | None, view_id: int) -> int:
    """Of a day whose salt is gone the view stands for its visitor: it recognises nobody."""
    return view_id if visitor is None else visitor


def _minutes(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


def _new_view_id() -> int:
    return int.from_bytes(secrets.token_bytes(8), "big", signed=True)
