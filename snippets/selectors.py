"""The closed grammar of the selectors that a shop may name its zones by.

    selector   compound ((" " | ">") compound)*
    compound   element? ("#" ident | "." ident | attribute)*    at least one part
    attribute  "[" name "]" | "[" name "=" quoted "]"

A selector becomes part of a stylesheet that runs in the checkout of a shop, so what is allowed is
listed and everything else is refused: no pseudo classes (they belong to the sheet), no escapes, no
lists, no operator but `=`. The names of attributes are listed too: a rule on `value`, `pattern` or
`placeholder` could tell what a visitor typed, and a `data-` name that speaks of a value may mirror
it. A password field is never told apart by a second attribute.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import NamedTuple

from snippets.errors import SelectorError, shown

MAX_CHARACTERS = 200
MAX_COMPOUNDS = 6
"""Deeper paths break with the next change of the shop's markup, and cost the browser time."""

MAX_PARTS = 8
"""Ids, classes and attributes of one compound."""

ATTRIBUTES = frozenset(
    {
        "id",
        "tabindex",
        "name",
        "type",
        "autocomplete",
        "for",
        "role",
        "aria-invalid",
        "aria-expanded",
    }
)
TELLTALE = ("value", "pattern", "placeholder")
"""Never part of an attribute's name, nor bracketed in a literal: a search of the sheet is proof."""

PASSWORDS = frozenset({"password", "current-password", "new-password"})
"""Literals of `type` and `autocomplete` that mark a password field."""

ASCII_SPACE = " \t\n\r\f"

_IDENT = r"(?:--|-?[A-Za-z_])[A-Za-z0-9_-]*"
# Brackets, colon and dot because shops' forms use them (street[0], billing:email, card.holder);
# no quote, backslash, brace, angle bracket, slash or at sign.
_LITERAL = r"[A-Za-z0-9 _.:\[\]#+=,!?-]{0,80}"
_SPACE = r"[ \t\n\r\f]"
_ATTRIBUTE = rf"""\[{_SPACE}*(?P<attribute>[A-Za-z][A-Za-z0-9-]*){_SPACE}*
    (?:={_SPACE}*(?:"(?P<double>{_LITERAL})"|'(?P<single>{_LITERAL})'){_SPACE}*)?\]"""
_TOKEN = re.compile(
    rf"""(?P<hash>\#{_IDENT})
      | (?P<class>\.{_IDENT})
      | {_ATTRIBUTE}
      | (?P<child>{_SPACE}*>{_SPACE}*)
      | (?P<descendant>{_SPACE}+)
      | (?P<element>[A-Za-z][A-Za-z0-9-]*)""",
    re.VERBOSE | re.ASCII,
)


class _Attribute(NamedTuple):
    name: str
    literal: str | None

    def __str__(self) -> str:
        return f"[{self.name}]" if self.literal is None else f'[{self.name}="{self.literal}"]'

    @property
    def marks_password(self) -> bool:
        known = self.literal is not None and self.literal.strip().lower() in PASSWORDS
        return known and self.name in ("type", "autocomplete")


class _Combinator(NamedTuple):
    sign: str

    def __str__(self) -> str:
        return self.sign


_Part = str | _Attribute | _Combinator


def check_selector(text: str) -> str:
    """The selector in its one normal form: lower-case names, double quotes, single spaces.

    Raises SelectorError, which names what was refused and what to write instead.
    """
    bare = text.strip(ASCII_SPACE)
    if not bare:
        raise SelectorError("the selector is empty; name an element, such as #email")
    if len(bare) > MAX_CHARACTERS:
        raise SelectorError(
            f"selector {shown(bare)} has {len(bare)} characters, at most {MAX_CHARACTERS} are "
            f"allowed; give the element an id and name it by that"
        )
    parts = _parts(bare)
    _check_depth(parts, bare)
    for is_combinator, compound in groupby(parts, lambda part: isinstance(part, _Combinator)):
        if not is_combinator:
            _check_compound(list(compound), bare)
    return "".join(map(str, parts))


def _parts(text: str) -> list[_Part]:
    parts: list[_Part] = []
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise SelectorError(
                f"selector {shown(text)} is not understood at {shown(text[at:])}; allowed are "
                f'element, #id, .class, [attribute], [attribute="literal"], a space and >; an id '
                f'with other signs is written [id="billing:email"]'
            )
        part = _part(token)
        opens = not parts or isinstance(parts[-1], _Combinator)
        if opens and isinstance(part, _Combinator):
            raise SelectorError(
                f"selector {shown(text)} has {part.sign!r} with no element before it; name one"
            )
        if token["element"] and not opens:
            raise SelectorError(
                f"selector {shown(text)} has the element {shown(token['element'])} after another "
                f"part; write the element first, as in input#email"
            )
        parts.append(part)
        at = token.end()
    return parts


def _part(token: re.Match[str]) -> _Part:
    if token["attribute"]:
        literal = token["single"] if token["double"] is None else token["double"]
        return _Attribute(token["attribute"].lower(), literal)
    if token["child"]:
        return _Combinator(">")
    if token["descendant"]:
        return _Combinator(" ")
    return token["element"].lower() if token["element"] else token.group()


def _check_depth(parts: list[_Part], text: str) -> None:
    if isinstance(parts[-1], _Combinator):
        raise SelectorError(f"selector {shown(text)} ends in '>'; name an element after it")
    depth = 1 + sum(isinstance(part, _Combinator) for part in parts)
    if depth > MAX_COMPOUNDS:
        raise SelectorError(
            f"selector {shown(text)} is {depth} elements deep, at most {MAX_COMPOUNDS} are "
            f"allowed; start nearer to the element"
        )


def _check_compound(compound: list[_Part], text: str) -> None:
    if len(compound) > MAX_PARTS:
        raise SelectorError(
            f"selector {shown(text)} has {len(compound)} parts in one element, at most {MAX_PARTS} "
            f"are allowed; an id alone is enough"
        )
    attributes = [part for part in compound if isinstance(part, _Attribute)]
    for attribute in attributes:
        _check_attribute(attribute, text)
    if len(attributes) > 1 and any(attribute.marks_password for attribute in attributes):
        raise SelectorError(
            f"selector {shown(text)} tells a password field apart by a second attribute; name it "
            f"by its id, or by the element around it"
        )


def _check_attribute(attribute: _Attribute, text: str) -> None:
    name, literal = attribute
    own_data = name.startswith("data-") and len(name) > len("data-")
    if not own_data and name not in ATTRIBUTES:
        raise SelectorError(
            f"selector {shown(text)} asks for the attribute {shown(name)}; allowed are "
            f"{', '.join(sorted(ATTRIBUTES))} and data-*"
        )
    bracketed = (literal or "").lower().replace(" ", "")
    if any(word in name or f"[{word}" in bracketed for word in TELLTALE):
        raise SelectorError(
            f"selector {shown(text)} speaks of {' or '.join(TELLTALE)} in [{shown(name)}]; name "
            f"the element by id, class or name instead"
        )
