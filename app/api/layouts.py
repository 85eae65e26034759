"""Layouts are sent by whoever captured the page: the server never fetches it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from app.api.access import ContextDep, Target, no_parameters, writable_page
from app.api.bodies import read_body
from app.picturing.layout_body import MAX_PICTURE_CHARS, LayoutBody
from app.picturing.layouts import put_layout
from collector.decode import view_id_text

router = APIRouter(tags=["layouts"], dependencies=[Depends(no_parameters)])

MAX_BODY_BYTES = MAX_PICTURE_CHARS + 2**20
"""The picture, and 999 boxes written out with many digits."""


class LayoutKept(BaseModel):
    layout: str


async def layout_body(
    request: Request, _target: Annotated[Target, Depends(writable_page)]
) -> LayoutBody:
    """The body, read after the key was found good: megabytes are taken from nobody else."""
    return await read_body(request, LayoutBody, MAX_BODY_BYTES)


@router.put("/sites/{site}/pages/{page}/layouts")
async def keep_layout(
    target: Annotated[Target, Depends(writable_page)],
    body: Annotated[LayoutBody, Depends(layout_body)],
    context: ContextDep,
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
    return LayoutKept(layout=view_id_text(layout_id))
