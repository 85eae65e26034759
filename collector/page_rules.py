"""Pages by path: one fragment on every page of a shop, and rules that say which page each path is.

A pattern is a glob of scrubbed paths, `/product/*`; the first rule that matches counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

MOST_RULES = 50
"""Compared one after another on the way of every opening that they are asked of."""

MOST_STARS = 5
"""Of a pattern: what matches it is then found in a few passes over the path."""

NO_GLOB = frozenset("[]")
"""Signs that would mean a class of signs, which nobody expects in a path."""

LONGEST_GLOB = 200

ROOT = "/"
"""Told by browsers of the shop's first page, and of every page where only the host is told: no
rule is asked of it."""


@dataclass(frozen=True, slots=True)
class PageRule:
    glob: str
    page_id: int


def page_by_path(rules: Iterable[PageRule], path: str | None) -> int | None:
    """The page that a scrubbed path belongs to, where a rule says so."""
    if path is None or path == ROOT:
        return None
    return next((rule.page_id for rule in rules if fnmatchcase(path, rule.glob)), None)


def wrong_glob(glob: str) -> str | None:
    """What is wrong with a pattern, in a sentence; None for one that may be used."""
    if not glob.startswith("/") or not 1 < len(glob) <= LONGEST_GLOB:
        return f"a path begins with / and has at most {LONGEST_GLOB} signs, as /product/*"
    if glob.count("*") > MOST_STARS or set(glob) & NO_GLOB:
        return f"a pattern is a plain path with at most {MOST_STARS} stars and without [ and ]"
    if not glob.isprintable() or set(glob) & set("?#; "):
        return "write the path alone, without blanks, and without what follows ?, # or ;"
    return None


def plain_glob(glob: str) -> str:
    """As scrubbed paths are written: no slash at the end and none doubled."""
    return "/" + "/".join(part for part in glob.strip().split("/") if part)
