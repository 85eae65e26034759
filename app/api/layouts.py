"""Layouts are sent by whoever captured the page: the server never fetches it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from app.api.access import ContextDep, Target, writable_page
from app.layout_body import LayoutBody
from app.layouts import put_layout

router = APIRouter(tags=["layouts"])


class LayoutKept(BaseModel):
    layout: str


@router.put("/sites/{site}/pages/{page}/layouts")
async def keep_layout(
    target: Annotated[Target, Depends(writable_page)], body: LayoutBody, context: ContextDep
) -> LayoutKept:
    """Keep a page's picture and zone boxes at one width; the same ones twice are one layout."""
    layout_id = await put_layout(
        context.store,
        target.site,
        target.page,
        width_px=body.width_px,
        height_px=body.height_px,
        pointer=body.pointer,
        boxes=body.layout_boxes(),
        picture=body.decoded_picture(),
        source="api",
        now=context.clock(),
        language=body.language,
        variant=body.variant,
    )
    return LayoutKept(layout=f"{layout_id & (2**64 - 1):016x}")
