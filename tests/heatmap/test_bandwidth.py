from __future__ import annotations

import numpy as np
import pytest

from heatmap.bandwidth import auto_bandwidth, default_bandwidth, effective_count, scott_bandwidth
from heatmap.marks import gather


@pytest.mark.parametrize(
    ("kind", "touch", "bandwidth_px"),
    [
        ("move", False, 40.0),
        ("stall", False, 40.0),
        ("click", False, 24.0),
        ("rageclick", False, 24.0),
        ("stall", True, 24.0),
        ("move", True, 24.0),
    ],
)
def test_the_page_and_not_the_sample_decides_the_bandwidth(
    kind: str, touch: bool, bandwidth_px: float
) -> None:
    assert default_bandwidth(kind, touch) == bandwidth_px


def test_auto_follows_the_spread_between_its_limits() -> None:
    rng = np.random.default_rng(4)
    cloud = rng.normal(0, 1, (2000, 2))
    scott = cloud.std(axis=0, ddof=1) * 2000 ** (-1 / 6)
    middle = 0.4 * np.sqrt(np.prod(scott * (300, 400)))
    assert auto_bandwidth(gather(cloud * (300, 400))) == pytest.approx(middle)
    assert 24 < middle < 64
    assert auto_bandwidth(gather(cloud)) == 24
    assert auto_bandwidth(gather(cloud * 9000)) == 64


@pytest.mark.parametrize("points", [None, [(1, 2)], [(1, 2)] * 50])
def test_auto_gives_its_lower_limit_where_nothing_is_spread(
    points: list[tuple[float, float]] | None,
) -> None:
    assert auto_bandwidth(gather(points)) == 24


def test_weights_count_by_kish() -> None:
    assert effective_count(np.array([2.0, 2.0, 2.0])) == pytest.approx(3)
    assert effective_count(np.array([1.0, 0.0])) == 1
    assert effective_count(np.zeros(3)) == 0
    values = np.array([1.0, 5.0, 9.0])
    assert scott_bandwidth(values, np.ones(3)) == pytest.approx(
        scott_bandwidth(values, np.full(3, 7.0))
    )


def test_a_box_counts_as_all_the_places_in_it() -> None:
    rng = np.random.default_rng(5)
    corners = rng.uniform(0, 300, (40, 2))
    boxes = np.hstack((corners, corners + rng.uniform(0, 400, (40, 2))))
    weights = rng.exponential(1, 40)
    steps = (np.arange(50) + 0.5) / 50
    for axis in (0, 1):
        middles = (boxes[:, axis] + boxes[:, axis + 2]) / 2
        extents = boxes[:, axis + 2] - boxes[:, axis]
        strewn = (boxes[:, axis, None] + steps * extents[:, None]).ravel()
        spread = np.average(
            (strewn - np.average(middles, weights=weights)) ** 2, weights=np.repeat(weights, 50)
        )
        count = effective_count(weights)
        assert scott_bandwidth(middles, weights, extents) == pytest.approx(
            np.sqrt(spread * count / (count - 1)) * count ** (-1 / 6), rel=1e-3
        )
    as_boxes = auto_bandwidth(gather(None, None, boxes, weights))
    assert 24 < as_boxes < 64
    assert as_boxes > auto_bandwidth(gather((boxes[:, :2] + boxes[:, 2:]) / 2, weights))


def test_points_and_boxes_of_one_map_count_together() -> None:
    rng = np.random.default_rng(6)
    points, weights = rng.normal(500, 200, (60, 2)), rng.exponential(1, 60)
    flat = np.hstack((points[20:], points[20:]))
    mixed = gather(points[:20], weights[:20], flat, weights[20:])
    assert auto_bandwidth(mixed) == pytest.approx(auto_bandwidth(gather(points, weights)))
    assert 24 < auto_bandwidth(mixed) < 64
