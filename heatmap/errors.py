"""What the density core refuses. One root, so that callers translate it in one place."""

from __future__ import annotations


class HeatmapError(ValueError):
    """Root of every refusal of this package; its message names the value and the remedy."""


class PageSizeError(HeatmapError):
    """The page, or the grid asked for on it, has no size or more of it than is drawn."""


class MarksError(HeatmapError):
    """Points, boxes or weights of the wrong shape, not finite, or negative."""


class BandwidthError(HeatmapError):
    """The bandwidth is no number of pixels between the limits, or the rule for it is unknown."""


class EdgeError(HeatmapError):
    """The name of an edge correction is unknown."""


class ScaleError(HeatmapError):
    """The curve is unknown, or the intensity of full colour is not positive and finite."""


class PaletteError(HeatmapError):
    """The palette is unknown, or its opacity lies outside 0..1."""


class TextError(HeatmapError):
    """A text for the picture (its stamp or its metadata) cannot be written."""


class PictureError(HeatmapError):
    """Bytes that should be a PNG picture are none, or it is too large to be laid under."""


class TrailError(HeatmapError):
    """A trail, a scroll depth or a dwell clock that no page view can have left."""


class CohortError(HeatmapError):
    """Visits, labels or strata that do not belong together, or a rule that is unknown."""
