"""A session played by hand in a real browser, and when each of its movements was made."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tests.browser.drive import Browser

PATIENCE_S = 10.0
STEP_S = 0.03
"""Between two movements of one stroke: a hand's mouse reports more often, a busy machine less."""

READINGS = 5
NEAR_PX = 2.0
NEAR_MS = 120.0
ROUNDING_MS = 1.0
"""Times are cut to whole milliseconds, and engines blur their clocks by as much."""


Move = tuple[float, float, float, float]
"""x, y in page px, not before, not after."""

Numbers = NDArray[np.float64]


def off_px(trail: NDArray[np.void], moved: Sequence[Move]) -> Numbers:
    """Of each stored point: how far it lies from where the hand was within NEAR_MS of it."""
    x, y, _, _ = np.array(moved).T
    far_px = np.hypot(trail["x"][:, None] - x, trail["y"][:, None] - y)
    nearest: Numbers = np.where(_late_ms(trail, moved) <= NEAR_MS, far_px, np.inf).min(axis=1)
    return nearest


def untold_ms(trail: NDArray[np.void], moved: Sequence[Move]) -> Numbers:
    """Of each movement: how far in time the nearest stored point is.

    To where the pointer was already is no movement: of such some engines say nothing.
    """
    places = np.array(moved)[:, :2]
    went = np.append(True, np.any(np.diff(places, axis=0) != 0, axis=1))
    nearest: Numbers = _late_ms(trail, moved).min(axis=0)[went]
    return nearest


def _late_ms(trail: NDArray[np.void], moved: Sequence[Move]) -> Numbers:
    """Of each stored point and movement: how far apart in time they are at least."""
    _, _, earliest, latest = np.array(moved).T
    t = trail["t"][:, None].astype(float)
    late: Numbers = np.maximum(np.maximum(earliest - t, t - latest) - ROUNDING_MS, 0)
    return late


@dataclass(slots=True)
class Hand:
    """Times are milliseconds of the page's own clock: the earliest and latest that each can be."""

    browser: Browser
    moved: list[Move] = field(default_factory=list)
    clicked: list[Move] = field(default_factory=list)
    _zero_s: float = 0.0

    def open(self, url: str) -> None:
        self.browser.goto(url)
        readings = []
        for _ in range(READINGS):
            before = time.monotonic()
            now_ms = float(self.browser.evaluate("performance.now()"))
            took_s = time.monotonic() - before
            readings.append((took_s, before + took_s / 2 - now_ms / 1000))
        # The quickest answer leaves the least doubt about when in between it was given.
        self._zero_s = min(readings)[1]

    def rest(self, seconds: float) -> None:
        """For so long, and until the page has done what it had to do by then."""
        time.sleep(seconds)
        self.browser.evaluate("performance.now()")

    def stroke(self, corners: Sequence[tuple[int, int]], steps: int = 12) -> None:
        """Along straight lines from corner to corner; the first is jumped to."""
        x0, y0 = corners[0]
        self.move(x0, y0)
        for x1, y1 in corners[1:]:
            for step in range(1, steps + 1):
                time.sleep(STEP_S)
                self.move(
                    round(x0 + (x1 - x0) * step / steps), round(y0 + (y1 - y0) * step / steps)
                )
            x0, y0 = x1, y1

    def click(self, x: int, y: int) -> None:
        """The pointer goes there, and presses for as long as a finger does."""
        self.move(x, y)
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

    def move(self, x: int, y: int) -> None:
        before = self.now_ms()
        self.browser.move(x, y)
        self.moved.append((x, y, before, self.now_ms()))

    def now_ms(self) -> float:
        """By the page's clock."""
        return (time.monotonic() - self._zero_s) * 1000
