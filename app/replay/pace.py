"""When the next batch of a view is due, at a multiple of the speed it was recorded at."""

from __future__ import annotations

import math
from dataclasses import dataclass

from app.replay.errors import ReplayError


def check_speed(speed: float) -> None:
    if not 0 <= speed < math.inf:
        raise ReplayError(f"speed must be 0 (as fast as answers come) or more, got {speed!r}")


@dataclass(frozen=True, slots=True)
class Pace:
    """Anchored at one moment of the recording and one of the present, so that waits do not add up.

    speed     multiple of the recorded speed; 0 waits for nothing
    first_ms  moment of the view, milliseconds from its opening
    begun_s   the same moment by the clock that `wait_s` is asked with
    """

    speed: float
    first_ms: int
    begun_s: float

    def wait_s(self, due_ms: int, now_s: float) -> float:
        if self.speed == 0:
            return 0.0
        return max(0.0, self.begun_s + (due_ms - self.first_ms) / 1000 / self.speed - now_s)
