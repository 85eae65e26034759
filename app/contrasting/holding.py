"""What is held while two cohorts are compared: each visit with those of its device and week.

Weeks differ, and devices do; of neither may a difference between cohorts come. But a factor that
tells the cohorts apart cannot be held: among phones alone there is no desktop to compare with, and
before a dated change no visit after it. Then the most that can be held is held, and it is said.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from app.contrasting.reading import Flags, Visits, Whole
from collector.codes import Device

Factor = Literal["device", "week"]
Held = tuple[Factor, ...]

CHOICES: tuple[Held, ...] = (("device", "week"), ("device",), ("week",), ())
"""From most to least; a device changes dwell more than a week does."""

LEAST_LEFT = 0.5
"""Share of the visits' worth that must be left within strata. Chance and small shops cost a part
of it; a factor that tells the cohorts apart costs nearly all."""


def held(visits: Visits, first: Flags, second: Flags) -> Held:
    """The most that can be held between two cohorts: known from who they are, not what they did."""
    whole = _worth(np.zeros(len(visits), np.int64), first, second)
    for choice in CHOICES:
        if _worth(strata(visits, choice), first, second) >= LEAST_LEFT * whole:
            return choice
    return ()


def strata(visits: Visits, by: Held) -> Whole:
    """(n,) a number for all visits that are alike in what is held."""
    number = np.zeros(len(visits), np.int64)
    if "week" in by:
        number += (visits.day - 1) // 7  # ordinal 1 was a Monday
    number *= max(Device) + 1
    if "device" in by:
        number += visits.device
    return number


def _worth(stratum: Whole, first: Flags, second: Flags) -> float:
    """Inverse of the variance of a difference within strata, for visits of variance 1."""
    _, place = np.unique(stratum, return_inverse=True)
    ones = np.bincount(place, first).astype(np.float64)
    others = np.bincount(place, second).astype(np.float64)
    both = ones + others
    return float((ones * others / np.where(both > 0, both, 1)).sum())
