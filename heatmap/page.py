"""The page that is drawn: its size in CSS pixels and how fine its picture is."""

from __future__ import annotations

import operator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heatmap.errors import PageSizeError

FloatArray = NDArray[np.float64]
"""Every array of lengths, weights and intensities in this package."""

MAX_WIDTH_PX = 4_000
MAX_HEIGHT_PX = 32_000
MAX_PIXELS = 40_000_000
"""Of the picture, so after dpr: one byte each while drawing, four in the browser that shows it."""

DPRS = (1, 2)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of width_px x height_px CSS pixels, drawn with dpr device pixels to each.

    Raises PageSizeError unless 1 <= width_px <= 4,000, 1 <= height_px <= 32,000, dpr is 1 or 2
    and the picture has at most 40 million device pixels.
    """

    width_px: int
    height_px: int
    dpr: int = 1

    def __post_init__(self) -> None:
        """Refuse what has no size or too much of it."""
        _check_length("width_px", self.width_px, MAX_WIDTH_PX)
        _check_length("height_px", self.height_px, MAX_HEIGHT_PX)
        if self.dpr not in DPRS:
            raise PageSizeError(f"dpr must be 1 or 2, got {self.dpr!r}")
        if self.columns * self.rows > MAX_PIXELS:
            raise PageSizeError(
                f"a picture of {self.columns} x {self.rows} px is above {MAX_PIXELS:,} px:"
                " draw a part of the page, or with dpr 1"
            )

    @property
    def columns(self) -> int:
        """Width of the picture in device pixels."""
        return int(self.width_px) * self.dpr

    @property
    def rows(self) -> int:
        """Height of the picture in device pixels."""
        return int(self.height_px) * self.dpr

    def pixel_centres(self) -> tuple[FloatArray, FloatArray]:
        """Give x (columns,) and y (rows,) of the device pixels' centres, in CSS pixels."""
        return (np.arange(self.columns) + 0.5) / self.dpr, (np.arange(self.rows) + 0.5) / self.dpr


def _check_length(name: str, value: int, limit: int) -> None:
    try:
        length = operator.index(value)
    except TypeError:
        raise PageSizeError(f"{name} must be a whole number of CSS pixels, got {value!r}") from None
    if not 1 <= length <= limit:
        raise PageSizeError(f"{name} must be between 1 and {limit:,} CSS pixels, got {length}")
