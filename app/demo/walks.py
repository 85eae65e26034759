"""A person's way through the shop: which pages, how long each, and what is done on them.

Those who abandon rest on the line with the shipping costs before they leave; those who complete
pass it by. Everything else is what any checkout sees.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from app.demo.checkout import SHIPPING_PAGE, STALL_ZONE, CheckoutPage, checkout_page
from app.demo.gestures import Act, Told, beacons
from app.demo.people import Ending, Person
from app.picturing.boxes import Box

HOME, PRODUCT, PROVIDER = "home", "product", "betaaldienst"
"""Stops that bear no snippet."""

ARRIVES_S = 1.5
"""Before a hand does anything on a new page, it has loaded and is looked at."""

CLICK_S = 0.4


@dataclass(frozen=True, slots=True)
class Resting:
    """What share of visitors rests on the line with the shipping costs, and for how long."""

    share: float
    low_s: float
    high_s: float


PASSING = Resting(0.3, 0.5, 2.0)
"""Of those who go on to pay."""

STALLING = Resting(1.0, 11.0, 29.0)
"""Of those who leave there: what the demo is to show."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page as a device shows it: its height and where its zones lie."""

    height_px: int
    boxes: Mapping[int, Box]


Sheets = Callable[[str, bool], Sheet]
"""Page slug and whether on a phone."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A page that is reached, the seconds it is open, what is done in them, and its beacons."""

    page: str
    lasts_s: float
    told: tuple[Told, ...] = ()
    acts: tuple[Act, ...] = ()


def stops_of(
    person: Person, sheets: Sheets, rng: Random, leavers: Resting = STALLING
) -> list[Stop]:
    """The pages of a visit in order; the last one is left without a word.

    leavers  how those rest on the shipping costs who leave there
    """
    walk = [Stop(HOME, rng.uniform(4, 15)), Stop(PRODUCT, rng.uniform(5, 20))]
    for ending in (Ending.BASKET, Ending.DETAILS, Ending.SHIPPING, Ending.PAYMENT):
        leaves = person.ending is ending
        walk.append(_stop(ending.value, person, leaves, sheets, rng, leavers))
        if leaves:
            return walk
    walk.append(Stop(PROVIDER, rng.uniform(8, 25)))
    if person.ending is Ending.COMPLETED:
        walk.append(_stop(Ending.COMPLETED.value, person, False, sheets, rng, leavers))
    return walk


def _stop(
    slug: str, person: Person, leaves: bool, sheets: Sheets, rng: Random, leavers: Resting
) -> Stop:
    page = checkout_page(slug)
    hand = _Hand(page, person, sheets(slug, person.device.phone), rng, leavers)
    _DONE_ON[slug](hand, leaves)
    told = beacons(hand.acts, person.device, person.viewport_px)
    return Stop(slug, sum(act.seconds for act in hand.acts), tuple(told), tuple(hand.acts))


class _Hand:
    """Collects the acts on one page; scrolls so that what it turns to is in view."""

    def __init__(
        self, page: CheckoutPage, person: Person, sheet: Sheet, rng: Random, leavers: Resting
    ) -> None:
        self._page = page
        self._sheet = sheet
        self._viewport_height_px = person.viewport_px[1]
        self._scroll_px = 0
        self.phone = person.device.phone
        self.rng = rng
        self.leavers = leavers
        self.acts = [Act(ARRIVES_S)]

    def rest(self, low_s: float, high_s: float) -> None:
        """Read, with the pointer on nothing in particular."""
        self.acts.append(Act(self.rng.uniform(low_s, high_s), scroll_px=self._scroll_px))

    def dwell(self, name: str, low_s: float, high_s: float) -> None:
        """Stay at an element; on a phone that takes a tap."""
        self._act(name, self.rng.uniform(low_s, high_s), press=self.phone)

    def fill(self, name: str, low_s: float, high_s: float) -> None:
        self._act(name, self.rng.uniform(low_s, high_s), press=True, field=True)

    def press(self, name: str) -> None:
        self._act(name, CLICK_S, press=True)

    def press_beside(self, name: str) -> None:
        """Bring an element into view, and press the empty page instead of it."""
        self._bring_into_view(self._sheet.boxes[self._page.zone(name).number])
        self.acts.append(Act(CLICK_S, press=True, scroll_px=self._scroll_px))

    def maybe(self, share: float) -> bool:
        return self.rng.random() < share

    def _act(self, name: str, seconds: float, *, press: bool, field: bool = False) -> None:
        zone = self._page.zone(name).number
        self._bring_into_view(self._sheet.boxes[zone])
        self.acts.append(Act(seconds, zone, press, field, self._scroll_px))

    def _bring_into_view(self, box: Box) -> None:
        seen = range(self._scroll_px, self._scroll_px + self._viewport_height_px)
        if int(box.y0_px) in seen and int(box.y1_px) in seen:
            return
        middle_px = (box.y0_px + box.y1_px - self._viewport_height_px) / 2
        farthest_px = max(0, self._sheet.height_px - self._viewport_height_px)
        self._scroll_px = round(min(max(middle_px, 0), farthest_px))


def _basket(hand: _Hand, leaves: bool) -> None:
    hand.rest(2, 7)
    if hand.maybe(0.4):
        hand.dwell("Artikelen", 0.6, 2)
    if leaves:
        hand.rest(2, 12)
    else:
        hand.press("Naar afrekenen")


def _details(hand: _Hand, leaves: bool) -> None:
    hand.fill("Naam", 2, 5)
    hand.fill("E-mailadres", 3, 7)
    if leaves:
        hand.fill("Telefoon", 3, 9)
        return
    hand.fill("Postcode", 2, 4)
    hand.fill("Huisnummer", 1, 3)
    if hand.maybe(0.5):
        hand.fill("Telefoon", 2, 5)
    hand.press("Naar verzending")


def _shipping(hand: _Hand, leaves: bool) -> None:
    hand.rest(1, 3)
    if hand.maybe(0.6):
        hand.fill("Bezorgwijze", 1, 3)
    resting = hand.leavers if leaves else PASSING
    if hand.maybe(resting.share):
        hand.dwell(STALL_ZONE, resting.low_s, resting.high_s)
    if leaves:
        hand.press_beside("Naar betalen")
    else:
        hand.press("Naar betalen")


def _payment(hand: _Hand, leaves: bool) -> None:
    hand.fill("Betaalwijze", 1, 3)
    if leaves:
        hand.dwell("Totaal", 2, 6)
        return
    hand.fill("Voorwaarden", 0.8, 2)
    hand.press("Betalen")


def _thanks(hand: _Hand, _leaves: bool) -> None:
    hand.rest(2, 8)
    if hand.maybe(0.3):
        hand.dwell("Bestelnummer", 0.6, 3)


_DONE_ON: Mapping[str, Callable[[_Hand, bool], None]] = {
    "winkelwagen": _basket,
    "gegevens": _details,
    SHIPPING_PAGE: _shipping,
    "betalen": _payment,
    "bedankt": _thanks,
}
