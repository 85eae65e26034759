"""What is wrong with a request for a snippet: each names the value and the remedy."""

from __future__ import annotations

SHOWN_CHARACTERS = 60
"""How much of a refused value a message repeats: enough to find it, never a page full."""


class SnippetError(ValueError):
    """Root of everything that a snippet refuses."""


class SelectorError(SnippetError):
    """A selector outside the closed grammar."""


class SheetError(SnippetError):
    """A stylesheet that breaks a promise of ours, found before anybody is served it."""


class ScriptError(SnippetError):
    """The optional script cannot be made here."""


def shown(value: str) -> str:
    """A refused value as a message may repeat it."""
    short = value if len(value) <= SHOWN_CHARACTERS else value[:SHOWN_CHARACTERS] + "…"
    return ascii(short)
