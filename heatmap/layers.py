"""Parts of an indexed picture: laid over each other without ever leaving the palette."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heatmap.colours import ColourTable, with_ink
from heatmap.errors import PictureError
from heatmap.page import FloatArray
from heatmap.png import STAMP_TONES, decode, encode, stamped
from heatmap.scale import TOP_LEVEL, Levels

COLOURS = TOP_LEVEL + 1

HALVINGS = 30
"""Of the interval in which the stride lies that thins colours out: to a millionth of a level."""

PIXELS_AT_ONCE = 1 << 20
"""Counted in one go: numpy counts bytes as eight-byte integers."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Marks to lay over a page, or over another map of it.

    levels  (rows, columns) uint8, device pixels: index into the table, 0 where there is nothing
    table   (k, 4) uint8 red, green, blue, alpha of each index, k <= 256; row 0 is transparent
    """

    levels: Levels
    table: ColourTable


def alone(layer: Layer, text: Mapping[str, str] | None = None) -> bytes:
    """Write a layer as an indexed PNG; TextError as for `heatmap.png.encode`."""
    return encode(layer.levels, padded(layer.table), text)


def over(png: bytes, layer: Layer) -> bytes:
    """Lay a layer over an indexed PNG, and keep the PNG's texts.

    png      as written by `heatmap.png.encode`, of the layer's size
    Returns  indexed PNG, see `merged`
    Raises   PictureError for another size, or bytes that are no indexed PNG
    """
    under = decode(png)
    return alone(merged(Layer(under.levels, under.table), layer), under.text)


def extended(png: bytes, strip: Layer) -> bytes:
    """Put a strip of the same width under an indexed PNG; the errors are those of `over`."""
    picture = decode(png)
    if picture.levels.shape[1] != strip.levels.shape[1]:
        raise PictureError(
            f"a strip {strip.levels.shape[1]} px wide cannot lie under a picture of"
            f" {picture.levels.shape[1]} px: draw both for the same page and dpr"
        )
    upper = with_room(Layer(picture.levels, picture.table), len(strip.table) - 1)
    levels = np.vstack((upper.levels, _lifted(strip, len(upper.table) - 1)))
    return encode(levels, padded(np.vstack((upper.table, strip.table[1:]))), picture.text)


def stamp_layer(word: str, rows: int, columns: int, dpr: int) -> Layer:
    """Write a word slantwise all over a page of so many device pixels.

    word     1..24 printable characters
    Returns  Layer of STAMP_TONES + 1 colours
    Raises   TextError as for `heatmap.png.stamped`
    """
    below = TOP_LEVEL - STAMP_TONES
    inked = stamped(np.zeros((rows, columns), dtype=np.uint8), word, dpr)
    table = with_ink(np.zeros((COLOURS, 4), dtype=np.uint8), STAMP_TONES)[below:]
    return Layer(np.maximum(inked, np.uint8(below)) - np.uint8(below), table)


def merged(below: Layer, above: Layer) -> Layer:
    """Lay one layer over another of the same size; where both hold something `above` is seen.

    If 256 colours do not suffice those of `below` are thinned out, see `with_room`.
    Raises   PictureError for layers of different sizes
    """
    if below.levels.shape != above.levels.shape:
        raise PictureError(
            f"a layer of {above.levels.shape} cannot lie over one of {below.levels.shape}:"
            " draw both for the same page and dpr"
        )
    under = with_room(below, len(above.table) - 1)
    lifted = _lifted(above, len(under.table) - 1)
    levels = np.where(above.levels > 0, lifted, under.levels)
    return Layer(levels, np.vstack((under.table, above.table[1:])))


def with_room(layer: Layer, wanted: int) -> Layer:
    """Give a layer with only the colours it needs, and at least `wanted` of 256 left over.

    wanted   0..254
    Returns  the layer in the colours it uses; if they are too many, those that differ least from
             their neighbours in the table are joined, so that a ramp of heat stays a ramp and
             the few tones of a stamp stay what they are. The first and the last always stay
    """
    used = np.flatnonzero(_counts(layer.levels))
    along = _along(layer.table[used])
    kept = _kept(along, COLOURS - wanted)
    middle = (along[kept][1:] + along[kept][:-1]) / 2
    place = np.zeros(COLOURS, dtype=np.uint8)
    place[used] = np.searchsorted(middle, along)
    return Layer(place[layer.levels], layer.table[used[kept]])


def _along(table: ColourTable) -> FloatArray:
    """Give the way from the first colour to each, as it is seen: the largest change of a channel.

    Colours that are hardly opaque differ little. Each row adds a hair, so that equal ones keep
    their order.
    """
    seen = table[:, :3] * (table[:, 3:] / TOP_LEVEL)
    steps = np.abs(np.diff(np.column_stack((seen, table[:, 3])), axis=0)).max(axis=1, initial=0)
    return np.concatenate(([0.0], np.cumsum(steps + 1 / COLOURS)))


def _kept(along: FloatArray, room: int) -> NDArray[np.intp]:
    """Choose at most `room` places so that the widest gap between neighbours is small."""
    if len(along) <= room:
        return np.arange(len(along))
    low, high = 0.0, float(along[-1])
    for _ in range(HALVINGS):
        pace = (low + high) / 2
        low, high = (low, pace) if len(_walk(along, pace)) <= room else (pace, high)
    return np.array(_walk(along, high))


def _walk(along: FloatArray, pace: float) -> list[int]:
    """Give the places met by going down from the last one in strides of at least `pace`."""
    places = [len(along) - 1]
    for place in range(len(along) - 2, 0, -1):
        if along[places[-1]] - along[place] >= pace and along[place] >= pace:
            places.append(place)
    return [0, *reversed(places)]


def padded(table: ColourTable) -> ColourTable:
    """Give the table with transparent rows up to 256."""
    return np.pad(table, ((0, COLOURS - len(table)), (0, 0)))


def _lifted(layer: Layer, by: int) -> Levels:
    return (np.arange(len(layer.table)) + by).astype(np.uint8)[layer.levels]


def _counts(levels: Levels) -> NDArray[np.intp]:
    flat = levels.reshape(-1)
    counts = np.zeros(COLOURS, dtype=np.intp)
    for first in range(0, flat.size, PIXELS_AT_ONCE):
        counts += np.bincount(flat[first : first + PIXELS_AT_ONCE], minlength=COLOURS)
    return counts
