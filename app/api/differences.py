"""stalls and compare as png and json: two cohorts drawn against one another on a layout."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from app.api.access import ContextDep, Target, picture_page, readable_page
from app.api.caching import cache_control, matches
from app.api.contrast_models import QuestionOut, known, question_out
from app.context import Context
from app.contrasting.asked import CompareQuery, PixelsQuery, StallsQuery
from app.contrasting.naming import contrast_etag
from app.contrasting.pixels import MarkedRegion, PixelAnswer

router = APIRouter(tags=["contrasts"])
NOT_CHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "not changed"}}
PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}}, **NOT_CHANGED}
LINK = {"expires", "signature"}


class _Signed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    expires: Annotated[str, Query(pattern=r"^[0-9]{1,11}$")] | None = None
    signature: Annotated[str, Query(max_length=64)] | None = None


class SignedStalls(StallsQuery, _Signed):
    """The same parameters, and those of a signed link."""


class SignedCompare(CompareQuery, _Signed):
    """The same parameters, and those of a signed link."""


class RegionOut(BaseModel):
    """A place where the cohorts differ; `ratio` is null where the second never dwells."""

    number: int
    box_px: tuple[float, float, float, float]
    peak_px: tuple[float, float]
    zones: list[int]
    longer: bool
    t: float
    p: float
    a_seconds: float
    b_seconds: float
    ratio: float | None
    a_concerned: int
    b_concerned: int
    a_exposed: int
    b_exposed: int


class MapOut(BaseModel):
    """Cohorts as they met this layout; null where there is nothing to draw."""

    a_visits: int
    b_visits: int
    judged_a: int
    judged_b: int
    p_page: float | None
    detectable_ratio: float | None
    labellings: int | None
    spread: str | None


class Difference(QuestionOut):
    """What the picture says, in numbers; lengths in CSS px of the page."""

    layout: str | None
    width_px: int | None
    height_px: int | None
    bandwidth_px: float | None
    mode: str
    drawn: bool
    why_not_drawn: str | None
    """As `why_not`, of this layout's visits alone; or `no_layout`."""
    map: MapOut
    regions: list[RegionOut]


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
    response: Response,
) -> Any:
    """The same in numbers: the regions, surest first."""
    query = PixelsQuery(**asked.model_dump())
    return await _json(request, target, query, context, response)


@router.get(
    "/sites/{site}/pages/{page}/compare.json", response_model=Difference, responses=NOT_CHANGED
)
async def compare_json(
    request: Request,
    target: Annotated[Target, Depends(readable_page)],
    asked: Annotated[CompareQuery, Query()],
    context: ContextDep,
    response: Response,
) -> Any:
    """The same in numbers: the regions, surest first."""
    query = PixelsQuery(**asked.model_dump())
    return await _json(request, target, query, context, response)


async def _png(request: Request, target: Target, query: PixelsQuery, context: Context) -> Response:
    headers = await _headers(target, query, context, "contrast.png")
    if matches(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    contrasts = context.overlays.contrasts
    png = await contrasts.picture(context, target.site, target.page, query, headers["ETag"])
    return Response(png, media_type="image/png", headers=headers)


async def _json(
    request: Request, target: Target, query: PixelsQuery, context: Context, response: Response
) -> Any:
    headers = await _headers(target, query, context, "contrast.json")
    if matches(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    answer = await context.overlays.contrasts.answer(context, target.site, target.page, query)
    return difference_out(answer)


async def _headers(
    target: Target, query: PixelsQuery, context: Context, kind: str
) -> dict[str, str]:
    finished = query.date_to is not None and query.date_to < target.site.day_of(context.clock())
    name = await contrast_etag(context, target.site, target.page, query, kind)
    return {"ETag": name, "Cache-Control": cache_control(finished=finished)}


def difference_out(answer: PixelAnswer) -> Difference:
    layout, judged = answer.layout, answer.judged
    return Difference(
        **question_out(answer.question).model_dump(),
        layout=f"{layout.layout_id & (2**64 - 1):016x}" if layout else None,
        width_px=layout.width_px if layout else None,
        height_px=layout.height_px if layout else None,
        bandwidth_px=answer.bandwidth_px if layout else None,
        mode=answer.query.mode,
        drawn=answer.shown is not None,
        why_not_drawn=answer.why_not,
        map=MapOut(
            a_visits=answer.visits[0],
            b_visits=answer.visits[1],
            judged_a=judged.first_visits if judged else 0,
            judged_b=judged.second_visits if judged else 0,
            p_page=judged.p_page if judged else None,
            detectable_ratio=known(judged.detectable_ratio) if judged else None,
            labellings=judged.labellings if judged else None,
            spread=judged.spread if judged else None,
        ),
        regions=[_region(one) for one in answer.regions],
    )


def _region(one: MarkedRegion) -> RegionOut:
    region = one.region
    return RegionOut(
        number=one.number,
        box_px=(region.x0_px, region.y0_px, region.x1_px, region.y1_px),
        peak_px=(region.peak_x_px, region.peak_y_px),
        zones=list(one.zones),
        longer=region.longer,
        t=region.t,
        p=region.p,
        a_seconds=region.first_s,
        b_seconds=region.second_s,
        ratio=known(region.ratio),
        a_concerned=region.first_concerned,
        b_concerned=region.second_concerned,
        a_exposed=region.first_exposed,
        b_exposed=region.second_exposed,
    )
