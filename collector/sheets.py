"""Answers with the sheets of pages, plain and packed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from collector import answers
from collector.answers import Answer
from collector.sites import Page


class Sheet(Protocol):
    """A page's stylesheet, ready to send."""

    @property
    def css(self) -> bytes: ...
    @property
    def gzip(self) -> bytes: ...


class Sheets:
    def __init__(self, sheet: Callable[[Page], Sheet]) -> None:
        self._sheet = sheet
        self._held: dict[tuple[int, int], tuple[Page, Answer, Answer]] = {}

    def answer(self, site_id: int, page: Page, *, packed: bool) -> Answer:
        """Known by the very page: to compare all that it consists of takes longer than the rest."""
        place = site_id, page.page_id
        held = self._held.get(place)
        if held is None or held[0] is not page:
            made = self._sheet(page)
            plain = answers.stylesheet(made.css, packed=False)
            held = page, plain, answers.stylesheet(made.gzip, packed=True)
            self._held[place] = held
        return held[2] if packed else held[1]
