"""`python -m app.gallery docs/gallery` draws the gallery's pictures anew."""

from __future__ import annotations

import functools
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypedDict

import numpy as np
from babel.numbers import format_decimal
from PIL import Image, ImageDraw, ImageFont

from app.gallery.ground import BOXES, HEIGHT_PX, THEMES, WIDTH_PX, Theme, ground
from app.gallery.visits import SEGMENTS, depths, few, marks
from heatmap import density, overlay
from heatmap.colours import DEFAULT_PALETTE, diverging_rows, names, rows
from heatmap.confetti import confetti_layer
from heatmap.contours import contour_layer
from heatmap.fold import FoldLine, fold_layer
from heatmap.layers import Layer, alone, over
from heatmap.legend import ColourBar, Key, Legend, bar_ticks, with_legend
from heatmap.png import laid_over
from heatmap.reach import draw_reach
from heatmap.scale import Curve
from heatmap.zone_boxes import ZoneBox, zone_layer

BANDWIDTH_PX = 14.0
CELL_PX = 4.0
PHONE_PX, DESKTOP_PX = (390, 309), (1280, 1013)
GAP_PX, HEAD_PX = 12, 26
QUALITY = 90
"""Sheets are JPEG: they stand for what is seen, the PNGs beside them for what is delivered."""


class Size(TypedDict):
    """What every drawing function asks of the page."""

    width_px: int
    height_px: int


SIZE: Size = {"width_px": WIDTH_PX, "height_px": HEIGHT_PX}
CURVES: Mapping[Curve, str] = {"linear": "linear", "sqrt": "square root", "log": "logarithmic"}
ZONES = (
    ZoneBox(1, BOXES[1], 0.37, "2,1 s"),
    ZoneBox(2, BOXES[2], 0.6, "3,4 s"),
    ZoneBox(3, BOXES[3], 1.0, "5,7 s"),
    ZoneBox(4, BOXES[4], 0.47, "2,7 s"),
    ZoneBox(5, BOXES[5], 0.21, "1,2 s"),
)


def heat(palette: str = DEFAULT_PALETTE, scale: Curve = "linear", dpr: int = 1) -> bytes:
    """Draw the map that all sheets compare."""
    return overlay(
        marks(),
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
        bandwidth_px=BANDWIDTH_PX,
        palette=palette,
        scale=scale,
        dpr=dpr,
    )


def difference() -> bytes:
    """Draw two halves of the map against each other."""
    one, other = (
        density(marks()[part], cell_px=1.0, bandwidth_px=BANDWIDTH_PX, **SIZE)
        for part in (slice(0, 1100), slice(1100, None))
    )
    change = one - other
    share = change / np.abs(change).max()
    levels = np.rint(128 + 127 * share).astype(np.uint8)
    lines = contour_layer(share, cell_px=1.0, solid=(-0.5, 0.5), broken=(-0.2, 0.2), **SIZE)
    # Where nothing differs the table is transparent, but its index is not 0.
    return over(alone(Layer(levels, diverging_rows())), lines)


def contours(dpr: int = 1) -> bytes:
    """Draw the map with lines at half and a fifth of its peak."""
    surface = density(marks(), cell_px=CELL_PX, bandwidth_px=BANDWIDTH_PX, **SIZE)
    top = float(surface.max())
    lines = contour_layer(
        surface, cell_px=CELL_PX, solid=(top / 2,), broken=(top / 5,), dpr=dpr, **SIZE
    )
    return over(heat(dpr=dpr), lines)


def confetti() -> bytes:
    """Draw a part of the marks as dots."""
    points, segments = few(15)
    return alone(confetti_layer(points, segments, **SIZE))


def zones() -> bytes:
    """Draw the page's zones with their values."""
    return alone(zone_layer(ZONES, **SIZE))


def reach() -> bytes:
    """Draw how far views came, and where windows end."""
    lines = (
        FoldLine(196, "25% 196 px"),
        FoldLine(224, "50% 224 px", main=True),
        FoldLine(262, "75% 262 px"),
    )
    return over(draw_reach(depths(HEIGHT_PX), **SIZE).png, fold_layer(lines, **SIZE))


def sheet(rows_: Sequence[tuple[str, bytes]], themes: Sequence[Theme] = THEMES) -> Image.Image:
    """Lay pictures on every ground: one row each, with its name above."""
    wide = len(themes) * (WIDTH_PX + GAP_PX) + GAP_PX
    page = Image.new("RGB", (wide, len(rows_) * (HEIGHT_PX + HEAD_PX + GAP_PX)), (246, 246, 248))
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(16.0)
    for row, (name, png) in enumerate(rows_):
        top = row * (HEIGHT_PX + HEAD_PX + GAP_PX) + HEAD_PX
        pen.text((GAP_PX, top - 6), name, (40, 40, 46), font, anchor="ls")
        for column, theme in enumerate(themes):
            seen = _open(laid_over(_under(theme), png))
            page.paste(seen, (GAP_PX + column * (WIDTH_PX + GAP_PX), top))
    return page


def fine() -> Image.Image:
    """Show the same corner of a map at one and at two device pixels per CSS pixel."""
    corner = (30, 190, 290, 320)
    parts = []
    for dpr in (1, 2):
        whole = _open(laid_over(_under(THEMES[0], dpr), contours(dpr)))
        left, top, right, bottom = (edge * dpr for edge in corner)
        part = whole.crop((left, top, right, bottom))
        parts.append(part.resize((520, 260), Image.Resampling.NEAREST))
    page = Image.new("RGB", (2 * 520 + GAP_PX, 260), (246, 246, 248))
    page.paste(parts[0], (0, 0))
    page.paste(parts[1], (520 + GAP_PX, 0))
    return page


def legend(
    language: str,
    size: tuple[int, int] = (WIDTH_PX, HEIGHT_PX),
    keys: tuple[Key, ...] = (),
    bar: bool = True,
) -> Legend:
    """Give a legend such as the read API writes."""
    title, page, unit, labels, values = TOLD[language]
    ticks = tuple(
        (place, format_decimal(value, locale=language))
        for value, place in bar_ticks(3.72, "linear")
    )
    return Legend(
        title,
        page,
        ColourBar(rows(DEFAULT_PALETTE), ticks, unit) if bar else None,
        keys,
        tuple(zip(labels, (*values, "{} × {} px".format(*size)), strict=True)),
    )


TOLD = {
    "nl": (
        "Waar bezoekers blijven steken",
        "Afrekenen, Brandt & Boon",
        "seconden per bezoek, per 100 x 100 px",
        ("Bezoeken", "Paginaweergaven", "Dekking", "Periode", "Bandbreedte", "Schaal", "Lay-out"),
        (
            "987",
            "1.204",
            "84 %",
            "24 okt - 22 nov 2026",
            "14 px",
            "lineair",
        ),
    ),
    "en": (
        "Where visitors stall",
        "Checkout, Brandt & Boon",
        "seconds per visit, per 100 x 100 px",
        ("Visits", "Page views", "Coverage", "Period", "Bandwidth", "Scale", "Layout"),
        (
            "987",
            "1,204",
            "84%",
            "24 Oct - 22 Nov 2026",
            "14 px",
            "linear",
        ),
    ),
}
SEGMENT_KEYS = tuple(
    Key(number, name)
    for number, name in zip(
        range(SEGMENTS), ("phones", "tablets", "computers", "others"), strict=True
    )
)
LINE_KEYS = (Key("solid", "half of the peak"), Key("broken", "a fifth of the peak"))


def narrow(dpr: int) -> bytes:
    """Draw the map scaled to a phone's page, with its Dutch legend."""
    width, height = PHONE_PX
    points = marks() * (width / WIDTH_PX)
    png = overlay(points, width_px=width, height_px=height, bandwidth_px=BANDWIDTH_PX, dpr=dpr)
    size = (width * dpr, height * dpr)
    under = ground(THEMES[0], 2 * dpr).resize(size, Image.Resampling.LANCZOS)
    return with_legend(laid_over(_png(under), png), legend("nl", PHONE_PX), dpr=dpr)


def wide() -> bytes:
    """Draw the map scaled to a desktop's page, with its English legend: the overlay itself."""
    width, height = DESKTOP_PX
    grow = width / WIDTH_PX
    png = overlay(
        marks() * grow, width_px=width, height_px=height, bandwidth_px=BANDWIDTH_PX * grow
    )
    return with_legend(png, legend("en", DESKTOP_PX))


@functools.cache
def _under(theme: Theme, dpr: int = 1) -> bytes:
    return _png(ground(theme, dpr))


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _open(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


SHEETS: Mapping[str, Callable[[], Image.Image]] = {
    "palettes": lambda: sheet([(name, heat(name)) for name in names()]),
    "scales": lambda: sheet([(told, heat(scale=curve)) for curve, told in CURVES.items()]),
    "marks": lambda: sheet(
        [
            ("confetti, by device", confetti()),
            ("zones, seconds per visit", zones()),
            ("contours at a half and a fifth of the peak", contours()),
            ("scroll reach and the fold", reach()),
            ("a difference: vik, with contours", difference()),
        ]
    ),
}
PICTURES: Mapping[str, Callable[[], bytes]] = {
    "fine": lambda: _png(fine()),
    "legend-390": lambda: narrow(1),
    "legend-390@2x": lambda: narrow(2),
    "legend-1280": wide,
    "legend-confetti": lambda: with_legend(
        laid_over(_under(THEMES[0]), confetti()), legend("en", keys=SEGMENT_KEYS, bar=False)
    ),
    "legend-contours": lambda: with_legend(
        laid_over(_under(THEMES[0]), contours()), legend("en", keys=LINE_KEYS)
    ),
    **{f"overlay-{name}": functools.partial(heat, name) for name in names()},
}


def main(directory: Path) -> None:
    """Write every picture."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, draw in SHEETS.items():
        draw().save(directory / f"{name}.jpg", quality=QUALITY, subsampling=0, optimize=True)
    for name, picture in PICTURES.items():
        (directory / f"{name}.png").write_bytes(picture())
    for path in sorted(directory.iterdir()):
        sys.stdout.write(f"{path} {path.stat().st_size // 1024} kB\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/gallery"))
