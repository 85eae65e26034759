from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from heatmap import density
from heatmap.contours import contour_layer, contour_paths
from heatmap.errors import MarksError, PageSizeError, ScaleError
from heatmap.ink import INK_TONES, dashed
from heatmap.layers import alone
from heatmap.page import FloatArray, Page
from tests.heatmap.pictures import rgba

SIZE: Any = {"width_px": 200, "height_px": 160}


def bell(cell_px: float = 2.0) -> FloatArray:
    return density([(100.0, 80.0)], cell_px=cell_px, bandwidth_px=20, edge="none", **SIZE)


@pytest.mark.parametrize("cell_px", [1.0, 2.0, 3.7])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_bells_contour_is_the_circle_that_its_height_says(cell_px: float, share: float) -> None:
    surface = bell(cell_px)
    peak = 1 / (2 * np.pi * 20**2)
    (path,) = contour_paths(surface, share * peak, Page(200, 160), cell_px)
    radius = np.hypot(*(path - (100, 80)).T)
    np.testing.assert_allclose(radius, 20 * np.sqrt(-2 * np.log(share)), atol=0.35)
    np.testing.assert_allclose(path[0], path[-1])


def test_a_line_that_leaves_the_page_ends_on_its_edge() -> None:
    slope = np.tile(np.arange(21, dtype=float), (16, 1))
    (path,) = contour_paths(slope, 7.0, Page(205, 160), 10.0)
    np.testing.assert_allclose(path[:, 0], 75.0)
    assert {path[0, 1], path[-1, 1]} == {0.0, 160.0}


def test_a_level_that_is_nowhere_passed_has_no_line() -> None:
    layer = contour_layer(bell(), cell_px=2.0, solid=[1.0], **SIZE)
    assert not layer.levels.any()


@pytest.mark.parametrize("dpr", [1, 2])
def test_lines_are_dark_in_a_light_halo(dpr: int) -> None:
    surface = bell()
    layer = contour_layer(surface, cell_px=2.0, solid=[surface.max() / 2], dpr=dpr, **SIZE)
    assert layer.levels.shape == (160 * dpr, 200 * dpr)
    across = rgba(alone(layer))[80 * dpr, 100 * dpr :]
    dark = np.flatnonzero(
        across[:, :3].max(axis=1) * (across[:, 3] > 0) + 255 * (across[:, 3] == 0) < 90
    )
    light = np.flatnonzero((across[:, :3].min(axis=1) > 200) & (across[:, 3] > 150))
    radius = 20 * np.sqrt(2 * np.log(2)) * dpr
    assert np.abs(dark + 0.5 - radius).max() < 2 * dpr
    assert light.min() < dark.min() <= dark.max() < light.max()


def test_a_broken_line_shows_a_part_of_the_solid_one() -> None:
    level = [bell().max() / 2]
    solid = contour_layer(bell(), cell_px=2.0, solid=level, **SIZE).levels
    broken = contour_layer(bell(), cell_px=2.0, broken=level, **SIZE).levels
    dark = INK_TONES - 1
    assert 0.3 < np.count_nonzero(broken >= dark) / np.count_nonzero(solid >= dark) < 0.8
    assert not np.any((broken >= dark) & (solid < dark - 4))


def test_dashes_are_as_long_as_asked_and_lie_on_the_line() -> None:
    corner = np.array([(0.0, 0.0), (30.0, 0.0), (30.0, 25.0)])
    dashes = dashed(corner, 8.0, 4.0)
    lengths = [np.hypot(*np.diff(dash, axis=0).T).sum() for dash in dashes]
    np.testing.assert_allclose(lengths, [8, 8, 8, 8, 7])
    np.testing.assert_allclose(dashes[2], [(24, 0), (30, 0), (30, 2)])
    assert all(np.all((dash[:, 1] == 0) | (dash[:, 0] == 30)) for dash in dashes)


@pytest.mark.parametrize(
    ("changed", "error", "says"),
    [
        ({"surface": np.zeros((80, 99))}, MarksError, "80 x 100, got"),
        ({"surface": np.full((80, 100), np.nan)}, MarksError, "finite"),
        ({"solid": [float("nan")]}, ScaleError, "must be finite, got nan"),
        ({"cell_px": 0.0}, PageSizeError, r"positive and finite, got 0\.0"),
        ({"dpr": 3}, PageSizeError, "dpr must be 1 or 2"),
    ],
)
def test_what_cannot_be_contoured_is_refused(
    changed: dict[str, Any], error: type[Exception], says: str
) -> None:
    given: dict[str, Any] = {"surface": bell(), "cell_px": 2.0, "solid": [1e-4], **SIZE, **changed}
    with pytest.raises(error, match=says):
        contour_layer(given.pop("surface"), **given)
