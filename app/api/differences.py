"""stalls and compare as png and json: two cohorts drawn against one another on a layout."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from app.api.access import ContextDep, Target, picture_page, readable_page
from app.api.caching import NOT_CHANGED, PNG, as_json, as_png, unless_held
from app.api.difference_models import Difference, difference_out
from app.context import Context
from app.contrasting.asked import CompareQuery, PixelsQuery, StallsQuery
from app.contrasting.naming import contrast_etag

router = APIRouter(tags=["contrasts"])
LINK = {"expires", "signature"}


class _Signed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    expires: Annotated[str, Query(pattern=r"^[0-9]{1,11}$")] | None = None
    signature: Annotated[str, Query(max_length=64)] | None = None


class SignedStalls(StallsQuery, _Signed):
    """The same parameters, and those of a signed link."""


class SignedCompare(CompareQuery, _Signed):
    """The same parameters, and those of a signed link."""


@router.get("/sites/{site}/pages/{page}/stalls.png", response_class=Response, responses=PNG)
async def stalls_png(
    request: Request,
    target: Annotated[Target, Depends(picture_page)],
    asked: Annotated[SignedStalls, Query()],
    context: ContextDep,
) -> Response:
    """Where those who abandon dwell longer than those who complete: a transparent PNG."""
    return await _png(request, target, PixelsQuery(**asked.model_dump(exclude=LINK)), context)


@router.get("/sites/{site}/pages/{page}/compare.png", response_class=Response, responses=PNG)
async def compare_png(
    request: Request,
    target: Annotated[Target, Depends(picture_page)],
    asked: Annotated[SignedCompare, Query()],
    context: ContextDep,
) -> Response:
    """Where cohort `a` dwells longer than cohort `b`: a transparent PNG."""
    return await _png(request, target, PixelsQuery(**asked.model_dump(exclude=LINK)), context)


@router.get(
    "/sites/{site}/pages/{page}/stalls.json", response_model=Difference, responses=NOT_CHANGED
)
async def stalls_json(
    request: Request,
    target: Annotated[Target, Depends(readable_page)],
    asked: Annotated[StallsQuery, Query()],
    context: ContextDep,
) -> Response:
    """The same in numbers: the regions, surest first."""
    query = PixelsQuery(**asked.model_dump())
    return await _json(request, target, query, context)


@router.get(
    "/sites/{site}/pages/{page}/compare.json", response_model=Difference, responses=NOT_CHANGED
)
async def compare_json(
    request: Request,
    target: Annotated[Target, Depends(readable_page)],
    asked: Annotated[CompareQuery, Query()],
    context: ContextDep,
) -> Response:
    """The same in numbers: the regions, surest first."""
    query = PixelsQuery(**asked.model_dump())
    return await _json(request, target, query, context)


async def _png(request: Request, target: Target, query: PixelsQuery, context: Context) -> Response:
    site, page = target.site, target.page
    name = await contrast_etag(context, site, page, query, "contrast.png")

    async def make() -> Response:
        return as_png(await context.overlays.contrasts.picture(context, site, page, query, name))

    finished = query.is_over(site.day_of(context.clock()))
    return await unless_held(request, name, make, finished=finished)


async def _json(request: Request, target: Target, query: PixelsQuery, context: Context) -> Response:
    site, page = target.site, target.page
    name = await contrast_etag(context, site, page, query, "contrast.json")

    async def make() -> Response:
        answer = await context.overlays.contrasts.answer(context, site, page, query)
        return as_json(difference_out(answer))

    finished = query.is_over(site.day_of(context.clock()))
    return await unless_held(request, name, make, finished=finished)
