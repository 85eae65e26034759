"""A page's visits out of the store: what the closing job derived of them, column by column.

Contrasts read `view`, `visit` and `stall_list` alone, and so reach as far back as these are kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.contrasting.asked import CohortFilter, VisitFilter
from app.folding.stalls import BAND, DWELL, FACT, STALL
from app.joint import Answers, Part, joint
from app.mapping.able import POINTER, TELLING
from collector.codes import Device, Outcome

Flags = NDArray[np.bool_]
Whole = NDArray[np.int64]
Records = NDArray[np.void]

NO_FLAGS = 0
"""Of a visit: no bot, nobody of the shop's staff, and no copied token."""

WENT_ON = (Outcome.COMPLETED, Outcome.HANDED_OVER)
"""Outcomes of visits that ended elsewhere, whichever page of the shop they saw last."""

UNKNOWN = -1
"""Depth or width of which nothing is known."""

_OWN = """
    WITH own AS (
        SELECT * FROM unnest($1::int[], $2::int[], $3::date[], $4::date[])
        AS own(site_id, page_id, first, last)
    )
"""
_IN_TIME = """
    site_id = ANY($1) AND view.day BETWEEN own.first AND own.last AND view.day BETWEEN $5 AND $6
"""
"""The days are named twice: a plan leaves out partitions by constants alone."""

_PAGES = f"""
    {_OWN}
    SELECT site_id, view.page_id, view.day, view_id, view.visit_id, opened_at, device, band,
           captures, can, coalesce(viewport_width_px, -1) AS width_px,
           coalesce(deepest_px, -1) AS deepest_px, coalesce(viewport_height_px, -1) AS height_px,
           stalls, dwell, facts, bands, NULL::int2 AS browser, NULL::int2 AS os,
           NULL::int2 AS channel, NULL::int2 AS variant, NULL::int2 AS language,
           NULL::int2 AS outcome, NULL::int AS exit_page_id, NULL::json AS told
    FROM own JOIN view USING (site_id, page_id) JOIN stall_list USING (site_id, day, view_id)
    WHERE {_IN_TIME} AND stall_list.day BETWEEN $5 AND $6
    UNION ALL
    SELECT site_id, NULL, day, NULL, visit_id, NULL, device, NULL, NULL, NULL, NULL, NULL, NULL,
           NULL, NULL, NULL, NULL, browser, os, channel, variant, language, outcome, exit_page_id,
           NULL
    FROM visit WHERE site_id = ANY($1) AND day BETWEEN $5::date - 1 AND $6 AND flags = $7
    AND visit_id IN (SELECT visit_id FROM own JOIN view USING (site_id, page_id) WHERE {_IN_TIME})
    UNION ALL
    SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
           NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
           {{beside}}
"""
"""Views of pages with what they tell, the visits that these are of, and whatever else is asked
along with them: three answers to one question. Of a view the number is known, of a visit not."""

_CODES = ("device", "browser", "os", "channel", "variant", "language", "outcome")


@dataclass(frozen=True, slots=True, eq=False)
class Visits:
    """Columns of n visits, by opening of their first view of the page; days are ordinals."""

    day: Whole
    device: Whole
    browser: Whole
    os: Whole
    channel: Whole
    variant: Whole
    language: Whole
    outcome: Whole
    captures: Whole
    width_px: Whole
    able: Flags
    """Whether any of its views' engines could tell of stalls: silence of the others is no calm."""
    left: Flags
    """Whether it ended on this page: nothing came after it, no order and no payment elsewhere. A
    visit that may still go on has ended here so far."""

    def __len__(self) -> int:
        return len(self.day)

    def chosen(self, by: VisitFilter) -> Flags:
        """(n,) whether each passes the filter."""
        kept = np.ones(len(self), np.bool_)
        for name in _CODES:
            wanted = getattr(by, name, None) if name != "outcome" else _outcome(by)
            if wanted is not None:
                kept &= getattr(self, name) == int(wanted)
        if by.capture is not None:
            kept &= (self.captures & 1 << by.capture) > 0
        if by.date_from is not None:
            kept &= self.day >= by.date_from.toordinal()
        if by.date_to is not None:
            kept &= self.day <= by.date_to.toordinal()
        return kept & _wide_enough(self.width_px, by)


def _outcome(by: VisitFilter) -> int | None:
    return by.outcome if isinstance(by, CohortFilter) else None


def _wide_enough(width_px: Whole, by: VisitFilter) -> Flags:
    low, high = by.viewport_width_min, by.viewport_width_max
    if low is None and high is None:
        return np.ones(len(width_px), np.bool_)
    within: Flags = (width_px >= (low or 0)) & (width_px != UNKNOWN)
    return within if high is None else within & (width_px <= high)


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """Columns of m views of the page; `visit` is the place of each one's visit among the visits."""

    visit: Whole
    day: Whole
    band: Whole
    touch: Flags
    opened_ms: Whole
    deepest_px: Whole
    height_px: Whole
    stalls: Records
    stall_view: Whole
    dwell: Records
    dwell_view: Whole
    facts: Records
    fact_view: Whole
    bands: Records
    band_view: Whole

    def __len__(self) -> int:
        return len(self.visit)


PACKED = {
    "stalls": "stall_view",
    "dwell": "dwell_view",
    "facts": "fact_view",
    "bands": "band_view",
}
"""Packed records of all views, and the column that says of which view each is."""


@dataclass(frozen=True, slots=True, eq=False)
class PageVisits:
    """What one page saw on some days; `silent` visits, which could tell of no stall, are left out
    of those that were chosen."""

    visits: Visits
    views: Views
    silent: int = 0

    def on(self, first: date, last: date) -> Flags:
        """(n,) whether each has a view of the page on these days."""
        within = (self.views.day >= first.toordinal()) & (self.views.day <= last.toordinal())
        found = np.zeros(len(self.visits), np.bool_)
        found[self.views.visit[within]] = True
        return found

    def chosen(self, by: VisitFilter, first: date, last: date) -> PageVisits:
        """Those of a period that pass a filter and could tell of stalls, with their views then."""
        kept = self.visits.chosen(by.undated()) & self.on(first, last)
        of = self.of(kept & self.visits.able, (first.toordinal(), last.toordinal()))
        return replace(of, silent=int((kept & ~self.visits.able).sum()))

    def of(self, kept: Flags, days: tuple[int, int]) -> PageVisits:
        """Those visits alone, and their views on days from the first to the last (ordinals)."""
        place = np.cumsum(kept) - 1
        of_views = (self.views.day >= days[0]) & (self.views.day <= days[1])
        of_views &= kept[self.views.visit]
        visits = Visits(*(getattr(self.visits, one.name)[kept] for one in fields(Visits)))
        return PageVisits(visits, _views_of(self.views, of_views, place))


def _views_of(views: Views, kept: Flags, place: Whole) -> Views:
    number = np.cumsum(kept) - 1
    told: dict[str, Any] = {}
    for records, of in PACKED.items():
        own = kept[getattr(views, of)]
        told[records] = getattr(views, records)[own]
        told[of] = number[getattr(views, of)[own]]
    columns = ("day", "band", "touch", "opened_ms", "deepest_px", "height_px")
    return Views(
        visit=place[views.visit[kept]],
        **{name: getattr(views, name)[kept] for name in columns},
        **told,
    )


@dataclass(frozen=True, slots=True)
class Stay:
    """A shop's page on some days, both ends included."""

    site_id: int
    page_id: int
    first: date
    last: date


async def visits_of(
    store: Answers, stays: Sequence[Stay], beside: Mapping[str, Part]
) -> tuple[list[PageVisits], Mapping[str, Any]]:
    """The visits of each page on these days, with their views of that page, in the order of
    `stays`, which are of different pages; and what is asked along with them."""
    listed = [[getattr(stay, name) for stay in stays] for name in Stay.__slots__]
    least, most = min(stay.first for stay in stays), max(stay.last for stay in stays)
    own = *listed, least, most, NO_FLAGS
    parts, values = joint(beside, known=len(own))
    rows = await store.fetch(_PAGES.replace("{beside}", parts), *own, *values)
    views: dict[tuple[int, int], list[Any]] = {(stay.site_id, stay.page_id): [] for stay in stays}
    visits: dict[int, list[Any]] = {stay.site_id: [] for stay in stays}
    told = {}
    for row in rows:
        if row["told"] is not None:
            told = json.loads(row["told"])
        elif row["view_id"] is None:
            visits[row["site_id"]].append(row)
        else:
            views[row["site_id"], row["page_id"]].append(row)
    del rows
    found = [
        put_together(visits[site_id], _by_opening(views.pop((site_id, page_id))), page_id)
        for site_id, page_id in ((stay.site_id, stay.page_id) for stay in stays)
    ]
    return found, told


def _by_opening(rows: list[Any]) -> list[Any]:
    return sorted(rows, key=lambda row: (row["opened_at"], row["view_id"]))


def put_together(
    visit_rows: Sequence[Mapping[str, Any]], view_rows: Sequence[Mapping[str, Any]], page_id: int
) -> PageVisits:
    """Rows of visits and of one page's views, by column."""
    known = {(row["day"].toordinal(), row["visit_id"]): row for row in visit_rows}
    return _in_columns(_gathered(known, view_rows), page_id)


_Pairs = list[tuple[Any, Any]]


def _gathered(known: Mapping[tuple[int, int], Any], view_rows: Sequence[Any]) -> _Pairs:
    """Each view with its visit's row; a visit that ran past midnight began the day before."""
    pairs = []
    for row in view_rows:
        day = row["day"].toordinal()
        visit = known.get((day, row["visit_id"])) or known.get((day - 1, row["visit_id"]))
        if visit is not None:
            pairs.append((row, visit))
    return pairs


def _in_columns(pairs: _Pairs, page_id: int) -> PageVisits:
    places: dict[tuple[Any, Any], int] = {}
    rows = []
    visit = np.empty(len(pairs), np.int64)
    for n, (_, of) in enumerate(pairs):
        key = of["day"], of["visit_id"]
        if key not in places:
            places[key] = len(places)
            rows.append(of)
        visit[n] = places[key]
    view_rows = [view for view, _ in pairs]
    return PageVisits(_visits(rows, view_rows, visit, page_id), _views(view_rows, visit))


def _visits(rows: list[Any], view_rows: list[Any], visit: Whole, page_id: int) -> Visits:
    captures, width_px = np.zeros(len(rows), np.int64), np.full(len(rows), UNKNOWN)
    able = np.zeros(len(rows), np.bool_)
    np.bitwise_or.at(captures, visit, _column(view_rows, "captures"))
    np.maximum.at(width_px, visit, _column(view_rows, "width_px"))
    np.logical_or.at(able, visit, _able(view_rows))
    codes = {name: _column(rows, name) for name in _CODES}
    days = np.array([row["day"].toordinal() for row in rows], np.int64)
    left = _column(rows, "exit_page_id") == page_id
    left &= ~np.isin(codes["outcome"], WENT_ON)
    return Visits(day=days, captures=captures, width_px=width_px, able=able, left=left, **codes)


def _views(rows: list[Any], visit: Whole) -> Views:
    stalls, stall_view = _unpacked(rows, "stalls", STALL)
    dwell, dwell_view = _unpacked(rows, "dwell", DWELL)
    facts, fact_view = _unpacked(rows, "facts", FACT)
    bands, band_view = _unpacked(rows, "bands", BAND)
    return Views(
        visit=visit,
        day=np.array([row["day"].toordinal() for row in rows], np.int64),
        band=_column(rows, "band"),
        touch=_touch(rows),
        opened_ms=np.array([row["opened_at"].timestamp() * 1000 for row in rows], np.int64),
        deepest_px=_column(rows, "deepest_px"),
        height_px=_column(rows, "height_px"),
        stalls=stalls,
        stall_view=stall_view,
        dwell=dwell,
        dwell_view=dwell_view,
        facts=facts,
        fact_view=fact_view,
        bands=bands,
        band_view=band_view,
    )


def _column(rows: list[Any], name: str) -> Whole:
    return np.array([row[name] for row in rows], np.int64)


def _touch(rows: list[Any]) -> Flags:
    touched: Flags = np.isin(_column(rows, "device"), (Device.PHONE, Device.TABLET))
    return touched


def _able(rows: list[Any]) -> Flags:
    """Whether a view's engine can tell of stalls: silence of the others is no calm."""
    telling = np.where(_touch(rows), TELLING["stall"], POINTER)
    able: Flags = (_column(rows, "can") & telling) > 0
    return able


def _unpacked(rows: list[Any], name: str, kind: np.dtype[np.void]) -> tuple[Records, Whole]:
    """The packed records of all views, and the view of each."""
    packed = [row[name] for row in rows]
    counts = np.array([len(one) // kind.itemsize for one in packed], np.int64)
    records: Records = np.frombuffer(b"".join(packed), kind)
    return records, np.repeat(np.arange(len(rows)), counts)
