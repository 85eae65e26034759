"""Two cohorts side by side, on one layout and one scale of colours, and where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from app.context import Context
from app.contrasting.asked import CohortFilter, VisitFilter
from app.contrasting.question import Question
from app.drawing.overlays import Picture, undressed
from app.mapping.drafts import Reading
from app.mapping.filters import TIMED, MapQuery
from app.mapping.maps import Lay, map_on
from app.mapping.page_map import PageMap
from app.pages.desk import RightsDep
from app.pages.door import ContextDep, shop
from app.pages.labels import KINDS
from app.pages.reading.asked import plainly
from app.pages.reading.comparing import ready_made
from app.pages.reading.maps import area_told
from app.pages.reading.posing import Posed, posed_by
from app.pages.reading.standing import drawn_on
from app.pages.rendering import page_response
from app.picturing.layouts import Layout
from app.problems import ApiProblem, BadParameters, TooFewVisits
from collector.sites import Site
from heatmap.planning import MIN_VISITS

router = APIRouter()
COMPARE = "compare", "compare.html.jinja"
"""View of a page, and its template."""


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
    posed = await posed_by(request, context, site, slug, rights, COMPARE)
    if isinstance(posed, Response):
        return posed
    told = await _told(context, posed)
    told["ready_made"] = ready_made(posed.telling, posed.changes)
    shown = {**posed.outside, "asked": posed.asked, "few": None, **told}
    return page_response(request, COMPARE[1], shown)


async def _told(context: Context, posed: Posed) -> dict[str, Any]:
    asked, question, telling = posed.asked, posed.question, posed.telling
    drawn = await posed.drawn(context)
    kind = asked.carried.get("kind", "stall")
    kind = kind if kind in KINDS else "stall"
    layout = drawn.layout if drawn is not None else None
    sides = await _sides(context, posed, kind, layout)
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


async def _sides(
    context: Context, posed: Posed, kind: str, layout: Layout | None
) -> tuple[Side, ...]:
    """Both maps; the one whose hottest place is hotter gives the scale to both."""
    expressions, telling = (posed.asked.query.a, posed.asked.query.b), posed.telling
    drawn = await _drawn(context, posed.name, posed.question, kind, layout)
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
    context: Context, name: str, question: Question, kind: str, layout: Layout | None
) -> dict[int, tuple[MapQuery, Picture]]:
    """By cohort, without those that have too few anyhow. What both rest on is read at once.

    name  of the comparison's data: both maps and the difference are of one state of them
    """
    queries = _queries(question, kind)
    ground = layout.name if layout else ""
    named = {f"{name} {query.model_dump_json()} {ground}": n for n, query in queries.items()}
    asked = {own: (question.page, undressed(queries[place])) for own, place in named.items()}
    lay = on_one_ground(layout)
    told = await context.overlays.drawn_all(context, question.site, asked, lay)
    found = {}
    for own, one in told.items():
        if isinstance(one, Picture):
            drawn_on = {"layout": one.found.query.layout} if one.found.query.layout else {}
            found[named[own]] = queries[named[own]].model_copy(update=drawn_on), one
        elif not isinstance(one, TooFewVisits | BadParameters):
            raise one
    return found


def on_one_ground(layout: Layout | None) -> Lay:
    """Maps on this layout where enough met it there, else on their own; without one, that of the
    first is the others'."""

    def lay(
        read: Sequence[Reading | ApiProblem], queries: Sequence[MapQuery]
    ) -> list[PageMap | ApiProblem]:
        found: list[PageMap | ApiProblem] = []
        for of, query in zip(read, queries, strict=True):
            others = (one.layout for one in found if isinstance(one, PageMap))
            found.append(_on(of, query, layout or next(others, None)))
        return found

    return lay


def _on(of: Reading | ApiProblem, query: MapQuery, layout: Layout | None) -> PageMap | ApiProblem:
    if layout is not None:
        told = map_on(of, query.model_copy(update={"layout": layout.name}))
        if not isinstance(told, TooFewVisits):
            return told
    return map_on(of, query)


def _queries(question: Question, kind: str) -> dict[int, MapQuery]:
    """Of those cohorts that can have a map."""
    told = {}
    for place, cohort in enumerate(question.query.cohorts):
        with suppress(BadParameters):
            told[place] = map_of(question.query, cohort, question.period, kind)
    return told


def map_of(
    base: VisitFilter,
    cohort: CohortFilter,
    period: tuple[date, date],
    kind: str,
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
    return MapQuery(**chosen, **own, kind=kind, picture="page")


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
