"""A ratio knows no amount: a moment against none is no place where time is lost, however sure."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from app.contrasting.pixels import marked
from app.drawing.differing import paint_contrast
from app.picturing.layouts import Box
from heatmap import cohort, contrast
from heatmap.cohorts import Cohort
from heatmap.contrasting import Contrast
from tests.app.build import layout

SIZE = (390, 800)
STALL, TRIFLE = Box(1, 40, 100, 350, 150), Box(2, 40, 600, 350, 700)
VISITS = 120
STRONG = 90
"""Of an opacity of 255."""


def dwelt(stall_s: float, trifle_s: float, seed: int) -> Cohort:
    """Visits that dwell so long at both boxes, each a little differently."""
    draw = np.random.default_rng(seed)
    boxes = np.array([STALL.edges_px, TRIFLE.edges_px] * VISITS)
    seconds = np.array([stall_s, trifle_s] * VISITS) * draw.uniform(0.5, 1.5, 2 * VISITS)
    return cohort(
        VISITS,
        np.empty((0, 2)),
        np.empty(0),
        np.empty(0, np.intp),
        boxes_px=boxes,
        box_seconds=seconds,
        box_visit=np.repeat(np.arange(VISITS), 2),
    )


def drawn(found: Contrast) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    png = paint_contrast(
        found, found, (), under=None, ground="none", dpr=1, opacity=None, stamp=None, text={}
    )
    with Image.open(io.BytesIO(png)) as opened:
        return np.asarray(opened.convert("RGBA"))


def test_what_is_sure_and_small_is_told_of_nowhere_beside_what_is_large() -> None:
    found = contrast(
        dwelt(12.0, 0.5, 1),
        dwelt(3.0, 0.1, 2),
        width_px=SIZE[0],
        height_px=SIZE[1],
        bandwidth_px=24.0,
        cell_px=10.0,
    )
    assert isinstance(found, Contrast)
    assert len(found.regions) == 2, "both are sure"
    (told,) = marked(found, layout(*SIZE, STALL, TRIFLE, pointer="coarse"))
    assert (told.number, told.zones) == (1, (1,))
    opacity = drawn(found)[:, :, 3]
    assert opacity[125, 195] > STRONG
    assert opacity[550:750].max() < opacity[125, 195] / 4, "a trace of colour and no line"
    assert found.amount().max() == 1.0


def test_where_nothing_differs_there_is_no_amount_to_share() -> None:
    alike = dwelt(3.0, 3.0, 1)
    found = contrast(alike, alike, width_px=SIZE[0], height_px=SIZE[1], cell_px=10.0)
    assert isinstance(found, Contrast)
    assert not found.amount().any()
    assert not drawn(found).any()
