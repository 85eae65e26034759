"""Two cohorts → the picture of where they differ, and its numbers; each made once and kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date
from functools import partial
from typing import Any

import numpy as np

from app.changes import Change, changes_asked, changes_in
from app.context import Context
from app.contrasting.asked import CohortsQuery, PixelsQuery, ZonesQuery
from app.contrasting.fields import FieldAnswer, field_answer
from app.contrasting.naming import RENDERER, contrast_etag, contrast_etag_and
from app.contrasting.pixels import PixelAnswer, pixel_answer
from app.contrasting.question import (
    FIRST_DAYS,
    Question,
    ask,
    first_days_asked,
    first_days_in,
)
from app.contrasting.zones import ZoneAnswer, zone_answer
from app.drawing.differing import paint_contrast
from app.drawing.keeping import Keeping
from app.drawing.painting import DECIMAL_MARKS
from app.drawing.renders import Renders
from app.joint import Part
from app.picturing.layouts import picture
from app.problems import NoContrast
from app.store import Store
from collector.sites import Page, Site
from heatmap.planning import MIN_VISITS
from heatmap.regions import Region
from heatmap.zone_boxes import ZoneBox

STAMP = "TEST"
KEPT_BYTES = 32 * 2**20
"""Of pictures, and as much of numbers, in each process."""

DAY_BYTES = 100
KEPT_DAYS_BYTES = 1000 * DAY_BYTES
"""Of the first days of pages."""

EDGE_PX = 2.0
"""Of a region's edge, where its label hangs; hidden behind it."""

WHY_NOT = {
    "no_goal": "nothing tells which visits completed: mark the thank-you page as the shop's goal",
    "too_few": "the map wants %(wanted)d visits of each cohort in this layout; there are %(a)d and "
    "%(b)d. Zones are compared across all layouts: zones.json",
    "no_layout": "the page has no layout: `gloed capture` takes one",
}


class Contrasts:
    """Answers and pictures by name."""

    def __init__(self) -> None:
        self._answers: Keeping[PixelAnswer] = Keeping(KEPT_BYTES, _bytes_of)
        self._pictures: Keeping[bytes] = Keeping(KEPT_BYTES, len)
        self._questions: Keeping[Question] = Keeping(KEPT_BYTES, _bytes_of_question)
        self._first_days: Keeping[date] = Keeping(KEPT_DAYS_BYTES, lambda _: DAY_BYTES)
        self._zones: Keeping[ZoneAnswer] = Keeping(KEPT_BYTES, _bytes_behind)
        self._fields: Keeping[FieldAnswer] = Keeping(KEPT_BYTES, _bytes_behind)

    async def answer(
        self, context: Context, site: Site, page: Page, query: PixelsQuery
    ) -> PixelAnswer:
        """The numbers behind the picture, whatever it looks like."""
        plain = query.of_numbers()
        name = await self.name(context, site, page, plain)
        make = partial(_answered, context, site, page, plain)
        return await self._answers.get(name, make, **_state(site))

    async def name(self, context: Context, site: Site, page: Page, query: PixelsQuery) -> str:
        """What the numbers are kept under."""
        return await contrast_etag(context, site, page, query.of_numbers(), "pixels")

    async def name_and_changes(
        self, context: Context, site: Site, page: Page, query: PixelsQuery
    ) -> tuple[str, tuple[Change, ...]]:
        """The same with what people wrote down of the page, which no answer holds. Where it will be
        wanted and is not known, the page's first day is asked along with it."""
        asks = query.date_from is None and bool(self._first_days.lacks(_first_day_of(site, page)))
        began = {"first_days": Part.rows(FIRST_DAYS, *first_days_asked([(site, page)]))}
        beside = {"changes": changes_asked(site, page), **(began if asks else {})}
        name, told = await contrast_etag_and(
            context, site, page, query.of_numbers(), "pixels", beside
        )
        if asks:
            (first_day,) = first_days_in(told["first_days"]).values()
            await self._first_day(site, page, first_day)
        return name, changes_in(told["changes"])

    async def _first_day(self, site: Site, page: Page, found: date | None = None) -> date | None:
        """It stays until the shop's data change; None where it is not known."""
        (name,) = _first_day_of(site, page)
        if found is None and self._first_days.lacks(_first_day_of(site, page)):
            return None

        async def told() -> date:
            assert found is not None
            return found

        return await self._first_days.get(name, told, **_state(site))

    async def question(
        self, context: Context, name: str, site: Site, page: Page, query: ZonesQuery
    ) -> Question:
        """Everything read that answers to this question need.

        name  taken before it is read: what is kept is then never older than its name
        """
        first_day = None if query.date_from else await self._first_day(site, page)
        make = partial(ask, context.store, site, page, query, context.clock(), first_day)
        return await self._questions.get(_of(name, query), make, **_state(site))

    async def zones(self, context: Context, name: str, question: Question) -> ZoneAnswer:
        """The zones of a question that was read under this name."""
        make = partial(zone_answer, question, context.renders)
        return await self._zones.get(_of(name, question.query), make, **_state(question.site))

    async def fields(self, context: Context, name: str, question: Question) -> FieldAnswer:
        """Its form report, likewise."""
        make = partial(field_answer, question, context.renders)
        return await self._fields.get(_of(name, question.query), make, **_state(question.site))

    async def of_question(
        self, context: Context, name: str, question: Question, query: PixelsQuery
    ) -> PixelAnswer:
        """The numbers behind the picture of a question that was read under this name."""
        drawn = replace(question, query=query.of_numbers())
        make = partial(pixel_answer, drawn, context.renders)
        return await self._answers.get(name, make, **_state(question.site))

    async def picture(
        self, context: Context, site: Site, page: Page, query: PixelsQuery, name: str
    ) -> bytes:
        """The PNG. Raises NoContrast where there is nothing to draw."""
        make = partial(self._drawn, context, site, page, query)
        return await self._pictures.get(name, make, **_state(site))

    async def _drawn(self, context: Context, site: Site, page: Page, query: PixelsQuery) -> bytes:
        answer = await self.answer(context, site, page, query)
        return await drawn_with(context.store, context.renders, answer, query)


def _of(name: str, query: CohortsQuery) -> str:
    """What a name says of the data, and what else is asked of them."""
    return f"{name} {query.model_dump_json()}"


def _first_day_of(site: Site, page: Page) -> dict[str, tuple[int, int]]:
    """What a page's first day is kept under."""
    name = f"{site.site_id} {page.page_id} {site.time_zone.key}"
    return {name: (site.site_id, site.data_version)}


def _state(site: Site) -> dict[str, int]:
    return {"shop": site.site_id, "version": site.data_version}


async def drawn_with(
    store: Store, renders: Renders, answer: PixelAnswer, query: PixelsQuery
) -> bytes:
    """The PNG of an answer, as the query wants it to look. Raises NoContrast."""
    if answer.shown is None or answer.layout is None:
        counted = {"wanted": MIN_VISITS, "a": answer.visits[0], "b": answer.visits[1]}
        raise NoContrast(WHY_NOT[answer.why_not or "too_few"] % counted)
    site = answer.question.site
    under = None
    if query.picture == "page" and answer.layout.picture_hash:
        under = await picture(store, site.site_id, answer.layout.picture_hash)
    with renders.place():
        return await renders.run(
            paint_contrast,
            answer.shown,
            answer.judged,
            badges_of(answer, DECIMAL_MARKS[query.decimal]),
            under=under,
            ground=query.picture,
            dpr=query.dpr,
            opacity=query.opacity,
            stamp=STAMP if site.state == "trying" else None,
            text=text_of(answer),
        )


async def _answered(context: Context, site: Site, page: Page, query: PixelsQuery) -> PixelAnswer:
    question = await ask(context.store, site, page, query, context.clock())
    return await pixel_answer(question, context.renders)


def badges_of(answer: PixelAnswer, mark: str) -> tuple[ZoneBox, ...]:
    """The number of each region, as the list beside the picture has it, and its ratio;
    at its right edge, as high as its peak: its lines are frame enough, and wide ones tell little of
    where to look."""
    return tuple(
        ZoneBox(one.number, _edge(one.region), 0.0, _times(one.region.ratio, mark))
        for one in answer.regions
    )


def _edge(region: Region) -> tuple[float, float, float, float]:
    return region.x1_px - EDGE_PX, region.peak_y_px, region.x1_px, region.peak_y_px + EDGE_PX


def _times(ratio: float, mark: str) -> str:
    return f"{ratio:.1f}x".replace(".", mark) if math.isfinite(ratio) else ""


def text_of(answer: PixelAnswer) -> Mapping[str, str]:
    """What the file says of itself when it lies in somebody's presentation."""
    question = answer.question
    told = {
        "a": f"{question.query.a}, {answer.visits[0]} visits",
        "b": f"{question.query.b}, {answer.visits[1]} visits",
        "date_from": question.period[0].isoformat(),
        "date_to": question.period[1].isoformat(),
        "bandwidth_px": f"{answer.bandwidth_px:g}",
        "level": repr(question.verdict.level),
        "labels": f"{question.truth.matched} of {question.truth.reported} reported orders matched",
        "within": " x ".join(question.held) or "all visits",
        "counted": question.of_shop.told,
    }
    return {"Software": f"Gloed {RENDERER}", **{f"gloed:{name}": v for name, v in told.items()}}


def _bytes_of(answer: PixelAnswer) -> int:
    return _bytes_of_question(answer.question) + _bytes_in(answer.shown, answer.judged)


def _bytes_of_question(question: Question) -> int:
    found = question.found
    return _bytes_in(question.told, question.told.acts, found.visits, found.views)


def _bytes_in(*held: Any) -> int:
    """Of the columns of these records."""
    return sum(
        getattr(one, column.name).nbytes
        for one in held
        if one is not None
        for column in fields(one)
        if isinstance(getattr(one, column.name), np.ndarray)
    )


def _bytes_behind(answer: ZoneAnswer | FieldAnswer) -> int:
    """The question stays for as long as its answer does; beside it the answer's rows are few."""
    return _bytes_of_question(answer.question)
