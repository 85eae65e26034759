"""A first set of zones for a page, read from a saved copy of it, each with its reason.

Only the page's own markup is read: names, ids and classes, the labels of text fields, the texts on
the buttons of forms. Values, options and the labels of radios (a saved address is one) are not, and
words with a digit are left out of every name, for they may be a visitor's amount or number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from typing import NamedTuple

from collector.sites import Zone
from snippets.markup import MARK, Element, read_markup
from snippets.plan import PlannedZone
from snippets.reach import reaching

MAX_NAME_CHARACTERS = 40

BUTTON_TYPES = frozenset({"submit", "button", "image", "reset"})
NOT_FIELDS = frozenset({"hidden", "password"}) | BUTTON_TYPES
CHOICES = frozenset({"radio", "checkbox"})

PAY = re.compile(
    r"\b(betaal|betalen|afrekenen|bestel|bestellen|bestelling plaatsen|koop nu|"
    r"pay|buy now|check ?out|(place|complete|confirm)( your| my)? order|order now)\b"
)
FRAME = re.compile(
    r"pay|betaal|betaling|ideal|card|checkout|adyen|billink|braintree|buckaroo|klarna|mollie|stripe"
)
TEXTS = {
    "Coupon": re.compile(r"coupon|voucher|promo( ?code)?|discount|korting(s ?code)?|actiecode"),
    "Shipping cost": re.compile(r"(shipping|delivery|verzend|bezorg)( ?(costs?|price|fee|kosten))"),
    "Total": re.compile(r"((grand|order|cart|sub) ?)?tota+l"),
    "Price": re.compile(r"price|prijs|amount|bedrag"),
}
"""Lines that visitors rest on, by what shops call them; the first that fits names the zone."""

DUTCH = {
    "Button": "Knop",
    "Coupon": "Kortingscode",
    "Field": "Veld",
    "Pay": "Betalen",
    "Payment frame": "Betaalkader",
    "Price": "Prijs",
    "Shipping cost": "Verzendkosten",
    "Total": "Totaal",
}
"""Names of ours, for where the page says nothing of its own, on pages in Dutch."""

AROUND_MORE = frozenset({"body", "html", "form", "main", "section", "article"})
"""Too large to stand for the one frame inside."""

PRIORITY = ("mark", "pay", "frame", "field", "text", "button", "link")
"""Which stay where a page has more than asked for."""

WHY = {
    "mark": "the page's markup names it",
    "pay": "pressing it pays, or begins to",
    "frame": "a payment provider's frame, by the element around it",
    "field": "a field of the form: people hesitate, err and return here",
    "text": "a line that visitors compare and wonder about",
    "button": "a button of the form",
    "link": "a way out of the form",
}
ROLE = {"mark": "text", "link": "text"}
"""The role of a zone, where it is not called like its find."""


class Candidate(NamedTuple):
    element: Element
    role: str
    name: str
    alone: bool = True
    """Whether it is one element; the radios of a choice, and prices, are several."""
    ours: bool = False
    """Whether the name is not the page's own."""


def propose_zones(html: str, *, most: int = 12) -> tuple[Zone, ...]:
    """At most `most` zones, numbered from 1 in the order of the page."""
    planned = propose(html, most=most)
    return tuple(replace(one.zone(), number=number) for number, one in enumerate(planned, start=1))


def propose(html: str, *, most: int = 12) -> tuple[PlannedZone, ...]:
    """At most `most` zones in the order of the page, each with why it was chosen.

    The same page gives the same zones. An element that the grammar cannot reach is left out.
    """
    page = read_markup(html)
    found: dict[str, Candidate] = {}
    for candidate in _candidates(page):
        selector = reaching(candidate.element, page, alone=candidate.alone)
        if selector:
            found.setdefault(selector, candidate)
    ranked = sorted(found.items(), key=lambda item: PRIORITY.index(item[1].role))
    kept = sorted(ranked[: max(most, 0)], key=lambda item: item[1].element.order)
    dutch = _language(page) == "nl"
    names = _apart_by_number([_name(candidate, dutch=dutch) for _, candidate in kept])
    return tuple(
        PlannedZone(
            name=name,
            selector=selector,
            role=ROLE.get(candidate.role, candidate.role),
            why=WHY[candidate.role],
        )
        for name, (selector, candidate) in zip(names, kept, strict=True)
    )


def _language(page: Sequence[Element]) -> str:
    """What the page says that it is written in, without the country."""
    told = next((element.get("lang") for element in page if element.tag == "html"), "")
    return told.strip().lower().partition("-")[0]


def _name(candidate: Candidate, *, dutch: bool) -> str:
    return DUTCH[candidate.name] if candidate.ours and dutch else candidate.name


def _apart_by_number(names: Sequence[str]) -> list[str]:
    """Names keep zones apart, however alike a page calls them: the second gets a 2."""
    called: list[str] = []
    for name in names:
        # So few letters fewer that the number fits, as many as there are zones at the most.
        tries = (f"{name[: MAX_NAME_CHARACTERS - 4]} {n}" if n > 1 else name for n in count(1))
        known = {one.casefold() for one in called}
        called.append(next(one for one in tries if one.casefold() not in known))
    return called


def _candidates(page: Sequence[Element]) -> list[Candidate]:
    labels = {element.get("for"): element.text for element in reversed(page) if _is_label(element)}
    finders: tuple[Callable[[Element], Candidate | None], ...] = (
        _mark,
        lambda element: _field(element, labels),
        _button,
        _frame,
        _text,
        _link,
    )
    found = [
        candidate
        for element in page
        if (candidate := next(filter(None, (find(element) for find in finders)), None))
    ]
    # A page has a price in every line of the cart: one zone stands for all that are called so.
    once = {candidate.name: candidate for candidate in reversed(found) if candidate.role == "text"}
    return [one for one in found if one.role != "text" or once[one.name] is one]


def _mark(element: Element) -> Candidate | None:
    name = _plain(element.get(MARK))
    return Candidate(element, "mark", name) if name else None


def _link(element: Element) -> Candidate | None:
    if element.tag != "a" or not any(above.tag == "form" for above in element.ancestors()):
        return None
    name = _plain(element.text)
    return Candidate(element, "link", name) if name else None


def _is_label(element: Element) -> bool:
    return element.tag == "label" and bool(element.get("for"))


def _field(element: Element, labels: dict[str, str]) -> Candidate | None:
    kind = element.get("type").lower() if element.tag == "input" else element.tag
    if element.tag not in ("input", "select", "textarea") or kind in NOT_FIELDS:
        return None
    said = "" if kind in CHOICES else _label(element, labels)
    name = _plain(said) or _spoken(element.get("name") or element.get("id"))
    return Candidate(element, "field", name or "Field", alone=kind != "radio", ours=not name)


def _label(element: Element, labels: dict[str, str]) -> str:
    around = (above.text for above in element.ancestors() if above.tag == "label")
    return labels.get(element.get("id"), "") or next(around, "") or element.get("aria-label")


def _button(element: Element) -> Candidate | None:
    kind = element.get("type").lower()
    presses = element.tag == "button" or element.get("role") == "button"
    if not presses and not (element.tag == "input" and kind in BUTTON_TYPES) and element.tag != "a":
        return None
    text = element.text or element.get("caption") or element.get("aria-label")
    # A class says what a button looks like; it counts only where nothing is written on it.
    pays = bool(PAY.search((text or _apart(_identity(element))).lower()))
    in_form = any(above.tag == "form" for above in element.ancestors())
    if not pays and (element.tag == "a" or not in_form or kind == "reset"):
        return None
    name = _plain(text) or _spoken(element.get("id") or element.get("name"))
    otherwise = "Pay" if pays else "Button"
    return Candidate(element, "pay" if pays else "button", name or otherwise, ours=not name)


def _frame(element: Element) -> Candidate | None:
    """A provider's frame, by what is around it: some browsers hide a pointer inside the frame."""
    if element.tag != "iframe":
        return None
    around = element.parent
    wrapper = around if around and around.tag not in AROUND_MORE and _identity(around) else None
    words = [_identity(element), element.get("title"), element.get("host")]
    words += [_identity(wrapper)] if wrapper else []
    if not FRAME.search(" ".join(words).lower()):
        return None
    return Candidate(wrapper or element, "frame", "Payment frame", ours=True)


def _text(element: Element) -> Candidate | None:
    if element.tag not in (
        "div",
        "span",
        "p",
        "td",
        "th",
        "tr",
        "dd",
        "li",
        "strong",
        "b",
        "output",
    ):
        return None
    words = _apart(_identity(element)).lower()
    for name, pattern in TEXTS.items():
        if re.search(rf"\b({pattern.pattern})\b", words):
            return Candidate(element, "text", name, alone=False, ours=True)
    return None


def _identity(element: Element) -> str:
    return " ".join(filter(None, map(element.get, ("id", "name", "class"))))


def _spoken(identifier: str) -> str:
    """billing[firstName] → Billing first name."""
    return _plain(_apart(identifier)).capitalize()


def _apart(identifier: str) -> str:
    """The words that an identifier is made of."""
    return re.sub(r"[^A-Za-z]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", identifier)).strip()


def _plain(text: str) -> str:
    """Words without those that hold a digit, a sign of money or an address."""
    words = (word for word in text.split() if not re.search(r"[\d€$£@]", word))
    return " ".join(words)[:MAX_NAME_CHARACTERS].strip(" *:.")
