"""A first set of zones for a page, read from a saved copy of it, each with its reason.

Only the page's own markup is read: names, ids and classes, the labels of text fields, the texts on
the buttons of forms, the headings of groups. Values, options and the labels of radios (a saved
address is one) are not; lines of text are compared with what shops call them, and none of their
words is in a name. Words with a digit are left out too: they may be a visitor's amount or number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import NamedTuple

from collector.sites import Zone
from snippets.groups import BUTTONS, CHOICES, Group, field_kind, groups
from snippets.lines import holding_fields, line_name
from snippets.markup import MARK, Element, apart, read_markup
from snippets.plan import PlannedZone
from snippets.reach import reaching

MAX_NAME_CHARACTERS = 40


PAY = re.compile(
    r"\b(betaal|betalen|afrekenen|bestel|bestellen|bestelling plaatsen|koop nu|"
    r"pay|buy now|check ?out|(place|complete|confirm)( your| my)? order|order now)\b"
)
FRAME = re.compile(
    r"pay|betaal|betaling|ideal|card|checkout|adyen|billink|braintree|buckaroo|klarna|mollie|stripe"
)
CONSENT = re.compile(r"terms|conditions|agree|voorwaarden|akkoord")
"""Boxes of which it tells nothing about a person that they were ticked: everybody has to."""

PRIVATE = re.compile(r"(cc-|bday|sex\b)")
"""Fields, by what they autocomplete, of which not even it is told whether they were right."""

JOINT = " / "
"""Between the names of lines that no selector tells apart."""

DUTCH = {
    "Button": "Knop",
    "Coupon": "Kortingscode",
    "Field": "Veld",
    "Pay": "Betalen",
    "Payment frame": "Betaalkader",
    "Price": "Prijs",
    "Shipping cost": "Verzendkosten",
    "Subtotal": "Subtotaal",
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
WHY_JOINT = "lines that no selector tells apart: give each an id, or data-gloed with its name"
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
    sensitive: bool = False
    watches: tuple[str, ...] = ()


class Found(NamedTuple):
    candidate: Candidate
    selector: str
    joint: bool = False
    """Whether it is several lines that no selector tells apart."""


def propose_zones(html: str, *, most: int = 12) -> tuple[Zone, ...]:
    """At most `most` zones, numbered from 1 in the order of the page."""
    planned = propose(html, most=most)
    return tuple(replace(one.zone(), number=number) for number, one in enumerate(planned, start=1))


def propose(html: str, *, most: int = 12) -> tuple[PlannedZone, ...]:
    """At most `most` zones in the order of the page, each with why it was chosen.

    The same page gives the same zones. An element that the grammar cannot reach is left out.
    """
    page = read_markup(html)
    ranked = sorted(_found(page), key=lambda one: PRIORITY.index(one.candidate.role))
    kept = sorted(ranked[: max(most, 0)], key=lambda one: one.candidate.element.order)
    dutch = _language(page) == "nl"
    names = _apart_by_number([_name(one.candidate, dutch=dutch) for one in kept])
    return tuple(_planned(one, name) for name, one in zip(names, kept, strict=True))


def _planned(found: Found, name: str) -> PlannedZone:
    role = found.candidate.role
    return PlannedZone(
        name=name,
        selector=found.selector,
        role=ROLE.get(role, role),
        sensitive=found.candidate.sensitive,
        watches=list(found.candidate.watches),
        why=WHY_JOINT if found.joint else WHY[role],
    )


def _found(page: Sequence[Element]) -> list[Found]:
    """What can be reached, each selector once."""
    around, holding = groups(page), holding_fields(page)
    candidates = [_of_group(one, around, page) for one in _candidates(page, holding)]
    found: dict[str, Found] = {}
    for one in [*_alone(candidates, page), *_lines(candidates, page, holding)]:
        found.setdefault(one.selector, one)
    return list(found.values())


def _alone(candidates: Sequence[Candidate], page: Sequence[Element]) -> Iterator[Found]:
    for one in candidates:
        if one.role == "text":
            continue
        asked_for = _itself(one.element) if one.alone else _anything
        if selector := reaching(one.element, page, asked_for).selector:
            yield Found(one, selector)


def _lines(
    candidates: Sequence[Candidate], page: Sequence[Element], holding: frozenset[Element]
) -> Iterator[Found]:
    """One zone for all lines of a name: a page has a price in every line of the cart."""
    told: set[str] = set()
    unclear = []
    for one in candidates:
        if one.role != "text" or one.name in told:
            continue
        reach = reaching(one.element, page, _called(one.name, holding))
        if reach.selector and not reach.besides:
            told.add(one.name)
            yield Found(one, reach.selector)
        elif reach.selector:
            unclear.append((one, reach))
    for one, reach in unclear:
        if one.name not in told:
            others = sorted({line_name(other, holding) for other in reach.besides} - {"", one.name})
            told |= {one.name, *others}
            yield Found(one._replace(name=JOINT.join([one.name, *others])), reach.selector, True)


def _anything(_other: Element) -> bool:
    return True


def _itself(element: Element) -> Callable[[Element], bool]:
    return lambda other: other is element


def _called(name: str, holding: frozenset[Element]) -> Callable[[Element], bool]:
    return lambda other: line_name(other, holding) == name


def _language(page: Sequence[Element]) -> str:
    """What the page says that it is written in, without the country."""
    told = next((element.get("lang") for element in page if element.tag == "html"), "")
    return told.strip().lower().partition("-")[0]


def _name(candidate: Candidate, *, dutch: bool) -> str:
    if not (candidate.ours and dutch):
        return candidate.name
    parts = (DUTCH[part] for part in candidate.name.split(JOINT))
    return JOINT.join(parts)[:MAX_NAME_CHARACTERS]


def _apart_by_number(names: Sequence[str]) -> list[str]:
    """Names keep zones apart, however alike a page calls them: the second gets a 2."""
    called: list[str] = []
    for name in names:
        # So few letters fewer that the number fits, as many as there are zones at the most.
        tries = (f"{name[: MAX_NAME_CHARACTERS - 4]} {n}" if n > 1 else name for n in count(1))
        known = {one.casefold() for one in called}
        called.append(next(one for one in tries if one.casefold() not in known))
    return called


def _candidates(page: Sequence[Element], holding: frozenset[Element]) -> list[Candidate]:
    labels = {element.get("for"): element.text for element in reversed(page) if _is_label(element)}
    finders: tuple[Callable[[Element], Candidate | None], ...] = (
        _mark,
        lambda element: _field(element, labels),
        _button,
        _frame,
        lambda element: _text(element, holding),
        _link,
    )
    return [
        candidate
        for element in page
        if (candidate := next(filter(None, (find(element) for find in finders)), None))
    ]


def _of_group(
    candidate: Candidate, around: Mapping[Element, Group], page: Sequence[Element]
) -> Candidate:
    """The question that a box answers, where something that can be reached stands around it."""
    group = around.get(candidate.element)
    if group is None:
        return candidate
    selector, besides = reaching(group.element, page, _itself(group.element))
    if besides or not selector:
        return candidate
    heading = _plain(group.heading)
    return candidate._replace(
        element=group.element,
        name=heading or candidate.name,
        alone=True,
        ours=candidate.ours and not heading,
        watches=(),
    )


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
    kind = field_kind(element)
    if not kind:
        return None
    said = "" if kind in CHOICES else _label(element, labels)
    name = _plain(said) or _spoken(element.get("name") or element.get("id"))
    private = bool(PRIVATE.match(element.get("autocomplete").lower()))
    return Candidate(
        element,
        "field",
        name or "Field",
        alone=kind != "radio",
        ours=not name,
        sensitive=private,
        watches=() if private else _watches(element, kind, labels),
    )


def _watches(element: Element, kind: str, labels: dict[str, str]) -> tuple[str, ...]:
    """What the browser can tell of the field: that it is wrong, or that the box is ticked."""
    if kind not in CHOICES:
        return ("validity",)
    spoken = f"{apart(element.identity)} {_label(element, labels)}".lower()
    return ("checked",) if kind == "checkbox" and CONSENT.search(spoken) else ()


def _label(element: Element, labels: dict[str, str]) -> str:
    around = (above.text for above in element.ancestors() if above.tag == "label")
    return labels.get(element.get("id"), "") or next(around, "") or element.get("aria-label")


def _button(element: Element) -> Candidate | None:
    kind = element.get("type").lower()
    presses = element.tag == "button" or element.get("role") == "button"
    if not presses and not (element.tag == "input" and kind in BUTTONS) and element.tag != "a":
        return None
    text = element.text or element.get("caption") or element.get("aria-label")
    # A class says what a button looks like; it counts only where nothing is written on it.
    pays = bool(PAY.search((text or apart(element.identity)).lower()))
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
    wrapper = around if around and around.tag not in AROUND_MORE and around.identity else None
    words = [element.identity, element.get("title"), element.get("host")]
    words += [wrapper.identity] if wrapper else []
    if not FRAME.search(" ".join(words).lower()):
        return None
    return Candidate(wrapper or element, "frame", "Payment frame", ours=True)


def _text(element: Element, holding: frozenset[Element]) -> Candidate | None:
    name = line_name(element, holding)
    return Candidate(element, "text", name, ours=True) if name else None


def _spoken(identifier: str) -> str:
    """billing[firstName] → Billing first name."""
    return _plain(apart(identifier)).capitalize()


def _plain(text: str) -> str:
    """Words without those that hold a digit, a sign of money or an address."""
    words = (word for word in text.split() if not re.search(r"[\d€$£@]", word))
    return " ".join(words)[:MAX_NAME_CHARACTERS].strip(" *:.")
