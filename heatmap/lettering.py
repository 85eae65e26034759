"""Letters in pictures: the font that comes with Pillow, how wide words are, where lines break."""

from __future__ import annotations

import functools
import unicodedata

from PIL import ImageFont

from heatmap.errors import TextError

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

BOLD = 0.02
"""Stroke that makes the one weight there is bold, over the letters' height."""

_SUBSTITUTES = str.maketrans(
    {
        "\N{NO-BREAK SPACE}": " ",
        "\N{NARROW NO-BREAK SPACE}": " ",
        "\N{THIN SPACE}": " ",
        "\N{MULTIPLICATION SIGN}": "x",
        "\N{HYPHEN}": "-",
        "\N{NON-BREAKING HYPHEN}": "-",
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
        "\N{MINUS SIGN}": "-",
        "\N{EURO SIGN}": "EUR",
        "\N{LESS-THAN OR EQUAL TO}": "<=",
        "\N{GREATER-THAN OR EQUAL TO}": ">=",
        "\N{BULLET}": "\N{MIDDLE DOT}",
    }
)

UNKNOWN = "?"

_LETTERS = frozenset(map(chr, range(32, 127))) | frozenset("©«°±´·»‘’“”…‹›™")
"""What the font holds: Pillow ships no more of it."""


@functools.cache
def font(size: float) -> Font:
    """Give the font (Aileron Regular, public domain) at a height in device pixels."""
    found = ImageFont.load_default(size)
    if isinstance(found, ImageFont.FreeTypeFont):
        # Which other engine there is depends on the machine, and moves letters by a pixel.
        return found.font_variant(layout_engine=ImageFont.Layout.BASIC)
    return found


def written(text: str) -> str:
    """Give text in letters that the font holds: é becomes e, an en dash a hyphen, others ?.

    Raises  TextError for a text without anything to see, or with control characters
    """
    if not text.translate(_SUBSTITUTES).isprintable() or not text.strip():
        raise TextError(f"a text in a picture is one printable line, got {text!r}")
    return "".join(map(_shown, text.translate(_SUBSTITUTES)))


def _shown(letter: str) -> str:
    """Give a letter itself, else its parts without accents, else UNKNOWN."""
    if letter in _LETTERS:
        return letter
    parts = unicodedata.normalize("NFKD", letter).translate(_SUBSTITUTES)
    plain = "".join(part for part in parts if not unicodedata.combining(part))
    return "".join(part if part in _LETTERS else UNKNOWN for part in plain)


def legible(text: str) -> bool:
    """Tell whether text can be written with no letter of it lost; accents may be."""
    try:
        return written(text).count(UNKNOWN) == text.count(UNKNOWN)
    except TextError:
        return False


def width_of(text: str, size: float) -> float:
    """Give the width of written text in device pixels."""
    return float(font(size).getlength(text))


def wrapped(text: str, size: float, room: float) -> list[str]:
    """Break written text into lines that fit into room, device pixels; no word is broken."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and width_of(longer, size) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
