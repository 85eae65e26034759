"""HTML as a browser without any script, style or picture has it: elements, attributes, text."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from html.parser import HTMLParser

from PIL import Image

EMPTY = {"br", "circle", "hr", "img", "input", "link", "meta", "rect"}


def picture_png(width_px: int, height_px: int) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (width_px, height_px), "ivory").save(written, "PNG")
    return written.getvalue()


@dataclass(slots=True)
class Element:
    tag: str
    attributes: dict[str, str]
    inner: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join("".join(self.inner).split())


class Sheet(HTMLParser):
    """Every element of a page, in order; fails for a tag that is closed wrongly."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(html)
        self.close()
        assert self._open == [], [element.tag for element in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"{tag} repeats an attribute"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in EMPTY:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in EMPTY:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.inner.append(data)

    @property
    def text(self) -> str:
        return self.all("main")[0].text

    def all(self, tag: str, **attributes: str) -> list[Element]:
        return [
            element
            for element in self.elements
            if element.tag == tag and attributes.items() <= element.attributes.items()
        ]

    def rows(self) -> list[list[str]]:
        """The texts of the cells of each body row."""
        found: list[list[str]] = []
        for element in self.elements:
            if element.tag == "tr":
                found.append([])
            elif element.tag in ("th", "td"):
                found[-1].append(element.text)
        return found[1:]

    def facts(self) -> dict[str, str]:
        """The description list, term to text."""
        terms, texts = self.all("dt"), self.all("dd")
        return {term.text: text.text for term, text in zip(terms, texts, strict=True)}

    def chosen(self) -> dict[str, str]:
        """What the form that asks would send."""
        told: dict[str, str] = {}
        name, asks = "", False
        for element in self.elements:
            given = element.attributes
            if element.tag == "form":
                asks = given["method"] == "get"
            if not asks:
                continue
            if element.tag in ("select", "datalist"):
                name = given.get("name", "")
            if element.tag == "option" and name and ("selected" in given or name not in told):
                told[name] = given["value"]
            if element.tag != "input":
                continue
            kind = given.get("type", "text")
            if kind == "checkbox":
                # Several of one name are sent one by one; here they stand together.
                told.setdefault(given["name"], "")
                if "checked" in given:
                    told[given["name"]] = f"{told[given['name']]},{given['value']}".lstrip(",")
            elif kind != "radio" or "checked" in given:
                told[given["name"]] = given["value"]
        return told
