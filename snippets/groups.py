"""Questions with several boxes to choose from: the one element that stands around all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from snippets.markup import Element

BUTTONS = frozenset({"submit", "button", "image", "reset"})
NOT_FIELDS = frozenset({"hidden", "password"}) | BUTTONS
CHOICES = frozenset({"radio", "checkbox"})

ASKING = frozenset({"group", "radiogroup"})
"""Roles of what stands around a question."""

TOO_LARGE = frozenset({"html", "body", "main", "form"})


class Group(NamedTuple):
    element: Element
    heading: str
    """What is written over the question, "" where nothing is."""


def field_kind(element: Element) -> str:
    """The kind of field that an element is, "" for none that a zone may stand on."""
    if element.tag not in ("input", "select", "textarea"):
        return ""
    kind = (element.get("type").lower() or "text") if element.tag == "input" else element.tag
    return "" if kind in NOT_FIELDS else kind


def groups(page: Sequence[Element]) -> Mapping[Element, Group]:
    """By each box of a question the element around all of its boxes, and around no other field.

    A fieldset or a group by its role goes before a list or a box with an id, the inner before the
    outer. Boxes of which nothing stands around them all are not in it.
    """
    headings = _headings(page)
    inside = _fields_inside(page)
    called = _of_one_name(page)
    found: dict[Element, Group] = {}
    # What is found later goes before: the inner ones, then the questions.
    for element in sorted(inside, key=lambda one: (_is_question(one), one.order)):
        heading = headings.get(element, "")
        boxes = inside[element]
        if _stands_around(element, heading) and _ask_one_thing(boxes, called, heading):
            found |= dict.fromkeys(boxes, Group(element, heading))
    return found


def _is_question(element: Element) -> bool:
    return element.tag == "fieldset" or element.get("role").lower() in ASKING


def _stands_around(element: Element, heading: str) -> bool:
    known = _is_question(element) or element.tag in ("ul", "ol") or element.get("id") or heading
    return bool(known) and element.tag not in TOO_LARGE


def _ask_one_thing(
    boxes: Sequence[Element], called: Mapping[tuple[str, str], int], heading: str
) -> bool:
    kinds, names = {field_kind(box) for box in boxes}, {box.get("name") for box in boxes}
    if len(boxes) < 2 or len(kinds) > 1 or not kinds <= CHOICES:
        return False
    if kinds == {"checkbox"} and heading:
        return True
    kind, name = field_kind(boxes[0]), boxes[0].get("name")
    return len(names) == 1 and called[kind, name] == len(boxes)


def _of_one_name(page: Sequence[Element]) -> Mapping[tuple[str, str], int]:
    """How many boxes of a kind bear a name; those without one answer nothing together."""
    count: dict[tuple[str, str], int] = defaultdict(int)
    for element in page:
        if element.get("name"):
            count[field_kind(element), element.get("name")] += 1
    return count


def _fields_inside(page: Sequence[Element]) -> Mapping[Element, Sequence[Element]]:
    inside: dict[Element, list[Element]] = defaultdict(list)
    for field in filter(field_kind, page):
        for above in field.ancestors():
            inside[above].append(field)
    return inside


def _headings(page: Sequence[Element]) -> Mapping[Element, str]:
    """What is written over an element: its legend, what it points at, or its own label."""
    by_id = {element.get("id"): element.text for element in reversed(page) if element.get("id")}
    told = {}
    for element in page:
        pointed = filter(None, map(by_id.get, element.get("aria-labelledby").split()))
        told[element] = " ".join(pointed) or element.get("aria-label")
    legends = (element for element in page if element.tag == "legend" and element.parent)
    return told | {one.parent: one.text for one in legends if one.parent and one.text}
