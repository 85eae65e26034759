"""Levels to PNG bytes: one byte per pixel, with a palette and its transparency (PLTE, tRNS).

No RGBA picture is made on the way: it would be four times the bytes to compress.
The only module that uses Pillow: for the stamp's letters and for laying a map over a picture.
"""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from heatmap.deflate import crc32, deflate, deflate_lines
from heatmap.errors import PictureError, TextError
from heatmap.page import MAX_PIXELS
from heatmap.scale import TOP_LEVEL, Levels

SIGNATURE = b"\x89PNG\r\n\x1a\n"
INDEXED = b"\x03"
"""The kind of picture that a head names whose pixels are indices of a palette."""

MAX_PICTURE_PIXELS = 4 * MAX_PIXELS
"""A capture of the largest page at two device pixels per CSS pixel."""

ROWS_AT_ONCE = 512
"""Rows laid over a picture in one go: a few MB of RGBA instead of the whole page."""

STAMP_PX = 40
"""Height of the stamp's letters, CSS pixels: readable in a thumbnail of the page."""
STAMP_LEAST_PX = 9
"""Letters shrink no further on a narrow page: a word cut short warns better than a smudge."""
STAMP_TILE_PX = (600, 720)
"""One tile holds the stamp twice, staggered: every window shows it, and few words lie under it."""
STAMP_DEGREES = 24
STAMP_STROKE = 0.06
"""Outline of the letters over their height: seen on a page as dark as the letters."""
STAMP_TONES = 6
"""Indices kept for a stamp, half for its outline, half for its letters. Stamped pictures end at
level 249, which nobody can tell from 255."""


def encode(
    levels: Levels, table: NDArray[np.uint8], text: Mapping[str, str] | None = None
) -> bytes:
    """Write levels as an indexed PNG.

    levels   (rows, columns) index of each pixel
    table    (256, 4) red, green, blue, alpha of each index
    text     keyword to text, written in the keywords' order; a keyword is 1..79 Latin-1 letters,
             a text outside Latin-1 goes into an iTXt chunk
    Returns  the same bytes for the same input
    Raises   TextError for a keyword or text that PNG cannot hold
    Source   Portable Network Graphics (Third Edition), W3C
    """
    return _indexed(levels.shape, [deflate(levels)], table, text)


def encode_lines(
    size: tuple[int, int],
    bands: Iterable[Levels],
    table: NDArray[np.uint8],
    text: Mapping[str, str] | None = None,
) -> bytes:
    """Write an indexed PNG without ever holding its picture.

    size         rows, columns
    bands        the picture's lines from the top, as for `heatmap.deflate.deflate_lines`
    table, text  as for `encode`, and the errors
    Returns      the same bytes for the same bands
    """
    return _indexed(size, deflate_lines(bands), table, text)


def _indexed(
    size: tuple[int, int],
    pixels: list[bytes],
    table: NDArray[np.uint8],
    text: Mapping[str, str] | None,
) -> bytes:
    rows, columns = size
    header = struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)
    parts = [
        SIGNATURE,
        *_chunk(b"IHDR", header),
        *_chunk(b"PLTE", table[:, :3].tobytes()),
        *_chunk(b"tRNS", table[:, 3].tobytes()),
    ]
    for key, value in sorted((text or {}).items()):
        parts += _chunk(*_text_chunk(key, value))
    parts += _chunk(b"IDAT", *pixels)
    parts += _chunk(b"IEND")
    return b"".join(parts)


def _chunk(kind: bytes, *data: bytes) -> tuple[bytes, ...]:
    """Give the parts of a chunk: its pixels are joined only once, to the whole file."""
    length, checksum = 0, crc32(kind)
    for part in data:
        length += len(part)
        checksum = crc32(part, checksum)
    return struct.pack(">I", length), kind, *data, struct.pack(">I", checksum)


def _text_chunk(keyword: str, text: str) -> tuple[bytes, bytes]:
    try:
        key = keyword.encode("latin-1")
    except UnicodeEncodeError:
        key = b""
    if not 1 <= len(key) <= 79 or "\0" in keyword + text or keyword != keyword.strip():
        raise TextError(
            f"a PNG keyword is 1 to 79 Latin-1 letters without spaces around it, and no text holds"
            f" a NUL, got {keyword!r}: {text!r}"
        )
    try:
        return b"tEXt", key + b"\0" + text.encode("latin-1")
    except UnicodeEncodeError:
        # Not compressed, no language tag, no translated keyword.
        return b"iTXt", key + b"\0\0\0\0\0" + text.encode()


def noted(png: bytes, text: Mapping[str, str]) -> bytes:
    """Write more texts into a finished PNG, before its pixels; its other bytes stay as they are.

    Raises  TextError as for `encode`, PictureError for bytes that are no PNG
    """
    size_of(png)
    at = len(SIGNATURE)
    while png[at + 4 : at + 8] != b"IDAT":
        if at >= len(png):
            raise PictureError("a PNG without pixels cannot be written into: draw it anew")
        at += 12 + int.from_bytes(png[at : at + 4], "big")
    chunks = (part for item in sorted(text.items()) for part in _chunk(*_text_chunk(*item)))
    return png[:at] + b"".join(chunks) + png[at:]


@dataclass(frozen=True, slots=True, eq=False)
class Indexed:
    """An indexed picture that was read: levels (rows, columns), table (256, 4), its texts."""

    levels: Levels
    table: NDArray[np.uint8]
    text: Mapping[str, str]


def decode(png: bytes) -> Indexed:
    """Read an indexed PNG as `encode` writes it; PictureError if it is none."""
    image = _open(png)
    palette, alpha = image.getpalette("RGB"), image.info.get("transparency", b"")
    if image.mode != "P" or palette is None or not isinstance(alpha, bytes):
        raise PictureError(f"not an indexed picture but {image.mode}: give one of this package's")
    table = np.zeros((TOP_LEVEL + 1, 4), dtype=np.uint8)
    table[: len(palette) // 3, :3] = np.array(palette, dtype=np.uint8).reshape(-1, 3)
    table[:, 3] = TOP_LEVEL
    table[: len(alpha), 3] = np.frombuffer(alpha, dtype=np.uint8)
    return Indexed(np.asarray(image), table, _texts(image))


def _texts(image: Image.Image) -> Mapping[str, str]:
    return {key: str(text) for key, text in getattr(image, "text", {}).items()}


def stamped(picture: Levels, word: str, dpr: int) -> Levels:
    """Write a word slantwise all over the picture, in the top STAMP_TONES indices.

    picture  (rows, columns) levels; left as it is
    word     1..24 printable characters; its letters shrink to fit into the width
    dpr      device pixels per CSS pixel
    Returns  (rows, columns) levels: heat up to 255 - STAMP_TONES, the word above
    Raises   TextError for an empty, long or unprintable word
    """
    if not (1 <= len(word) <= 24 and word.isprintable() and word.strip()):
        raise TextError(f"a stamp is one word of 1 to 24 printable characters, got {word!r}")
    rows, columns = picture.shape
    tile = _stamp_tile(word, min(STAMP_TILE_PX[0] * dpr, columns), STAMP_TILE_PX[1] * dpr, dpr)
    repeats = (-(-rows // tile.shape[0]), -(-columns // tile.shape[1]))
    tone = np.tile(tile, repeats)[:rows, :columns]
    top = TOP_LEVEL - STAMP_TONES
    return np.where(tone > 0, tone + np.uint8(top), np.minimum(picture, np.uint8(top)))


def _stamp_tile(word: str, width: int, height: int, dpr: int) -> Levels:
    """One tile of the stamp: 0 nothing, then the tones of its outline and of its letters."""
    half = height // 2
    tone = _slanted_word(word, width, half, dpr)
    tile = np.zeros((2 * half, width), dtype=np.uint8)
    rows, columns = tone.shape
    tile[:rows, :columns] = tone
    tile[half:] = np.roll(tile[:half], width // 2, axis=1)
    return tile


def _slanted_word(word: str, width: int, height: int, dpr: int) -> Levels:
    """Draw the word as large as STAMP_PX and the room allow, in tones 0..STAMP_TONES."""
    size, least = float(STAMP_PX * dpr), float(STAMP_LEAST_PX * dpr)
    outline = _word_mask(word, size, STAMP_STROKE)
    while size > least and (outline.width > width or outline.height > height):
        fit = 0.95 * min(width / outline.width, height / outline.height, 1.0)
        size = max(size * fit, least)
        outline = _word_mask(word, size, STAMP_STROKE)
    letters = np.asarray(_word_mask(word, size, 0.0), dtype=np.float64)
    cover = (letters + np.asarray(outline, dtype=np.float64)) / (2 * TOP_LEVEL)
    tone: Levels = np.rint(cover * STAMP_TONES).astype(np.uint8)
    return tone[:height, :width]


def _word_mask(word: str, size: float, stroke: float) -> Image.Image:
    font = ImageFont.load_default(size)
    margin = STAMP_STROKE * size + 1
    left, top, right, bottom = font.getbbox(word)
    mask = Image.new("L", (round(right - left + 2 * margin), round(bottom - top + 2 * margin)))
    ImageDraw.Draw(mask).text(
        (margin - left, margin - top), word, fill=TOP_LEVEL, font=font, stroke_width=stroke * size
    )
    return mask.rotate(STAMP_DEGREES, Image.Resampling.BICUBIC, expand=True)


def size_of(png: bytes) -> tuple[int, int]:
    """Read width and height, device pixels, from the head of a PNG; PictureError if it is none."""
    head = png[:24]
    if len(head) < 24 or head[:8] != SIGNATURE or head[12:16] != b"IHDR":
        raise PictureError(f"not a PNG picture, it begins with {head[:8]!r}: store captures as PNG")
    width, height = struct.unpack(">II", head[16:24])
    return int(width), int(height)


def is_indexed(png: bytes) -> bool:
    """Tell whether a PNG is indexed, from its head; PictureError if it is no PNG."""
    size_of(png)
    return png[25:26] == INDEXED


def continued(png: bytes, strip: NDArray[np.uint8]) -> bytes:
    """Put a strip, (rows, columns, 3) RGB, under an RGB PNG of the same width; keeps its texts."""
    upper = _open(png)
    sheet = Image.new("RGB", (upper.width, upper.height + len(strip)))
    sheet.paste(upper, (0, 0))
    sheet.paste(Image.fromarray(strip), (0, upper.height))
    return _written(sheet, _texts(upper))


def laid_over(picture: bytes | None, overlay: bytes) -> bytes:
    """Lay a map over the picture of its page.

    picture  PNG of the page; scaled to the overlay's width (a capture at twice the resolution,
             say), then cut or continued in white to its height. None for a white sheet
    overlay  PNG as written by `encode`
    Returns  PNG, RGB, of the overlay's size and with its texts
    Raises   PictureError for bytes that are no PNG, or a picture of more than 160 million pixels
    """
    over = _open(overlay)
    base = Image.new("RGB", over.size, "white")
    if picture is not None:
        base.paste(_scaled(_open(picture), over.width), (0, 0))
    for top in range(0, over.height, ROWS_AT_ONCE):
        bottom = min(top + ROWS_AT_ONCE, over.height)
        band = over.crop((0, top, over.width, bottom)).convert("RGBA")
        base.paste(band, (0, top), band)
    return _written(base, _texts(over))


def _written(image: Image.Image, text: Mapping[str, str]) -> bytes:
    info, out = PngImagePlugin.PngInfo(), io.BytesIO()
    for keyword, value in sorted(text.items()):
        info.add_text(keyword, value)
    image.save(out, "PNG", pnginfo=info)
    return out.getvalue()


def _open(png: bytes) -> Image.Image:
    width, height = size_of(png)
    if not 0 < width * height <= MAX_PICTURE_PIXELS:
        raise PictureError(
            f"a picture of {width} x {height} px is empty or above {MAX_PICTURE_PIXELS:,} px:"
            " capture the page at a lower resolution"
        )
    try:
        with warnings.catch_warnings():
            # Pillow's own guard against large pictures is stricter than ours.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(png), formats=("PNG",))
        image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise PictureError(f"a picture cannot be read, capture it again: {error}") from error
    return image


def _scaled(picture: Image.Image, width: int) -> Image.Image:
    # Transparent parts of a capture show the browser's white canvas.
    if picture.has_transparency_data:
        flat = picture.convert("RGBA")
        picture = Image.new("RGB", picture.size, "white")
        picture.paste(flat, (0, 0), flat)
    else:
        picture = picture.convert("RGB")
    if picture.width == width:
        return picture
    height = max(1, round(picture.height * width / picture.width))
    return picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
