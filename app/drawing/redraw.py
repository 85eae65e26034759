"""Redraws one picture in a process of its own: its pixels go on, whatever else it carried does not.

The picture comes by stdin and leaves by stdout as PNG. The arguments are the limits of memory
(bytes) and CPU time (s), then the width and height to draw it at, or none. A refusal is exit status
REFUSED and a sentence on stderr. Nothing of ours is imported here: what is loaded counts against
the limits, and stands beside bytes that may be hostile.

What is stored is lossless where it can be. Up to 256 colours (most forms and checkouts) a palette
holds each of them; with more, true colour is kept as long as it is small. Pages full of photographs
are reduced to 256 colours, without dithering, whose noise would cost more than it shows: 1280 x
23,000 px of photographs take 50 MB in true colour and 9 MB so. Pillow's finer median cut needs half
a minute for those; its octree half a second.
"""

from __future__ import annotations

import io
import math
import resource
import sys

from PIL import Image, ImageChops, ImageOps

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_BYTES = 8 * 2**20
"""Coming in and going out, so that what was stored can be given again."""

MAX_PX = 30_000_000
MAX_TRUE_COLOUR_BYTES = 4 * 2**20
MAX_TRUE_COLOUR_PX = 10_000_000
"""Beyond it a try at true colour would take most of the time there is."""

PALETTE_COLOURS = 256
SHAPE_TOLERANCE = 0.01
"""How far height over width may be off: a scaled screenshot is rounded, another page is not."""

MEMORY_BYTES = 768 * 2**20
"""30 Mpx are held two or three times at 4 bytes; the rest is Python."""

CPU_S = 20
REFUSED = 3
DEEPEST_LEVEL = 9
WHITE = (255, 255, 255)


class Refused(Exception):
    """The picture cannot be used; the message is for whoever gave it."""


def redraw(raw: bytes, fit_px: tuple[int, int] | None) -> bytes:
    """PNG of the picture's pixels alone, scaled to `fit_px` (width, height) if that is given; a
    height of 0 is what the picture's own shape makes of the width."""
    try:
        with Image.open(io.BytesIO(raw), formats=FORMATS) as opened:
            _check(opened)
            opened.load()
            image = _opaque(ImageOps.exif_transpose(opened))
    except (OSError, ValueError, SyntaxError, EOFError) as broken:
        raise Refused(
            "the picture cannot be read: give a whole PNG, JPEG or WebP image"
        ) from broken
    return smallest_png(image if fit_px is None else _fitted(image, fit_px))


def smallest_png(image: Image.Image) -> bytes:
    """An RGB image as PNG, exact where that stays small, else in 256 colours."""
    few = image.getcolors(PALETTE_COLOURS) is not None
    png = _exact_palette(image) if few else None
    if png is None and image.width * image.height <= MAX_TRUE_COLOUR_PX:
        true_colour = _png(image)
        png = true_colour if len(true_colour) <= MAX_TRUE_COLOUR_BYTES else None
    if png is None:
        png = _png(_octree(image))
    if len(png) > MAX_BYTES:
        raise Refused(
            f"the picture takes {len(png) / 2**20:.1f} MB even in {PALETTE_COLOURS} colours, "
            f"at most {MAX_BYTES // 2**20} MB are kept: give a smaller or shorter one"
        )
    return png


def _check(opened: Image.Image) -> None:
    _check_area(opened.width, opened.height)
    if getattr(opened, "n_frames", 1) != 1:
        raise Refused("the picture moves: give a single image")


def _check_area(width_px: int, height_px: int) -> None:
    if width_px * height_px > MAX_PX:
        raise Refused(
            f"the picture is {width_px} x {height_px} px, at most "
            f"{MAX_PX // 10**6} million pixels are taken: give a smaller one"
        )


def _opaque(image: Image.Image) -> Image.Image:
    """RGB on white, which is what a browser draws a page on."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    drawn = image.convert("RGBA")
    page = Image.new("RGB", image.size, WHITE)
    page.paste(drawn, mask=drawn.getchannel("A"))
    return page


def _fitted(image: Image.Image, fit_px: tuple[int, int]) -> Image.Image:
    width_px, height_px = fit_px
    if not height_px:
        height_px = max(1, round(image.height * width_px / image.width))
        _check_area(width_px, height_px)
    if image.size == (width_px, height_px):
        return image
    skew = (image.height / image.width) / (height_px / width_px)
    # A few rows more or less on a short page are rounding too, whatever they are as a share.
    rounding = 1.5 / min(image.height, height_px)
    if not math.isclose(skew, 1, abs_tol=max(SHAPE_TOLERANCE, rounding)):
        raise Refused(
            f"the picture is {image.width} x {image.height} px and does not show a page of "
            f"{width_px} x {height_px} px: give a screenshot of the whole page at that width"
        )
    return image.resize((width_px, height_px), Image.Resampling.LANCZOS)


def _exact_palette(image: Image.Image) -> bytes | None:
    reduced = image.quantize(PALETTE_COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    same = ImageChops.difference(reduced.convert("RGB"), image).getbbox() is None
    return _png(reduced) if same else None


def _octree(image: Image.Image) -> Image.Image:
    return image.quantize(PALETTE_COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)


def _png(image: Image.Image) -> bytes:
    written = io.BytesIO()
    image.save(written, "PNG", compress_level=DEEPEST_LEVEL)
    return written.getvalue()


def _limit(memory_bytes: int, cpu_s: int) -> None:
    """What a hostile picture may use up; the process writes to its pipe and to no file."""
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    # macOS has the name but no way to set it.
    if sys.platform != "darwin":
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


def main() -> None:
    memory_bytes, cpu_s, *fit_px = map(int, sys.argv[1:])
    _limit(memory_bytes, cpu_s)
    # Pillow's own check warns on stderr up to twice its limit; ours refuses before any decoding.
    Image.MAX_IMAGE_PIXELS = None
    try:
        png = redraw(
            sys.stdin.buffer.read(MAX_BYTES + 1), (fit_px[0], fit_px[1]) if fit_px else None
        )
    except Refused as refused:
        sys.stderr.write(str(refused))
        sys.exit(REFUSED)
    sys.stdout.buffer.write(png)


if __name__ == "__main__":
    main()
