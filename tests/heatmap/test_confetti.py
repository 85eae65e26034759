from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from heatmap.confetti import TONES, confetti_layer, confetti_rows, within_box
from heatmap.errors import MarksError, PaletteError
from heatmap.layers import alone
from heatmap.palettes import SEGMENT_RGB
from tests.heatmap.pictures import rgba

SIZE: Any = {"width_px": 120, "height_px": 90}


def seen(points: Any, segments: Any, **more: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return rgba(alone(confetti_layer(points, segments, **SIZE, **more)))


@pytest.mark.parametrize("dpr", [1, 2])
@pytest.mark.parametrize("segment", range(8))
def test_a_dot_has_its_segments_colour_where_its_mark_is(segment: int, dpr: int) -> None:
    picture = seen([(40.25, 30.5)], [segment], dpr=dpr)
    assert picture.shape == (90 * dpr, 120 * dpr, 4)
    assert tuple(picture[int(30.5 * dpr), int(40.25 * dpr), :3]) == SEGMENT_RGB[segment]
    rows, columns = np.nonzero(picture[:, :, 3])
    assert abs((columns.mean() + 0.5) / dpr - 40.25) < 0.3
    assert abs((rows.mean() + 0.5) / dpr - 30.5) < 0.3
    assert 9 <= (np.ptp(rows) + 1) / dpr <= 13


def test_a_dot_has_a_dark_edge_and_a_white_rim_so_that_every_page_shows_it() -> None:
    across = seen([(60.5, 45.5)], [6], dpr=2)[91, :, :].astype(int)
    row = across[across[:, 3] > 200]
    light = row[:, :3].mean(axis=1)
    assert light[0] > 240 < light[-1]
    assert light[:6].min() < 0.75 * np.mean(SEGMENT_RGB[6])


def test_no_segment_lies_over_the_others() -> None:
    points = np.tile((60.0, 45.0), (400, 1)) + np.random.default_rng(5).normal(0, 12, (400, 2))
    layer = confetti_layer(points, np.arange(400) // 200, **SIZE)
    which = (layer.levels.astype(int) - TONES - 1) // (2 * TONES)
    first, second = (np.count_nonzero((layer.levels > TONES) & (which == one)) for one in (0, 1))
    assert 0.7 < first / second < 1.4


def test_dots_on_the_pages_edge_are_cut_and_those_outside_left_out() -> None:
    picture = seen([(0.0, 0.0), (120.0, 90.0), (121.0, 5.0), (5.0, -1e300)], [0, 1, 2, 2])
    assert picture[0, 0, 3] > 0
    assert picture[89, 119, 3] > 0
    assert not picture[:20, 100:, 3].any()
    assert not seen(None, []).any()


def test_the_same_marks_give_the_same_bytes() -> None:
    points, segments = [(3.3, 4.4), (5.5, 6.6)], [1, 7]
    assert alone(confetti_layer(points, segments, **SIZE)) == alone(
        confetti_layer(np.array(points), np.array(segments), **SIZE)
    )


def test_the_table_begins_with_nothing_and_holds_every_segment() -> None:
    table = confetti_rows()
    assert len(table) == 1 + TONES + 16 * TONES <= 256
    assert not table[0].any()
    for number, rgb in enumerate(SEGMENT_RGB):
        assert tuple(table[TONES + (number + 1) * 2 * TONES, :3]) == rgb


@pytest.mark.parametrize(
    ("segments", "error", "says"),
    [
        ([0], MarksError, r"one whole number per point \(2\)"),
        ([0, 1.5], MarksError, "whole number"),
        ([0, 8], PaletteError, r"0\.\.7, got 0\.\.8: more colours"),
        ([-1, 0], PaletteError, r"got -1\.\.0"),
    ],
)
def test_segments_that_cannot_be_are_refused(
    segments: list[Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        confetti_layer([(1.0, 1.0), (2.0, 2.0)], segments, **SIZE)


@pytest.mark.parametrize("radius_px", [0.5, 21, float("nan")])
def test_a_dot_is_no_speck_and_no_plate(radius_px: float) -> None:
    with pytest.raises(MarksError, match="between 1 and 20"):
        confetti_layer([(1.0, 1.0)], [0], radius_px=radius_px, **SIZE)


@pytest.mark.parametrize("count", [0, 1, 2, 7, 60, 1001])
@pytest.mark.parametrize("box_px", [(10.0, 20.0, 310.0, 60.0), (0.0, 0.0, 5.0, 400.0)])
def test_marks_known_by_their_box_alone_stand_in_rows_within_it(
    box_px: tuple[float, float, float, float], count: int
) -> None:
    places = within_box(box_px, count)
    x0, y0, x1, y1 = box_px
    assert places.shape == (count, 2)
    assert ((places > (x0, y0)) & (places < (x1, y1))).all()
    assert len(np.unique(places, axis=0)) == count
    # From the left, so that segments in order look like a bar of their shares.
    assert (np.diff(places[:, 0]) >= 0).all()
    if count:
        np.testing.assert_allclose(places.mean(axis=0)[1], (y0 + y1) / 2)


def test_a_mark_alone_stands_in_the_middle() -> None:
    np.testing.assert_array_equal(within_box((100.0, 900.0, 400.0, 960.0), 1), [(250.0, 930.0)])


@pytest.mark.parametrize(
    ("box_px", "count"), [((5.0, 0.0, 5.0, 9.0), 1), ((0.0, 0.0, 9.0, 9.0), -1)]
)
def test_a_box_without_an_area_and_a_count_below_nothing_are_refused(
    box_px: tuple[float, float, float, float], count: int
) -> None:
    with pytest.raises(MarksError):
        within_box(box_px, count)
