"""Tables of 256 colours with their transparency: what a level of heat looks like.

Every palette runs from light to dark while it becomes more opaque. More heat is then darker on
white pages, also in grey print and for eyes that tell few hues apart, and on dark pages it comes
forward, because what shines through there is dark. `classic` alone does not keep to this: it is
the rainbow that people know from other heatmaps, in which yellow shines out between two darker
colours. It is there to compare with.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from heatmap.errors import PaletteError
from heatmap.palettes import RAINBOWS, arms, diverging_names, names, stops
from heatmap.scale import TOP_LEVEL

__all__ = [
    "DEFAULT_DIVERGING",
    "DEFAULT_OPACITY",
    "DEFAULT_PALETTE",
    "NO_CHANGE_LEVEL",
    "RAINBOWS",
    "ColourTable",
    "css_gradient",
    "diverging_names",
    "diverging_rows",
    "names",
    "rows",
    "with_ink",
]

ColourTable = NDArray[np.uint8]
"""(256, 4): red, green, blue, alpha of each level."""

DEFAULT_PALETTE = "lajolla"
DEFAULT_DIVERGING = "vik"

DEFAULT_OPACITY = 0.75
"""Of full colour: the hottest button's label keeps a contrast of 2 to 1, and is read through it."""

HAZE = 0.12
"""Share of full colour below which transparency closes softly: without it the wide, faint skirt of
every hot spot and each lone mark tint the page, on dark pages like dirt."""
BODY = 1.6
"""Above the haze alpha is 1 - (1 - s)^1.6 of full: steep enough for middle heat to be seen on
white, and not so steep that the flanks of a hot spot become as opaque as its middle, which on dark
pages then looks like a hole."""

NO_CHANGE_LEVEL = 128
"""Level of a diverging table where nothing differs; 1 is the most less, 255 the most more."""

_INK_RGB = (34, 34, 38)
_HALO_RGB = (255, 255, 255)
_INK_ALPHA = 80
"""A stamp is read on white and on dark pages (dark letters, light outline), and the page's own
words, which are as dark, are read through it."""


def rows(name: str, opacity: float = DEFAULT_OPACITY) -> ColourTable:
    """Give the colour of each level.

    name     one of `names()`
    opacity  alpha of full colour, 0..1
    Returns  (256, 4) uint8: red, green, blue, alpha; alpha begins at 0 and never falls
    Raises   PaletteError for an unknown name or an opacity outside 0..1
    """
    share = np.linspace(0, 1, TOP_LEVEL + 1)
    return _table(_between(stops(name), share), _alpha(share, opacity))


def diverging_rows(name: str = DEFAULT_DIVERGING, opacity: float = DEFAULT_OPACITY) -> ColourTable:
    """Give the colour of each level of a difference, from less over nothing to more.

    name     one of `diverging_names()`
    opacity  alpha of full colour, 0..1
    Returns  (256, 4) uint8: red, green, blue, alpha. Row NO_CHANGE_LEVEL is transparent, and rows
             as far above as below it are equally opaque; row 0 is like row 1
    Raises   PaletteError for an unknown name or an opacity outside 0..1
    """
    less, more = arms(name)
    span = TOP_LEVEL - NO_CHANGE_LEVEL
    signed = np.clip((np.arange(TOP_LEVEL + 1) - NO_CHANGE_LEVEL) / span, -1, 1)
    share = np.abs(signed)
    colour = np.where(signed[:, None] < 0, _between(less, share), _between(more, share))
    return _table(colour, _alpha(share, opacity))


def css_gradient(name: str, opacity: float = DEFAULT_OPACITY) -> list[str]:
    """Give evenly spaced stops (`#rrggbbaa`, from no heat to full colour) for a legend in CSS.

    They carry the map's transparency, so that a legend on the page's colour shows what is seen.
    """
    steps = rows(name, opacity)[:: (TOP_LEVEL // 15)]
    return [f"#{bytes(step).hex()}" for step in steps]


def with_ink(table: ColourTable, tones: int) -> ColourTable:
    """Give the table with its top rows made the tones of a stamp.

    tones    even: the lower half leads from nothing to the outline, the upper half from the
             outline to the letters, so that both have smooth borders
    Returns  (256, 4) uint8; rows 256 - tones and above are the stamp's
    """
    step = np.arange(1, tones + 1) / (tones / 2)
    letter = np.clip(step - 1, 0, 1)[:, None]
    inked = table.copy()
    inked[-tones:, :3] = np.rint((1 - letter) * _HALO_RGB + letter * _INK_RGB)
    inked[-tones:, 3] = np.rint(np.clip(step, 0, 1) * _INK_ALPHA)
    return inked


def _between(colours: NDArray[np.float64], share: NDArray[np.float64]) -> NDArray[np.float64]:
    places = np.linspace(0, 1, len(colours))
    return np.stack([np.interp(share, places, colours[:, part]) for part in range(3)], axis=1)


def _alpha(share: NDArray[np.float64], opacity: float) -> NDArray[np.float64]:
    """Give the alpha of each share of full colour: 0 with no slope at none, never falling."""
    if not 0 <= opacity <= 1:
        raise PaletteError(f"opacity must be between 0 and 1, got {opacity!r}")
    haze = np.clip(share / HAZE, 0, 1)
    body = 1 - (1 - share) ** BODY
    return np.asarray(TOP_LEVEL * opacity * body * haze**2 * (3 - 2 * haze))


def _table(colour: NDArray[np.float64], alpha: NDArray[np.float64]) -> ColourTable:
    return np.rint(np.column_stack((colour, alpha))).astype(np.uint8)
