from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from heatmap import overlay
from heatmap.colours import rows
from heatmap.errors import PageSizeError, PaletteError, TextError
from heatmap.legend import (
    ColourBar,
    Key,
    Legend,
    bar_ticks,
    draw_legend,
    legend_layer,
    with_legend,
)
from heatmap.legend_layout import SMALL_PX, Word, colour_bar
from heatmap.lettering import width_of
from heatmap.png import decode, laid_over
from heatmap.scale import Curve
from tests.heatmap.pictures import as_seen, rgba

FACTS = (
    ("Paginaweergaven", "1.204"),
    ("Bezoeken", "987"),
    ("Dekking", "84 %"),
    ("Periode", "24 okt – 22 nov 2026"),
    ("Bandbreedte", "24 px"),
)
BAR = ColourBar(rows("viridis"), ((0.0, "0"), (0.5, "1"), (1.0, "2")), "seconden per bezoek")
LEGEND = Legend("Waar bezoekers stilvallen", "Verzending", BAR, (), FACTS)


@given(
    full=st.floats(1e-9, 1e9),
    curve=st.sampled_from(["linear", "sqrt", "log"]),
    most=st.integers(2, 8),
)
def test_ticks_run_from_nothing_to_full_in_round_steps(
    full: float, curve: Curve, most: int
) -> None:
    ticks = bar_ticks(full, curve, most)
    values, places = (np.array(part) for part in zip(*ticks, strict=True))
    assert (values[0], places[0], values[-1], places[-1]) == (0, 0, full, 1)
    assert np.all(np.diff(values) > 0)
    assert np.all(np.diff(places) >= 0)
    assert len(ticks) <= most + 2
    for value in values[1:-1]:
        assert len(f"{value:.12g}".replace(".", "").strip("0").split("e")[0].strip("0")) <= 3


def test_ticks_lie_where_the_map_has_their_colour() -> None:
    cases: list[tuple[float, Curve, int, float, float]] = [
        (4.0, "sqrt", 1, 1.0, 0.5),
        (100.0, "log", 2, 10.0, float(np.log(10.9) / np.log(100))),
        (3.72, "linear", 1, 1.0, 1 / 3.72),
    ]
    for full, curve, number, value, place in cases:
        tick = bar_ticks(full, curve)[number]
        assert tick[0] == value
        assert tick[1] == pytest.approx(place, abs=0.003)


@pytest.mark.parametrize(("width_px", "dpr"), [(390, 1), (390, 2), (1280, 1), (4000, 2)])
def test_a_legend_is_as_wide_as_the_picture_opaque_and_white(width_px: int, dpr: int) -> None:
    picture = rgba(draw_legend(LEGEND, width_px=width_px, dpr=dpr))
    assert picture.shape[1] == width_px * dpr
    assert picture.shape[0] < 1600
    assert np.all(picture[:, :, 3] == 255)
    # White around everything but the rule on top.
    edge = 14 * dpr
    assert np.all(picture[4 * dpr :, :edge] == 255)
    assert np.all(picture[4 * dpr :, -edge:] == 255)
    assert np.all(picture[-edge:] == 255)


def test_the_bar_shows_the_maps_colours_as_they_look_on_white() -> None:
    picture = rgba(draw_legend(Legend("x", bar=BAR), width_px=390))[:, :, :3].astype(int)
    table = rows("viridis") / 255
    seen = 255 * (table[:, :3] * table[:, 3:] + 1 - table[:, 3:])
    coloured = [row for row in picture if np.ptp(row[:, 1] - row[:, 2]) > 60]
    bar = coloured[len(coloured) // 2]
    for place in (0.25, 0.5, 0.75, 0.99):
        want = seen[round(place * 255)]
        assert np.abs(bar[20 + round(place * 349)] - want).max() < 12


def test_a_number_that_would_touch_another_is_left_out() -> None:
    ticks = [(0.0, "0"), (0.5, "50.000"), (0.52, "52.000"), (0.98, "98.000"), (1.0, "100.000")]
    bar = colour_bar("x", ticks, 350.0, 1.0)
    shown = [piece for piece in bar.pieces if isinstance(piece, Word) and piece.text != "x"]
    assert [word.text for word in shown] == ["0", "100.000", "52.000"]
    for word in shown:
        assert 0 <= word.x <= 350 - width_of(word.text, SMALL_PX)


@pytest.mark.parametrize("dpr", [1, 2])
def test_letters_are_as_large_at_any_resolution_and_larger_on_wide_pages(dpr: int) -> None:
    heights = {
        width_px: rgba(draw_legend(LEGEND, width_px=width_px, dpr=dpr)).shape[0] / dpr
        for width_px in (900, 1800, 4000)
    }
    assert heights[1800] == pytest.approx(2 * heights[900], rel=0.1)
    assert heights[4000] == pytest.approx(heights[1800], rel=0.1)


def test_keys_show_their_samples() -> None:
    keys = (Key(1, "Safari"), Key("solid", "p < 0,05"), Key("broken", "p < 0,10"))
    with_keys = rgba(draw_legend(Legend("x", keys=keys), width_px=390))
    orange = (np.abs(with_keys[:, :, :3].astype(int) - (230, 159, 0)).max(axis=2) < 30).sum()
    assert orange > 20
    without = rgba(draw_legend(Legend("x"), width_px=390))
    assert with_keys.shape[0] > without.shape[0]


@pytest.mark.parametrize("dpr", [1, 2])
def test_a_legend_stands_under_the_map_and_moves_none_of_its_pixels(dpr: int) -> None:
    size: Any = {"width_px": 390, "height_px": 200, "dpr": dpr}
    png = overlay([(100.0, 90.0)], bandwidth_px=20, text={"gloed:n": "1"}, **size)
    longer = with_legend(png, LEGEND, dpr=dpr)
    strip = draw_legend(LEGEND, width_px=390, dpr=dpr)
    assert np.abs(as_seen(longer)[: 200 * dpr] - as_seen(png)).max() <= 3
    np.testing.assert_array_equal(rgba(longer)[200 * dpr :], rgba(strip))
    assert decode(longer).text == {"gloed:n": "1"}
    assert longer == with_legend(png, LEGEND, dpr=dpr)


def test_a_legend_stands_under_a_map_on_its_page() -> None:
    png = overlay([(100.0, 90.0)], width_px=390, height_px=200, bandwidth_px=20, text={"a": "ë €"})
    page = laid_over(None, png)
    longer = with_legend(page, LEGEND)
    with Image.open(io.BytesIO(longer)) as picture:
        assert picture.mode == "RGB"
        assert picture.text == {"a": "ë €"}  # type: ignore[attr-defined]
    np.testing.assert_array_equal(rgba(longer)[:200], rgba(page))
    np.testing.assert_array_equal(rgba(longer)[200:], rgba(draw_legend(LEGEND, width_px=390)))


def test_a_legend_takes_at_most_a_third_of_the_palette_beside_heat() -> None:
    assert len(legend_layer(LEGEND, width_px=390).table) < 70


@pytest.mark.parametrize(
    ("legend", "width_px", "error"),
    [
        (Legend(""), 390, None),
        (Legend("a\nb"), 390, TextError),
        (Legend("a", facts=(("n", "\0"),)), 390, TextError),
        (Legend("a", keys=(Key(8, "ninth"),)), 390, PaletteError),
        (Legend("a"), 0, PageSizeError),
        (Legend("a"), 4001, PageSizeError),
    ],
)
def test_a_legend_that_cannot_be_is_refused(
    legend: Legend, width_px: int, error: type[Exception] | None
) -> None:
    if error is None:
        assert draw_legend(legend, width_px=width_px)
        return
    with pytest.raises(error):
        draw_legend(legend, width_px=width_px)
