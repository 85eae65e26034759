from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from heatmap import overlay
from heatmap.colours import rows
from heatmap.errors import PictureError
from heatmap.layers import Layer, alone, extended, merged, over, padded, with_room
from heatmap.png import decode, encode
from tests.heatmap.pictures import as_seen, indices, picture_of, rgba

RAMP: NDArray[np.uint8] = np.tile(np.arange(256, dtype=np.uint8), (20, 2))

SPOT = Layer(
    np.pad(np.ones((4, 6), dtype=np.uint8), ((8, 8), (20, 486))),
    np.array([(0, 0, 0, 0), (9, 8, 7, 255)], dtype=np.uint8),
)


def test_a_layer_alone_is_an_indexed_picture_of_its_colours() -> None:
    png = alone(SPOT, {"Software": "x"})
    np.testing.assert_array_equal(rgba(png), SPOT.table[SPOT.levels])
    np.testing.assert_array_equal(indices(png), SPOT.levels)
    assert decode(png).text == {"Software": "x"}


def test_a_layer_hides_what_it_covers_and_leaves_the_rest_as_it_was() -> None:
    png = encode(RAMP, rows("viridis"), {"Title": "kassa", "Note": "€"})
    covered = SPOT.levels > 0
    assert set(map(tuple, rgba(over(png, SPOT))[covered])) == {(9, 8, 7, 255)}
    assert np.abs(as_seen(over(png, SPOT)) - as_seen(png))[~covered].max() <= 3
    assert decode(over(png, SPOT)).text == {"Title": "kassa", "Note": "€"}


def test_colours_that_fit_are_kept_exactly() -> None:
    few = encode(RAMP // 2, rows("lajolla"))
    covered = SPOT.levels > 0
    np.testing.assert_array_equal(rgba(over(few, SPOT))[~covered], rgba(few)[~covered])


@pytest.mark.parametrize("wanted", [0, 1, 15, 76, 200, 254])
def test_a_ramp_that_makes_room_stays_a_ramp_from_end_to_end(wanted: int) -> None:
    thin = with_room(Layer(RAMP, rows("batlow", 1.0)), wanted)
    assert 2 <= len(thin.table) <= 256 - wanted
    assert len(thin.table) >= 0.7 * (256 - wanted)
    assert thin.levels[0, 0] == 0
    assert thin.levels[0, 255] == len(thin.table) - 1
    assert np.all(np.diff(thin.levels[0, :256].astype(int)) >= 0)
    shift = np.abs(thin.table[thin.levels].astype(int) - rows("batlow", 1.0)[RAMP])
    assert shift[:, :, 3].max() <= 2 * np.ceil(300 / (256 - wanted))


def test_the_tones_of_a_stamp_stay_what_they_are() -> None:
    stamped = overlay([(200.0, 90.0)], width_px=400, height_px=200, bandwidth_px=30, stamp="TEST")
    picture = decode(stamped)
    thin = with_room(Layer(picture.levels, picture.table), 76)
    thinned = encode(thin.levels, padded(thin.table))
    assert np.abs(as_seen(thinned) - as_seen(stamped)).max() <= 4


@given(
    levels=st.lists(st.integers(0, 255), min_size=1, max_size=40),
    wanted=st.integers(0, 254),
    seed=st.integers(0, 9),
)
def test_any_picture_fits_into_the_colours_left(levels: list[int], wanted: int, seed: int) -> None:
    table = np.random.default_rng(seed).integers(0, 256, (256, 4)).astype(np.uint8)
    picture = np.array([levels], dtype=np.uint8)
    thin = with_room(Layer(picture, table), wanted)
    assert len(thin.table) <= 256 - wanted
    assert thin.levels.max() < len(thin.table)
    if len(set(levels)) <= 256 - wanted:
        np.testing.assert_array_equal(thin.table[thin.levels], table[picture])


def test_layers_are_merged_again_and_again_within_one_palette() -> None:
    picture = Layer(RAMP, rows("lajolla"))
    for _ in range(3):
        picture = merged(picture, SPOT)
        assert len(picture.table) <= 256
    assert tuple(picture.table[picture.levels[9, 21]]) == (9, 8, 7, 255)


def test_a_strip_lies_under_a_picture() -> None:
    png = overlay([(50.0, 40.0)], width_px=100, height_px=80, bandwidth_px=9, text={"a": "b"})
    strip = Layer(np.ones((7, 100), dtype=np.uint8), SPOT.table)
    longer = extended(png, strip)
    assert rgba(longer).shape == (87, 100, 4)
    assert np.abs(as_seen(longer)[:80] - as_seen(png)).max() <= 3
    assert set(map(tuple, rgba(longer)[80:].reshape(-1, 4))) == {(9, 8, 7, 255)}
    assert decode(longer).text == {"a": "b"}


def test_the_same_layers_give_the_same_bytes() -> None:
    png = encode(RAMP, rows("inferno"))
    assert over(png, SPOT) == over(png, SPOT)


def test_what_does_not_fit_is_refused() -> None:
    small = Layer(np.zeros((3, 3), dtype=np.uint8), SPOT.table)
    png = encode(RAMP, rows("inferno"))
    with pytest.raises(PictureError, match="same page and dpr"):
        over(png, small)
    with pytest.raises(PictureError, match="same page and dpr"):
        merged(SPOT, small)
    with pytest.raises(PictureError, match="same page and dpr"):
        extended(png, small)
    with pytest.raises(PictureError, match="not an indexed picture but RGB"):
        over(picture_of(np.zeros((20, 512, 3), dtype=np.uint8)), SPOT)
    gray = io.BytesIO()
    Image.new("L", (512, 20)).save(gray, "PNG")
    with pytest.raises(PictureError, match="not an indexed picture but L"):
        over(gray.getvalue(), SPOT)
