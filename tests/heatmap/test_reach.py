from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heatmap.colours import rows
from heatmap.errors import PageSizeError, TrailError
from heatmap.reach import draw_reach, reach_rows
from tests.heatmap.pictures import indices, rgba


def test_a_row_counts_the_views_that_saw_its_middle() -> None:
    shares = reach_rows([3, 5, 5, 10.4], 12)
    np.testing.assert_allclose(shares, [1, 1, 1, 0.75, 0.75] + [0.25] * 5 + [0, 0])


@given(depths=st.lists(st.floats(0, 400) | st.just(float("inf")), max_size=30))
def test_reach_is_the_share_of_deeper_views_and_never_rises(depths: list[float]) -> None:
    shares = reach_rows(depths, 300)
    rows = np.arange(300) + 0.5
    deeper = np.array(depths)[:, None] >= rows
    want = deeper.mean(axis=0) if depths else np.zeros(300)
    np.testing.assert_allclose(shares, want, atol=1e-12)
    assert np.all(np.diff(shares) <= 0)


@pytest.mark.parametrize("dpr", [1, 2])
def test_reach_is_drawn_in_bands_over_the_whole_width(dpr: int) -> None:
    drawing = draw_reach([20, 40, 40, 80], width_px=30, height_px=100, dpr=dpr)
    picture = indices(drawing.png)
    assert picture.shape == (100 * dpr, 30 * dpr)
    assert np.all(picture == picture[:, :1])
    want = {0: 255, 19: 255, 20: 191, 39: 191, 40: 64, 79: 64, 80: 0, 99: 0}
    assert {row: int(picture[row * dpr, 0]) for row in want} == want
    assert (drawing.peak, drawing.scale_max, drawing.mass) == (1.0, 1.0, 4.0)
    assert (drawing.peak_x_px, drawing.peak_y_px) == (15.0, 0.5 / dpr)


def test_no_views_give_a_transparent_picture() -> None:
    drawing = draw_reach([], width_px=30, height_px=20)
    assert not rgba(drawing.png)[:, :, 3].any()
    assert (drawing.peak, drawing.peak_x_px, drawing.peak_y_px) == (0.0, None, None)


def test_reach_is_coloured_and_stamped_like_every_map() -> None:
    plain = draw_reach([500], width_px=400, height_px=500, palette="viridis", opacity=0.5)
    assert tuple(rgba(plain.png)[0, 0]) == tuple(rows("viridis", 0.5)[255])
    marked = draw_reach([500], width_px=400, height_px=500, stamp="TEST", text={"a": "b"})
    assert np.mean(indices(marked.png) != 249) < 0.1
    assert b"tEXta\0b" in marked.png


@pytest.mark.parametrize("depths", [[-1.0], [float("nan")], [[1.0, 2.0]], 3.0])
def test_depths_that_no_view_has_are_refused(depths: Any) -> None:
    with pytest.raises(TrailError, match="depths must be"):
        reach_rows(depths, 100)


def test_a_page_without_height_is_refused() -> None:
    with pytest.raises(PageSizeError, match="height_px"):
        reach_rows([1], 0)
