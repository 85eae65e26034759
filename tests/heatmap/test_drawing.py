from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heatmap import errors, overlay
from heatmap.colours import DEFAULT_OPACITY
from heatmap.drawing import draw
from heatmap.marks import gather
from heatmap.page import FloatArray
from heatmap.scale import Curve
from tests.heatmap.measuring import CURVES, levels_off
from tests.heatmap.naive import mass_on_page, naive_boxes, naive_density
from tests.heatmap.pictures import indices, rgba

WIDTH_PX, HEIGHT_PX = 240, 180


def scene(seed: int) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Points and boxes with their weights."""
    rng = np.random.default_rng(seed)
    points = rng.uniform((0, 0), (WIDTH_PX, HEIGHT_PX), (25, 2))
    corners = rng.uniform((0, 0), (WIDTH_PX - 60, HEIGHT_PX - 40), (4, 2))
    boxes = np.hstack((corners, corners + rng.uniform(1, 40, (4, 2))))
    return points, rng.exponential(1, 25), boxes, rng.exponential(3, 4)


def exact_surface(seed: int, bandwidth_px: float, dpr: int = 1) -> FloatArray:
    points, weights, boxes, box_weights = scene(seed)
    x_px = (np.arange(WIDTH_PX * dpr) + 0.5) / dpr
    y_px = (np.arange(HEIGHT_PX * dpr) + 0.5) / dpr
    plain = naive_density(points, weights, x_px, y_px, bandwidth_px)
    plain += naive_boxes(boxes, box_weights, x_px, y_px, bandwidth_px)
    return plain / mass_on_page(x_px, y_px, bandwidth_px, WIDTH_PX, HEIGHT_PX)


def drawn(seed: int, **options: Any) -> bytes:
    points, weights, boxes, box_weights = scene(seed)
    return overlay(
        points,
        weights,
        boxes_px=boxes,
        box_weights=box_weights,
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
        **options,
    )


@pytest.mark.parametrize("scale", CURVES)
def test_the_scale_bends_colour_and_its_maximum_caps_it(scale: Curve) -> None:
    exact = exact_surface(7, 20.0)
    full = 0.6 * float(exact.max())
    picture = indices(drawn(7, bandwidth_px=20.0, scale=scale, scale_max=full))
    assert levels_off(picture, exact, scale, full) <= 1
    assert np.mean(picture == 255) > 0.01


@given(seed=st.integers(0, 9999), dpr=st.sampled_from([1, 2]))
def test_the_peak_is_that_of_the_pixels(seed: int, dpr: int) -> None:
    points, weights, boxes, box_weights = scene(seed)
    drawing = draw(
        gather(points, weights, boxes, box_weights),
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
        bandwidth_px=15.0,
        dpr=dpr,
    )
    exact = exact_surface(seed, 15.0, dpr)
    assert drawing.peak == pytest.approx(exact.max(), rel=1 / 512)
    assert drawing.scale_max == drawing.peak
    assert drawing.peak_x_px is not None
    assert drawing.peak_y_px is not None
    row, column = int(drawing.peak_y_px * dpr), int(drawing.peak_x_px * dpr)
    assert (drawing.peak_y_px * dpr, drawing.peak_x_px * dpr) == (row + 0.5, column + 0.5)
    assert exact[row, column] >= exact.max() * (1 - 2 / 512)
    assert indices(drawing.png)[row, column] == 255


def test_a_drawing_accounts_for_all_marks() -> None:
    marks = gather(
        [(10, 10), (500, 10), (20, -1)], [2, 3, 4], [(-10, 0, 10, 10), (900, 0, 910, 9)], [6, 8]
    )
    drawing = draw(marks, width_px=100, height_px=80, scale_max=0.5)
    assert (drawing.mass, drawing.lost, drawing.clipped) == (2 + 3, 3 + 4 + 3 + 8, 3)
    assert (drawing.width_px, drawing.height_px) == (100, 80)
    assert drawing.scale_max == 0.5
    assert drawing.peak < 0.5
    assert indices(drawing.png).max() == round(255 * drawing.peak / 0.5)


@pytest.mark.parametrize(
    "marks", [gather(None), gather([(5, 5)], [0.0]), gather([(999, 999)]), gather([], None, [])]
)
@pytest.mark.parametrize("scale_max", [None, 2.0])
def test_nothing_to_show_gives_a_transparent_picture(marks: Any, scale_max: float | None) -> None:
    drawing = draw(marks, width_px=30, height_px=20, scale_max=scale_max)
    assert not rgba(drawing.png)[:, :, 3].any()
    assert (drawing.peak, drawing.mass) == (0.0, 0.0)
    assert drawing.peak_x_px is drawing.peak_y_px is None
    assert drawing.scale_max == (scale_max or 0.0)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (3, 2)])
def test_the_smallest_pages_are_drawn(size: tuple[int, int]) -> None:
    width_px, height_px = size
    png = overlay([(0.5, 0.5)], width_px=width_px, height_px=height_px, bandwidth_px=2.0)
    picture = indices(png)
    assert picture.shape == (height_px, width_px)
    assert picture[0, 0] == 255


def test_where_there_is_no_heat_the_page_shows_through() -> None:
    picture = rgba(overlay([(50, 50)], width_px=600, height_px=400, bandwidth_px=20))
    assert picture[50, 50, 3] == round(DEFAULT_OPACITY * 255)
    assert not picture[200:, 300:, 3].any()


def test_the_same_marks_give_the_same_bytes() -> None:
    options = {"bandwidth_px": 12.0, "stamp": "TEST", "text": {"b": "2", "a": "1"}, "dpr": 2}
    again = {**options, "text": {"a": "1", "b": "2"}}
    assert drawn(3, **options) == drawn(3, **again)
    assert drawn(3, **options) != drawn(4, **options)


def test_lists_and_single_precision_are_marks_too() -> None:
    points = [(10, 20), (30, 40)]
    want = overlay(np.array(points, float), width_px=60, height_px=60)
    assert overlay(points, width_px=60, height_px=60) == want
    assert overlay(np.array(points, np.float32), width_px=60, height_px=60) == want


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"bandwidth_px": 1}, errors.BandwidthError, "got 1"),
        ({"palette": "jet"}, errors.PaletteError, "one of lajolla, .*, got 'jet'"),
        ({"opacity": 1.5}, errors.PaletteError, "between 0 and 1, got 1.5"),
        ({"opacity": float("nan")}, errors.PaletteError, "got nan"),
        ({"scale": "cubic"}, errors.ScaleError, "one of linear, sqrt, log, got 'cubic'"),
        ({"scale_max": 0}, errors.ScaleError, "positive and finite, or None .* got 0"),
        ({"scale_max": float("inf")}, errors.ScaleError, "got inf"),
        ({"edge": "wrap"}, errors.EdgeError, "got 'wrap'"),
        ({"dpr": 3}, errors.PageSizeError, "dpr must be 1 or 2"),
        ({"stamp": ""}, errors.TextError, "1 to 24 printable"),
        ({"text": {"": "x"}}, errors.TextError, "1 to 79"),
        ({"weights": [1, 2]}, errors.MarksError, "one weight per mark"),
    ],
)
def test_an_option_out_of_range_is_refused_with_value_and_remedy(
    options: dict[str, Any], error: type[errors.HeatmapError], message: str
) -> None:
    with pytest.raises(error, match=message):
        overlay([(5, 5)], width_px=30, height_px=20, **options)
    assert issubclass(error, errors.HeatmapError)
