"""heatmap.png and heatmap.json: one map, as a picture and in numbers."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from app.api.access import ContextDep, Target, picture_page, readable_page
from app.api.audience_models import AudienceOut, audience_out
from app.api.caching import CSV, NOT_CHANGED, PNG, as_csv, as_json, as_png, unless_held
from app.api.spreadsheets import csv_text
from app.drawing.overlays import Picture
from app.drawing.states import state_of
from app.mapping.filters import MapQuery
from app.mapping.page_map import PageMap, summary

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
    responses=PNG,
)
async def heatmap_png(
    request: Request,
    target: Annotated[Target, Depends(picture_page)],
    asked: Annotated[SignedQuery, Query()],
    context: ContextDep,
) -> Response:
    """A transparent PNG of the page's size, to lay over its picture."""
    site, page, query = target.site, target.page, asked.plain()
    state, _ = await state_of(context, site, query)

    async def make() -> Response:
        return as_png(await context.overlays.png(context, state, page, query))

    return await unless_held(
        request, state.etag(page, query), make, finished=_is_over(target, query, context)
    )


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


class DotClassOut(BaseModel):
    """Dots of one colour: those of the page views whose filter `colour_by` has this value."""

    value: str | None
    """None for the rest: values that are too few to be told apart are joined."""
    colour: str
    dots: int
    visits: int


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
    in_zones: int
    """Of the marks, how many are drawn through their zones' boxes, for visitors of every width; the
    others lie by px of the page."""
    unplaced: int
    total: float
    scale: Scale
    peak: Peak
    clipped: int
    style: str
    classes: list[DotClassOut] | None
    """What the dots' colours stand for, if `colour_by` asks for them."""
    folds_px: list[float] | None
    """Where the windows of 25, 50 and 75 % of the page views end, if `marks` asks for folds."""
    frames: list[int]
    """Zones that are frames of somebody else, a payment provider's mostly: inside them nothing is
    visible, and the picture hatches them."""
    zones: list[ZoneHeatOut]


@router.get(
    "/sites/{site}/pages/{page}/heatmap.json",
    response_model=Heatmap,
    responses=NOT_CHANGED,
)
async def heatmap_json(
    request: Request,
    target: Annotated[Target, Depends(readable_page)],
    query: Annotated[MapQuery, Query()],
    context: ContextDep,
) -> Response:
    """The same map in numbers: what it rests on, its peak, and its zones, hottest first."""
    site, page = target.site, target.page
    state, _ = await state_of(context, site, query)

    async def make() -> Response:
        return as_json(told(await context.overlays.drawn(context, state, page, query)))

    return await unless_held(
        request, state.etag(page, query), make, finished=_is_over(target, query, context)
    )


@router.get(
    "/sites/{site}/pages/{page}/heatmap.csv",
    response_class=Response,
    responses=CSV,
)
async def heatmap_csv(
    request: Request,
    target: Annotated[Target, Depends(readable_page)],
    query: Annotated[MapQuery, Query()],
    context: ContextDep,
) -> Response:
    """The map's zones, hottest first, for a spreadsheet."""
    page = target.page
    state, _ = await state_of(context, target.site, query)

    async def make() -> Response:
        drawn = await context.overlays.drawn(context, state, page, query)
        rows = ((zone.number, zone.name, zone.total, zone.visits) for zone in drawn.found.zones)
        return as_csv(csv_text(("number", "name", "total", "visits"), rows))

    return await unless_held(
        request, state.etag(page, query), make, finished=_is_over(target, query, context)
    )


def told(drawn: Picture) -> Heatmap:
    drawing, found = drawn.drawing, drawn.found
    return Heatmap(
        **summary(found),
        audience=audience_out(drawn.of_shop),
        scale=Scale(curve=found.query.scale, max=drawing.scale_max, unit=found.scale_unit),
        peak=Peak(x_px=drawing.peak_x_px, y_px=drawing.peak_y_px, value=drawing.peak),
        clipped=drawing.clipped,
        style=found.query.style,
        classes=_classes(found),
        folds_px=list(found.folds_px) or None,
        frames=[box.number for box in found.frames],
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


def _classes(found: PageMap) -> list[DotClassOut] | None:
    by = found.query.colour_by
    if by is None:
        return None
    return [
        DotClassOut(value=one.name(by), colour=one.css_colour, dots=dots, visits=one.visits)
        for one, dots in found.class_dots
    ]


def _is_over(target: Target, query: MapQuery, context: ContextDep) -> bool:
    today = target.site.day_of(context.clock())
    return query.period(today)[1] < today
