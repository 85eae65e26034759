"""The hot routes, as raw ASGI in front of everything else: decode, sift, keep, answer.

The status is the contract and the body is always harmless (docs/wire.md). A GET is answered with
200 when stored or dropped on purpose (`X-Gloed-Drop` says why), 503 when not stored; a POST with
204 likewise, 4xx when malformed, 503 when not stored.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Protocol

from collector import answers
from collector.addresses import Network, sender_of
from collector.answers import Answer
from collector.catalogue import Catalogue
from collector.codes import OutcomeSource
from collector.decode import check_length, check_media, decode_batch, decode_goal
from collector.errors import Malformed, NotStored, TooLarge, UnsupportedMedia
from collector.hits import Beacon, Drop, Hit, Opening, Script, Sent, Thanks
from collector.rows import Rows
from collector.sieve import sift
from collector.sites import Page, Site
from collector.tokens import read_token, write_token
from collector.visitor import Salts
from collector.wire import MAX_BODY_BYTES, RESERVED, SITE_KEY, Reason
from collector.writer import Writer

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


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
    clock: Callable[[], Any]
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
        segments = path.strip("/").split("/")
        headers = dict(scope["headers"])
        try:
            if method in ("GET", "HEAD"):
                answer = await self._get(scope, segments, headers, store=method == "GET")
            elif method == "POST":
                answer = await self._post(scope, segments, headers, receive)
            elif method == "OPTIONS":
                answer = answers.PREFLIGHT
            else:
                answer = answers.problem(405, "method-not-allowed", "use GET or POST here")
        except NotStored as refusal:
            sheet = method == "GET" and _opens(segments)
            answer = answers.not_stored(refusal.retry_after_s, method=method, sheet=sheet)
        await answers.send_answer(send, answer, head=method == "HEAD")

    async def _get(
        self, scope: Scope, segments: list[str], headers: Mapping[bytes, bytes], *, store: bool
    ) -> Answer:
        match segments:
            case ["hold", _, _]:
                return answers.GIF_ANSWER  # held open from the script-free snippet's issue on
            case ["x", _, _]:
                return answers.NO_SCRIPT
            case ["done", key] | ["done", key, _] if store:
                ref = segments[2] if len(segments) == 3 else None
                return await self._thanks(scope, headers, key, ref)
            case [key, slug] | [key, slug, _] if key.startswith("gs_"):
                ref = segments[2] if len(segments) == 3 else None
                if not store:
                    return answers.EMPTY_SHEET
                return await self._open(scope, headers, key, Opening(slug, ref))
            case [token, "s"]:
                return await self._sheet(token, headers)
            case [token, name] if store and token not in RESERVED:
                return await self._beacon(scope, headers, token, name)
            case _:
                return answers.GIF_ANSWER

    async def _open(
        self, scope: Scope, headers: Mapping[bytes, bytes], key: str, said: Opening
    ) -> Answer:
        hit = self._sift(scope, headers, said, await self._site(key))
        if isinstance(hit, Drop):
            return answers.dropped_sheet(hit.reason)
        token, row = await self._rows.opening(hit, said)
        await self._parts.writer.keep(row)
        up = "../../" if said.ref is not None else "../"
        return answers.redirect(f"{up}{write_token(token, self._parts.secret)}/s")

    async def _sheet(self, text: str, headers: Mapping[bytes, bytes]) -> Answer:
        token = read_token(text, self._parts.secret, self._parts.clock())
        if isinstance(token, Reason):
            return answers.dropped_sheet(token)
        site = await self._parts.catalogue.by_id(token.site_id)
        pages = site.pages.values() if site else ()
        page = next((page for page in pages if page.page_id == token.page_id), None)
        if page is None:
            return answers.dropped_sheet(Reason.UNKNOWN_PAGE)
        sheet = self._parts.sheet(page)
        packed = b"gzip" in headers.get(b"accept-encoding", b"")
        return answers.stylesheet(sheet.gzip if packed else sheet.css, packed=packed)

    async def _beacon(
        self, scope: Scope, headers: Mapping[bytes, bytes], text: str, name: str
    ) -> Answer:
        token = read_token(text, self._parts.secret, self._parts.clock())
        if isinstance(token, Reason):
            return answers.dropped_gif(token)
        said = Beacon(token, name)
        hit = self._sift(scope, headers, said, await self._parts.catalogue.by_id(token.site_id))
        if isinstance(hit, Drop):
            return answers.dropped_gif(hit.reason)
        fresh = await self._parts.writer.keep(await self._rows.beacon(hit, said))
        return answers.GIF_ANSWER if fresh else answers.dropped_gif(Reason.REPEAT)

    async def _thanks(
        self, scope: Scope, headers: Mapping[bytes, bytes], key: str, ref: str | None
    ) -> Answer:
        hit = self._sift(scope, headers, Thanks(ref), await self._site(key))
        if isinstance(hit, Drop):
            return answers.dropped_gif(hit.reason)
        fresh = await self._parts.writer.keep(await self._rows.thanks(hit, ref))
        return answers.GIF_ANSWER if fresh else answers.dropped_gif(Reason.REPEAT)

    async def _post(
        self,
        scope: Scope,
        segments: list[str],
        headers: Mapping[bytes, bytes],
        receive: Receive,
    ) -> Answer:
        try:
            check_media(_text(headers, b"content-type"), _text(headers, b"content-encoding"))
            check_length(_text(headers, b"content-length"))
            match segments:
                case [key]:
                    return await self._batch(scope, headers, key, await _body(receive))
                case [key, "goal"]:
                    return await self._goal(headers, key, receive)
        except Malformed as wrong:
            return answers.problem(400, "malformed", str(wrong))
        except TooLarge as wrong:
            return answers.problem(413, "too-large", str(wrong))
        except UnsupportedMedia as wrong:
            return answers.problem(415, "unsupported-media", str(wrong))
        return answers.problem(404, "not-found", "no such route")

    async def _batch(
        self, scope: Scope, headers: Mapping[bytes, bytes], key: str, body: bytes
    ) -> Answer:
        batch = decode_batch(body)
        site = await self._site(key)
        token = None
        if batch.token is not None:
            read = read_token(batch.token, self._parts.secret, self._parts.clock())
            if isinstance(read, Reason):
                return self._dropped_batch(site, read)
            if site is None or read.site_id != site.site_id:
                return self._dropped_batch(site, Reason.BAD_TOKEN)
            token = read
        said = Script(batch, token)
        hit = self._sift(scope, headers, said, site)
        if isinstance(hit, Drop):
            return answers.dropped_post(hit.reason)
        fresh = await self._parts.writer.keep(await self._rows.batch(hit, said))
        return answers.KEPT if fresh else answers.dropped_post(Reason.REPEAT)

    def _dropped_batch(self, site: Site | None, reason: Reason) -> Answer:
        if site is not None:
            now = self._parts.clock()
            self._parts.writer.count_drop(site.site_id, site.day_of(now), reason, 2)
        return answers.dropped_post(reason)

    async def _goal(self, headers: Mapping[bytes, bytes], key: str, receive: Receive) -> Answer:
        site = await self._site(key)
        bearer = _text(headers, b"authorization")
        allowed = site is not None and await self._parts.may_report_goals(site, bearer)
        if site is None or not allowed:
            # Absent and forbidden look the same.
            return answers.problem(401, "unauthorized", "send a key of this site with scope goal")
        ref, result = decode_goal(await _body(receive))
        row = self._rows.goal(site, self._parts.clock(), OutcomeSource.SERVER, result, ref=ref)
        fresh = await self._parts.writer.keep(row)
        return answers.KEPT if fresh else answers.dropped_post(Reason.REPEAT)

    async def _site(self, key: str) -> Site | None:
        return await self._parts.catalogue.by_key(key) if SITE_KEY.match(key) else None

    def _sift(
        self,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        said: Opening | Beacon | Script | Thanks,
        site: Site | None,
    ) -> Hit | Drop:
        sent = _sent(scope, headers, self._parts.trusted)
        hit = Hit(self._parts.clock(), sent, said, site)
        outcome = sift(hit)
        if site is not None:
            self._count(hit, site, outcome)
        return outcome

    def _count(self, hit: Hit, site: Site, outcome: Hit | Drop) -> None:
        day, capture = site.day_of(hit.at), int(hit.capture)
        if isinstance(outcome, Drop):
            self._parts.writer.count_drop(site.site_id, day, outcome.reason, capture)
        elif hit.sent.unbelieved:
            self._parts.writer.count_drop(site.site_id, day, Reason.UNTRUSTED_PROXY, capture)


def _opens(segments: list[str]) -> bool:
    return segments[0].startswith("gs_") or segments[-1:] == ["s"]


def _text(headers: Mapping[bytes, bytes], name: bytes) -> str:
    return headers.get(name, b"").decode("latin-1")


def _sent(scope: Scope, headers: Mapping[bytes, bytes], trusted: tuple[Network, ...]) -> Sent:
    peer = scope.get("client") or ("unix", 0)
    sender = sender_of(peer[0], headers, trusted)
    return Sent(
        address=sender.address,
        agent=_text(headers, b"user-agent"),
        language=_text(headers, b"accept-language"),
        referrer=_text(headers, b"referer"),
        cookies=_text(headers, b"cookie"),
        purpose=_text(headers, b"sec-purpose") or _text(headers, b"purpose"),
        opted_out=_text(headers, b"sec-gpc") == "1" or _text(headers, b"dnt") == "1",
        unbelieved=sender.unbelieved,
    )


async def _body(receive: Receive) -> bytes:
    """The whole body, refused at the limit and not after it."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Malformed("the body ended early")
        part = message.get("body", b"")
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise TooLarge(f"a batch may have at most {MAX_BODY_BYTES} bytes")
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)
