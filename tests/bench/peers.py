"""What the density core is compared with: the ways people make a heatmap in Python.

Every peer gets the same float32 points and gives PNG bytes of a transparent picture of the page,
and every one may use one thread. `gloed` is the product.

- `opencv`: the fastest histogram of whole pixels there is (`np.bincount` of flat indices), made
  float32; `cv2.GaussianBlur` of the same standard deviation with the kernel size OpenCV chooses for
  it; scaled to bytes, `cv2.applyColorMap`, alpha by `cv2.LUT`, `cv2.imencode` with its defaults.
- `kdepy`: `KDEpy.FFTKDE` on a grid of about 4 px (of every pixel it takes twenty times as long),
  resized by Pillow, colours by a table, PNG at Pillow's fastest level.
- `datashader`: `Canvas.points`, scipy's `gaussian_filter`, `transfer_functions.shade`, its own PNG.
- `recipe`: `np.histogram2d`, `scipy.ndimage.gaussian_filter`, a colour table, Pillow's PNG: what
  most answers to the question show.

`floor` is no peer: it reads the points once and deflates the lines of the finished picture, which
no way of drawing it could leave out.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import cv2
import datashader
import numpy as np
import pandas
import xarray
from datashader import transfer_functions
from KDEpy import FFTKDE
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from heatmap import overlay
from heatmap.deflate import deflate
from heatmap.scale import Levels
from tests.bench.crowd import Singles, Size

Draw = Callable[[Singles, Size, float], bytes]

KDEPY_CELL_PX = 4
FASTEST = 1
"""Of Pillow's levels of compression."""

ALPHA = np.clip(np.arange(256) * 3, 0, 204).astype(np.uint8)
INFERNO = cv2.applyColorMap(np.arange(256, dtype=np.uint8), cv2.COLORMAP_INFERNO).reshape(-1, 3)
COLOURS = np.column_stack((INFERNO[:, ::-1], ALPHA))

cv2.setNumThreads(1)


def gloed(points: Singles, size: Size, bandwidth_px: float) -> bytes:
    return overlay(
        points, width_px=size.width_px, height_px=size.height_px, bandwidth_px=bandwidth_px
    )


def opencv(points: Singles, size: Size, bandwidth_px: float) -> bytes:
    place = points.astype(np.int32)
    cell = place[:, 1] * size.width_px + place[:, 0]
    counts = np.bincount(cell, minlength=size.width_px * size.height_px)
    grid = counts.reshape(size.height_px, size.width_px).astype(np.float32)
    heat = cv2.GaussianBlur(grid, (0, 0), bandwidth_px, borderType=cv2.BORDER_CONSTANT)
    levels = cv2.convertScaleAbs(heat, alpha=255 / float(heat.max()))
    colour = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)
    picture = cv2.merge((*cv2.split(colour), cv2.LUT(levels, ALPHA)))
    done, png = cv2.imencode(".png", picture)
    assert done
    return bytes(png)


def kdepy(points: Singles, size: Size, bandwidth_px: float) -> bytes:
    columns, rows = size.width_px // KDEPY_CELL_PX, size.height_px // KDEPY_CELL_PX
    # Its grid must reach past every point.
    x, y = np.linspace(-1, size.width_px + 1, columns), np.linspace(-1, size.height_px + 1, rows)
    places = np.column_stack((np.repeat(x, rows), np.tile(y, columns)))
    heat = FFTKDE(kernel="gaussian", bw=bandwidth_px).fit(points.astype(np.float64))(places)
    small = Image.fromarray(heat.reshape(columns, rows).T.astype(np.float32))
    full = small.resize((size.width_px, size.height_px), Image.Resampling.BICUBIC)
    return _coloured(np.asarray(full))


def with_datashader(points: Singles, size: Size, bandwidth_px: float) -> bytes:
    canvas = datashader.Canvas(
        size.width_px, size.height_px, (0, size.width_px), (0, size.height_px)
    )
    frame = pandas.DataFrame(points, columns=["x", "y"], copy=False)
    counts = canvas.points(frame, "x", "y")
    heat = gaussian_filter(counts.to_numpy().astype(np.float32), bandwidth_px, mode="constant")
    raster = xarray.DataArray(heat, coords=counts.coords, dims=counts.dims)
    colours = [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in COLOURS[::16, :3]]
    image = transfer_functions.shade(raster, cmap=colours, how="linear")
    return bytes(image.to_bytesio().getvalue())


def recipe(points: Singles, size: Size, bandwidth_px: float) -> bytes:
    heat, _, _ = np.histogram2d(
        points[:, 1],
        points[:, 0],
        bins=(size.height_px, size.width_px),
        range=((0, size.height_px), (0, size.width_px)),
    )
    return _coloured(gaussian_filter(heat, bandwidth_px, mode="constant"))


def floor(points: Singles, levels: Levels) -> bytes:
    points.sum()
    return deflate(levels)


def _coloured(heat: NDArray[np.floating]) -> bytes:
    levels = np.clip(heat * (255 / heat.max()) + 0.5, 0, 255).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(COLOURS[levels]).save(out, "PNG", compress_level=FASTEST)
    return out.getvalue()


PEERS: dict[str, Draw] = {
    "opencv": opencv,
    "kdepy": kdepy,
    "datashader": with_datashader,
    "recipe": recipe,
}
