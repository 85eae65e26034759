"""Tables of 256 colours with their transparency: what a level of heat looks like.

Every palette runs from light to dark, so that it reads on the white pages most shops have, and
ends well before black, so that its hottest colour still stands out from a dark page. Their
lightness falls from row to row: more heat is darker also in grey print and for eyes that tell few
hues apart. `classic` alone does not keep to this: it is the rainbow that people know from other
heatmaps, in which yellow shines out between two darker colours. It is there to compare with.

Sources  lajolla, batlow: Crameri 2018, Scientific colour maps 8, MIT licence
         inferno, viridis: van der Walt & Smith 2015, matplotlib, CC0
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from heatmap.errors import PaletteError
from heatmap.scale import TOP_LEVEL

ColourTable = NDArray[np.uint8]
"""(256, 4): red, green, blue, alpha of each level."""

DEFAULT_PALETTE = "lajolla"
DEFAULT_OPACITY = 0.8
"""Of full colour: the hottest button's label can still be read through it."""

RAINBOWS = frozenset({"classic"})
"""Palettes whose lightness goes up and down."""

_INK_RGB = (34, 34, 38)
_HALO_RGB = (255, 255, 255)
_INK_ALPHA = 165
"""A stamp is read on white and on dark pages (dark letters, light outline) and hides nothing."""

# 17 evenly spaced colours of the part of each map that is used, light to dark. A straight line
# between neighbours misses the original by at most 5 of 255 in any channel.
_ANCHORS = {
    # 0.97 down to 0.40 of the map
    "lajolla": """
        fef8b8 fcef9f f9e384 f5d46b f2c75c efba56 edaf54 eba453 e99a52
        e68f52 e48551 e27a50 df6d4f da614e d1564c c44e4a b34947""",
    # 1 down to 0.20 of the map
    "batlow": """
        faccfa fcc3df fdb9c2 fdafa7 fba689 f29d6d e19752 cb923e b38e2f
        99882c 828231 6c7c3c 577647 426f52 30685c 226061 185562""",
    # 1 down to 0.38 of the map
    "inferno": """
        fcffa4 f2f482 f3e35a f8cf3a fbbc21 fca80d fb9606 f78410 f1731d
        ea632a e05536 d44842 c73e4c ba3655 ab2f5e 9b2964 8c2369""",
    # 1 down to 0.20 of the map
    "viridis": """
        fde725 dfe318 bddf26 9bd93c 7ad151 5ec962 44bf70 2fb47c 22a884
        1e9c89 21918c 25848e 2a788e 2f6c8e 355f8d 3b528b 414487""",
    "classic": """
        0000ff 0033ff 0066ff 0099ff 00ccff 00ffff 00ffaa 00ff55 00ff00
        55ff00 aaff00 ffff00 ffcc00 ff9900 ff6600 ff3300 ff0000""",
}


def names() -> tuple[str, ...]:
    """List the palettes, the default one first."""
    return tuple(_ANCHORS)


def rows(name: str, opacity: float = DEFAULT_OPACITY) -> ColourTable:
    """Give the colour of each level.

    name     one of `names()`
    opacity  alpha of full colour, 0..1
    Returns  (256, 4) uint8: red, green, blue, alpha; alpha begins at 0 and never falls
    Raises   PaletteError for an unknown name or an opacity outside 0..1
    """
    if not 0 <= opacity <= 1:
        raise PaletteError(f"opacity must be between 0 and 1, got {opacity!r}")
    share = np.linspace(0, 1, TOP_LEVEL + 1)
    anchors = _anchors(name)
    places = np.linspace(0, 1, len(anchors))
    colour = [np.interp(share, places, anchors[:, channel]) for channel in range(3)]
    # Steep at first: a page shows through where little happened, but where something did is seen.
    alpha = TOP_LEVEL * opacity * (1 - (1 - share) ** 2)
    return np.rint(np.stack((*colour, alpha), axis=1)).astype(np.uint8)


def css_gradient(name: str, opacity: float = DEFAULT_OPACITY) -> list[str]:
    """Give evenly spaced stops (`#rrggbbaa`, from no heat to full colour) for a legend in CSS.

    They carry the map's transparency, so that a legend on the page's colour shows what is seen.
    """
    stops = rows(name, opacity)[:: (TOP_LEVEL // 15)]
    return [f"#{bytes(stop).hex()}" for stop in stops]


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


def _anchors(name: str) -> NDArray[np.float64]:
    if name not in _ANCHORS:
        raise PaletteError(f"palette must be one of {', '.join(names())}, got {name!r}")
    return np.array(
        [list(bytes.fromhex(colour)) for colour in _ANCHORS[name].split()], dtype=np.float64
    )
