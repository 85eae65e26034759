"""Where abandoners lose time and completers do not: the sentence, the zones, the map, the form."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from app.contrasting.pixels import PixelAnswer
from app.contrasting.zones import ZoneRow
from app.pages.desk import RightsDep
from app.pages.door import ContextDep, shop
from app.pages.labels import DROPS
from app.pages.reading.comparing import ready_made
from app.pages.reading.finding import finding, form_finding
from app.pages.reading.posing import Posed, posed_by
from app.pages.reading.standing import (
    association,
    drawn_on,
    held,
    left_out,
    needed,
    steps,
    truth,
    verdict,
)
from app.pages.reading.telling import Telling
from app.pages.rendering import page_response
from app.pages.words import Words
from collector.sites import Site
from heatmap.planning import MIN_VISITS

router = APIRouter()
STALLS, FORM = ("stalls", "stalls.html.jinja"), ("form", "form_report.html.jinja")
"""Views of a page, and their templates."""

SiteDep = Annotated[Site, Depends(shop)]


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of visits, and its interval, as they are written."""

    told: str
    margin: str


@router.get("/sites/{key}/pages/{slug}/stalls")
async def stalls_page(
    request: Request, slug: str, context: ContextDep, site: SiteDep, rights: RightsDep
) -> Response:
    posed = await posed_by(request, context, site, slug, rights, STALLS)
    if isinstance(posed, Response):
        return posed
    telling = posed.telling
    answer = await context.overlays.contrasts.zones(context, posed.name, posed.question)
    drawn = await posed.drawn(context)
    shown = {
        **_common(posed),
        "finding": finding(telling, answer),
        "zones": [_zone(telling, row) for row in answer.zones],
        "metrics": _metrics(telling, answer.zones),
        "drawn": drawn,
        "drawn_on": drawn_on(posed.question, drawn),
        "regions": _regions(drawn, telling, telling.words),
        "power": answer.planned_power,
    }
    return page_response(request, STALLS[1], shown)


@router.get("/sites/{key}/pages/{slug}/form")
async def form_page(
    request: Request, slug: str, context: ContextDep, site: SiteDep, rights: RightsDep
) -> Response:
    posed = await posed_by(request, context, site, slug, rights, FORM)
    if isinstance(posed, Response):
        return posed
    report = await context.overlays.contrasts.fields(context, posed.name, posed.question)
    shown = {
        **_common(posed),
        "finding": form_finding(posed.telling, report),
        "report": report,
        "infinity": math.inf,
    }
    return page_response(request, FORM[1], shown)


def _common(posed: Posed) -> dict[str, Any]:
    asked, question, telling = posed.asked, posed.question, posed.telling
    return {
        **posed.outside,
        "asked": asked,
        "few": None,
        "period": question.period,
        "question": question,
        "names": telling.names(),
        "within": telling.within(),
        "audience": question.of_shop,
        "drop_labels": DROPS,
        "least_drawn": MIN_VISITS,
        "cohorts": (asked.query.a, asked.query.b),
        "ready_made": ready_made(telling, posed.changes),
        "truth": truth(telling),
        "association": association(telling),
        "held": held(telling),
        "left_out": left_out(telling),
        "steps": steps(telling),
        "verdict": verdict(telling),
        "needed": needed(telling),
        "telling": telling,
    }


def _regions(drawn: PixelAnswer | None, telling: Telling, words: Words) -> list[dict[str, Any]]:
    """The labels of the contours, in words."""
    if drawn is None:
        return []
    question = drawn.question
    return [
        {
            "number": one.number,
            "zones": ", ".join(map(question.zone_name, one.zones)),
            "longer": one.region.longer,
            "a": telling.seconds(one.region.first_s),
            "b": telling.seconds(one.region.second_s),
            "concerned": words.number(one.region.first_concerned),
            "exposed": words.number(one.region.first_exposed),
            "p": telling.p(one.region.p),
        }
        for one in drawn.regions
    ]


def _zone(telling: Telling, row: ZoneRow) -> dict[str, Any]:
    told = row.difference
    return {
        "row": row,
        "a": telling.seconds(told.first.value) if told else "–",
        "b": telling.seconds(told.second.value) if told else "–",
        "times": telling.times(row),
        "confidence": telling.confidence(row),
    }


def _metrics(telling: Telling, zones: Iterable[ZoneRow]) -> list[tuple[str, list[Rate]]]:
    """Rates of all visits, each with its interval."""
    return [
        (
            row.name,
            [
                Rate(telling.rate(everybody), telling.margin(everybody))
                for everybody, _, _ in row.metrics.values()
            ],
        )
        for row in zones
    ]
