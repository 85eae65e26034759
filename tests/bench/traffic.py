"""What browsers send, as bytes: each request bears a key of its own, found in the store later.

Synthetic: pointer trails walk at random around a few hot places of a page, one point each 50 ms
or so; 64 browsers, 4,096 addresses, forwarded by a trusted proxy.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from collector.sites import Site
from collector.tokens import Token, write_token

POINTS = 40
BODIES = 256
VIEWS_OF_A_CHAIN = 8
"""Batches that one view sends, one after the other."""

NAMES = ("t1", "w1280", "g720", "y100", "1.h", "1.h1", "2.f", "2.f1", "2.f2", "b1.2", "3.p1", "t5")
"""Beacons of one view, as a stylesheet asks for them."""

Key = tuple[int, int] | tuple[int, str]


@dataclass(frozen=True, slots=True)
class Requests:
    sent: list[bytes]
    keys: list[Key]
    """What the store must hold of each: (view, seq) or (view, name); none where the answer says."""


class Traffic:
    """Endless requests of one shop's visitors; nothing is ever sent twice."""

    def __init__(self, site: Site, secret: bytes, now: datetime, seed: int = 3) -> None:
        self._site = site
        self._secret = secret
        self._minute = int(now.timestamp()) // 60
        self._random = random.Random(seed)
        self._pages = sorted(site.pages)
        self._heads = [self._headers() for _ in range(BODIES)]
        self._tails = [self._tail() for _ in range(BODIES)]
        self._batches = self._all_batches()
        self._beacons = self._all_beacons()

    def batches(self, n: int) -> Requests:
        return _split(islice(self._batches, n))

    def beacons(self, n: int) -> Requests:
        return _split(islice(self._beacons, n))

    def openings(self, n: int) -> Requests:
        paths = (self._path(f"{self._site.public_key}/{self._any_page()}") for _ in range(n))
        return Requests([self._get(path) for path in paths], [])

    def sheets(self, n: int) -> Requests:
        paths = (self._path(f"{write_token(self._token(), self._secret)}/s") for _ in range(n))
        return Requests([self._get(path) for path in paths], [])

    def _all_batches(self) -> Iterator[tuple[bytes, Key]]:
        while True:
            token = self._token()
            known = (
                f'"t":"{write_token(token, self._secret)}"'
                if self._random.random() < 0.5
                else f'"id":"{token.view_id & (2**64 - 1):016x}","m":{self._minute},'
                f'"p":"{self._page_of(token)}"'
            )
            for seq in range(VIEWS_OF_A_CHAIN):
                body = b'{"v":1,"s":%d,%s,%s' % (seq, known.encode(), self._any(self._tails))
                yield self._post(self._site.public_key, body), (token.view_id, seq)

    def _all_beacons(self) -> Iterator[tuple[bytes, Key]]:
        while True:
            token = self._token()
            text = write_token(token, self._secret)
            for name in NAMES:
                yield self._get(self._path(f"{text}/{name}")), (token.view_id, name)

    def _token(self) -> Token:
        page = self._site.pages[self._any_page()]
        view_id = self._random.getrandbits(64) - 2**63
        return Token(self._site.site_id, page.page_id, self._minute, view_id)

    def _page_of(self, token: Token) -> str:
        page = self._site.page(token.page_id)
        assert page is not None
        return page.slug

    def _any_page(self) -> str:
        return self._pages[self._random.randrange(len(self._pages))]

    def _any(self, among: list[bytes]) -> bytes:
        return among[self._random.randrange(len(among))]

    def _path(self, rest: str) -> bytes:
        return b"/g/" + rest.encode()

    def _get(self, path: bytes) -> bytes:
        accept = b"Accept: image/avif,image/webp,image/png,*/*;q=0.8\r\n"
        return b"GET %s HTTP/1.1\r\n%s%s\r\n" % (path, accept, self._any(self._heads))

    def _post(self, key: str, body: bytes) -> bytes:
        return (
            b"POST /g/%s HTTP/1.1\r\nAccept: */*\r\n%sContent-Type: text/plain;charset=UTF-8\r\n"
            b"Origin: https://shop.example\r\nContent-Length: %d\r\n\r\n%s"
            % (key.encode(), self._any(self._heads), len(body), body)
        )

    def _headers(self) -> bytes:
        """As a browser sends them and a proxy passes them on."""
        r = self._random
        version = r.randrange(120, 157)
        system = r.choice(("Windows NT 10.0; Win64; x64", "X11; Linux x86_64", "Linux; Android 15"))
        agent = (
            f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) "
            f"Chrome/{version}.0.0.0 Safari/537.36"
        )
        lines = {
            "Host": "shop.example",
            "User-Agent": agent,
            "Accept-Language": "nl-NL,nl;q=0.8,en-US;q=0.5,en;q=0.3",
            "Accept-Encoding": "gzip, deflate, br, zstd",
            "Referer": f"https://shop.example/{r.choice(('winkelwagen', 'bezorgen', 'betalen'))}",
            "X-Forwarded-For": f"198.51.100.{r.randrange(256)}",
            "Sec-Fetch-Mode": "no-cors",
            "Sec-Fetch-Site": "same-origin",
        }
        return "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode()

    def _tail(self) -> bytes:
        """Viewport, page, a trail and three events: what follows the view in a batch."""
        r = self._random
        x, y = r.randrange(200, 1000), r.randrange(200, 2000)
        trail = [x, y, r.randrange(5_000)]
        for _ in range(POINTS - 1):
            dx, dy = round(r.gauss(0, 14)), round(r.gauss(0, 14))
            dx, dy = max(-x, min(1279 - x, dx)), max(-y, min(2399 - y, dy))
            x, y = x + dx, y + dy
            trail += [dx, dy, r.randrange(40, 120)]
        events = [
            [1, r.randrange(9_000), x, y, 2, r.randrange(65_536), r.randrange(65_536), 0, 0],
            [7, r.randrange(9_000), x, y, 1, 0, 0, r.randrange(20_000), 0],
            [5, r.randrange(9_000), 0, r.randrange(1_600), 0, 0, 0, 0, 0],
        ]
        told = {"vp": [1280, 720], "pg": [1280, 2400], "u": "/bezorgen", "r": trail, "e": events}
        return json.dumps(told, separators=(",", ":")).encode()[1:]


def _split(told: Iterator[tuple[bytes, Key]]) -> Requests:
    pairs = list(told)
    return Requests([sent for sent, _ in pairs], [key for _, key in pairs])
