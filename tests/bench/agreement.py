"""Do both forms find the same hottest zones? The same simulated visitors, seen in both ways.

`python -m tests.bench.agreement` prints, for each page of the demo's checkout, for desktop and
phone, each zone's share of clicks and of stalled time by either form, and how far the two are
apart: half the sum of the shares' differences, 0 where they are equal and 1 where nothing is. What
was done comes from the demo's walks; how the script tells of it follows `snippets/script/script.js`
event by event, as `app/demo/gestures.py` follows the sheet rule by rule.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from zoneinfo import ZoneInfo

from app.demo import walks
from app.demo.checkout import CHECKOUT
from app.demo.gestures import Act, beacons
from app.demo.people import Person, people_of
from app.demo.pictures import sheet
from app.folding.seen import Seen
from app.mapping.marks import UNIT
from app.mapping.placing import Ground, place
from app.picturing.boxes import Box
from collector.codes import Device
from collector.packing import Told
from collector.wire import Capture, Kind
from tests.app.build import AT, batch, click, fold, heard, layout, opened, scrolled

ZONE = ZoneInfo("Europe/Amsterdam")
DAY = date(2026, 11, 18)
DAYS = 10
SEED = 7
KINDS = ("click", "stall")
MS = 1000
APPROACH_MS = (0, 100, 200, 300)
"""A hand's way to what it turns to, told each tenth of a second."""

AWAY_PX = (4, 4)
"""From the viewport's corner: on nothing in particular."""

Shares = Mapping[int, float]
SLUGS = tuple(page.slug for page in CHECKOUT)


@dataclass(frozen=True, slots=True)
class Stay:
    """What somebody did on one page."""

    slug: str
    person: Person
    acts: Sequence[Act]

    @property
    def phone(self) -> bool:
        return self.person.device.phone


@dataclass(frozen=True, slots=True)
class Agreement:
    slug: str
    phone: bool
    kind: str
    views: int
    css: Shares
    script: Shares

    @property
    def apart(self) -> float:
        zones = self.css.keys() | self.script.keys()
        return sum(abs(self.css.get(z, 0) - self.script.get(z, 0)) for z in zones) / 2

    def hottest(self, n: int) -> tuple[set[int], set[int]]:
        return _hottest(self.css, n), _hottest(self.script, n)


def _hottest(shares: Shares, n: int) -> set[int]:
    return set(sorted(shares, key=lambda zone: -shares[zone])[:n])


def stays(days: int = DAYS, seed: int = SEED) -> Iterator[Stay]:
    """Each page that the demo's visitors of so many days came to."""
    rng = Random(seed)
    for _ in range(days):
        for person in people_of(DAY, ZONE, rng):
            for stop in walks.stops_of(person, sheet, rng):
                if stop.acts:
                    yield Stay(stop.page, person, stop.acts)


def seen_script_free(number: int, stay: Stay) -> Seen:
    told = beacons(stay.acts, stay.person.device, stay.person.viewport_px)
    device = Device.PHONE if stay.phone else Device.DESKTOP
    (view,) = fold(
        [opened(number, device=device, capture=Capture.CSS)],
        [heard(name, number, AT + timedelta(seconds=at_s)) for at_s, name in told],
        [],
    )
    return view


def seen_by_script(number: int, stay: Stay, rng: Random) -> Seen:
    hand = _Scripted(sheet(stay.slug, stay.phone).boxes, stay, rng)
    for act in stay.acts:
        hand.do(act)
    hand.leave()
    width_px, height_px = stay.person.viewport_px
    rows = [
        batch(
            number,
            points=hand.points,
            events=sorted(hand.events, key=lambda told: told[1]),
            device=Device.PHONE if stay.phone else Device.DESKTOP,
            width_px=width_px,
            viewport_height_px=height_px,
            page_height_px=sheet(stay.slug, stay.phone).height_px,
            at=AT + timedelta(hours=1),
        )
    ]
    (view,) = fold([], [], rows)
    return view


class _Scripted:
    """The same acts, as the script tells of them."""

    def __init__(self, boxes: Mapping[int, Box], stay: Stay, rng: Random) -> None:
        self.points: list[tuple[int, int, int]] = []
        self.events: list[Told] = [scrolled(0, 200)]
        self._boxes, self._stay, self._rng = boxes, stay, rng
        self._now_ms = 0
        self._scroll_px = 0
        self._at_px = AWAY_PX
        self._focused: tuple[int, int] | None = None

    def do(self, act: Act) -> None:
        if act.scroll_px != self._scroll_px:
            self._scroll_px = act.scroll_px
            self._scrolled()
        u, v = self._rng.uniform(0.2, 0.8), self._rng.uniform(0.2, 0.8)
        x_px, y_px = self._place(act.zone, u, v)
        if not self._stay.phone:
            self._move(x_px, y_px)
        if act.press and act.zone is not None:
            at_ms = self._now_ms + APPROACH_MS[-1] + 50
            self.events.append(click(x_px, y_px, at_ms, act.zone, round(u * UNIT), round(v * UNIT)))
            self._blur(at_ms)
            self._focused = (act.zone, at_ms) if act.field else None
        self._now_ms += round(act.seconds * MS)

    def leave(self) -> None:
        """A mouse goes up to the tab; whatever has the focus is told of."""
        if not self._stay.phone:
            self._move(self._at_px[0], self._scroll_px)
        self._now_ms += APPROACH_MS[-1]
        if self._focused is None:
            self.events.append((Kind.FOCUS, self._now_ms, 0, 0, 0, 0, 0, 0, 0))
        self._blur(self._now_ms)

    def _place(self, zone: int | None, u: float, v: float) -> tuple[int, int]:
        if zone is None:
            return AWAY_PX[0], AWAY_PX[1] + self._scroll_px
        x0, y0, x1, y1 = self._boxes[zone].edges_px
        return round(x0 + u * (x1 - x0)), round(y0 + v * (y1 - y0))

    def _move(self, x_px: int, y_px: int) -> None:
        from_x, from_y = self._at_px
        for n, after_ms in enumerate(APPROACH_MS, start=1):
            share = n / len(APPROACH_MS)
            x, y = from_x + (x_px - from_x) * share, from_y + (y_px - from_y) * share
            self.points.append((round(x), round(y), self._now_ms + after_ms))
        self._at_px = x_px, y_px

    def _scrolled(self) -> None:
        height_px = self._stay.person.viewport_px[1]
        at_ms = self._now_ms + 200
        self.events.append((Kind.SCROLL, at_ms, 0, self._scroll_px, 0, 0, 0, height_px, 0))

    def _blur(self, at_ms: int) -> None:
        if self._focused is not None:
            zone, since_ms = self._focused
            self.events.append((Kind.FOCUS, at_ms, 0, 0, zone, 0, 0, at_ms - since_ms, 0))
        self._focused = None


def _shares(kind: str, views: Sequence[Seen], ground: Ground) -> Shares:
    """Of what all zones gathered in the map of these views, each of another visit."""
    placed = place(kind, [(view, number) for number, view in enumerate(views)], ground)
    total = sum(zone.total for zone in placed.zones.values())
    return {number: zone.total / total for number, zone in placed.zones.items() if total}


def agreements(days: int = DAYS, seed: int = SEED) -> list[Agreement]:
    listed, rng = list(stays(days, seed)), Random(seed)
    found = []
    for phone in (False, True):
        for slug in SLUGS:
            here = [stay for stay in listed if (stay.slug, stay.phone) == (slug, phone)]
            known = sheet(slug, phone)
            width_px = 390 if phone else 1280
            boxes, pointer = known.boxes.values(), "coarse" if phone else "fine"
            ground = Ground(layout(width_px, known.height_px, *boxes, pointer=pointer), False)
            css = [seen_script_free(n, stay) for n, stay in enumerate(here, start=1)]
            script = [seen_by_script(n, stay, rng) for n, stay in enumerate(here, start=1)]
            found += [
                Agreement(
                    slug, phone, kind, len(here),
                    _shares(kind, css, ground), _shares(kind, script, ground),
                )
                for kind in KINDS
            ]  # fmt: skip
    return [one for one in found if one.css or one.script]


def main() -> None:
    found = agreements()
    for one in found:
        where = f"{one.slug}, {'phone' if one.phone else 'desktop'}, {one.kind}"
        print(f"{where:36}{one.views:5} views{one.apart:8.3f} apart")
        for zone in sorted(one.css.keys() | one.script.keys(), key=lambda z: -one.css.get(z, 0)):
            css, script = one.css.get(zone, 0.0), one.script.get(zone, 0.0)
            print(f"{'':6}zone {zone}{css:28.1%} script-free{script:8.1%} script")
    apart = {
        f"apart_{kind}_{'phone' if phone else 'desktop'}": round(
            max(one.apart for one in found if (one.kind, one.phone) == (kind, phone)), 3
        )
        for kind in KINDS
        for phone in (False, True)
    }
    print(json.dumps(apart))


if __name__ == "__main__":
    main()
