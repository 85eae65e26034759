"""Finds the selectors, inside the grammar, that reach one element of a page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from snippets.errors import SelectorError
from snippets.markup import MARK, Element
from snippets.selectors import check_selector

Test = Callable[[Element], bool]

MADE_UP = re.compile(r"\d{3,}|[0-9a-f]{8,}|^(ember|react|mui|radix)\b|__|--", re.ASCII)
"""Ids and classes that a framework numbers anew with each build or visit."""


class Reach(NamedTuple):
    selector: str
    """"" where the grammar has none."""
    besides: tuple[Element, ...] = ()
    """What it reaches that was not asked for."""


def reaching(element: Element, page: Sequence[Element], asked_for: Test) -> Reach:
    """The shortest selector that reaches the element and nothing that was not asked for.

    asked_for  which others it may reach too
    Where there is none, it is the shortest that reaches the element among others.
    """
    first = Reach("")
    for text, test in _tries(element):
        selector = _normal(text)
        if not selector:
            continue
        besides = tuple(other for other in filter(test, page) if not asked_for(other))
        if not besides:
            return Reach(selector)
        first = first if first.selector else Reach(selector, besides)
    return first


def _tries(element: Element) -> Iterator[tuple[str, Test]]:
    plain = list(_plain(element))
    yield from plain
    for above in element.ancestors():
        name = above.get("id")
        if name and not MADE_UP.search(name):
            for text, test in [*plain, (element.tag, _has_tag(element.tag))]:
                yield f"{_by_id(name)} {text}", _within(above, test)
    if element.tag == "fieldset":  # a question of its own, and often without a name
        yield element.tag, _has_tag(element.tag)


def _plain(element: Element) -> Iterator[tuple[str, Test]]:
    """By what the element itself says, the most lasting first."""
    tag, name = element.tag, element.get("id")
    if marked := element.get(MARK):
        yield f'[{MARK}="{marked}"]', _says(MARK, marked)
    if name and not MADE_UP.search(name) and not _is_one_of_several(element):
        yield _by_id(name), _says("id", name)
    for attribute in ("name", "autocomplete", "type", "role"):
        value = element.get(attribute)
        if value and not (tag == "iframe" and MADE_UP.search(value)):
            yield f'{tag}[{attribute}="{value}"]', _says(attribute, value, tag)
    for word in element.classes:
        if not MADE_UP.search(word):
            yield f"{tag}.{word}", _has_class(word, tag)


def _is_one_of_several(element: Element) -> bool:
    """A radio's id names one of the choices, its name all of them."""
    return element.get("type").lower() == "radio" and bool(element.get("name"))


def _by_id(name: str) -> str:
    return f"#{name}" if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", name) else f'[id="{name}"]'


def _normal(text: str) -> str:
    try:
        return check_selector(text)
    except SelectorError:
        return ""


def _has_tag(tag: str) -> Test:
    return lambda other: other.tag == tag


def _says(attribute: str, value: str, tag: str = "") -> Test:
    return lambda other: other.get(attribute) == value and tag in ("", other.tag)


def _has_class(word: str, tag: str) -> Test:
    return lambda other: other.tag == tag and word in other.classes


def _within(above: Element, test: Test) -> Test:
    return lambda other: test(other) and above in other.ancestors()
