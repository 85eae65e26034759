"""The recorded pointer trails of people at work, as page views of a tall page.

Rules by the data set's own description: a view is a page view and the screen its viewport; there
was no document, so one of three screens' height is assumed and a notch of the wheel scrolls it;
a click is a press and a release of one button in (nearly) one place.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, groupby
from math import hypot
from pathlib import Path

from app.replay import Event, Recording
from tests.shared import shared_file

NOTCH_PX = 100
SCREENS_PER_PAGE = 3
CLICK_WITHIN_PX = 10
PARTS = ("short", "long")

Row = dict[str, str]
Screen = tuple[int, int]


def balabit_file(name: str) -> Path:
    return shared_file("data", "balabit_cursor", name)


def read_rows(name: str, visits: Collection[str] | None = None) -> Iterator[Row]:
    """The rows of a table as text, of these visits alone if any are named."""
    with gzip.open(balabit_file(name), "rt", newline="") as file:
        header = next(file)
        # Before the lines are taken apart: most of a million rows are of other visits.
        wanted = file if visits is None else _of_visits(file, visits)
        yield from csv.DictReader(chain([header], wanted))


def _of_visits(lines: Iterable[str], visits: Collection[str]) -> Iterator[str]:
    return (line for line in lines if line.partition(",")[0] in visits)


def read_screens() -> dict[str, Screen]:
    return {
        row["visit"]: (int(row["screen_w"]), int(row["screen_h"]))
        for row in read_rows("visits.csv.gz")
    }


def read_balabit(part: str, visits: Collection[str] | None = None) -> Iterator[Recording]:
    """The views of a part, `short` or `long`, one at a time in the file's order."""
    screens = read_screens()
    rows = read_rows(f"events_{part}_visits.csv.gz", visits)
    for (visit, view), of_view in groupby(rows, key=lambda row: (row["visit"], row["view"])):
        yield as_recording(visit, view, screens[visit], of_view)


def as_recording(visit: str, view: str, screen: Screen, rows: Iterable[Row]) -> Recording:
    width, height = screen
    page = (width, SCREENS_PER_PAGE * height)
    return Recording(
        view=f"{visit}-{view}",
        visit=visit,
        viewport=screen,
        page=page,
        events=tuple(_events(rows, deepest_px=page[1] - height)),
    )


@dataclass(slots=True)
class _Hand:
    """What must be remembered from one row to the next: how far is scrolled, what is pressed."""

    deepest_px: int
    scroll_px: int = 0
    pressed: dict[str, tuple[int, int]] = field(default_factory=dict)

    def scrolls(self, notches: int) -> bool:
        before = self.scroll_px
        self.scroll_px = min(max(before + notches * NOTCH_PX, 0), self.deepest_px)
        return self.scroll_px != before

    def presses(self, button: str, x: int, y: int) -> None:
        self.pressed[button] = (x, y)

    def clicks(self, button: str, x: int, y: int) -> bool:
        down = self.pressed.pop(button, None)
        return down is not None and hypot(x - down[0], y - down[1]) <= CLICK_WITHIN_PX


def _events(rows: Iterable[Row], deepest_px: int) -> Iterator[Event]:
    hand = _Hand(deepest_px)
    for row in rows:
        t, x, y = int(row["t_ms"]), int(row["x"]), int(row["y"])
        match row["type"]:
            case "move" | "drag":
                yield Event(t, "move", x, y + hand.scroll_px)
            case "wheel" if hand.scrolls(int(row["dy"])):
                yield Event(t, "scroll", 0, hand.scroll_px)
            case "down":
                hand.presses(row["button"], x, y)
            case "up" if hand.clicks(row["button"], x, y):
                yield Event(t, "click", x, y + hand.scroll_px)
