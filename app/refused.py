"""What a model found wrong, in words for whoever sent it, with how to write it instead."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

OURS = "Value error, "
"""Pydantic puts it before messages of our own."""

CLOSED = frozenset({"literal_error", "enum"})
WHOLE = frozenset({"int_type", "int_parsing", "int_from_float"})
DAY = frozenset({"date_from_datetime_parsing", "date_from_datetime_inexact", "date_parsing"})

LONGEST_GUESS = 64
"""Of a value, to find the one that was meant: none is as long."""

_OPENING = re.compile(r"^(Input|String|Value|List|Dictionary|Number|Object|Data) should ")
_QUOTED = re.compile(r"'([^']*)'")


def said(error: Mapping[str, Any], known: Sequence[str] = (), *, listed: bool = True) -> str:
    """One error of pydantic's, without what was sent: that may be a secret, or a page of text.

    known   names that could be meant by one that does not exist
    listed  whether to name them all where none is near; of several errors once is enough
    """
    kind = error["type"]
    if kind == "extra_forbidden":
        return _no_such_name(str(error["loc"][-1]), known, listed=listed)
    if kind == "missing":
        return "is needed, and was left out"
    if kind in CLOSED:
        return _one_of(error)
    if kind in WHOLE:
        return "write a whole number, such as 30"
    if kind in DAY:
        return "there is no such day: write one as 2026-11-22"
    return _OPENING.sub("must ", str(error["msg"]).removeprefix(OURS))


def _no_such_name(name: str, known: Sequence[str], *, listed: bool) -> str:
    if not known:
        return "there is no such part: leave it out"
    near = get_close_matches(name[:LONGEST_GUESS], known, n=1)
    if near:
        return f"there is no such parameter; did you mean {near[0]}?"
    there_are = f"; there are {', '.join(sorted(known))}" if listed else ""
    return f"there is no such parameter{there_are}"


def _one_of(error: Mapping[str, Any]) -> str:
    """Its message names the values, in quotes; the error's own list is another for each type."""
    values = _QUOTED.findall(str(error["msg"]))
    near = get_close_matches(str(error.get("input", ""))[:LONGEST_GUESS], values, n=1)
    meant = f"; did you mean {near[0]}?" if near else ""
    return f"must be {'one of ' if len(values) > 1 else ''}{', '.join(values)}{meant}"
