"""Paths without people: whatever looks personal is replaced before the queue sees it.

A pass undoes the encoding and replaces what it then sees; passes follow each other until nothing
changes, so nothing hides under one layer more, and scrubbing again changes nothing.
"""

from __future__ import annotations

import re
import unicodedata
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from urllib.parse import unquote

from collector.wire import MAX_PATH_BYTES

MAX_STORED_BYTES = 512

_ORIGIN = re.compile(r"https?://[^/]*", re.I)
_END = re.compile(r"[?#;]")
"""Where the path of a URL ends; parameters after a semicolon are sessions more often than not."""

_EMAIL = re.compile(r"[^@]@")
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.I)
_JWT = re.compile(r"[\w-]{8,}\.[\w-]{8,}\.[\w-]*")
_DIGITS = re.compile(r"\d(?:[ ._+-]*\d){5,}")
"""Six digits: order, customer, telephone and card numbers, however they are grouped."""

_HEX = re.compile(r"[0-9a-f]{12,}", re.I)
_LONG = re.compile(r"[A-Za-z0-9_+=-]{20,}")
_WORD = re.compile(r"[A-Za-z]?[a-z]{0,18}")

_HEX_RUN = re.compile(r"[0-9a-f]{8,}", re.I)
_BASE64_RUN = re.compile(r"[A-Za-z0-9+_-]{8,}")
_HIDDEN = re.compile(rb"[\w.+-]@[\w-]+\.\w|\d(?:[ .-]?\d){5,}")
"""What is looked for in text that was found behind base64 or hex: e-mail and six digits."""

REMEMBERED = 4096
_clean: set[str] = set()
"""Segments found to hold nothing personal, and only those: a shop's paths are few and repeat."""

_clean_paths: set[str] = set()
"""Whole paths that scrubbing leaves as they are, and only those."""


def scrub_path(raw: str) -> str | None:
    """The path of a URL or of a path, scrubbed; None where it is no path of the shop.

    Scrubbing again changes nothing: scrub_path(scrub_path(x)) == scrub_path(x).
    """
    if raw in _clean_paths:
        return raw
    if len(raw.encode("utf-8", "replace")) > MAX_PATH_BYTES:
        return None
    told = _path_of(_END.split(raw.replace("\\", "/"), maxsplit=1)[0])
    if told in _clean_paths:
        return told
    text = told
    while text is not None and (further := _pass(text)) != text:
        text = further
    if text is not None and text == told:
        _remember(text, _clean_paths)
    return text


def _remember(text: str, clean: set[str]) -> None:
    if len(clean) >= REMEMBERED:
        clean.clear()
    clean.add(text)


def _path_of(url: str) -> str | None:
    """What follows the host; None for what names a host without saying how, as //host does."""
    origin = _ORIGIN.match(url)
    if origin:
        return url[origin.end() :] or "/"
    return None if url.startswith("//") else url


def _pass(text: str) -> str | None:
    while (plainer := unquote(text, errors="replace")) != text:
        text = plainer
    # NFKC: one spelling for what looks the same, full-width @ and digits among it.
    text = unicodedata.normalize("NFKC", text)
    text = _END.split(text.replace("\\", "/"), maxsplit=1)[0]
    # Unprintable are controls, line breaks, bidi and zero-width marks, and lone surrogates.
    text = text.replace("\N{REPLACEMENT CHARACTER}", "")
    if not text.isprintable():
        text = "".join(filter(str.isprintable, text))
    if not text.startswith("/"):
        return None
    kept = "/" + "/".join(map(_segment, _normal(text.split("/"))))
    return kept.encode()[:MAX_STORED_BYTES].decode("utf-8", "ignore")


def _normal(parts: list[str]) -> list[str]:
    """Dot segments and doubled slashes gone."""
    kept: list[str] = []
    for part in parts:
        if part == "..":
            kept = kept[:-1]
        elif part not in ("", "."):
            kept.append(part)
    return kept


def _segment(text: str) -> str:
    if text in _clean:
        return text
    if (found := _found(text)) is not None:
        return found
    _remember(text, _clean)
    return text


def _found(text: str) -> str | None:
    """What stands for a segment in which something personal was found."""
    if _EMAIL.search(text):
        return ":email"
    if _UUID.search(text):
        return ":id"
    if _JWT.search(text):
        return ":token"
    if _DIGITS.search(text):
        return ":num"
    is_token = _HEX.fullmatch(text) or not all(map(_is_title, _LONG.findall(text)))
    return ":token" if is_token or _hides(text) else None


def _is_title(run: str) -> bool:
    """Words joined by hyphens are a title; any other long run of letters and digits is a token."""
    words = re.split(r"[-_+]", run)
    return len(words) > 1 and all(map(_WORD.fullmatch, words))


def _hides(text: str) -> bool:
    return any(map(_HIDDEN.search, _decoded(text)))


def _decoded(text: str) -> Iterator[bytes]:
    """What runs of hex and base64 stand for, wherever in the run the encoding began."""
    for run in _HEX_RUN.findall(text):
        for start in range(2):
            even = (len(run) - start) // 2 * 2
            yield bytes.fromhex(run[start : start + even])
    for run in _BASE64_RUN.findall(text):
        url_safe = run.replace("+", "-")
        for start in range(4):
            whole = url_safe[start:]
            # One sextet alone is no byte.
            whole = whole[:-1] if len(whole) % 4 == 1 else whole
            yield urlsafe_b64decode(whole + "=" * (-len(whole) % 4))


@lru_cache(maxsize=REMEMBERED)
def path_id(path: str) -> int:
    """blake2b 64 of a scrubbed path, signed."""
    return int.from_bytes(blake2b(path.encode(), digest_size=8).digest(), "big", signed=True)
