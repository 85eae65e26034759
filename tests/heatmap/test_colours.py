from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from heatmap.colours import (
    NO_CHANGE_LEVEL,
    RAINBOWS,
    css_gradient,
    diverging_names,
    diverging_rows,
    names,
    rows,
    with_ink,
)
from heatmap.errors import PaletteError
from heatmap.page import FloatArray
from heatmap.palettes import SEGMENT_RGB
from tests.heatmap.vision import EYES, contrast, difference, lightness, over, seen_by

MONOTONE = [name for name in names() if name not in RAINBOWS]

WHITE, DARK = (1.0, 1.0, 1.0), (0.07, 0.07, 0.08)


def photograph() -> FloatArray:
    """Colours of a landscape at dusk, (n, 3): sky, hills, sun and shade, some 600 of them."""
    sky = np.linspace((0.34, 0.41, 0.55), (0.60, 0.52, 0.50), 250)
    hills = np.linspace((0.36, 0.40, 0.38), (0.10, 0.14, 0.09), 250)
    sun = np.linspace((0.98, 0.86, 0.68), (0.64, 0.50, 0.46), 100)
    return np.vstack((sky, hills, sun))


GROUNDS = {"white": np.array([WHITE]), "dark": np.array([DARK]), "photograph": photograph()}


def test_the_first_palette_is_the_default_and_the_rainbow_is_named_as_one() -> None:
    assert names() == ("lajolla", "batlow", "inferno", "viridis", "classic")
    assert RAINBOWS == {"classic"}


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("name", MONOTONE)
def test_more_heat_is_darker_to_all_eyes(name: str, eyes: str) -> None:
    light = lightness(seen_by(eyes, rows(name)[:, :3] / 255))
    assert np.diff(light[::8]).max() < 0
    assert light[0] - light[-1] > 35
    if eyes == "normal":
        # Channels are whole numbers, so single rows may stand still; none may turn back visibly.
        assert np.diff(light).max() < 0.15


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("name", MONOTONE)
def test_neighbouring_steps_are_told_apart_by_all_eyes(name: str, eyes: str) -> None:
    colour = seen_by(eyes, rows(name)[::21, :3] / 255)
    assert len(colour) == 13
    assert difference(colour[1:], colour[:-1]).min() > 2.3


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("name", MONOTONE)
def test_middle_and_full_heat_stand_out_from_every_ground_and_from_each_other(
    name: str, ground: str
) -> None:
    pages = GROUNDS[ground]
    table = rows(name)
    middle, full = over(table[128], pages), over(table[255], pages)
    assert np.median(difference(middle, pages)) > 25
    assert np.median(difference(full, pages)) > 18
    assert np.median(difference(full, middle)) > 20


@pytest.mark.parametrize("ground", GROUNDS)
def test_the_default_palettes_hottest_colour_is_the_farthest_from_the_page(ground: str) -> None:
    pages = GROUNDS[ground]
    away = [float(np.median(difference(over(row, pages), pages))) for row in rows("lajolla")[::3]]
    assert away[-1] > 0.95 * max(away)
    assert away[-1] > 1.1 * away[len(away) // 2]


@pytest.mark.parametrize("name", MONOTONE)
@pytest.mark.parametrize(("text", "page"), [((0.1,) * 3, WHITE), ((0.93,) * 3, DARK)])
def test_text_is_read_through_full_heat(
    name: str, text: tuple[float, ...], page: tuple[float, ...]
) -> None:
    hottest = rows(name)[-1]
    assert contrast(over(hottest, text), over(hottest, page)) > 2


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("name", names())
def test_the_faintest_heat_leaves_no_halo(name: str, ground: str) -> None:
    pages = GROUNDS[ground]
    faint = over(rows(name)[:8, None], pages)
    assert np.median(difference(faint, pages), axis=1).max() < 2.3


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
    assert np.diff(alpha).max() <= 3


def test_a_table_has_a_colour_for_every_index() -> None:
    for table in (*map(rows, names()), *map(diverging_rows, diverging_names())):
        assert table.shape == (256, 4)
        assert table.dtype == np.uint8


# Differences --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", diverging_names())
def test_a_difference_is_nothing_in_the_middle_and_alike_on_both_sides(name: str) -> None:
    table = diverging_rows(name, 0.6).astype(int)
    less, more = table[NO_CHANGE_LEVEL:0:-1], table[NO_CHANGE_LEVEL:]
    assert table[NO_CHANGE_LEVEL, 3] == 0
    assert less[-1, 3] == more[-1, 3] == round(0.6 * 255)
    np.testing.assert_array_equal(less[:, 3], more[:, 3])
    np.testing.assert_array_equal(table[0], table[1])
    for arm in (less, more):
        assert np.all(np.diff(arm[:, 3]) >= 0)
        assert np.diff(lightness(arm[::8, :3] / 255))[1:].max() < 0


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("name", diverging_names())
def test_less_is_never_taken_for_more(name: str, eyes: str) -> None:
    colour = seen_by(eyes, diverging_rows(name)[:, :3] / 255)
    steps = np.arange(32, 128)
    apart = difference(colour[NO_CHANGE_LEVEL - steps], colour[NO_CHANGE_LEVEL + steps])
    assert apart.min() > 30


# Segments -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("eyes", EYES)
def test_segments_are_told_apart_by_all_eyes(eyes: str) -> None:
    colour = seen_by(eyes, np.array(SEGMENT_RGB) / 255)
    for number in range(1, len(colour)):
        assert difference(colour[:number], colour[number]).min() > 15


# Legends in CSS, and stamps -----------------------------------------------------------------------


def test_a_legend_runs_from_nothing_to_full_colour() -> None:
    stops = css_gradient("lajolla", 1.0)
    assert len(stops) == 16
    assert all(re.fullmatch("#[0-9a-f]{8}", stop) for stop in stops)
    assert stops[0] == "#fbe99200"
    assert stops[-1] == "#d1564cff"


def test_a_stamp_has_its_own_rows_and_leaves_the_heat_alone() -> None:
    table = rows("viridis")
    inked = with_ink(table, 6)
    np.testing.assert_array_equal(inked[:250], table[:250])
    np.testing.assert_array_equal(inked[252, :3], (255, 255, 255))
    assert inked[255, :3].max() < 50
    assert np.all(np.diff(inked[250:, 3].astype(int)) >= 0)
    assert inked[250, 3] > 0


@pytest.mark.parametrize("function", [rows, css_gradient, diverging_rows])
def test_unknown_palettes_and_opacities_are_refused(
    function: Callable[..., object],
) -> None:
    with pytest.raises(PaletteError, match=r"one of (lajolla, batlow|vik)"):
        function("parula")
    with pytest.raises(PaletteError, match=r"got -0\.1"):
        function("vik" if function is diverging_rows else "lajolla", -0.1)
