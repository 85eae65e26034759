"""Two cohorts side by side, on one layout and one scale of colours, and where they differ."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from app.context import Context
from app.contrasting.asked import CohortFilter, VisitFilter
from app.contrasting.pixels import PixelAnswer
from app.contrasting.question import Question
from app.contrasting.schedule import Stage
from app.drawing.overlays import Picture
from app.mapping.filters import TIMED, MapQuery
from app.mapping.maps import PageMap
from app.pages.desk import RightsDep
from app.pages.door import ContextDep, shop
from app.pages.labels import KINDS
from app.pages.reading.around import around
from app.pages.reading.asked import plainly
from app.pages.reading.comparing import ready_made
from app.pages.reading.maps import area_told
from app.pages.reading.stalls import Asked, few_of_question, read_asked
from app.pages.reading.standing import drawn_on
from app.pages.reading.telling import Telling
from app.pages.rendering import page_response
from app.pages.words import words_for
from app.picturing.layouts import Layout
from app.problems import BadParameters, NotFound, TooFewVisits
from collector.sites import Site
from heatmap.planning import MIN_VISITS

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Side:
    """One cohort's map.

    picture  the query of its image, None where it is not told
    full     the amount that full colour stands for, as the map's legend tells it
    """

    name: str
    cohort: str
    found: PageMap | None = None
    picture: str | None = None
    full: float = 0.0


@router.get("/sites/{key}/pages/{slug}/compare")
async def compare_page(
    request: Request,
    slug: str,
    context: ContextDep,
    site: Annotated[Site, Depends(shop)],
    rights: RightsDep,
) -> Response:
    if slug not in site.pages:
        raise NotFound("no such page of this shop")
    page, asked = site.pages[slug], read_asked(request)
    shown: dict[str, Any] = {
        **around(site, page, rights, asked.everything, "compare"),
        "asked": asked,
        "few": None,
        "ready_made": (),
        "sides": (),
    }
    if asked.wrong:
        return page_response(request, "compare.html.jinja", shown, 422)
    words = words_for(request.headers.get("accept-language", ""))
    contrasts = context.overlays.contrasts
    name, changes = await contrasts.name_and_changes(context, site, page, asked.pixels)
    try:
        question = await contrasts.question(context, name, site, page, asked.query)
    except TooFewVisits as problem:
        few = await few_of_question(context, site, page, asked, problem)
        return page_response(request, "compare.html.jinja", {**shown, **few})
    telling = Telling(question, words)
    told = await _told(context, name, asked, question, telling)
    told["ready_made"] = ready_made(telling, changes)
    return page_response(request, "compare.html.jinja", {**shown, **told})


async def _told(
    context: Context, name: str, asked: Asked, question: Question, telling: Telling
) -> dict[str, Any]:
    drawn = await _difference(context, name, asked, question)
    kind = asked.carried.get("kind", "stall")
    kind = kind if kind in KINDS else "stall"
    layout = drawn.layout if drawn is not None else None
    sides = await _sides(context, name, asked, question, telling, kind, layout)
    return {
        "sides": sides,
        "zones": _zones(sides),
        "one_layout": len({side.found.layout for side in sides if side.found}) <= 1,
        "kind": kind,
        "kind_label": KINDS[kind],
        "timed": kind in TIMED,
        "drawn": drawn,
        "drawn_on": drawn_on(question, drawn),
        "least_drawn": MIN_VISITS,
        "names": telling.names(),
        "within": telling.within(),
        "question": question,
        "period": question.period,
    }


async def _difference(
    context: Context, name: str, asked: Asked, question: Question
) -> PixelAnswer | None:
    """Where both have too few visits nothing is asked of the pixels."""
    if question.why_not is not None or question.stage in (Stage.PLAIN, Stage.RANKED):
        return None
    return await context.overlays.contrasts.of_question(context, name, question, asked.pixels)


async def _sides(
    context: Context,
    name: str,
    asked: Asked,
    question: Question,
    telling: Telling,
    kind: str,
    layout: Layout | None,
) -> tuple[Side, ...]:
    """Both maps; the one whose hottest place is hotter gives the scale to both."""
    expressions = asked.query.a, asked.query.b
    first, second = asked.query.cohorts
    if layout is not None:
        drawn = await _drawn(context, name, question, {0: first, 1: second}, kind, layout)
    else:  # that of the one is the other's ground
        drawn = await _drawn(context, name, question, {0: first}, kind, None)
        layout = drawn[0][1].found.layout if drawn else None
        drawn |= await _drawn(context, name, question, {1: second}, kind, layout)
    pictures = [drawn.get(place) for place in range(2)]
    top = max((one[1].drawing.scale_max for one in pictures if one is not None), default=0.0)
    return tuple(
        Side(name, expression)
        if one is None
        else Side(
            name, expression, one[1].found, _address(one[0], top), top * area_told(one[1].found)
        )
        for name, expression, one in zip(telling.names(), expressions, pictures, strict=True)
    )


async def _drawn(
    context: Context,
    name: str,
    question: Question,
    cohorts: Mapping[int, CohortFilter],
    kind: str,
    layout: Layout | None,
) -> dict[int, tuple[MapQuery, Picture]]:
    """On this layout where enough met it there, else on the cohort's own; without those that have
    too few anyhow. What they rest on is read at once.

    name  of the comparison's data: both maps and the difference are of one state of them
    """
    found: dict[int, tuple[MapQuery, Picture]] = {}
    left = dict(cohorts)
    for ground in dict.fromkeys((layout, None)):
        queries = _queries(question, left, kind, ground)
        named = {f"{name} {query.model_dump_json()}": place for place, query in queries.items()}
        asked = {own: (question.page, queries[place]) for own, place in named.items()}
        told = await context.overlays.pictures(context, question.site, asked)
        left = {}
        for own, one in told.items():
            if isinstance(one, Picture):
                found[named[own]] = queries[named[own]], one
            elif isinstance(one, TooFewVisits):
                left[named[own]] = cohorts[named[own]]
            elif not isinstance(one, BadParameters):
                raise one
    return found


def _queries(
    question: Question, cohorts: Mapping[int, CohortFilter], kind: str, layout: Layout | None
) -> dict[int, MapQuery]:
    """Of those that can have a map."""
    told = {}
    for place, cohort in cohorts.items():
        with suppress(BadParameters):
            told[place] = map_of(question.query, cohort, question.period, kind, layout)
    return told


def map_of(
    base: VisitFilter,
    cohort: CohortFilter,
    period: tuple[date, date],
    kind: str,
    layout: Layout | None,
) -> MapQuery:
    """The map of one cohort of the visits that `base` chooses. BadParameters where it has none."""
    chosen = base.model_dump(exclude_none=True, include=set(VisitFilter.model_fields))
    own = cohort.model_dump(exclude_none=True)
    days = [max(own.pop("date_from", period[0]), period[0])]
    days.append(min(own.pop("date_to", period[1]), period[1]))
    chosen |= {"date_from": days[0], "date_to": days[1]}
    clash = sorted(name for name in own if chosen.get(name, own[name]) != own[name])
    if clash or days[0] > days[1]:
        raise BadParameters(f"no visit can be of this cohort: {', '.join(clash) or 'dates'}")
    drawn = {"layout": layout.name} if layout else {}
    return MapQuery(**chosen, **own, **drawn, kind=kind, picture="page")


def _address(query: MapQuery, top: float) -> str:
    """As the API takes it: codes by their names, the scale that both share."""
    told = {name: getattr(query, name) for name in query.model_fields_set}
    if top > 0 and query.kind != "scroll":
        told["scale_max"] = plainly(top)
    return "&".join(f"{name}={_written(value)}" for name, value in sorted(told.items()))


def _written(value: Any) -> str:
    return value.name.lower() if hasattr(value, "name") else str(value)


def _zones(sides: tuple[Side, ...]) -> list[tuple[str, list[float | None]]]:
    """Each zone with what both gathered there, the largest difference first."""
    maps = [side.found for side in sides]
    names = {zone.number: zone.name for found in maps if found for zone in found.zones}
    rows = []
    for number, name in names.items():
        totals = [
            None
            if found is None
            else next((zone.total for zone in found.zones if zone.number == number), 0.0)
            for found in maps
        ]
        rows.append((name, totals))
    return sorted(rows, key=lambda row: -_apart(row[1]))


def _apart(totals: list[float | None]) -> float:
    first, second = (total or 0.0 for total in totals)
    return abs(first - second)
