"""Raw rows folded into page views: what each view's signals tell, whichever form sent them.

Pure: the closing job and the heatmaps of open days read the same rows through the same fold.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collector.codes import Codes, width_band
from collector.packing import EVENT, TRAIL, unpack_events, unpack_trails
from collector.visitor import visitor_check
from collector.wire import BEACON_NAME, OPEN, Capture, Kind

TWIN_WITHIN = timedelta(seconds=2)
"""Firefox may fetch the sheet twice for a page whose HTML names no charset."""

COPIED_FROM = 3
"""A token used by so many different visitors was copied, not moved to another network once."""

CODE_NAMES = ("device", "band", "browser", "os", "channel", "variant", "capture", "language")


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
    trail: NDArray[np.void] = field(default_factory=lambda: np.empty(0, TRAIL))
    events: NDArray[np.void] = field(default_factory=lambda: np.empty(0, EVENT))
    checks: set[int] = field(default_factory=set)

    @property
    def quarantined(self) -> bool:
        """After a day's salt is gone the view's own number stands for whoever sends."""
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
        return len(self.clicks()) or sum(self.presses.values())

    def pressed(self, zone: int) -> bool:
        return zone in self.presses or bool(np.any(self.clicks()["zone"] == zone))


def fold(
    opens: Iterable[Mapping[str, Any]],
    beacons: Iterable[Mapping[str, Any]],
    batches: Iterable[Mapping[str, Any]],
) -> list[Seen]:
    """Views by opening; twins are left out, copied tokens stay and are marked.

    A view is a number on a day, as in the keys of the rows: a client that repeats a number on
    another day has begun another view. A beacon whose opening is gone belongs to none.
    """
    views = {_view_key(row): _opened(row) for row in opens}
    for row in beacons:
        if (view := views.get(_view_key(row))) is not None and row["name"] != OPEN:
            _hear(view, row)
    packed: dict[tuple[date, int], list[Mapping[str, Any]]] = {}
    for row in batches:
        packed.setdefault(_view_key(row), []).append(row)
    for key, rows in packed.items():
        rows.sort(key=lambda row: row["seq"])
        if key not in views:
            views[key] = _opened_by_batch(rows[0])
        _unpack(views[key], rows)
    return _without_twins(sorted(views.values(), key=by_opening))


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
        codes=Codes(*(row[name] for name in CODE_NAMES)),
        captures=1 << Capture.CSS,
        last_at=row["at"],
        checks={row["visitor_check"]},
    )


def _opened_by_batch(row: Mapping[str, Any]) -> Seen:
    opened_at = datetime.fromtimestamp(row["opened_min"] * 60, UTC)
    return Seen(
        view_id=row["view_id"],
        day=row["day"],
        page_id=row["page_id"],
        path_id=row["path_id"],
        opened_at=opened_at,
        visitor=row["visitor"],
        visitor_before=row["visitor_before"],
        ref_hash=row["ref_hash"],
        codes=Codes(*(row[name] for name in CODE_NAMES)),
        captures=1 << row["capture"],
        last_at=opened_at,
    )


def _hear(view: Seen, row: Mapping[str, Any]) -> None:
    told = BEACON_NAME.match(row["name"])
    if told is None:
        return
    view.signals += 1
    view.last_at = max(view.last_at, row["at"])
    view.checks.add(row["visitor_check"])
    part = told.groupdict()
    if part["zone"]:
        _hear_zone(view, int(part["zone"]), part)
    elif part["band"]:
        _raise(view.bands_s, int(part["band"]), int(part["band_s"]))
    elif part["alive_s"]:
        view.alive_s = max(view.alive_s, int(part["alive_s"]))
    elif part["scroll_px"]:
        view.scroll_px = max(view.scroll_px or 0, int(part["scroll_px"]))
    elif part["depth_px"]:
        view.depth_px = max(view.depth_px or 0, int(part["depth_px"]))
    elif part["width_px"]:
        _resize(view, max(view.width_px or 0, int(part["width_px"])))
    elif part["height_px"]:
        view.height_px = max(view.height_px or 0, int(part["height_px"]))
    elif part["fact"] == "coarse":
        view.coarse = True


def _hear_zone(view: Seen, zone: int, part: Mapping[str, str | None]) -> None:
    if part["hover"]:
        _raise(view.hover_s, zone, int(part["hover_s"] or 0))
    elif part["focus"]:
        _raise(view.focus_s, zone, int(part["focus_s"] or 0))
    elif part["press"]:
        _raise(view.presses, zone, int(part["press"]))


def _raise(found: dict[int, int], key: int, value: int) -> None:
    found[key] = max(found.get(key, 0), value)


def _resize(view: Seen, width_px: int) -> None:
    view.width_px = width_px
    told = {name: getattr(view.codes, name) for name in CODE_NAMES}
    view.codes = Codes(**{**told, "band": width_band(width_px)})


def _unpack(view: Seen, rows: list[Mapping[str, Any]]) -> None:
    last = rows[-1]
    view.captures |= 1 << last["capture"]
    view.signals += len(rows)
    view.checks |= {visitor_check(row["visitor"]) for row in rows}
    view.page_height_px = last["page_height_px"]
    view.height_px = last["viewport_height_px"]
    _resize(view, last["viewport_width_px"])
    view.trail = _in_time(unpack_trails(row["trail"] for row in rows))
    view.events = _in_time(unpack_events(row["ev"] for row in rows))
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


def _without_twins(views: list[Seen]) -> list[Seen]:
    """Of views of one page by one visitor within 2 s the silent ones go, if need be all but one."""
    openings: _Openings = {}
    for view in views:
        if view.signals:
            _note(openings, view)
    kept = []
    for view in views:
        if not view.signals:
            if _is_twin(openings, view):
                continue
            _note(openings, view)
        kept.append(view)
    return kept


_Openings = dict[tuple[int, int], list[datetime]]
"""When a visitor opened a page, in order."""


def _note(openings: _Openings, view: Seen) -> None:
    for visitor in _visitors(view):
        insort(openings.setdefault((visitor, view.page_id), []), view.opened_at)


def _is_twin(openings: _Openings, view: Seen) -> bool:
    for visitor in _visitors(view):
        times = openings.get((visitor, view.page_id), [])
        first_near = bisect_left(times, view.opened_at - TWIN_WITHIN)
        if first_near < len(times) and times[first_near] <= view.opened_at + TWIN_WITHIN:
            return True
    return False


def _visitors(view: Seen) -> set[int]:
    """Midnight may lie between twins: then the second also bears yesterday's hash."""
    return {view.visitor} if view.visitor_before is None else {view.visitor, view.visitor_before}
