"""Formulas that the product rejects, kept to check its parts against: they take marks for
independent, which the stalls of one visit are not.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtr

from heatmap.bandwidth import effective_count
from heatmap.contrasting import log_ratio
from heatmap.exact import exact_density
from heatmap.marks import gather
from heatmap.page import FloatArray, Page
from heatmap.smoothing import mass_inside

Group = tuple[FloatArray, FloatArray, FloatArray]
"""x, y and weight of one group's marks."""


def ratio_surface(
    first: Group, second: Group, h: float, page: Page, nx: int, ny: int
) -> FloatArray:
    """Logarithm of the ratio of two densities, each 1 in sum."""
    return log_ratio(_density(first, h, page, nx, ny), _density(second, h, page, nx, ny))


def upper_tail(first: Group, second: Group, h: float, page: Page, nx: int, ny: int) -> FloatArray:
    """Asymptotic p of the ratio (Hazelton & Davies 2009, Biometrical Journal 51, 98-109)."""
    counts = [effective_count(weight) for _, _, weight in (first, second)]
    pooled = tuple(
        np.concatenate(parts)
        for parts in zip(
            *(
                (x, y, weight / weight.sum() * n)
                for (x, y, weight), n in zip((first, second), counts, strict=True)
            ),
            strict=True,
        )
    )
    x_px, y_px = centres(page, nx, ny)
    inside, narrow = (
        np.outer(mass_inside(y_px, sd, page.height_px), mass_inside(x_px, sd, page.width_px))
        for sd in (h, h / math.sqrt(2))
    )
    variance = narrow / (4 * math.pi * inside**2) * sum(1 / n for n in counts)
    error = np.sqrt(variance / (h**2 * _density(pooled, h, page, nx, ny)))  # type: ignore[arg-type]
    p = ndtr(-ratio_surface(first, second, h, page, nx, ny) / error)
    return np.asarray(p, dtype=np.float64)


def squared_distance(first: Group, second: Group, h: float) -> float:
    """Integral over the plane of (f1 - f2)^2 with kernels of h / sqrt(2)."""
    shares = [(x, y, weight / weight.sum()) for x, y, weight in (first, second)]
    one, two, both = (
        _product(*pair, h)
        for pair in ((shares[0], shares[0]), (shares[1], shares[1]), (shares[0], shares[1]))
    )
    return one + two - 2 * both


def centres(page: Page, nx: int, ny: int) -> tuple[FloatArray, FloatArray]:
    return (
        (np.arange(nx) + 0.5) * page.width_px / nx,
        (np.arange(ny) + 0.5) * page.height_px / ny,
    )


def _density(group: Group, h: float, page: Page, nx: int, ny: int) -> FloatArray:
    x, y, weight = group
    marks = gather(np.column_stack((x, y)), weight)
    surface = exact_density(marks, page, *centres(page, nx, ny), h, "uniform")
    cell = page.width_px / nx * page.height_px / ny
    return np.asarray(surface / (surface.sum() * cell), dtype=np.float64)


def _product(first: Group, second: Group, h: float) -> float:
    (x1, y1, w1), (x2, y2, w2) = first, second
    apart = (x1[:, None] - x2) ** 2 + (y1[:, None] - y2) ** 2
    return float(w1 @ np.exp(-apart / (2 * h**2)) @ w2) / (2 * math.pi * h**2)
