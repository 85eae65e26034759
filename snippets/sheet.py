"""A page's stylesheet: the same bytes for every visitor, gzipped once, its integrity known.

All URLs are relative. The sheet is served under a path that holds the view's token, so the images
it asks for carry that token although the bytes are constant.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from jinja2 import Environment, PackageLoader, StrictUndefined

from collector import wire
from collector.sites import Page, Zone
from snippets.audit import faults
from snippets.errors import SheetError, shown
from snippets.selectors import check_selector

SCROLL_END_PX = 6000
"""Last scroll mark: seven phone screens. Deeper is as deep as matters, and marks cost bytes."""

DEPTH_MARKS_PX = range(wire.DEPTH_STEP_PX, SCROLL_END_PX + 1, wire.DEPTH_STEP_PX)

STATES = {"error": "e", "open": "u", "busy": "b"}
"""The shop's own states of a zone, each by a selector, and the letter of its beacon."""

WATCHES = {
    "validity": {"i": ":user-invalid", "v": ":user-valid", "o": ":autofill"},
    "checked": {"c": ":checked"},
}
"""What the browser itself knows of a form's element, for zones that ask for it."""

GUARDED = (
    "a",
    "button",
    "input",
    "select",
    "textarea",
    "label",
    "summary",
    "iframe",
    "nav",
    "[role]",
    "[tabindex]",
)
"""What reacts to a pointer: over these there are no cells, and their own clocks tell the dwell."""

TIMELINE = "(animation-timeline:scroll())"
DEPTH_BY_SKIPPING = (
    f"(content-visibility:auto) and (not {TIMELINE}) and (not (-webkit-app-region:none))"
)
"""An engine that skips what is far from the window, and is not Chromium: only that has this
property, and versions of it without timelines skip at quite another distance."""

LACKS = {
    "has": "not selector(:has(a))",
    "validity": "not selector(:user-invalid)",
    "timeline": f"not {TIMELINE}",
    "depth": f"(not {TIMELINE}) and (not ({DEPTH_BY_SKIPPING}))",
}
"""When an engine lacks what `collector/wire.py` names."""

assert tuple(LACKS) == wire.LACKS

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

    Raises SelectorError for a zone, state or menu outside the grammar, SheetError for numbers that
    cannot be or are given twice, and for a state or watch that does not exist.
    """
    text = _minified(_rendered(page))
    if broken := faults(text):
        raise SheetError(f"the stylesheet of page {page.slug!r} was refused: {broken[0]}")
    css = text.encode("ascii")
    digest = base64.b64encode(hashlib.sha384(css).digest()).decode("ascii")
    return Stylesheet(css, gzip.compress(css, compresslevel=9, mtime=0), f"sha384-{digest}")


@dataclass(frozen=True, slots=True)
class _Slot:
    """A zone as the template needs it: in normal form, with the beacons of its states."""

    number: int
    selectors: tuple[str, ...]
    sensitive: bool
    states: tuple[tuple[str, str], ...]
    """Letter of the beacon, and what the page has to hold for it to be asked for."""

    @classmethod
    def of(cls, zone: Zone) -> _Slot:
        checked = checked_zone(zone)
        # What a visitor typed there is nobody's business, nor whether it was right.
        states = () if zone.sensitive else tuple(_states(checked))
        selectors = (checked.selector, *checked.also)
        return cls(zone.number, selectors, zone.sensitive, states)


def checked_zone(zone: Zone) -> Zone:
    """The zone with its selectors in their normal form.

    Raises SelectorError for a selector outside the grammar, SheetError for a state or watch that
    does not exist.
    """
    for name in zone.states:
        _known(STATES, name, "state", zone)
    for name in zone.watches:
        _known(WATCHES, name, "watch", zone)
    return replace(
        zone,
        selector=check_selector(zone.selector),
        also=tuple(map(check_selector, zone.also)),
        states={name: check_selector(told) for name, told in sorted(zone.states.items())},
    )


def _states(zone: Zone) -> Iterator[tuple[str, str]]:
    for name, told in zone.states.items():
        yield STATES[name], told
    for name in sorted(zone.watches):
        for letter, state in WATCHES[name].items():
            yield letter, zone.selector + state


def _known(table: Mapping[str, object], name: str, what: str, zone: Zone) -> None:
    if name not in table:
        raise SheetError(
            f"zone {zone.number} names the {what} {shown(name)}; use {', '.join(sorted(table))}"
        )


def _slots(zones: Iterable[Zone]) -> list[_Slot]:
    """By number, so that the order in which zones were read does not change the bytes."""
    slots = sorted(map(_Slot.of, zones), key=lambda slot: slot.number)
    for slot in slots:
        if not 1 <= slot.number <= wire.MAX_ZONE:
            raise SheetError(f"zone number {slot.number} is not in 1..{wire.MAX_ZONE}; renumber it")
    for before, slot in pairwise(slots):
        if before.number == slot.number:
            raise SheetError(f"zone number {slot.number} is given twice; renumber one of the two")
    return slots


def _rendered(page: Page) -> str:
    slots = _slots(page.zones)
    menus = [check_selector(menu) for menu in page.menus]
    return _TEMPLATES.get_template("sheet.css.jinja").render(
        zones=slots,
        states=sorted({letter for slot in slots for letter, _ in slot.states}),
        dwell_steps_s=wire.DWELL_STEPS_S,
        alive_steps_s=wire.ALIVE_STEPS_S,
        presses=wire.PRESSES,
        band_px=wire.BAND_PX,
        bands=wire.BANDS,
        scroll_end_px=SCROLL_END_PX,
        scroll_marks_px=range(wire.SCROLL_STEP_PX, SCROLL_END_PX + 1, wire.SCROLL_STEP_PX),
        depth_marks_px=DEPTH_MARKS_PX,
        widths_px=wire.WIDTHS_PX,
        heights_px=wire.HEIGHTS_PX,
        lacks=LACKS,
        depth_by_skipping=DEPTH_BY_SKIPPING,
        cells=page.cells,
        cell_rows=wire.CELL_ROWS,
        cell_columns=wire.CELL_COLUMNS,
        cell_px=wire.CELL_PX,
        guard=[*GUARDED, *sorted(set(menus))],
    )


def _minified(css: str) -> str:
    """Without line breaks and indentation; the template ends no line where a space matters."""
    lines = (line.strip() for line in css.splitlines())
    return "".join(lines).replace(";}", "}")
