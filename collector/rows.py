"""A sifted hit → the row that is kept. What is derived from headers is derived here, last."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit

from collector.agents import language_class, read_agent
from collector.codes import Channel, Codes, OutcomeSource, width_band
from collector.hits import Beacon, Hit, Opening, Script
from collector.packing import ENC
from collector.scrub import path_id, scrub_path
from collector.sites import Site
from collector.tokens import Token
from collector.visitor import OVERLAP, Salts, ref_hash, visitor_check, visitor_of
from collector.wire import OPEN
from collector.writer import Row

_SEARCH = ("google.", "bing.", "duckduckgo.", "ecosia.", "startpage.", "yahoo.", "qwant.")
_SOCIAL = ("facebook.", "instagram.", "pinterest.", "linkedin.", "tiktok.", "reddit.", "t.co")
COMPLETED = 1


class Rows:
    """Builds rows; holds the day's salts and the fleet's secret."""

    def __init__(self, salts: Salts, secret: bytes) -> None:
        self._salts = salts
        self._secret = secret

    async def opening(self, hit: Hit, said: Opening) -> tuple[Token, Row]:
        site, page = _known(hit)
        token = Token(site.site_id, page.page_id, _minutes(hit.at), _new_view_id())
        day = site.day_of(token.opened_at)
        values = await self._viewed(hit, site, day, token.opened_at, said.ref)
        path = values.pop("path")
        row = Row(
            "beacon",
            {
                **values,
                "view_id": token.view_id,
                "page_id": page.page_id,
                "visitor_check": visitor_check(values["visitor"]),
                "name": OPEN,
                **asdict(_codes(hit, 0)),
            },
            path,
        )
        return token, row

    async def beacon(self, hit: Hit, said: Beacon) -> Row:
        site, _ = _known(hit)
        day = site.day_of(said.token.opened_at)
        visitor = await self._visitor(hit, site, day)
        return Row(
            "beacon",
            {
                "at": hit.at,
                "view_id": said.token.view_id,
                "day": day,
                "site_id": site.site_id,
                "visitor_check": visitor_check(visitor),
                "name": said.name,
            },
        )

    async def batch(self, hit: Hit, said: Script) -> Row:
        site, page = _known(hit)
        told = said.batch
        opened_min = said.token.opened_min if said.token else told.opened_min or 0
        opened_at = datetime.fromtimestamp(opened_min * 60, UTC)
        day = site.day_of(opened_at)
        values = await self._viewed(hit, site, day, opened_at, told.ref, told.path)
        path = values.pop("path")
        return Row(
            "batch",
            {
                **values,
                "view_id": said.token.view_id if said.token else told.view_id,
                "page_id": page.page_id,
                "opened_min": opened_min,
                "seq": told.seq,
                "viewport_width_px": told.viewport[0],
                "viewport_height_px": told.viewport[1],
                "page_width_px": told.page[0],
                "page_height_px": told.page[1],
                "n": told.n,
                "enc": ENC,
                "trail": told.trail,
                "ev": told.events,
                **asdict(_codes(hit, told.viewport[0])),
            },
            path,
        )

    async def thanks(self, hit: Hit, ref: str | None) -> Row:
        """The goal image; without a reference the visitor of the day stands for one."""
        assert hit.site is not None
        day = hit.site.day_of(hit.at)
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
                "ref_hash": hashed,
            },
        )

    async def _viewed(
        self,
        hit: Hit,
        site: Site,
        day: date,
        opened_at: datetime,
        ref: str | None,
        path: str | None = None,
    ) -> dict[str, Any]:
        """What an opening and a batch have in common."""
        visitor = await self._visitor(hit, site, day)
        before = await self._visitor_before(hit, site, day, opened_at)
        scrubbed = scrub_path(path or hit.sent.referrer)
        return {
            "at": hit.at,
            "day": day,
            "site_id": site.site_id,
            "visitor": visitor,
            "visitor_before": before,
            "path_id": path_id(scrubbed) if scrubbed else None,
            "path": scrubbed,
            "ref_hash": ref_hash(self._secret, site.site_id, ref) if ref else None,
        }

    async def _visitor(self, hit: Hit, site: Site, day: date) -> int:
        salt = await self._salts.salt(day)
        return visitor_of(salt, site.site_id, hit.sent.address, hit.sent.agent)

    async def _visitor_before(
        self, hit: Hit, site: Site, day: date, opened_at: datetime
    ) -> int | None:
        """Under yesterday's salt too, while a visit may have begun yesterday."""
        yesterday = day - timedelta(days=1)
        if site.day_of(opened_at - OVERLAP) != yesterday:
            return None
        return await self._visitor(hit, site, yesterday)


def _known(hit: Hit) -> tuple[Site, Any]:
    assert hit.site is not None
    assert hit.page is not None
    return hit.site, hit.page


def _codes(hit: Hit, width_px: int) -> Codes:
    agent = read_agent(hit.sent.agent)
    return Codes(
        device=agent.device,
        band=width_band(width_px),
        browser=agent.browser,
        os=agent.os,
        channel=channel_of(hit.sent.referrer),
        variant=0,
        capture=int(hit.capture),
        language=language_class(hit.sent.language),
    )


def channel_of(referrer: str) -> int:
    """By host alone; what a beacon calls its referrer is mostly the shop's own page."""
    host = (urlsplit(referrer).hostname or "") if "://" in referrer else ""
    if not host:
        return Channel.UNKNOWN
    if any(f".{host}".find(f".{name}") >= 0 for name in _SEARCH):
        return Channel.SEARCH
    if any(f".{host}".find(f".{name}") >= 0 for name in _SOCIAL):
        return Channel.SOCIAL
    return Channel.INTERNAL


def _minutes(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


def _new_view_id() -> int:
    return int.from_bytes(secrets.token_bytes(8), "big", signed=True)


Headers = Mapping[bytes, bytes]
