"""Makes the demo's shop in the store and fills its last days with simulated visitors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from app.clock import SteppedClock
from app.configuration import configure
from app.context import Context
from app.demo.checkout import CHECKOUT, SHOP_NAME
from app.demo.people import people_of
from app.demo.pictures import captured, sheet
from app.demo.serving import DemoProblem
from app.demo.walkers import Event, Street, events_of
from app.demo.walks import stops_of
from app.jobs import run_due
from app.picturing.capture import store_captures
from app.shops import (
    DEFAULT_TIME_ZONE,
    DERIVED,
    add_site,
    find_site,
    go_live,
    list_sites,
    put_page,
    put_zones,
)
from app.store import Store
from collector.sites import Site
from collector.tables import RAW

DAYS = 7
"""Whole days, beside what there is of today."""

SEED = 1602
SETTLED = timedelta(minutes=45)
"""Who came later than this before now could still be under way."""

MARK = "demo"
"""Key of the site's configuration that says since when it is seeded."""

ZONE = ZoneInfo(DEFAULT_TIME_ZONE)

Progress = Callable[[int, int, str], None]
"""Days done, days in all, and what to say."""


@dataclass(frozen=True, slots=True)
class Found:
    """The demo's shop in the store, if there is one."""

    site: Site | None

    @property
    def seeded(self) -> bool:
        return self.site is not None and MARK in self.site.config


async def find_demo(store: Store) -> Found:
    """The demo's shop. Raises DemoProblem where others would be touched by its stepped clock."""
    sites = await list_sites(store)
    own = next((site for site in sites if site.name == SHOP_NAME), None)
    found = Found(own)
    if not found.seeded and any(site is not own for site in sites):
        raise DemoProblem(
            "this store holds other shops, and the demo would take its clock through past days: "
            "give it a store of its own, as in GLOED_DATA_DIR=.gloed/demo gloed demo"
        )
    return found


def first_moment(now: datetime, days: int) -> datetime:
    """When the demo's history begins: so many whole days before today."""
    return _midnight(_day_of(now) - timedelta(days=days))


async def make_shop(store: Store, left_over: Site | None, now: datetime) -> str:
    """The shop, live, with its pages and zones and nothing counted yet; its key."""
    if left_over is None:
        await add_site(store, SHOP_NAME, now, time_zone=DEFAULT_TIME_ZONE)
    else:
        await _empty(store, left_over)
    site = await find_site(store, SHOP_NAME)
    for page in CHECKOUT:
        page_id = await put_page(
            store, site, page.slug, now, title=page.title, phase=page.phase, goal=page.goal
        )
        await put_zones(store, site, page_id, page.zones, now)
    if site.state != "live":
        await go_live(store, site, now)
    return site.public_key


async def put_layouts(store: Store, now: datetime) -> None:
    site = await find_site(store, SHOP_NAME)
    for slug, layouts in captured().items():
        await store_captures(store, site, site.pages[slug], layouts, now)


async def seed(
    context: Context,
    street: Street,
    clock: SteppedClock,
    period: tuple[datetime, datetime],
    say: Progress,
) -> None:
    """Walk the days of the period in order, closing each; the clock is left at its end."""
    first, until = period
    days = list(_days(first, until))
    for number, day in enumerate(days):
        visitors, events = events_on(day, Random(SEED + number), until - SETTLED)
        await street.walk(events)
        clock.set(min(_midnight(day + timedelta(days=1)), until))
        await run_due(context.store, clock())
        told = f"{visitors} visitors, {len(events)} signals" if visitors else "nobody yet"
        say(number + 1, len(days), f"{day:%d-%m-%Y}: {told}")
    site = await find_site(context.store, SHOP_NAME)
    await configure(context.store, site, {**site.config, MARK: until.date().isoformat()})
    context.catalogue.forget()


def _days(first: datetime, until: datetime) -> Iterator[date]:
    day = _day_of(first)
    while day <= _day_of(until):
        yield day
        day += timedelta(days=1)


def events_on(day: date, rng: Random, until: datetime) -> tuple[int, list[Event]]:
    """How many visitors come on this day before `until`, and all that they do."""
    people = [p for p in people_of(day, ZONE, rng) if p.arrives_at < until]
    walks = [events_of(person, stops_of(person, sheet, rng)) for person in people]
    return len(people), [event for walk in walks for event in walk]


async def _empty(store: Store, site: Site) -> None:
    """What a demo that was stopped while it seeded left behind."""
    async with store.transaction() as connection:
        for table in (*RAW, *DERIVED):
            await connection.execute(f"DELETE FROM {table} WHERE site_id = $1", site.site_id)


def _day_of(moment: datetime) -> date:
    return moment.astimezone(ZONE).date()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZONE).astimezone(UTC)
