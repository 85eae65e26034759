from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from heatmap import overlay
from heatmap.colours import names, rows
from heatmap.errors import PictureError, TextError
from heatmap.png import (
    STAMP_TONES,
    continued,
    decode,
    encode,
    is_indexed,
    laid_over,
    noted,
    size_of,
    stamped,
)
from tests.heatmap.pictures import indices, picture_of, rgba

Pixels = NDArray[np.uint8]

RAMP: Pixels = np.arange(256, dtype=np.uint8).reshape(8, 32)


def plain(width: int, height: int, colour: tuple[int, ...]) -> bytes:
    return picture_of(np.tile(np.array(colour, dtype=np.uint8), (height, width, 1)))


@pytest.mark.parametrize("name", names())
def test_every_index_and_colour_is_read_back(name: str) -> None:
    table = rows(name)
    png = encode(RAMP, table)
    np.testing.assert_array_equal(indices(png), RAMP)
    np.testing.assert_array_equal(rgba(png).reshape(-1, 4), table)


def test_texts_are_read_back_and_written_in_one_order() -> None:
    text = {"Title": "Kassa, bloemen", "Bandwidth": "24 px", "Note": "€ 5, ëén"}
    png = encode(RAMP, rows("lajolla"), text)
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.text == text  # type: ignore[attr-defined]
    assert png == encode(RAMP, rows("lajolla"), dict(reversed(text.items())))
    assert b"tEXtTitle\0" in png
    assert b"iTXtNote\0" in png


@pytest.mark.parametrize(
    ("keyword", "text"), [("", "x"), ("k" * 80, "x"), (" k", "x"), ("€", "x"), ("k", "a\0b")]
)
def test_a_text_that_png_cannot_hold_is_refused(keyword: str, text: str) -> None:
    with pytest.raises(TextError, match="1 to 79 Latin-1"):
        encode(RAMP, rows("lajolla"), {keyword: text})


@pytest.mark.parametrize(("width_px", "dpr"), [(1280, 1), (390, 1), (390, 2)])
def test_a_stamp_is_in_every_window_and_leaves_most_of_the_page_free(
    width_px: int, dpr: int
) -> None:
    png = overlay(None, width_px=width_px, height_px=3000, dpr=dpr, stamp="TEST")
    inked = rgba(png)[:, :, 3] > 0
    windows = inked[: 2700 * dpr].reshape(-1, 450 * dpr, width_px * dpr)
    assert np.all(windows.mean(axis=(1, 2)) > 0.002)
    assert inked[: 90 * dpr].any(), "the top of the page bears it too"
    assert inked.mean() < 0.03


def test_a_stamp_is_read_on_white_and_on_black() -> None:
    stamp = overlay(None, width_px=400, height_px=300, stamp="TEST")
    for page in (0, 255):
        seen = Image.open(io.BytesIO(laid_over(plain(400, 300, (page,) * 3), stamp))).convert("L")
        assert 50 < np.abs(np.asarray(seen).astype(int) - page).max() < 100


def test_a_stamp_shortens_heat_only_at_the_very_top() -> None:
    heat: Pixels = np.tile(np.arange(256, dtype=np.uint8), (600, 2))
    marked = stamped(heat, "TEST", 1)
    top = 255 - STAMP_TONES
    free = marked <= top
    np.testing.assert_array_equal(marked[free], np.minimum(heat, top)[free])
    assert 0.9 < free.mean() < 1
    np.testing.assert_array_equal(heat[0, :256], np.arange(256))


@pytest.mark.parametrize("width", [1, 2, 9, 40, 100])
@pytest.mark.parametrize("word", ["TEST", "i", "OEFENBESTELLING IN PROEF"])
def test_a_stamp_fits_any_width(width: int, word: str) -> None:
    blank = np.zeros((500, width), dtype=np.uint8)
    marked = stamped(blank, word, 1)
    assert marked.shape == blank.shape
    assert np.any(marked > 0) == (width > 2)


@pytest.mark.parametrize("word", ["", " ", "x" * 25, "a\nb"])
def test_a_stamp_that_cannot_be_drawn_is_refused(word: str) -> None:
    with pytest.raises(TextError, match="1 to 24 printable"):
        stamped(RAMP, word, 1)


def test_a_map_is_laid_over_the_picture_of_its_page() -> None:
    half = np.zeros((256, 4), dtype=np.uint8)
    half[1] = (200, 0, 0, 128)
    levels = np.zeros((4, 6), dtype=np.uint8)
    levels[2:] = 1
    over = rgba(laid_over(plain(6, 4, (0, 0, 100)), encode(levels, half)))
    assert over.shape == (4, 6, 4)
    assert set(map(tuple, over[:2].reshape(-1, 4))) == {(0, 0, 100, 255)}
    np.testing.assert_allclose(over[2:, :, :3], np.tile((100, 0, 50), (2, 6, 1)), atol=1)


def test_a_capture_at_twice_the_resolution_is_scaled_to_the_map() -> None:
    capture = np.zeros((1400, 60, 3), dtype=np.uint8)
    capture[:600] = (10, 200, 30)
    over = rgba(
        laid_over(picture_of(capture), encode(np.zeros((700, 30), np.uint8), rows("batlow")))
    )
    assert over.shape == (700, 30, 4)
    assert tuple(over[100, 15]) == (10, 200, 30, 255)
    assert tuple(over[650, 15]) == (0, 0, 0, 255)


@pytest.mark.parametrize("height", [20, 60])
def test_a_capture_of_another_height_is_cut_or_continued_in_white(height: int) -> None:
    blank = encode(np.zeros((40, 10), np.uint8), rows("lajolla"))
    over = rgba(laid_over(plain(10, height, (1, 2, 3)), blank))
    assert over.shape == (40, 10, 4)
    assert tuple(over[19, 5]) == (1, 2, 3, 255)
    assert tuple(over[39, 5]) == ((255, 255, 255, 255) if height == 20 else (1, 2, 3, 255))


def test_transparent_parts_of_a_capture_are_white_like_a_browser_window() -> None:
    blank = encode(np.zeros((4, 4), np.uint8), rows("lajolla"))
    over = rgba(laid_over(plain(4, 4, (9, 9, 9, 0)), blank))
    assert tuple(over[0, 0]) == (255, 255, 255, 255)


def test_a_size_is_read_from_the_head_alone() -> None:
    png = encode(np.zeros((7, 300), np.uint8), rows("lajolla"))
    assert size_of(png) == (300, 7)
    assert size_of(png[:24]) == (300, 7)


@pytest.mark.parametrize("junk", [b"", b"\x89PNG", b"GIF89a" + bytes(40), b"<html>" * 9])
def test_bytes_that_are_no_png_are_refused(junk: bytes) -> None:
    with pytest.raises(PictureError, match="not a PNG"):
        size_of(junk)
    with pytest.raises(PictureError, match="not a PNG"):
        laid_over(junk, encode(RAMP, rows("lajolla")))


def test_a_broken_picture_is_refused_instead_of_drawn() -> None:
    png = plain(50, 50, (1, 2, 3))
    with pytest.raises(PictureError, match="cannot be read, capture it again"):
        laid_over(png[: len(png) // 2], encode(RAMP, rows("lajolla")))


@pytest.mark.parametrize("size", [(20_000, 20_000), (0, 5)])
def test_a_picture_too_large_to_open_is_refused_before_it_is_opened(size: tuple[int, int]) -> None:
    head = plain(1, 1, (0, 0, 0))
    forged = head[:16] + b"".join(side.to_bytes(4, "big") for side in size) + head[24:]
    with pytest.raises(PictureError, match="is empty or above 160,000,000 px"):
        laid_over(forged, encode(RAMP, rows("lajolla")))


def test_an_indexed_picture_is_read_as_it_was_written() -> None:
    text = {"Software": "Gloed", "gloed:n": "12", "Note": "€ 5"}
    read = decode(encode(RAMP, rows("batlow"), text))
    np.testing.assert_array_equal(read.levels, RAMP)
    np.testing.assert_array_equal(read.table, rows("batlow"))
    assert read.text == text


def test_a_map_on_its_page_says_the_same_of_itself() -> None:
    text = {"Software": "Gloed", "gloed:n": "12", "Note": "€ 5, ëén"}
    png = laid_over(plain(32, 8, (1, 2, 3)), encode(RAMP, rows("batlow"), text))
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.text == text  # type: ignore[attr-defined]
    assert png == laid_over(plain(32, 8, (1, 2, 3)), encode(RAMP, rows("batlow"), text))


def test_the_head_tells_an_indexed_picture_from_others() -> None:
    assert is_indexed(encode(RAMP, rows("lajolla")))
    assert not is_indexed(plain(3, 3, (1, 2, 3)))
    with pytest.raises(PictureError, match="not a PNG"):
        is_indexed(b"GIF89a" + bytes(40))


def test_a_strip_continues_a_picture() -> None:
    strip = np.full((3, 5, 3), 9, dtype=np.uint8)
    longer = rgba(continued(plain(5, 4, (1, 2, 3)), strip))
    assert longer.shape == (7, 5, 4)
    assert tuple(longer[3, 4]) == (1, 2, 3, 255)
    assert tuple(longer[4, 0]) == (9, 9, 9, 255)


def test_texts_are_written_into_a_finished_picture() -> None:
    png = encode(RAMP, rows("batlow"), {"b": "1"})
    more = noted(png, {"c": "2", "a": "€"})
    assert decode(more).text == {"b": "1", "a": "€", "c": "2"}
    np.testing.assert_array_equal(indices(more), RAMP)
    assert noted(png, {}) == png
    with pytest.raises(PictureError, match="without pixels"):
        noted(png[:40], {"a": "b"})
    with pytest.raises(TextError, match="1 to 79"):
        noted(png, {"": "b"})
