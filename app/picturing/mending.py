"""What is put right by hand: zones drawn on a page's picture, and pictures taken away.

A box says where a zone lies in the picture, so drawing or mending one changes that layout itself
and makes no new version: the page has not changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from app.due import LOOKED_BACK, make_anew
from app.picturing.boxes import Box, LayoutError, Placement, kept_boxes
from app.picturing.layouts import Layout, check_zones, insert_boxes
from app.shops import take_turn, touch
from app.store import Store
from collector.sites import Page, Site

SMALLEST_PX = 4
"""Corners closer to each other are the same place pressed twice."""

Corner = tuple[int, int]


def box_between(number: int, first: Corner, second: Corner, placement: Placement = "flow") -> Box:
    """The box of two opposite corners, whichever was pressed first; LayoutError where they meet."""
    (x0, x1), (y0, y1) = (sorted(pair) for pair in zip(first, second, strict=True))
    if x1 - x0 < SMALLEST_PX or y1 - y0 < SMALLEST_PX:
        raise LayoutError(
            f"the two corners are closer than {SMALLEST_PX} px: press two opposite corners"
        )
    return Box(number, x0, y0, x1, y1, placement)


def with_box(layout: Layout, box: Box) -> tuple[Box, ...]:
    """The layout's boxes with this one in the place of the zone's former one."""
    return (*without_box(layout, box.number), box)


def without_box(layout: Layout, number: int) -> tuple[Box, ...]:
    return tuple(box for box in layout.boxes if box.number != number)


async def put_boxes(
    store: Store, site: Site, page: Page, layout: Layout, boxes: Iterable[Box], now: datetime
) -> Layout:
    """The layout with these boxes in place of those it had; raises LayoutError.

    Days whose raw rows are there are counted anew: which zone a press lay in is decided by these.
    """
    kept = kept_boxes(boxes, layout.width_px, layout.height_px)
    if kept == layout.boxes:
        return layout
    async with store.transaction() as connection:
        await take_turn(connection, site)
        await check_zones(connection, site, page, kept)
        await connection.execute(
            "DELETE FROM zone_box WHERE site_id = $1 AND layout_id = $2",
            site.site_id,
            layout.layout_id,
        )
        await insert_boxes(connection, site.site_id, layout.layout_id, kept)
        await _count_anew(connection, site, layout, now)
    return replace(layout, boxes=kept)


async def drop_layout(store: Store, site: Site, layout: Layout, now: datetime) -> None:
    """Forget this version, and its picture where no other version shows the same."""
    async with store.transaction() as connection:
        await take_turn(connection, site)
        for table in ("zone_box", "layout"):
            await connection.execute(
                f"DELETE FROM {table} WHERE site_id = $1 AND layout_id = $2",
                site.site_id,
                layout.layout_id,
            )
        await connection.execute(_DROP_PICTURE, site.site_id, layout.picture_hash)
        await _count_anew(connection, site, layout, now)


_DROP_PICTURE = """
    DELETE FROM picture WHERE site_id = $1 AND hash = $2
    AND NOT EXISTS (SELECT FROM layout WHERE site_id = $1 AND picture_hash = $2)
"""


async def _count_anew(connection: Any, site: Site, layout: Layout, now: datetime) -> None:
    """A width's first layout stands for the days before it too (`app/folding/homes.py`)."""
    today = site.day_of(now)
    first = min(site.day_of(layout.valid_from), today) - LOOKED_BACK
    await make_anew(connection, site.site_id, first, today)
    await touch(connection, site.site_id)
