"""What a model found wrong, in words for whoever sent it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

OURS = "Value error, "
"""Pydantic puts it before messages of our own."""


def said(error: Mapping[str, Any], known: Sequence[str] = ()) -> str:
    """One error of pydantic's; of a name that is not among `known` ones, which was meant."""
    if error["type"] != "extra_forbidden" or not known:
        return str(error["msg"]).removeprefix(OURS)
    near = get_close_matches(str(error["loc"][-1]), known, n=1)
    meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"
    return f"there is no such parameter; {meant}"
