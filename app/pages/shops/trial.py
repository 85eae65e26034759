"""What a shop on trial sends, in the words of whoever tries it out: raw rows → views and signals.

Pure. A trial shop's owner walks through the checkout and looks here whether it arrived, so each
signal is told as it came and nothing waits for the closing job.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from app.folding.echoes import without_echoes
from collector.codes import Device, unpack_codes
from collector.packing import unpack_events
from collector.sites import Page, Site
from collector.wire import ALIVE_STEPS_S, BEACON_NAME, OPEN, Kind

SILENT_FOR = timedelta(seconds=5)
"""A step of the page's clock that is so late will not come: slow lines need a second or two."""

STATES = {
    "i": "invalid",
    "v": "valid",
    "o": "autofilled",
    "c": "checked",
    "e": "error",
    "u": "opened",
    "b": "busy",
}


@dataclass(frozen=True, slots=True)
class Signal:
    """`what` happened, to which zone if to one; `amount` is seconds, presses or px by its kind."""

    at: datetime
    what: str
    zone: str | None = None
    amount: int = 0


@dataclass(slots=True)
class Trial:
    """One page view and what it has sent, newest first.

    clicks  how many the script told of, by zone; beacons may tell of the same presses
    """

    page: Page
    opened_at: datetime
    device: Device
    width_px: int | None = None
    alive_s: int = 0
    left_at: datetime | None = None
    found: dict[tuple[str, str | None], Signal] = field(default_factory=dict)
    clicks: Counter[str | None] = field(default_factory=Counter)

    @property
    def last_at(self) -> datetime:
        return max([self.opened_at, *(signal.at for signal in self.found.values())])

    @property
    def signals(self) -> list[Signal]:
        return sorted(self.found.values(), key=lambda signal: signal.at, reverse=True)

    def hear(self, signal: Signal) -> None:
        """Of a clock or a ratchet only how far it came is told."""
        key = (signal.what, signal.zone)
        known = self.found.get(key)
        if known is None or signal.amount >= known.amount:
            self.found[key] = signal

    def left_after_s(self, now: datetime) -> int | None:
        """Seconds the view lasted at least, None while it may still be looked at.

        No browser tells a leave without a script: the page's clock falls silent instead.
        """
        stayed_s = max(self.alive_s, int((self.last_at - self.opened_at).total_seconds()))
        if self.left_at is not None:
            return max(0, int((self.left_at - self.opened_at).total_seconds()))
        following = next((step for step in ALIVE_STEPS_S if step > stayed_s), None)
        if following is None:
            return None
        silent = now - self.opened_at - timedelta(seconds=following)
        return stayed_s if silent > SILENT_FOR else None


def trials(
    site: Site, beacons: Iterable[Mapping[str, Any]], batches: Iterable[Mapping[str, Any]]
) -> list[Trial]:
    """The views behind these rows, the one heard of last first."""
    pages = {page.page_id: page for page in site.pages.values()}
    views: dict[int, Trial] = {}
    for row in sorted(beacons, key=_arrival):
        if (page := pages.get(row["page_id"])) is not None:
            view = views.setdefault(
                row["view_id"], Trial(page, row["opened_at"], Device(row["device"]))
            )
            _hear_beacon(view, row["name"], row["at"])
    for row in sorted(batches, key=_arrival):
        if (page := pages.get(row["page_id"])) is not None:
            opened_at = datetime.fromtimestamp(row["opened_min"] * 60, UTC)
            device = Device(unpack_codes(row["codes"]).device)
            view = views.setdefault(row["view_id"], Trial(page, opened_at, device))
            _hear_batch(view, row)
    return sorted(views.values(), key=lambda view: view.last_at, reverse=True)


def _arrival(row: Mapping[str, Any]) -> datetime:
    at: datetime = row["at"]
    return at


def _hear_beacon(view: Trial, name: str, at: datetime) -> None:
    told = BEACON_NAME.match(name)
    if name == OPEN or told is None:
        return
    part = told.groupdict()
    if part["zone"]:
        view.hear(_of_zone(zone_name(view.page, int(part["zone"])), part, at))
    elif part["alive_s"]:
        view.alive_s = max(view.alive_s, int(part["alive_s"]))
    elif part["scroll_px"] or part["depth_px"]:
        view.hear(Signal(at, "scroll", amount=int(part["scroll_px"] or part["depth_px"] or 0)))
    elif part["band"]:
        view.hear(Signal(at, "rest", amount=int(part["band_s"])))
    elif part["width_px"]:
        view.width_px = int(part["width_px"])
    elif part["row"]:
        view.hear(Signal(at, "pointer"))


def _of_zone(zone: str, part: Mapping[str, str | None], at: datetime) -> Signal:
    for what in ("hover", "focus"):
        if part[what]:
            return Signal(at, what, zone, int(part[f"{what}_s"] or 0))
    if part["press"]:
        return Signal(at, "press", zone, int(part["press"]))
    return Signal(at, STATES[part["state"] or ""], zone)


def _hear_batch(view: Trial, row: Mapping[str, Any]) -> None:
    for event in without_echoes(unpack_events([row["ev"]], [row["enc"]]).records):
        kind, zone = int(event["kind"]), int(event["zone"])
        if kind == Kind.CLICK:
            name = zone_name(view.page, zone) if zone else None
            view.clicks[name] += 1
            view.hear(Signal(row["at"], "press", name, view.clicks[name]))
        elif kind == Kind.SCROLL:
            view.hear(Signal(row["at"], "scroll", amount=int(event["y"])))
        elif kind == Kind.LEAVE:
            view.left_at = row["at"]
    if row["n"]:
        view.hear(Signal(row["at"], "pointer"))


def zone_name(page: Page, number: int) -> str:
    """The zone's name; its number where the page has it no more."""
    return next((zone.name for zone in page.zones if zone.number == number), f"#{number}")
