"""Sites and their pages."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel

from app.api.access import (
    CallerDep,
    ContextDep,
    Target,
    no_parameters,
    readable_page,
    readable_site,
)
from app.picturing.layouts import Layout, layouts_of
from app.shops import list_sites
from collector.decode import view_id_text
from collector.sites import Page, Site

router = APIRouter(tags=["sites"], dependencies=[Depends(no_parameters)])


class ZoneOut(BaseModel):
    number: int
    name: str
    selector: str
    role: str
    sensitive: bool


class PageOut(BaseModel):
    slug: str
    title: str
    phase: str
    goal: bool
    bandwidth_px: float | None
    zones: list[ZoneOut]


class SiteOut(BaseModel):
    key: str
    name: str
    state: str
    time_zone: str


class Sites(BaseModel):
    sites: list[SiteOut]
    next: str | None = None


class Pages(BaseModel):
    pages: list[PageOut]
    next: str | None = None


class BoxOut(BaseModel):
    zone: int
    x0_px: float
    y0_px: float
    x1_px: float
    y1_px: float
    placement: str


class LayoutOut(BaseModel):
    layout: str
    width_px: int
    height_px: int
    pointer: str
    source: str
    valid_from: AwareDatetime
    picture: bool
    boxes: list[BoxOut]


class Layouts(BaseModel):
    layouts: list[LayoutOut]
    next: str | None = None


def site_out(site: Site) -> SiteOut:
    return SiteOut(
        key=site.public_key, name=site.name, state=site.state, time_zone=site.time_zone.key
    )


def page_out(page: Page) -> PageOut:
    return PageOut(
        slug=page.slug,
        title=page.title,
        phase=page.phase.name.lower(),
        goal=page.goal,
        bandwidth_px=page.bandwidth_px,
        zones=[
            ZoneOut(
                number=zone.number,
                name=zone.name,
                selector=zone.selector,
                role=zone.role,
                sensitive=zone.sensitive,
            )
            for zone in page.zones
        ],
    )


@router.get("/sites")
async def sites(context: ContextDep, asking: CallerDep) -> Sites:
    """The shops that this key may see."""
    listed = await list_sites(context.store)
    return Sites(sites=[site_out(site) for site in listed if asking.may("read", site.site_id)])


@router.get("/sites/{site}")
async def one_site(site: Annotated[Site, Depends(readable_site)]) -> SiteOut:
    return site_out(site)


@router.get("/sites/{site}/pages")
async def pages(site: Annotated[Site, Depends(readable_site)]) -> Pages:
    return Pages(pages=[page_out(page) for page in site.pages.values()])


@router.get("/sites/{site}/pages/{page}")
async def one_page(target: Annotated[Target, Depends(readable_page)]) -> PageOut:
    return page_out(target.page)


def layout_out(layout: Layout) -> LayoutOut:
    return LayoutOut(
        layout=view_id_text(layout.layout_id),
        width_px=layout.width_px,
        height_px=layout.height_px,
        pointer=layout.pointer,
        source=layout.source,
        valid_from=layout.valid_from,
        picture=layout.picture_hash is not None,
        boxes=[
            BoxOut(
                zone=box.number,
                x0_px=box.x0_px,
                y0_px=box.y0_px,
                x1_px=box.x1_px,
                y1_px=box.y1_px,
                placement=box.placement,
            )
            for box in layout.boxes
        ],
    )


@router.get("/sites/{site}/pages/{page}/layouts")
async def page_layouts(
    target: Annotated[Target, Depends(readable_page)], context: ContextDep
) -> Layouts:
    """The layouts there are, the newest of each kind first, with the boxes of the zones."""
    found = await layouts_of(context.store, target.site, target.page.page_id)
    return Layouts(layouts=[layout_out(layout) for layout in found])
