"""Every name that the grammar takes is understood by those who read it later."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from collector.wire import (
    ALIVE_STEPS_S,
    BEACON_NAME,
    DWELL_STEPS_S,
    GIF,
    HEIGHTS_PX,
    OPEN,
    PRESSES,
    REF,
    SITE_KEY,
    SLUG,
    WIDTHS_PX,
)
from tests.app.build import fold
from tests.collector.build import beacon_row, open_row


@given(st.lists(st.from_regex(BEACON_NAME, fullmatch=True), max_size=4))
def test_every_accepted_name_is_heard_without_error(names: list[str]) -> None:
    (view,) = fold([open_row()], [beacon_row(name) for name in names], [])
    assert view.signals == len(names)
    assert view.duration_ms >= 0


@given(st.text(max_size=12))
def test_a_name_is_ascii_and_ends_where_the_grammar_does(name: str) -> None:
    if BEACON_NAME.match(name):
        assert name.isascii()
        assert not BEACON_NAME.match(name + "\n")
        assert re.fullmatch(r"[0-9a-z.]{2,}", name)


def test_whatever_a_sheet_may_ask_for_is_in_the_grammar() -> None:
    zone = [f"{n}.{s}" for n in (1, 999) for s in "hfivoceub"]
    held = [f"7.{kind}{step}" for kind in "hf" for step in DWELL_STEPS_S]
    pressed = [f"7.p{press}" for press in range(1, PRESSES + 1)]
    bands = [f"b{band}.{step}" for band in (0, 11, 499) for step in DWELL_STEPS_S]
    page = [*(f"t{step}" for step in ALIVE_STEPS_S), "y0", "z199900", "c49.31"]
    shape = [*(f"w{w}" for w in WIDTHS_PX), *(f"g{h}" for h in HEIGHTS_PX), "coarse", "dark"]
    for name in (*zone, *held, *pressed, *bands, *page, *shape, "hidpi"):
        assert BEACON_NAME.match(name), name


def test_neither_the_opening_nor_the_sheet_is_a_name_of_a_beacon() -> None:
    for name in (OPEN, "s", "t", "0.h", "01.h", "1000.h", "7.p0", "7.p5", "7.h3", "b1.3", "t7"):
        assert not BEACON_NAME.match(name), name


def test_keys_slugs_and_references_end_where_they_should() -> None:
    for pattern, right in ((SITE_KEY, "gs_" + "a" * 16), (SLUG, "cart"), (REF, "ab12")):
        assert pattern.match(right)
        assert not pattern.match(right + "\n")
        assert not pattern.match(right + "/")
    assert not SLUG.match("a" * 65)
    assert not REF.match("a" * 129)


def test_the_picture_is_a_transparent_pixel() -> None:
    assert GIF.startswith(b"GIF89a\x01\x00\x01\x00")
    assert GIF.endswith(b";")
