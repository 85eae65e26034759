"""Visits as the closing job leaves them, put straight into a store: thousands in a moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np

from app.contrasting.reading import UNKNOWN, PageVisits, put_together
from app.folding.stalls import DWELL, FACT, FACTS, STALL, STALL_ENC
from app.shops import touch
from app.store import Store
from collector.codes import Device, Outcome, OutcomeSource
from collector.sites import Page, Site
from heatmap.fixations import CLOCK_STEPS_S
from tests.app.build import put_rows

CAN_ALL = 127


@dataclass(frozen=True, slots=True)
class Came:
    """One visit of one view.

    dwell_s  seconds by zone, told by a clock in steps
    facts    zone, what and when, ms
    stalls   x, y, ms
    """

    day: date
    outcome: Outcome = Outcome.ABANDONED
    device: Device = Device.PHONE
    dwell_s: Mapping[int, float] = field(default_factory=dict)
    facts: Sequence[tuple[int, str, int]] = ()
    stalls: Sequence[tuple[int, int, int]] = ()
    deepest_px: int | None = None
    flags: int = 0
    can: int = CAN_ALL
    band: int = 1
    variant: int = 0
    browser: int = 1
    os: int = 4
    channel: int = 0
    width_px: int | None = 390
    goal_at: datetime | None = None
    went_on: bool = False
    """To another page of the shop."""


async def put_came(
    store: Store, site: Site, page: Page, came: Iterable[Came], start: int = 1
) -> None:
    """In the order of the list, a minute apart on each day, numbered from `start`."""
    for table, told in rows_of(page, came, start).items():
        await put_rows(store, site, table, told)
    async with store.transaction() as connection:
        await touch(connection, site.site_id)


def rows_of(page: Page, came: Iterable[Came], start: int = 1) -> dict[str, list[dict[str, Any]]]:
    """The rows of each table."""
    rows: dict[str, list[dict[str, Any]]] = {"visit": [], "view": [], "stall_list": []}
    for number, one in enumerate(came, start):
        for table, row in _rows(number, one, page).items():
            rows[table].append(row)
    return rows


def in_memory(page: Page, came: Iterable[Came]) -> PageVisits:
    """The same, as it would be read, without a store."""
    rows = rows_of(page, came)
    stalls = {row["view_id"]: row for row in rows["stall_list"]}
    views = [
        {**row, **stalls[row["view_id"]], "width_px": row["viewport_width_px"] or UNKNOWN}
        for row in rows["view"]
    ]
    for view in views:
        deepest_px = view["deepest_px"]
        view |= {"deepest_px": UNKNOWN if deepest_px is None else deepest_px, "height_px": UNKNOWN}
    return put_together(rows["visit"], views, page.page_id)


def _rows(number: int, one: Came, page: Page) -> dict[str, dict[str, Any]]:
    noon = datetime.combine(one.day, time(11), UTC) + timedelta(seconds=number % 3600)
    codes = {
        "device": one.device,
        "band": one.band,
        "browser": one.browser,
        "os": one.os,
        "channel": one.channel,
        "variant": one.variant,
        "capture": 1,
        "language": 1,
    }
    key = {"day": one.day, "visit_id": number}
    completed = one.outcome is Outcome.COMPLETED
    visit = {
        **key,
        **codes,
        "started_at": noon,
        "ended_at": noon + timedelta(minutes=2),
        "goal_at": one.goal_at or (noon if completed else None),
        "visitor": number,
        "entry_page_id": page.page_id,
        "exit_page_id": page.page_id + one.went_on,
        "views": 1,
        "phases": 8,
        "outcome": one.outcome,
        "outcome_source": OutcomeSource.SERVER if completed else OutcomeSource.NONE,
        "flags": one.flags,
    }
    view = {
        **key,
        **codes,
        "view_id": number,
        "opened_at": noon,
        "page_id": page.page_id,
        "config_version": 1,
        "duration_ms": 60_000,
        "presses": 0,
        "signals": 5,
        "captures": 2,
        "can": one.can,
        "viewport_width_px": one.width_px,
    }
    return {"visit": visit, "view": view, "stall_list": _stall_row(key, number, one, page)}


def _stall_row(key: Mapping[str, Any], number: int, one: Came, page: Page) -> dict[str, Any]:
    dwell = [(zone, *interval_ms(s)) for zone, s in sorted(one.dwell_s.items()) if s >= 1]
    facts = sorted((zone, FACTS.index(what) + 1, ms) for zone, what, ms in one.facts)
    stalls = np.zeros(len(one.stalls), STALL)
    for name, values in zip(("x", "y", "ms"), zip(*one.stalls, strict=True), strict=False):
        stalls[name] = values
    return {
        **key,
        "view_id": number,
        "page_id": page.page_id,
        "deepest_px": one.deepest_px,
        "enc": STALL_ENC,
        "bands": b"",
        "stalls": stalls.tobytes(),
        "dwell": np.array(dwell, DWELL).tobytes(),
        "facts": np.array(facts, FACT).tobytes(),
    }


def interval_ms(seconds: float) -> tuple[int, int]:
    """What a clock leaves open of so many seconds."""
    steps = (*CLOCK_STEPS_S, CLOCK_STEPS_S[-1])
    place = max(n for n, step in enumerate(CLOCK_STEPS_S) if step <= seconds)
    return 1000 * steps[place], 1000 * steps[place + 1]
