"""A sifted hit → the row that is kept. What is derived from headers is derived here, last."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from typing import Any

from collector.agents import language_class, read_agent
from collector.channels import channel_of
from collector.codes import Codes, OutcomeSource, width_band
from collector.groups import Row
from collector.hits import Beacon, Hit, Opening, Script
from collector.packing import ENC
from collector.scrub import path_id, scrub_path
from collector.sites import Page, Site
from collector.tokens import Token
from collector.visitor import OVERLAP, Salts, ref_hash, visitor_check, visitor_of
from collector.wire import OPEN

COMPLETED = 1


@dataclass(frozen=True, slots=True)
class _View:
    """What an opening and a batch both know of their view."""

    view_id: int
    opened_at: datetime
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
        view = _View(token.view_id, token.opened_at, said.ref, hit.sent.referrer)
        values, path = await self._viewed(hit, view)
        check = visitor_check(values["visitor"])
        return token, Row("beacon", {**values, "name": OPEN, "visitor_check": check}, path)

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
                "visitor_check": visitor_check(_or_view(visitor, said.token.view_id)),
                "name": said.name,
            },
        )

    async def batch(self, hit: Hit, said: Script) -> Row:
        told, view = said.batch, _view_of(hit, said)
        values, path = await self._viewed(hit, view, told.viewport[0])
        return Row(
            "batch",
            {
                **values,
                "opened_min": _minutes(view.opened_at),
                "seq": told.seq,
                "viewport_width_px": told.viewport[0],
                "viewport_height_px": told.viewport[1],
                "page_width_px": told.page[0],
                "page_height_px": told.page[1],
                "n": told.n,
                "enc": ENC,
                "trail": told.trail,
                "ev": told.events,
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
        self, hit: Hit, view: _View, width_px: int = 0
    ) -> tuple[dict[str, Any], str | None]:
        """The columns that an opening and a batch have in common, and the scrubbed path."""
        site, page = _known(hit)
        day = site.day_of(view.opened_at)
        visitor = await self._visitor(hit, site, day)
        path = scrub_path(view.path)
        values = {
            "at": hit.at,
            "view_id": view.view_id,
            "day": day,
            "site_id": site.site_id,
            "page_id": page.page_id,
            "visitor": _or_view(visitor, view.view_id),
            "visitor_before": await self._visitor_before(hit, site, day, view.opened_at),
            "path_id": path_id(path) if path else None,
            "ref_hash": ref_hash(self._secret, site.site_id, view.ref) if view.ref else None,
            **asdict(_codes(hit, width_px)),
        }
        return values, path

    async def _visitor(self, hit: Hit, site: Site, day: date) -> int | None:
        """None for a day whose salt is gone."""
        salt = await self._salts.salt(day, hit.at)
        return visitor_of(salt, site.site_id, hit.sent.address, hit.sent.agent) if salt else None

    async def _visitor_before(
        self, hit: Hit, site: Site, day: date, opened_at: datetime
    ) -> int | None:
        """Under yesterday's salt too, while a visit may have begun yesterday."""
        yesterday = day - timedelta(days=1)
        if site.day_of(opened_at - OVERLAP) != yesterday:
            return None
        return await self._visitor(hit, site, yesterday)


def _known(hit: Hit) -> tuple[Site, Page]:
    assert hit.site is not None
    assert hit.page is not None
    return hit.site, hit.page


def _view_of(hit: Hit, said: Script) -> _View:
    """By the token that the stylesheet gave, else by what the browser says of itself."""
    told = said.batch
    path = told.path or hit.sent.referrer
    if said.token is not None:
        return _View(said.token.view_id, said.token.opened_at, told.ref, path)
    assert told.view_id is not None
    assert told.opened_min is not None
    opened_at = datetime.fromtimestamp(told.opened_min * 60, UTC)
    return _View(told.view_id, opened_at, told.ref, path)


def _or_view(visitor: int | None, view_id: int) -> int:
    """Of a day whose salt is gone the view stands for its visitor: it recognises nobody."""
    return view_id if visitor is None else visitor


def _codes(hit: Hit, width_px: int) -> Codes:
    agent = read_agent(hit.sent.agent)
    return Codes(
        device=agent.device,
        band=width_band(width_px),
        browser=agent.browser,
        os=agent.os,
        channel=channel_of(hit.sent.referrer),
        capture=int(hit.capture),
        language=language_class(hit.sent.language),
    )


def _minutes(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


def _new_view_id() -> int:
    return int.from_bytes(secrets.token_bytes(8), "big", signed=True)
