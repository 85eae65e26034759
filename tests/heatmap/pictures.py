"""Pictures in tests and the golden ones they are compared with, pixel by pixel."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
FAILED = GOLDEN / "failed"

REWRITE = os.environ.get("GLOED_TEST_GOLDEN") == "rewrite"

TOLERANCE = 6
"""Of 255, per channel: one level of colour. Another processor may round a pixel the other way."""
STRAYS = 0.001
"""Share of the pixels that may differ by so much."""


def indices(png: bytes) -> NDArray[np.uint8]:
    """Indices of an indexed PNG, as Pillow reads them."""
    picture = Image.open(io.BytesIO(png))
    assert picture.mode == "P"
    return np.asarray(picture)


def rgba(png: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


def as_seen(png: bytes) -> NDArray[np.float64]:
    """Colours times their opacity, and the opacity: what a pixel adds to the page under it."""
    pixels = rgba(png).astype(np.float64)
    pixels[:, :, :3] *= pixels[:, :, 3:] / 255
    return pixels


def picture_of(pixels: NDArray[np.uint8]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def assert_golden(name: str, png: bytes) -> None:
    """Compare a picture with tests/golden/NAME.png; what differs is written to golden/failed/."""
    path = GOLDEN / f"{name}.png"
    if REWRITE:
        path.write_bytes(png)
        return
    if not path.exists():
        pytest.fail(f"{path} does not exist: look at the picture after `make golden`")
    want, got = rgba(path.read_bytes()), rgba(png)
    if want.shape != got.shape:
        _keep(name, got=png, want=path.read_bytes())
        pytest.fail(f"{name}: {got.shape} instead of {want.shape}; see {FAILED}")
    difference = np.abs(want.astype(int) - got.astype(int)).max(axis=2)
    if difference.max() > TOLERANCE or np.mean(difference > 0) > STRAYS:
        shown = np.clip(difference * 16, 0, 255).astype(np.uint8)
        _keep(name, got=png, want=path.read_bytes(), diff=picture_of(shown))
        pytest.fail(
            f"{name}: {np.mean(difference > 0):.2%} of the pixels differ, by up to"
            f" {difference.max()} of 255; see {FAILED}, and `make golden` if the change is meant"
        )


def _keep(name: str, **pictures: bytes) -> None:
    FAILED.mkdir(exist_ok=True)
    for kind, png in pictures.items():
        (FAILED / f"{name}-{kind}.png").write_bytes(png)
