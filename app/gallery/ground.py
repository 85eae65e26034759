"""A checkout page that nobody has to ask for: drawn here, on white, on dark and on a photograph."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

WIDTH_PX, HEIGHT_PX = 480, 380
FINER = 3

Colour = tuple[int, int, int]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Theme:
    """A page's colours; without a paper a photograph is behind everything."""

    name: str
    paper: Colour | None
    card: Colour | None
    line: Colour
    ink: Colour
    quiet: Colour
    button: Colour
    on_button: Colour


THEMES = (
    Theme(
        "white",
        (255, 255, 255),
        (255, 255, 255),
        (214, 214, 220),
        (34, 34, 40),
        (112, 112, 122),
        (31, 77, 63),
        (255, 255, 255),
    ),
    Theme(
        "dark",
        (18, 19, 23),
        (28, 30, 36),
        (62, 65, 76),
        (232, 232, 238),
        (150, 152, 164),
        (223, 230, 240),
        (18, 19, 23),
    ),
    Theme(
        "photograph",
        None,
        None,
        (240, 240, 240),
        (255, 255, 255),
        (232, 232, 232),
        (250, 250, 250),
        (34, 34, 40),
    ),
)

BOXES = {
    1: (40.0, 84.0, 280.0, 118.0),
    2: (40.0, 148.0, 280.0, 182.0),
    3: (40.0, 212.0, 280.0, 246.0),
    4: (40.0, 274.0, 280.0, 316.0),
    5: (306.0, 84.0, 446.0, 246.0),
}
"""Of the page's zones: three fields, the pay button and the order; CSS pixels."""


@functools.cache
def ground(theme: Theme, dpr: int = 1) -> Image.Image:
    """Draw the page, RGB; finer than asked for, so that its corners and letters are smooth."""
    fine = dpr * FINER
    size = WIDTH_PX * fine, HEIGHT_PX * fine
    if theme.paper is None:
        sheet = Image.fromarray(photograph()).resize(size, Image.Resampling.BICUBIC)
    else:
        sheet = Image.new("RGB", size, theme.paper)
    pen = ImageDraw.Draw(sheet)

    def write(x: float, y: float, text: str, height: float, colour: Colour) -> None:
        font = ImageFont.load_default(height * fine)
        pen.text((x * fine, y * fine), text, colour, font, anchor="ls")

    def box(number: int, fill: Colour | None, line: Colour) -> None:
        x0, y0, x1, y1 = (edge * fine for edge in BOXES[number])
        pen.rounded_rectangle((x0, y0, x1, y1), 6 * fine, fill, line, fine)

    write(40, 46, "Afrekenen", 24, theme.ink)
    for number, label, value in (
        (1, "E-mailadres", "anna@voorbeeld.nl"),
        (2, "Postcode en huisnummer", "7411 AB  12"),
        (3, "Kortingscode", "Vul je code in"),
    ):
        x, y, _, _ = BOXES[number]
        write(x, y - 7, label, 12, theme.quiet)
        box(number, theme.card, theme.line)
        write(x + 12, y + 22, value, 14, theme.ink if number < 3 else theme.quiet)
    box(4, theme.button, theme.button)
    write(118, 301, "Bestel en betaal", 15, theme.on_button)
    box(5, theme.card, theme.line)
    lines = ("Je bestelling", "2 x Sidamo", "1 x Filterkan", "Verzending", "Totaal")
    for row, (line, price) in enumerate(
        zip(lines, ("", "19,00", "24,50", "4,95", "48,45"), strict=True)
    ):
        strong = row in (0, 4)
        write(
            318, 110 + 29 * row, line, 14 if strong else 12.5, theme.ink if strong else theme.quiet
        )
        write(402, 110 + 29 * row, price, 13, theme.ink)
    write(40, 350, "Veilig betalen met iDEAL, kaart of achteraf", 12, theme.quiet)
    return sheet.reduce(FINER)


def photograph() -> Pixels:
    """Give something like a photograph: hills under an evening sky, out of focus, with grain."""
    y, x = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX] / WIDTH_PX
    sky = np.stack((86 + 150 * y, 104 + 70 * y, 140 - 20 * y), axis=2)
    picture = sky
    for depth, (level, colour) in enumerate(
        ((0.38, (88, 96, 92)), (0.5, (62, 78, 58)), (0.64, (38, 50, 34)))
    ):
        ridge = level + 0.05 * np.sin(7 * x + 2 * depth) + 0.02 * np.sin(23 * x + depth)
        cover = np.clip((y - ridge) * 40, 0, 1)[..., None]
        shaded = np.array(colour) * (1.25 - 0.5 * y)[..., None]
        picture = picture * (1 - cover) + shaded * cover
    sun = np.exp(-((x - 0.72) ** 2 + (y - 0.22) ** 2) / 0.012)[..., None]
    picture = picture + sun * (150, 110, 50)
    # Waves that do not fit into each other stand for leaves: the same on every machine.
    leaves = sum(
        np.sin(pace * x + 1.7 * np.sin(0.61 * pace * y + turn))
        * np.sin(0.83 * pace * y + 5 * turn * x)
        for turn, pace in enumerate((61.0, 97.0, 151.0, 233.0), start=1)
    )
    picture = picture + (leaves * 7 * np.clip((y - 0.42) * 4, 0.08, 1))[..., None]
    pixels: Pixels = np.clip(picture, 0, 255).astype(np.uint8)
    return pixels
