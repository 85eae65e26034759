"""Reads a whole sheet and says what in it breaks a promise of ours.

Every sheet is read before it is served, and whoever doubts one can read it with the same checker:
it asks for nothing but our own beacons, relative to its own address; it changes no element of the
shop; it cannot see what a visitor typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from collector.wire import BEACON_NAME
from snippets.errors import SelectorError
from snippets.selectors import TELLTALE, check_selector

TOKEN_CARRIER = "t"
"""The one address that no beacon has: never fetched, it only lets a script read the token."""

FORBIDDEN = (
    "\\",
    "//",
    "/*",
    "<",
    "@import",
    "@namespace",
    "@charset",
    "src:",
    "image-set",
    "attr(",
)
"""Escapes, comments and other hosts have no place, nor what could fetch by another way."""

GROUPS = ("@container ", "@media ", "@supports ")
_URL = re.compile(r"url\(([^()]*)\)")
_KEYFRAME = re.compile(r"(from|to|\d{1,3}%)(,(from|to|\d{1,3}%))*")
_BLOCK = r"#gloed(?:-page|-leave)?(?=[ >,{]|\Z)"
_OURS = re.compile(
    rf"{_BLOCK}(?:[ >](?:gl-[a-z]|img|\.gl-?[a-z]?\d+|\*)(?::hover|::before|::after)?)*"
)
_STATE = re.compile(
    r":root:has\((?P<selector>[^()]+?)(?:"
    r":(?:hover|focus-within|active)|(?P<own>:(?:user-invalid|user-valid|autofill|checked)|))\) "
    rf"(?P<subject>{_BLOCK} .+)"
)
_ONE_BEACON = re.compile(r"--gl-is-(?P<letter>[a-z]):url\(\d+\.(?P=letter)\)")
"""All that the state of a field, or of an element that the shop marks, may lead to."""

_PRESSING = ":root:active "
_ROW = re.compile(r"#gloed-page \.gl-r\d+")
_CELL = re.compile(r"gl-i:nth-child\(\d+\):hover")
"""Rows of cells hold their cells as nested rules: the one place where rules stand in a rule."""


class Rule(NamedTuple):
    groups: tuple[str, ...]
    """Preludes of the at-rules around it, outermost first."""
    prelude: str
    body: str


def faults(css: str) -> list[str]:
    """What breaks a promise, each with the place it stands; empty for a sound sheet."""
    return [*_faults_of_text(css), *_faults_of_rules(css)]


def rules(css: str) -> Iterator[Rule]:
    """Every rule with declarations. Raises ValueError where braces do not match."""
    around: list[str] = []
    start = 0
    for brace in re.finditer(r"[{}]", css):
        text = css[start : brace.start()].strip()
        start = brace.end()
        if brace.group() == "{":
            around.append(text)
            continue
        if not around:
            raise ValueError(f"a closing brace without its opening one at {brace.start()}")
        prelude = around.pop()
        if text:
            yield Rule(tuple(around), prelude, text)
    if around or css[start:].strip():
        raise ValueError(f"the sheet ends inside {(around or [css[start:]])[0]!r}")


def requests(css: str) -> list[str]:
    """The addresses that a sheet can ask for, in its order."""
    return _URL.findall(css)


def _faults_of_text(css: str) -> Iterator[str]:
    if not css.isascii():
        yield "it holds signs beyond ASCII"
    lowered = css.lower()
    for text in (*FORBIDDEN, *(f"[{word}" for word in TELLTALE)):
        if text in lowered:
            yield f"it holds {text!r}"
    if lowered.count("url(") != len(requests(css)):
        yield "it holds an address that is not plain"
    for name in requests(css):
        if name != TOKEN_CARRIER and not BEACON_NAME.fullmatch(name):
            yield f"it asks for {name!r}, which is no beacon"


def _faults_of_rules(css: str) -> Iterator[str]:
    try:
        for rule in rules(css):
            yield from _faults_of_rule(rule)
    except ValueError as unbalanced:
        yield str(unbalanced)


def _faults_of_rule(rule: Rule) -> Iterator[str]:
    *groups, innermost = rule.groups or ("",)
    if innermost.startswith("@keyframes "):
        if not _KEYFRAME.fullmatch(rule.prelude) or "url(" in rule.body:
            yield f"keyframe {rule.prelude!r} may only change sizes"
        innermost, known = "", True
    elif _ROW.fullmatch(innermost):
        innermost, known = "", bool(_CELL.fullmatch(rule.prelude))
    else:
        known = _is_ours(rule.prelude, rule.body)
    if not known:
        yield f"rule {rule.prelude!r} is not about our own elements"
    for group in (*groups, innermost):
        if group and not group.startswith(GROUPS):
            yield f"{group!r} is not one of {', '.join(GROUPS)}"


def _is_ours(prelude: str, body: str) -> bool:
    state = _STATE.fullmatch(prelude)
    if state is None:
        own = prelude.removeprefix(_PRESSING)
        return all(_OURS.fullmatch(part) for part in own.split(","))
    try:
        normal = check_selector(state["selector"]) == state["selector"]
    except SelectorError:
        return False
    asks = state["own"] is None or bool(_ONE_BEACON.fullmatch(body))
    return normal and asks and bool(_OURS.fullmatch(state["subject"]))
