"""A saved page as a tree of what zones are named by; what visitors wrote never gets into it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

MARK = "data-gloed"
"""By this a shop names a zone in its own markup."""

KEPT = frozenset(
    {
        "id",
        "class",
        "name",
        "type",
        "autocomplete",
        "for",
        "lang",
        "role",
        "aria-label",
        "aria-labelledby",
        "title",
        MARK,
    }
)
VOID = frozenset(
    "area base br col embed hr img input link meta param source track wbr".split()  # HTML 13.1.2
)
UNREAD = frozenset({"script", "style", "select", "option", "textarea", "template", "noscript"})
"""Their texts are code, or what a visitor chose or wrote."""

CAPTIONED = frozenset({"submit", "button"})
"""Types of input whose value is the text on the button."""

LINES = frozenset("div span p td th tr dt dd li strong b output".split())
"""What a line such as shipping costs or a total is made of."""

WRITTEN = LINES | frozenset("label legend button a h1 h2 h3 h4 h5 h6".split())
"""Elements whose words are kept: they name a field or a group, or tell which line it is."""

MAX_TEXT_CHARACTERS = 200
MAX_WORDS = 40
"""More is no name and no line; and a word is kept by every element around it."""


@dataclass(eq=False, slots=True)
class Element:
    """An element; compared by identity, for a page may hold two alike."""

    tag: str
    order: int
    parent: Element | None
    attributes: dict[str, str]
    words: list[str] = field(default_factory=list)

    def get(self, name: str) -> str:
        return self.attributes.get(name, "")

    @property
    def classes(self) -> list[str]:
        return self.get("class").split()

    @property
    def identity(self) -> str:
        """What the markup calls it."""
        return " ".join(filter(None, map(self.get, ("id", "name", "class"))))

    @property
    def text(self) -> str:
        return " ".join(self.words)[:MAX_TEXT_CHARACTERS]

    def ancestors(self) -> Iterator[Element]:
        """Nearest first."""
        above = self.parent
        while above is not None:
            yield above
            above = above.parent


def apart(identifier: str) -> str:
    """The words that an identifier is made of."""
    return re.sub(r"[^A-Za-z]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", identifier)).strip()


def read_markup(html: str) -> list[Element]:
    """The elements of a page in document order. Reads anything: what is broken is guessed."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.elements


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        above = self._open[-1] if self._open else None
        element = Element(tag, len(self.elements), above, _kept(tag, attrs))
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # As browsers do: the slash of <div/> means nothing in HTML.
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        for depth in range(len(self._open) - 1, -1, -1):
            if self._open[depth].tag == tag:
                del self._open[depth:]
                return

    def handle_data(self, data: str) -> None:
        words = data.split()
        if not words or any(element.tag in UNREAD for element in self._open):
            return
        for element in self._open:
            if element.tag in WRITTEN or element.get("role") == "button":
                element.words += words[: MAX_WORDS - len(element.words)]

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        # `<![if …]>` of old mail and office pages: the standard parser gives up on some of them.
        return self.parse_bogus_comment(i, report)


def _kept(tag: str, attrs: list[tuple[str, str | None]]) -> dict[str, str]:
    given = {name: value or "" for name, value in reversed(attrs)}
    kept = {name: value.strip() for name, value in given.items() if name in KEPT}
    if tag == "input" and kept.get("type", "").lower() in CAPTIONED:
        kept["caption"] = given.get("value", "")
    if tag == "iframe":
        kept["host"] = _host(given.get("src", ""))
    return kept


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
