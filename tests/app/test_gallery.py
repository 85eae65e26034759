"""The gallery shows everything there is, as it is drawn today, and stays small."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.gallery.__main__ import PICTURES, SHEETS
from heatmap.colours import names
from tests.heatmap.pictures import STRAYS, TOLERANCE, rgba

GALLERY = Path(__file__).resolve().parents[2] / "docs" / "gallery"
MOST_BYTES = 3_000_000


def test_the_page_shows_every_picture_that_stands_alone_and_each_is_there() -> None:
    text = (GALLERY / "README.md").read_text()
    shown = set(re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text))
    drawn = {f"{name}.jpg" for name in SHEETS} | {f"{name}.png" for name in PICTURES}
    assert {path.name for path in GALLERY.iterdir()} == {*drawn, "README.md"}
    assert shown == {name for name in drawn if not name.startswith("overlay-")}
    assert all(f"**{name}" in text for name in names())


def test_the_gallery_is_small() -> None:
    assert sum(path.stat().st_size for path in GALLERY.iterdir()) < MOST_BYTES


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_what_is_drawn_today(name: str) -> None:
    got, want = rgba(PICTURES[name]()), rgba((GALLERY / f"{name}.png").read_bytes())
    assert got.shape == want.shape
    difference = np.abs(got.astype(int) - want).max(axis=2)
    assert np.mean(difference > TOLERANCE) <= STRAYS, "draw it anew: make gallery"


def test_a_sheet_is_what_is_drawn_today() -> None:
    for name in SHEETS:
        with Image.open(GALLERY / f"{name}.jpg") as kept:
            drawn = SHEETS[name]()
            assert kept.size == drawn.size
            # JPEG keeps colours roughly; a palette that moved shows in the mean of its panels.
            small = [np.asarray(one.convert("RGB").reduce(31), float) for one in (kept, drawn)]
        assert np.abs(small[0] - small[1]).max() < 4, "draw it anew: make gallery"
