"""Marks what is said to people for translation, wherever it is written."""

from __future__ import annotations


def N_(message: str) -> str:
    """Mark a message that is translated where it is shown."""
    return message
