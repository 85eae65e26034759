"""A sifted hit → the row that is kept. What is derived from headers is derived here, last."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from operator import itemgetter
from typing import Any

from msgspec import Struct

from collector.agents import Agent, language_class, read_agent
from collector.channels import channel_of
from collector.codes import Codes, OutcomeSource, pack_codes, width_band
from collector.copying import FORMS, day_number, field_of
from collector.decode import Batch
from collector.groups import Row
from collector.hits import Beacon, Hit
from collector.keyed import Keyed
from collector.packing import ENC
from collector.scrub import path_id, scrub_path
from collector.senders import Standing
from collector.sieve import NAMES_REMEMBERED
from collector.sites import Page, Site
from collector.tokens import Token
from collector.visitor import OVERLAP_MIN, Salts, ref_hash, visitor_check, visitor_under
from collector.wire import OPEN, Capture

COMPLETED = 1
ONE_DAY = timedelta(days=1)

COMBINATIONS = 4096
"""Of codes; a shop's visitors have some hundreds."""


_BEACON = FORMS["beacon"]
_VIEW_PIECE = _BEACON.line("view_id", "page_id", "view_id", "day", "site_id")
_NUMBER_PIECE = _BEACON.line("view_id", "view_id", "view_id")

_BATCH = FORMS["batch"]
_BATCH_NAMES = (
    *("view_id", "visitor", "path_id", "day", "site_id", "page_id", "opened_min"),
    *("page_height_px", "codes", "seq", "n", "page_width_px"),
    *("viewport_width_px", "viewport_height_px", "enc"),
)
_BATCH_LINE = _BATCH.line("view_id", "enc", *_BATCH_NAMES)
_BATCH_NUMBERS = itemgetter(*_BATCH_NAMES)
_DAY = _BATCH_NAMES.index("day")


class View(Struct, frozen=True):
    """What all rows of a page view have in common."""

    site: Site
    page: Page
    day: date
    """Of its opening, in the shop's zone."""

    view_id: int
    opened_min: int
    token: Token | None = None
    piece: bytes = b""
    """Of a beacon's row, in the store's form; only of who has a token."""


def view_of(token: Token, site: Site, page: Page) -> View:
    """As the stylesheet's beacons name it."""
    day = site.day_of_minute(token.opened_min)
    piece = _VIEW_PIECE(token.view_id, day_number(day), site.site_id)
    return View(site, page, day, token.view_id, token.opened_min, token, piece)


def view_told(batch: Batch, site: Site, page: Page) -> View:
    """As a browser names it that was given no token."""
    assert batch.view_id is not None
    assert batch.opened_min is not None
    day = site.day_of_minute(batch.opened_min)
    return View(site, page, day, batch.view_id, batch.opened_min)


class Rows:
    """Builds rows; holds the day's salts and the fleet's secret."""

    def __init__(self, salts: Salts, secret: bytes) -> None:
        self._salts = salts
        self._secret = secret

    async def standing(self, hit: Hit, day: date) -> Standing:
        """All that rows of that day bear of a sender who was let through."""
        assert hit.site is not None
        salt = await self._salt(hit, day)
        return Standing(
            site=hit.site,
            day=day,
            salt=salt,
            visitor=_visitor(hit, salt),
            agent=read_agent(hit.sent.agent),
            channel=int(channel_of(hit.sent.referrer)),
            language=int(language_class(hit.sent.language)),
            path=None if isinstance(hit.said, Beacon) else scrub_path(hit.sent.referrer),
            pieces={},
            codes={},
        )

    async def visitor_before(self, hit: Hit, view: View) -> int | None:
        """Under yesterday's salt too, while a visit may have begun yesterday."""
        if not may_have_begun_before(view.site, view.day, view.opened_min):
            return None
        return _visitor(hit, await self._salt(hit, view.day - ONE_DAY))

    def opening(
        self, at: datetime, view: View, standing: Standing, ref: str | None, before: int | None
    ) -> Row:
        values = self._viewed(at, view, standing, ref, before, standing.path)
        values |= _codes(standing, 0, Capture.CSS).columns
        values["name"] = OPEN
        values["visitor_check"] = visitor_check(values["visitor"])
        packed = None
        if before is None and "ref_hash" not in values and standing.visitor is not None:
            piece = standing.pieces.get(view.page.page_id)
            if piece is None:
                piece = _BEACON.piece("visitor", "name", values)
                standing.pieces[view.page.page_id] = piece
            packed = b"".join((_BEACON.head_at(at), _NUMBER_PIECE(view.view_id), piece))
        return Row("beacon", values, standing.path, packed)

    def beacon(self, at: datetime, view: View, standing: Standing, name: str) -> Row:
        visitor, piece = standing.visitor, standing.pieces.get("beacon")
        values = {
            "at": at,
            "view_id": view.view_id,
            "day": view.day,
            "site_id": view.site.site_id,
            "visitor_check": visitor_check(view.view_id if visitor is None else visitor),
            "name": name,
        }
        if piece is None:
            piece = _BEACON.piece("visitor_check", "ref_hash", values)
            if visitor is not None:
                standing.pieces["beacon"] = piece
        packed = b"".join((_BEACON.head_at(at), view.piece, piece, _packed_name(name)))
        return Row("beacon", values, None, packed)

    def batch(
        self, at: datetime, view: View, standing: Standing, told: Batch, before: int | None
    ) -> Row:
        path = path_told(told, standing)
        values = self._viewed(at, view, standing, told.ref, before, path)
        values["opened_min"] = view.opened_min
        values["seq"] = told.seq
        values["viewport_width_px"], values["viewport_height_px"] = told.viewport
        values["page_width_px"], values["page_height_px"] = told.page
        values["codes"] = _codes_of_batch(standing, told.viewport[0])
        # Empty in place of NULL: one NULL makes a row's header 8 bytes longer.
        values["visitor_before"] = "" if before is None else str(before)
        values.setdefault("ref_hash", b"")
        values["n"] = told.n
        values["enc"] = ENC
        values["trail"] = told.trail
        values["ev"] = told.events
        around = b"", b""
        if path and told.steps:
            around = _around(values)
        return Row("batch", values, path, None, told.steps, around)

    async def thanks(self, hit: Hit, ref: str | None) -> Row:
        """The goal image; without a reference the visitor of the day stands for one."""
        assert hit.site is not None
        day = hit.site.day_of(hit.at)
        ref = ref if hit.site.keeps_refs else None
        visitor = None if ref else _visitor(hit, await self._salt(hit, day))
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
        who = hashed if hashed else f"{visitor} {minutes_of(at)}".encode()
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

    def _viewed(
        self,
        at: datetime,
        view: View,
        standing: Standing,
        ref: str | None,
        before: int | None,
        path: str | None,
    ) -> dict[str, Any]:
        """The columns that an opening and a batch have in common."""
        visitor = standing.visitor
        values: dict[str, Any] = {
            "at": at,
            "view_id": view.view_id,
            "day": view.day,
            "site_id": view.site.site_id,
            "page_id": view.page.page_id,
            # Of a day whose salt is gone the view stands for its visitor: it recognises nobody.
            "visitor": view.view_id if visitor is None else visitor,
        }
        if before is not None:
            values["visitor_before"] = before
        if path:
            values["path_id"] = path_id(path)
        if ref and view.site.keeps_refs:
            values["ref_hash"] = ref_hash(self._secret, view.site.site_id, ref)
        return values

    async def _salt(self, hit: Hit, day: date) -> Keyed | None:
        """None for a day whose salt is gone."""
        salt = self._salts.at_hand(day, hit.at)
        if salt is None:
            asked = await self._salts.salt(day, hit.at)
            if asked is not None:
                salt = self._salts.at_hand(day, hit.at) or Keyed(asked)
        return salt


def may_have_begun_before(site: Site, day: date, opened_min: int) -> bool:
    """Whether the visit of a view may have begun on the day before its own."""
    return site.day_of_minute(opened_min - OVERLAP_MIN) != day


def path_told(told: Batch, standing: Standing) -> str | None:
    """By the batch itself, else by its referrer; scrubbed."""
    return scrub_path(told.path) if told.path else standing.path


def _visitor(hit: Hit, salt: Keyed | None) -> int | None:
    assert hit.site is not None
    if salt is None:
        return None
    return visitor_under(salt, hit.site.site_id, hit.sent.address, hit.sent.agent)


class _Codes(Struct, frozen=True):
    """In the two forms in which they are kept."""

    columns: dict[str, int]
    packed: int


def _codes_of_batch(standing: Standing, width_px: int) -> int:
    band = width_band(width_px)
    codes = standing.codes.get(band)
    if codes is None:
        codes = _codes(standing, band, Capture.SCRIPT).packed
        standing.codes[band] = codes
    return codes


def _around(values: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """A batch's row in the store's form, before its trail and behind it."""
    head, numbers = _BATCH.head_at(values["at"]), _BATCH_NUMBERS(values)
    before = head + _BATCH_LINE(*numbers[:_DAY], day_number(numbers[_DAY]), *numbers[_DAY + 1 :])
    behind = (values["ev"], values["ref_hash"], values["visitor_before"].encode())
    return before, b"".join(map(field_of, behind))


def _codes(standing: Standing, band: int, capture: int) -> _Codes:
    return _made_codes(standing.agent, band, standing.channel, int(capture), standing.language)


@lru_cache(maxsize=COMBINATIONS)
def _made_codes(agent: Agent, band: int, channel: int, capture: int, language: int) -> _Codes:
    codes = Codes(
        device=int(agent.device),
        band=band,
        browser=int(agent.browser),
        os=int(agent.os),
        channel=channel,
        capture=capture,
        language=language,
    )
    return _Codes(asdict(codes), pack_codes(codes))


@lru_cache(maxsize=NAMES_REMEMBERED)
def _packed_name(name: str) -> bytes:
    return _BEACON.piece("name", "name", {"name": name})


def minutes_of(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


def new_view_id() -> int:
    return int.from_bytes(secrets.token_bytes(8), "big", signed=True)
