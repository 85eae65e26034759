"""Raw rows folded into page views: what each view's signals tell, whichever form sent them.

Pure: the closing job and the heatmaps of open days read the same rows through the same fold.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.folding.batches import COLUMNS, NO_PATH, Batches
from app.folding.columns import moment
from app.folding.echoes import without_echoes
from app.folding.hearing import OF_ANY_ENGINE, Said, Signal, said
from app.folding.people import NO_REF
from collector.codes import Codes, Device, unpack_codes, width_band
from collector.packing import EVENT, TRAIL, Unpacked
from collector.visitor import visitor_check
from collector.wire import ALIVE_STEPS_S, LEAVE, Capture, Kind

COPIED_FROM = 3
"""A token used by so many different visitors was copied, not moved to another network once."""

CODE_NAMES = ("device", "band", "browser", "os", "channel", "variant", "capture", "language")

OVERTAKEN = timedelta(seconds=2)
"""What was sent before a page was left may arrive so much after its leave. What comes later shows
that the page was still open: a proxy had given up on its image."""

SETTLED_MS = 1000
"""What has the focus, or is checked, before this was so as the page came."""

LOADS_WITHIN_S = 10
"""A page that a press led to has opened so long after the one before was left, or nobody waited."""

_NO_TRAIL, _NO_EVENTS = np.empty(0, TRAIL), np.empty(0, EVENT)


@dataclass(slots=True)
class Seen:
    """One page view as its signals tell it. Seconds are clock steps reached, lower bounds."""

    view_id: int
    day: date
    page_id: int
    path_id: int | None
    opened_at: datetime
    visitor: int
    visitor_before: int | None
    ref_hash: bytes | None
    codes: Codes
    captures: int
    last_at: datetime
    width_px: int | None = None
    height_px: int | None = None
    page_height_px: int | None = None
    coarse: bool = False
    signals: int = 0
    shows: int = 0
    """Bits of `Signal`: what its engine was seen to send; `can` is what it can."""
    lacks: int = 0
    told_viewport: bool = False
    leave_at: datetime | None = None
    alive_s: int = 0
    scroll_px: int | None = None
    depth_px: int | None = None
    hover_s: dict[int, int] = field(default_factory=dict)
    focus_s: dict[int, int] = field(default_factory=dict)
    presses: dict[int, int] = field(default_factory=dict)
    bands_s: dict[int, int] = field(default_factory=dict)
    moments_ms: dict[str, int] = field(default_factory=dict)
    """When what a beacon is named by arrived, since the opening: of zones, cells and scrolling."""
    trail: NDArray[np.void] = field(default_factory=lambda: _NO_TRAIL)
    events: NDArray[np.void] = field(default_factory=lambda: _NO_EVENTS)
    checks: set[int] = field(default_factory=set)
    person: int = 0
    """Who opened it, as `people.py` names them among the views that were read with it."""
    next_zone: int = 0
    next_s: int = 0
    """The zone that leads to the page which the person opened next, 0 for none, and how long after
    this one that was (`onward.py`)."""

    @property
    def quarantined(self) -> bool:
        """After a day's salt is gone the view's own number stands for whoever sends."""
        if len(self.checks) < COPIED_FROM:
            return False
        return len(self.checks - {visitor_check(self.view_id)}) >= COPIED_FROM

    @property
    def touch(self) -> bool:
        return self.coarse or self.codes.device in (Device.PHONE, Device.TABLET)

    @property
    def hovered_s(self) -> Mapping[int, int]:
        """Seconds that a mouse rested on zones."""
        return {} if self.touch else self.hover_s

    @property
    def tapped_s(self) -> Mapping[int, int]:
        """On touch `:hover` holds from one tap to the next: seconds that zones were last tapped."""
        return self.hover_s if self.touch else {}

    @property
    def left_at(self) -> datetime | None:
        """When the page was left, where that is known."""
        if self.leave_at is None or self.last_at - self.leave_at > OVERTAKEN:
            return None
        return self.leave_at

    @property
    def can(self) -> int:
        """The signals that its engine can send: what it was seen to send, and what it would have
        said that it lacks."""
        able = self.shows | (OF_ANY_ENGINE & ~self.lacks if self.told_viewport else 0)
        if self.captures & 1 << Capture.SCRIPT:
            able |= int(Signal.SCRIPT)
        return able | (int(Signal.LEAVE) if self.left_at is not None else 0)

    @property
    def duration_ms(self) -> int:
        heard_ms = round((self.last_at - self.opened_at).total_seconds() * 1000)
        return max(heard_ms, self.alive_s * 1000, 0)

    @property
    def deepest_px(self) -> int | None:
        """Lowest row that was in the viewport: scrolled distance plus the viewport's height."""
        if self.scroll_px is None and self.depth_px is None and self.height_px is None:
            return None
        scrolled = (self.scroll_px or 0) + (self.height_px or 0)
        return max(scrolled, self.depth_px or 0)

    def clicks(self) -> NDArray[np.void]:
        chosen: NDArray[np.void] = self.events[self.events["kind"] == int(Kind.CLICK)]
        return chosen

    @property
    def press_count(self) -> int:
        """Both forms on one page tell of the same presses: the script, which also says where."""
        clicks = len(self.clicks()) if len(self.events) else 0
        return clicks or sum(self.pressed_zones.values())

    def pressed(self, zone: int) -> bool:
        pressed = self.pressed_zones
        if zone in pressed or not len(self.events):
            return zone in pressed
        return bool(np.any(self.clicks()["zone"] == zone))

    @property
    def pressed_zones(self) -> Mapping[int, int]:
        """How often each zone was pressed.

        Where a touch screen's engine tells of no press at all, a zone that was tapped, got the
        focus or was checked was pressed, once: there is no other way to it there. So was the zone
        that leads to the page which came next.
        """
        if self.presses or not self.touch:
            return self.presses
        names = (name.partition(".") for name, ms in self.moments_ms.items() if ms >= SETTLED_MS)
        tapped = {int(zone): 1 for zone, _, letter in names if letter[:1] in _TAPPED}
        return tapped | {self.next_zone: 1} if self._was_led_on else tapped

    @property
    def _was_led_on(self) -> bool:
        """Whether the next page came when this one was left, as far as that is known."""
        if not self.next_zone:
            return False
        if self.left_at is not None:
            left_s = (self.left_at - self.opened_at).total_seconds()
            return abs(self.next_s - left_s) <= LOADS_WITHIN_S
        later = (step_s for step_s in ALIVE_STEPS_S if step_s > self.alive_s)
        left_by_s = next(later, self.next_s)
        return self.alive_s <= self.next_s + 1 and self.next_s <= left_by_s + LOADS_WITHIN_S


def fold(
    opens: Iterable[Mapping[str, Any]],
    beacons: Iterable[Mapping[str, Any]],
    batches: Batches,
) -> list[Seen]:
    """Views by opening, twins among them; copied tokens stay and are marked.

    A view is a number on a day, as in the keys of the rows: a client that repeats a number on
    another day has begun another view. Beacons come as one row for all of a view's, or as several;
    those whose opening is gone belong to none.
    """
    views = {_view_key(row): _opened(row) for row in opens}
    for row in beacons:
        if (view := views.get(_view_key(row))) is not None:
            _hear(view, row)
    script = _Script(batches)
    for key, its in batches.views:
        if key not in views:
            views[key] = _opened_by_batch(key, script.row(its.start))
        _hear_batches(views[key], script, its)
    return sorted(views.values(), key=by_opening)


def by_opening(view: Seen) -> tuple[datetime, int, date]:
    return view.opened_at, view.view_id, view.day


def _view_key(row: Mapping[str, Any]) -> tuple[date, int]:
    return row["day"], row["view_id"]


def _opened(row: Mapping[str, Any]) -> Seen:
    return Seen(
        view_id=row["view_id"],
        day=row["day"],
        page_id=row["page_id"],
        path_id=row["path_id"],
        opened_at=row["at"],
        visitor=row["visitor"],
        visitor_before=row["visitor_before"],
        ref_hash=row["ref_hash"],
        codes=_codes(*(row[name] for name in CODE_NAMES)),
        captures=1 << Capture.CSS,
        last_at=row["at"],
        checks={row["visitor_check"]},
    )


def _opened_by_batch(key: tuple[date, int], row: Mapping[str, Any]) -> Seen:
    opened_at = datetime.fromtimestamp(row["opened_min"] * 60, UTC)
    codes = unpack_codes(row["codes"])
    before, ref_hash = row["visitor_before"], row["ref_hash"]
    day, view_id = key
    return Seen(
        view_id=view_id,
        day=day,
        page_id=row["page_id"],
        path_id=None if row["path_id"] == NO_PATH else row["path_id"],
        opened_at=opened_at,
        visitor=row["visitor"],
        visitor_before=None if before == row["visitor"] else before,
        ref_hash=None if ref_hash == NO_REF else ref_hash,
        codes=codes,
        captures=1 << codes.capture,
        last_at=opened_at,
    )


@lru_cache(maxsize=4096)
def _codes(*values: int) -> Codes:
    """Few of all combinations occur, and views share them."""
    return Codes(*values)


@lru_cache(maxsize=4096)
def _in_band(codes: Codes, band: int) -> Codes:
    return replace(codes, band=band)


def _hear(view: Seen, row: Mapping[str, Any]) -> None:
    names = row["names"]
    told = list(map(said, names))
    left = LEAVE in names
    if left:
        at_s = row["times"][names.index(LEAVE)]
        view.leave_at = datetime.fromtimestamp(at_s, UTC)
    heard = len(told) - told.count(None)
    if heard or left:
        view.signals += heard
        view.last_at = max(view.last_at, row["at"])
        view.checks.update(row["checks"])
        _take(view, names, told, row["times"])
    if view.width_px is not None:
        _resize(view, view.width_px)


def _take(
    view: Seen, names: Iterable[str], told: Iterable[Said | None], times_s: Iterable[float]
) -> None:
    """Every beacon of every view comes by here: no more is done for one than it needs."""
    opened_s, moments_ms = view.opened_at.timestamp(), view.moments_ms
    shown, lacked, told_viewport = view.shows, view.lacks, view.told_viewport
    for name, one, at_s in zip(names, told, times_s, strict=True):
        if one is None:
            continue
        what, place, value, shows, lacks, dated, viewport = one
        shown |= shows
        lacked |= lacks
        told_viewport |= viewport
        if dated:
            moments_ms[name] = max(int((at_s - opened_s) * 1000 + 0.5), 0)
        if what in _BY_PLACE:
            found = getattr(view, what)
            if value >= found.get(place, 0):
                found[place] = value
        elif what in _OF_VIEW and value > (getattr(view, what) or 0):
            setattr(view, what, value)
    view.shows, view.lacks, view.told_viewport = shown, lacked, told_viewport


_BY_PLACE = frozenset({"hover_s", "focus_s", "presses", "bands_s"})
_OF_VIEW = frozenset({"coarse", "alive_s", "scroll_px", "depth_px", "width_px", "height_px"})
_TAPPED = ("h", "f", "c")


def _resize(view: Seen, width_px: int) -> None:
    view.width_px = width_px
    if view.codes.band != (band := width_band(width_px)):
        view.codes = _in_band(view.codes, band)


_Records = NDArray[np.void]


class _Script:
    """Batches as views are made of them: what is looked at in every row, a column at once."""

    def __init__(self, batches: Batches) -> None:
        self._rows = batches.rows
        self.visitors: list[int] = batches.rows["visitor"].tolist()
        self.arrived: list[int] = batches.rows["at"].tolist()
        self._trails, self._events = _InTime(batches.points), _InTime(batches.events)

    def row(self, n: int) -> dict[str, Any]:
        return dict(zip(COLUMNS, self._rows[n].item(), strict=True))

    def trail(self, its: slice) -> _Records:
        return self._trails.of_rows(its)

    def events(self, its: slice) -> _Records:
        return self._events.of_rows(its)


class _InTime:
    """Time never falls within a batch, but nothing keeps a client's next one from going back."""

    def __init__(self, unpacked: Unpacked) -> None:
        times = unpacked.records["t"]
        self._unpacked = unpacked
        self._bounds: list[int] = unpacked.bounds.tolist()
        self._falls: list[int] = (np.flatnonzero(times[1:] < times[:-1]) + 1).tolist()
        """Records that are earlier than the one before: mostly another view's first."""

    def of_rows(self, its: slice) -> _Records:
        begin, end = self._bounds[its.start], self._bounds[its.stop]
        records = self._unpacked.records[begin:end]
        n = bisect_right(self._falls, begin)
        if n < len(self._falls) and self._falls[n] < end:
            return records[np.argsort(records["t"], kind="stable")]
        return records


def _hear_batches(view: Seen, script: _Script, its: slice) -> None:
    last = script.row(its.stop - 1)
    view.captures |= 1 << unpack_codes(last["codes"]).capture
    view.signals += its.stop - its.start
    view.checks |= set(map(visitor_check, set(script.visitors[its])))
    view.page_height_px = last["page_height_px"]
    view.height_px = last["viewport_height_px"]
    _resize(view, last["viewport_width_px"])
    view.trail = script.trail(its)
    view.events = without_echoes(script.events(its))
    view.last_at = max(view.last_at, _last_told(view, moment(max(script.arrived[its]))))
    scrolled = view.events[view.events["kind"] == int(Kind.SCROLL)]["y"]
    if len(scrolled):
        view.scroll_px = max(view.scroll_px or 0, int(scrolled.max()))


def _last_told(view: Seen, arrived: datetime) -> datetime:
    """The last moment that batches tell of: they may arrive long after it, but never before."""
    ends_ms = (int(part["t"][-1]) for part in (view.trail, view.events) if len(part))
    told_at = view.opened_at + timedelta(milliseconds=max(ends_ms, default=0))
    return min(told_at, arrived)
