"""The density as its definition says, one mark after the other: slow, and right by inspection."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from heatmap.page import FloatArray


def naive_density(
    points_px: ArrayLike,
    weights: ArrayLike,
    x_px: FloatArray,
    y_px: FloatArray,
    bandwidth_px: float,
) -> FloatArray:
    """Direct sum over points without edge correction, at every (y, x)."""
    surface = np.zeros((y_px.size, x_px.size))
    for (x, y), weight in zip(np.asarray(points_px), np.asarray(weights), strict=True):
        surface += weight * np.outer(_gauss(y_px - y, bandwidth_px), _gauss(x_px - x, bandwidth_px))
    return surface


def naive_boxes(
    boxes_px: ArrayLike,
    weights: ArrayLike,
    x_px: FloatArray,
    y_px: FloatArray,
    bandwidth_px: float,
) -> FloatArray:
    """Direct sum over boxes with sides > 0: the kernel's integral over each, without correction."""
    surface = np.zeros((y_px.size, x_px.size))
    for (x0, y0, x1, y1), weight in zip(np.asarray(boxes_px), np.asarray(weights), strict=True):
        surface += weight * np.outer(
            _gauss_mean(y_px, y0, y1, bandwidth_px), _gauss_mean(x_px, x0, x1, bandwidth_px)
        )
    return surface


def mass_on_page(
    x_px: FloatArray, y_px: FloatArray, bandwidth_px: float, width_px: float, height_px: float
) -> FloatArray:
    """Kernel mass inside the page for kernels centred at every (y, x)."""
    inside_x = ndtr((width_px - x_px) / bandwidth_px) - ndtr(-x_px / bandwidth_px)
    inside_y = ndtr((height_px - y_px) / bandwidth_px) - ndtr(-y_px / bandwidth_px)
    return np.outer(inside_y, inside_x)


def _gauss(distance_px: FloatArray, sd_px: float) -> FloatArray:
    return np.asarray(
        np.exp(-0.5 * (distance_px / sd_px) ** 2) / (sd_px * np.sqrt(2 * np.pi)), np.float64
    )


def _gauss_mean(at_px: FloatArray, low_px: float, high_px: float, sd_px: float) -> FloatArray:
    inside = ndtr((high_px - at_px) / sd_px) - ndtr((low_px - at_px) / sd_px)
    return np.asarray(inside / (high_px - low_px), dtype=np.float64)
