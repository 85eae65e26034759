"""What a check found, in words that are translated where they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


class Translated(str):
    """A value of a finding that is itself a message."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """`message` is English, with places for `values`; `about` names the shop or the page."""

    good: bool
    message: str
    values: Mapping[str, object] = field(default_factory=dict)
    about: str = ""

    @property
    def told(self) -> str:
        """In English, as commands print it."""
        text = self.message % self.values if self.values else self.message
        return f"{self.about}: {text}" if self.about else text
