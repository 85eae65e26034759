"""What optimisers of shops do to a page with the snippet, as far as it can reach the snippet.

The minifier is a real one. Of the others no package exists for Python: a combiner, a remover of
unused rules and a lazy loader are PHP plugins of shop systems. What they do is done here as they
do it: stylesheets are fetched once by the optimiser itself, addresses in them made absolute, and
the copy served to everybody. The obeying form of each keeps off what bears its opt-out marks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin

import httpx
import minify

LINK = re.compile(r'<link rel="stylesheet"[^>]*>')
IMAGE = re.compile(r"<img[^>]*>")
ADDRESS = re.compile(r'(?<=[ "])(?:href|src)="([^"]*)"')
RULE = re.compile(r"(@media[^{]*|[^{}]*)\{((?:[^{}]|\{[^{}]*\})*)\}")
NAME = re.compile(r"[.#]([a-zA-Z][\w-]*)")
KEEP_OFF = ("data-noptimize", "data-no-optimize", "data-no-minify", "skip-lazy", "data-no-lazy")

COMBINED = "cache/1f2e.css"

A_BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0"
"""Whom an optimiser says it is: then it is sent what a visitor is. Most say what they are."""

WORDPRESS = "WordPress/6.8; https://shop.example"


@dataclass(frozen=True, slots=True)
class Optimised:
    html: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    """What it serves beside the page, by path."""


def minified(html: str, _url: str) -> Optimised:
    """Quotes, optional tags and white space gone: by the tdewolff minifier."""
    return Optimised(minify.string("text/html", html))


def combined(html: str, url: str, *, obeying: bool = False, agent: str = A_BROWSER) -> Optimised:
    """All stylesheets in one file of the shop's own."""
    links = [link for link in LINK.findall(html) if not (obeying and _keeps_off(link))]
    sheet = "".join(_sheet(link, url, agent) for link in links)
    for link in links:
        html = html.replace(link, "")
    one = f'<link rel="stylesheet" href="/{COMBINED}">'
    packed = minify.string("text/css", sheet)
    return Optimised(html.replace("</head>", f"{one}</head>"), {COMBINED: packed.encode()})


def without_unused(
    html: str, url: str, *, obeying: bool = False, agent: str = A_BROWSER
) -> Optimised:
    """Rules that name something which is on the page, in the page itself; the links are gone."""
    links = [link for link in LINK.findall(html) if not (obeying and _keeps_off(link))]
    sheet = "".join(_sheet(link, url, agent) for link in links)
    there = set(re.findall(r'(?:id|class)="([^"]*)"', html))
    words = {word for names in there for word in names.split()}
    for link in links:
        html = html.replace(link, "")
    used = "".join(f"{one[1]}{{{one[2]}}}" for one in RULE.finditer(sheet) if _used(one[1], words))
    return Optimised(html.replace("</head>", f"<style>{used}</style></head>"))


def lazy(html: str, _url: str, *, obeying: bool = False) -> Optimised:
    """Every image waits for a script that puts its address back; there it never comes."""

    def waiting(found: re.Match[str]) -> str:
        image = found[0]
        if obeying and _keeps_off(image):
            return image
        return image.replace(
            ' src="', ' src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" data-src="'
        )

    return Optimised(IMAGE.sub(waiting, html))


def _keeps_off(tag: str) -> bool:
    return any(mark in tag for mark in KEEP_OFF)


def _used(selector: str, words: set[str]) -> bool:
    """As a remover has it: a rule stays if each name in it is on the page, states left aside."""
    return selector.startswith("@") or set(NAME.findall(selector)) <= words


def _sheet(link: str, url: str, agent: str) -> str:
    """What the optimiser is sent, with addresses made absolute."""
    address = ADDRESS.search(link)
    assert address is not None, link
    answer = httpx.get(
        urljoin(url, address[1]), follow_redirects=True, headers={"user-agent": agent}
    )
    return re.sub(
        r"url\(([^)]*)\)", lambda found: f"url({urljoin(str(answer.url), found[1])})", answer.text
    )
