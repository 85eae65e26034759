"""What is refused below the pages is told in the reader's language, by the very words of there."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from pydantic import ValidationError

from app.configuration import Configuration
from app.drawing.pictures import clean_picture
from app.pages.faults import ENGLISH, Fault
from app.pages.refusals import own_words
from app.pages.words import WORDS
from app.picturing.boxes import Box, check_size, kept_boxes
from app.refused import said

DUTCH = WORDS["nl"]


def config(**given: Any) -> Callable[[], object]:
    return lambda: Configuration.model_validate(given)


def moving() -> bytes:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("white", "black")]
    written = io.BytesIO()
    frames[0].save(written, "PNG", save_all=True, append_images=frames[1:])
    return written.getvalue()


def plain(width_px: int, height_px: int) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (width_px, height_px)).save(written, "PNG")
    return written.getvalue()


BOX = Box(1, 0, 0, 9, 9)


@pytest.mark.parametrize(
    ("refused", "dutch"),
    [
        (config(consent={"cookie": "a", "pattern": "*"}), "ja voor elke bezoeker"),
        (config(consent={"cookie": "a", "pattern": "*a" * 20}), "sterretjes"),
        (config(exclude_networks=["hier"]), "schrijf een netwerk als 192.0.2.0/24"),
        (config(exclude_networks=["2001:db8::1/128"]), "bij hun /"),
        (config(mode="exempt", honour_opt_out=False), "GPC en Do Not Track"),
        (config(mode="exempt", tile_days=800), "dagsommen hooguit"),
        (config(raw_days=1, window_h=48), "48 uur heeft om af te ronden; er staat 1"),
        (config(raw_days=90, view_days=30), "minstens zo lang bewaard"),
        (config(least_visits="veel"), "geef een heel getal"),
        (lambda: clean_picture(b"GIF89a"), "niet te lezen: geef een hele PNG"),
        (lambda: clean_picture(moving()), "één stilstaand beeld"),
        (lambda: clean_picture(plain(300, 20), (390, 800)), "toont geen pagina van 390 x 800 px"),
        (lambda: check_size(0, 10), "px breed en 1 tot"),
        (lambda: kept_boxes([BOX, BOX], 20, 20), "zone 1 heeft twee vlakken"),
    ],
)
def test_a_refusal_is_told_in_dutch_in_the_words_of_what_refused(
    refused: Callable[[], object], dutch: str
) -> None:
    with pytest.raises(Exception) as told:  # noqa: PT011 – of whatever layer it is
        refused()
    text = _sentence(told.value)
    said = own_words(Fault(text, ENGLISH), DUTCH)
    assert said.lang is None, text
    assert dutch in said.text.replace("\N{NO-BREAK SPACE}", " ")
    assert own_words(Fault(text, ENGLISH), WORDS["en"]) == Fault(text, ENGLISH)


def _sentence(problem: BaseException) -> str:
    """As a form shows it: of pydantic's errors the first one's message."""
    if isinstance(problem, ValidationError):
        return said(problem.errors()[0])
    return str(problem)


def test_what_nobody_translated_stays_english_and_says_so() -> None:
    strange = Fault("the moon is full: wait", ENGLISH)
    assert own_words(strange, DUTCH) == strange
    ours = Fault("Kies een zone.")
    assert own_words(ours, DUTCH) == ours
