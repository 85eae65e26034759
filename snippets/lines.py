"""Lines that visitors rest on and compare: what shipping costs, the total, prices, a coupon."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from snippets.groups import field_kind
from snippets.markup import LINES, Element, apart


class Line(NamedTuple):
    """A line by what shops call it: in ids and classes, and in what begins it."""

    name: str
    identity: re.Pattern[str]
    words: re.Pattern[str] | None


def _line(name: str, identity: str, words: str = "") -> Line:
    whole = re.compile(rf"\b({identity})\b")
    written = re.compile(rf"\b({words})(?!\w)", re.IGNORECASE) if words else None
    return Line(name, whole, written)


KNOWN = (
    _line(
        "Coupon",
        r"coupon|voucher|promo( ?code)?|discount|korting(s ?code)?|actiecode",
        r"coupon|voucher|promo ?code|discount|korting(scode)?|actiecode",
    ),
    _line(
        "Shipping cost",
        r"(shipping|delivery|verzend|bezorg)( ?(costs?|price|fee|kosten))",
        # "Verzending: € 4,95" and "Shipping: free" tell it by what stands behind it.
        r"(shipping|delivery|verzend|bezorg) ?(costs?|price|fee|kosten)|"
        r"(shipping|delivery|verzending|bezorging):?\s*([€$£]|\d+|free|gratis)",
    ),
    _line("Subtotal", r"sub ?tota+l", r"sub[ -]?tota+l"),
    _line("Total", r"((grand|order|cart) ?)?tota+l", r"((grand|order|cart)[ -]?)?tota+l"),
    _line("Price", r"price|prijs|amount|bedrag"),
)
"""The first that fits names the line. No word tells a price: what is written there is a number."""

MAX_LINE_CHARACTERS = 80
"""Longer is a paragraph, or a box around several lines."""


def holding_fields(page: Sequence[Element]) -> frozenset[Element]:
    """What has a field or something to press inside: its words are theirs."""
    return frozenset(
        above
        for element in page
        if field_kind(element) or element.tag in ("button", "a", "label")
        for above in (element, *element.ancestors())
    )


def line_name(element: Element, holding: frozenset[Element]) -> str:
    """Which line an element is, "" for none that is known.

    Its words say it, and where they say nothing, what the markup calls it: a class such as
    `total` is often the look of every line of a summary.
    """
    if element.tag not in LINES:
        return ""
    return _by_words(element, holding) or _by_identity(element)


def _by_words(element: Element, holding: frozenset[Element]) -> str:
    text = element.text
    pressed = any(above.tag in ("button", "a", "label") for above in element.ancestors())
    if pressed or element in holding or len(text) > MAX_LINE_CHARACTERS:
        return ""
    told = [line.name for line in KNOWN if line.words and line.words.match(text)]
    others = sum(bool(line.words and line.words.search(text)) for line in KNOWN)
    # Two of them in one text: a box around two lines.
    return told[0] if told and others == 1 else ""


def _by_identity(element: Element) -> str:
    words = apart(element.identity).lower()
    return next((line.name for line in KNOWN if line.identity.search(words)), "")
