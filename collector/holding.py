"""The held image: an answer that is not finished while its page is open; its end is the leave.

A view's opening is remembered for some seconds; the image that its page asks for at one second is
the same visitor's on the same page, and is joined to it where exactly one opening fits. Whatever is
in doubt is answered with the whole image at once: the end of that view is then known by its page
clock alone. Nothing is asked of the store while an image is held, and nothing of the request is
kept but the row that its end will be.

A held image says nothing wrong where a proxy does not pass on that the visitor left: it is finished
when its time is over, and what looks like the proxy's own doing is not told as a leave.
"""

from __future__ import annotations

import asyncio
import resource
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

from msgspec import Struct

from collector.addresses import UNIX, Network, is_trusted
from collector.errors import CollectorError
from collector.groups import Row
from collector.hits import Drop, Hit
from collector.requests import Headers, Receive, Scope, Send, text_of
from collector.sieve import (
    human,
    known_page,
    known_site,
    not_prefetched,
    of_its_path,
    respects_opt_out,
    sift,
)
from collector.tokens import Token
from collector.visitor import Salts, visitor_of
from collector.wire import ALIVE_STEPS_S, GIF, LEAVE
from collector.writer import Writer

HELD_BYTES = 16 * 1024
"""What a held image costs in memory: its connection and its tasks take 15 KB (measured)."""

BUDGET_BYTES = 32 * 1024 * 1024
"""As much as rows may take that wait for their commit."""

MAX_HELD = BUDGET_BYTES // HELD_BYTES
FILES_SHARE = 4
"""Of the files that the process may have open, one in so many may be a held connection."""

HELD_AT_MOST_S = float(ALIVE_STEPS_S[-1])
"""The page clock says nothing later either: who stays longer has left the table, not the page."""

TRICKLE_S = 20.0
"""A byte so often: common proxies give up on an answer that is silent for 30 s or 60 s."""

NOTICED_S = 1.0
"""A close so soon after a byte of ours may be a proxy that only then noticed who left long ago."""

PROXY_LIMITS_S = (30.0, 60.0, 100.0, 120.0, 300.0)
LIMIT_WITHIN_S = 0.5
"""A close at one of these is a proxy's own limit more often than a visitor's."""

JOINED_FROM_S, JOINED_TO_S = 0.7, 4.0
"""The page asks for the image at one second of its clock; the rest is two ways over the network."""

MAX_OPENINGS = 20_000
"""Remembered at most: 5,000 openings a second; beyond it the oldest are forgotten."""

_HEAD = GIF[:19] + b"\x21\xfe"
"""Signature, screen, colours; and the beginning of a comment, which may go on for long."""

_TRICKLE = b"\x01."
_REST = b"\x00" + GIF[19:]

_HEADERS = (
    (b"content-type", b"image/gif"),
    (b"cache-control", b"no-store"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"access-control-allow-origin", b"*"),
    (b"x-accel-buffering", b"no"),
)

STEPS = (known_site, not_prefetched, respects_opt_out, human, known_page, of_its_path)
"""Not asked for consent: it is joined to an opening alone, which was."""

NEWER = ("HTTP/2", "HTTP/3")
"""Over these an open answer costs the page nothing; of HTTP/1.1's connections it would take one of
the six that a browser has for the shop."""

Place = tuple[int, int, int]
"""Site, page and visitor."""

Leave = dict[str, Any]
"""The columns of a view's leave, but for its moment."""


class _Opened(Struct, frozen=True):
    at_s: float
    place: Place
    leave: Leave


class Holding:
    """Joins images to openings and holds them; until `begin`, everything is answered at once.

    Only whoever runs the server knows when it stops, and says so by `end`: an image that nobody
    ends would keep a server from stopping for as long as a page is open anywhere.
    """

    def __init__(self, writer: Writer, salts: Salts, clock: Callable[[], datetime]) -> None:
        self._writer = writer
        self._salts = salts
        self._clock = clock
        self._opened: deque[_Opened] = deque()
        self._by_place: dict[Place, list[_Opened]] = {}
        self._ends = asyncio.Event()
        self._begun = False
        self.held = 0

    @property
    def holds(self) -> bool:
        return self._begun and not self._ends.is_set()

    def begin(self) -> None:
        """From now on hold, unless the end has been told already."""
        self._begun = True

    def end(self) -> None:
        """Finish what is held, and hold nothing more. Nobody has left: nothing is written."""
        self._ends.set()

    def opened(self, token: Token, row: Row) -> None:
        """Remember a view that was just kept, by its row."""
        if not self.holds:
            return
        now_s = time.monotonic()
        self._forget(now_s)
        told = row.values
        place = token.site_id, token.page_id, told["visitor"]
        leave = {
            "view_id": told["view_id"],
            "day": told["day"],
            "site_id": told["site_id"],
            "visitor_check": told["visitor_check"],
            "name": LEAVE,
        }
        opened = _Opened(now_s, place, leave)
        self._opened.append(opened)
        self._by_place.setdefault(place, []).append(opened)

    async def claim(self, hit: Hit) -> Leave | None:
        """The leave of the one view that an image asked for now belongs to; None in any doubt."""
        if not self.holds or self.held >= most_held():
            return None
        kept = sift(hit, STEPS)
        if isinstance(kept, Drop) or kept.site is None or kept.page is None:
            return None
        day, site = kept.site.day_of(kept.at), kept.site
        salt = await self._salts.salt(day, kept.at)
        if salt is None:
            return None
        visitor = visitor_of(salt, site.site_id, kept.sent.address, kept.sent.agent)
        return self._only_one((site.site_id, kept.page.page_id, visitor))

    def _only_one(self, place: Place) -> Leave | None:
        now_s = time.monotonic()
        self._forget(now_s)
        recent = self._by_place.get(place, [])
        if len(recent) != 1 or now_s - recent[0].at_s < JOINED_FROM_S:
            return None
        del self._by_place[place]
        return recent[0].leave

    async def hold(self, leave: Leave, receive: Receive, send: Send) -> None:
        """Answer with an image that ends with its page, then keep the leave."""
        self.held += 1
        try:
            left = await _held(self._ends, receive, send)
        finally:
            self.held -= 1
        if left:
            # Nobody waits for an answer any more: what cannot be kept is not known.
            with suppress(CollectorError):
                await self._writer.keep(Row("beacon", {**leave, "at": self._clock()}))

    def _forget(self, now_s: float) -> None:
        while self._opened and (
            now_s - self._opened[0].at_s > JOINED_TO_S or len(self._opened) > MAX_OPENINGS
        ):
            gone = self._opened.popleft()
            recent = self._by_place.get(gone.place, [])
            if gone in recent:
                recent.remove(gone)
            if not recent:
                self._by_place.pop(gone.place, None)


def may_hold(scope: Scope, headers: Headers, trusted: tuple[Network, ...]) -> bool:
    """Whether the browser speaks a newer HTTP: a proxy that is trusted says so."""
    peer = (scope.get("client") or (UNIX, 0))[0]
    return text_of(headers, b"x-gloed-proto").startswith(NEWER) and is_trusted(peer, trusted)


def most_held() -> int:
    """By memory, and by the files that this process may open: visitors need theirs."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_HELD if files == resource.RLIM_INFINITY else min(MAX_HELD, files // FILES_SHARE)


async def _held(ends: asyncio.Event, receive: Receive, send: Send) -> bool:
    """Hold until the other side closes, the server stops or time is over; whether they left."""
    began_s = time.monotonic()
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await _send(send, _HEAD)
    wrote_s = began_s
    gone = asyncio.ensure_future(_disconnected(receive))
    over = asyncio.ensure_future(ends.wait())
    try:
        while not gone.done() and not over.done():
            now_s = time.monotonic()
            if now_s - began_s >= HELD_AT_MOST_S:
                break
            if now_s - wrote_s >= TRICKLE_S:
                await _send(send, _TRICKLE)
                wrote_s = now_s
            wait_s = min(wrote_s + TRICKLE_S, began_s + HELD_AT_MOST_S) - now_s
            await asyncio.wait(
                (gone, over), timeout=max(wait_s, 0.0), return_when=asyncio.FIRST_COMPLETED
            )
        closed_s = time.monotonic()
        if gone.done():
            return _is_leave(closed_s - began_s, closed_s - wrote_s)
        await send({"type": "http.response.body", "body": _REST})
        return False
    finally:
        gone.cancel()
        over.cancel()


async def _send(send: Send, part: bytes) -> None:
    await send({"type": "http.response.body", "body": part, "more_body": True})


async def _disconnected(receive: Receive) -> None:
    while True:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            return


def _is_leave(held_s: float, since_write_s: float) -> bool:
    """Whether a close is the visitor's and not the proxy's."""
    if since_write_s < NOTICED_S and held_s >= TRICKLE_S:
        return False
    return all(abs(held_s - limit_s) >= LIMIT_WITHIN_S for limit_s in PROXY_LIMITS_S)
