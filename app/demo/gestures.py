"""What a visitor does on one page, and what the page's style sheet asks for because of it.

This follows the sheet rule by rule: clocks that add up over visits to an element, presses that
count, bands in view, marks on the way down. A phone's hover stays where it last tapped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.demo.people import Device
from collector.wire import (
    ALIVE_STEPS_S,
    BAND_PX,
    BANDS,
    DWELL_STEPS_S,
    HEIGHT_STEP_PX,
    PRESSES,
    SCROLL_STEP_PX,
    WIDTH_STEP_PX,
)

GEOMETRY_AT_S = 1.0
"""The sheet tells the viewport once the page clock says 1 s."""

Told = tuple[float, str]
"""Seconds from the view's opening, and the name that is asked for."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing done: the page is scrolled, an element perhaps pressed or, without a zone, the
    empty page; then time passes."""

    seconds: float
    zone: int | None = None
    press: bool = False
    field: bool = False
    """Whether the element takes the focus."""
    scroll_px: int = 0


def beacons(acts: Sequence[Act], device: Device, viewport_px: tuple[int, int]) -> list[Told]:
    """Everything that these acts make the sheet ask for, by time."""
    told = _Telling(device, viewport_px)
    for act in acts:
        told.do(act)
    if told.now_s > GEOMETRY_AT_S:
        told.geometry()
    return sorted(told.told)


class _Telling:
    def __init__(self, device: Device, viewport_px: tuple[int, int]) -> None:
        self.told: list[Told] = []
        self.now_s = 0.0
        self._device = device
        self._viewport_px = viewport_px
        self._clocks: dict[str, float] = {}
        self._presses: Counter[int] = Counter()
        self._first: set[str] = set()
        self._deepest_px = 0
        self._hovered: int | None = None
        self._focused: int | None = None

    def do(self, act: Act) -> None:
        self._scroll(act.scroll_px)
        self._touch(act)
        self._run("t", ALIVE_STEPS_S, act.seconds)
        if self._hovered is not None:
            self._run(f"{self._hovered}.h", DWELL_STEPS_S, act.seconds)
        if self._focused is not None:
            self._run(f"{self._focused}.f", DWELL_STEPS_S, act.seconds)
        for band in self._bands_in_view(act.scroll_px):
            self._run(f"b{band}.", DWELL_STEPS_S, act.seconds)
        self.now_s += act.seconds

    def geometry(self) -> None:
        width_px, height_px = self._viewport_px
        names = [
            f"w{width_px - width_px % WIDTH_STEP_PX}",
            f"g{height_px - height_px % HEIGHT_STEP_PX}",
        ]
        names += ["coarse"] * self._device.phone + ["hidpi"] * self._device.hidpi
        self.told += [(GEOMETRY_AT_S, name) for name in names]

    def _scroll(self, scroll_px: int) -> None:
        if self._device.timelines:
            marks = range(self._deepest_px + SCROLL_STEP_PX, scroll_px + 1, SCROLL_STEP_PX)
            self.told += [(self.now_s, f"y{mark}") for mark in marks]
            self._deepest_px = max(self._deepest_px, *marks, 0)

    def _touch(self, act: Act) -> None:
        if act.press:
            self._focused = None
        if act.zone is None:
            if act.press or not self._device.phone:
                self._hovered = None
            return
        self._hovered = act.zone
        self._once(f"{act.zone}.h")
        if act.press:
            self._presses[act.zone] += 1
            if self._presses[act.zone] <= PRESSES:
                self._once(f"{act.zone}.p{self._presses[act.zone]}")
        if act.field:
            self._focused = act.zone
            self._once(f"{act.zone}.f")

    def _once(self, name: str) -> None:
        if name not in self._first:
            self._first.add(name)
            self.told.append((self.now_s, name))

    def _bands_in_view(self, scroll_px: int) -> Iterable[int]:
        if not self._device.timelines:
            return ()
        last = (scroll_px + self._viewport_px[1]) // BAND_PX
        return range(scroll_px // BAND_PX, min(last + 1, BANDS))

    def _run(self, clock: str, steps_s: Sequence[int], seconds: float) -> None:
        """The steps that the clock passes while this much time is added to it."""
        before_s = self._clocks.get(clock, 0.0)
        self._clocks[clock] = before_s + seconds
        self.told += [
            (self.now_s + step - before_s, f"{clock}{step}")
            for step in steps_s
            if before_s < step <= before_s + seconds
        ]
