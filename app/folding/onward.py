"""A press that nothing told of, told by where it led: the next page's arrival.

Of iOS nobody has seen whether `:active` holds for a tap; and who sends a form from the keyboard
presses nothing at all. From the cart on a page is left forwards by its one button, so the opening
of a page further on counts as that button's press. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from app.folding.columns import Rows
from collector.codes import Phase, System
from collector.sites import Page, Site

UNSURE = (System.IOS,)
"""Where presses may be silent: every browser there has the one engine that no test could drive."""

BUTTONS_DECIDE_FROM = Phase.CART
"""Before it pages are left by any link; and a cart leads on by its button, or back."""

LEFT_WITHIN_S = 1800
"""As long as a visit may pause: a page that opens later was not led to."""

OPENING = {"person": "i8", "at": "i8", "view_id": "i8", "day": "i4", "page_id": "i4"}
"""Of an opening, what is needed to know what came next; `at` in microseconds."""


@dataclass(frozen=True, slots=True)
class Onward:
    """Which zone of a page leads on, and to which pages."""

    by_page: Mapping[int, tuple[int, frozenset[int]]] = field(default_factory=dict)

    @classmethod
    def of(cls, site: Site) -> Onward:
        pages = site.pages.values()
        found = {page.page_id: (way_on(page), _further(page, pages)) for page in pages}
        return cls({n: (zone, to) for n, (zone, to) in found.items() if zone is not None and to})

    def zone(self, page_id: int) -> int:
        return self.by_page[page_id][0]

    def leads(self, page_id: int, to_page_id: int) -> bool:
        return page_id in self.by_page and to_page_id in self.by_page[page_id][1]

    @property
    def pages(self) -> set[int]:
        """Whatever page leads on, or is led to."""
        return {*self.by_page, *(to for _, pages in self.by_page.values() for to in pages)}


def way_on(page: Page) -> int | None:
    """The number of the one zone that leads on from a page: its pay button, else its button."""
    for role in ("pay", "button"):
        numbers = [zone.number for zone in page.zones if zone.role == role]
        if numbers:
            return numbers[0] if len(numbers) == 1 else None
    return None


def _further(page: Page, pages: Iterable[Page]) -> frozenset[int]:
    """The pages that come after it: of a later phase, or another step of the same checkout."""
    if page.phase < BUTTONS_DECIDE_FROM:
        return frozenset()
    among_steps = page.phase in (Phase.CHECKOUT, Phase.PAYMENT)
    return frozenset(
        other.page_id
        for other in pages
        if other.page_id != page.page_id
        and (other.phase > page.phase or (among_steps and other.phase == page.phase))
    )


def note_onward(views: Rows, opened: Rows, onward: Onward) -> None:
    """Note in each view's `next_zone` and `next_s` which zone led on, and after how long.

    opened  openings of `onward.pages`, in any order
    """
    led = _led(np.sort(opened, order=["person", "at", "view_id"]), onward)
    ids = [view_id for _, view_id in led]
    for at in np.flatnonzero(np.isin(views["view_id"], ids)).tolist():
        found = led.get((int(views["day"][at]), int(views["view_id"][at])))
        if found is not None:
            views["next_zone"][at], views["next_s"][at] = found


def _led(opened: Rows, onward: Onward) -> dict[tuple[int, int], tuple[int, int]]:
    """By day and number of a view: the zone that led on, and after how many seconds.

    Of several steps of one checkout nobody knows the order: a page that was there before is none
    further on.
    """
    waited_s = np.diff(opened["at"]) // 1_000_000
    follows = (np.diff(opened["person"]) == 0) & (waited_s < LEFT_WITHIN_S)
    rows = [tuple(map(int, row)) for row in opened[["day", "view_id", "page_id"]].tolist()]
    led, met = {}, set[int]()
    for at, (is_followed, waited) in enumerate(
        zip(follows.tolist(), waited_s.tolist(), strict=True)
    ):
        day, view_id, page_id = rows[at]
        to_page_id = rows[at + 1][2]
        met = met | {page_id} if is_followed else set()
        if is_followed and to_page_id not in met and onward.leads(page_id, to_page_id):
            led[day, view_id] = onward.zone(page_id), waited
    return led
