"""No visit counts more than a busy one: what a visit's dwell is cut down to."""

from __future__ import annotations

import numpy as np

from heatmap.page import FloatArray

WINSORISED_AT = 0.9
"""Quantile of the visits' total dwell that no visit counts beyond: a visitor who went to lunch
with the mouse on a field weighs as much as one in ten others do."""


def winsorised(totals: FloatArray, chance: FloatArray | float = 1.0) -> FloatArray:
    """Give the factor (n,) that brings each visit down to what the busiest tenth may count.

    totals   (n,) dwell of each visit, not negative; those without any set no limit
    chance   (n,) share of the page's usual dwell that lies in what the visit saw: one that left
             early is measured by that share. With one limit for all, those who saw more would be
             cut more often, and everything would seem to take those who left longer
    Source   Wilcox 2017, Introduction to Robust Estimation, ch. 3 (winsorising)
    """
    whole = np.divide(totals, chance, out=np.zeros(totals.shape), where=totals > 0)
    if not whole.any():
        return np.ones(totals.size)
    limit = float(np.quantile(whole[whole > 0], WINSORISED_AT))
    return np.asarray(limit / np.maximum(whole, limit), dtype=np.float64)


def chances(y_px: FloatArray, weight: FloatArray, seen_px: FloatArray) -> FloatArray:
    """Give the share of the page's dwell per exposed visit that lies above each visit's depth.

    y_px     (k,) lower edges of places; weight (k,) their dwell
    seen_px  (n,) no visit's places lie deeper
    Returns  (n,) 0..1
    """
    order = np.argsort(y_px, kind="stable")
    exposed = seen_px.size - np.searchsorted(np.sort(seen_px), y_px[order])
    dwell = np.append(0.0, np.cumsum(weight[order] / exposed))
    above = dwell[np.searchsorted(y_px[order], seen_px, "right")]
    return np.asarray(above / max(float(dwell[-1]), np.finfo(np.float64).tiny), dtype=np.float64)
