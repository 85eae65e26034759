"""Views, visits and stall lists of one day as rows, from views that come person by person."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from app.closing.rewriting import Row
from app.closing.shut_out import Rule, flag_of, rules_of
from app.closing.visits import Ending, Goals, Journey, Visit
from app.folding.seen import CODE_NAMES, Seen
from app.folding.stalls import STALL_ENC, pack_bands, pack_dwell, pack_facts, pack_stalls, stalls_of
from collector.codes import Codes
from collector.sites import Site

QUARANTINED = 4
"""Bit of `visit.flags`: a token of one of its views was copied."""


class Deriving:
    """Holds one person at a time: rows of views are there at once, of visits when they are done."""

    def __init__(self, site: Site, day: date, goals: Goals, now: datetime) -> None:
        self._site = site
        self._rules = rules_of(site)
        self._pages = {page.page_id: page for page in site.pages.values()}
        self._day = day
        self._goals = goals
        self._now = now
        self._journey: Journey | None = None
        self._rows: dict[str, list[Row]] = {}

    def take(self, views: Iterable[Seen]) -> dict[str, list[Row]]:
        """The rows that are known once these views are, by table."""
        self._rows = {"visit": [], "view": [], "stall_list": []}
        for view in views:
            visit = self._journey_of(view).add(view)
            if view.day == self._day:
                self._rows["view"].append(_view_row(visit, view))
                self._rows["stall_list"].append(_stall_row(visit, view))
        return self._rows

    def end(self) -> dict[str, list[Row]]:
        """The rows of the last person's visits."""
        self._rows = {"visit": []}
        self._end_journey()
        return self._rows

    def _journey_of(self, view: Seen) -> Journey:
        if self._journey is None or self._journey.person != view.person:
            self._end_journey()
            self._journey = Journey(self._site, self._pages, view.person)
        return self._journey

    def _end_journey(self) -> None:
        if self._journey is not None:
            self._rows["visit"] += [
                _visit_row(visit, ending, self._rules)
                for visit, ending in self._journey.endings(self._goals, self._now)
                if visit.day == self._day
            ]


def _codes(codes: Codes) -> dict[str, int]:
    return {name: getattr(codes, name) for name in CODE_NAMES}


def _visit_row(visit: Visit, ending: Ending, rules: Iterable[Rule]) -> Row:
    first, last = visit.first, visit.last
    copied = QUARANTINED if visit.quarantined else 0
    return {
        "started_at": first.opened_at,
        "ended_at": visit.ended_at,
        "goal_at": ending.goal_at,
        "visit_id": visit.visit_id,
        "visitor": first.visitor,
        "entry_page_id": first.page_id,
        "exit_page_id": last.page_id,
        "views": visit.views,
        "phases": visit.phases,
        "outcome": int(ending.outcome),
        "outcome_source": int(ending.source),
        "flags": copied | flag_of(rules, visit.visit_id, first.opened_at, visit.ended_at),
        **_codes(last.codes if last.codes.band else first.codes),
    }


def _view_row(visit: Visit, view: Seen) -> Row:
    return {
        "opened_at": view.opened_at,
        "view_id": view.view_id,
        "visit_id": visit.visit_id,
        "path_id": view.path_id,
        "page_id": view.page_id,
        "config_version": 1,
        "duration_ms": view.duration_ms,
        "scroll_px": view.deepest_px,
        "page_height_px": view.page_height_px,
        "presses": view.press_count,
        "signals": view.signals,
        "captures": view.captures,
        "can": view.can,
        "viewport_width_px": view.width_px,
        "viewport_height_px": view.height_px,
        **_codes(view.codes),
    }


def _stall_row(visit: Visit, view: Seen) -> Row:
    stalls = stalls_of(view)
    return {
        "view_id": view.view_id,
        "visit_id": visit.visit_id,
        "page_id": view.page_id,
        "deepest_px": view.deepest_px,
        "enc": STALL_ENC,
        "bands": pack_bands(view),
        "stalls": pack_stalls(view, stalls),
        "dwell": pack_dwell(stalls),
        "facts": pack_facts(view),
    }
