"""zones and fields as json and csv: two cohorts of a page's visits, beside one another."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from app.api.access import ContextDep, Target, readable_page
from app.api.caching import cache_control, matches
from app.api.contrast_models import Fields, Zones, field_rows, fields_out, zone_rows, zones_out
from app.api.spreadsheets import csv_text
from app.context import Context
from app.contrasting.asked import ZonesQuery
from app.contrasting.fields import field_answer
from app.contrasting.naming import contrast_etag
from app.contrasting.question import ask
from app.contrasting.zones import zone_answer

router = APIRouter(tags=["contrasts"])
NOT_CHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "not changed"}}
CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {}}}, **NOT_CHANGED}
CSV_MEDIA = "text/csv; charset=utf-8"

TargetDep = Annotated[Target, Depends(readable_page)]
Asked = Annotated[ZonesQuery, Query()]


@router.get("/sites/{site}/pages/{page}/zones.json", response_model=Zones, responses=NOT_CHANGED)
async def zones_json(
    request: Request, target: TargetDep, query: Asked, context: ContextDep, response: Response
) -> Any:
    """Where one cohort dwells longer than another, zone by zone, the surest difference first."""
    headers = await _headers(context, target, query, "zones.json")
    if matches(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    question = await ask(context.store, target.site, target.page, query, context.clock())
    return zones_out(await zone_answer(question, context.renders))


@router.get("/sites/{site}/pages/{page}/zones.csv", response_class=Response, responses=CSV)
async def zones_csv(
    request: Request, target: TargetDep, query: Asked, context: ContextDep
) -> Response:
    """The same zones for a spreadsheet."""
    headers = await _headers(context, target, query, "zones.csv")
    if matches(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    question = await ask(context.store, target.site, target.page, query, context.clock())
    told = csv_text(*zone_rows(await zone_answer(question, context.renders)))
    return Response(told, media_type=CSV_MEDIA, headers=headers)


@router.get("/sites/{site}/pages/{page}/fields.json", response_model=Fields, responses=NOT_CHANGED)
async def fields_json(
    request: Request, target: TargetDep, query: Asked, context: ContextDep, response: Response
) -> Any:
    """The form report: each field in its order, of all visits and of both cohorts."""
    headers = await _headers(context, target, query, "fields.json")
    if matches(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    question = await ask(context.store, target.site, target.page, query, context.clock())
    return fields_out(await field_answer(question, context.renders))


@router.get("/sites/{site}/pages/{page}/fields.csv", response_class=Response, responses=CSV)
async def fields_csv(
    request: Request, target: TargetDep, query: Asked, context: ContextDep
) -> Response:
    """The form report for a spreadsheet."""
    headers = await _headers(context, target, query, "fields.csv")
    if matches(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    question = await ask(context.store, target.site, target.page, query, context.clock())
    told = csv_text(*field_rows(await field_answer(question, context.renders)))
    return Response(told, media_type=CSV_MEDIA, headers=headers)


async def _headers(
    context: Context, target: Target, query: ZonesQuery, kind: str
) -> dict[str, str]:
    today = target.site.day_of(context.clock())
    finished = query.date_to is not None and query.date_to < today
    name = await contrast_etag(context, target.site, target.page, query, kind)
    return {"ETag": name, "Cache-Control": cache_control(finished=finished)}
