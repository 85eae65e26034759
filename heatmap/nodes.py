"""Nodes along an axis of the picture, and the cubic B-splines that carry heat from them to pixels.

A pixel's heat comes from TAPS nodes along each axis, in shares that are the same in every distance
between two nodes. So the pixels of a panel, which is some distances together, come out of one small
matrix product.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from heatmap.grid import node_step
from heatmap.page import FloatArray, Page
from heatmap.smoothing import Edge, mass_inside

Singles = NDArray[np.float32]

TAPS = 4
"""Nodes that a pixel's heat comes from along one axis."""

DISTANCES_ACROSS, PIXELS_ACROSS = 8, 48
"""Distances of a panel along x, or more until they are so many pixels: fewer pixels are slow to
multiply, more distances multiply by more zeros."""

DISTANCES_DOWN, PIXELS_DOWN = 4, 16
"""Most distances of a panel along y, and pixels that are enough for one: a tenth of the time of
single distances at a bandwidth of 20 px, a fifth at 5 and 10. Of one pixel each they stay single:
multiplying by vectors is a way of its own, and faster."""

AXES_KEPT = 16
"""Axes of late maps: what a shop looks at are a few pages, over and over. At most 64,000 factors
(256 KB) to an axis."""


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """Nodes along one axis of the picture, and what becomes of them.

    step       device pixels from one node to the next
    together   node distances to a panel
    count      node distances: a whole number of panels, which cover the picture
    apart_px   distance of the nodes, CSS pixels
    lift       (count * step,) factors for the pixels' heat
    inside     (count + TAPS - 1,) share of the kernel inside the page at each node: 1 / lift there
    highest    (count + TAPS - 1,) largest factor among the pixels that each node has a share in
    """

    step: int
    together: int
    count: int
    apart_px: float
    lift: Singles
    inside: Singles
    highest: Singles

    def at_px(self, first: int, stop: int) -> FloatArray:
        """Nodes that the pixels of distances first..stop-1 need, CSS pixels."""
        return np.arange(first - 1.0, stop + TAPS - 2) * self.apart_px

    def panels(self) -> Singles:
        """Shares of a panel's nodes in its pixels, lifted: (panels, nodes, pixels).

        Nodes are TAPS - 1 more than distances, and so many are shared with the next panel.
        """
        shares = _panel(self.step, self.together)
        return shares * self.lift.reshape(-1, 1, shares.shape[1])


def nodes_across(page: Page, bandwidth_px: float, edge: Edge) -> Nodes:
    """Lay nodes along x."""
    step = node_step(bandwidth_px, page.dpr)
    together = max(PIXELS_ACROSS // step, DISTANCES_ACROSS)
    return _nodes(page.width_px, page.dpr, bandwidth_px, edge, together)


def nodes_down(page: Page, bandwidth_px: float, edge: Edge) -> Nodes:
    """Lay nodes along y."""
    step = node_step(bandwidth_px, page.dpr)
    together = min(math.ceil(PIXELS_DOWN / step), DISTANCES_DOWN) if step > 1 else 1
    return _nodes(page.height_px, page.dpr, bandwidth_px, edge, together)


@functools.lru_cache(maxsize=AXES_KEPT)
def _nodes(length_px: int, dpr: int, bandwidth_px: float, edge: Edge, together: int) -> Nodes:
    step = node_step(bandwidth_px, dpr)
    count = math.ceil(length_px * dpr / (step * together)) * together
    centres_px = (np.arange(count * step) + 0.5) / dpr
    lift, inside = np.ones(count * step), np.ones(count + TAPS - 1)
    if edge == "uniform":
        lift /= mass_inside(np.minimum(centres_px, length_px), bandwidth_px, length_px)
        nodes_px = np.arange(-1.0, count + TAPS - 2) * (step / dpr)
        inside = mass_inside(nodes_px, bandwidth_px, length_px)
    around = np.pad(lift.reshape(count, step).max(axis=1), TAPS - 1)
    highest = np.max([around[tap : tap + inside.size] for tap in range(TAPS)], axis=0)
    return Nodes(step, together, count, step / dpr, *map(_kept, (lift, inside, highest)))


@functools.lru_cache(maxsize=AXES_KEPT)
def taps(step: int) -> Singles:
    """Share of each of TAPS nodes in each pixel of one distance: (step, TAPS)."""
    u = ((np.arange(step) + 0.5) / step)[:, None]
    pieces = ((1 - u) ** 3, 4 - 6 * u**2 + 3 * u**3, 1 + 3 * u + 3 * u**2 - 3 * u**3, u**3)
    return _kept(np.concatenate(pieces, axis=1) / 6)


@functools.lru_cache(maxsize=AXES_KEPT)
def _panel(step: int, distances: int) -> Singles:
    """(distances + TAPS - 1, distances * step) shares of nodes in the pixels between them."""
    shares = np.zeros((distances + TAPS - 1, distances * step))
    for distance in range(distances):
        pixels = slice(distance * step, (distance + 1) * step)
        shares[distance : distance + TAPS, pixels] = taps(step).T
    return _kept(shares)


def _kept(values: FloatArray) -> Singles:
    """Narrow and lock what several maps share."""
    singles: Singles = values.astype(np.float32)
    singles.flags.writeable = False
    return singles
