"""What each route answers: decode, sift, and the row to keep, if there is one. Nothing waits here
unless the shop or the day's salt must be asked for first.

The status is the contract and the body is always harmless (docs/wire.md). A GET is answered with
200 when stored or dropped on purpose (`X-Gloed-Drop` says why), 503 when not stored; a POST with
204 likewise, 4xx when malformed, 503 when not stored. Where nobody knows, 504 claims nothing.
"""

from __future__ import annotations

from functools import partial

from collector import answers
from collector.answers import Answer
from collector.caps import MOST_ROWS, MOST_VIEWS, Caps
from collector.codes import OutcomeSource
from collector.connections import AWAY
from collector.decode import Batch, check_length, check_media, decode_batch, decode_goal
from collector.errors import Malformed, NotStored, TooLarge, UnsupportedMedia
from collector.hits import Beacon, Drop, Hit, Opening, Script, Thanks
from collector.holding import Holding
from collector.known import Known
from collector.parts import Parts
from collector.requests import Asked, sent_of, text_of
from collector.rows import Rows, View, minutes_of, new_view_id, view_of, view_told
from collector.senders import Means, Sender, Standing
from collector.sheets import Sheets
from collector.sieve import OF_SCRIPT, sift
from collector.sites import Page, Site
from collector.tokens import Token, read_token, write_token
from collector.verdicts import GIFS, POSTS, Keep, Verdict
from collector.wire import RESERVED, SITE_KEY, Capture, Reason


class Routes:
    """Paths come without the prefix."""

    def __init__(self, parts: Parts, holding: Holding) -> None:
        self._parts = parts
        self._rows = Rows(parts.salts, parts.secret)
        self._holding = holding
        self._caps = Caps()
        self._sheets = Sheets(parts.sheet)
        self._known = Known(parts, self._rows, self._caps, self._sheets, holding)

    def decide_known(self, asked: Asked, sender: Sender) -> Verdict | None:
        """Where everything about the sender is known already; else None, and nothing is counted."""
        return self._known.decide(asked, sender)

    def refused_early(self, asked: Asked) -> Answer | None:
        """What is posted and needs no body to be refused."""
        headers = asked.headers
        try:
            check_media(text_of(headers, b"content-type"), text_of(headers, b"content-encoding"))
            check_length(text_of(headers, b"content-length"))
        except (Malformed, TooLarge, UnsupportedMedia) as wrong:
            return answers.wrong(wrong)
        match asked.segments:
            case [_] | [_, "goal"]:
                return None
        return answers.NOT_FOUND

    async def decide(self, asked: Asked) -> Verdict:
        """Raises NotStored where what must be known first cannot be asked for. Nothing is kept or
        counted before the last time that it waits."""
        if asked.method == "GET":
            return await self._get(asked)
        if asked.method == "POST":
            return await self._post(asked)
        if asked.method == "HEAD":
            return await self._head(asked)
        return answers.PREFLIGHT if asked.method == "OPTIONS" else answers.NOT_ALLOWED

    async def _get(self, asked: Asked) -> Verdict:
        match asked.segments:
            case [token, name] if not token.startswith("gs_") and token not in RESERVED:
                if name == "s":
                    return await self._sheet(asked, token)
                return await self._beacon(asked, token, name)
            case [key, slug] if key.startswith("gs_"):
                return await self._open(asked, key, Opening(slug, None))
            case [key, slug, ref] if key.startswith("gs_"):
                return await self._open(asked, key, Opening(slug, ref))
            case ["hold", _, _]:
                return answers.GIF_ANSWER  # what no view can be joined to
            case ["x", key, mark]:
                return await self._script(asked, key, mark)
            case ["done", key]:
                return await self._thanks(asked, key, None)
            case ["done", key, ref]:
                return await self._thanks(asked, key, ref)
            case [token, "s"]:
                return await self._sheet(asked, token)
            case _:
                return answers.GIF_ANSWER

    async def _head(self, asked: Asked) -> Verdict:
        """Like GET as far as nothing is stored."""
        match asked.segments:
            case ["x", key, mark]:
                return await self._script(asked, key, mark)
            case [token, "s"] if not is_key(token):
                return await self._sheet(asked, token)
            case _:
                return answers.EMPTY_SHEET if opens(asked.segments) else answers.GIF_ANSWER

    async def _open(self, asked: Asked, key: str, said: Opening) -> Verdict:
        hit = self._sift(asked, said, await self._site(key, said.slug))
        if isinstance(hit, Drop):
            return answers.dropped_sheet(hit.reason)
        site, page = _known(hit)
        token = Token(site.site_id, page.page_id, minutes_of(hit.at), new_view_id())
        view = view_of(token, site, page)
        standing = await self._stand(asked, hit, view, "opening")
        before = await self._rows.visitor_before(hit, view)
        row = self._rows.opening(hit.at, view, standing, said.ref, before)
        if self._is_flood(hit, row.values["visitor"], MOST_VIEWS):
            return answers.dropped_sheet(Reason.FLOOD)
        up = "../../" if said.ref is not None else "../"
        kept = answers.redirect(f"{up}{write_token(token, self._parts.secret)}/s")
        return self._keep(hit, Keep(row, kept, kept, partial(self._holding.opened, token, row)))

    async def _sheet(self, asked: Asked, text: str) -> Verdict:
        token = read_token(text, self._parts.secret, self._parts.clock())
        if isinstance(token, Reason):
            return answers.dropped_sheet(token)
        site = await self._site_of(token)
        page = site.page(token.page_id) if site else None
        if page is None:
            return answers.dropped_sheet(Reason.UNKNOWN_PAGE)
        packed = b"gzip" in asked.headers.get(b"accept-encoding", b"")
        return self._sheets.answer(token.site_id, page, packed=packed)

    async def _script(self, asked: Asked, key: str, mark: str) -> Answer:
        """The script for whoever may be counted, under its own hash for good. A page that bears
        the hash of another version gets the present one; no such page could be frozen."""
        sent = sent_of(asked.peer, asked.headers, self._parts.trusted)
        site = await self._site(key)
        # Nothing is said yet, neither of a page: who asks is sifted like a thank-you page's image.
        hit = sift(Hit(self._parts.clock(), sent, Thanks(None), site), OF_SCRIPT)
        if isinstance(hit, Drop):
            return answers.dropped_script(hit.reason)
        found = await self._parts.script()
        if found is None:
            return answers.NO_SCRIPT
        packed = b"gzip" in asked.headers.get(b"accept-encoding", b"")
        asks = site is not None and site.consent is not None
        keep = answers.Keeping.NOT if asks else answers.keeping(right=mark == found.mark)
        return answers.script(found.gzip if packed else found.js, packed=packed, keep=keep)

    async def _beacon(self, asked: Asked, text: str, name: str) -> Verdict:
        token = read_token(text, self._parts.secret, self._parts.clock())
        if isinstance(token, Reason):
            return answers.dropped_gif(token)
        said = Beacon(token, name)
        hit = self._sift(asked, said, await self._site_of(token))
        if isinstance(hit, Drop):
            return answers.dropped_gif(hit.reason)
        if self._is_flood(hit, token.view_id, MOST_ROWS):
            return answers.dropped_gif(Reason.FLOOD)
        view = view_of(token, *_known(hit))
        standing = await self._stand(asked, hit, view, "beacon")
        return self._keep(hit, Keep(self._rows.beacon(hit.at, view, standing, name), *GIFS))

    async def _thanks(self, asked: Asked, key: str, ref: str | None) -> Verdict:
        hit = self._sift(asked, Thanks(ref), await self._site(key))
        if isinstance(hit, Drop):
            return answers.dropped_gif(hit.reason)
        return self._keep(hit, Keep(await self._rows.thanks(hit, ref), *GIFS))

    async def _post(self, asked: Asked) -> Verdict:
        try:
            match asked.segments:
                case [key]:
                    return await self._batch(asked, key)
                case [key, "goal"]:
                    return await self._goal(asked, key)
        except (Malformed, TooLarge) as wrong:
            return answers.wrong(wrong)
        return answers.NOT_FOUND

    async def _batch(self, asked: Asked, key: str) -> Verdict:
        batch = decode_batch(asked.body)
        token = self._token_of(batch)
        site = await self._site(key, None if batch.token else batch.slug)
        if isinstance(token, Reason):
            return self._dropped_batch(site, token)
        if token is not None and site is not None:
            if token.site_id != site.site_id:
                return self._dropped_batch(site, Reason.BAD_TOKEN)
            site = await self._site_of(token)
        said = Script(batch, token)
        hit = self._sift(asked, said, site)
        if isinstance(hit, Drop):
            return answers.dropped_post(hit.reason)
        view = _view_of(batch, token, *_known(hit))
        means: Means = "script" if token is None else "script with token"
        standing = await self._stand(asked, hit, view, means)
        before = await self._rows.visitor_before(hit, view)
        row = self._rows.batch(hit.at, view, standing, batch, before)
        if self._is_flood(hit, row.values["view_id"], MOST_ROWS):
            return answers.dropped_post(Reason.FLOOD)
        if token is None and said.batch.seq == 0:
            # It opens a view by itself.
            if self._is_flood(hit, row.values["visitor"], MOST_VIEWS):
                return answers.dropped_post(Reason.FLOOD)
        return self._keep(hit, Keep(row, *POSTS))

    def _token_of(self, batch: Batch) -> Token | Reason | None:
        if batch.token is None:
            return None
        return read_token(batch.token, self._parts.secret, self._parts.clock())

    def _dropped_batch(self, site: Site | None, reason: Reason) -> Answer:
        if site is not None:
            day = site.day_of(self._parts.clock())
            self._parts.writer.count_drop(site.site_id, day, reason, Capture.SCRIPT)
        return answers.dropped_post(reason)

    async def _goal(self, asked: Asked, key: str) -> Verdict:
        site = await self._site(key)
        if site is None or not await self._may_report(site, asked):
            # Absent and forbidden look the same.
            return answers.problem(401, "unauthorized", "send a key of this site with scope goal")
        told, now = decode_goal(asked.body), self._parts.clock()
        reason = Reason.OFF if site.mode == "off" else Reason.TEST_ORDER if told.test else None
        if reason is not None:
            self._parts.writer.count_drop(site.site_id, site.day_of(now), reason, Capture.SERVER)
            return answers.dropped_post(reason)
        row = self._rows.goal(site, now, OutcomeSource.SERVER, told.result, ref=told.ref)
        return Keep(row, *POSTS)

    async def _may_report(self, site: Site, asked: Asked) -> bool:
        authorization = text_of(asked.headers, b"authorization")
        try:
            return await self._parts.may_report_goals(site, authorization)
        except AWAY as away:
            raise NotStored("the store cannot be asked now") from away

    async def _site(self, key: str, slug: str | None = None) -> Site | None:
        return await self._parts.catalogue.by_key(key, slug) if is_key(key) else None

    async def _site_of(self, token: Token) -> Site | None:
        return await self._parts.catalogue.by_id(token.site_id, token.page_id)

    def _sift(
        self, asked: Asked, said: Opening | Beacon | Script | Thanks, site: Site | None
    ) -> Hit | Drop:
        sent = sent_of(asked.peer, asked.headers, self._parts.trusted)
        hit = Hit(self._parts.clock(), sent, said, site)
        outcome = sift(hit)
        if isinstance(outcome, Drop):
            self._count(hit, outcome.reason)
        return outcome

    async def _stand(self, asked: Asked, hit: Hit, view: View, means: Means) -> Standing:
        """What rows bear of a sender who was let through; known again by the same headers."""
        standing = await self._rows.standing(hit, view.day)
        # Who is not believed is counted each time; nobody is known by a salt that is gone.
        is_nobody = hit.sent.unbelieved or standing.visitor is None
        if asked.sender is not None and not is_nobody:
            asked.sender.stand(means, standing)
        return standing

    def _keep(self, hit: Hit, keep: Keep) -> Keep:
        if hit.sent.unbelieved:
            self._count(hit, Reason.UNTRUSTED_PROXY)
        return keep

    def _is_flood(self, hit: Hit, number: int, most: int) -> bool:
        """Whether a visitor, or a view, sent more than any person's browser does."""
        if not self._caps.is_full(number, most, hit.at):
            return False
        self._count(hit, Reason.FLOOD)
        return True

    def _count(self, hit: Hit, reason: Reason) -> None:
        if hit.site is not None:
            day = hit.site.day_of(hit.at)
            self._parts.writer.count_drop(hit.site.site_id, day, reason, int(hit.capture))


def _known(hit: Hit) -> tuple[Site, Page]:
    assert hit.site is not None
    assert hit.page is not None
    return hit.site, hit.page


def _view_of(batch: Batch, token: Token | None, site: Site, page: Page) -> View:
    """By the token that the stylesheet gave, else by what the browser says of itself."""
    return view_told(batch, site, page) if token is None else view_of(token, site, page)


def is_key(text: str) -> bool:
    return SITE_KEY.match(text) is not None


def opens(segments: list[str]) -> bool:
    """Whether a stylesheet is asked for, and not an image."""
    return segments[0].startswith("gs_") or segments[1:] == ["s"]
