"""Dead clicks, of which recordings tell: placed, counted by zone, and kept in tiles."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from app.jobs import run_due
from app.mapping.filters import MapQuery
from app.mapping.maps import page_map
from app.mapping.page_map import PageMap
from app.picturing.layouts import Box, put_layout
from app.store import Store
from collector.sites import Site
from collector.wire import Kind
from heatmap.drawing import draw
from heatmap.marks import gather
from tests.app.build import batch, put_rows
from tests.build import make_shop, page_of
from tests.conftest import NOON

DAY = timedelta(days=1)
LONG_AGO = NOON - 5 * DAY
HALF = 65535 // 2
BOX = Box(2, 100, 300, 300, 340)


def dead(x_px: int, y_px: int, zone: int = 0) -> tuple[int, ...]:
    place = (HALF, HALF) if zone else (0, 0)
    return (Kind.DEADCLICK, 500, x_px, y_px, zone, *place, 0, 0)


async def told(store: Store, site: Site) -> PageMap:
    query = MapQuery(kind="deadclick")
    return await page_map(store, site, page_of(site, "shipping"), query, NOON)


async def test_dead_clicks_are_drawn_where_they_were_from_rows_and_from_tiles(
    store: Store,
) -> None:
    """Two in the middle of a zone, told at another width's place, and one beside all zones."""
    site = await make_shop(store, LONG_AGO - DAY)
    page = page_of(site, "shipping")
    await put_layout(
        store, site, page, width_px=1280, height_px=1000, pointer="fine", boxes=(BOX,),
        picture=None, source="capture", now=LONG_AGO - DAY,
    )  # fmt: skip
    rows = [
        batch(1, 0, LONG_AGO, visitor=1, events=[dead(900, 900, 2), dead(900, 900, 2)]),
        batch(2, 0, LONG_AGO, visitor=2, events=[dead(702, 602)], clicks=[{"x": 5, "y": 5}]),
    ]
    await put_rows(store, site, "batch", rows)
    before = await told(store, site)
    await run_due(store, LONG_AGO + DAY)
    await run_due(store, NOON)
    tiles = await store.fetchval("SELECT count(*) FROM tile WHERE kind = $1", int(Kind.DEADCLICK))
    assert tiles
    after = await told(store, site)
    for found in (before, after):
        assert (found.visits, found.marks, found.unplaced) == (2, 3, 0)
        assert found.in_zones == 2
        zones = [(zone.number, zone.total, zone.visits) for zone in found.zones]
        assert zones == [(2, 2.0, 1)]
        weights = dict(zip(map(tuple, found.points.round()), found.point_weights, strict=False))
        assert sum(found.point_weights) == 3
        assert len(weights) == 2
        marks = gather(found.points, found.point_weights)
        drawn = draw(marks, width_px=1280, height_px=1000, bandwidth_px=24)
        assert drawn.peak_x_px is not None
        assert drawn.peak_y_px is not None
        assert np.hypot(drawn.peak_x_px - 200, drawn.peak_y_px - 320) <= 4
