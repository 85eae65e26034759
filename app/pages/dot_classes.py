"""The classes that dots are coloured by, in the reader's words."""

from __future__ import annotations

from dataclasses import dataclass

from app.mapping.classes import DotClass
from app.mapping.filters import MapQuery
from app.mapping.page_map import PageMap
from app.pages.labels import CHOICES
from app.pages.words import N_, Words

REST = N_("the rest")
NO_VARIANT, VARIANT = N_("no variant"), N_("variant %(value)s")
NOT_TOLD = N_("not told")


@dataclass(frozen=True, slots=True)
class DotLine:
    """One class as a legend tells it; `number` of its colour, and that as CSS writes it."""

    number: int
    colour: str
    text: str


def dot_lines(found: PageMap, words: Words) -> tuple[DotLine, ...]:
    """Of a map that is not coloured, none."""
    return tuple(
        DotLine(told.colour, told.css_colour, _text(found.query, told, dots, words))
        for told, dots in found.class_dots
    )


def _text(query: MapQuery, told: DotClass, dots: int, words: Words) -> str:
    text = words.catalogue.ngettext(
        "%(name)s: %(dots)s in %(n)s visit", "%(name)s: %(dots)s in %(n)s visits", told.visits
    )
    name = _name(query.colour_by or "", told, words)
    return text % {"name": name, "dots": words.number(dots), "n": words.number(told.visits)}


def _name(by: str, told: DotClass, words: Words) -> str:
    _ = words.catalogue.gettext
    value = told.name(by)
    if value is None:
        return _(REST)
    if by == "variant":
        return _(NO_VARIANT) if value == "0" else _(VARIANT) % {"value": value}
    return _(CHOICES[by].get(value, NOT_TOLD))
