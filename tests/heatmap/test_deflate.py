from __future__ import annotations

import subprocess
import sys
import zlib
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from heatmap import overlay
from heatmap.deflate import deflate, deflate_lines, lines_for
from tests.heatmap.pictures import indices

LEVELS = np.random.default_rng(0).integers(0, 256, (40, 30), dtype=np.uint8)


def in_lines(levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    lines = lines_for(*levels.shape)
    lines[:, 0], lines[:, 1:] = 0, levels
    return lines[:, 1:]


def neighbour_of_a_column() -> NDArray[np.uint8]:
    """Levels that lie as in lines, but beside a column that is not empty."""
    sheet = np.full((40, 31), 7, dtype=np.uint8)
    sheet[:, 1:] = LEVELS
    return sheet[:, 1:]


@pytest.mark.parametrize(
    "levels",
    [
        LEVELS,
        in_lines(LEVELS),
        neighbour_of_a_column(),
        LEVELS[::-1][::-1],
        np.asfortranarray(LEVELS),
    ],
    ids=["own", "lines", "beside others", "view", "columns first"],
)
def test_lines_are_a_filter_of_zero_and_the_levels(levels: NDArray[np.uint8]) -> None:
    lines = np.frombuffer(zlib.decompress(deflate(levels)), np.uint8).reshape(40, 31)
    assert not lines[:, 0].any()
    np.testing.assert_array_equal(lines[:, 1:], LEVELS)
    assert deflate(levels) == deflate(LEVELS)


def test_lines_told_in_bands_are_those_of_the_whole() -> None:
    lines = np.zeros((40, 31), dtype=np.uint8)
    lines[:, 1:] = LEVELS
    band = np.empty((16, 31), dtype=np.uint8)

    def overwritten() -> Iterator[NDArray[np.uint8]]:
        for first in range(0, 40, 16):
            here = band[: min(16, 40 - first)]
            here[:] = lines[first : first + 16]
            yield here

    assert zlib.decompress(b"".join(deflate_lines(overwritten()))) == lines.tobytes()
    assert deflate_lines(overwritten()) == deflate_lines(overwritten())


WITHOUT_ISAL = """
import sys
sys.modules["isal"] = None
from heatmap import overlay
sys.stdout.buffer.write(overlay([(9, 9), (30, 20)], width_px=60, height_px=40, bandwidth_px=5))
"""


def test_without_its_fastest_deflate_the_pixels_are_the_same() -> None:
    told = subprocess.run([sys.executable, "-c", WITHOUT_ISAL], check=True, capture_output=True)
    want = overlay([(9, 9), (30, 20)], width_px=60, height_px=40, bandwidth_px=5)
    np.testing.assert_array_equal(indices(told.stdout), indices(want))
