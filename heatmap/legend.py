"""The legend: what a picture says in words and numbers, drawn beneath it.

It is a strip of white paper as wide as the picture. It stands beneath the page and not on it, so
that it hides nothing and every pixel of the map keeps its place.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from heatmap.colours import ColourTable
from heatmap.confetti import MAX_SEGMENTS, confetti_layer, confetti_rows
from heatmap.errors import PaletteError
from heatmap.layers import Layer, alone, extended
from heatmap.legend_layout import (
    GAP_PX,
    GUTTER_PX,
    Block,
    Column,
    Dot,
    Piece,
    Ramp,
    Rule,
    Word,
    colour_bar,
    facts_table,
    heading,
    key_rows,
)
from heatmap.lettering import BOLD, font
from heatmap.page import Page
from heatmap.png import continued, is_indexed, size_of
from heatmap.scale import TOP_LEVEL, Curve, Levels, levels

PAD_PX = 20.0
WIDE_PX = 640.0
"""From here on, at a grow of 1, the facts stand beside the bar instead of under it."""
LEFT_SHARE = 0.46

GROW_AT_PX = 860.0
MAX_GROW = 2.0
"""Letters grow with pages wider than this: such a picture is shown smaller than it is."""

PAPER_RGB = (255, 255, 255)
PAPER_INK_RGB = (28, 28, 34)
TONES = 16
BAR_STEPS = 48
"""Colours of the bar; with the tones of the letters they take a quarter of the palette."""

DOT_PX = 5.0
"""A sample of confetti is a little larger than on the page."""

ROUND_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True, eq=False)
class ColourBar:
    """A bar from no heat to full colour.

    table  (256, 4) uint8, the colours of the map's levels
    ticks  place along the bar, 0..1, and the number written there
    unit   what the numbers count, in words
    """

    table: ColourTable
    ticks: tuple[tuple[float, str], ...]
    unit: str


@dataclass(frozen=True, slots=True)
class Key:
    """One sample with what it stands for.

    sample   `solid` or `broken` line, or the number 0..7 of a segment of confetti
    label    its meaning
    """

    sample: Literal["solid", "broken"] | int
    label: str


@dataclass(frozen=True, slots=True, eq=False)
class Legend:
    """What is written beneath a picture; all words and numbers ready to be read.

    title     what the picture shows
    subtitle  of which page, say
    bar       how colour is to be read, if colour is a quantity
    keys      what lines and dots stand for
    facts     label and value of what the picture rests on
    """

    title: str
    subtitle: str = ""
    bar: ColourBar | None = None
    keys: tuple[Key, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()


def bar_ticks(full: float, curve: Curve, most: int = 5) -> tuple[tuple[float, float], ...]:
    """Choose round values for a colour bar, and where they lie on it.

    full     value of full colour, positive, in the unit that is written
    curve    `linear`, `sqrt` or `log`, see `heatmap.scale.Curve`
    most     round values at most, beside 0 and full
    Returns  (value, place along the bar 0..1), ascending, from 0 to full. On a logarithmic scale
             the values between are powers of ten, else multiples of a round step
    """
    if curve == "log":
        top = math.floor(math.log10(full))
        between = [10.0**power for power in range(top - most + 1, top + 1)]
        between = [value for value in between if full / 100 <= value < full]
    else:
        raw = full / most
        unit = 10.0 ** math.floor(math.log10(raw))
        step = next(unit * part for part in ROUND_STEPS if unit * part >= raw * (1 - 1e-9))
        between = [step * number for number in range(1, most + 1) if step * number < full]
    values = np.array([0.0, *between, full])
    places = levels(values, full, curve) / TOP_LEVEL
    return tuple(zip(values.tolist(), places.tolist(), strict=True))


def draw_legend(
    legend: Legend, *, width_px: int, dpr: int = 1, text: Mapping[str, str] | None = None
) -> bytes:
    """Draw a legend as a picture of its own.

    width_px  CSS pixels, as for `heatmap.overlay`; its height is what it takes
    dpr       device pixels per CSS pixel, 1 or 2
    text      texts for the PNG's metadata
    Returns   indexed PNG, opaque; the same bytes for the same input
    Raises    PageSizeError, TextError, PaletteError
    """
    return alone(legend_layer(legend, width_px=width_px, dpr=dpr), text)


def with_legend(png: bytes, legend: Legend, *, dpr: int = 1) -> bytes:
    """Put a legend under a picture, as wide as it is.

    png      PNG of this package: indexed, or RGB as `heatmap.png.laid_over` writes it
    dpr      device pixels per CSS pixel of the picture
    Returns  PNG of the same kind, with the same texts. The picture's pixels stay where they are;
             a map that uses more than three quarters of the palette is drawn in that many colours
    Raises   PictureError, TextError, PaletteError
    """
    columns, _ = size_of(png)
    strip = legend_layer(legend, width_px=columns // dpr, dpr=dpr)
    if is_indexed(png):
        return extended(png, strip)
    return continued(png, strip.table[strip.levels][:, :, :3])


def legend_layer(legend: Legend, *, width_px: int, dpr: int = 1) -> Layer:
    """Draw a legend; parameters and errors are those of `draw_legend`."""
    page = Page(width_px, 1, dpr)
    grow = min(max(width_px / GROW_AT_PX, 1.0), MAX_GROW) * dpr
    block = _arranged(legend, float(page.columns), grow)
    return _drawn(legend, block, Page(width_px, math.ceil(block.height / dpr), dpr), grow)


def _arranged(legend: Legend, width: float, grow: float) -> Block:
    """Put everything in its place, in one column or two, with white around it."""
    pad, gap = PAD_PX * grow, GAP_PX * grow
    room = width - 2 * pad
    wide = room >= WIDE_PX * grow
    left_room = room * LEFT_SHARE if wide and legend.facts else room
    left = Column(gap).add(heading(legend.title, legend.subtitle, left_room, grow))
    if legend.bar is not None:
        left.add(colour_bar(legend.bar.unit, legend.bar.ticks, left_room, grow))
    left.add(key_rows([(_sample(key, grow), key.label) for key in legend.keys], left_room, grow))
    if wide:
        aside = left_room + 1.6 * GUTTER_PX * grow
        facts = facts_table(legend.facts, room - aside, grow)
        both = Block(
            (*left.block().pieces, *facts.moved(aside, 0.0)), max(left.height, facts.height)
        )
    else:
        both = left.add(facts_table(legend.facts, room, grow)).block()
    edge = Rule(0.0, 0.0, width, max(round(grow), 1), 0.16)
    return Block((edge, *both.moved(pad, pad)), both.height + 2 * pad)


def _sample(key: Key, grow: float) -> tuple[Piece, ...]:
    if isinstance(key.sample, int):
        if not 0 <= key.sample < MAX_SEGMENTS:
            raise PaletteError(f"segments are numbered 0..{MAX_SEGMENTS - 1}, got {key.sample}")
        return (Dot(0.0, 0.0, key.sample),)
    line, half = 1.6 * grow, 8 * grow
    if key.sample == "solid":
        return (Rule(-half, -line / 2, 2 * half, line),)
    dash = 2 * half / 5
    return tuple(Rule(-half + 2 * n * dash, -line / 2, dash, line) for n in range(3))


def _drawn(legend: Legend, block: Block, page: Page, grow: float) -> Layer:
    mask = Image.new("L", (page.columns, page.rows))
    pen = ImageDraw.Draw(mask)
    for piece in block.pieces:
        _put(pen, piece)
    ink = np.asarray(mask)
    sheet: Levels = 1 + np.rint(ink * ((TONES - 1) / TOP_LEVEL)).astype(np.uint8)
    tables = [np.zeros((1, 4), dtype=np.uint8), _paper_rows()]
    if legend.bar is not None:
        first = sum(map(len, tables))
        for piece in block.pieces:
            if isinstance(piece, Ramp):
                _lay_bar(sheet, ink, piece, first)
        steps = np.rint(np.linspace(0, TOP_LEVEL, BAR_STEPS)).astype(int)
        tables.append(_on_paper(legend.bar.table[steps]))
    dots = [piece for piece in block.pieces if isinstance(piece, Dot)]
    if dots:
        first = sum(map(len, tables))
        for dot in dots:
            _lay_dot(sheet, dot, DOT_PX * grow, first)
        tables.append(_on_paper(confetti_rows()[1:]))
    return Layer(sheet, np.vstack(tables))


def _put(pen: ImageDraw.ImageDraw, piece: Piece) -> None:
    if isinstance(piece, Word):
        pen.text(
            (piece.x, piece.y),
            piece.text,
            round(piece.shade * TOP_LEVEL),
            font(piece.size),
            anchor="ls",
            stroke_width=BOLD * piece.size if piece.bold else 0.0,
        )
    elif isinstance(piece, Rule):
        x0, y0 = round(piece.x), round(piece.y)
        x1 = x0 + max(round(piece.width), 1) - 1
        y1 = y0 + max(round(piece.height), 1) - 1
        pen.rectangle((x0, y0, x1, y1), round(piece.shade * TOP_LEVEL))


def _lay_bar(sheet: Levels, ink: Levels, ramp: Ramp, first: int) -> None:
    """Colour the bar from left to right, but for its frame, which is ink."""
    top, left = round(ramp.y), round(ramp.x)
    bottom, right = top + round(ramp.height), left + round(ramp.width)
    steps = np.linspace(0, BAR_STEPS, right - left, endpoint=False).astype(np.uint8) + first
    free = ink[top:bottom, left:right] == 0
    np.copyto(sheet[top:bottom, left:right], steps.astype(np.uint8), where=free)


def _lay_dot(sheet: Levels, dot: Dot, radius: float, first: int) -> None:
    side = 2 * math.ceil(radius) + 7
    alone = confetti_layer(
        [(side / 2, side / 2)], [dot.segment], width_px=side, height_px=side, radius_px=radius
    ).levels
    top, left = round(dot.y) - side // 2, round(dot.x) - side // 2
    under = sheet[top : top + side, left : left + side]
    np.copyto(under, alone + np.uint8(first - 1), where=alone > 0)


def _paper_rows() -> ColourTable:
    ink = np.linspace(0, 1, TONES)[:, None]
    colour = (1 - ink) * PAPER_RGB + ink * PAPER_INK_RGB
    return _opaque(colour)


def _on_paper(table: ColourTable) -> ColourTable:
    """Give the colours as they look on the paper, opaque: so they look on a white page."""
    alpha = table[:, 3:] / TOP_LEVEL
    seen = table[:, :3] * alpha + np.array(PAPER_RGB) * (1 - alpha)
    return _opaque(seen)


def _opaque(colour: NDArray[np.float64]) -> ColourTable:
    table: ColourTable = np.full((len(colour), 4), TOP_LEVEL, dtype=np.uint8)
    table[:, :3] = np.rint(colour)
    return table
