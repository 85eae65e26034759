"""Sends people through the shop by its real endpoints, moving the clock along with them.

They are HTTP clients and no browsers: they load a page, follow the snippet's link, take the token
from the redirect and ask for what their gestures would make the served sheet ask for.
"""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import unescape
from itertools import groupby
from urllib.parse import urlencode, urlsplit

from app.clock import SteppedClock
from app.demo.client import Answer, Client
from app.demo.people import Person
from app.demo.serving import DemoProblem
from app.demo.shop import BASE
from app.demo.walks import PROVIDER, Stop

_SNIPPET = re.compile(r'<link rel="stylesheet" href="([^"]+/gs_[^"]+)"')
_PAID = re.compile(r'<a class="pay" href="([^"]+)"')
_ASKED_FOR = re.compile(rb"url\(([^)]+)\)")

DETAILS = {
    "naam": "Noor de Vries",
    "email": "noor@example.nl",
    "postcode": "7411 KT",
    "huisnummer": "12",
    "telefoon": "",
}


@dataclass(slots=True)
class Walker:
    """A person under way: what the pages told so far."""

    person: Person
    query: str = ""
    paid: str = ""
    token: str = ""
    names: frozenset[str] = frozenset()
    agent: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.agent = {
            "User-Agent": self.person.device.agent,
            "Accept-Language": "nl-NL,nl;q=0.9",
            "Accept-Encoding": "gzip",
            "X-Forwarded-For": self.person.address,
        }


@dataclass(frozen=True, slots=True)
class Event:
    """A page is reached, or, with a name, something is asked for from the page that is open."""

    at: datetime
    walker: Walker
    page: str
    name: str | None = None


def events_of(person: Person, stops: Iterable[Stop]) -> Iterator[Event]:
    walker = Walker(person)
    at = person.arrives_at
    for stop in stops:
        yield Event(at, walker, stop.page)
        for after_s, name in stop.told:
            yield Event(at + timedelta(seconds=after_s), walker, stop.page, name)
        at += timedelta(seconds=stop.lasts_s)


class Street:
    """The way to the shop, to the payment provider and back."""

    def __init__(self, shop: Client, provider: Client, clock: SteppedClock) -> None:
        self._shop = shop
        self._provider = provider
        self._clock = clock
        self._sheets: dict[bytes, frozenset[str]] = {}

    async def walk(self, events: Iterable[Event]) -> None:
        """Everything in its order; the clock ticks in seconds, and what falls into one second
        goes out at once, first what is asked for, then who comes to a new page."""
        ordered = sorted(events, key=lambda event: event.at)
        for second, group in groupby(ordered, key=lambda event: event.at.replace(microsecond=0)):
            self._clock.set(second)
            together = list(group)
            await asyncio.gather(*(self._beacon(e.walker, e.name) for e in together if e.name))
            await asyncio.gather(*(self._arrive(e.walker, e.page) for e in together if not e.name))

    async def _beacon(self, walker: Walker, name: str) -> None:
        if name not in walker.names:
            return  # the served sheet does not ask for it
        target = f"{walker.token}/{name}"
        referer = f"{self._shop.origin}{walker.token}/s"
        answer = await self._shop.ask(target, {**walker.agent, "Referer": referer})
        if answer.status != 200 or "x-gloed-drop" in answer.headers:
            raise _unexpected(target, answer)

    async def _arrive(self, walker: Walker, page: str) -> None:
        if page == PROVIDER:
            await self._pay(walker)
            return
        target, html = await self._load(walker, page)
        if link := _SNIPPET.search(html):
            referer = f"{self._shop.origin}{target}"
            await self._open(walker, unescape(link[1]), referer)

    async def _load(self, walker: Walker, page: str) -> tuple[str, str]:
        """The page's address and its HTML, reached as a visitor reaches it."""
        match page:
            case "home":
                target = f"{BASE}/"
            case "product":
                target = f"{BASE}/koffie/{walker.person.product.slug}"
            case "winkelwagen":
                target = await self._send(walker, page, {"product": walker.person.product.slug})
            case "verzending":
                target = await self._send(walker, "gegevens", DETAILS)
            case "betalen":
                way = {"bezorgwijze": walker.person.shipping.slug}
                target = await self._send(walker, "verzending", way)
            case "bedankt":
                walker.agent["X-Forwarded-For"] = walker.person.pays_from
                parts = urlsplit(walker.paid)
                target = f"{parts.path}?{parts.query}"
            case _:
                target = f"{BASE}/{page}?{walker.query}"
        answer = await self._shop.ask(target, walker.agent)
        if answer.status != 200:
            raise _unexpected(target, answer)
        return target, answer.body.decode()

    async def _send(self, walker: Walker, page: str, form: dict[str, str]) -> str:
        """Submit a form of the shop; where it leads."""
        target = f"{BASE}/{page}?{walker.query}"
        answer = await self._shop.ask(target, walker.agent, form=urlencode(form).encode())
        if answer.status != 303:
            raise _unexpected(target, answer)
        leads = answer.headers["location"]
        walker.query = urlsplit(leads).query
        return leads

    async def _pay(self, walker: Walker) -> None:
        leads = await self._send(walker, "betalen", {"betaalwijze": "ideal", "voorwaarden": "ja"})
        answer = await self._provider.ask(f"/?{urlsplit(leads).query}", walker.agent)
        link = _PAID.search(answer.body.decode())
        if link is None:
            raise _unexpected(leads, answer)
        walker.paid = unescape(link[1])

    async def _open(self, walker: Walker, link: str, referer: str) -> None:
        """Open the view: the redirect names its token, the sheet what may be asked for."""
        opened = await self._shop.ask(link, {**walker.agent, "Referer": referer})
        if opened.status != 302:
            raise _unexpected(link, opened)
        token = opened.headers["location"].split("/")[-2]
        prefix = link[: link.index("/gs_")]
        walker.token = f"{prefix}/{token}"
        sheet = await self._shop.ask(f"{walker.token}/s", walker.agent)
        if sheet.body not in self._sheets:
            self._sheets[sheet.body] = _names_in(sheet)
        walker.names = self._sheets[sheet.body]


def _names_in(sheet: Answer) -> frozenset[str]:
    packed = sheet.headers.get("content-encoding") == "gzip"
    css = gzip.decompress(sheet.body) if packed else sheet.body
    return frozenset(name.decode() for name in _ASKED_FOR.findall(css))


def _unexpected(target: str, answer: Answer) -> DemoProblem:
    why = answer.headers.get("x-gloed-drop", "")
    return DemoProblem(
        f"the demo's own server answered {answer.status} {why} to {target}: start the demo again"
    )
