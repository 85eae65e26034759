"""Who the sieve let through lately, known again by the very bytes of their headers.

A browser sends the same headers with every beacon of a page, and most of what is decided on a
request depends on nothing else: the sieve's steps, the visitor's number, the codes. So it is
decided once, and holds for whoever sends the same bytes over a connection from the same peer.

What is kept is no header and no address: a digest of both under a key that this process made when
it started and never tells, and beside it what rows bear anyway. It is forgotten within two minutes.
Who is dropped, or is anything else than plain, is not remembered and decided on every time.
"""

from __future__ import annotations

import secrets
from datetime import date
from hashlib import blake2b
from typing import Any, Literal

from msgspec import Struct

from collector.addresses import Peer
from collector.agents import Agent
from collector.keyed import Keyed
from collector.lately import Lately
from collector.sites import Site

MOST_SENDERS = 4096
FORGOTTEN_S = 60.0
"""A page sends most of its beacons within its first minute."""

MOST_STANDINGS = 16
"""Of one sender: more shops than anybody visits within a minute."""

MARK_BYTES = 16
_KEY_BYTES = 32

Means = Literal["opening", "beacon", "script", "script with token"]
"""What the sieve asks of a sender differs by what is sent."""


class Standing(Struct, frozen=True):
    """A sender that the sieve let through, at a shop, on a day: all that rows bear of its headers.

    Good for as long as the shop and the day's salt are the very ones.
    """

    site: Site
    day: date
    salt: Keyed | None
    visitor: int | None
    """None of a day whose salt is gone."""

    agent: Agent
    channel: int
    language: int
    path: str | None
    """Scrubbed, of the page that sends; a beacon's is not looked at."""

    pieces: dict[Any, bytes]
    """Parts of rows in the store's form, as `collector/rows.py` needs them again."""

    codes: dict[int, int]
    """What a batch keeps of it, by the width band of its viewport."""


class Sender(Struct):
    """Whoever sends these bytes."""

    takes_gzip: bool
    standings: dict[tuple[Means, int, date], Standing]

    def stand(self, means: Means, standing: Standing) -> None:
        if len(self.standings) >= MOST_STANDINGS:
            self.standings.clear()
        self.standings[means, standing.site.site_id, standing.day] = standing


class Marking:
    """Of one connection: digests of headers that come over it."""

    __slots__ = ("_begun",)

    def __init__(self, key: bytes, peer: Peer) -> None:
        address = peer.address or b""
        told = bytes((peer.believed, len(address))) + address
        self._begun = blake2b(told, key=key, digest_size=MARK_BYTES)

    def mark(self, before: bytes, after: bytes = b"") -> bytes:
        """Of the headers' bytes before and after a body's length; no header has a zero byte."""
        digest = self._begun.copy()
        digest.update(before)
        digest.update(b"\0")
        digest.update(after)
        return digest.digest()


class Senders:
    def __init__(self) -> None:
        self._key = secrets.token_bytes(_KEY_BYTES)
        self._known: Lately[bytes, Sender] = Lately(MOST_SENDERS, FORGOTTEN_S)
        self.get = self._known.get

    def marking(self, peer: Peer) -> Marking:
        return Marking(self._key, peer)

    def learn(self, mark: bytes, *, takes_gzip: bool) -> Sender:
        """The sender of a mark, known from now on."""
        sender = self._known.get(mark)
        if sender is None:
            sender = Sender(takes_gzip, {})
            self._known.put(mark, sender)
        return sender
