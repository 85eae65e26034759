"""Who comes to the demo's shop, when, with what and how far they go: drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from ipaddress import IPv4Network
from random import Random
from typing import TypeVar
from zoneinfo import ZoneInfo

from app.demo.goods import PRODUCTS, SHIPPINGS, Product, Shipping

T = TypeVar("T")

GROUPS_A_DAY = 5
GROUP = 13
"""A week then has more than 100 phones that complete and more than 100 that abandon, which is what
drawing where they differ asks for. They come in groups, as after a newsletter: every step of the
clock waits for its answers, and a group shares the waiting."""

WITHIN_S = 20
"""A group arrives within this."""

PHONE_SHARE = 0.7
MOVES_SHARE = 0.25
"""Phones that come back from their bank by another network."""

HOURS = range(8, 23)
HOUR_WEIGHTS = (1, 2, 3, 3, 4, 3, 3, 3, 3, 4, 5, 6, 7, 5, 2)
"""Lunch is busier than the morning, and the evening on the sofa busiest."""

V4_NETWORKS = tuple(map(IPv4Network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")))
V6_SHARE = 0.4
"""Addresses are those that documentation may use; nobody else has them."""


class Ending(Enum):
    """The last page that a visit reaches, or what becomes of its payment."""

    BASKET = "winkelwagen"
    DETAILS = "gegevens"
    SHIPPING = "verzending"
    PAYMENT = "betalen"
    HANDED_OVER = "betaaldienst"
    COMPLETED = "bedankt"


ENDING_WEIGHTS = {
    Ending.BASKET: 10,
    Ending.DETAILS: 8,
    Ending.SHIPPING: 34,
    Ending.PAYMENT: 5,
    Ending.HANDED_OVER: 5,
    Ending.COMPLETED: 38,
}


@dataclass(frozen=True, slots=True)
class Device:
    """A browser as its requests and its style sheets tell of it."""

    agent: str
    phone: bool
    viewports_px: tuple[tuple[int, int], ...]
    hidpi: bool
    timelines: bool
    """Whether it has scroll timelines, and so tells how far it scrolled and what is in view."""


_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_PHONES = ((390, 664), (393, 660), (402, 682), (430, 740))
_ANDROIDS = ((360, 656), (384, 720), (412, 748))
_DESKTOPS = ((1280, 632), (1366, 641), (1366, 657), (1280, 720))
DEVICES = {
    Device(
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1",
        phone=True,
        viewports_px=_PHONES,
        hidpi=True,
        timelines=True,
    ): 48,
    Device(
        f"Mozilla/5.0 (Linux; Android 10; K) {_WEBKIT} Chrome/154.0.0.0 Mobile Safari/537.36",
        phone=True,
        viewports_px=_ANDROIDS,
        hidpi=True,
        timelines=True,
    ): 36,
    Device(
        f"Mozilla/5.0 (Linux; Android 10; K) {_WEBKIT} SamsungBrowser/29.0 Chrome/136.0.0.0 "
        "Mobile Safari/537.36",
        phone=True,
        viewports_px=_ANDROIDS,
        hidpi=True,
        timelines=True,
    ): 12,
    Device(
        "Mozilla/5.0 (Android 15; Mobile; rv:154.0) Gecko/154.0 Firefox/154.0",
        phone=True,
        viewports_px=_ANDROIDS,
        hidpi=True,
        timelines=False,
    ): 4,
    Device(
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/154.0.0.0 Safari/537.36",
        phone=False,
        viewports_px=_DESKTOPS,
        hidpi=False,
        timelines=True,
    ): 52,
    Device(
        f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/154.0.0.0 Safari/537.36 "
        "Edg/154.0.0.0",
        phone=False,
        viewports_px=_DESKTOPS,
        hidpi=False,
        timelines=True,
    ): 18,
    Device(
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Version/26.1 Safari/605.1.15",
        phone=False,
        viewports_px=((1280, 705), (1352, 760)),
        hidpi=True,
        timelines=True,
    ): 20,
    Device(
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:154.0) Gecko/20100101 Firefox/154.0",
        phone=False,
        viewports_px=_DESKTOPS,
        hidpi=False,
        timelines=False,
    ): 10,
}
"""How many of a hundred phones, or of a hundred desktops, are of each kind."""


@dataclass(frozen=True, slots=True)
class Person:
    arrives_at: datetime
    device: Device
    viewport_px: tuple[int, int]
    address: str
    pays_from: str
    """Address after the payment provider."""
    product: Product
    shipping: Shipping
    ending: Ending


def people_of(day: date, time_zone: ZoneInfo, rng: Random) -> list[Person]:
    """The visitors of one day, by their arrival."""
    addresses = _addresses(rng)
    people = []
    for _ in range(GROUPS_A_DAY):
        hour = rng.choices(HOURS, HOUR_WEIGHTS)[0]
        local = datetime.combine(day, time(hour, rng.randrange(60)), time_zone)
        begins = local.astimezone(UTC)
        for _ in range(GROUP):
            arrives_at = begins + timedelta(seconds=rng.uniform(0, WITHIN_S))
            people.append(_person(arrives_at, addresses, rng))
    return sorted(people, key=lambda person: person.arrives_at)


def _person(arrives_at: datetime, addresses: list[str], rng: Random) -> Person:
    phone = rng.random() < PHONE_SHARE
    device = _chosen({kind: n for kind, n in DEVICES.items() if kind.phone == phone}, rng)
    address = addresses.pop()
    return Person(
        arrives_at=arrives_at,
        device=device,
        viewport_px=rng.choice(device.viewports_px),
        address=address,
        pays_from=addresses.pop() if phone and rng.random() < MOVES_SHARE else address,
        product=rng.choice(PRODUCTS),
        shipping=rng.choices(SHIPPINGS, (8, 3, 1))[0],
        ending=_chosen(ENDING_WEIGHTS, rng),
    )


def _chosen(weights: dict[T, int], rng: Random) -> T:
    return rng.choices(list(weights), list(weights.values()))[0]


def _addresses(rng: Random) -> list[str]:
    """As many different ones as a day can need: who shares one with a stranger becomes them."""
    needed = 2 * GROUPS_A_DAY * GROUP
    v4 = [str(host) for network in V4_NETWORKS for host in network.hosts()]
    v6 = [f"2001:db8:{group:x}:{rng.randrange(1, 2**16):x}::1" for group in range(1, needed + 1)]
    sixes = round(V6_SHARE * needed)
    chosen = [*rng.sample(v6, sixes), *rng.sample(v4, needed - sixes)]
    rng.shuffle(chosen)
    return chosen
