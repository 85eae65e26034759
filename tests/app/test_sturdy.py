"""One visitor who went to lunch, or one robot, in a real store: no zone and no region changes."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from app.closing.day import close_day
from app.contrasting.asked import PixelsQuery, ZonesQuery
from app.contrasting.pixels import PixelAnswer, pixel_answer
from app.contrasting.question import ask
from app.contrasting.zones import zone_answer
from app.drawing.renders import Alone
from app.picturing.layouts import Box, put_layout
from app.store import Store
from collector.codes import Browser, Device, Outcome, System
from collector.sites import Site
from tests.app.build import batch, heard, opened, put_rows
from tests.app.derived import Came, put_came
from tests.build import make_shop
from tests.conftest import NOON

TODAY = NOON.date()
DAY = timedelta(days=1)
DAYS = 9
SINCE = TODAY - (DAYS - 1) * DAY
EACH = 18
ODD_AT = NOON - 4 * DAY
"""On a day of the judged week that nobody else came on."""

SIZE = (1280, 900)
BOXES = (Box(1, 100, 100, 500, 148), Box(2, 100, 350, 500, 400), Box(3, 100, 650, 300, 700))
STALL = 2
LUNCH_MS = 30 * 60 * 1000
CLICKS = 10_000
CLICKS_A_BATCH = 500
CODES: dict[str, Any] = {"device": Device.DESKTOP, "browser": Browser.CHROME, "os": System.WINDOWS}


def crowd() -> Iterator[Came]:
    """By mouse, with the script: those who abandon rest four times as long at the second zone."""
    draw = random.Random(3)
    for n in range(2 * EACH * DAYS):
        day = SINCE + n // (2 * EACH) * DAY
        gone = n % 2 == 0
        rests = []
        for box in BOXES:
            seconds = draw.lognormvariate(0.7, 0.7) * (4 if gone and box.number == STALL else 1)
            place = draw.uniform(box.x0_px, box.x1_px), draw.uniform(box.y0_px, box.y1_px)
            rests.append((int(place[0]), int(place[1]), int(min(seconds, 30) * 1000)))
        if day != ODD_AT.date():
            yield Came(
                day=day,
                outcome=Outcome.ABANDONED if gone else Outcome.COMPLETED,
                device=Device.DESKTOP,
                stalls=rests,
                deepest_px=SIZE[1],
                band=4,
                width_px=SIZE[0],
            )


async def filled(store: Store) -> Site:
    site = await make_shop(store, NOON - (DAYS - 1) * DAY)
    page = site.pages["shipping"]
    await put_came(store, site, page, crowd(), start=1_000)
    await put_layout(
        store,
        site,
        page,
        width_px=SIZE[0],
        height_px=SIZE[1],
        pointer="fine",
        boxes=BOXES,
        picture=None,
        source="api",
        now=NOON - 30 * DAY,
    )
    return site


async def judged(store: Store, site: Site) -> tuple[Mapping[int, bool], PixelAnswer]:
    """Which zones were called, and the map."""
    page, since = site.pages["shipping"], {"date_from": str(SINCE)}
    zones = await ask(store, site, page, ZonesQuery.model_validate(since), NOON)
    pixels = await ask(store, site, page, PixelsQuery.model_validate(since), NOON)
    told = await zone_answer(zones, Alone())
    called = {zone.number: zone.significant for zone in told.zones}
    return called, await pixel_answer(pixels, Alone())


def lunch(zone: int) -> list[dict[str, Any]]:
    """A mouse that is laid down on a zone, and taken up again after half an hour."""
    x, y = BOXES[zone - 1].x0_px + 40, BOXES[zone - 1].y0_px + 20
    rest = [(int(x), int(y), 500), (int(x), int(y), LUNCH_MS), (900, 20, LUNCH_MS + 400)]
    return [batch(1, opened_at=ODD_AT, points=rest, **CODES)]


def robot(zone: int) -> list[dict[str, Any]]:
    """Ten thousand clicks on one zone, ten in a second, by what calls itself a browser."""
    box = BOXES[zone - 1]
    x, y = int(box.x0_px) + 40, int(box.y0_px) + 20
    return [
        batch(
            1,
            seq,
            opened_at=ODD_AT,
            points=[(x + n % 9, y + n % 7, 100 * n) for n in range(first, first + CLICKS_A_BATCH)],
            clicks=[
                {"x": x, "y": y, "t": 100 * n, "zone": zone}
                for n in range(first, first + CLICKS_A_BATCH)
            ],
            **CODES,
        )
        for seq, first in enumerate(range(0, CLICKS, CLICKS_A_BATCH))
    ]


@pytest.mark.parametrize(("odd", "zone"), [(lunch, 1), (lunch, STALL), (robot, 3), (robot, STALL)])
async def test_one_odd_visitor_changes_no_zone_and_no_region(
    store: Store, odd: Any, zone: int
) -> None:
    site = await filled(store)
    called, map_before = await judged(store, site)
    assert called == {1: False, STALL: True, 3: False}
    assert [one.zones for one in map_before.regions if one.region.longer] == [(STALL,)]

    await put_rows(store, site, "batch", odd(zone))
    closed = await close_day(store, site, ODD_AT.date(), NOON)
    assert closed.visits == 1

    after, map_after = await judged(store, site)
    assert map_after.visits[0] == map_before.visits[0] + 1, "the visitor is counted among them"
    assert after == called
    assert [one.zones for one in map_after.regions] == [one.zones for one in map_before.regions]


async def test_half_an_hour_without_script_is_what_the_last_step_of_a_clock_says(
    store: Store,
) -> None:
    site = await filled(store)
    called, _ = await judged(store, site)
    assert called[STALL]
    names = ["w1280", "g720", "1.h", *(f"1.h{step}" for step in (1, 2, 5, 10, 20, 30))]
    views = [opened(1, ODD_AT, **CODES), *(heard(name, 1, ODD_AT) for name in names)]
    await put_rows(store, site, "beacon", [{"name": "open", **views[0]}, *views[1:]])
    assert (await close_day(store, site, ODD_AT.date(), NOON)).visits == 1
    assert (await judged(store, site))[0] == called
