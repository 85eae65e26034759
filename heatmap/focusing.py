"""What happened in a form's fields: how long each had the focus, and how often.

Signals 6 to 8 of `heatmap.signals`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import ArrayLike

from heatmap.errors import TrailError
from heatmap.resting import visible_ms


class Act(Enum):
    """What happens to a field."""

    FOCUS = "focus"
    BLUR = "blur"
    INPUT = "input"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a view.

    zone            the field
    focus_ms        time in focus, less hidden time
    returns         focuses after the first
    first_input_ms  from the first focus to the first input; None where there was none
    """

    zone: int
    focus_ms: float
    returns: int
    first_input_ms: float | None


def fields(
    acts: Iterable[tuple[float, int, Act]], *, end_ms: float, hidden_ms: ArrayLike | None = None
) -> tuple[Field, ...]:
    """Tell of each field that had the focus.

    acts       time, zone and act, by time. One field has the focus at a time: another's focus
               ends it even where its blur did not arrive
    end_ms     end of the view: a field then in focus had it until then
    hidden_ms  as for `heatmap.resting.visible_ms`
    Returns    fields in the order in which they were first focused
    Raises     TrailError for times that fall, or an act after the end
    """
    told = list(acts)
    times = np.array([*(t for t, _, _ in told), end_ms], dtype=np.float64)
    if np.any(np.diff(times) < 0):
        raise TrailError("acts must come by time, and none after end_ms")
    seen = visible_ms(times, hidden_ms).tolist()
    tallies: dict[int, _Tally] = {}
    focused: _Tally | None = None
    for at_ms, (_, zone, act) in zip(seen, told, strict=False):
        tally = tallies.get(zone)
        if act is Act.FOCUS:
            if focused is not None:
                focused.blur(at_ms)
            focused = tallies.setdefault(zone, _Tally(zone, at_ms))
            focused.focus(at_ms)
        elif tally is not None and act is Act.INPUT:
            tally.input(at_ms)
        elif tally is not None and tally is focused:
            tally.blur(at_ms)
            focused = None
    if focused is not None:
        focused.blur(seen[-1])
    return tuple(tally.field() for tally in tallies.values())


class _Tally:
    """What is known of a field so far; times are of the visible page."""

    def __init__(self, zone: int, first_ms: float) -> None:
        self._zone, self._first_ms, self._since_ms = zone, first_ms, first_ms
        self._focus_ms, self._focuses = 0.0, 0
        self._input_ms: float | None = None

    def focus(self, at_ms: float) -> None:
        self._since_ms = at_ms
        self._focuses += 1

    def blur(self, at_ms: float) -> None:
        self._focus_ms += at_ms - self._since_ms

    def input(self, at_ms: float) -> None:
        if self._input_ms is None:
            self._input_ms = at_ms - self._first_ms

    def field(self) -> Field:
        return Field(self._zone, self._focus_ms, self._focuses - 1, self._input_ms)
