"""What visitors did on the gallery's page: placed by a rule, so that no generator can change it."""

from __future__ import annotations

import math

import numpy as np

from heatmap.page import FloatArray

GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))

CLOUDS = (
    # middle, spread, how many, segment most of them belong to
    ((128.0, 101.0), (44.0, 8.0), 260, 0),
    ((112.0, 165.0), (34.0, 8.0), 420, 1),
    ((96.0, 229.0), (26.0, 8.0), 700, 2),
    ((168.0, 296.0), (36.0, 9.0), 330, 0),
    ((380.0, 200.0), (30.0, 26.0), 150, 3),
    ((236.0, 190.0), (190.0, 150.0), 70, 1),
)
"""The discount code is where they stall; a few wander everywhere."""

SEGMENTS = 4
STRANGERS = 3
"""Of so many marks of a cloud one belongs to another segment."""


def marks() -> FloatArray:
    """Give the marks of all clouds, (n, 2) CSS pixels."""
    return np.vstack([_cloud(middle, spread, count) for middle, spread, count, _ in CLOUDS])


def few(every: int) -> tuple[FloatArray, list[int]]:
    """Give every so-manieth mark, and its segment: confetti is read where dots are few."""
    numbers = [
        (main + (turn // STRANGERS) % SEGMENTS) % SEGMENTS if turn % STRANGERS == 0 else main
        for _, _, count, main in CLOUDS
        for turn in range(count)
    ]
    return marks()[::every], numbers[::every]


def depths(height_px: int) -> FloatArray:
    """Give how far 400 views came, CSS pixels: most saw the first window, few the end."""
    share = (np.arange(400) + 0.5) / 400
    return np.minimum(height_px, height_px * (0.45 + 0.62 * share**1.6))


def _cloud(middle: tuple[float, float], spread: tuple[float, float], count: int) -> FloatArray:
    """Give a Gaussian cloud by its quantiles along a spiral."""
    turn = np.arange(count) * GOLDEN_ANGLE
    radius = np.sqrt(-2 * np.log(1 - (np.arange(count) + 0.5) / count))
    ring = radius[:, None] * np.column_stack((np.cos(turn), np.sin(turn)))
    return np.asarray(np.array(middle) + ring * np.array(spread), dtype=np.float64)
