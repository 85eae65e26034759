from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from heatmap.errors import TextError, TrailError
from heatmap.fold import FoldLine, fold_layer, fold_quartiles
from heatmap.ink import INK_TONES
from heatmap.layers import alone
from tests.heatmap.pictures import rgba

SIZE: Any = {"width_px": 390, "height_px": 500}


def test_quartiles_are_windows_that_there_were() -> None:
    assert fold_quartiles([700, 500, 900, 600]) == (500.0, 600.0, 700.0)
    assert fold_quartiles([664]) == (664.0, 664.0, 664.0)
    assert fold_quartiles([]) is None


@pytest.mark.parametrize("heights", [[0.0], [-3.0], [float("nan")], [float("inf")], [[1.0]]])
def test_heights_that_no_window_has_are_refused(heights: Any) -> None:
    with pytest.raises(TrailError, match="positive numbers"):
        fold_quartiles(heights)


@pytest.mark.parametrize("dpr", [1, 2])
def test_a_line_is_dashed_across_the_whole_page_at_its_height(dpr: int) -> None:
    levels = fold_layer([FoldLine(200.0, "50%", main=True)], dpr=dpr, **SIZE).levels
    dark = levels >= INK_TONES - 1
    rows = np.flatnonzero(dark[:, : 250 * dpr].any(axis=1))
    assert abs((rows.mean() + 0.5) / dpr - 200) < 0.6
    along = dark[200 * dpr, : 300 * dpr]
    assert 0.4 < along.mean() < 0.8
    assert along[: 20 * dpr].any()


def test_the_main_line_is_the_stronger_one() -> None:
    lines = [FoldLine(100.0, "25%"), FoldLine(300.0, "50%", main=True)]
    dark = fold_layer(lines, **SIZE).levels[:, :250] >= INK_TONES - 1
    assert np.count_nonzero(dark[280:320]) > 2 * np.count_nonzero(dark[80:120])


def test_labels_of_near_lines_stand_side_by_side() -> None:
    labels = ["25%  560 px", "50%  575 px", "75%  590 px"]
    lines = [FoldLine(200.0 + 15 * n, label) for n, label in enumerate(labels)]
    picture = rgba(alone(fold_layer(lines, **SIZE)))
    plates = (picture[:, :, 0] > 240) & (picture[:, :, 3] > 225)
    for n, line in enumerate(lines):
        row = plates[round(line.y_px) - 8]
        runs = np.flatnonzero(np.diff(np.concatenate(([0], row.astype(int), [0])))).reshape(-1, 2)
        wide = [(left, right) for left, right in runs if right - left > 40]
        assert any(right > 390 - 115 * n - 40 for _, right in wide)


def test_lines_outside_the_page_are_left_out() -> None:
    lines = [FoldLine(0.0, "a"), FoldLine(500.0, "b"), FoldLine(-20.0, "c"), FoldLine(9e9, "d")]
    assert not fold_layer(lines, **SIZE).levels.any()


def test_a_label_at_the_pages_end_stays_on_the_page() -> None:
    levels = fold_layer([FoldLine(1.0, "top"), FoldLine(499.0, "end")], **SIZE).levels
    assert np.count_nonzero(levels[:22, 300:]) > 500
    assert np.count_nonzero(levels[-22:, 300:]) > 500


def test_a_label_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(TextError, match="one printable line"):
        fold_layer([FoldLine(10.0, "")], **SIZE)
