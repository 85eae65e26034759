"""Runs the demo: Gloed with the shop under `/shop`, the payment provider, and who walks there."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx

from app.access.keys import new_sign_in_link
from app.clock import SteppedClock, system_clock
from app.config import Settings
from app.context import Context
from app.demo.checkout import SHIPPING_PAGE
from app.demo.client import Client
from app.demo.provider import provider_app
from app.demo.seeding import DAYS, Progress, find_demo, first_moment, make_shop, put_layouts, seed
from app.demo.serving import DemoProblem, port_of, served
from app.demo.shop import BASE, Shop, Snippet
from app.demo.walkers import Street
from app.links import own_url
from app.main import Gloed, create_app
from app.store import Store, migrate
from snippets.html import snippet_html

LOOPBACK = "127.0.0.1"
"""The demo is for this machine: it signs in whoever holds the link that it prints."""

LINK_LIVES = timedelta(days=7)
DRAWN_WITHIN_S = 60.0
SHOWN = {"kind": "stall", "device": "phone"}
"""Most of a shop's visitors hold a phone."""


@dataclass(frozen=True, slots=True)
class Doors:
    """Bound sockets of Gloed with the shop, and of the payment provider."""

    gloed: socket.socket
    provider: socket.socket


@dataclass(frozen=True, slots=True)
class Ready:
    """A demo that can be looked at."""

    site_key: str
    shop_url: str
    sign_in_url: str
    overlay_url: str
    overlay_png: bytes
    """The overlay, laid over the page's picture."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """The shop in the store, and from when to when it is still to be filled."""

    site_key: str
    fill: tuple[datetime, datetime] | None


@asynccontextmanager
async def running_demo(
    settings: Settings, doors: Doors, say: Progress, *, days: int = DAYS
) -> AsyncIterator[Ready]:
    """The whole demo on an open store; the first time it is filled before it is handed over.

    settings  with the store's URL, the secret, and the port of `doors.gloed`
    days      whole days to fill before today
    """
    assert settings.database_url is not None
    await migrate(settings.database_url)
    now = system_clock()
    plan = await _planned(settings.database_url, now, days)
    clock = SteppedClock(plan.fill[0] if plan.fill else now)
    trusted = (*settings.trusted_proxies, LOOPBACK)
    # Without a spool: what was seeded is in the store when the shop is handed over.
    own = settings.model_copy(update={"trusted_proxies": trusted, "spool_bytes": 0})
    app = create_app(own, clock=clock)
    shop_url = f"{own_url(settings)}{BASE}"
    provider_url = f"http://{LOOPBACK}:{port_of(doors.provider)}"
    app.mount(BASE, Shop(provider_url, _pasting(app, plan.site_key)).app())
    async with served(provider_app(shop_url), doors.provider), served(app, doors.gloed):
        context: Context = app.state.gloed
        if plan.fill:
            await _fill(context, doors, clock, plan.fill, say)
        clock.release()
        yield await _ready(context, plan.site_key, shop_url, port_of(doors.gloed))


async def _planned(url: str, now: datetime, days: int) -> _Plan:
    store = Store(url)
    await store.open()
    try:
        found = await find_demo(store)
        if found.site is not None and found.seeded:
            return _Plan(found.site.public_key, None)
        first = first_moment(now, days)
        return _Plan(await make_shop(store, found.site, first), (first, now))
    finally:
        await store.close()


def _pasting(app: Gloed, site_key: str) -> Snippet:
    """What the shop's owner pasted, as Gloed writes it for the page's present zones."""

    async def snippet(slug: str, ref: str) -> str:
        context: Context = app.state.gloed
        site = await context.catalogue.by_key(site_key)
        if site is None or slug not in site.pages:
            return ""
        page = site.pages[slug]
        return snippet_html(site_key=site_key, page=page, base=context.settings.prefix, ref=ref)

    return snippet


async def _fill(
    context: Context,
    doors: Doors,
    clock: SteppedClock,
    period: tuple[datetime, datetime],
    say: Progress,
) -> None:
    # Pictures are redrawn in processes of their own, beside the walk.
    pictures = asyncio.create_task(put_layouts(context.store, period[0]))
    try:
        async with (
            aclosing(Client(LOOPBACK, port_of(doors.gloed))) as shop,
            aclosing(Client(LOOPBACK, port_of(doors.provider))) as provider,
        ):
            await seed(context, Street(shop, provider, clock), clock, period, say)
        await pictures
    finally:
        pictures.cancel()


async def _ready(context: Context, site_key: str, shop_url: str, port: int) -> Ready:
    base = own_url(context.settings)
    link = await new_sign_in_link(context.store, context.clock())
    return Ready(
        site_key=site_key,
        shop_url=f"{shop_url}/",
        sign_in_url=base + link,
        overlay_url=base + _signed(context, site_key, SHOWN),
        overlay_png=await _drawn(port, _signed(context, site_key, {**SHOWN, "picture": "page"})),
    )


def _signed(context: Context, site_key: str, query: dict[str, str]) -> str:
    path = f"/api/v1/sites/{site_key}/pages/{SHIPPING_PAGE}/heatmap.png"
    return context.signer.signed(path, query, context.clock() + LINK_LIVES)


async def _drawn(port: int, target: str) -> bytes:
    """The picture as anybody gets it who has its link."""
    async with httpx.AsyncClient(timeout=DRAWN_WITHIN_S, trust_env=False) as client:
        answer = await client.get(f"http://{LOOPBACK}:{port}{target}")
    if answer.status_code != 200:
        raise DemoProblem(f"the overlay was refused ({answer.status_code}): {answer.text}")
    return answer.content
