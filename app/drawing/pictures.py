"""Pictures from outside: decoded away from us, within limits, and kept as plain PNG.

Image decoders are where hostile bytes do harm, so they run in `app/drawing/redraw.py`, a process
with bounded memory and time that knows no secret of ours.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from app.drawing import redraw
from app.shops import ShopError

PATIENCE_S = 30.0
"""Wall time; the process has `redraw.CPU_S` of its own, and shares a busy machine."""

_LONGEST_REFUSAL = 300
_PNG_SIZE_AT = 16
"""Width and height in a PNG's header: 8 bytes of signature, 8 of the chunk's, then two uint32."""


class PictureError(ShopError):
    """The picture cannot be used; the message names the remedy."""


class PictureTooLarge(PictureError):
    """More bytes than are taken."""


def clean_picture(raw: bytes, fit_px: tuple[int, int] | None = None) -> tuple[bytes, int, int]:
    """The picture as PNG with nothing but its pixels, its width and its height.

    raw       one PNG, JPEG or WebP image: at most 8 MB, 30 million pixels, one frame
    fit_px    width and height to scale it to; its own shape may differ by rounding only, and
              decides the height where 0 is given for it
    Returns   opaque PNG (white where it was transparent), width in px, height in px; at most 8 MB,
              the same bytes for the same picture
    Raises    PictureTooLarge, or PictureError for all else that is wrong with it
    """
    if len(raw) > redraw.MAX_BYTES:
        raise PictureTooLarge(
            f"the picture has {len(raw) / 2**20:.1f} MB, at most {redraw.MAX_BYTES // 2**20} MB "
            "are taken: save it smaller, or as WebP"
        )
    png = _redrawn(raw, fit_px or ())
    width_px, height_px = (
        int.from_bytes(png[at : at + 4], "big") for at in (_PNG_SIZE_AT, _PNG_SIZE_AT + 4)
    )
    return png, width_px, height_px


def _redrawn(raw: bytes, fit_px: tuple[int, ...]) -> bytes:
    arguments = map(str, (redraw.MEMORY_BYTES, redraw.CPU_S, *fit_px))
    # -P: the script's own directory is not searched, where modules of ours have common names.
    command = [sys.executable, "-P", "-B", str(Path(redraw.__file__)), *arguments]
    try:
        done = subprocess.run(
            command, input=raw, capture_output=True, timeout=PATIENCE_S, env=_environment()
        )
    except subprocess.TimeoutExpired as late:
        raise PictureError(
            f"the picture takes longer than {PATIENCE_S:g} s to read: give a smaller one"
        ) from late
    if done.returncode == redraw.REFUSED:
        raise PictureError(done.stderr.decode("utf-8", "replace")[:_LONGEST_REFUSAL])
    if done.returncode != 0:
        raise PictureError(
            "the picture takes more memory or time to read than there is for it: give a smaller "
            "one, saved anew as PNG"
        )
    return done.stdout


def _environment() -> dict[str, str]:
    """Ours without our settings, which hold secrets."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GLOED_")}
