"""Where a map's days are read from: tiles of closed days, raw rows of the others.

Tiles answer for days that are sealed, where every filter is one that they are kept apart by, and
where the bandwidth is too wide to tell a mark in the middle of its cell from one in its place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from app.closing.forgetting import FINAL
from app.folding.ways import Way
from app.joint import Part
from app.mapping.filters import MapQuery
from app.problems import BadParameters
from app.sealing.cells import MIN_BANDWIDTH_PX
from collector.codes import BAND_EDGES_PX, width_band
from collector.sites import Page

DAY = timedelta(days=1)

SEAL = "seal"
"""Name of the job that makes a day's tiles."""

RAW_GONE = "raw_gone"
"""Name of the job row that says a day's raw rows are deleted: its tiles are final."""

_SEALED = """
    SELECT seal.period AS day, EXISTS (SELECT FROM job AS gone WHERE gone.name = $5
        AND gone.site_id = $1 AND gone.period = seal.period) AS raw_gone
    FROM job AS seal WHERE seal.name = $4 AND seal.site_id = $1 AND seal.period BETWEEN $2 AND $3
    AND seal.state = 'done' AND seal.dirty_since IS NULL
    AND NOT EXISTS (SELECT FROM job AS close WHERE close.name = 'close'
        AND close.site_id = $1 AND close.period = seal.period AND close.dirty_since IS NOT NULL
        AND NOT EXISTS (SELECT FROM job AS final WHERE final.name IN ($5, $6)
            AND final.site_id = $1 AND final.period = seal.period))
    ORDER BY seal.period
"""
"""A late row marks its day in its own transaction: from then on the day is read from raw rows,
until it was closed and sealed again. A final day counts no late rows."""


SEALED_DAYS = "sealed_days"
"""What a statement calls the answer to `sealed_asked`, where parts of it go by these days."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The days of a period, each in one of the two."""

    sealed: tuple[date, ...]
    raw: tuple[tuple[date, date], ...]
    """Runs of days, first and last."""

    gone: tuple[date, ...] = ()
    """Sealed days that have nothing but their tiles left."""


def sealed_asked(site_id: int, first: date, last: date) -> Part:
    """What tells which of these days are sealed, and of which nothing but their tiles is left."""
    return Part(_SEALED, (site_id, first, last, SEAL, RAW_GONE, FINAL))


def sources(
    sealed: Mapping[date, bool], period: tuple[date, date], *, tiles_answer: bool
) -> Sources:
    """Where the days of a period are to be read.

    sealed  of the sealed days, whether they have nothing else left: then tiles tell of them even
            where they do not answer otherwise
    """
    inside = sorted(day for day in sealed if period[0] <= day <= period[1])
    gone = tuple(day for day in inside if sealed[day])
    told = tuple(day for day in inside if tiles_answer or sealed[day])
    return Sources(told, tuple(_runs(period, set(told))), gone)


def within_raw(
    sealed: Mapping[date, bool], query: MapQuery, period: tuple[date, date]
) -> tuple[date, date]:
    """The period that a choice can be answered for which tiles do not know: they would tell of
    everybody. One whose beginning nobody asked for begins after the last day that is sums alone.

    Raises BadParameters, and names the first day that can be asked for.
    """
    gone = sources(sealed, period, tiles_answer=False).gone
    if tiles_know(query) or not gone:
        return period
    first = max(gone) + DAY
    if query.date_from is None and first <= period[1]:
        return first, period[1]
    why = f"only sums by band, pointer and capture are left before {first}: ask from there on"
    raise BadParameters(f"date_from: {why}, or without other filters", (("/date_from", why),))


def _runs(period: tuple[date, date], without: Collection[date]) -> Iterator[tuple[date, date]]:
    first, last = period
    begun: date | None = None
    for n in range((last - first).days + 1):
        day = first + n * DAY
        if day in without:
            if begun is not None:
                yield begun, day - DAY
            begun = None
        elif begun is None:
            begun = day
    if begun is not None:
        yield begun, last


def tiles_know(query: MapQuery) -> bool:
    """Whether tiles are kept apart by everything that the query chooses by."""
    others = (query.device, query.browser, query.os, query.language, query.outcome, query.channel)
    low, high = query.viewport_width_min, query.viewport_width_max
    at_edges = low in (None, *BAND_EDGES_PX) and (high is None or high + 1 in BAND_EDGES_PX)
    return at_edges and all(one is None for one in (*others, query.variant, query.colour_by))


def coarse_enough(page: Page, query: MapQuery) -> bool:
    """Whether places may be told in cells; every default bandwidth is wide enough.

    An automatic one is found from how many marks there are, of which cells keep the sum alone.
    """
    if isinstance(query.bandwidth, str):
        return False
    told = query.bandwidth if query.bandwidth is not None else page.bandwidth_px
    return told is None or told >= MIN_BANDWIDTH_PX


def tiles_answer(page: Page, query: MapQuery) -> bool:
    """Whether sealed days are read from tiles."""
    return tiles_know(query) and coarse_enough(page, query)


def wanted(query: MapQuery, way: Way) -> bool:
    """The query's choice among ways; a view whose width is unknown is of none."""
    if query.capture is not None and not way.captures & 1 << query.capture:
        return False
    low, high = query.viewport_width_min, query.viewport_width_max
    if low is None and high is None:
        return True
    top = len(BAND_EDGES_PX) if high is None else width_band(high)
    return max(width_band(low), 1) <= way.band <= top
