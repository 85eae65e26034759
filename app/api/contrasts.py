"""zones and fields as json and csv: two cohorts of a page's visits, beside one another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from app.api.access import ContextDep, Target, readable_page
from app.api.caching import CSV, NOT_CHANGED, as_csv, as_json, unless_held
from app.api.field_models import Fields, field_rows, fields_out
from app.api.spreadsheets import csv_text
from app.api.zone_models import Zones, zone_rows, zones_out
from app.context import Context
from app.contrasting.asked import ZonesQuery
from app.contrasting.fields import FieldAnswer, field_answer
from app.contrasting.naming import contrast_etag
from app.contrasting.question import Question, ask
from app.contrasting.zones import ZoneAnswer, zone_answer
from app.drawing.renders import Renders

router = APIRouter(tags=["contrasts"])
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """What one request asks, and of what."""

    request: Request
    context: Context
    target: Target
    query: ZonesQuery

    async def told(
        self,
        kind: str,
        find: Callable[[Question, Renders], Awaitable[T]],
        show: Callable[[T], Response],
    ) -> Response:
        """The answer that `find` gives to the question, as `show` writes it."""
        context, target, query = self.context, self.target, self.query

        async def make() -> Response:
            question = await ask(context.store, target.site, target.page, query, context.clock())
            return show(await find(question, context.renders))

        name = await contrast_etag(context, target.site, target.page, query, kind)
        finished = query.is_over(target.site.day_of(context.clock()))
        return await unless_held(self.request, name, make, finished=finished)


async def asked(
    request: Request,
    context: ContextDep,
    target: Annotated[Target, Depends(readable_page)],
    query: Annotated[ZonesQuery, Query()],
) -> Asked:
    return Asked(request, context, target, query)


AskedDep = Annotated[Asked, Depends(asked)]


@router.get("/sites/{site}/pages/{page}/zones.json", response_model=Zones, responses=NOT_CHANGED)
async def zones_json(asking: AskedDep) -> Response:
    """Where one cohort dwells longer than another, zone by zone, the surest difference first."""

    def show(answer: ZoneAnswer) -> Response:
        return as_json(zones_out(answer))

    return await asking.told("zones.json", zone_answer, show)


@router.get("/sites/{site}/pages/{page}/zones.csv", response_class=Response, responses=CSV)
async def zones_csv(asking: AskedDep) -> Response:
    """The same zones for a spreadsheet."""

    def show(answer: ZoneAnswer) -> Response:
        return as_csv(csv_text(*zone_rows(answer)))

    return await asking.told("zones.csv", zone_answer, show)


@router.get("/sites/{site}/pages/{page}/fields.json", response_model=Fields, responses=NOT_CHANGED)
async def fields_json(asking: AskedDep) -> Response:
    """The form report: each field in its order, of all visits and of both cohorts."""

    def show(answer: FieldAnswer) -> Response:
        return as_json(fields_out(answer))

    return await asking.told("fields.json", field_answer, show)


@router.get("/sites/{site}/pages/{page}/fields.csv", response_class=Response, responses=CSV)
async def fields_csv(asking: AskedDep) -> Response:
    """The form report for a spreadsheet."""

    def show(answer: FieldAnswer) -> Response:
        return as_csv(csv_text(*field_rows(answer)))

    return await asking.told("fields.csv", field_answer, show)
