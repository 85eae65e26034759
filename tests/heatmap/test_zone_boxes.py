from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heatmap.colours import rows
from heatmap.errors import MarksError, TextError
from heatmap.layers import alone
from heatmap.page import Page
from heatmap.zone_boxes import APART_PX, ZONE_OPACITY, ZoneBox, badges, zone_layer, zone_rows
from tests.heatmap.pictures import rgba

SIZE: Any = {"width_px": 400, "height_px": 300}
FIELD = (20.0, 40.0, 220.0, 90.0)


def seen(*zones: ZoneBox, **more: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return rgba(alone(zone_layer(zones, **SIZE, **more)))


@pytest.mark.parametrize("dpr", [1, 2])
@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_a_zone_is_filled_with_the_colour_of_its_heat(share: float, dpr: int) -> None:
    picture = seen(ZoneBox(1, FIELD, share), palette="viridis", dpr=dpr)
    want = rows("viridis")[round(share * 255), :3].astype(int)
    inside = picture[70 * dpr, 40 * dpr : 200 * dpr].astype(int)
    assert np.abs(inside[:, :3] - want).max() <= 3
    assert np.all(inside[:, 3] == round(ZONE_OPACITY * 255))
    assert not picture[130 * dpr :, :, 3].any()
    assert not picture[:, 240 * dpr :, 3].any()


def test_a_zone_without_heat_has_a_frame_and_no_fill() -> None:
    picture = seen(ZoneBox(1, FIELD, 0.0))
    assert not picture[60:80, 40:180, 3].any()
    assert picture[60, 20:25, 3].any()
    assert zone_rows()[0, 3] == 0


def test_a_zone_within_another_lies_over_it() -> None:
    outer, inner = ZoneBox(1, (0, 0, 300, 200), 0.3), ZoneBox(2, (50, 50, 250, 150), 1.0)
    for zones in ((outer, inner), (inner, outer)):
        picture = seen(*zones)
        assert np.abs(picture[120, 120, :3].astype(int) - rows("lajolla")[255, :3]).max() <= 3


BOXES = st.tuples(
    st.floats(-50, 380), st.floats(-50, 280), st.floats(1, 200), st.floats(1, 150)
).map(lambda box: (box[0], box[1], box[0] + box[2], box[1] + box[3]))


@given(boxes=st.lists(BOXES, max_size=14), dpr=st.sampled_from([1, 2]))
def test_badges_never_overlap_and_stay_on_the_page(
    boxes: list[tuple[float, float, float, float]], dpr: int
) -> None:
    page = Page(400, 300, dpr)
    zones = [
        (ZoneBox(n, box, n / 14, "12,4 s"), (0, 0, 40 * dpr, 30 * dpr))
        for n, box in enumerate(boxes)
    ]
    placed = [place for _, place in badges(zones, page)]
    assert len(placed) == len(boxes)
    for x0, y0, x1, y1 in placed:
        assert 0 <= x0 < x1 <= page.columns
        assert 0 <= y0 < y1 <= page.rows
    for one, other in combinations(placed, 2):
        apart = max(one[0] - other[2], other[0] - one[2], one[1] - other[3], other[1] - one[3])
        assert apart >= APART_PX * dpr


def test_a_badge_stands_at_its_zones_upper_right_corner() -> None:
    page = Page(400, 300, 1)
    ((_, (x0, y0, x1, y1)),) = badges([(ZoneBox(7, FIELD, 1.0, "2 s"), (20, 40, 220, 90))], page)
    assert 200 < x1 < 220
    assert y0 < 40 < y1
    assert x0 > 120


def test_a_page_too_small_for_all_badges_keeps_the_hottest() -> None:
    zones = [(ZoneBox(n, (0, 0, 60, 25), n / 9), (0, 0, 60, 25)) for n in range(9)]
    kept = [zone.number for zone, _ in badges(zones, Page(60, 25))]
    assert kept[0] == 8
    assert 1 <= len(kept) < 9


def test_numbers_and_values_are_written_dark_on_white() -> None:
    page = seen(ZoneBox(12, FIELD, 1.0, "5,7 s"))
    ((_, (x0, y0, x1, y1)),) = badges(
        [(ZoneBox(12, FIELD, 1.0, "5,7 s"), (20, 40, 220, 90))], Page(400, 300)
    )
    badge = page[y0 + 3 : y1 - 3, x0 + 8 : x1 - 8]
    assert np.all(badge[:, :, 3] > 200)
    dark = (badge[:, :, 0] < 100).mean()
    assert 0.05 < dark < 0.5


def test_parts_outside_the_page_are_cut_off() -> None:
    picture = seen(ZoneBox(1, (-50, 250, 1e9, 1e9), 1.0), ZoneBox(2, (500, 0, 600, 50), 1.0))
    assert picture[290, 200, 3] > 0
    assert not picture[:200, :, 3].any()


@pytest.mark.parametrize(
    ("zone", "error", "says"),
    [
        (ZoneBox(3, (5, 5, 4, 9), 0.5), MarksError, "zone 3 must be x0, y0, x1, y1"),
        (ZoneBox(3, (0, 0, float("nan"), 9), 0.5), MarksError, "zone 3"),
        (ZoneBox(3, FIELD, 1.1), MarksError, r"share of zone 3 must be within 0\.\.1, got 1\.1"),
        (ZoneBox(3, FIELD, 0.5, "\n"), TextError, "one printable line"),
    ],
)
def test_zones_that_cannot_be_are_refused(zone: ZoneBox, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        zone_layer([zone], **SIZE)
