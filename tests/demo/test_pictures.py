"""The pictures that come with the repository show the shop as it is."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from app.demo.checkout import CHECKOUT, CheckoutPage
from app.demo.pictures import (
    CAPTURED,
    WIDTHS_PX,
    captured,
    fingerprints,
    recorded_fingerprints,
    take,
)
from tests.absent import need

REMEDY = "the shop changed since its pictures were taken: run `make demo-pictures`"
TOLERANCE_PX = 2.0
"""What fonts of equal metrics and a browser's rounding may move."""

MOST_KB = 400
"""Every version of the pictures stays in the repository."""


async def test_the_pictures_are_those_of_the_present_pages() -> None:
    assert recorded_fingerprints() == await fingerprints(), REMEDY


@pytest.mark.parametrize("page", CHECKOUT, ids=lambda page: page.slug)
def test_each_page_is_pictured_for_phones_and_for_desktops(page: CheckoutPage) -> None:
    layouts = captured()[page.slug]
    assert [layout.width_px for layout in layouts] == list(WIDTHS_PX)
    assert [layout.pointer for layout in layouts] == ["coarse", "fine"]
    for layout in layouts:
        assert [box.number for box in layout.boxes] == [zone.number for zone in page.zones]
        with Image.open(io.BytesIO(layout.png)) as image:
            assert image.size == (layout.width_px, layout.height_px)


def test_the_pictures_are_small() -> None:
    assert sum(path.stat().st_size for path in CAPTURED.iterdir()) < MOST_KB * 1024


async def test_the_boxes_are_where_a_browser_shows_the_zones() -> None:
    need("chromium")
    for slug, layouts in (await take()).items():
        for now, kept in zip(layouts, captured()[slug], strict=True):
            where = f"{slug} at {now.width_px} px: {REMEDY}"
            assert now.height_px == pytest.approx(kept.height_px, abs=TOLERANCE_PX), where
            for box, before in zip(now.boxes, kept.boxes, strict=True):
                assert box.edges_px == pytest.approx(before.edges_px, abs=TOLERANCE_PX), where
