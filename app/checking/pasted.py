"""What a page's HTML tells of the snippet in it: whole, or changed by an optimiser.

Optimiser plugins combine stylesheets into copies of their own, take attributes and empty elements
out, and let images wait for a script. Whatever of that reaches the snippet makes it silent, or,
where its stylesheet is copied with a token in it, lets many visitors look like one view.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

from app.checking.findings import Finding
from app.marked import N_

LINK = re.compile(r"(?:.*/)?gs_[a-z0-9]{16}/[a-z0-9-]{1,64}(?:/[A-Za-z0-9._~-]{4,128})?\Z")
COPIED = re.compile(r"/AQ[A-Za-z0-9_-]{32}/(?:s|t|\d+\.[a-z]\d*)(?![A-Za-z0-9./_-])")
"""An address of one view: it belongs into no page, and into no copy of a stylesheet."""

BLOCKS = ("gloed", "gloed-page", "gloed-leave")
MARKS = ("data-noptimize", "data-no-optimize", "data-no-minify")
MAX_READ_S = 2.0
"""The standard parser takes quadratic time over some of what is no page; a page of a megabyte takes
half a second."""

LATER = ("data-src", "data-lazy-src", "data-original")
"""Where lazy loaders put an image's address until their script puts it back."""


@dataclass(slots=True)
class Pasted:
    """What was found of the snippet."""

    hrefs: list[str] = field(default_factory=list)
    """Of links to a stylesheet of ours."""
    links: list[Mapping[str, str]] = field(default_factory=list)
    blocks: dict[str, int] = field(default_factory=dict)
    """Elements of ours in each block that is there."""
    image: Mapping[str, str] | None = None
    policies: list[str] = field(default_factory=list)
    """Of <meta>, beside those of the answer's headers."""
    copied: bool = False
    whole: bool = True
    """Whether it was read to its end."""

    @property
    def href(self) -> str | None:
        return self.hrefs[0] if self.hrefs else None

    def faults(self) -> Iterator[Finding]:
        """What somebody, or something, changed, and what to do about it."""
        if not self.whole:
            yield _fault(N_("the source is too tangled to be read to its end"))
        if not self.hrefs and self.blocks:
            yield _fault(
                N_(
                    "the snippet's elements are there, its stylesheet's link is not: an optimiser "
                    "combined or moved it; exclude addresses with /gs_ from it"
                )
            )
        if len(self.hrefs) > 1:
            yield _fault(N_("the snippet is there %(n)s times: paste it once"), n=len(self.hrefs))
        for link in self.links:
            yield from _faults_of_link(link)
        if self.hrefs:
            yield from self._faults_of_blocks()
        if self.copied:
            yield _fault(
                N_(
                    "the page bears an address of one view: a stylesheet of ours was copied into "
                    "it, and all its visitors will look like one; exclude addresses with /gs_ "
                    "from whatever combines or caches stylesheets"
                )
            )

    def _faults_of_blocks(self) -> Iterator[Finding]:
        for name in BLOCKS:
            if name not in self.blocks:
                yield _fault(
                    N_("the element #%(id)s is missing: paste the snippet whole, before </body>"),
                    id=name,
                )
            elif not self.blocks[name]:
                yield _fault(
                    N_(
                        "the element #%(id)s was emptied: let whatever minifies the page keep "
                        "empty elements"
                    ),
                    id=name,
                )
        if "gloed-leave" in self.blocks and self.image is None:
            yield _fault(N_("the held image is missing: paste the snippet whole, before </body>"))
        elif self.image is not None:
            yield from _faults_of_image(self.image)


def _fault(message: str, **values: object) -> Finding:
    return Finding(False, message, values)


def _faults_of_link(link: Mapping[str, str]) -> Iterator[Finding]:
    missing = [mark for mark in MARKS if mark not in link]
    if missing:
        yield _fault(
            N_(
                "the marks that keep optimisers away are gone (%(marks)s): paste the snippet "
                "anew, and exclude addresses with /gs_ from whatever took them out"
            ),
            marks=", ".join(missing),
        )
    if link.get("rel", "").lower() != "stylesheet" or link.get("media", "all") != "all":
        yield _fault(
            N_(
                "the stylesheet's link was changed to load later: exclude addresses with /gs_ from "
                "whatever defers stylesheets"
            )
        )


def _faults_of_image(image: Mapping[str, str]) -> Iterator[Finding]:
    if any(name in image for name in LATER) or "/hold/" not in image.get("src", ""):
        yield _fault(
            N_("a lazy loader rewrote the held image: exclude the class skip-lazy from it")
        )
    if image.get("loading") != "lazy":
        yield _fault(
            N_("the held image has lost loading=lazy: it would hold up the page's load event")
        )


def read_pasted(html: str) -> Pasted:
    """Reads any page; what is broken is guessed, as browsers do."""
    reader = _Reader()
    try:
        reader.feed(_without_open_comments(html))
        reader.close()
    except TimeoutError:
        reader.found.whole = False
    reader.found.copied = COPIED.search(html) is not None
    return reader.found


def _without_open_comments(html: str) -> str:
    """The standard parser looks for the end of each to the end of the page, and finds none."""
    whole, end, rest = html.rpartition("-->")
    return whole + end + rest.replace("<!--", "")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found = Pasted()
        self._block = ""
        self._until = time.monotonic() + MAX_READ_S

    def updatepos(self, i: int, j: int) -> int:
        """The parser comes by here after each part."""
        if time.monotonic() > self._until:
            raise TimeoutError
        return super().updatepos(i, j)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in reversed(attrs)}
        if tag == "link" and LINK.match(given.get("href", "").partition("?")[0]):
            self.found.hrefs.append(given["href"])
            self.found.links.append(given)
        elif tag == "meta" and given.get("http-equiv", "").lower() == "content-security-policy":
            self.found.policies.append(given.get("content", ""))
        elif given.get("id") in BLOCKS:
            self._block = given["id"]
            self.found.blocks.setdefault(self._block, 0)
        elif self._block and tag.startswith("gl-"):
            self.found.blocks[self._block] += 1
        elif self._block and tag == "img":
            self.found.image = given

    def handle_endtag(self, tag: str) -> None:
        if tag == "gl-oed":
            self._block = ""

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        # `<![if …]>` of old mail and office pages: the standard parser gives up on some of them.
        return self.parse_bogus_comment(i, report)
