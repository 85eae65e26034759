"""What the density core is measured with: points as on a shop's page, and their exact density."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heatmap.page import FloatArray

Singles = NDArray[np.float32]

BUTTONS = 28
FIELDS = 9
PIXELS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Size:
    """A page, CSS pixels."""

    width_px: int
    height_px: int


DESKTOP = Size(1280, 4000)
PHONE = Size(390, 6000)


def crowd(count: int, size: Size, rng: np.random.Generator) -> Singles:
    """Clicks on a page: 45 % on buttons, 20 % on a form, 10 % in its head, 25 % anywhere."""
    on_buttons, on_form, in_head = int(0.45 * count), int(0.2 * count), int(0.1 * count)
    places = np.concatenate(
        (
            _buttons(on_buttons, size, rng),
            _form(on_form, size, rng),
            _head(in_head, size, rng),
            rng.uniform(
                (0, 0), (size.width_px, size.height_px), (count - on_buttons - on_form - in_head, 2)
            ),
        )
    )
    edge = np.nextafter(np.array((size.width_px, size.height_px), np.float32), np.float32(0))
    return np.clip(rng.permutation(places).astype(np.float32), 0, edge)


def _buttons(count: int, size: Size, rng: np.random.Generator) -> FloatArray:
    middle = rng.uniform((0.08, 0.02), (0.92, 0.9), (BUTTONS, 2)) * (size.width_px, size.height_px)
    extent = rng.uniform((40, 24), (160, 44), (BUTTONS, 2))
    liked = rng.pareto(1.3, BUTTONS) + 0.2
    chosen = rng.choice(BUTTONS, count, p=liked / liked.sum())
    return middle[chosen] + extent[chosen] * (0.22, 0.25) * rng.standard_normal((count, 2))


def _form(count: int, size: Size, rng: np.random.Generator) -> FloatArray:
    x = size.width_px * (0.45 + 0.3 * rng.beta(1.5, 3, count))
    y = 0.35 * size.height_px + 62 * rng.integers(0, FIELDS, count) + 8 * rng.standard_normal(count)
    return np.column_stack((x, y))


def _head(count: int, size: Size, rng: np.random.Generator) -> FloatArray:
    x = (rng.integers(0, 8, count) + 0.5) * size.width_px / 8 + 14 * rng.standard_normal(count)
    return np.column_stack((x, 32 + 9 * rng.standard_normal(count)))


def direct_sum(
    points: Singles, x_px: FloatArray, y_px: FloatArray, bandwidth_px: float
) -> FloatArray:
    """Sum every point's Gaussian at places (k,), without edge correction, in double precision."""
    order = np.argsort(points[:, 1])
    points = points[order].astype(np.float64)
    heat = np.empty(x_px.size)
    for row in np.unique(y_px):
        here = y_px == row
        # Beyond eight standard deviations a point adds less than 1e-14 of its peak.
        low, high = np.searchsorted(points[:, 1], (row - 8 * bandwidth_px, row + 8 * bandwidth_px))
        near = points[low:high]
        down = np.exp(-0.5 * ((near[:, 1] - row) / bandwidth_px) ** 2)
        across = np.exp(-0.5 * ((x_px[here][:, None] - near[:, 0]) / bandwidth_px) ** 2)
        heat[here] = across @ down
    return heat / (2 * np.pi * bandwidth_px**2)
