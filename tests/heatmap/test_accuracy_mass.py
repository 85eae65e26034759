"""`diggle` keeps all mass on the page, wherever marks lie and however close to its edges."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heatmap.page import FloatArray
from tests.heatmap.measuring import heat, scene


def integral(surface_of: Callable[[float], FloatArray], cell_px: float) -> float:
    """Heat on the whole page: the rule of midpoints for three sizes of cell, extrapolated."""
    sizes = (cell_px, cell_px / 2, cell_px / 4)
    coarse, middle, fine = (float(surface_of(size).sum()) * size**2 for size in sizes)
    first, second = (4 * middle - coarse) / 3, (4 * fine - middle) / 3
    return (16 * second - first) / 15


@pytest.mark.parametrize("bandwidth_px", [8.0, 16.0, 40.0, 120.0])
@pytest.mark.parametrize(
    "place", [(0.0, 0.0), (0.3, 57.1), (160.0, 118.9), (2.9, 1.3), (80.2, 60.4)]
)
def test_diggle_keeps_all_of_one_points_mass(
    bandwidth_px: float, place: tuple[float, float]
) -> None:
    def surface_of(cell_px: float) -> FloatArray:
        return heat(
            [place],
            [3.0],
            size_px=(160, 120),
            bandwidth_px=bandwidth_px,
            cell_px=cell_px,
            edge="diggle",
        )

    kept = integral(surface_of, 4.0 if bandwidth_px >= 16 else 2.0)
    assert kept == pytest.approx(3.0, rel=1e-6)


@given(seed=st.integers(0, 9999), bandwidth_px=st.floats(16, 80))
def test_diggle_keeps_all_mass_of_points_and_boxes(seed: int, bandwidth_px: float) -> None:
    points, weights, boxes, box_weights = scene(seed, (160, 120))

    def surface_of(cell_px: float) -> FloatArray:
        return heat(
            points,
            weights,
            size_px=(160, 120),
            bandwidth_px=bandwidth_px,
            cell_px=cell_px,
            edge="diggle",
            boxes=(boxes, box_weights),
        )

    kept = integral(surface_of, 4.0)
    assert kept == pytest.approx(weights.sum() + box_weights.sum(), rel=1e-6)
