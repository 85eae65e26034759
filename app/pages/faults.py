"""What is wrong with a form, told beside the field that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.pages.words import Words

ENGLISH = "en"
MOST_SIGNS = 400


@dataclass(frozen=True, slots=True)
class Fault:
    """lang: of a sentence that no catalogue holds, because a function below the pages says it."""

    text: str
    lang: str | None = None


Faults = Mapping[str, Fault]


def fault(words: Words, message: str, **values: object) -> Fault:
    told = words.catalogue.gettext(message)
    return Fault(told % values if values else told)


def refused(problem: Exception) -> Fault:
    """In the words of what refused; they name the value and the remedy."""
    return Fault(str(problem)[:MOST_SIGNS], ENGLISH)
