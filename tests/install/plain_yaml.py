"""Reads the little of YAML that compose.yaml is written in, and refuses everything else.

Mappings, lists and scalars in block form, lists of JSON in one line: no anchors, tags, folded or
multi-line text. A file that passes means the same to every reader.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_KEY = re.compile(r"([A-Za-z_][\w.-]*):(?: (.+))?\Z")
_PLAIN = re.compile(r"[\w./$][^\t]*\Z")
_WORDS = {"true": True, "false": False}
_DOUBTFUL = re.compile(r"(?i)(yes|no|on|off|null|\d[\d.]*(e\d+)?)\Z")


class NotPlain(ValueError):
    """The file uses more of YAML than is read here."""


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    indent: int
    text: str


def read_plain_yaml(path: Path) -> dict[str, Any]:
    lines = [
        _Line(number, len(text) - len(text.lstrip(" ")), text.strip())
        for number, text in enumerate(path.read_text().splitlines(), 1)
        if text.strip() and not text.lstrip().startswith("#")
    ]
    told = _block(lines, 0)
    if lines or not isinstance(told, dict):
        raise NotPlain(f"{path.name}: a mapping was expected, and nothing after it")
    return told


def _block(lines: list[_Line], indent: int) -> Any:
    """What stands at this indent; takes its lines away."""
    if lines[0].indent != indent:
        raise NotPlain(f"line {lines[0].number}: indented by {lines[0].indent}, not {indent}")
    return _list(lines, indent) if lines[0].text.startswith("- ") else _mapping(lines, indent)


def _mapping(lines: list[_Line], indent: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    while lines and lines[0].indent == indent:
        line = lines.pop(0)
        match = _KEY.match(line.text)
        if match is None or match[1] in found:
            raise NotPlain(f"line {line.number}: a new key was expected, got {line.text!r}")
        found[match[1]] = _value(lines, line, match[2])
    return found


def _list(lines: list[_Line], indent: int) -> list[Any]:
    found = []
    while lines and lines[0].indent == indent and lines[0].text.startswith("- "):
        line = lines.pop(0)
        rest = line.text[2:]
        if _KEY.match(rest):
            lines.insert(0, _Line(line.number, indent + 2, rest))
            found.append(_block(lines, indent + 2))
        else:
            found.append(_scalar(line, rest))
    return found


def _value(lines: list[_Line], line: _Line, rest: str | None) -> Any:
    if rest is not None:
        return _scalar(line, rest)
    if lines and lines[0].indent > line.indent:
        return _block(lines, line.indent + 2)
    return None


def _scalar(line: _Line, text: str) -> Any:
    if text[0] in '["':
        try:
            return json.loads(text)
        except ValueError as problem:
            raise NotPlain(f"line {line.number}: {problem}") from problem
    if text.isdecimal():
        return int(text)
    unclear = ": " in text or " #" in text or _DOUBTFUL.match(text)
    if unclear or not _PLAIN.match(text):
        raise NotPlain(f"line {line.number}: put {text!r} in double quotes")
    return _WORDS.get(text, text)
