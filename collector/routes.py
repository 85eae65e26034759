"""The hot routes, as raw ASGI in front of everything else: decode, sift, keep, answer.

The status is the contract and the body is always harmless (docs/wire.md). A GET is answered with
200 when stored or dropped on purpose (`X-Gloed-Drop` says why), 503 when not stored; a POST with
204 likewise, 4xx when malformed, 503 when not stored. Where nobody knows, 504 claims nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from collector import answers
from collector.addresses import Network
from collector.answers import Answer
from collector.catalogue import Catalogue
from collector.codes import OutcomeSource
from collector.connections import AWAY
from collector.decode import Batch, check_length, check_media, decode_batch, decode_goal
from collector.errors import (
    InDoubt,
    Malformed,
    NotStored,
    TooLarge,
    UnsupportedMedia,
    place_of,
)
from collector.hits import Beacon, Drop, Hit, Opening, Script, Thanks
from collector.requests import (
    Headers,
    Receive,
    Scope,
    Send,
    headers_of,
    read_body,
    sent_of,
    text_of,
)
from collector.rows import Rows
from collector.sieve import sift
from collector.sites import Page, Site
from collector.tokens import Token, read_token, write_token
from collector.visitor import Salts
from collector.wire import RESERVED, SITE_KEY, Capture, Reason
from collector.writer import Writer

log = structlog.get_logger()

RETRY_AFTER_DEFECT_S = 60
"""What failed for a reason of ours will fail again soon after."""


class Sheet(Protocol):
    """A page's stylesheet, ready to send."""

    @property
    def css(self) -> bytes: ...
    @property
    def gzip(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What the composition root hands to the collector."""

    catalogue: Catalogue
    writer: Writer
    salts: Salts
    secret: bytes
    clock: Callable[[], datetime]
    sheet: Callable[[Page], Sheet]
    trusted: tuple[Network, ...]
    may_report_goals: Callable[[Site, str], Awaitable[bool]]


class Collector:
    """ASGI application below the prefix; `path` comes without it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._rows = Rows(parts.salts, parts.secret)

    async def __call__(self, scope: Scope, path: str, receive: Receive, send: Send) -> None:
        method = scope["method"]
        segments = path.removeprefix("/").split("/")
        try:
            answer = await self._answer(scope, segments, receive)
        except NotStored as refusal:
            sheet = _opens(segments)
            answer = answers.not_stored(refusal.retry_after_s, method=method, sheet=sheet)
        except InDoubt:
            answer = answers.in_doubt(method=method, sheet=_opens(segments))
        except Exception as defect:
            # A shop's page never sees our troubles. Only the kind is logged: a message or a
            # local could hold what was sent.
            log.error("answer_failed", why=type(defect).__name__, at=place_of(defect))
            sheet = _opens(segments)
            answer = answers.not_stored(RETRY_AFTER_DEFECT_S, method=method, sheet=sheet)
        await answers.send_answer(send, answer, head=method == "HEAD")

    async def _answer(self, scope: Scope, segments: list[str], receive: Receive) -> Answer:
        method, headers = scope["method"], headers_of(scope)
        if method == "GET":
            return await self._get(scope, segments, headers)
        if method == "HEAD":
            return await self._head(segments, headers)
        if method == "POST":
            return await self._post(scope, segments, headers, receive)
        return answers.PREFLIGHT if method == "OPTIONS" else answers.NOT_ALLOWED

    async def _get(self, scope: Scope, segments: list[str], headers: Headers) -> Answer:
        match segments:
            case ["hold", _, _]:
                return answers.GIF_ANSWER  # held open from the script-free snippet's issue on
            case ["x", _, _]:
                return answers.NO_SCRIPT
            case ["done", key]:
                return await self._thanks(scope, headers, key, None)
            case ["done", key, ref]:
                return await self._thanks(scope, headers, key, ref)
            case [key, slug] if key.startswith("gs_"):
                return await self._open(scope, headers, key, Opening(slug, None))
            case [key, slug, ref] if key.startswith("gs_"):
                return await self._open(scope, headers, key, Opening(slug, ref))
            case [token, "s"]:
                return await self._sheet(token, headers)
            case [token, name] if token not in RESERVED:
                return await self._beacon(scope, headers, token, name)
            case _:
                return answers.GIF_ANSWER

    async def _head(self, segments: list[str], headers: Headers) -> Answer:
        """Like GET as far as nothing is stored."""
        match segments:
            case ["x", _, _]:
                return answers.NO_SCRIPT
            case [token, "s"] if not _is_key(token):
                return await self._sheet(token, headers)
            case _:
                return answers.EMPTY_SHEET if _opens(segments) else answers.GIF_ANSWER

    async def _open(self, scope: Scope, headers: Headers, key: str, said: Opening) -> Answer:
        site = await self._site(key, said.slug)
        hit = self._sift(scope, headers, said, site)
        if isinstance(hit, Drop):
            return answers.dropped_sheet(hit.reason)
        token, row = await self._rows.opening(hit, said)
        await self._parts.writer.keep(row)
        up = "../../" if said.ref is not None else "../"
        return answers.redirect(f"{up}{write_token(token, self._parts.secret)}/s")

    async def _sheet(self, text: str, headers: Headers) -> Answer:
        token = read_token(text, self._parts.secret, self._parts.clock())
        if isinstance(token, Reason):
            return answers.dropped_sheet(token)
        site = await self._site_of(token)
        page = site.page(token.page_id) if site else None
        if page is None:
            return answers.dropped_sheet(Reason.UNKNOWN_PAGE)
        sheet = self._parts.sheet(page)
        packed = b"gzip" in headers.get(b"accept-encoding", b"")
        return answers.stylesheet(sheet.gzip if packed else sheet.css, packed=packed)

    async def _beacon(self, scope: Scope, headers: Headers, text: str, name: str) -> Answer:
        token = read_token(text, self._parts.secret, self._parts.clock())
        if isinstance(token, Reason):
            return answers.dropped_gif(token)
        said = Beacon(token, name)
        hit = self._sift(scope, headers, said, await self._site_of(token))
        if isinstance(hit, Drop):
            return answers.dropped_gif(hit.reason)
        fresh = await self._parts.writer.keep(await self._rows.beacon(hit, said))
        return answers.GIF_ANSWER if fresh else answers.dropped_gif(Reason.REPEAT)

    async def _thanks(self, scope: Scope, headers: Headers, key: str, ref: str | None) -> Answer:
        hit = self._sift(scope, headers, Thanks(ref), await self._site(key))
        if isinstance(hit, Drop):
            return answers.dropped_gif(hit.reason)
        fresh = await self._parts.writer.keep(await self._rows.thanks(hit, ref))
        return answers.GIF_ANSWER if fresh else answers.dropped_gif(Reason.REPEAT)

    async def _post(
        self, scope: Scope, segments: list[str], headers: Headers, receive: Receive
    ) -> Answer:
        try:
            check_media(text_of(headers, b"content-type"), text_of(headers, b"content-encoding"))
            check_length(text_of(headers, b"content-length"))
            match segments:
                case [key]:
                    return await self._batch(scope, headers, key, await read_body(receive))
                case [key, "goal"]:
                    return await self._goal(headers, key, receive)
        except Malformed as wrong:
            return answers.problem(400, "malformed", str(wrong))
        except TooLarge as wrong:
            return answers.problem(413, "too-large", str(wrong))
        except UnsupportedMedia as wrong:
            return answers.problem(415, "unsupported-media", str(wrong))
        return answers.problem(404, "not-found", "no such route")

    async def _batch(self, scope: Scope, headers: Headers, key: str, body: bytes) -> Answer:
        batch = decode_batch(body)
        token = self._token_of(batch)
        site = await self._site(key, None if batch.token else batch.slug)
        if isinstance(token, Reason):
            return self._dropped_batch(site, token)
        if token is not None and site is not None:
            if token.site_id != site.site_id:
                return self._dropped_batch(site, Reason.BAD_TOKEN)
            site = await self._site_of(token)
        said = Script(batch, token)
        hit = self._sift(scope, headers, said, site)
        if isinstance(hit, Drop):
            return answers.dropped_post(hit.reason)
        fresh = await self._parts.writer.keep(await self._rows.batch(hit, said))
        return answers.KEPT if fresh else answers.dropped_post(Reason.REPEAT)

    def _token_of(self, batch: Batch) -> Token | Reason | None:
        if batch.token is None:
            return None
        return read_token(batch.token, self._parts.secret, self._parts.clock())

    def _dropped_batch(self, site: Site | None, reason: Reason) -> Answer:
        if site is not None:
            day = site.day_of(self._parts.clock())
            self._parts.writer.count_drop(site.site_id, day, reason, Capture.SCRIPT)
        return answers.dropped_post(reason)

    async def _goal(self, headers: Headers, key: str, receive: Receive) -> Answer:
        site = await self._site(key)
        if site is None or not await self._may_report(site, headers):
            # Absent and forbidden look the same.
            return answers.problem(401, "unauthorized", "send a key of this site with scope goal")
        ref, result = decode_goal(await read_body(receive))
        row = self._rows.goal(site, self._parts.clock(), OutcomeSource.SERVER, result, ref=ref)
        fresh = await self._parts.writer.keep(row)
        return answers.KEPT if fresh else answers.dropped_post(Reason.REPEAT)

    async def _may_report(self, site: Site, headers: Headers) -> bool:
        try:
            return await self._parts.may_report_goals(site, text_of(headers, b"authorization"))
        except AWAY as away:
            raise NotStored("the store cannot be asked now") from away

    async def _site(self, key: str, slug: str | None = None) -> Site | None:
        return await self._parts.catalogue.by_key(key, slug) if _is_key(key) else None

    async def _site_of(self, token: Token) -> Site | None:
        return await self._parts.catalogue.by_id(token.site_id, token.page_id)

    def _sift(
        self,
        scope: Scope,
        headers: Headers,
        said: Opening | Beacon | Script | Thanks,
        site: Site | None,
    ) -> Hit | Drop:
        sent = sent_of(scope, headers, self._parts.trusted)
        hit = Hit(self._parts.clock(), sent, said, site)
        outcome = sift(hit)
        if site is not None and isinstance(outcome, Drop):
            self._count(hit, site, outcome.reason)
        elif site is not None and sent.unbelieved:
            self._count(hit, site, Reason.UNTRUSTED_PROXY)
        return outcome

    def _count(self, hit: Hit, site: Site, reason: Reason) -> None:
        day = site.day_of(hit.at)
        self._parts.writer.count_drop(site.site_id, day, reason, int(hit.capture))


def _is_key(text: str) -> bool:
    return SITE_KEY.match(text) is not None


def _opens(segments: list[str]) -> bool:
    """Whether a stylesheet is asked for, and not an image."""
    return segments[0].startswith("gs_") or segments[1:] == ["s"]
