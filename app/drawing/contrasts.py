"""Two cohorts → the picture of where they differ, and its numbers; each made once and kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, replace
from functools import partial
from typing import Any

import numpy as np

from app.context import Context
from app.contrasting.asked import PixelsQuery
from app.contrasting.naming import RENDERER, contrast_etag
from app.contrasting.pixels import PixelAnswer, pixel_answer
from app.contrasting.question import Question, ask
from app.drawing.differing import paint_contrast
from app.drawing.keeping import Keeping
from app.drawing.renders import Renders
from app.mapping.audience import Audience
from app.picturing.layouts import picture
from app.problems import NoContrast
from app.store import Store
from collector.sites import Page, Site
from heatmap.regions import Region
from heatmap.zone_boxes import ZoneBox

STAMP = "TEST"
KEPT_BYTES = 32 * 2**20
"""Of pictures, and as much of numbers, in each process."""

EDGE_PX = 2.0
"""Of a region's edge, where its label hangs; hidden behind it."""

WHY_NOT = {
    "no_goal": "nothing tells which visits completed: mark the thank-you page as the shop's goal",
    "too_few": "a cohort has too few visits in this layout yet: the JSON says how many",
    "no_layout": "the page has no layout: `gloed capture` takes one",
}


class Contrasts:
    """Answers and pictures by name."""

    def __init__(self) -> None:
        self._answers: Keeping[PixelAnswer] = Keeping(KEPT_BYTES, _bytes_of)
        self._pictures: Keeping[bytes] = Keeping(KEPT_BYTES, len)

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

    async def of_question(
        self, context: Context, name: str, question: Question, query: PixelsQuery
    ) -> PixelAnswer:
        """The numbers behind the picture of a question that was read already.

        name  taken before it was read: what is kept is then never older than its name
        """
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


def _state(site: Site) -> dict[str, int]:
    return {"shop": site.site_id, "version": site.data_version}


async def drawn_with(
    store: Store, renders: Renders, answer: PixelAnswer, query: PixelsQuery
) -> bytes:
    """The PNG of an answer, as the query wants it to look. Raises NoContrast."""
    if answer.shown is None or answer.layout is None:
        raise NoContrast(WHY_NOT[answer.why_not or "too_few"])
    site = answer.question.site
    under = None
    if query.picture == "page" and answer.layout.picture_hash:
        under = await picture(store, site.site_id, answer.layout.picture_hash)
    with renders.place():
        return await renders.run(
            paint_contrast,
            answer.shown,
            answer.judged,
            badges_of(answer),
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


def badges_of(answer: PixelAnswer) -> tuple[ZoneBox, ...]:
    """The number of each region, as the list beside the picture has it, and its ratio;
    at its right edge, as high as its peak: its lines are frame enough, and wide ones tell little of
    where to look."""
    return tuple(
        ZoneBox(one.number, _edge(one.region), 0.0, _times(one.region.ratio))
        for one in answer.regions
    )


def _edge(region: Region) -> tuple[float, float, float, float]:
    return region.x1_px - EDGE_PX, region.peak_y_px, region.x1_px, region.peak_y_px + EDGE_PX


def _times(ratio: float) -> str:
    return f"{ratio:.1f}x" if math.isfinite(ratio) else ""


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
        "counted": _counted(question.of_shop),
    }
    return {"Software": f"Gloed {RENDERER}", **{f"gloed:{name}": v for name, v in told.items()}}


def _counted(of_shop: Audience) -> str:
    """The share of the shop's page views that was counted, and why the others were not."""
    rest = ", ".join(f"{reason} {share:.0%}" for reason, share in of_shop.shares_left_out)
    share = "none" if of_shop.share is None else f"{of_shop.share:.0%}"
    return f"{share} of the page views" + (f"; the rest: {rest}" if rest else "")


def _bytes_of(answer: PixelAnswer) -> int:
    question = answer.question
    held: list[Any] = [
        answer.shown,
        answer.judged,
        question.told,
        question.told.acts,
        question.found.visits,
        question.found.views,
    ]
    return sum(
        getattr(one, column.name).nbytes
        for one in held
        if one is not None
        for column in fields(one)
        if isinstance(getattr(one, column.name), np.ndarray)
    )
