"""The demo's visitors as the collector writes them down, put straight into a store.

What they do is what the demo's walkers ask for over HTTP, name by name; a store takes the rows of
weeks in seconds, where a server would be asked for minutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from app.closing.day import close_day
from app.demo.checkout import CHECKOUT, SHOP_NAME
from app.demo.people import Person, people_of
from app.demo.pictures import sheet
from app.demo.seeding import ZONE, make_shop, put_layouts
from app.demo.walks import Resting, Stop, stops_of
from app.shops import find_site
from app.store import Store
from collector.agents import read_agent
from collector.codes import Language
from collector.sites import Site
from tests.app.build import heard, opened, put_rows

SLUGS = {page.slug for page in CHECKOUT}
DAY = timedelta(days=1)
DECIDED = timedelta(days=3)
"""After a visit nothing can complete it any more."""


async def put_shop(store: Store, now: datetime) -> Site:
    """The demo's shop with its pages and layouts, and nobody in it."""
    await make_shop(store, None, now)
    await put_layouts(store, now)
    return await find_site(store, SHOP_NAME)


async def put_visitors(
    store: Store, site: Site, days: Iterable[date], seed: int, leavers: Resting
) -> None:
    """The visitors of these days, closed when all of them are decided."""
    rng, told = Random(seed), list(days)
    for number, day in enumerate(told):
        rows = [
            row
            for place, person in enumerate(people_of(day, ZONE, rng))
            for row in _rows(site, person, (number + 1) * 10_000 + place * 20, rng, leavers)
        ]
        await put_rows(store, site, "beacon", rows)
    now = datetime.combine(told[-1] + DECIDED, datetime.min.time(), ZONE)
    for day in told:
        await close_day(store, site, day, now)


def _rows(
    site: Site, person: Person, start: int, rng: Random, leavers: Resting
) -> Iterator[dict[str, Any]]:
    """Of one visit: views are numbered from `start`, where also its person's number is."""
    at = person.arrives_at
    for place, stop in enumerate(stops_of(person, sheet, rng, leavers)):
        if stop.page in SLUGS:
            yield from _of_view(site, person, stop, at, start, place)
        at += timedelta(seconds=stop.lasts_s)


def _of_view(
    site: Site, person: Person, stop: Stop, at: datetime, start: int, place: int
) -> Iterator[dict[str, Any]]:
    agent = read_agent(person.device.agent)
    page = site.pages[stop.page]
    returned = page.goal and person.pays_from != person.address
    visitor = start + returned
    yield {
        **opened(start + place, at, page.page_id, visitor=visitor),
        "name": "open",
        "ref_hash": start.to_bytes(16, "big"),
        "device": agent.device,
        "browser": agent.browser,
        "os": agent.os,
        "language": Language.DUTCH,
    }
    for after_s, name in stop.told:
        moment = at + timedelta(seconds=after_s)
        yield heard(name, start + place, moment, day=site.day_of(at), visitor=visitor)
