"""The command `gloed`. Each command is thin: it opens the store, calls one function, prints."""

from __future__ import annotations

from app.cli.main import main

__all__ = ["main"]
