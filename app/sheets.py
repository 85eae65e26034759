"""Stylesheets by page, made once for each wording of a page."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import structlog

from collector.sites import Page
from snippets.errors import SnippetError
from snippets.sheet import Stylesheet, stylesheet

log = structlog.get_logger()

EMPTY = Stylesheet(css=b"", gzip=gzip.compress(b""), integrity="")


class Sheets:
    """What the collector asks for a page's sheet."""

    def __init__(self) -> None:
        self.make: Callable[[Page], Stylesheet] = stylesheet
        self._made: dict[Page, Stylesheet] = {}

    def __call__(self, page: Page) -> Stylesheet:
        if page not in self._made:
            self._made[page] = self._safe(page)
        return self._made[page]

    def _safe(self, page: Page) -> Stylesheet:
        """A zone that no longer fits the grammar costs its page the signals, never the shop."""
        try:
            return self.make(page)
        except SnippetError as problem:
            log.error("sheet_not_made", page=page.slug, why=str(problem))
            return EMPTY
