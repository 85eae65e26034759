"""Raw rows folded into page views: what each view's signals tell, whichever form sent them.

Pure: the closing job and the heatmaps of open days read the same rows through the same fold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collector.codes import Codes, unpack_codes, width_band
from collector.packing import EVENT, TRAIL, unpack_events, unpack_trails
from collector.visitor import visitor_check
from collector.wire import BEACON_NAME, Capture, Kind

COPIED_FROM = 3
"""A token used by so many different visitors was copied, not moved to another network once."""

CODE_NAMES = ("device", "band", "browser", "os", "channel", "variant", "capture", "language")

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
    alive_s: int = 0
    scroll_px: int | None = None
    depth_px: int | None = None
    hover_s: dict[int, int] = field(default_factory=dict)
    focus_s: dict[int, int] = field(default_factory=dict)
    presses: dict[int, int] = field(default_factory=dict)
    bands_s: dict[int, int] = field(default_factory=dict)
    trail: NDArray[np.void] = field(default_factory=lambda: _NO_TRAIL)
    events: NDArray[np.void] = field(default_factory=lambda: _NO_EVENTS)
    checks: set[int] = field(default_factory=set)
    person: int = 0
    """Who opened it, as `app/people.py` names them among the views that were read with it."""

    @property
    def quarantined(self) -> bool:
        """After a day's salt is gone the view's own number stands for whoever sends."""
        if len(self.checks) < COPIED_FROM:
            return False
        return len(self.checks - {visitor_check(self.view_id)}) >= COPIED_FROM

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
        return clicks or sum(self.presses.values())

    def pressed(self, zone: int) -> bool:
        if zone in self.presses or not len(self.events):
            return zone in self.presses
        return bool(np.any(self.clicks()["zone"] == zone))


def fold(
    opens: Iterable[Mapping[str, Any]],
    beacons: Iterable[Mapping[str, Any]],
    batches: Iterable[Mapping[str, Any]],
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
    packed: dict[tuple[date, int], list[Mapping[str, Any]]] = {}
    for row in batches:
        packed.setdefault(_view_key(row), []).append(row)
    for rows in packed.values():
        rows.sort(key=lambda row: row["seq"])
    unpacked = _unpacked(packed.values())
    for key, rows in packed.items():
        if key not in views:
            views[key] = _opened_by_batch(rows[0])
        _hear_batches(views[key], rows, *next(unpacked))
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


def _opened_by_batch(row: Mapping[str, Any]) -> Seen:
    opened_at = datetime.fromtimestamp(row["opened_min"] * 60, UTC)
    codes = unpack_codes(row["codes"])
    return Seen(
        view_id=row["view_id"],
        day=row["day"],
        page_id=row["page_id"],
        path_id=row["path_id"],
        opened_at=opened_at,
        visitor=row["visitor"],
        visitor_before=row["visitor_before"],
        ref_hash=row["ref_hash"],
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
    told = [part for part in map(_told, row["names"]) if part is not None]
    if not told:
        return
    view.signals += len(told)
    view.last_at = max(view.last_at, row["at"])
    view.checks.update(row["checks"])
    for what, place, value in told:
        if what in _BY_PLACE:
            found = getattr(view, what)
            found[place] = max(found.get(place, 0), value)
        elif what:
            setattr(view, what, max(getattr(view, what) or 0, value))
    if view.width_px is not None:
        _resize(view, view.width_px)


_BY_PLACE = frozenset({"hover_s", "focus_s", "presses", "bands_s"})
"""What is told of a zone or of a band; the rest is told of the view."""


@lru_cache(maxsize=16_384)
def _told(name: str) -> tuple[str, int, int] | None:
    """What a beacon raises, where, and to what; nothing where it only is a sign of life.

    None for a name that is not understood. A shop's sheets ask for some hundred names in all.
    """
    found = BEACON_NAME.match(name)
    if found is None:
        return None
    part = {key: value for key, value in found.groupdict().items() if value is not None}
    if "zone" in part:
        return _told_of_zone(int(part["zone"]), part)
    if "band" in part:
        return "bands_s", int(part["band"]), int(part["band_s"])
    for what in ("alive_s", "scroll_px", "depth_px", "width_px", "height_px"):
        if what in part:
            return what, 0, int(part[what])
    return ("coarse", 0, True) if part.get("fact") == "coarse" else ("", 0, 0)


def _told_of_zone(zone: int, part: Mapping[str, str]) -> tuple[str, int, int]:
    if "hover" in part:
        return "hover_s", zone, int(part.get("hover_s", 0))
    if "focus" in part:
        return "focus_s", zone, int(part.get("focus_s", 0))
    if "press" in part:
        return "presses", zone, int(part["press"])
    return "", 0, 0


def _resize(view: Seen, width_px: int) -> None:
    view.width_px = width_px
    if view.codes.band != (band := width_band(width_px)):
        view.codes = _in_band(view.codes, band)


_Records = NDArray[np.void]


def _unpacked(
    packed: Collection[Sequence[Mapping[str, Any]]],
) -> Iterator[tuple[_Records, _Records]]:
    """Trail and events of each view: those of all views are unpacked at once."""
    rows = [row for of_view in packed for row in of_view]
    encs = [row["enc"] for row in rows]
    trails = unpack_trails([row["trail"] for row in rows], encs)
    events = unpack_events([row["ev"] for row in rows], encs)
    first = 0
    for of_view in packed:
        after = first + len(of_view)
        yield trails.of_rows(first, after), events.of_rows(first, after)
        first = after


def _hear_batches(
    view: Seen, rows: Sequence[Mapping[str, Any]], trail: _Records, events: _Records
) -> None:
    last = rows[-1]
    view.captures |= 1 << unpack_codes(last["codes"]).capture
    view.signals += len(rows)
    view.checks |= {visitor_check(row["visitor"]) for row in rows}
    view.page_height_px = last["page_height_px"]
    view.height_px = last["viewport_height_px"]
    _resize(view, last["viewport_width_px"])
    view.trail = _in_time(trail)
    view.events = _in_time(events)
    view.last_at = max(view.last_at, _last_told(view, rows))
    scrolled = view.events[view.events["kind"] == int(Kind.SCROLL)]["y"]
    if len(scrolled):
        view.scroll_px = max(view.scroll_px or 0, int(scrolled.max()))


def _in_time(records: NDArray[np.void]) -> NDArray[np.void]:
    """Time never falls within a batch, but nothing keeps a client's next one from going back."""
    return records[np.argsort(records["t"], kind="stable")]


def _last_told(view: Seen, rows: Iterable[Mapping[str, Any]]) -> datetime:
    """The last moment that batches tell of: they may arrive long after it, but never before."""
    ends_ms = (int(part["t"][-1]) for part in (view.trail, view.events) if len(part))
    told_at = view.opened_at + timedelta(milliseconds=max(ends_ms, default=0))
    arrived: datetime = max(row["at"] for row in rows)
    return min(told_at, arrived)
