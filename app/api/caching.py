"""Whether an answer is already held by whoever asks, and how long it may be held."""

from __future__ import annotations

from fastapi import Request

OPEN_MAX_AGE_S = 60
"""A period that holds today is asked for again after a minute."""

FINISHED_MAX_AGE_S = 3600
"""Late rows may still reopen a finished day, so it is not called immutable under this address."""


def matches(request: Request, name: str) -> bool:
    """By the weak comparison, as RFC 9110 wants it: proxies that compress weaken our name."""
    given = request.headers.get("if-none-match", "")
    named = (part.strip().removeprefix("W/") for part in given.split(","))
    return given.strip() == "*" or name in named


def cache_control(*, finished: bool) -> str:
    """Of a period that is over, or of one that holds today."""
    return f"private, max-age={FINISHED_MAX_AGE_S if finished else OPEN_MAX_AGE_S}"
