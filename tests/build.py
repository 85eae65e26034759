"""Small factories of what tests need: a shop with a page, a visitor who walks it over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from app.shops import add_site, find_site, put_page, put_zones
from app.store import Store
from collector.codes import Phase
from collector.sites import Page, Site, Zone

PHONE = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/156.0.0.0 Mobile Safari/537.36"
)
DESKTOP = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/156.0.0.0 Safari/537.36"
)
SHIPPING = (
    Zone(0, "postcode", "#postcode", "field"),
    Zone(0, "verzendkosten", "#shipping-cost", "text"),
    Zone(0, "verder", "#next", "button"),
)
PAYMENT = (Zone(0, "bank", "#bank", "field"), Zone(0, "betalen", "#pay", "pay"))


async def make_shop(
    store: Store, now: datetime, name: str = "Fietsenwinkel", *, live: bool = False
) -> Site:
    """A shop with a cart, shipping, payment and a thanks page that completes."""
    key = await add_site(store, name, now)
    site = await find_site(store, key)
    pages: Iterable[tuple[str, Phase, bool, Sequence[Zone]]] = (
        ("cart", Phase.CART, False, ()),
        ("shipping", Phase.CHECKOUT, False, SHIPPING),
        ("payment", Phase.PAYMENT, False, PAYMENT),
        ("thanks", Phase.DONE, True, ()),
    )
    for slug, phase, goal, zones in pages:
        page_id = await put_page(store, site, slug, now, phase=phase, goal=goal)
        await put_zones(store, site, page_id, zones, now)
    if live:
        await store.execute("UPDATE site SET state = 'live' WHERE site_id = $1", site.site_id)
    return await find_site(store, key)


def page_of(site: Site, slug: str) -> Page:
    return site.pages[slug]


@dataclass(slots=True)
class Walker:
    """A visitor without a browser: opens views and asks for what their sheets would ask for."""

    url: str
    agent: str = DESKTOP
    address: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def _headers(self) -> dict[str, str]:
        forwarded = {"x-forwarded-for": self.address} if self.address else {}
        return {"user-agent": self.agent, **forwarded, **self.headers}

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, headers=self._headers())

    def open(self, site: Site, slug: str, ref: str | None = None) -> str:
        """The token of a new view."""
        answer = self.get(f"/g/{site.public_key}/{slug}" + (f"/{ref}" if ref else ""))
        assert answer.status_code == 302, (answer.status_code, dict(answer.headers))
        return answer.headers["location"].strip("./").removesuffix("/s")

    def tell(self, token: str, *names: str) -> None:
        for name in names:
            answer = self.get(f"/g/{token}/{name}")
            assert answer.status_code == 200, answer
            assert "x-gloed-drop" not in answer.headers, answer.headers["x-gloed-drop"]

    def post(
        self, site: Site, body: dict[str, Any] | str | bytes, **headers: str
    ) -> httpx.Response:
        content = json.dumps(body) if isinstance(body, dict) else body
        sent = {**self._headers(), "content-type": "text/plain;charset=UTF-8", **headers}
        return httpx.post(f"{self.url}/g/{site.public_key}", content=content, headers=sent)


def batch_body(**more: Any) -> dict[str, Any]:
    """A batch of one point and one click, without a token."""
    return {
        "v": 1,
        "s": 0,
        "id": "00000000000000aa",
        "p": "shipping",
        "vp": [1280, 720],
        "pg": [1280, 2000],
        "r": [100, 200, 10, 5, -5, 100],
        "e": [[1, 500, 640, 480, 0, 0, 0, 0, 0]],
        **more,
    }
