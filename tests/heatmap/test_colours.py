from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from heatmap.colours import RAINBOWS, css_gradient, names, rows, with_ink
from heatmap.errors import PaletteError
from heatmap.page import FloatArray

MONOTONE = [name for name in names() if name not in RAINBOWS]


def lightness(rgb: FloatArray) -> FloatArray:
    """CIE L* (0 black, 100 white) of sRGB colours 0..1 under D65."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722])
    return np.asarray(
        np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)
    )


def test_the_first_palette_is_the_default_and_the_rainbow_is_named_as_one() -> None:
    assert names() == ("lajolla", "batlow", "inferno", "viridis", "classic")
    assert RAINBOWS == {"classic"}


@pytest.mark.parametrize("name", MONOTONE)
def test_more_heat_is_darker(name: str) -> None:
    steps = np.diff(lightness(rows(name)[:, :3] / 255))
    # Channels are whole numbers, so single rows may stand still; none may turn back visibly.
    assert steps.max() < 0.05
    assert np.diff(lightness(rows(name)[::8, :3] / 255)).max() < 0


@pytest.mark.parametrize("name", MONOTONE)
@pytest.mark.parametrize("page", [1.0, 0.07])
def test_the_hottest_colour_stands_out_from_white_and_from_dark_pages(
    name: str, page: float
) -> None:
    hottest = rows(name)[-1] / 255
    seen = hottest[:3] * hottest[3] + page * (1 - hottest[3])
    assert abs(lightness(seen) - lightness(np.full(3, page))) > 20


def test_the_rainbow_is_not_monotone_which_is_why_it_is_marked() -> None:
    steps = np.diff(lightness(rows("classic")[:, :3] / 255))
    assert steps.min() < 0 < steps.max()


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("opacity", [0.0, 0.3, 0.8, 1.0])
def test_transparency_ends_where_opacity_says_and_never_turns_back(
    name: str, opacity: float
) -> None:
    alpha = rows(name, opacity)[:, 3].astype(int)
    assert alpha[0] == 0
    assert alpha[-1] == round(255 * opacity)
    assert np.all(np.diff(alpha) >= 0)


def test_a_table_has_a_colour_for_every_index() -> None:
    for name in names():
        table = rows(name)
        assert table.shape == (256, 4)
        assert table.dtype == np.uint8


def test_a_legend_runs_from_nothing_to_full_colour() -> None:
    stops = css_gradient("lajolla", 1.0)
    assert len(stops) == 16
    assert all(re.fullmatch("#[0-9a-f]{8}", stop) for stop in stops)
    assert stops[0] == "#fef8b800"
    assert stops[-1] == "#b34947ff"


def test_a_stamp_has_its_own_rows_and_leaves_the_heat_alone() -> None:
    table = rows("viridis")
    inked = with_ink(table, 6)
    np.testing.assert_array_equal(inked[:250], table[:250])
    np.testing.assert_array_equal(inked[252, :3], (255, 255, 255))
    assert inked[255, :3].max() < 50
    assert np.all(np.diff(inked[250:, 3].astype(int)) >= 0)
    assert inked[250, 3] > 0


@pytest.mark.parametrize("function", [rows, css_gradient])
def test_unknown_palettes_and_opacities_are_refused(
    function: Callable[..., object],
) -> None:
    with pytest.raises(PaletteError, match="one of lajolla, batlow"):
        function("parula")
    with pytest.raises(PaletteError, match=r"got -0\.1"):
        function("lajolla", -0.1)
