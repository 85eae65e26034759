from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageFont

from heatmap.errors import TextError
from heatmap.lettering import UNKNOWN, font, legible, width_of, wrapped, written

KEPT = string.ascii_letters + string.digits + string.punctuation + "©«°±´·»‘’“”…‹›™"


def test_every_letter_that_is_written_has_a_shape_in_the_font() -> None:
    missing = bytes(font(40.0).getmask("\uffff"))
    assert isinstance(font(40.0), ImageFont.FreeTypeFont)
    for letter in KEPT:
        assert written(letter) == letter
        assert bytes(font(40.0).getmask(letter)) != missing, letter


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("één café", "een cafe"),
        ("84\N{NO-BREAK SPACE}%", "84 %"),
        ("24 okt\N{THIN SPACE}–\N{THIN SPACE}22 nov", "24 okt - 22 nov"),
        ("390 × 1.175 px", "390 x 1.175 px"),
        ("€ 5 ≤ 6", "EUR 5 <= 6"),
        ("ﬁets", "fiets"),
        ("日本 a", "?? a"),
    ],
)
def test_letters_that_the_font_lacks_are_written_otherwise(text: str, shown: str) -> None:
    assert written(text) == shown


@given(text=st.text(max_size=20))
def test_what_is_written_is_always_drawable_or_refused(text: str) -> None:
    try:
        shown = written(text)
    except TextError:
        return
    assert set(shown) <= {*KEPT, " "}


@pytest.mark.parametrize("text", ["", "  ", "a\nb", "\0", "\N{RIGHT-TO-LEFT OVERRIDE}x"])
def test_what_is_no_line_of_text_is_refused(text: str) -> None:
    with pytest.raises(TextError, match="one printable line"):
        written(text)
    assert not legible(text)


def test_a_name_in_another_script_is_not_legible() -> None:
    assert legible("Café “De Boon” – 24×?")
    assert not legible("Τσάντα")
    assert written("Τ?") == UNKNOWN * 2


@given(words=st.lists(st.text("abcdefgh", min_size=1, max_size=9), min_size=1, max_size=12))
def test_lines_keep_all_words_and_are_as_long_as_they_fit(words: list[str]) -> None:
    lines = wrapped(" ".join(words), 14.0, 90.0)
    assert " ".join(lines).split() == words
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        assert width_of(line, 14.0) <= 90 or " " not in line
        if following:
            assert width_of(f"{line} {following.split()[0]}", 14.0) > 90
