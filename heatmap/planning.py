"""How many visits a question needs, and how often it may be asked of growing data."""

from __future__ import annotations

import math

from scipy.special import ndtr, ndtri

from heatmap.errors import CohortError

MIN_VISITS = 100
"""Of each cohort before a contrast is drawn; below, one planned question may be tested."""

NEEDED = 50.0
"""Fits simulated shops: `visits_needed`."""
POWER = 0.8
"""Of `visits_needed` and `detectable_ratio`."""

LOOKS = 8
"""Verdicts that one question gets, one for each complete week: after two months the shop has
changed, and what is asked then is another question."""
LOOK_DAYS = 7


def visits_needed(ratio: float) -> int:
    """Give how many visits of each cohort find a ratio of dwell at one control in 80 % of maps.

    ratio    of the mean dwell at the control, first to second cohort, positive and not 1
    Returns  visits of each cohort: 50 (1 + r^2) / (r - 1)^2
    Raises   CohortError
    Source   the two-sample normal approximation, Lachin 1981, Controlled Clinical Trials 2,
             93-113; its factor was fitted to simulated visits (log-normal dwell, sigma 1.1)
    """
    if not 0 < ratio < math.inf or ratio == 1:
        raise CohortError(f"ratio must be positive and not 1, got {ratio!r}")
    larger = max(ratio, 1 / ratio)
    return math.ceil(NEEDED * (1 + larger**2) / (larger - 1) ** 2)


def detectable_ratio(first: int, second: int) -> float:
    """Give the least ratio of dwell that cohorts of this size would have shown, in 80 % of maps.

    first, second  visits of each cohort; unequal ones count as their harmonic mean
    Returns        ratio above 1, or inf where no ratio would have shown
    Source         as for `visits_needed`, solved for the ratio
    """
    both = first + second
    n = 2 * first * second / both if both else 0.0
    if n <= NEEDED:
        return math.inf
    return (n + math.sqrt(n**2 - (n - NEEDED) ** 2)) / (n - NEEDED)


def power(ratio: float, first: int, second: int, level: float = 0.05) -> float:
    """Give the share of runs in which one planned test at a level finds a ratio.

    ratio    of the mean dwell, first to second cohort, positive
    Returns  0..1; calibrated such that `visits_needed` visits give 0.8 on the corrected map, whose
             critical value is that of about eight tests, so that a single test does better
    Source   Lachin 1981 (normal approximation); eight as the controls of a checkout page
    """
    both = first + second
    if not both or not ratio > 0:
        return 0.0
    n = 2 * first * second / both
    larger = max(ratio, 1 / ratio)
    drift = (larger - 1) * math.sqrt(n / (NEEDED * (1 + larger**2))) * _DRIFT
    return float(ndtr(drift - ndtri(1 - level / 2)))


_CONTROLS = 8
_DRIFT = float(ndtri(1 - 0.05 / (2 * _CONTROLS)) + ndtri(POWER))
"""Standard errors at which the corrected test has the power POWER."""


def look_level(look: int, level: float = 0.05) -> float:
    """Give the level at which a verdict is passed, so that all of a question's stay within one.

    A page that is opened daily shows the colours of the day, but the verdict of the last complete
    week: `look_due` says which. Boundaries that use how alike the looks are would gain a little and
    hold for one normal statistic, not for the largest over a page.

    look     1 for the first verdict, at most LOOKS
    level    of them all together
    Returns  level / LOOKS
    Raises   CohortError for a look beyond the plan
    Source   Bonferroni over planned looks: Armitage, McPherson & Rowe 1969, JRSS A 132, 235-244,
             for what looking without it does; Lan & DeMets 1983, Biometrika 70, 659-663, for
             spending a level over looks fixed in advance
    """
    if not 1 <= look <= LOOKS:
        raise CohortError(f"look must be 1..{LOOKS}, got {look}: ask a new question of new visits")
    return level / LOOKS


def look_due(days: int) -> int:
    """Give the number of the last verdict passed when a question is so many days old; 0: none.

    days     complete days since it was first asked
    """
    return min(max(days, 0) // LOOK_DAYS, LOOKS)
