"""The colours of every palette, as a few evenly spaced stops of published colour maps.

Of each map that part is used that suits an overlay: it ends well before black, so that the
hottest colour is still a colour on a dark page, and text can be read through it. A straight line
between neighbouring stops misses the map by at most 3 of 255 in any channel.

Sources  lajolla, batlow, vik: Crameri 2018, Scientific colour maps 8, MIT licence
         inferno, viridis: van der Walt & Smith 2015, matplotlib, CC0
         the colours of segments: Okabe & Ito 2008, Color universal design
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from heatmap.errors import PaletteError

RAINBOWS = frozenset({"classic"})
"""Palettes whose lightness goes up and down: exempt from what holds for all others."""

_STOPS = {
    # 0.92 down to 0.47 of the map
    "lajolla": """
        fbe992 f8e07d f6d56b f3ca5f f1bf58 eeb655 edad54 eba553 e99c52
        e79452 e68c51 e48351 e27a50 e0714f dd684e d85f4d d1564c""",
    # 1 down to 0.25 of the map
    "batlow": """
        faccfa fcc3df fdbac5 fdb1ab fca891 f59f75 e8985b d59445 bf9035
        a88b2c 90862d 7a8035 667a3f 537549 406f54 30685c 226061""",
    # 0.95 down to 0.48 of the map
    "inferno": """
        f1ee72 f4e155 f7d23e fac42a fcb519 fca60c fb9806 f98b0b f57d15
        f1711f eb6529 e45a31 dc503b d34743 c93f4b bf3952 b3325a""",
    # 1 down to 0.30 of the map
    "viridis": """
        fde725 e2e418 c4e022 a7db35 8ad547 6ece58 56c667 40bd72 2fb47c
        24aa83 1f9f88 1f948c 238a8d 27808e 2b758e 2f6b8e 34608d""",
    "classic": """
        0000ff 0033ff 0066ff 0099ff 00ccff 00ffff 00ffaa 00ff55 00ff00
        55ff00 aaff00 ffff00 ffcc00 ff9900 ff6600 ff3300 ff0000""",
}

_ARMS = {
    # 0.42 down to 0.19, and 0.58 up to 0.82 of the map: from its middle to either side
    "vik": (
        "b7d3e1 9fc5d7 88b7ce 71a8c4 5a99ba 438aaf 2e7ba5 1b6d9b 0d5f92",
        "e5c2ad dfb399 d9a485 d39672 cd8860 c77a4e c16d3d ba5f2c b04e1a",
    ),
}

SEGMENT_RGB = (
    (0, 114, 178),
    (230, 159, 0),
    (0, 158, 115),
    (204, 121, 167),
    (86, 180, 233),
    (213, 94, 0),
    (240, 228, 66),
    (38, 38, 42),
)
"""Up to eight segments, told apart with any kind of colour vision; the first ones differ most in
lightness too. Okabe and Ito's black is a little lighter here: dots have a white rim."""


def names() -> tuple[str, ...]:
    """List the palettes of heat, the default one first."""
    return tuple(_STOPS)


def diverging_names() -> tuple[str, ...]:
    """List the palettes that tell less from more, the default one first."""
    return tuple(_ARMS)


def stops(name: str) -> NDArray[np.float64]:
    """Give the evenly spaced stops of a palette of heat, from least to most.

    Returns  (17, 3) red, green, blue, 0..255
    Raises   PaletteError for an unknown name
    """
    if name not in _STOPS:
        raise PaletteError(f"palette must be one of {', '.join(names())}, got {name!r}")
    return _colours(_STOPS[name])


def arms(name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the evenly spaced stops of both arms of a diverging palette, each from its middle out.

    Returns  less, more: (9, 3) red, green, blue, 0..255 each
    Raises   PaletteError for an unknown name
    """
    if name not in _ARMS:
        raise PaletteError(f"palette must be one of {', '.join(diverging_names())}, got {name!r}")
    less, more = _ARMS[name]
    return _colours(less), _colours(more)


def _colours(text: str) -> NDArray[np.float64]:
    return np.array([list(bytes.fromhex(colour)) for colour in text.split()], dtype=np.float64)
