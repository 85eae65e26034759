"""Paths without people: whatever looks personal is replaced before the queue sees it."""

from __future__ import annotations

import re
from hashlib import blake2b
from urllib.parse import unquote

from collector.wire import MAX_PATH_BYTES

MAX_STORED_BYTES = 512
_ROUNDS = 3
"""Percent-encoding is undone this often: shops nest it, and a secret must not hide in it."""

_EMAIL = re.compile(r"[^/@\s]+@[^/@\s]+")
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.I)
_JWT = re.compile(r"[\w-]{8,}\.[\w-]{8,}\.[\w-]*")
_DIGITS = re.compile(r"\d(?:[ .-]?\d){5,}")
_HEX = re.compile(r"[0-9a-f]{12,}", re.I)
_LONG = re.compile(r"[A-Za-z0-9_+=-]{20,}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffd]")


def scrub_path(raw: str) -> str | None:
    """The path of a URL or of a path, scrubbed; None where it is no path of the shop.

    Scrubbing again changes nothing: scrub_path(scrub_path(x)) == scrub_path(x).
    """
    if len(raw.encode("utf-8", "replace")) > MAX_PATH_BYTES:
        return None
    text = raw
    if "://" in text.partition("?")[0]:
        text = "/" + text.partition("://")[2].partition("/")[2]
    for _ in range(_ROUNDS):
        text = unquote(text, errors="replace")
    text = _CONTROL.sub("", re.split(r"[?#;]", text.replace("\\", "/"), maxsplit=1)[0])
    if not text.startswith("/"):
        return None
    segments = (_segment(part) for part in _normal(text.split("/")))
    kept = "/" + "/".join(segments)
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
    if _EMAIL.search(text):
        return ":email"
    if _UUID.search(text):
        return ":id"
    if _JWT.search(text):
        return ":token"
    if _DIGITS.search(text):
        return ":num"
    if _HEX.fullmatch(text) or (_LONG.search(text) and _mixed(text)):
        return ":token"
    return text


def _mixed(text: str) -> bool:
    """A long run of letters and digits is a token; long words joined by hyphens are a title."""
    run = max(_LONG.findall(text), key=len)
    return any(c.isdigit() for c in run) or "-" not in run


def path_id(path: str) -> int:
    """blake2b 64 of a scrubbed path, signed."""
    return int.from_bytes(blake2b(path.encode(), digest_size=8).digest(), "big", signed=True)
