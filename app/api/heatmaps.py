"""heatmap.png and heatmap.json: one map, as a picture and in numbers."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from app.api.access import ContextDep, Target, picture_page, readable_page
from app.api.caching import cache_control, matches
from app.drawing.overlays import Picture, etag
from app.mapping.audience import Audience, audience
from app.mapping.filters import MapQuery
from app.mapping.maps import summary

router = APIRouter(tags=["heatmaps"])


class SignedQuery(MapQuery):
    """The same parameters, and those of a signed link."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    expires: Annotated[str, Query(pattern=r"^[0-9]{1,11}$")] | None = None
    signature: Annotated[str, Query(max_length=64)] | None = None

    def plain(self) -> MapQuery:
        return MapQuery(**self.model_dump(exclude={"expires", "signature"}))


@router.get(
    "/sites/{site}/pages/{page}/heatmap.png",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}}, 304: {"description": "not changed"}},
)
async def heatmap_png(
    request: Request,
    target: Annotated[Target, Depends(picture_page)],
    asked: Annotated[SignedQuery, Query()],
    context: ContextDep,
) -> Response:
    """A transparent PNG of the page's size, to lay over its picture."""
    query = asked.plain()
    name = await etag(context, target.site, target.page, query)
    headers = {"ETag": name, "Cache-Control": _cache_control(target, query, context)}
    if matches(request, name):
        return Response(status_code=304, headers=headers)
    drawn = await context.overlays.picture(context, target.site, target.page, query, name)
    return Response(drawn.drawing.png, media_type="image/png", headers=headers)


class Scale(BaseModel):
    curve: str
    max: float
    unit: str


class Peak(BaseModel):
    x_px: float | None
    y_px: float | None
    value: float


class ZoneHeatOut(BaseModel):
    number: int
    name: str
    total: float
    visits: int
    box_px: tuple[float, float, float, float] | None


class AudienceOut(BaseModel):
    """Of all page views of the shop in the period, whatever their page: what was counted, and what
    was not by reason. No filter changes it."""

    page_views: int
    share: float | None
    left_out: dict[str, int]


class Heatmap(BaseModel):
    """What the picture says, in numbers; lengths in CSS px of the page."""

    site: str
    page: str
    kind: str
    unit: str
    state: str
    date_from: date
    date_to: date
    time_zone: str
    page_views: int
    visits: int
    coverage: float | None
    audience: AudienceOut
    bandwidth_px: float
    width_px: int
    height_px: int
    layout: str | None
    marks: int
    unplaced: int
    total: float
    scale: Scale
    peak: Peak
    clipped: int
    style: str
    folds_px: list[float] | None
    """Where the windows of 25, 50 and 75 % of the page views end, if `marks` asks for folds."""
    zones: list[ZoneHeatOut]


@router.get(
    "/sites/{site}/pages/{page}/heatmap.json",
    response_model=Heatmap,
    responses={304: {"description": "not changed"}},
)
async def heatmap_json(
    request: Request,
    target: Annotated[Target, Depends(readable_page)],
    query: Annotated[MapQuery, Query()],
    context: ContextDep,
    response: Response,
) -> Any:
    """The same map in numbers: what it rests on, its peak, and its zones, hottest first."""
    name = await etag(context, target.site, target.page, query)
    headers = {"ETag": name, "Cache-Control": _cache_control(target, query, context)}
    if matches(request, name):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    drawn = await context.overlays.picture(context, target.site, target.page, query, name)
    period = drawn.found.date_from, drawn.found.date_to
    return told(drawn, await audience(context.store, target.site.site_id, period))


def told(drawn: Picture, of_shop: Audience) -> Heatmap:
    drawing, found = drawn.drawing, drawn.found
    return Heatmap(
        **summary(found),
        audience=AudienceOut(
            page_views=of_shop.whole,
            share=of_shop.share,
            left_out={reason.value: n for reason, n in of_shop.left_out.items()},
        ),
        scale=Scale(curve=found.query.scale, max=drawing.scale_max, unit=found.scale_unit),
        peak=Peak(x_px=drawing.peak_x_px, y_px=drawing.peak_y_px, value=drawing.peak),
        clipped=drawing.clipped,
        style=found.query.style,
        folds_px=list(found.folds_px) or None,
        zones=[
            ZoneHeatOut(
                number=heat.number,
                name=heat.name,
                total=heat.total,
                visits=heat.visits,
                box_px=heat.box_px,
            )
            for heat in found.zones
        ],
    )


def _cache_control(target: Target, query: MapQuery, context: ContextDep) -> str:
    today = target.site.day_of(context.clock())
    return cache_control(finished=query.period(today)[1] < today)
