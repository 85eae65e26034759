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
    assert auto_bandwidth(gather(cloud * (300, 400)).points) == pytest.approx(middle)
    assert 24 < middle < 64
    assert auto_bandwidth(gather(cloud).points) == 24
    assert auto_bandwidth(gather(cloud * 9000).points) == 64


@pytest.mark.parametrize("points", [None, [(1, 2)], [(1, 2)] * 50])
def test_auto_gives_its_lower_limit_where_nothing_is_spread(
    points: list[tuple[float, float]] | None,
) -> None:
    assert auto_bandwidth(gather(points).points) == 24


def test_weights_count_by_kish() -> None:
    assert effective_count(np.array([2.0, 2.0, 2.0])) == pytest.approx(3)
    assert effective_count(np.array([1.0, 0.0])) == 1
    assert effective_count(np.zeros(3)) == 0
    values = np.array([1.0, 5.0, 9.0])
    assert scott_bandwidth(values, np.ones(3)) == pytest.approx(
        scott_bandwidth(values, np.full(3, 7.0))
    )
