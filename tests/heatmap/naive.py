"""The density as its definition says, one mark after the other: slow, and right by inspection."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from heatmap.page import FloatArray
from heatmap.smoothing import Edge

PIECES_PER_BANDWIDTH = 50
"""A box is strewn with so many points to each bandwidth of a side: the rule of midpoints then errs
by less than 1/50,000."""


def double_loop(
    points_px: Iterable[Sequence[float]],
    weights: Iterable[float],
    x_px: Iterable[float],
    y_px: Iterable[float],
    bandwidth_px: float,
    size_px: tuple[float, float],
    edge: Edge,
) -> FloatArray:
    """Heat at every place (y, x), summed over all points; nothing but the standard library."""
    width_px, height_px = size_px
    marks = list(zip(points_px, weights, strict=True))

    def inside(x: float, y: float) -> float:
        return _mass(x, width_px, bandwidth_px) * _mass(y, height_px, bandwidth_px)

    def heat(at_x: float, at_y: float) -> float:
        total = 0.0
        for (x, y), weight in marks:
            squared = (at_x - x) ** 2 + (at_y - y) ** 2
            kernel = math.exp(-squared / (2 * bandwidth_px**2)) / (2 * math.pi * bandwidth_px**2)
            total += weight * kernel / (inside(x, y) if edge == "diggle" else 1.0)
        return total / (inside(at_x, at_y) if edge == "uniform" else 1.0)

    columns = list(x_px)
    return np.array([[heat(at_x, at_y) for at_x in columns] for at_y in y_px])


def _mass(at: float, length: float, sd: float) -> float:
    """Share of a normal distribution around `at` that lies within 0..length."""
    scale = sd * math.sqrt(2)
    return (math.erf((length - at) / scale) + math.erf(at / scale)) / 2


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


@dataclass(frozen=True, slots=True)
class NaivePage:
    """A page and a bandwidth, on which points and boxes are summed with every edge correction."""

    width_px: float
    height_px: float
    bandwidth_px: float

    def surface(
        self,
        points_px: ArrayLike,
        weights: ArrayLike,
        boxes_px: ArrayLike,
        box_weights: ArrayLike,
        x_px: FloatArray,
        y_px: FloatArray,
        edge: Edge,
    ) -> FloatArray:
        """Marks inside the page, at every (y, x); boxes are strewn with points."""
        surface = np.zeros((y_px.size, x_px.size))
        along_x = self._along(x_px, self.width_px, edge)
        along_y = self._along(y_px, self.height_px, edge)
        boxes = np.reshape(np.asarray(boxes_px, dtype=np.float64), (-1, 4))
        points = np.reshape(np.asarray(points_px, dtype=np.float64), (-1, 2))
        corners = np.vstack((np.hstack((points, points)), boxes))
        every = np.concatenate((np.asarray(weights), np.asarray(box_weights)))
        for (x0, y0, x1, y1), weight in zip(corners, every, strict=True):
            surface += weight * np.outer(along_y(y0, y1), along_x(x0, x1))
        if edge == "uniform":
            surface /= mass_on_page(x_px, y_px, self.bandwidth_px, self.width_px, self.height_px)
        return surface

    def _along(
        self, at_px: FloatArray, length_px: float, edge: Edge
    ) -> Callable[[float, float], FloatArray]:
        sd = self.bandwidth_px

        def mean(low_px: float, high_px: float) -> FloatArray:
            count = max(1, math.ceil((high_px - low_px) / sd * PIECES_PER_BANDWIDTH))
            strewn = low_px + (np.arange(count) + 0.5) / count * (high_px - low_px)
            if high_px == low_px:
                strewn = np.array([low_px])
            kernel = _gauss(at_px[:, None] - strewn, sd)
            if edge == "diggle":
                kernel /= ndtr((length_px - strewn) / sd) - ndtr(-strewn / sd)
            return np.asarray(kernel.mean(axis=1))

        return mean


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
