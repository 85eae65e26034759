"""Marks on a page to a true picture of their density: pure numpy and scipy, PNG out.

No web, no database, no clock and no files: the same input always gives the same bytes.
"""

from heatmap.cohorts import cohort
from heatmap.contrasting import contrast
from heatmap.drawing import overlay
from heatmap.resting import stalls
from heatmap.smoothing import density

__all__ = ["cohort", "contrast", "density", "overlay", "stalls"]
