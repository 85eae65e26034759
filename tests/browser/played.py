"""A session played by hand in a real browser, and when each of its movements was made."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.browser.drive import Browser

PATIENCE_S = 10.0
STEP_S = 0.03
"""Between two movements of one stroke: a hand's mouse reports more often, a busy machine less."""


@dataclass(slots=True)
class Hand:
    """Times are milliseconds of the page's own clock: the earliest and latest that each can be."""

    browser: Browser
    moved: list[tuple[float, float, float, float]] = field(default_factory=list)
    """x, y in page px, not before, not after."""
    clicked: list[tuple[float, float, float, float]] = field(default_factory=list)
    _zero_s: float = 0.0

    def open(self, url: str) -> None:
        self.browser.goto(url)
        before = time.monotonic()
        now_ms = float(self.browser.evaluate("performance.now()"))
        self._zero_s = (before + time.monotonic()) / 2 - now_ms / 1000

    def stroke(self, corners: Sequence[tuple[int, int]], steps: int = 12) -> None:
        """Along straight lines from corner to corner; the first is jumped to."""
        x0, y0 = corners[0]
        self._move(x0, y0)
        for x1, y1 in corners[1:]:
            for step in range(1, steps + 1):
                time.sleep(STEP_S)
                self._move(
                    round(x0 + (x1 - x0) * step / steps), round(y0 + (y1 - y0) * step / steps)
                )
            x0, y0 = x1, y1

    def click(self, x: int, y: int) -> None:
        """The pointer goes there, and presses for as long as a finger does."""
        self._move(x, y)
        time.sleep(0.12)
        self.browser.down()
        time.sleep(0.08)
        before = self.now_ms()
        self.browser.up()
        self.clicked.append((x, y, before, self.now_ms()))

    def scroll(self, y: int) -> None:
        """Until the page is there: a key just pressed may still be moving it."""
        end = time.monotonic() + PATIENCE_S
        while self.browser.evaluate("scrollY") != y:
            assert time.monotonic() < end, f"the page does not scroll to {y}"
            self.browser.scroll_to(y)
            time.sleep(STEP_S)

    def _move(self, x: int, y: int) -> None:
        before = self.now_ms()
        self.browser.move(x, y)
        self.moved.append((x, y, before, self.now_ms()))

    def now_ms(self) -> float:
        """By the page's clock."""
        return (time.monotonic() - self._zero_s) * 1000
