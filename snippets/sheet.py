"""A page's stylesheet: the same bytes for every visitor, gzipped once, its integrity known.

All URLs are relative. The sheet is served under a path that holds the view's token, so the images
it asks for carry that token although the bytes are constant.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from jinja2 import Environment, PackageLoader, StrictUndefined

from collector import wire
from collector.sites import Page, Zone
from snippets.audit import faults
from snippets.errors import SheetError
from snippets.selectors import check_selector

SCROLL_END_PX = 6000
"""Last scroll mark: seven phone screens. Deeper is as deep as matters, and marks cost bytes."""

# No autoescape: HTML's escapes mean nothing in a stylesheet. All that is filled in are numbers of
# ours and selectors in the normal form of the closed grammar, which cannot end a rule.
_TEMPLATES = Environment(
    loader=PackageLoader("snippets"),
    autoescape=False,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    # "{#" is how a group opens before a rule of ours; and an editor reads the file as CSS.
    comment_start_string="/*",
    comment_end_string="*/",
)


@dataclass(frozen=True, slots=True)
class Stylesheet:
    css: bytes
    gzip: bytes
    integrity: str
    """The value of an `integrity` attribute for these bytes."""


def stylesheet(page: Page) -> Stylesheet:
    """The sheet that a page's views are sent.

    Raises SelectorError for a zone outside the grammar, SheetError for numbers that cannot be or
    are given twice.
    """
    text = _minified(_rendered(_checked(page.zones)))
    if broken := faults(text):
        raise SheetError(f"the stylesheet of page {page.slug!r} was refused: {broken[0]}")
    css = text.encode("ascii")
    digest = base64.b64encode(hashlib.sha384(css).digest()).decode("ascii")
    return Stylesheet(css, gzip.compress(css, compresslevel=9, mtime=0), f"sha384-{digest}")


def _checked(zones: Iterable[Zone]) -> list[Zone]:
    """By number, so that the order in which zones were read does not change the bytes."""
    checked = sorted(
        (replace(zone, selector=check_selector(zone.selector)) for zone in zones),
        key=lambda zone: zone.number,
    )
    for number in (zone.number for zone in checked):
        if not 1 <= number <= wire.MAX_ZONE:
            raise SheetError(f"zone number {number} is not in 1..{wire.MAX_ZONE}; renumber it")
    for before, zone in pairwise(checked):
        if before.number == zone.number:
            raise SheetError(f"zone number {zone.number} is given twice; renumber one of the two")
    return checked


def _rendered(zones: list[Zone]) -> str:
    return _TEMPLATES.get_template("sheet.css.jinja").render(
        zones=zones,
        dwell_steps_s=wire.DWELL_STEPS_S,
        alive_steps_s=wire.ALIVE_STEPS_S,
        presses=wire.PRESSES,
        band_px=wire.BAND_PX,
        bands=wire.BANDS,
        scroll_end_px=SCROLL_END_PX,
        scroll_marks_px=range(wire.SCROLL_STEP_PX, SCROLL_END_PX + 1, wire.SCROLL_STEP_PX),
        widths_px=wire.WIDTHS_PX,
        heights_px=wire.HEIGHTS_PX,
    )


def _minified(css: str) -> str:
    """Without line breaks and indentation; the template ends no line where a space matters."""
    lines = (line.strip() for line in css.splitlines())
    return "".join(lines).replace(";}", "}")
